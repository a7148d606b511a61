/** What the operator says: indicators of one's own, and what never is one. */
import { Badge, Button } from '@fluentui/react-components';
import { Add20Regular, Delete16Regular } from '@fluentui/react-icons';
import type { ColumnDef } from '@tanstack/react-table';
import { useState } from 'react';
import { useOwnIndicators, useRemoveIndicator } from '@/api/intelligence';
import type { OwnIndicator } from '@/api/types';
import { useNotifications } from '@/app/notifications';
import { useMay } from '@/app/session';
import { indicatorKindText } from '@/format/intelligence';
import { ListTable } from '@/parts/list-table';
import { Loaded } from '@/parts/loaded';
import { Muted, Page, Section } from '@/parts/page';
import { EmptyState } from '@/parts/states';
import { TimeText } from '@/parts/time-text';
import { IndicatorDialog } from './indicator-dialog';
import { IntelligenceTabs, SetInForce } from './intelligence-tabs';

const kColumns: ColumnDef<OwnIndicator>[] = [
  { id: 'value', header: 'Indicator', cell: ({ row: { original } }) => <code title={original.value}>{original.value}</code> },
  { id: 'kind', header: 'Kind', meta: { width: '170px' }, cell: ({ row }) => indicatorKindText(row.original.kind) },
  {
    id: 'allowed',
    header: 'Means',
    meta: { width: '150px' },
    cell: ({ row: { original } }) =>
      original.allowed ? (
        <Badge appearance="tint" color="success">
          Never an indicator
        </Badge>
      ) : (
        `confidence ${original.confidence}`
      ),
  },
  {
    id: 'threat',
    header: 'Threat',
    meta: { width: '16%', wideOnly: true },
    cell: ({ row: { original } }) => <span title={`${original.threat}\n${original.reference}`}>{original.threat}</span>,
  },
  {
    id: 'added',
    header: 'Added',
    meta: { width: '146px', wideOnly: true },
    cell: ({ row: { original } }) => (
      <span title={original.user}>
        <TimeText relative value={original.added} />
      </span>
    ),
  },
  {
    id: 'until',
    header: 'Until',
    meta: { width: '196px', widestOnly: true },
    cell: ({ row }) => (row.original.until ? <TimeText value={row.original.until} /> : <Muted>for good</Muted>),
  },
  { id: 'remove', header: '', meta: { width: '64px' }, cell: ({ row }) => <Remove indicator={row.original} /> },
];

function Remove({ indicator: { kind, value } }: { indicator: OwnIndicator }) {
  const mayRemove = useMay('Contributor');
  const remove = useRemoveIndicator();
  const { done, failed } = useNotifications();
  if (!mayRemove) return null;
  return (
    <Button
      size="small"
      icon={<Delete16Regular />}
      aria-label={`Remove ${value}`}
      disabled={remove.isPending}
      onClick={() =>
        remove.mutate(
          { kind, value },
          { onSuccess: () => done(`${value} leaves with the next set`), onError: (error) => failed('It was not removed', error) },
        )
      }
    />
  );
}

export default function IndicatorsPage() {
  const mayAdd = useMay('Contributor');
  const [adding, setAdding] = useState(false);
  const indicators = useOwnIndicators();
  const items = indicators.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Page
      title="Own indicators"
      parent={{ path: '/intelligence', label: 'Threat intelligence' }}
      actions={
        mayAdd && (
          <Button icon={<Add20Regular />} onClick={() => setAdding(true)}>
            Add an indicator
          </Button>
        )
      }
    >
      <IntelligenceTabs />
      <SetInForce />
      <Loaded query={indicators} label="Loading indicators">
        {() =>
          items.length > 0 ? (
            <Section title="What you say yourself" flush>
              <ListTable
                label="Own indicators"
                columns={kColumns}
                rows={items}
                rowId={({ kind, value }) => `${kind} ${value}`}
                more={
                  indicators.hasNextPage
                    ? { load: () => void indicators.fetchNextPage(), loading: indicators.isFetchingNextPage, label: 'Show more' }
                    : undefined
                }
              />
            </Section>
          ) : (
            <EmptyState title="No indicator of your own">
              An address, name, URL or hash that you know to be bad; or one that feeds list although it is good, which then raises
              nothing here.
            </EmptyState>
          )
        }
      </Loaded>
      {adding && <IndicatorDialog onClose={() => setAdding(false)} />}
    </Page>
  );
}
