/** Raw events as people read them. Pure. */
import type { RawEvents } from '@/api/types';
import { cellText } from './table';

export interface RawEvent {
  id: string;
  time?: string;
  name?: string;
  /** Absent once retention has removed the row. */
  details?: Record<string, unknown>;
}

const kPreviewKeys = [
  'CommandLine',
  'Executable',
  'UserName',
  'RemoteAddress',
  'RemotePort',
  'LocalPort',
  'Result',
  'Operation',
  'Message',
];

/** What an analyst wants to see of an event without opening it: the best-known keys, else the first ones. */
export function preview(details: Record<string, unknown>): string {
  const known = kPreviewKeys.filter((key) => details[key] !== undefined && details[key] !== '');
  const names = known.length > 0 ? known : Object.keys(details).slice(0, 3);
  return names.map((name) => `${name}: ${cellText(details[name])}`).join(' · ');
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Rows of the workspace as events; rows of the hub's own table have other columns, so all of the row is their detail. */
export function eventsOf({ items, missing }: RawEvents): RawEvent[] {
  const rows = items.map((row): RawEvent => {
    const details = row.EventDetails ?? row.Details;
    return {
      id: cellText(row.IoTRawEventId ?? row.Id ?? ''),
      time: cellText(row.TimeGenerated) || undefined,
      name: cellText(row.RawEventName ?? row.OperationName ?? row.Kind) || row.table,
      details: isObject(details) ? details : row,
    };
  });
  return [...rows, ...missing.map((id) => ({ id }))];
}
