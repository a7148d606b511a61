/** Queries under way: one's own, for an Admin everybody's; each can be ended. */
import { Button, makeStyles, ProgressBar, tokens } from '@fluentui/react-components';
import type { ColumnDef } from '@tanstack/react-table';
import { useCancelQuery, useRunningQueries, type RunningQuery } from '@/api/saved';
import { useNotifications } from '@/app/notifications';
import { short } from '@/format/number';
import { LogsTabs } from '@/parts/logs-tabs';
import { ListTable } from '@/parts/list-table';
import { Loaded } from '@/parts/loaded';
import { Muted, Page, Section } from '@/parts/page';
import { EmptyState } from '@/parts/states';
import { TimeText } from '@/parts/time-text';

const useStyles = makeStyles({
  query: {
    fontFamily: tokens.fontFamilyMonospace,
    fontSize: tokens.fontSizeBase200,
    overflow: 'hidden',
    textOverflow: 'ellipsis',
  },
  progress: { display: 'flex', alignItems: 'center', gap: '8px' },
});

export default function RunningQueriesPage() {
  const styles = useStyles();
  const running = useRunningQueries();
  const cancel = useCancelQuery();
  const { failed } = useNotifications();
  const columns: ColumnDef<RunningQuery>[] = [
    {
      id: 'query',
      header: 'Query',
      cell: ({ row }) => (
        <div className={styles.query} title={row.original.query}>
          {row.original.query.replace(/\s+/g, ' ')}
        </div>
      ),
    },
    { id: 'user', header: 'User', meta: { width: '120px' }, cell: ({ row }) => row.original.user },
    {
      id: 'from',
      header: 'From',
      meta: { width: '180px', wideOnly: true },
      cell: ({ row }) => row.original.application || row.original.api,
    },
    { id: 'started', header: 'Started', meta: { width: '140px' }, cell: ({ row }) => <TimeText value={row.original.started} /> },
    {
      id: 'progress',
      header: 'Progress',
      meta: { width: '190px' },
      cell: ({ row: { original } }) =>
        original.percent === undefined ? (
          <Muted>{original.state}</Muted>
        ) : (
          <span className={styles.progress}>
            <ProgressBar aria-label="Progress" value={original.percent / 100} />
            {Math.round(original.percent)} % <Muted>{short(original.rowsRead ?? 0)} rows</Muted>
          </span>
        ),
    },
    {
      id: 'cancel',
      header: '',
      meta: { width: '100px' },
      cell: ({ row }) => (
        <Button
          size="small"
          disabled={cancel.isPending && cancel.variables === row.original.id}
          onClick={() => cancel.mutate(row.original.id, { onError: (error) => failed('The query was not ended', error) })}
        >
          Cancel
        </Button>
      ),
    },
  ];
  return (
    <Page title="Running queries">
      <LogsTabs />
      <Section title="Under way now" flush>
        <Loaded query={running} label="Loading queries">
          {(items) =>
            items.length > 0 ? (
              <ListTable label="Running queries" columns={columns} rows={items} rowId={({ id }) => id} />
            ) : (
              <EmptyState title="No query runs">
                Queries of Logs, workbooks, the command line and other clients are seen here.
              </EmptyState>
            )
          }
        </Loaded>
      </Section>
    </Page>
  );
}
