/** What is known and need not be seen: the rules, what fell under them, and until when they act. */
import { Badge, Button } from '@fluentui/react-components';
import { Add20Regular, AlertOff20Regular } from '@fluentui/react-icons';
import type { ColumnDef } from '@tanstack/react-table';
import { useState } from 'react';
import { Link } from 'react-router-dom';
import { useSuppressions } from '@/api/incidents';
import type { Suppression } from '@/api/types';
import { useMay } from '@/app/session';
import { count, exact } from '@/format/number';
import { matchText, stateOf } from '@/format/suppression';
import { AlertTabs } from '@/parts/alert-tabs';
import { ListTable } from '@/parts/list-table';
import { Loaded } from '@/parts/loaded';
import { Muted, Page, Section } from '@/parts/page';
import { EmptyState } from '@/parts/states';
import { SuppressionDialog } from '@/parts/suppression-dialog';
import { TimeText } from '@/parts/time-text';
import { RuleActions } from './rule-actions';

const kColors = { On: 'success', Off: 'subtle', Expired: 'warning' } as const;

const kColumns: ColumnDef<Suppression>[] = [
  {
    id: 'id',
    header: 'Rule',
    meta: { width: '17%' },
    cell: ({ row: { original } }) => <span title={original.id}>{original.name || original.id}</span>,
  },
  {
    id: 'match',
    header: 'Dismisses alerts with',
    cell: ({ row }) => <span title={matchText(row.original.match)}>{matchText(row.original.match)}</span>,
  },
  {
    id: 'reason',
    header: 'Why',
    meta: { width: '19%', wideOnly: true },
    cell: ({ row: { original } }) => <span title={`${original.reason}\n${original.createdBy}`}>{original.reason}</span>,
  },
  {
    id: 'hits',
    header: 'Alerts',
    meta: { width: '90px', numeric: true },
    cell: ({ row: { original } }) =>
      original.alerts > 0 ? (
        <Link to={`/alerts?status=any&suppressedBy=${encodeURIComponent(original.id)}`} title={count(original.hits, 'happening')}>
          {exact(original.alerts)}
        </Link>
      ) : (
        <Muted>none</Muted>
      ),
  },
  {
    id: 'last',
    header: 'Last',
    meta: { width: '146px', widestOnly: true },
    cell: ({ row }) => <TimeText relative value={row.original.lastHit} />,
  },
  {
    id: 'state',
    header: 'State',
    meta: { width: '96px' },
    cell: ({ row }) => (
      <Badge appearance="tint" color={kColors[stateOf(row.original)]}>
        {stateOf(row.original)}
      </Badge>
    ),
  },
  {
    id: 'until',
    header: 'Until',
    meta: { width: '196px', widestOnly: true },
    cell: ({ row }) => (row.original.expires ? <TimeText value={row.original.expires} /> : <Muted>for good</Muted>),
  },
  { id: 'actions', header: '', meta: { width: '140px' }, cell: ({ row }) => <RuleActions rule={row.original} /> },
];

export default function SuppressionsPage() {
  const mayChange = useMay('Contributor');
  const [adding, setAdding] = useState(false);
  const rules = useSuppressions();
  return (
    <Page
      title="Suppression rules"
      parent={{ path: '/alerts', label: 'Alerts' }}
      actions={
        mayChange && (
          <Button icon={<Add20Regular />} onClick={() => setAdding(true)}>
            Add a rule
          </Button>
        )
      }
    >
      <AlertTabs />
      <Loaded query={rules} label="Loading suppression rules">
        {(items) =>
          items.length > 0 ? (
            <Section title="What is dismissed as it comes" actions={<Muted>{count(items.length, 'rule')}</Muted>} flush>
              <ListTable label="Suppression rules" columns={kColumns} rows={items} rowId={({ id }) => id} />
            </Section>
          ) : (
            <EmptyState icon={<AlertOff20Regular />} title="No rule suppresses anything">
              What you know and need not see again, such as a nightly backup, can be dismissed as it comes: open one of its alerts
              and choose <em>Suppress</em>. Nothing is lost: such alerts stay, as Dismissed.
            </EmptyState>
          )
        }
      </Loaded>
      {adding && <SuppressionDialog onClose={() => setAdding(false)} />}
    </Page>
  );
}
