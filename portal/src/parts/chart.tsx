/** The boundary behind which ECharts is loaded: nothing of it is in the first chunk. */
import { lazy, Suspense } from 'react';
import type { BarsProps } from './bars';

const Bars = lazy(() => import('./bars'));

export function BarChart(props: BarsProps) {
  return (
    <div style={{ height: props.height }}>
      <Suspense fallback={null}>
        <Bars {...props} />
      </Suspense>
    </div>
  );
}
