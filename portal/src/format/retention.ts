/** How long a table is kept, and how much it takes, for people. */
import { count } from './number';

export const kDaysMax = 36_500;

/** `30 days`, `30 days, then 335 in the archive`, `for ever`. */
export function keptText({ days, archiveDays }: { days: number; archiveDays: number }): string {
  if (days === 0) return 'for ever';
  return count(days, 'day') + (archiveDays > 0 ? `, then ${archiveDays} in the archive` : '');
}

/** Whole days from 0 to the most that a table is kept; undefined for what is none. */
export function daysOf(text: string): number | undefined {
  if (!/^\d{1,5}$/.test(text.trim())) return undefined;
  const days = Number(text);
  return days <= kDaysMax ? days : undefined;
}

/** Why these two cannot be. */
export function retentionProblem(days: number | undefined, archiveDays: number | undefined): string | undefined {
  if (days === 0 && archiveDays) return 'What is kept for ever never goes to the archive.';
  return undefined;
}

const kUnits = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** Powers of thousand, as disks are sold: `812 bytes`, `1.3 GB`. */
export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.95 && unit + 1 < kUnits.length) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? String(value) : value.toFixed(1)} ${kUnits[unit]!}`;
}
