/** Rows with coordinates as points of a map. */
import type { QueryResult } from '@/api/types';
import { cellText, isNumeric } from '@/format/table';
import { text } from './model';

export interface MapPoint {
  latitude: number;
  longitude: number;
  /** Of the largest value, 0 to 1. */
  share: number;
  label: string;
  value?: number;
}

const kPointsMax = 2_000;

/** undefined: no columns of latitude and longitude. Rows without coordinates are left out. */
export function pointsOfMap(
  { columns, rows }: Pick<QueryResult, 'columns' | 'rows'>,
  settings: Record<string, unknown>,
): { points: MapPoint[] } | undefined {
  const at = (name: string, pattern: RegExp) => {
    const named = name ? columns.findIndex((column) => column.name === name) : -1;
    return named >= 0 ? named : columns.findIndex((column) => pattern.test(column.name));
  };
  const latitude = at(text(settings.latitude), /^lat(itude)?_?$/i);
  const longitude = at(text(settings.longitude), /^(lon|long|lng|longitude)_?$/i);
  if (latitude < 0 || longitude < 0) return undefined;
  const taken = [latitude, longitude];
  const size = at(text(settings.sizeSettings), /^$/);
  const value = size >= 0 ? size : columns.findIndex((column, index) => isNumeric(column) && !taken.includes(index));
  const named = at(text(settings.labelSettings), /^$/);
  const label = named >= 0 ? named : columns.findIndex((column, index) => !isNumeric(column) && !taken.includes(index));
  const numbers = rows.map((row) => (value >= 0 ? Number(row[value]) || 0 : 0));
  const most = Math.max(1, ...numbers);
  const points = rows.slice(0, kPointsMax).flatMap((row, index): MapPoint[] => {
    const [y, x] = [Number(row[latitude]), Number(row[longitude])];
    if (row[latitude] === null || row[longitude] === null || Number.isNaN(y) || Number.isNaN(x)) return [];
    if (Math.abs(y) > 90 || Math.abs(x) > 180) return [];
    return [
      {
        latitude: y,
        longitude: x,
        share: numbers[index]! / most,
        label: label >= 0 ? cellText(row[label]) : `${y}, ${x}`,
        ...(value >= 0 ? { value: numbers[index]! } : {}),
      },
    ];
  });
  return { points };
}
