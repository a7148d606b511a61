import { expect, test } from 'vitest';
import type { QueryResult } from '@/api/types';
import { argumentText, isolationOf, readNetworks, responseEntries, responseQuery } from '@/format/response';

type Row = [time: string, kind: string, actor: string, details: object | string];

function result(...rows: Row[]): QueryResult {
  const names = ['TimeGenerated', 'Kind', 'Actor', 'Details'];
  return {
    columns: names.map((name) => ({ name, type: name === 'TimeGenerated' ? 'datetime' : 'string' })),
    rows: rows.map(([time, kind, actor, details]) => [
      time,
      kind,
      actor,
      typeof details === 'string' ? details : JSON.stringify(details),
    ]),
    stats: { truncated: false },
  } as unknown as QueryResult;
}

const at = (second: number) => `2026-11-22T08:00:${String(second).padStart(2, '0')}.000000Z`;
const order = (second: number, command: string, action: string, args: object = {}): Row => [
  at(second),
  'response.order',
  'ada',
  { command, action, arguments: args },
];
const answer = (second: number, command: string, outcome: string, more: object = {}): Row => [
  at(second),
  'response.answer',
  'ada',
  { command, outcome, ...more },
];
const event = (second: number, CommandId: string, Action: string, Result: string, more: object = {}): Row => [
  at(second),
  'device',
  '',
  { CommandId, Action, Result, Message: `${Action} ${Result}`, Arguments: '{}', ...more },
];

test('an order, its answer and the event of the device are one entry, whatever their order', () => {
  const rows = [
    order(1, 'c1', 'kill', { pid: 7 }),
    answer(3, 'c1', 'done', { status: 200, reason: 'killed' }),
    event(2, 'c1', 'kill', 'Done'),
  ];
  for (const shuffled of [rows, rows.toReversed()]) {
    expect(responseEntries(result(...shuffled))).toEqual([
      {
        id: 'c1',
        time: at(1),
        action: 'kill',
        arguments: '{"pid":7}',
        actor: 'ada',
        outcome: 'done',
        message: 'kill Done',
        answered: at(2),
      },
    ]);
  }
});

test('an order that nobody answered yet was only sent', () => {
  expect(responseEntries(result(order(1, 'c1', 'scan')))[0]).toMatchObject({ outcome: 'waiting', message: '' });
});

test('who refused, failed or was not there is told apart', () => {
  const outcome = (...rows: Row[]) => responseEntries(result(order(1, 'c1', 'isolate'), ...rows))[0]?.outcome;
  expect(outcome(answer(2, 'c1', 'unanswered', { code: 404103, reason: 'not connected' }))).toBe('unanswered');
  expect(outcome(answer(2, 'c1', 'refused', { status: 403 }))).toBe('refused');
  expect(outcome(answer(2, 'c1', 'refused', { status: 404 }))).toBe('failed');
  expect(outcome(answer(2, 'c1', 'refused', { status: 500 }))).toBe('failed');
  expect(outcome(event(2, 'c1', 'isolate', 'Refused'))).toBe('refused');
});

test('a program that was kept from starting is an entry of its own, newest first', () => {
  const entries = responseEntries(
    result(order(1, 'c1', 'block'), event(2, 'c1', 'block', 'Done'), event(5, 'c1', 'exec', 'Refused')),
  );
  expect(entries.map(({ action, outcome }) => [action, outcome])).toEqual([
    ['exec', 'refused'],
    ['block', 'done'],
  ]);
});

test('what cannot be read is left out', () => {
  expect(responseEntries(result([at(1), 'device', '', 'no JSON'], [at(2), 'device', '', '3']))).toEqual([]);
});

test('an isolation holds until it is released, has ended, or its time is over', () => {
  const isolated = [order(1, 'c1', 'isolate', { durationSeconds: 60 }), event(2, 'c1', 'isolate', 'Done')];
  const now = (second: number) => Date.parse(at(second));
  const of = (when: number, ...rows: Row[]) => isolationOf(responseEntries(result(...isolated, ...rows)), when);
  expect(of(now(3))).toEqual({ command: 'c1', until: '2026-11-22T08:01:02.000Z' });
  expect(of(now(2) + 60_000)).toBeUndefined();
  expect(of(now(9), event(5, 'c2', 'release', 'Done'))).toBeUndefined();
  expect(of(now(9), event(5, '', 'release', 'Done'))).toBeUndefined();
  expect(of(now(9), event(5, 'c1', 'isolate', 'Ended'))).toBeUndefined();
  expect(of(now(9), event(5, 'c2', 'release', 'Refused'))?.command).toBe('c1');
  expect(of(now(9), order(5, 'c2', 'isolate', {}), event(6, 'c2', 'isolate', 'Done'))?.until).toBe('2026-11-22T09:00:06.000Z');
});

test('arguments are one line, networks are words', () => {
  expect(argumentText('{"durationSeconds":60,"allow":["10.0.0.0/8"]}')).toBe('durationSeconds 60, allow ["10.0.0.0/8"]');
  expect(argumentText('broken')).toBe('');
  expect(readNetworks(' 10.0.0.0/8, ::1\n192.0.2.7')).toEqual(['10.0.0.0/8', '::1', '192.0.2.7']);
  expect(readNetworks(' ')).toEqual([]);
});

test('the query names the device as a literal', () => {
  expect(responseQuery('a"b').match(/DeviceId == "a\\"b"/g)).toHaveLength(2);
});
