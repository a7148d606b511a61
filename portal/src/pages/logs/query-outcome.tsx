/** What came of a query: the grid, or what is wrong and where. */
import { Button, makeStyles, MessageBar, MessageBarBody, Spinner, tokens } from '@fluentui/react-components';
import { ArrowDownload16Regular, ErrorCircle20Regular } from '@fluentui/react-icons';
import type { QueryResult } from '@/api/types';
import { count, exact } from '@/format/number';
import { toCsv, toTsv } from '@/format/table';
import { duration } from '@/format/time';
import { CopyButton } from '@/parts/copy-button';
import { Muted } from '@/parts/page';
import { ResultGrid } from '@/parts/result-grid';
import { EmptyState } from '@/parts/states';
import { excerpt, placeOf } from './query-block';
import type { QueryError, RunState } from './use-query-run';

const useStyles = makeStyles({
  head: {
    display: 'flex',
    alignItems: 'center',
    gap: '8px',
    padding: '6px 12px',
    minHeight: '32px',
    borderBottom: `1px solid ${tokens.colorNeutralStroke2}`,
  },
  spring: { flexGrow: 1 },
  grid: { flexGrow: 1, minHeight: 0 },
  error: { padding: '16px', display: 'flex', flexDirection: 'column', alignItems: 'flex-start', gap: '10px', minWidth: 0 },
  message: { display: 'flex', gap: '8px', alignItems: 'flex-start' },
  icon: { color: tokens.colorPaletteRedForeground1, display: 'inline-flex' },
  code: {
    margin: 0,
    maxWidth: '100%',
    boxSizing: 'border-box',
    padding: '8px 12px',
    overflowX: 'auto',
    background: tokens.colorNeutralBackground3,
    borderRadius: tokens.borderRadiusMedium,
    fontFamily: tokens.fontFamilyMonospace,
    fontSize: tokens.fontSizeBase300,
  },
  mark: {
    background: 'transparent',
    color: 'inherit',
    textDecoration: `underline wavy ${tokens.colorPaletteRedForeground1}`,
    textUnderlineOffset: '4px',
  },
});

export function QueryOutcome({ state, text, onGoTo }: { state: RunState; text: string; onGoTo(offset: number): void }) {
  switch (state.kind) {
    case 'idle':
      return (
        <EmptyState title="Ask something">
          Write a query above and press Shift+Enter, or take one of the samples. Queries only read; they never change anything.
        </EmptyState>
      );
    case 'running':
      return (
        <EmptyState title="">
          <Spinner label="The query runs" />
        </EmptyState>
      );
    case 'failed':
      return <ErrorText error={state.error} text={text} onGoTo={onGoTo} />;
    case 'done':
      return <Result result={state.result} />;
  }
}

function ErrorText({ error, text, onGoTo }: { error: QueryError; text: string; onGoTo(offset: number): void }) {
  const styles = useStyles();
  const { span } = error;
  const place = span && placeOf(text, span.start);
  const { before, inside, after } = excerpt(text, span?.start ?? 0, span?.length ?? 0);
  return (
    <div className={styles.error} role="alert">
      <div className={styles.message}>
        <span className={styles.icon}>
          <ErrorCircle20Regular />
        </span>
        <span>{error.message}</span>
      </div>
      {span && place && (
        <>
          <pre className={styles.code}>
            {before}
            <mark className={styles.mark}>{inside || ' '}</mark>
            {after}
          </pre>
          <Button size="small" onClick={() => onGoTo(span.start)}>
            Go to line {place.line}, column {place.column}
          </Button>
        </>
      )}
      <Muted>{error.code}</Muted>
    </div>
  );
}

function download(result: QueryResult): void {
  const url = URL.createObjectURL(new Blob(['\uFEFF', toCsv(result)], { type: 'text/csv' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = `picket-${new Date().toISOString().replace(/[:.]/g, '-')}.csv`;
  link.click();
  URL.revokeObjectURL(url);
}

function Result({ result }: { result: QueryResult }) {
  const styles = useStyles();
  const { rows, elapsed_ms, truncated } = result.stats;
  return (
    <>
      <div className={styles.head}>
        <span role="status">
          {count(rows, 'row')} in {duration(elapsed_ms)}
        </span>
        <span className={styles.spring} />
        {rows > 0 && <Muted>Enter on a row shows all of it</Muted>}
        <CopyButton text={() => toTsv(result)} label="Copy all rows" />
        <Button
          size="small"
          appearance="subtle"
          icon={<ArrowDownload16Regular />}
          disabled={result.columns.length === 0}
          onClick={() => download(result)}
        >
          Export CSV
        </Button>
      </div>
      {truncated && (
        <MessageBar intent="warning">
          <MessageBarBody>
            Only the first {exact(rows)} rows are shown. Narrow the query with where or summarize, or shorten the time range.
          </MessageBarBody>
        </MessageBar>
      )}
      {rows === 0 ? (
        <EmptyState title="No rows">The query is right but nothing matches. A longer time range may help.</EmptyState>
      ) : (
        <div className={styles.grid}>
          <ResultGrid result={result} label="Query result" />
        </div>
      )}
    </>
  );
}
