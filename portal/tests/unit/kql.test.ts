import { expect, test } from 'vitest';
import { aroundQuery, deviceEventsQuery, evidenceQuery, kqlString, logsPath } from '@/format/kql';

test('a string literal cannot be left from inside', () => {
  expect(kqlString('a" or "1"=="1')).toBe('"a\\" or \\"1\\"==\\"1"');
  expect(kqlString('back\\')).toBe('"back\\\\"');
  expect(kqlString('two\nlines\ttab\r')).toBe('"two\\nlines\\ttab\\r"');
});

test('the events of a device are asked for by its exact id', () => {
  expect(deviceEventsQuery('press "17"', 5)).toContain('| where DeviceId == "press \\"17\\""');
});

test('evidence ids are asked for once each, fifty at most', () => {
  expect(evidenceQuery(['a', 'b', 'a'])).toBe(
    'SecurityIoTRawEvent\n| where IoTRawEventId == "a"\n    or IoTRawEventId == "b"\n| sort by TimeGenerated asc',
  );
  expect(evidenceQuery(Array.from({ length: 80 }, (_, index) => `id${index}`)).match(/IoTRawEventId/g)).toHaveLength(50);
});

test('the time around an alert reaches before its start and past its end', () => {
  const query = aroundQuery('d', '2026-11-21T12:00:00Z', '2026-11-21T12:01:00Z', 10);
  expect(query).toContain('TimeGenerated >= datetime(2026-11-21T11:50:00.000Z)');
  expect(query).toContain('TimeGenerated <= datetime(2026-11-21T12:11:00.000Z)');
});

test('a link to Logs carries the query whatever it contains', () => {
  const url = new URL(logsPath('T | where a == "x&y=#"', 'PT1H'), 'http://host');
  expect(url.searchParams.get('q')).toBe('T | where a == "x&y=#"');
  expect(url.searchParams.get('timespan')).toBe('PT1H');
});
