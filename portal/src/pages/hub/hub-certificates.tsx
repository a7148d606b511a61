import { Badge } from '@fluentui/react-components';
import type { ColumnDef } from '@tanstack/react-table';
import { useHubCertificates } from '@/api/queries';
import type { CaCertificate } from '@/api/types';
import { certificateState, type CertificateState } from '@/format/certificate';
import { ListTable } from '@/parts/list-table';
import { Section } from '@/parts/page';
import { EmptyState, ErrorState, Loading } from '@/parts/states';
import { TimeText } from '@/parts/time-text';

const kColors: Record<CertificateState, 'success' | 'warning' | 'danger'> = {
  verified: 'success',
  'not proven': 'warning',
  'expires soon': 'warning',
  'not yet valid': 'warning',
  expired: 'danger',
};

const kColumns: ColumnDef<CaCertificate>[] = [
  { id: 'name', header: 'Certificate', meta: { width: '18%' }, cell: ({ row }) => row.original.name },
  {
    id: 'state',
    header: 'State',
    meta: { width: '140px' },
    cell: ({ row }) => {
      const state = certificateState(row.original, Date.now());
      return (
        <Badge appearance="tint" color={kColors[state]}>
          {state}
        </Badge>
      );
    },
  },
  {
    id: 'notAfter',
    header: 'Valid until',
    meta: { width: '210px' },
    cell: ({ row }) => <TimeText value={row.original.notAfter} />,
  },
  { id: 'subject', header: 'Subject', cell: ({ row }) => <span title={row.original.subject}>{row.original.subject}</span> },
  {
    id: 'thumbprint',
    header: 'Thumbprint (SHA-256)',
    meta: { wideOnly: true },
    cell: ({ row }) => <span title={row.original.sha256Thumbprint}>{row.original.sha256Thumbprint}</span>,
  },
];

export function HubCertificates({ hub }: { hub: string }) {
  const { data, error, refetch } = useHubCertificates(hub);
  return (
    <Section title="CA certificates" flush>
      {!data ? (
        error ? (
          <ErrorState error={error} onRetry={() => void refetch()} />
        ) : (
          <Loading label="Loading certificates" />
        )
      ) : data.length === 0 ? (
        <EmptyState title="No CA certificates">Devices sign in with keys or with certificates named by thumbprint.</EmptyState>
      ) : (
        <ListTable label="CA certificates" columns={kColumns} rows={data} rowId={({ name }) => name} />
      )}
    </Section>
  );
}
