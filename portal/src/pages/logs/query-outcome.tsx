/** What came of a query: its results, how far it is, or what is wrong and where. */
import { Button, makeStyles, ProgressBar, Spinner, tokens } from '@fluentui/react-components';
import { ErrorCircle20Regular } from '@fluentui/react-icons';
import { useRunningQueries } from '@/api/saved';
import { count } from '@/format/number';
import { Muted } from '@/parts/page';
import { EmptyState } from '@/parts/states';
import { excerpt, placeOf } from './query-block';
import { ResultView } from './result-view';
import type { QueryError, RunState } from './use-query-run';

const useStyles = makeStyles({
  progress: { minWidth: '260px', display: 'flex', flexDirection: 'column', gap: '10px' },
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
      return <Progress id={state.id} />;
    case 'failed':
      return <ErrorText error={state.error} text={text} onGoTo={onGoTo} />;
    case 'done':
      return <ResultView results={state.results} asked={state.asked} />;
  }
}

/** How far the query is; one that is quick is over before anybody asks. */
function Progress({ id }: { id: string }) {
  const styles = useStyles();
  const { data } = useRunningQueries();
  const mine = data?.find(({ clientRequestId }) => clientRequestId === id);
  return (
    <EmptyState title="">
      <div className={styles.progress}>
        <Spinner label={mine?.state === 'waiting' ? 'The query waits for its turn' : 'The query runs'} />
        {mine?.percent !== undefined && (
          <>
            <ProgressBar aria-label="Progress" value={mine.percent / 100} />
            <Muted>
              {Math.round(mine.percent)} %, {count(mine.rowsRead ?? 0, 'row')} read
            </Muted>
          </>
        )}
      </div>
    </EmptyState>
  );
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
