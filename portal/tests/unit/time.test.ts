import { describe, expect, test } from 'vitest';
import { duration, localTime, relativeTime, utcTime } from '@/format/time';

const now = Date.parse('2026-11-21T12:00:00Z');

test('a time is shown in the zone of the reader', () => {
  expect(localTime('2026-11-21T21:56:29.123456Z', 'en', 'Europe/Berlin')).toBe('Nov 21, 2026, 22:56:29');
});

test('midnight is 00, not 24', () => {
  expect(localTime('2026-11-21T00:05:00Z', 'en', 'UTC')).toBe('Nov 21, 2026, 00:05:00');
});

test('the UTC text keeps the fraction that the server sent', () => {
  expect(utcTime('2026-11-21T21:56:29.123456Z')).toBe('2026-11-21 21:56:29.123456 UTC');
  expect(utcTime('2026-11-21T21:56:29Z')).toBe('2026-11-21 21:56:29 UTC');
});

test('what is no time is shown as it came', () => {
  expect(localTime('soon')).toBe('soon');
  expect(utcTime('soon')).toBe('soon');
  expect(relativeTime('soon', now)).toBe('soon');
});

describe('how long ago', () => {
  test.each([
    ['2026-11-21T11:59:51Z', 'just now'],
    ['2026-11-21T11:59:50Z', '10 seconds ago'],
    ['2026-11-21T11:59:01Z', '59 seconds ago'],
    ['2026-11-21T11:59:00Z', '1 minute ago'],
    ['2026-11-21T11:00:01Z', '59 minutes ago'],
    ['2026-11-21T11:00:00Z', '1 hour ago'],
    ['2026-11-20T12:00:00Z', '1 day ago'],
    ['2026-11-21T12:05:00Z', 'in 5 minutes'],
  ])('%s is %s', (time, text) => expect(relativeTime(time, now, 'en')).toBe(text));
});

test('a duration takes the unit that fits', () => {
  expect([0, 999, 1_000, 59_940, 125_000].map(duration)).toEqual(['0 ms', '999 ms', '1.0 s', '59.9 s', '2 min 5 s']);
});
