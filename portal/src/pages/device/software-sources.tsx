/** From whom the software of a device is known: the agent, and documents that somebody imported. */
import { Button } from '@fluentui/react-components';
import { Delete16Regular } from '@fluentui/react-icons';
import { useRemoveDocument } from '@/api/software';
import type { DeviceSoftware } from '@/api/types';
import { useNotifications } from '@/app/notifications';
import { useMay } from '@/app/session';
import { exact } from '@/format/number';
import { ListTable } from '@/parts/list-table';
import { Muted, Section } from '@/parts/page';
import { TimeText } from '@/parts/time-text';

type Source = DeviceSoftware['sources'][number];

/** What agents report is named by its kind; only documents can be removed. */
function Remove({ deviceId, name }: { deviceId: string; name: string }) {
  const mayRemove = useMay('Contributor');
  const remove = useRemoveDocument(deviceId);
  const { done, failed } = useNotifications();
  if (!mayRemove || !name.startsWith('document:')) return null;
  const document = name.slice('document:'.length);
  return (
    <Button
      size="small"
      icon={<Delete16Regular />}
      aria-label={`Remove ${document}`}
      disabled={remove.isPending}
      onClick={() =>
        remove.mutate(document, {
          onSuccess: () => done(`${document} was removed`),
          onError: (error) => failed('The document was not removed', error),
        })
      }
    />
  );
}

export function SoftwareSources({ deviceId, sources }: { deviceId: string; sources: readonly Source[] }) {
  if (sources.length === 0) return null;
  return (
    <Section title="Known from" flush>
      <ListTable<Source>
        label="Sources of software"
        columns={[
          { id: 'name', header: 'Source', cell: ({ row }) => <span title={row.original.name}>{row.original.name}</span> },
          {
            id: 'components',
            header: 'Components',
            meta: { width: '116px', numeric: true },
            cell: ({ row }) => exact(row.original.components ?? 0),
          },
          {
            id: 'whole',
            header: 'List',
            meta: { width: '130px' },
            cell: ({ row }) => (row.original.whole ? 'whole' : <Muted>differences only</Muted>),
          },
          {
            id: 'updated',
            header: 'Updated',
            meta: { width: '146px' },
            cell: ({ row }) => <TimeText relative value={row.original.updated} />,
          },
          {
            id: 'remove',
            header: '',
            meta: { width: '64px' },
            cell: ({ row }) => <Remove deviceId={deviceId} name={row.original.name ?? ''} />,
          },
        ]}
        rows={sources}
        rowId={({ name = '' }) => name}
      />
    </Section>
  );
}
