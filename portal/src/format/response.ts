/** What a device was commanded to do and how each command ended: pure text work on rows of the workspace. */
import type { QueryResult } from '@/api/types';
import { kqlString } from './kql';

export type Outcome = 'waiting' | 'done' | 'ended' | 'refused' | 'failed' | 'unanswered';

export interface ResponseEntry {
  /** Of the command; made up where the device spoke of none. */
  id: string;
  time: string;
  action: string;
  /** JSON, or empty. */
  arguments: string;
  /** Who ordered it; empty: the device did it by itself, or its root did. */
  actor: string;
  outcome: Outcome;
  message: string;
  /** When the device said how it ended. */
  answered?: string;
}

export interface Isolation {
  command: string;
  /** RFC 3339. */
  until: string;
}

const kRowsMax = 500;
const kIsolationDefaultS = 3600;

/** Orders and answers as the server recorded them, and events of the device. */
export function responseQuery(deviceId: string): string {
  const device = kqlString(deviceId);
  return `SecurityIoTRawEvent
| where DeviceId == ${device} and RawEventName == "Response"
| project TimeGenerated, Kind = "device", Actor = "", Details = EventDetails
| union (HubOperations
    | where DeviceId == ${device} and Kind startswith "response."
    | project TimeGenerated, Kind, Actor, Details = tostring(Details))
| sort by TimeGenerated desc
| take ${kRowsMax}`;
}

interface Row {
  time: string;
  kind: string;
  actor: string;
  details: Record<string, unknown>;
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

function readRows(result: QueryResult): Row[] {
  const at = (name: string) => result.columns.findIndex((column) => column.name === name);
  const [time, kind, actor, details] = [at('TimeGenerated'), at('Kind'), at('Actor'), at('Details')];
  return result.rows.flatMap((row) => {
    try {
      const value: unknown = JSON.parse(text(row[details]));
      if (typeof value !== 'object' || value === null) return [];
      return [{ time: text(row[time]), kind: text(row[kind]), actor: text(row[actor]), details: value as Row['details'] }];
    } catch {
      return [];
    }
  });
}

const kDeviceOutcome: Record<string, Outcome> = { Done: 'done', Refused: 'refused', Failed: 'failed', Ended: 'ended' };

function answerOutcome(details: Row['details']): Outcome {
  if (details.outcome === 'done') return 'done';
  if (details.outcome === 'unanswered') return 'unanswered';
  return details.status === 400 || details.status === 404 || Number(details.status) >= 500 ? 'failed' : 'refused';
}

/** Newest first. What the device says of a command counts more than what the server heard as its answer. */
export function responseEntries(result: QueryResult): ResponseEntry[] {
  const entries = new Map<string, ResponseEntry & { said: number }>();
  const rows = readRows(result).sort((a, b) => a.time.localeCompare(b.time));
  rows.forEach((row, index) => {
    const ofDevice = row.kind === 'device';
    const details = row.details;
    const command = text(ofDevice ? details.CommandId : details.command);
    const action = text(ofDevice ? details.Action : details.action);
    // A program that was kept from starting bears the id of the command that blocked it.
    const id = command && action !== 'exec' ? command : `row-${index}`;
    const entry = entries.get(id) ?? {
      id,
      time: row.time,
      action,
      arguments: '',
      actor: '',
      outcome: 'waiting' as Outcome,
      message: '',
      said: 0,
    };
    entries.set(id, entry);
    entry.action ||= action;
    entry.actor ||= row.actor;
    if (ofDevice) entry.arguments ||= text(details.Arguments);
    else if (details.arguments !== undefined) entry.arguments ||= JSON.stringify(details.arguments);
    const says = ofDevice ? 2 : row.kind === 'response.answer' ? 1 : 0;
    if (says === 0 || says < entry.said) return;
    entry.said = says;
    entry.outcome = ofDevice ? (kDeviceOutcome[text(details.Result)] ?? 'failed') : answerOutcome(details);
    entry.message = text(ofDevice ? details.Message : details.reason);
    entry.answered = row.time;
  });
  return [...entries.values()].map(({ said: _, ...entry }) => entry).sort((a, b) => b.time.localeCompare(a.time));
}

function seconds(json: string): number {
  try {
    const value: unknown = (JSON.parse(json) as { durationSeconds?: unknown }).durationSeconds;
    return typeof value === 'number' ? value : kIsolationDefaultS;
  } catch {
    return kIsolationDefaultS;
  }
}

/** The isolation that is in force at `now`, as far as the device has said. */
export function isolationOf(entries: readonly ResponseEntry[], now: number): Isolation | undefined {
  const last = entries.find(
    ({ action, outcome }) =>
      (action === 'isolate' && (outcome === 'done' || outcome === 'ended')) || (action === 'release' && outcome === 'done'),
  );
  if (last?.action !== 'isolate' || last.outcome !== 'done') return undefined;
  const until = Date.parse(last.answered ?? last.time) + seconds(last.arguments) * 1000;
  return until > now ? { command: last.id, until: new Date(until).toISOString() } : undefined;
}

/** One line of text for the arguments of a command. */
export function argumentText(json: string): string {
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value !== 'object' || value === null) return '';
    return Object.entries(value)
      .map(([name, each]) => `${name} ${typeof each === 'string' ? each : JSON.stringify(each)}`)
      .join(', ');
  } catch {
    return '';
  }
}

/** Addresses and networks, parted by commas or white space. */
export function readNetworks(line: string): string[] {
  return line.split(/[\s,]+/).filter((word) => word !== '');
}
