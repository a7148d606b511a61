import { describe, expect, test } from 'vitest';
import { cellText, compareCells, prettyJson, timespanTicks, toCsv, toTsv } from '@/format/table';

const columns = [
  { name: 'A', type: 'string' as const },
  { name: 'B', type: 'dynamic' as const },
];

describe('CSV', () => {
  test('quotes what needs quotes and doubles quotes inside', () => {
    expect(
      toCsv({
        columns,
        rows: [
          ['a,b', null],
          ['say "hi"', { k: 1 }],
          ['two\nlines', true],
        ],
      }),
    ).toBe('A,B\r\n"a,b",\r\n"say ""hi""","{""k"":1}"\r\n"two\nlines",true\r\n');
  });

  test('keeps a text from being run as a formula, and numbers as they are', () => {
    expect(
      toCsv({
        columns,
        rows: [
          ['=cmd()', -5],
          ['+1', 0],
          ['@x', 1],
          ['-y', 2],
        ],
      }),
    ).toBe("A,B\r\n'=cmd(),-5\r\n'+1,0\r\n'@x,1\r\n'-y,2\r\n");
  });
});

test('copied cells stay in their cell', () => {
  expect(toTsv({ columns, rows: [['a\tb\r\nc', 1]] })).toBe('A\tB\na b c\t1');
});

test('a cell is text for everything that KQL can return', () => {
  expect([null, undefined, 0, false, 'x', [1], { a: null }].map(cellText)).toEqual([
    '',
    '',
    '0',
    'false',
    'x',
    '[1]',
    '{"a":null}',
  ]);
});

test('only JSON objects and arrays are drawn as JSON', () => {
  expect(prettyJson('{"a":1}')).toBe('{\n  "a": 1\n}');
  expect(prettyJson([1])).toBe('[\n  1\n]');
  expect(prettyJson('{broken')).toBeUndefined();
  expect(prettyJson('12')).toBeUndefined();
  expect(prettyJson(12)).toBeUndefined();
});

test('a timespan is read to its last tick', () => {
  expect(timespanTicks('00:00:00.0000001')).toBe(1);
  expect(timespanTicks('-1.00:00:00')).toBe(-864_000_000_000);
  expect(timespanTicks('later')).toBeNaN();
});

describe('order of cells', () => {
  const sorted = (type: Parameters<typeof compareCells>[0], cells: unknown[]) =>
    [...cells].sort((a, b) => compareCells(type, a, b));

  test('numbers by value, nulls last', () => expect(sorted('long', [10, null, 9, -1])).toEqual([-1, 9, 10, null]));
  test('times by the moment, whatever the digits of their fraction', () => {
    const times = ['2026-01-01T00:00:00.5Z', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00.49Z'];
    expect(sorted('datetime', times)).toEqual(['2026-01-01T00:00:00Z', '2026-01-01T00:00:00.49Z', '2026-01-01T00:00:00.5Z']);
  });
  test('timespans by length', () =>
    expect(sorted('timespan', ['1.00:00:00', '02:00:00', '-00:00:01'])).toEqual(['-00:00:01', '02:00:00', '1.00:00:00']));
  test('texts by code unit', () => expect(sorted('string', ['b', 'B', 'a'])).toEqual(['B', 'a', 'b']));
});
