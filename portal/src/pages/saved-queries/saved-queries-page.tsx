/** Queries and functions that are kept on the server. */
import { Button, makeStyles, SearchBox, Tooltip } from '@fluentui/react-components';
import { Delete20Regular } from '@fluentui/react-icons';
import type { ColumnDef } from '@tanstack/react-table';
import { useState } from 'react';
import { Link } from 'react-router-dom';
import { useRemoveSaved, useSaved, type SavedKind, type SavedQuery } from '@/api/saved';
import { useMay } from '@/app/session';
import { useFilters } from '@/app/use-filters';
import { logsPath } from '@/format/kql';
import { LogsTabs } from '@/parts/logs-tabs';
import { ConfirmDialog } from '@/parts/confirm-dialog';
import { CopyButton } from '@/parts/copy-button';
import { ListTable } from '@/parts/list-table';
import { Loaded } from '@/parts/loaded';
import { Page, Section } from '@/parts/page';
import { EmptyState } from '@/parts/states';
import { TimeText } from '@/parts/time-text';

const useStyles = makeStyles({ search: { width: '280px', maxWidth: '100%' }, actions: { display: 'flex' } });

type Removing = { kind: SavedKind; name: string };

export default function SavedQueriesPage() {
  const styles = useStyles();
  const { get, set } = useFilters(['q']);
  const [removing, setRemoving] = useState<Removing>();
  return (
    <Page title="Saved queries and functions">
      <LogsTabs />
      <SearchBox
        className={styles.search}
        aria-label="Search saved queries"
        placeholder="Name, category or text"
        value={get('q')}
        onChange={(_, data) => set('q', data.value)}
      />
      <SavedSection kind="query" title="Queries" wanted={get('q')} onRemove={setRemoving} />
      <SavedSection kind="function" title="Functions" wanted={get('q')} onRemove={setRemoving} />
      {removing && <RemoveSaved {...removing} onClose={() => setRemoving(undefined)} />}
    </Page>
  );
}

/** What a link to it runs: a function is called, with the parameters left for people to fill in. */
function queryOf(kind: SavedKind, saved: SavedQuery): string {
  if (kind === 'query') return saved.text;
  return /^\s*\(\s*\)/.test(saved.text) ? saved.name : `// ${saved.text.split('{')[0]!.trim()}\n${saved.name}()`;
}

function SavedSection({
  kind,
  title,
  wanted,
  onRemove,
}: {
  kind: SavedKind;
  title: string;
  wanted: string;
  onRemove(one: Removing): void;
}) {
  const styles = useStyles();
  const may = useMay('Contributor');
  const saved = useSaved(kind);
  const columns: ColumnDef<SavedQuery>[] = [
    {
      id: 'name',
      header: 'Name',
      meta: { width: '240px' },
      cell: ({ row }) => (
        <Link to={logsPath(queryOf(kind, row.original))} title={row.original.text}>
          {row.original.name}
        </Link>
      ),
    },
    { id: 'category', header: 'Category', meta: { width: '140px', wideOnly: true }, cell: ({ row }) => row.original.category },
    {
      id: 'description',
      header: 'Description',
      cell: ({ row }) => row.original.description || row.original.text.replace(/\s+/g, ' ').slice(0, 160),
    },
    { id: 'user', header: 'Changed by', meta: { width: '120px', wideOnly: true }, cell: ({ row }) => row.original.user },
    { id: 'changed', header: 'Changed', meta: { width: '150px' }, cell: ({ row }) => <TimeText value={row.original.changed} /> },
    {
      id: 'actions',
      header: '',
      meta: { width: '96px' },
      cell: ({ row }) => (
        <span className={styles.actions}>
          <CopyButton
            text={() => window.location.origin + logsPath(queryOf(kind, row.original))}
            label={`Copy a link to ${row.original.name}`}
          />
          {may && (
            <Tooltip content={`Remove ${row.original.name}`} relationship="label">
              <Button
                size="small"
                appearance="subtle"
                icon={<Delete20Regular />}
                onClick={() => onRemove({ kind, name: row.original.name })}
              />
            </Tooltip>
          )}
        </span>
      ),
    },
  ];
  return (
    <Section title={title} flush>
      <Loaded query={saved} label="Loading">
        {(items) => {
          const text = wanted.toLowerCase();
          const shown = items.filter((one) =>
            `${one.name} ${one.category} ${one.description} ${one.text}`.toLowerCase().includes(text),
          );
          if (shown.length > 0) return <ListTable label={title} columns={columns} rows={shown} rowId={({ name }) => name} />;
          return (
            <EmptyState title={text ? 'Nothing matches' : `No ${title.toLowerCase()} yet`}>
              {kind === 'query'
                ? 'Write a query in Logs and save it there.'
                : 'Save a query as a function in Logs; every query can then call it.'}
            </EmptyState>
          );
        }}
      </Loaded>
    </Section>
  );
}

function RemoveSaved({ kind, name, onClose }: Removing & { onClose(): void }) {
  const remove = useRemoveSaved();
  return (
    <ConfirmDialog
      title={`Remove ${name}?`}
      confirmLabel="Remove"
      pending={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate({ kind, name }, { onSuccess: onClose })}
      onClose={onClose}
    >
      {kind === 'query'
        ? 'The query goes away for everybody.'
        : 'Queries, rules and workbooks that call this function fail from then on.'}
    </ConfirmDialog>
  );
}
