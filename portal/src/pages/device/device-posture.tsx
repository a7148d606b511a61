/** What is weak about the device: its score, its recommendations, and the checks of the baseline as they stand now. */
import { makeStyles } from '@fluentui/react-components';
import type { ColumnDef } from '@tanstack/react-table';
import { Link } from 'react-router-dom';
import { useDeviceRecommendations } from '@/api/posture';
import type { Recommendation } from '@/api/types';
import { count } from '@/format/number';
import { ListTable } from '@/parts/list-table';
import { Loaded, moreOf } from '@/parts/loaded';
import { Muted, Section } from '@/parts/page';
import { recommendationPath, RecommendationStateBadge } from '@/parts/recommendation-parts';
import { SeverityBadge } from '@/parts/severity-badge';
import { EmptyState } from '@/parts/states';
import { TimeText } from '@/parts/time-text';
import { BaselineChecks } from './baseline-checks';
import { DeviceScore } from './device-score';

const useStyles = makeStyles({ stack: { display: 'flex', flexDirection: 'column', gap: '16px' } });

const kColumns: ColumnDef<Recommendation>[] = [
  {
    id: 'severity',
    header: 'Severity',
    meta: { width: '140px' },
    cell: ({ row }) => <SeverityBadge severity={row.original.severity} />,
  },
  {
    id: 'name',
    header: 'Recommendation',
    cell: ({ row: { original } }) => (
      <Link to={recommendationPath(original.type)} title={`${original.displayName}\n${original.description}`}>
        {original.displayName}
      </Link>
    ),
  },
  {
    id: 'state',
    header: 'State',
    meta: { width: '106px' },
    cell: ({ row }) => <RecommendationStateBadge state={row.original.state} />,
  },
  {
    id: 'updated',
    header: 'Since',
    meta: { width: '146px' },
    cell: ({ row }) => <TimeText relative value={row.original.updated} />,
  },
];

export function DevicePosture({ deviceId }: { deviceId: string }) {
  const styles = useStyles();
  const recommendations = useDeviceRecommendations(deviceId);
  // The checks of the baseline are told below, with what was seen.
  const items = (recommendations.data?.pages.flatMap((page) => page.items) ?? []).filter(
    ({ type }) => !type.startsWith('IoT_CISBenchmarks_'),
  );
  return (
    <div className={styles.stack}>
      <DeviceScore deviceId={deviceId} />
      <Loaded query={recommendations} label="Loading recommendations">
        {() =>
          items.length > 0 ? (
            <Section title="Recommendations" actions={<Muted>{count(items.length, 'recommendation')}</Muted>} flush>
              <ListTable
                label="Recommendations"
                columns={kColumns}
                rows={items}
                rowId={({ id }) => id}
                rowPath={({ type }) => recommendationPath(type)}
                more={moreOf(recommendations, items.length, recommendations.data?.pages[0]?.total ?? 0)}
              />
            </Section>
          ) : (
            <Section title="Recommendations">
              <EmptyState title="Nothing is recommended for this device" />
            </Section>
          )
        }
      </Loaded>
      <BaselineChecks deviceId={deviceId} />
    </div>
  );
}
