/** What a query result looks like as a chart: which column is the axis, which are values, which part the series. */
import type { Column, QueryResult } from '@/api/types';
import { cellText, isNumeric } from './table';

export type ChartKind = 'line' | 'area' | 'column' | 'stacked' | 'bar' | 'pie' | 'scatter';

export interface Series {
  name: string;
  /** As long as the axis' values for categories; pairs for times. */
  points: readonly (readonly [string | number, number | null])[];
}
export interface ChartData {
  kind: ChartKind;
  /** time: first of each pair is an ISO time; category: a name; number: a number. */
  axis: 'time' | 'category' | 'number';
  series: readonly Series[];
  axisName: string;
  /** More series or slices than are drawn. */
  left: number;
}

const kKinds: Record<string, ChartKind> = {
  timechart: 'line',
  linechart: 'line',
  areachart: 'area',
  stackedareachart: 'area',
  columnchart: 'column',
  unstackedbar: 'stacked',
  categoricalbar: 'column',
  barchart: 'bar',
  piechart: 'pie',
  scatterchart: 'scatter',
};
const kSeriesMax = 20;
const kSlicesMax = 12;
const kPointsMax = 20_000;

export function chartKind(visualization: string | undefined): ChartKind | undefined {
  return visualization === undefined ? undefined : kKinds[visualization.toLowerCase()];
}

const parseArray = (cell: unknown): unknown[] | undefined => {
  if (Array.isArray(cell)) return cell;
  if (typeof cell !== 'string' || !cell.startsWith('[')) return undefined;
  try {
    const parsed: unknown = JSON.parse(cell);
    return Array.isArray(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
};

/** Rows of make-series: arrays become rows. */
function unrolled(result: Pick<QueryResult, 'columns' | 'rows'>): Pick<QueryResult, 'columns' | 'rows'> {
  const first = result.rows[0];
  const arrays = result.columns.flatMap((column, index) =>
    column.type === 'dynamic' && first && parseArray(first[index]) ? [index] : [],
  );
  if (arrays.length === 0) return result;
  const columns = result.columns.map((column, index): Column => {
    if (!arrays.includes(index)) return column;
    const sample = parseArray(first![index])![0];
    return { name: column.name, type: typeof sample === 'string' && !Number.isNaN(Date.parse(sample)) ? 'datetime' : 'real' };
  });
  const rows = result.rows.flatMap((row) => {
    const parts = row.map((cell, index) => (arrays.includes(index) ? (parseArray(cell) ?? []) : undefined));
    const length = Math.max(...parts.map((part) => part?.length ?? 0));
    return Array.from({ length }, (_, at) => row.map((cell, index) => (parts[index] ? (parts[index][at] ?? null) : cell)));
  });
  return { columns, rows };
}

const asNumber = (cell: unknown): number | null => {
  if (typeof cell === 'number') return cell;
  const value = typeof cell === 'string' && cell !== '' ? Number(cell) : Number.NaN;
  return Number.isNaN(value) ? null : value;
};

/** undefined: the rows have nothing to draw, such as no column of numbers. */
export function chartData(given: Pick<QueryResult, 'columns' | 'rows'>, kind: ChartKind): ChartData | undefined {
  const result = unrolled(given);
  const numeric = result.columns.flatMap((column, index) => (isNumeric(column) ? [index] : []));
  const time = kind === 'pie' ? -1 : result.columns.findIndex(({ type }) => type === 'datetime');
  const scatterNumber = kind === 'scatter' && time < 0 && numeric.length > 1 ? numeric[0]! : -1;
  const names = result.columns.flatMap((column, index) => (isNumeric(column) || column.type === 'datetime' ? [] : [index]));
  const x = time >= 0 ? time : scatterNumber >= 0 ? scatterNumber : (names[0] ?? -1);
  const values = numeric.filter((index) => index !== x);
  if (values.length === 0 || result.rows.length === 0) return undefined;
  const axis = time >= 0 ? 'time' : scatterNumber >= 0 ? 'number' : 'category';
  const parting = names.filter((index) => index !== x);
  if (kind === 'pie') return pie(result, x, values[0]!);

  const byName = new Map<string, (readonly [string | number, number | null])[]>();
  for (const row of result.rows.slice(0, kPointsMax)) {
    const key = x < 0 ? '' : axis === 'number' ? (asNumber(row[x]) ?? 0) : cellText(row[x]);
    const part = parting.map((index) => cellText(row[index])).join(' · ');
    for (const index of values) {
      const column = result.columns[index]!.name;
      const name = part ? (values.length > 1 ? `${part} · ${column}` : part) : column;
      const points = byName.get(name) ?? [];
      points.push([key, asNumber(row[index])]);
      byName.set(name, points);
    }
  }
  const all = [...byName].map(([name, points]) => ({ name, points: axis === 'category' ? points : sortPoints(points) }));
  const total = (series: Series) => series.points.reduce((sum, [, value]) => sum + (value ?? 0), 0);
  const series = all.length > kSeriesMax ? [...all].sort((a, b) => total(b) - total(a)).slice(0, kSeriesMax) : all;
  return { kind, axis, series, axisName: x < 0 ? '' : result.columns[x]!.name, left: all.length - series.length };
}

function sortPoints(points: (readonly [string | number, number | null])[]) {
  return points.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

function pie(result: Pick<QueryResult, 'columns' | 'rows'>, name: number, value: number): ChartData {
  const slices = new Map<string, number>();
  for (const row of result.rows) {
    const key = name < 0 ? result.columns[value]!.name : cellText(row[name]) || '(empty)';
    slices.set(key, (slices.get(key) ?? 0) + Math.max(asNumber(row[value]) ?? 0, 0));
  }
  const sorted = [...slices].sort(([, a], [, b]) => b - a);
  const shown: [string, number][] = sorted.slice(0, kSlicesMax);
  const rest = sorted.slice(kSlicesMax).reduce((sum, [, one]) => sum + one, 0);
  if (rest > 0) shown.push(['Others', rest]);
  const left = Math.max(sorted.length - kSlicesMax, 0);
  return { kind: 'pie', axis: 'category', axisName: '', series: [{ name: result.columns[value]!.name, points: shown }], left };
}

/** What the chart says, for those who cannot see it. */
export function chartLabel(data: ChartData, title: string): string {
  const points = data.series.reduce((sum, series) => sum + series.points.length, 0);
  const names = data.series.slice(0, 5).map(({ name }) => name);
  return `${title || 'Chart'}: ${data.kind} chart of ${names.join(', ')}${data.series.length > 5 ? ' and others' : ''}, ${points} points`;
}
