/** How secure devices are: the score, what it is made of, the worst devices, and what somebody decided to live with. */
import { Button, Input, makeStyles, tokens } from '@fluentui/react-components';
import { Add20Regular } from '@fluentui/react-icons';
import type { ColumnDef } from '@tanstack/react-table';
import { useState } from 'react';
import { Link } from 'react-router-dom';
import { usePosture } from '@/api/queries';
import type { DeviceScore, Posture } from '@/api/types';
import { useMay } from '@/app/session';
import { useFilters } from '@/app/use-filters';
import { count, exact } from '@/format/number';
import { kSeverities } from '@/format/severity';
import { localTime } from '@/format/time';
import { devicePath } from '@/parts/alert-table';
import { BarChart } from '@/parts/chart';
import { ListTable } from '@/parts/list-table';
import { Muted, Page, Section } from '@/parts/page';
import { SeverityBadge } from '@/parts/severity-badge';
import { EmptyState, ErrorState, Loading } from '@/parts/states';
import { ExemptDialog } from './exempt-dialog';
import { Exemptions } from './exemptions';

const useStyles = makeStyles({
  bar: { display: 'flex', gap: '8px', alignItems: 'center', flexWrap: 'wrap' },
  group: { width: '240px' },
  columns: {
    display: 'grid',
    gridTemplateColumns: 'minmax(260px, 1fr) minmax(0, 2fr)',
    gap: '16px',
    '@media (max-width: 1100px)': { gridTemplateColumns: 'minmax(0, 1fr)' },
  },
  score: { fontSize: '48px', lineHeight: '56px', fontWeight: tokens.fontWeightSemibold, fontVariantNumeric: 'tabular-nums' },
  active: { display: 'flex', flexDirection: 'column', gap: '6px', margin: '12px 0' },
  line: { display: 'flex', justifyContent: 'space-between', gap: '12px' },
});

const kColumns: ColumnDef<DeviceScore>[] = [
  {
    id: 'score',
    header: 'Score',
    meta: { width: '90px', numeric: true },
    cell: ({ row }) => Math.round(row.original.score),
  },
  {
    id: 'device',
    header: 'Device',
    cell: ({ row }) => <Link to={devicePath(row.original.deviceId)}>{row.original.deviceId}</Link>,
  },
  { id: 'group', header: 'Group', meta: { wideOnly: true }, cell: ({ row }) => row.original.group },
  ...kSeverities.slice(0, 3).map(
    (severity): ColumnDef<DeviceScore> => ({
      id: severity,
      header: severity,
      meta: { width: '96px', numeric: true },
      cell: ({ row }) => exact(row.original.active[severity]),
    }),
  ),
  {
    id: 'exempt',
    header: 'Exempt',
    meta: { width: '90px', numeric: true, wideOnly: true },
    cell: ({ row }) => exact(row.original.exempt),
  },
];

export default function PosturePage() {
  const styles = useStyles();
  const { get, set } = useFilters(['group']);
  const mayExempt = useMay('Contributor');
  const [asking, setAsking] = useState(false);
  const { data, error, refetch } = usePosture(get('group'));
  return (
    <Page
      title="Posture"
      actions={
        mayExempt && (
          <Button icon={<Add20Regular />} onClick={() => setAsking(true)}>
            Exempt a recommendation
          </Button>
        )
      }
    >
      <div className={styles.bar} role="search" aria-label="Filter posture">
        <Input
          className={styles.group}
          aria-label="Security group"
          placeholder="Security group; empty: all"
          value={get('group')}
          maxLength={128}
          onChange={(_, { value }) => set('group', value)}
        />
        {data && <Muted>{count(data.devices, 'device')}</Muted>}
      </div>
      {data ? <Body posture={data} /> : error ? <ErrorState error={error} onRetry={() => void refetch()} /> : <Loading label="Loading the posture" />}
      <Exemptions />
      {asking && <ExemptDialog onClose={() => setAsking(false)} />}
    </Page>
  );
}

function Body({ posture }: { posture: Posture }) {
  const styles = useStyles();
  return (
    <>
      <div className={styles.columns}>
        <Section title="Secure score">
          <div className={styles.score} aria-label={`${Math.round(posture.score)} of 100`}>
            {Math.round(posture.score)}
          </div>
          <div className={styles.active}>
            {kSeverities.map((severity) => (
              <div key={severity} className={styles.line}>
                <SeverityBadge severity={severity} />
                <span>{exact(posture.active[severity])}</span>
              </div>
            ))}
            <div className={styles.line}>
              <span>Exempt</span>
              <span>{exact(posture.exempt)}</span>
            </div>
          </div>
          <Muted>{posture.formula}</Muted>
        </Section>
        <Section title="Score by day">
          <BarChart
            height={240}
            label={`Score by day; now ${Math.round(posture.score)} of 100`}
            values={posture.trend.slice(-90).map(({ day, score, devices }) => ({
              name: day.slice(0, 10),
              value: Math.round(score),
              tooltip: `${localTime(day).slice(0, 16)}, ${count(devices, 'device')}`,
            }))}
          />
        </Section>
      </div>
      {posture.worst.length > 0 ? (
        <Section title="Devices with the lowest score" actions={<Link to="/recommendations">All recommendations</Link>} flush>
          <ListTable
            label="Devices with the lowest score"
            columns={kColumns}
            rows={posture.worst}
            rowId={({ deviceId }) => deviceId}
            rowPath={({ deviceId }) => devicePath(deviceId)}
          />
        </Section>
      ) : (
        <EmptyState title="No recommendation weighs on a device">Devices with an agent are checked as they report.</EmptyState>
      )}
    </>
  );
}
