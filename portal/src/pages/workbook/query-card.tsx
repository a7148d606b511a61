/** A query of a workbook: asked when its parameters have values, drawn as the workbook says. */
import { Button, Card, makeStyles, MessageBar, MessageBarBody, Spinner, tokens, Tooltip } from '@fluentui/react-components';
import { ArrowDownload16Regular, DocumentSearch16Regular } from '@fluentui/react-icons';
import { useMemo } from 'react';
import { useNavigate } from 'react-router-dom';
import { useWorkbookRun } from '@/api/workbooks';
import { chartKind } from '@/format/chart-data';
import { exact } from '@/format/number';
import { saveFile } from '@/format/save-file';
import { toCsv } from '@/format/table';
import { isTime, neededBy, substitute, unsetOf, valuesFor, type Chosen } from '@/format/workbook/choices';
import type { QueryItem } from '@/format/workbook/model';
import { ResultChart } from '@/parts/result-chart';
import { useWorkbookState } from './context';
import { PointMap } from './point-map';
import { Tiles } from './tiles';
import { WorkbookGrid } from './workbook-grid';

const useStyles = makeStyles({
  card: { padding: 0, gap: 0, minWidth: 0, height: '100%' },
  head: { display: 'flex', alignItems: 'center', gap: '4px', padding: '8px 8px 4px 14px', minHeight: '30px' },
  title: {
    margin: 0,
    flexGrow: 1,
    minWidth: 0,
    fontSize: tokens.fontSizeBase300,
    fontWeight: tokens.fontWeightSemibold,
    overflowWrap: 'anywhere',
  },
  body: { flexGrow: 1, minWidth: 0, padding: '0 10px 10px' },
  flush: { padding: 0 },
  quiet: { padding: '14px', color: tokens.colorNeutralForeground3, overflowWrap: 'anywhere' },
  text: { padding: '4px 6px', whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' },
});

const kHeights: Record<number, number> = { 0: 300, 1: 200, 2: 420, 3: 560, 4: 150 };

type Result = NonNullable<ReturnType<typeof useWorkbookRun>['data']>;

export function QueryCard({ item }: { item: QueryItem }) {
  const styles = useStyles();
  const { name, parameters, known, choices, spoken } = useWorkbookState();
  const needed = useMemo(() => neededBy(item.query, item.timeParameter, parameters, known), [item, parameters, known]);
  const unset = unsetOf(needed, parameters, choices);
  const enabled = item.answered && unset === undefined;
  const { data, error, isFetching, refetch } = useWorkbookRun(name, item.path, valuesFor(needed, choices), enabled);
  if (!item.answered) return null;
  const title = substitute(item.title, spoken);
  const waits = parameters.some((parameter) => parameter.name === unset && parameter.query !== '');
  return (
    <Card className={styles.card} role="region" aria-label={title || item.name} aria-busy={isFetching}>
      <div className={styles.head}>
        <h3 className={styles.title}>{title}</h3>
        {isFetching && <Spinner size="extra-tiny" aria-label="The query runs" />}
        {data && enabled && <Actions item={item} data={data} title={title} time={choices[item.timeParameter]} />}
      </div>
      {unset !== undefined ? (
        <div className={styles.quiet}>
          {waits ? 'Waits for the parameters above.' : `Choose a row or a value for ${unset} to see this.`}
        </div>
      ) : error && !data ? (
        <div className={styles.quiet} role="alert">
          {error.message}{' '}
          <Button size="small" onClick={() => void refetch()}>
            Try again
          </Button>
        </div>
      ) : data ? (
        <Drawn item={item} data={data} title={title} />
      ) : (
        <div className={styles.quiet}>…</div>
      )}
    </Card>
  );
}

function Actions({ item, data, title, time }: { item: QueryItem; data: Result; title: string; time: Chosen | undefined }) {
  const navigate = useNavigate();
  const span = !isTime(time)
    ? ''
    : 'durationMs' in time
      ? `PT${Math.round(time.durationMs / 1000)}S`
      : `${time.startTime}/${time.endTime}`;
  return (
    <>
      {data.query && (
        <Tooltip content="Open in Logs" relationship="label">
          <Button
            size="small"
            appearance="subtle"
            icon={<DocumentSearch16Regular />}
            onClick={() =>
              navigate(`/logs?${new URLSearchParams({ q: data.query!, ...(span ? { timespan: span } : {}) }).toString()}`)
            }
          />
        </Tooltip>
      )}
      {item.exportable && (
        <Tooltip content="Export CSV" relationship="label">
          <Button
            size="small"
            appearance="subtle"
            icon={<ArrowDownload16Regular />}
            onClick={() => saveFile(`${title || 'query'}.csv`, `\uFEFF${toCsv(data)}`, 'text/csv')}
          />
        </Tooltip>
      )}
    </>
  );
}

function Drawn({ item, data, title }: { item: QueryItem; data: Result; title: string }) {
  const styles = useStyles();
  const shape = item.shape || data.render?.visualization || 'table';
  const chart = chartKind(shape);
  const height = kHeights[item.size] ?? 300;
  return (
    <>
      {data.stats.truncated && (
        <MessageBar intent="warning">
          <MessageBarBody>Only the first {exact(data.stats.rows)} rows are shown.</MessageBarBody>
        </MessageBar>
      )}
      {data.rows.length === 0 ? (
        <div className={styles.quiet}>{item.noData || 'No rows in this time.'}</div>
      ) : chart ? (
        <div className={styles.body}>
          <ResultChart result={data} kind={chart} title={title} height={height} colors={item.colors} />
        </div>
      ) : shape === 'tiles' || shape === 'card' || shape === 'stat' ? (
        <div className={styles.body}>
          <Tiles item={item} data={data} />
        </div>
      ) : shape === 'map' ? (
        <div className={styles.body}>
          <PointMap item={item} data={data} height={height} title={title} />
        </div>
      ) : shape === 'textvis' ? (
        <div className={styles.text}>{String(data.rows[0]?.[0] ?? '')}</div>
      ) : (
        <WorkbookGrid item={item} data={data} label={title || item.name} />
      )}
    </>
  );
}
