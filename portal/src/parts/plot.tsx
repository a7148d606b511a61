/** Charts of query results by ECharts, as SVG. Loaded through result-chart.tsx only. */
import { BarChart, LineChart, PieChart, ScatterChart } from 'echarts/charts';
import { GridComponent, LegendComponent, TooltipComponent } from 'echarts/components';
import { use } from 'echarts/core';
import { useMemo } from 'react';
import { useTheme } from '@/app/theme';
import { chartLabel, type ChartData } from '@/format/chart-data';
import { exact } from '@/format/number';
import { localTime } from '@/format/time';
import { toneOf } from '@/format/workbook/cells';
import { EChart, escapeHtml, numberAxis, surfaceOf, tooltipStyle, type Options, type Surface } from './echart';

use([BarChart, LineChart, PieChart, ScatterChart, GridComponent, LegendComponent, TooltipComponent]);

/** Distinct also for those who see red and green alike; the same order in both themes. */
const kSeries = {
  light: ['#0e818e', '#c4501b', '#5c6bc0', '#8a6d00', '#ad3f7c', '#3c7d3c', '#6b6f73', '#2f78c4', '#8c4fb0', '#a14a3c'],
  dark: ['#48a1ac', '#e58a5c', '#8f9bea', '#cfae3a', '#dd7db2', '#76b776', '#a3a8ac', '#6fb1f2', '#be8ee0', '#d98b7e'],
};
const kTones = {
  light: {
    red: '#b10e1c',
    orange: '#c4501b',
    yellow: '#a88500',
    green: '#107c10',
    blue: '#0e6fae',
    purple: '#7a3f9d',
    grey: '#6b6f73',
  },
  dark: {
    red: '#e37d80',
    orange: '#e58a5c',
    yellow: '#dcc057',
    green: '#76b776',
    blue: '#6fb1f2',
    purple: '#be8ee0',
    grey: '#a3a8ac',
  },
};

type Tone = (name: string, index: number) => string;

interface Point {
  seriesName: string;
  name: string;
  value: unknown;
  percent?: number;
}

/** A narrow one has its legend below. */
const kPieShapes = [
  {
    option: {
      legend: { orient: 'vertical', right: 4, left: 'auto', top: 'middle', bottom: 'auto' },
      series: [{ radius: ['45%', '78%'], center: ['34%', '50%'] }],
    },
  },
  {
    query: { maxWidth: 380 },
    option: {
      legend: { orient: 'horizontal', right: 4, left: 4, top: 'auto', bottom: 0 },
      series: [{ radius: ['40%', '70%'], center: ['50%', '42%'] }],
    },
  },
];

function pieOptions(data: ChartData, tone: Tone, surface: Surface): Options {
  const baseOption = {
    animation: false,
    tooltip: {
      trigger: 'item',
      confine: true,
      ...tooltipStyle(surface),
      formatter: ({ name, value, percent }: Point) => `${escapeHtml(name)}<br><b>${exact(Number(value))}</b> (${percent ?? 0} %)`,
    },
    legend: { type: 'scroll', textStyle: { color: surface.text, width: 130, overflow: 'truncate' } },
    series: [
      {
        type: 'pie',
        label: { show: false },
        itemStyle: { borderColor: surface.tip, borderWidth: 1 },
        data: data.series[0]!.points.map(([name, value], index) => ({
          name: String(name),
          value: value ?? 0,
          itemStyle: { color: tone(String(name), index) },
        })),
      },
    ],
  };
  return { baseOption, media: kPieShapes } as Options;
}

function axisOptions(data: ChartData, tone: Tone, surface: Surface): Options {
  const horizontal = data.kind === 'bar' && data.axis === 'category';
  const names = [...new Set(data.series.flatMap(({ points }) => points.map(([name]) => String(name))))];
  const keys = {
    type: data.axis === 'number' ? 'value' : data.axis,
    ...(data.axis === 'category' ? { data: names } : {}),
    inverse: horizontal,
    axisLine: { lineStyle: { color: surface.line } },
    splitLine: { show: false },
    axisLabel: {
      color: surface.text,
      fontSize: 11,
      hideOverlap: true,
      ...(horizontal ? { width: 140, overflow: 'truncate' } : {}),
    },
  };
  const numbers = numberAxis(surface);
  const bars = data.kind === 'bar' || data.kind === 'column' || data.kind === 'stacked';
  const legend = data.series.length > 1;
  return {
    animation: false,
    grid: { left: 6, right: 14, top: 12, bottom: legend ? 30 : 4, containLabel: true },
    legend: legend
      ? {
          type: 'scroll',
          bottom: 0,
          textStyle: { color: surface.text },
          pageTextStyle: { color: surface.text },
          itemWidth: 14,
          itemHeight: 8,
        }
      : undefined,
    xAxis: horizontal ? numbers : keys,
    yAxis: horizontal ? keys : numbers,
    tooltip: {
      trigger: data.kind === 'scatter' ? 'item' : 'axis',
      confine: true,
      ...tooltipStyle(surface),
      formatter: (given: Point | Point[]) => {
        const points = Array.isArray(given) ? given : [given];
        const key = (points[0]?.value as unknown[] | undefined)?.[horizontal ? 1 : 0];
        const head = data.axis === 'time' ? localTime(String(key)) : String(key ?? '');
        const lines = points.slice(0, 12).map(({ seriesName, value }) => {
          const shown = (value as unknown[])[horizontal ? 0 : 1];
          return `${escapeHtml(seriesName)}: <b>${typeof shown === 'number' ? exact(shown) : ''}</b>`;
        });
        return [escapeHtml(head), ...lines].join('<br>');
      },
    },
    series: data.series.map(({ name, points }, index) => ({
      name,
      type: data.kind === 'scatter' ? 'scatter' : bars ? 'bar' : 'line',
      stack: data.kind === 'stacked' || data.kind === 'area' || (bars && data.axis === 'time') ? 'all' : undefined,
      areaStyle: data.kind === 'area' ? { opacity: 0.35 } : undefined,
      showSymbol: points.length < 3,
      symbolSize: data.kind === 'scatter' ? 7 : 5,
      barMaxWidth: 22,
      lineStyle: { width: 1.8 },
      itemStyle: { color: tone(name, index) },
      data: points.map(([key, value]) =>
        horizontal ? [value, String(key)] : [data.axis === 'number' ? key : String(key), value],
      ),
    })),
  } as unknown as Options;
}

interface PlotProps {
  data: ChartData;
  title: string;
  /** Names of series and the colours that a workbook gives them. */
  colors: Readonly<Record<string, string>>;
}

export default function Plot({ data, title, colors }: PlotProps) {
  const { dark } = useTheme();
  const options = useMemo(() => {
    const mode = dark ? 'dark' : 'light';
    const tone: Tone = (name, index) => {
      const wanted = colors[name];
      return wanted ? kTones[mode][toneOf(wanted)] : kSeries[mode][index % kSeries[mode].length]!;
    };
    return (data.kind === 'pie' ? pieOptions : axisOptions)(data, tone, surfaceOf(dark));
  }, [data, colors, dark]);
  return <EChart options={options} label={chartLabel(data, title)} />;
}
