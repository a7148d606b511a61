/** A bar chart drawn by ECharts as SVG. Loaded through chart.tsx only. */
import { BarChart } from 'echarts/charts';
import { GridComponent, TooltipComponent } from 'echarts/components';
import { use } from 'echarts/core';
import { useMemo } from 'react';
import { useTheme } from '@/app/theme';
import { exact } from '@/format/number';
import { EChart, escapeHtml, numberAxis, surfaceOf, tooltipStyle, type Options } from './echart';

use([BarChart, GridComponent, TooltipComponent]);

export interface BarsProps {
  /** What the chart says, for those who cannot see it. */
  label: string;
  values: readonly { name: string; value: number; tooltip?: string }[];
  height: number;
  /** Bars to the right, one a name, instead of columns along a time axis. */
  horizontal?: boolean;
}

const kBar = { light: '#0e818e', dark: '#48a1ac' };

function options({ values, horizontal = false }: BarsProps, dark: boolean): Options {
  const colors = surfaceOf(dark);
  const names = {
    type: 'category',
    data: values.map(({ name }) => name),
    inverse: horizontal,
    axisTick: { show: false },
    axisLine: { lineStyle: { color: colors.line } },
    axisLabel: {
      color: colors.text,
      fontSize: 11,
      hideOverlap: true,
      ...(horizontal ? { width: 130, overflow: 'truncate' } : {}),
    },
  };
  const numbers = { ...numberAxis(colors), minInterval: 1 };
  return {
    animation: false,
    grid: { left: 4, right: 12, top: 10, bottom: 2, containLabel: true },
    xAxis: horizontal ? numbers : names,
    yAxis: horizontal ? names : numbers,
    tooltip: {
      trigger: 'axis',
      axisPointer: { type: 'shadow' },
      ...tooltipStyle(colors),
      formatter: (points: { dataIndex: number }[]) => {
        const value = values[points[0]?.dataIndex ?? 0];
        return value ? `${escapeHtml(value.tooltip ?? value.name)}<br><b>${exact(value.value)}</b>` : '';
      },
    },
    series: [
      {
        type: 'bar',
        data: values.map(({ value }) => value),
        itemStyle: { color: dark ? kBar.dark : kBar.light, borderRadius: horizontal ? [0, 2, 2, 0] : [2, 2, 0, 0] },
        barMaxWidth: 18,
        barCategoryGap: '25%',
      },
    ],
  } as Options;
}

export default function Bars(props: BarsProps) {
  const { dark } = useTheme();
  const drawn = useMemo(() => options(props, dark), [props, dark]);
  return <EChart options={drawn} label={props.label} />;
}
