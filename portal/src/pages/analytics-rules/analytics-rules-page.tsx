/** Scheduled rules: queries that run now and then over the workspace and raise alerts. */
import { Button, makeStyles, SearchBox } from '@fluentui/react-components';
import { ArrowUpload20Regular } from '@fluentui/react-icons';
import type { ColumnDef } from '@tanstack/react-table';
import { useState } from 'react';
import { Link } from 'react-router-dom';
import { useAnalyticsRules, type AnalyticsRule } from '@/api/analytics';
import { useMay } from '@/app/session';
import { useFilters } from '@/app/use-filters';
import { scheduleText, triggerText } from '@/format/analytics';
import { count } from '@/format/number';
import { analyticsRulePath, AnalyticsSwitch } from '@/parts/analytics-parts';
import { Choice } from '@/parts/choice';
import { ListTable } from '@/parts/list-table';
import { Loaded } from '@/parts/loaded';
import { Muted, Page, Section } from '@/parts/page';
import { SeverityBadge } from '@/parts/severity-badge';
import { EmptyState } from '@/parts/states';
import { TimeText } from '@/parts/time-text';
import { ImportAnalyticsDialog } from './import-analytics-dialog';

const useStyles = makeStyles({
  bar: { display: 'flex', gap: '8px', alignItems: 'center', flexWrap: 'wrap' },
  search: { width: '280px', maxWidth: '100%' },
});

const kColumns: ColumnDef<AnalyticsRule>[] = [
  {
    id: 'severity',
    header: 'Severity',
    meta: { width: '130px' },
    cell: ({ row }) => <SeverityBadge severity={row.original.severity} />,
  },
  {
    id: 'name',
    header: 'Rule',
    cell: ({ row }) => (
      <Link to={analyticsRulePath(row.original.id)} title={row.original.description}>
        {row.original.name}
      </Link>
    ),
  },
  { id: 'schedule', header: 'Runs', meta: { width: '250px', wideOnly: true }, cell: ({ row }) => scheduleText(row.original) },
  {
    id: 'trigger',
    header: 'Raises alerts for',
    meta: { width: '170px', widestOnly: true },
    cell: ({ row }) => triggerText(row.original),
  },
  {
    id: 'next',
    header: 'Next run',
    meta: { width: '150px', wideOnly: true },
    cell: ({ row: { original } }) =>
      original.enabled && original.nextRun ? <TimeText value={original.nextRun} relative /> : <Muted>not planned</Muted>,
  },
  { id: 'enabled', header: 'In force', meta: { width: '104px' }, cell: ({ row }) => <AnalyticsSwitch rule={row.original} /> },
];

export default function AnalyticsRulesPage() {
  const styles = useStyles();
  const { get, set } = useFilters(['q', 'state']);
  const may = useMay('Contributor');
  const rules = useAnalyticsRules();
  const [importing, setImporting] = useState(false);
  const text = get('q').toLowerCase();
  const shown = (rules.data ?? []).filter(
    (rule) =>
      `${rule.name} ${rule.description ?? ''} ${(rule.techniques ?? []).join(' ')} ${rule.query}`.toLowerCase().includes(text) &&
      (get('state') === '' || rule.enabled === (get('state') === 'on')),
  );
  return (
    <Page
      title="Analytics rules"
      actions={
        may && (
          <Button icon={<ArrowUpload20Regular />} onClick={() => setImporting(true)}>
            Import rules
          </Button>
        )
      }
    >
      <div className={styles.bar} role="search" aria-label="Filter analytics rules">
        <SearchBox
          className={styles.search}
          aria-label="Search analytics rules"
          placeholder="Name, technique or text of the query"
          value={get('q')}
          onChange={(_, data) => set('q', data.value)}
        />
        <Choice
          label="State"
          value={get('state')}
          all="On and off"
          options={[
            ['on', 'On'],
            ['off', 'Off'],
          ]}
          onChoose={(value) => set('state', value)}
        />
        {rules.data && <Muted>{count(shown.length, 'rule')}</Muted>}
      </div>
      <Section title="Scheduled rules" flush>
        <Loaded query={rules} label="Loading analytics rules">
          {() =>
            shown.length > 0 ? (
              <ListTable
                label="Analytics rules"
                columns={kColumns}
                rows={shown}
                rowId={({ id }) => id}
                rowPath={({ id }) => analyticsRulePath(id)}
              />
            ) : (
              <EmptyState title={rules.data?.length ? 'Nothing matches' : 'No analytics rules yet'}>
                Analytic rules of Sentinel, as YAML or in ARM templates, are imported as they are.
              </EmptyState>
            )
          }
        </Loaded>
      </Section>
      {importing && <ImportAnalyticsDialog onClose={() => setImporting(false)} />}
    </Page>
  );
}
