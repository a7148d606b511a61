import { expect, test } from 'vitest';
import { bytesText, daysOf, keptText, retentionProblem } from '@/format/retention';

test('how long a table is kept is said in words', () => {
  expect(keptText({ days: 0, archiveDays: 0 })).toBe('for ever');
  expect(keptText({ days: 1, archiveDays: 0 })).toBe('1 day');
  expect(keptText({ days: 30, archiveDays: 335 })).toBe('30 days, then 335 in the archive');
});

test('days are whole numbers that the server takes', () => {
  expect(daysOf(' 30 ')).toBe(30);
  expect(daysOf('0')).toBe(0);
  expect(daysOf('36500')).toBe(36500);
  for (const text of ['', '-1', '1.5', '36501', '1e3', 'ten']) expect(daysOf(text)).toBeUndefined();
});

test('for ever and an archive exclude each other', () => {
  expect(retentionProblem(0, 30)).toContain('for ever');
  expect(retentionProblem(0, 0)).toBeUndefined();
  expect(retentionProblem(30, 335)).toBeUndefined();
});

test('bytes have one digit behind the point and never four before it', () => {
  expect(bytesText(0)).toBe('0 bytes');
  expect(bytesText(999)).toBe('999 bytes');
  expect(bytesText(1000)).toBe('1.0 kB');
  expect(bytesText(999_960)).toBe('1.0 MB');
  expect(bytesText(1_318_000_000)).toBe('1.3 GB');
});
