/** Stored tables: what each holds, how long it is kept; and files that are lost. */
import { Button, makeStyles, MessageBar, MessageBarBody, MessageBarTitle, tokens } from '@fluentui/react-components';
import type { ColumnDef } from '@tanstack/react-table';
import { useMemo, useState } from 'react';
import { Link } from 'react-router-dom';
import { useTables, type StoredTable } from '@/api/tables';
import { useMay } from '@/app/session';
import { logsPath } from '@/format/kql';
import { exact, short } from '@/format/number';
import { bytesText, keptText } from '@/format/retention';
import { LogsTabs } from '@/parts/logs-tabs';
import { ListTable } from '@/parts/list-table';
import { Loaded } from '@/parts/loaded';
import { Page, Section } from '@/parts/page';
import { TimeText } from '@/parts/time-text';
import { RetentionDialog } from './retention-dialog';

const useStyles = makeStyles({
  file: { fontFamily: tokens.fontFamilyMonospace, overflowWrap: 'anywhere' },
  damaged: { display: 'flex', flexDirection: 'column', gap: '8px' },
});

function columnsOf(onChange: ((table: StoredTable) => void) | undefined): ColumnDef<StoredTable>[] {
  const columns: ColumnDef<StoredTable>[] = [
    {
      id: 'name',
      header: 'Table',
      cell: ({ row: { original } }) => (
        <Link to={logsPath(`${original.name}\n| take 100`)} title={`Rows of ${original.name}`}>
          {original.name}
        </Link>
      ),
    },
    {
      id: 'rows',
      header: 'Rows',
      meta: { width: '100px', numeric: true },
      cell: ({ row: { original } }) => (
        <span title={`${exact(original.rows)}, ${exact(original.archivedRows)} of them in the archive`}>
          {short(original.rows)}
        </span>
      ),
    },
    {
      id: 'bytes',
      header: 'On disk',
      meta: { width: '110px', numeric: true },
      cell: ({ row: { original } }) => (
        <span title={`${bytesText(original.archivedBytes)} of it in the archive`}>{bytesText(original.bytes)}</span>
      ),
    },
    {
      id: 'oldest',
      header: 'Oldest',
      meta: { width: '140px' },
      cell: ({ row }) => <TimeText relative value={row.original.oldest} />,
    },
    {
      id: 'newest',
      header: 'Newest',
      meta: { width: '140px', wideOnly: true },
      cell: ({ row }) => <TimeText relative value={row.original.newest} />,
    },
    {
      id: 'kept',
      header: 'Kept',
      meta: { width: '24%' },
      cell: ({ row: { original } }) => {
        const text = keptText(original.retention);
        const by = original.retention.fromSettings ? "the server's settings" : (original.retention.changedBy ?? 'an Admin');
        return <span title={`${text}; by ${by}`}>{text}</span>;
      },
    },
  ];
  if (!onChange) return columns;
  return [
    ...columns,
    {
      id: 'change',
      header: '',
      meta: { width: '104px' },
      cell: ({ row: { original } }) => (
        <Button size="small" aria-label={`Change how long ${original.name} is kept`} onClick={() => onChange(original)}>
          Change
        </Button>
      ),
    },
  ];
}

export default function TablesPage() {
  const styles = useStyles();
  const tables = useTables();
  const mayChange = useMay('Admin');
  const [changing, setChanging] = useState<StoredTable>();
  const columns = useMemo(() => columnsOf(mayChange ? setChanging : undefined), [mayChange]);
  return (
    <Page title="Tables">
      <LogsTabs />
      <Loaded query={tables} label="Loading tables">
        {({ items, damaged }) => (
          <>
            {damaged.length > 0 && (
              <div className={styles.damaged} role="alert">
                {damaged.map((file) => (
                  <MessageBar key={file.file} intent="error" layout="multiline">
                    <MessageBarBody>
                      <MessageBarTitle className={styles.file}>{file.file}</MessageBarTitle> {file.text}
                    </MessageBarBody>
                  </MessageBar>
                ))}
              </div>
            )}
            <Section title={`${bytesText(items.reduce((sum, { bytes }) => sum + bytes, 0))} on disk`} flush>
              <ListTable label="Tables" columns={columns} rows={items} rowId={({ name }) => name} />
            </Section>
          </>
        )}
      </Loaded>
      {changing && <RetentionDialog table={changing} onClose={() => setChanging(undefined)} />}
    </Page>
  );
}
