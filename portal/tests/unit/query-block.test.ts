import { describe, expect, test } from 'vitest';
import { blockAt, excerpt, placeOf, splitBlocks } from '@/pages/logs/query-block';

describe('which query is meant', () => {
  const text = 'A\n| take 1\n\nB\n| take 2\n \n\n\nC';

  test('blank lines separate queries, whatever blanks they hold', () => {
    expect(splitBlocks(text).map((block) => block.text)).toEqual(['A\n| take 1', 'B\n| take 2', 'C']);
  });
  test('each query knows where it starts', () => {
    for (const block of splitBlocks(text)) expect(text.slice(block.start, block.start + block.text.length)).toBe(block.text);
  });
  test('it is the one around the cursor', () => {
    expect(blockAt(text, 0).text).toBe('A\n| take 1');
    expect(blockAt(text, text.indexOf('B') + 3).text).toBe('B\n| take 2');
    expect(blockAt(text, text.length).text).toBe('C');
  });
  test('on a blank line it is the one before', () => expect(blockAt(text, text.indexOf('\n\nB') + 1).text).toBe('A\n| take 1'));
  test('before the first it is the first', () => expect(blockAt('\n\n  A', 0)).toEqual({ text: 'A', start: 4 }));
  test('an empty editor has none', () => expect(blockAt(' \n\n ', 1).text).toBe(''));
  test('lines may end as on Windows', () => expect(splitBlocks('A\r\n\r\nB').map((block) => block.text)).toEqual(['A', 'B']));
});

test('a place counts lines and columns from one', () => {
  expect(placeOf('ab\ncd', 0)).toEqual({ line: 1, column: 1 });
  expect(placeOf('ab\ncd', 4)).toEqual({ line: 2, column: 2 });
});

test('an excerpt shows the line of the mistake and nothing beyond', () => {
  const text = 'first\nsecond bad word\nthird';
  expect(excerpt(text, text.indexOf('bad'), 3)).toEqual({ before: 'second ', inside: 'bad', after: ' word' });
  expect(excerpt(text, text.indexOf('bad'), 100)).toEqual({ before: 'second ', inside: 'bad word', after: '' });
  expect(excerpt(text, text.length + 5, 1)).toEqual({ before: 'third', inside: '', after: '' });
});
