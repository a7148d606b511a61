/** OpenVEX documents in force: what the customer knows better than any feed. */
import { Button } from '@fluentui/react-components';
import { Delete16Regular, ShieldCheckmark24Regular } from '@fluentui/react-icons';
import type { ColumnDef } from '@tanstack/react-table';
import { useState } from 'react';
import { useRemoveVex, useVex, useVexDocument } from '@/api/software';
import type { VexRow } from '@/api/types';
import { useNotifications } from '@/app/notifications';
import { useMay } from '@/app/session';
import { useFilters } from '@/app/use-filters';
import { count, exact } from '@/format/number';
import { ConfirmDialog } from '@/parts/confirm-dialog';
import { CopyButton } from '@/parts/copy-button';
import { JsonText } from '@/parts/json-text';
import { ListTable } from '@/parts/list-table';
import { Loaded } from '@/parts/loaded';
import { Muted, Page, Section } from '@/parts/page';
import { EmptyState } from '@/parts/states';
import { VexButton } from '@/parts/vex-dialog';
import { VulnerabilityTabs } from '@/parts/vulnerability-parts';
import { ImportVex } from './import-vex';

function Actions({ row, onShow }: { row: VexRow; onShow(): void }) {
  const mayRemove = useMay('Contributor');
  const [asking, setAsking] = useState(false);
  const remove = useRemoveVex();
  const { done } = useNotifications();
  const close = () => setAsking(false);
  return (
    <>
      <Button size="small" aria-label={`Show ${row.name}`} onClick={onShow}>
        Show
      </Button>{' '}
      {mayRemove && (
        <Button size="small" icon={<Delete16Regular />} aria-label={`Remove ${row.name}`} onClick={() => setAsking(true)} />
      )}
      {asking && (
        <ConfirmDialog
          title={`Remove ${row.name}?`}
          confirmLabel="Remove"
          pending={remove.isPending}
          error={remove.error}
          onConfirm={() =>
            remove.mutate(row.name, {
              onSuccess: () => {
                done('The statements were removed');
                close();
              },
            })
          }
          onClose={close}
        >
          What feeds say of {count(row.statements, 'vulnerability', 'vulnerabilities')} counts again.
        </ConfirmDialog>
      )}
    </>
  );
}

export default function StatementsPage() {
  const { get, set } = useFilters(['document']);
  const documents = useVex();
  const columns: ColumnDef<VexRow>[] = [
    { id: 'name', header: 'Document', cell: ({ row }) => <span title={row.original.name}>{row.original.name}</span> },
    {
      id: 'author',
      header: 'Author',
      meta: { width: '30%' },
      cell: ({ row }) => <span title={row.original.author}>{row.original.author || <Muted>unknown</Muted>}</span>,
    },
    {
      id: 'statements',
      header: 'Statements',
      meta: { width: '110px', numeric: true },
      cell: ({ row }) => exact(row.original.statements),
    },
    {
      id: 'actions',
      header: '',
      meta: { width: '136px' },
      cell: ({ row }) => <Actions row={row.original} onShow={() => set('document', row.original.name)} />,
    },
  ];
  return (
    <Page
      title="Statements"
      parent={{ path: '/vulnerabilities', label: 'Vulnerabilities' }}
      actions={
        <>
          <ImportVex />
          <VexButton />
        </>
      }
    >
      <VulnerabilityTabs />
      <Loaded query={documents} label="Loading statements">
        {(items) =>
          items.length > 0 ? (
            <Section title="OpenVEX documents in force" actions={<Muted>{count(items.length, 'document')}</Muted>} flush>
              <ListTable label="Statements" columns={columns} rows={items} rowId={({ name }) => name} />
            </Section>
          ) : (
            <EmptyState icon={<ShieldCheckmark24Regular />} title="No statement is in force">
              Say of a vulnerability that it does not affect your devices, and why: the finding then stays out of the lists, and
              the page of the device tells of your statement.
            </EmptyState>
          )
        }
      </Loaded>
      {get('document') && <Shown name={get('document')} />}
    </Page>
  );
}

function Shown({ name }: { name: string }) {
  const document = useVexDocument(name);
  return (
    <Loaded query={document} label="Loading the document">
      {(data) => {
        const text = JSON.stringify(data, null, 2);
        return (
          <Section title={name} actions={<CopyButton text={text} label="Copy the document" />}>
            <JsonText label={`Statements of ${name}`} text={text} />
          </Section>
        );
      }}
    </Loaded>
  );
}
