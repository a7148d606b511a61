/** What is exempt, for whom, why and until when; and the way back. */
import { Badge, Button } from '@fluentui/react-components';
import type { ColumnDef } from '@tanstack/react-table';
import { Link } from 'react-router-dom';
import { useExemptions, useRestore } from '@/api/queries';
import type { Exemption } from '@/api/types';
import { useNotifications } from '@/app/notifications';
import { useMay } from '@/app/session';
import { ListTable } from '@/parts/list-table';
import { Muted, Section } from '@/parts/page';
import { recommendationPath } from '@/parts/recommendation-parts';
import { TimeText } from '@/parts/time-text';

function whom({ deviceId, group }: Exemption): string {
  if (deviceId) return deviceId;
  return group ? `group ${group}` : 'all devices';
}

const kColumns: ColumnDef<Exemption>[] = [
  {
    id: 'type',
    header: 'Recommendation',
    cell: ({ row }) => <Link to={recommendationPath(row.original.type)}>{row.original.type}</Link>,
  },
  { id: 'whom', header: 'For', cell: ({ row }) => whom(row.original) },
  { id: 'reason', header: 'Why', cell: ({ row }) => <span title={row.original.reason}>{row.original.reason}</span> },
  { id: 'user', header: 'By', meta: { width: '110px', wideOnly: true }, cell: ({ row }) => row.original.user },
  {
    id: 'until',
    header: 'Until',
    meta: { width: '190px' },
    cell: ({ row: { original } }) =>
      !original.until ? (
        <Muted>for good</Muted>
      ) : original.expired ? (
        <Badge appearance="tint" color="warning">
          Expired
        </Badge>
      ) : (
        <TimeText value={original.until} />
      ),
  },
  { id: 'restore', header: '', meta: { width: '120px' }, cell: ({ row }) => <Restore exemption={row.original} /> },
];

function Restore({ exemption }: { exemption: Exemption }) {
  const mayRestore = useMay('Contributor');
  const restore = useRestore();
  const { done, failed } = useNotifications();
  if (!mayRestore) return null;
  return (
    <Button
      size="small"
      disabled={restore.isPending}
      aria-label={`Take back the exemption of ${exemption.type} for ${whom(exemption)}`}
      onClick={() =>
        restore.mutate(exemption.id, {
          onSuccess: () => done('The exemption was taken back'),
          onError: (error) => failed('The exemption was not taken back', error),
        })
      }
    >
      Take back
    </Button>
  );
}

export function Exemptions() {
  const { data } = useExemptions();
  if (!data || data.length === 0) return null;
  return (
    <Section title="Exemptions" flush>
      <ListTable label="Exemptions" columns={kColumns} rows={data} rowId={({ id }) => id} />
    </Section>
  );
}
