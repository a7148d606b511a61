/** A bar chart drawn by ECharts as SVG. Loaded through chart.tsx only. */
import { makeStyles } from '@fluentui/react-components';
import { BarChart } from 'echarts/charts';
import { GridComponent, TooltipComponent } from 'echarts/components';
import { init, use, type EChartsType } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { useEffect, useRef } from 'react';
import { useTheme } from '@/app/theme';
import { exact, short } from '@/format/number';

use([BarChart, GridComponent, TooltipComponent, SVGRenderer]);

export interface BarsProps {
  /** What the chart says, for those who cannot see it. */
  label: string;
  values: readonly { name: string; value: number; tooltip?: string }[];
  height: number;
  /** Bars to the right, one a name, instead of columns along a time axis. */
  horizontal?: boolean;
}

const kColors = {
  light: { bar: '#0e818e', text: '#424242', line: '#e6e9ea', tip: '#ffffff' },
  dark: { bar: '#48a1ac', text: '#d6d6d6', line: '#33393c', tip: '#292d30' },
};

const useStyles = makeStyles({ box: { width: '100%', height: '100%' } });

/** Device-made names reach the tooltip's HTML: they are text there. */
function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
}

function options({ values, horizontal = false }: BarsProps, dark: boolean): Parameters<EChartsType['setOption']>[0] {
  const colors = dark ? kColors.dark : kColors.light;
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
  const numbers = {
    type: 'value',
    minInterval: 1,
    splitNumber: 3,
    splitLine: { lineStyle: { color: colors.line } },
    axisLabel: { color: colors.text, fontSize: 11, formatter: (value: number) => short(value) },
  };
  return {
    animation: false,
    grid: { left: 4, right: 12, top: 10, bottom: 2, containLabel: true },
    xAxis: horizontal ? numbers : names,
    yAxis: horizontal ? names : numbers,
    tooltip: {
      trigger: 'axis',
      axisPointer: { type: 'shadow' },
      backgroundColor: colors.tip,
      borderColor: colors.line,
      textStyle: { color: colors.text, fontSize: 12 },
      formatter: (points: { dataIndex: number }[]) => {
        const value = values[points[0]?.dataIndex ?? 0];
        return value ? `${escapeHtml(value.tooltip ?? value.name)}<br><b>${exact(value.value)}</b>` : '';
      },
    },
    series: [
      {
        type: 'bar',
        data: values.map(({ value }) => value),
        itemStyle: { color: colors.bar, borderRadius: horizontal ? [0, 2, 2, 0] : [2, 2, 0, 0] },
        barMaxWidth: 18,
        barCategoryGap: '25%',
      },
    ],
  } as Parameters<EChartsType['setOption']>[0];
}

export default function Bars(props: BarsProps) {
  const styles = useStyles();
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<EChartsType>(undefined);
  const { dark } = useTheme();

  useEffect(() => {
    if (!box.current) return;
    const made = init(box.current, null, { renderer: 'svg' });
    chart.current = made;
    const observer = new ResizeObserver(() => made.resize());
    observer.observe(box.current);
    return () => {
      observer.disconnect();
      made.dispose();
    };
  }, []);

  useEffect(() => {
    chart.current?.setOption(options(props, dark), { notMerge: true });
  }, [props, dark]);

  return <div ref={box} className={styles.box} role="img" aria-label={props.label} />;
}
