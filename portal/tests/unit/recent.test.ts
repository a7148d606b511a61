import { expect, test } from 'vitest';
import { readRecent, withRecent, writeRecent } from '@/pages/logs/recent';

test('the newest query is first and no query is kept twice', () => {
  expect(withRecent(['a', 'b'], 'b')).toEqual(['b', 'a']);
});

test('twenty are kept, and none that is longer than 10,000 characters', () => {
  const many = Array.from({ length: 25 }, (_, index) => String(index)).reduce<string[]>(
    (recent, query) => withRecent(recent, query),
    [],
  );
  expect(many).toHaveLength(20);
  expect(many[0]).toBe('24');
  expect(withRecent(['a'], 'x'.repeat(10_000))).toHaveLength(2);
  expect(withRecent(['a'], 'x'.repeat(10_001))).toEqual(['a']);
});

test('a broken, foreign or full storage costs the list only', () => {
  expect(readRecent({ getItem: () => '{broken' })).toEqual([]);
  expect(readRecent({ getItem: () => '{"a":1}' })).toEqual([]);
  expect(readRecent({ getItem: () => '[1,"a"]' })).toEqual(['a']);
  expect(() =>
    writeRecent(['a'], {
      setItem: () => {
        throw new Error('full');
      },
    }),
  ).not.toThrow();
});
