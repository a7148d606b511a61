/** The results of a query: one or several, as rows or as the chart that it asked for, and as files. */
import {
  Button,
  makeStyles,
  Menu,
  MenuItem,
  MenuList,
  MenuPopover,
  MenuTrigger,
  MessageBar,
  MessageBarBody,
  Tab,
  TabList,
  tokens,
} from '@fluentui/react-components';
import { ArrowDownload16Regular } from '@fluentui/react-icons';
import { useState } from 'react';
import { postForFile } from '@/api/client';
import type { QueryResult } from '@/api/types';
import { useNotifications } from '@/app/notifications';
import { chartKind } from '@/format/chart-data';
import { count } from '@/format/number';
import { saveFile } from '@/format/save-file';
import { toCsv, toTsv } from '@/format/table';
import { duration } from '@/format/time';
import { CopyButton } from '@/parts/copy-button';
import { Muted } from '@/parts/page';
import { ResultChart } from '@/parts/result-chart';
import { ResultGrid } from '@/parts/result-grid';
import { EmptyState } from '@/parts/states';
import type { Asked } from './use-query-run';

const useStyles = makeStyles({
  head: {
    display: 'flex',
    alignItems: 'center',
    flexWrap: 'wrap',
    gap: '8px',
    padding: '4px 12px',
    minHeight: '32px',
    borderBottom: `1px solid ${tokens.colorNeutralStroke2}`,
  },
  spring: { flexGrow: 1 },
  grid: { flexGrow: 1, minHeight: 0 },
  chart: { padding: '12px', overflow: 'auto' },
});

const kChartPx = 360;

export function ResultView({ results, asked }: { results: readonly QueryResult[]; asked: Asked }) {
  const styles = useStyles();
  const [at, setAt] = useState(0);
  const [view, setView] = useState<'rows' | 'chart' | undefined>();
  const result = results[Math.min(at, results.length - 1)]!;
  const chart = chartKind(result.render?.visualization);
  const shown = view ?? (chart ? 'chart' : 'rows');
  const { rows, elapsed_ms, truncated } = result.stats;
  return (
    <>
      <div className={styles.head}>
        <span role="status">
          {count(rows, 'row')} in {duration(elapsed_ms)}
        </span>
        {results.length > 1 && (
          <TabList size="small" selectedValue={at} onTabSelect={(_, data) => setAt(Number(data.value))} aria-label="Results">
            {results.map((_, index) => (
              <Tab key={index} value={index}>
                Result {index + 1}
              </Tab>
            ))}
          </TabList>
        )}
        {chart && (
          <TabList
            size="small"
            selectedValue={shown}
            onTabSelect={(_, data) => setView(data.value === 'chart' ? 'chart' : 'rows')}
            aria-label="View"
          >
            <Tab value="chart">Chart</Tab>
            <Tab value="rows">Rows</Tab>
          </TabList>
        )}
        <span className={styles.spring} />
        {rows > 0 && shown === 'rows' && <Muted>Enter on a row shows all of it</Muted>}
        <CopyButton text={() => toTsv(result)} label="Copy all rows" />
        <ExportMenu result={result} asked={asked} single={results.length === 1} />
      </div>
      {truncated && (
        <MessageBar intent="warning">
          <MessageBarBody>
            This is a part of the result. {result.stats.partial ?? `Only the first ${count(rows, 'row')} are shown.`} Narrow the
            query with where or summarize, shorten the time range, or export it as a file.
          </MessageBarBody>
        </MessageBar>
      )}
      {rows === 0 ? (
        <EmptyState title="No rows">The query is right but nothing matches. A longer time range may help.</EmptyState>
      ) : shown === 'chart' && chart ? (
        <div className={styles.chart}>
          <ResultChart result={result} kind={chart} title={result.render?.title ?? 'Query result'} height={kChartPx} />
        </div>
      ) : (
        <div className={styles.grid}>
          <ResultGrid key={at} result={result} label="Query result" />
        </div>
      )}
    </>
  );
}

function fileName(ending: string): string {
  return `picket-${new Date().toISOString().replace(/[:.]/g, '-')}.${ending}`;
}

/** What is shown as CSV at once; all rows, up to the server's limit, as CSV or Parquet by the server. */
function ExportMenu({ result, asked, single }: { result: QueryResult; asked: Asked; single: boolean }) {
  const { failed } = useNotifications();
  const [pending, setPending] = useState(false);
  const all = async (format: 'csv' | 'parquet') => {
    setPending(true);
    try {
      const { query, timespan } = asked;
      const blob = await postForFile('/query/export', { query, format, ...(timespan ? { timespan } : {}) });
      saveFile(fileName(format), blob, blob.type);
    } catch (error) {
      failed('The file was not made', error as Error);
    } finally {
      setPending(false);
    }
  };
  return (
    <Menu>
      <MenuTrigger disableButtonEnhancement>
        <Button
          size="small"
          appearance="subtle"
          icon={<ArrowDownload16Regular />}
          disabled={result.columns.length === 0 || pending}
        >
          Export
        </Button>
      </MenuTrigger>
      <MenuPopover>
        <MenuList>
          <MenuItem onClick={() => saveFile(fileName('csv'), `\uFEFF${toCsv(result)}`, 'text/csv')}>Rows shown, as CSV</MenuItem>
          {single && <MenuItem onClick={() => void all('csv')}>All rows, as CSV</MenuItem>}
          {single && <MenuItem onClick={() => void all('parquet')}>All rows, as Parquet</MenuItem>}
        </MenuList>
      </MenuPopover>
    </Menu>
  );
}
