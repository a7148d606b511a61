/** How a formatter of a workbook shows a cell: pure, drawn by pages/workbook/cell.tsx. */
import type { Column, QueryResult } from '@/api/types';
import { cellText, isNumeric } from '@/format/table';
import { duration, localTime } from '@/format/time';
import { safeHref } from './markdown';
import { list, number, text, type Formatter, type QueryItem } from './model';

/** Colours by the names that the format uses, as tones of our own that read on light and dark. */
export type Tone = 'red' | 'orange' | 'yellow' | 'green' | 'blue' | 'purple' | 'grey';

const kTones: readonly (readonly [RegExp, Tone])[] = [
  [/red|critical|sev0|sev1|failed|error|^4$/i, 'red'],
  [/orange|sev2|warning|^2$/i, 'orange'],
  [/yellow|sev3|gold/i, 'yellow'],
  [/green|success|up|available/i, 'green'],
  [/purple|magenta|pink|violet/i, 'purple'],
  [/blue|info|turquoise|sev4|cyan|teal/i, 'blue'],
];

export function toneOf(name: string): Tone {
  return kTones.find(([pattern]) => pattern.test(name))?.[1] ?? 'grey';
}

export interface Threshold {
  tone: Tone;
  /** Of an icon that stands before the text; empty: none. */
  icon: string;
  text: string;
}

function fits(operator: string, cell: unknown, value: string): boolean {
  const shown = cellText(cell);
  const numeric = shown !== '' && value !== '' && !Number.isNaN(Number(shown)) && !Number.isNaN(Number(value));
  const [a, b] = numeric ? [Number(shown), Number(value)] : [shown, value];
  switch (operator) {
    case '==':
      return a === b;
    case '!=':
      return a !== b;
    case '>':
      return a > b;
    case '>=':
      return a >= b;
    case '<':
      return a < b;
    case '<=':
      return a <= b;
    case 'contains':
      return shown.includes(value);
    case 'startsWith':
      return shown.startsWith(value);
    case 'endsWith':
      return shown.endsWith(value);
    case 'is Empty':
      return shown === '';
    case 'Default':
      return true;
    default:
      return false;
  }
}

export function thresholdOf(formatter: Formatter, cell: unknown, shown: string): Threshold | undefined {
  const icons = formatter.options.thresholdsOptions === 'icons';
  const found = list(formatter.options.thresholdsGrid).find((one) => fits(text(one.operator), cell, text(one.thresholdValue)));
  if (!found) return undefined;
  const representation = text(found.representation);
  const form = text(found.text) || '{0}{1}';
  return {
    tone: toneOf(representation),
    icon: icons && representation.toLowerCase() !== 'blank' ? representation : '',
    text: form.replace('{0}', shown).replace('{1}', '').trim(),
  };
}

const kUnits: Record<number, (value: number) => string> = {
  1: (value) => `${value.toLocaleString('en', { maximumFractionDigits: 2 })} %`,
  2: (value) => scaled(value, 1024, ['B', 'KB', 'MB', 'GB', 'TB', 'PB']),
  3: (value) => scaled(value * 1024, 1024, ['B', 'KB', 'MB', 'GB', 'TB', 'PB']),
  4: (value) => scaled(value * 1024 ** 2, 1024, ['B', 'KB', 'MB', 'GB', 'TB', 'PB']),
  5: (value) => scaled(value * 1024 ** 3, 1024, ['B', 'KB', 'MB', 'GB', 'TB', 'PB']),
  23: (value) => duration(value),
  24: (value) => duration(value * 1000),
  25: (value) => duration(value * 60_000),
};

function scaled(value: number, step: number, names: readonly string[]): string {
  const power = Math.min(Math.floor(Math.log(Math.max(Math.abs(value), 1)) / Math.log(step)), names.length - 1);
  return `${(value / step ** power).toLocaleString('en', { maximumFractionDigits: 1 })} ${names[power]}`;
}

