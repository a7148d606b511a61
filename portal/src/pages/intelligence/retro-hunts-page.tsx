/** Searches of stored events for indicators: those that a new set starts by itself, and those that somebody asked for. */
import { Badge, Button, Field, Input } from '@fluentui/react-components';
import { History20Regular } from '@fluentui/react-icons';
import type { ColumnDef } from '@tanstack/react-table';
import { useState } from 'react';
import { Link } from 'react-router-dom';
import { useRetroHunts, useStartRetroHunt } from '@/api/intelligence';
import type { RetroHunt } from '@/api/types';
import { useNotifications } from '@/app/notifications';
import { useMay } from '@/app/session';
import { kRetroAlertsQuery } from '@/format/intelligence';
import { logsPath } from '@/format/kql';
import { count, exact } from '@/format/number';
import { FormDialog } from '@/parts/form-dialog';
import { ListTable } from '@/parts/list-table';
import { Loaded } from '@/parts/loaded';
import { Page, Section } from '@/parts/page';
import { EmptyState } from '@/parts/states';
import { TimeText } from '@/parts/time-text';
import { IntelligenceTabs } from './intelligence-tabs';

const kColors = { waiting: 'subtle', running: 'informative', done: 'success', failed: 'danger' } as const;
const kDaysMax = 365;

const kColumns: ColumnDef<RetroHunt>[] = [
  { id: 'started', header: 'Started', meta: { width: '196px' }, cell: ({ row }) => <TimeText value={row.original.started} /> },
  {
    id: 'status',
    header: 'Status',
    meta: { width: '96px' },
    cell: ({ row: { original } }) => (
      <Badge appearance="tint" color={kColors[original.status]}>
        {original.status}
      </Badge>
    ),
  },
  { id: 'days', header: 'Events of', meta: { width: '110px' }, cell: ({ row }) => count(row.original.days, 'day') },
  {
    id: 'hits',
    header: 'Hits',
    meta: { width: '90px', numeric: true },
    cell: ({ row: { original } }) =>
      original.hits > 0 ? <Link to={logsPath(kRetroAlertsQuery, 'P30D')}>{exact(original.hits)}</Link> : '0',
  },
  { id: 'note', header: 'Note', cell: ({ row }) => <span title={row.original.note}>{row.original.note || '–'}</span> },
  {
    id: 'finished',
    header: 'Finished',
    meta: { width: '196px', widestOnly: true },
    cell: ({ row }) => <TimeText value={row.original.finished} />,
  },
  {
    id: 'set',
    header: 'Set',
    meta: { width: '130px', widestOnly: true },
    cell: ({ row }) => <code title={row.original.set}>{row.original.set}</code>,
  },
];

export default function RetroHuntsPage() {
  const mayStart = useMay('Contributor');
  const [asking, setAsking] = useState(false);
  const hunts = useRetroHunts();
  return (
    <Page
      title="Retro-hunts"
      parent={{ path: '/intelligence', label: 'Threat intelligence' }}
      actions={
        mayStart && (
          <Button icon={<History20Regular />} onClick={() => setAsking(true)}>
            Start a retro-hunt
          </Button>
        )
      }
    >
      <IntelligenceTabs />
      <Loaded query={hunts} label="Loading retro-hunts">
        {(items) =>
          items.length > 0 ? (
            <Section
              title="The newest searches"
              actions={<Link to={logsPath(kRetroAlertsQuery, 'P30D')}>Their alerts in Logs</Link>}
              flush
            >
              <ListTable label="Retro-hunts" columns={kColumns} rows={items} rowId={({ id }) => id} />
            </Section>
          ) : (
            <EmptyState title="Nothing was searched for yet">
              What a new set of indicators adds is looked for in the stored events of the last 30 days, by itself.
            </EmptyState>
          )
        }
      </Loaded>
      {asking && <StartDialog onClose={() => setAsking(false)} />}
    </Page>
  );
}

function StartDialog({ onClose }: { onClose(): void }) {
  const [days, setDays] = useState('30');
  const start = useStartRetroHunt();
  const { done } = useNotifications();
  const fits = /^\d{1,3}$/.test(days) && Number(days) >= 1 && Number(days) <= kDaysMax;
  return (
    <FormDialog
      title="Start a retro-hunt"
      submitLabel="Start"
      invalid={!fits}
      pending={start.isPending}
      error={start.error}
      onSubmit={() =>
        start.mutate(Number(days), {
          onSuccess: () => {
            done('The retro-hunt was started');
            onClose();
          },
        })
      }
      onClose={onClose}
    >
      <div>Everything in force is looked for in the stored events. What is found raises alerts that say so.</div>
      <Field label="Days back" required validationMessage={fits ? undefined : `1 to ${kDaysMax}.`}>
        <Input type="number" min={1} max={kDaysMax} value={days} onChange={(_, data) => setDays(data.value)} />
      </Field>
    </FormDialog>
  );
}
