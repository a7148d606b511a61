/** A query result as a chart; ECharts is loaded when the first one is shown. */
import { makeStyles } from '@fluentui/react-components';
import { lazy, Suspense, useMemo } from 'react';
import type { QueryResult } from '@/api/types';
import { chartData, type ChartKind } from '@/format/chart-data';
import { Muted } from './page';
import { EmptyState } from './states';

const Plot = lazy(() => import('./plot'));

const useStyles = makeStyles({ box: { display: 'flex', flexDirection: 'column', minWidth: 0 }, note: { padding: '0 12px 6px' } });

interface ResultChartProps {
  result: Pick<QueryResult, 'columns' | 'rows'>;
  kind: ChartKind;
  title: string;
  height: number;
  /** Colours of series by their names, as a workbook names them. */
  colors?: Readonly<Record<string, string>>;
}

export function ResultChart({ result, kind, title, height, colors }: ResultChartProps) {
  const styles = useStyles();
  const data = useMemo(() => chartData(result, kind), [result, kind]);
  if (!data) return <EmptyState title="Nothing to draw">The result has no column of numbers. See it as a table.</EmptyState>;
  return (
    <div className={styles.box}>
      <div style={{ height }}>
        <Suspense fallback={null}>
          <Plot data={data} title={title} colors={colors ?? {}} />
        </Suspense>
      </div>
      {data.left > 0 && (
        <div className={styles.note}>
          <Muted>
            {data.kind === 'pie'
              ? `${data.left} smaller ones are among the others.`
              : `${data.left} smaller series are not drawn.`}
          </Muted>
        </div>
      )}
    </div>
  );
}
