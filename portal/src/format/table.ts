/** Cells of a query result as text: for the grid, the clipboard and CSV. */
import type { Column, QueryResult } from '@/api/types';

/** What a cell shows and what is copied: JSON for dynamic values, nothing for null. */
export function cellText(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** Pretty text of a cell that is JSON (dynamic, or a string that holds an object or array); undefined for others. */
export function prettyJson(value: unknown): string | undefined {
  if (typeof value === 'object' && value !== null) return JSON.stringify(value, null, 2);
  if (typeof value !== 'string' || !/^\s*[[{]/.test(value)) return undefined;
  try {
    return JSON.stringify(JSON.parse(value), null, 2);
  } catch {
    return undefined;
  }
}

/**
 * One CSV field (RFC 4180). A text that a spreadsheet would run as a formula gets a leading apostrophe: what devices
 * report is not to be trusted with the analyst's machine. Numbers keep their sign.
 */
function csvField(value: unknown): string {
  const text = cellText(value);
  const safe = typeof value === 'string' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
}

/** RFC 4180 with CRLF and a header line. */
export function toCsv(result: Pick<QueryResult, 'columns' | 'rows'>): string {
  const lines = [result.columns.map((column) => csvField(column.name)), ...result.rows.map((row) => row.map(csvField))];
  return lines.map((fields) => fields.join(',')).join('\r\n') + '\r\n';
}

/** Tab-separated with a header line, as spreadsheets paste it; tabs and line ends inside a cell become spaces. */
export function toTsv(result: Pick<QueryResult, 'columns' | 'rows'>): string {
  const clean = (value: unknown) => cellText(value).replace(/[\t\r\n]+/g, ' ');
  return [result.columns.map((column) => column.name), ...result.rows.map((row) => row.map(clean))]
    .map((fields) => fields.join('\t'))
    .join('\n');
}

export function isNumeric(column: Column): boolean {
  return ['int', 'long', 'real', 'decimal'].includes(column.type);
}

/** Ticks of `[-][d.]hh:mm:ss[.fffffff]` as a sortable number; NaN when it is none. */
export function timespanTicks(text: string): number {
  const parts = /^(-)?(?:(\d+)\.)?(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,7}))?$/.exec(text);
  if (!parts) return Number.NaN;
  const [, sign, days = '0', hours, minutes, seconds, fraction = '0'] = parts;
  const whole = ((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds);
  return (sign ? -1 : 1) * (whole * 1e7 + Number(fraction.padEnd(7, '0')));
}

/** Order of two cells of a column; nulls last in ascending order. */
export function compareCells(type: Column['type'], a: unknown, b: unknown): number {
  if (a === null || a === undefined || b === null || b === undefined) {
    return Number(a === null || a === undefined) - Number(b === null || b === undefined);
  }
  if (type === 'int' || type === 'long' || type === 'real' || type === 'decimal') return Number(a) - Number(b);
  if (type === 'bool') return Number(a) - Number(b);
  if (type === 'timespan') return timespanTicks(String(a)) - timespanTicks(String(b));
  // RFC 3339 in UTC sorts as text only with equal fraction digits, so times are compared as text after padding.
  if (type === 'datetime') return compareText(padFraction(String(a)), padFraction(String(b)));
  return compareText(cellText(a), cellText(b));
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function padFraction(iso: string): string {
  const parts = /^([^.Z]+)(?:\.(\d+))?Z$/.exec(iso);
  return parts ? `${parts[1]}.${(parts[2] ?? '').padEnd(9, '0')}` : iso;
}
