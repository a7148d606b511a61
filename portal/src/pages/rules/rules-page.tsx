/** All detection rules: Sigma rules of the program and imported ones, and the detectors beside them. */
import { Button, makeStyles, MessageBar, MessageBarBody, MessageBarTitle, SearchBox, Tooltip } from '@fluentui/react-components';
import { ArrowUpload20Regular, ShieldCheckmark20Regular } from '@fluentui/react-icons';
import type { ColumnDef } from '@tanstack/react-table';
import { useState } from 'react';
import { Link } from 'react-router-dom';
import { useRules } from '@/api/queries';
import type { Rule } from '@/api/types';
import { useMay } from '@/app/session';
import { useFilters } from '@/app/use-filters';
import { count, exact, short } from '@/format/number';
import { arrangeRules, kindName, kLevels, kOrigins, severityOfLevel } from '@/format/rules';
import { Choice } from '@/parts/choice';
import { ListTable } from '@/parts/list-table';
import { Muted, Page, Section } from '@/parts/page';
import { rulePath, RuleSwitch } from '@/parts/rule-parts';
import { SeverityBadge } from '@/parts/severity-badge';
import { EmptyState, ErrorState, Loading } from '@/parts/states';
import { ImportDialog } from './import-dialog';

const useStyles = makeStyles({
  bar: { display: 'flex', gap: '8px', alignItems: 'center', flexWrap: 'wrap' },
  search: { width: '280px' },
  complaints: { margin: '4px 0 0', paddingLeft: '20px', maxHeight: '160px', overflowY: 'auto', overflowWrap: 'anywhere' },
});

const kColumns: ColumnDef<Rule>[] = [
  {
    id: 'level',
    header: 'Level',
    meta: { sort: 'level', width: '124px' },
    cell: ({ row }) => <SeverityBadge severity={severityOfLevel(row.original.level)} />,
  },
  {
    id: 'title',
    header: 'Rule',
    meta: { sort: 'title' },
    cell: ({ row }) => (
      <Link to={rulePath(row.original.id)} title={row.original.description}>
        {row.original.title}
      </Link>
    ),
  },
  { id: 'alert', header: 'Raises', meta: { width: '200px', wideOnly: true }, cell: ({ row }) => row.original.alertType },
  {
    id: 'source',
    header: 'Looks at',
    meta: { width: '160px', wideOnly: true },
    cell: ({ row }) => row.original.logSource || <Muted>{kindName(row.original.kind)}</Muted>,
  },
  {
    id: 'matches',
    header: 'Matches',
    meta: { sort: 'matches', width: '104px', numeric: true },
    cell: ({ row }) => (row.original.load.matches > 0 ? exact(row.original.load.matches) : <Muted>none</Muted>),
  },
  {
    id: 'cpu',
    header: 'CPU, ms',
    meta: { sort: 'cpu', width: '104px', numeric: true, wideOnly: true },
    cell: ({ row }) => short(Math.round(row.original.load.cpuMicroseconds / 100) / 10),
  },
  { id: 'enabled', header: 'In force', meta: { width: '104px' }, cell: ({ row }) => <RuleSwitch rule={row.original} /> },
];

export default function RulesPage() {
  const styles = useStyles();
  const { get, set, clear, any } = useFilters(['q', 'level', 'origin', 'state', 'sort']);
  const mayImport = useMay('Contributor');
  const [importing, setImporting] = useState(false);
  const { data, error, refetch } = useRules();
  const sort = get('sort');
  const rules = arrangeRules(data?.items ?? [], {
    q: get('q'),
    level: get('level'),
    origin: get('origin'),
    state: get('state'),
    sort,
  });
  return (
    <Page
      title="Rules"
      actions={
        mayImport && (
          <Button icon={<ArrowUpload20Regular />} onClick={() => setImporting(true)}>
            Import rules
          </Button>
        )
      }
    >
      <div className={styles.bar} role="search" aria-label="Filter rules">
        <SearchBox
          className={styles.search}
          aria-label="Search rules"
          placeholder="Title, alert, technique or file"
          value={get('q')}
          onChange={(_, data) => set('q', data.value)}
        />
        <Choice
          label="Level"
          value={get('level')}
          all="Any level"
          options={kLevels.map((name) => [name, name] as const)}
          onChoose={(value) => set('level', value)}
        />
        <Choice
          label="Origin"
          value={get('origin')}
          all="Any origin"
          options={kOrigins}
          onChoose={(value) => set('origin', value)}
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
        {any && (
          <Button appearance="subtle" onClick={clear}>
            Clear filters
          </Button>
        )}
        {data && (
          <Tooltip content="Matches and CPU time count since the server started" relationship="description">
            <span>
              <Muted>{count(rules.length, 'rule')}</Muted>
            </span>
          </Tooltip>
        )}
      </div>
      {data && data.complaints.length > 0 && (
        <MessageBar intent="warning" layout="multiline">
          <MessageBarBody>
            <MessageBarTitle>{count(data.complaints.length, 'imported document')} cannot be used</MessageBarTitle>
            <ul className={styles.complaints}>
              {data.complaints.map((text) => (
                <li key={text}>{text}</li>
              ))}
            </ul>
          </MessageBarBody>
        </MessageBar>
      )}
      {!data ? (
        error ? (
          <ErrorState error={error} onRetry={() => void refetch()} />
        ) : (
          <Loading label="Loading rules" />
        )
      ) : rules.length > 0 ? (
        <Section title="What Picket looks for" flush>
          <ListTable
            label="Rules"
            columns={kColumns}
            rows={rules}
            rowId={(rule) => rule.id}
            rowPath={(rule) => rulePath(rule.id)}
            sort={sort || undefined}
            onSort={(next) => set('sort', next)}
          />
        </Section>
      ) : (
        <EmptyState icon={<ShieldCheckmark20Regular />} title="No rule matches">
          Change or clear the filters above.
        </EmptyState>
      )}
      {importing && <ImportDialog onClose={() => setImporting(false)} />}
    </Page>
  );
}
