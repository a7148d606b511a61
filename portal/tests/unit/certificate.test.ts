import { expect, test } from 'vitest';
import { certificateState } from '@/format/certificate';

const kNow = Date.parse('2026-11-22T00:00:00Z');
const state = (verified: boolean, notBefore: string, notAfter: string) =>
  certificateState({ verified, notBefore, notAfter }, kNow);

test('a certificate out of its time is that first, whether its key is proven or not', () => {
  for (const verified of [true, false]) {
    expect(state(verified, '2025-01-01T00:00:00Z', '2026-11-22T00:00:00Z')).toBe('expired');
    expect(state(verified, '2026-11-22T00:00:01Z', '2030-01-01T00:00:00Z')).toBe('not yet valid');
  }
});

test('a proven certificate is verified until thirty days before its end', () => {
  expect(state(true, '2025-01-01T00:00:00Z', '2026-12-22T00:00:01Z')).toBe('verified');
  expect(state(true, '2025-01-01T00:00:00Z', '2026-12-22T00:00:00Z')).toBe('expires soon');
  expect(state(false, '2025-01-01T00:00:00Z', '2030-01-01T00:00:00Z')).toBe('not proven');
});
