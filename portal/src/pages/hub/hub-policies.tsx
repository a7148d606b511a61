import type { ColumnDef } from '@tanstack/react-table';
import { useHubPolicies } from '@/api/queries';
import type { Policy } from '@/api/types';
import { ListTable } from '@/parts/list-table';
import { Section } from '@/parts/page';
import { EmptyState, ErrorState, Loading } from '@/parts/states';

const kColumns: ColumnDef<Policy>[] = [
  { id: 'name', header: 'Policy', meta: { width: '28%' }, cell: ({ row }) => row.original.name },
  { id: 'rights', header: 'Rights', cell: ({ row }) => <span title={row.original.rights}>{row.original.rights}</span> },
];

/** Names and rights only; keys are nothing to have on a page. */
export function HubPolicies({ hub }: { hub: string }) {
  const { data, error, refetch } = useHubPolicies(hub);
  return (
    <Section title="Shared access policies" flush>
      {!data ? (
        error ? (
          <ErrorState error={error} onRetry={() => void refetch()} />
        ) : (
          <Loading label="Loading policies" />
        )
      ) : data.length === 0 ? (
        <EmptyState title="No policies" />
      ) : (
        <ListTable label="Shared access policies" columns={kColumns} rows={data} rowId={({ name }) => name} />
      )}
    </Section>
  );
}