/** A cell as text: numbers by their format, times local. */
export function shownText(column: Column | undefined, cell: unknown, formatter?: Formatter): string {
  if (column?.type === 'datetime' && typeof cell === 'string') return localTime(cell);
  if (typeof cell !== 'number') {
    return formatter?.kind === 6 && typeof cell === 'string' && !Number.isNaN(Date.parse(cell))
      ? localTime(cell)
      : cellText(cell);
  }
  const unit = formatter?.unit === undefined ? undefined : kUnits[formatter.unit];
  if (unit) return unit(cell);
  const digits = number(formatter?.number.maximumFractionDigits);
  const compact = formatter?.kind === 12 && Math.abs(cell) >= 100_000;
  return cell.toLocaleString('en', {
    maximumFractionDigits: digits === undefined ? 3 : Math.min(Math.max(digits, 0), 10),
    ...(compact ? { notation: 'compact' } : {}),
  });
}

/** The formatter of a column: the one that names it, or matches as a pattern, as the format allows. */
export function formatterOf(formatters: readonly Formatter[], name: string): Formatter | undefined {
  return (
    formatters.find(({ column }) => column === name) ??
    formatters.find(({ column }) => {
      if (!/[*.^$|[(]/.test(column) || column.length > 200) return false;
      try {
        return new RegExp(`^(?:${column})$`).test(name);
      } catch {
        return false;
      }
    })
  );
}

/** Where the cells of a column lie between their smallest (0) and largest (1); undefined: not a number. */
export function shareOf(
  result: Pick<QueryResult, 'rows'>,
  index: number,
  formatter: Formatter,
): (cell: unknown) => number | undefined {
  const numbers = result.rows.map((row) => row[index]).filter((cell) => typeof cell === 'number');
  const low = number(formatter.options.min) ?? Math.min(0, ...numbers);
  const high = number(formatter.options.max) ?? Math.max(...numbers);
  return (cell) =>
    typeof cell !== 'number' ? undefined : high > low ? Math.min(Math.max((cell - low) / (high - low), 0), 1) : cell > 0 ? 1 : 0;
}

/** Which end of a palette is the bad one: the colour at 0 and at 1. */
export function paletteOf(name: string): readonly [Tone, Tone] {
  const pairs: Record<string, readonly [Tone, Tone]> = {
    greenRed: ['green', 'red'],
    redGreen: ['red', 'green'],
    hotCold: ['red', 'blue'],
    coldHot: ['blue', 'red'],
    whiteBlack: ['grey', 'grey'],
  };
  const tone = toneOf(name || 'blue');
  return pairs[name] ?? [tone, tone];
}

/** The numbers of a sparkline. */
export function pointsOf(cell: unknown): number[] {
  const parsed: unknown = typeof cell === 'string' ? tryJson(cell) : cell;
  return Array.isArray(parsed) ? parsed.slice(0, 1_000).map((value) => (typeof value === 'number' ? value : 0)) : [];
}

function tryJson(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}

/** The column that heads a tile; of a title that names none, none: such tiles are headed by nothing. */
export function titleColumn(tiles: QueryItem['tiles'], columns: readonly Column[], left: number): number {
  const { title, subtitle, right, secondary } = tiles;
  const named = columns.findIndex(({ name }) => name === title?.column);
  if (named >= 0 || title?.column === '') return named;
  const used = new Set([subtitle, right, secondary].map((formatter) => formatter?.column));
  return columns.findIndex((column, index) => index !== left && !isNumeric(column) && !used.has(column.name));
}

/** Where a link cell leads: the address in it, or the formatter's own with {0} and {Column} of the row put in. */
export function linkOf(
  formatter: Formatter,
  columns: readonly Column[],
  row: readonly unknown[],
  index: number,
): string | undefined {
  const target = formatter.options.linkTarget;
  // Of what opens a part of the original's portal, paths of this one lead where they say: /incidents/7.
  if (target === 'OpenBlade') return /^\/(?!\/)/.test(cellText(row[index])) ? safeHref(cellText(row[index])) : undefined;
  if (target !== 'Url') return undefined;
  const template = text(formatter.options.url);
  const own = text(formatter.options.linkColumn);
  const cell = row[own ? columns.findIndex(({ name }) => name === own) : index];
  if (!template) return safeHref(cellText(cell));
  const filled = template.replace(/\{(0|[A-Za-z_]\w*)\}/g, (whole, name: string) => {
    const at = name === '0' ? index : columns.findIndex((column) => column.name === name);
    return at < 0 ? whole : encodeURIComponent(cellText(row[at]));
  });
  return safeHref(filled);
}
