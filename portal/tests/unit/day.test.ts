import { expect, test } from 'vitest';
import { dayAfter, dayBefore, endOfDay } from '@/format/day';

test('a day is covered to its end', () => {
  expect(endOfDay('2026-11-22')).toBe('2026-11-23T00:00:00.000Z');
  expect(endOfDay('2028-02-29')).toBe('2028-03-01T00:00:00.000Z');
});

test('what is no day has no end', () => {
  expect(endOfDay('')).toBeUndefined();
  expect(endOfDay('tomorrow')).toBeUndefined();
});

test('a field shows the day whose end was kept', () => {
  for (const day of ['2026-12-31', '2028-02-29', '1999-01-01']) expect(dayBefore(endOfDay(day))).toBe(day);
  expect(dayBefore('2027-01-01T12:00:00Z')).toBe('2027-01-01');
  expect(dayBefore(undefined)).toBe('');
});

test('days from now count in UTC', () => {
  expect(dayAfter(30, Date.parse('2026-11-22T23:59:59Z'))).toBe('2026-12-22');
});
