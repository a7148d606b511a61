import { Button, makeStyles, SearchBox } from '@fluentui/react-components';
import { LightbulbCheckmark20Regular } from '@fluentui/react-icons';
import type { ColumnDef } from '@tanstack/react-table';
import { Link } from 'react-router-dom';
import { useRecommendationTypes } from '@/api/queries';
import type { RecommendationType, Severity } from '@/api/types';
import { useFilters } from '@/app/use-filters';
import { count, exact } from '@/format/number';
import { arrangeTypes } from '@/format/recommendations';
import { kSeverities } from '@/format/severity';
import { Choice } from '@/parts/choice';
import { ListTable } from '@/parts/list-table';
import { Muted, Page, Section } from '@/parts/page';
import { recommendationPath, TypeSwitch } from '@/parts/recommendation-parts';
import { SeverityBadge } from '@/parts/severity-badge';
import { EmptyState, ErrorState, Loading } from '@/parts/states';

const useStyles = makeStyles({
  bar: { display: 'flex', gap: '8px', alignItems: 'center', flexWrap: 'wrap' },
  search: { width: '280px' },
});

const kColumns: ColumnDef<RecommendationType>[] = [
  {
    id: 'severity',
    header: 'Severity',
    meta: { sort: 'severity', width: '152px' },
    cell: ({ row }) => <SeverityBadge severity={row.original.severity} />,
  },
  {
    id: 'displayName',
    header: 'Recommendation',
    meta: { sort: 'displayName' },
    cell: ({ row }) => (
      <Link to={recommendationPath(row.original.type)} title={row.original.description}>
        {row.original.displayName}
      </Link>
    ),
  },
  {
    id: 'active',
    header: 'Devices affected',
    meta: { sort: 'active', width: '150px', numeric: true },
    cell: ({ row }) => (row.original.active > 0 ? exact(row.original.active) : <Muted>none</Muted>),
  },
  {
    id: 'resolved',
    header: 'Resolved',
    meta: { sort: 'resolved', width: '110px', numeric: true, wideOnly: true },
    cell: ({ row }) => (row.original.resolved > 0 ? exact(row.original.resolved) : <Muted>none</Muted>),
  },
  { id: 'enabled', header: 'Enabled', meta: { width: '110px' }, cell: ({ row }) => <TypeSwitch item={row.original} /> },
];

export default function RecommendationsPage() {
  const styles = useStyles();
  const { get, set, clear, any } = useFilters(['q', 'severity', 'sort']);
  const { data, error, refetch } = useRecommendationTypes();
  const severity = kSeverities.find((name) => name === get('severity')) as Severity | undefined;
  const sort = get('sort');
  const types = arrangeTypes(data ?? [], { q: get('q'), severity, sort });

  return (
    <Page title="Recommendations">
      <div className={styles.bar} role="search" aria-label="Filter recommendations">
        <SearchBox
          className={styles.search}
          aria-label="Search recommendations"
          placeholder="Name or text"
          value={get('q')}
          onChange={(_, data) => set('q', data.value)}
        />
        <Choice
          label="Severity"
          value={severity ?? ''}
          all="Any severity"
          options={kSeverities.map((name) => [name, name] as const)}
          onChoose={(value) => set('severity', value)}
        />
        {any && (
          <Button appearance="subtle" onClick={clear}>
            Clear filters
          </Button>
        )}
        {data && <Muted>{count(types.length, 'type')}</Muted>}
      </div>
      {!data ? (
        error ? (
          <ErrorState error={error} onRetry={() => void refetch()} />
        ) : (
          <Loading label="Loading recommendations" />
        )
      ) : types.length > 0 ? (
        <Section title="What Picket recommends" flush>
          <ListTable
            label="Recommendations"
            columns={kColumns}
            rows={types}
            rowId={(item) => item.type}
            rowPath={(item) => recommendationPath(item.type)}
            sort={sort || undefined}
            onSort={(next) => set('sort', next)}
          />
        </Section>
      ) : any ? (
        <EmptyState title="No recommendation matches">Change or clear the filters above.</EmptyState>
      ) : (
        <EmptyState icon={<LightbulbCheckmark20Regular />} title="This server recommends nothing" />
      )}
    </Page>
  );
}
