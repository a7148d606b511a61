import { Badge } from '@fluentui/react-components';
import type { ColumnDef } from '@tanstack/react-table';
import type { HubSettings } from '@/api/types';
import { ListTable } from '@/parts/list-table';
import { Section } from '@/parts/page';
import { EmptyState } from '@/parts/states';

type Rule = NonNullable<HubSettings['ipFilterRules']>[number] & { order: number };

const kColumns: ColumnDef<Rule>[] = [
  { id: 'order', header: 'Order', meta: { width: '70px' }, cell: ({ row }) => row.original.order },
  {
    id: 'action',
    header: 'Action',
    meta: { width: '100px' },
    cell: ({ row }) => (
      <Badge appearance="tint" color={row.original.action === 'Accept' ? 'success' : 'danger'}>
        {row.original.action}
      </Badge>
    ),
  },
  { id: 'ipMask', header: 'Addresses', meta: { width: '30%' }, cell: ({ row }) => row.original.ipMask },
  { id: 'filterName', header: 'Rule', cell: ({ row }) => <span title={row.original.filterName}>{row.original.filterName}</span> },
];

/** In the order in which they are tried: the first that matches decides. */
export function IpFilterRules({ rules }: { rules: NonNullable<HubSettings['ipFilterRules']> }) {
  return (
    <Section title="IP filter rules" flush>
      {rules.length === 0 ? (
        <EmptyState title="No rules">Every address may connect.</EmptyState>
      ) : (
        <ListTable
          label="IP filter rules"
          columns={kColumns}
          rows={rules.map((rule, index) => ({ ...rule, order: index + 1 }))}
          rowId={({ order }) => String(order)}
        />
      )}
    </Section>
  );
}
