import { expect, test } from 'vitest';
import { parseJson, parseTwinPatch, withoutMetadata } from '@/format/json';

test('an empty text is no value, and broken JSON is a sentence', () => {
  expect(parseJson('  \n')).toEqual({ value: undefined });
  expect(parseJson('null')).toEqual({ value: null });
  expect(parseJson('{"a":').problem).toMatch(/^This is not valid JSON: .*[^.]\.$/);
});

test('a patch names tags, desired properties or both', () => {
  for (const text of ['{"tags":{"site":null}}', '{"properties":{"desired":{"a":1}}}', '{"tags":{},"properties":{}}'])
    expect(parseTwinPatch(text)).toEqual({ value: JSON.parse(text) });
});

test.each([
  ['', 'object'],
  ['[]', 'object'],
  ['{}', 'has "tags"'],
  ['{"tags":[]}', '"tags" must'],
  ['{"tags":null}', '"tags" must'],
  ['{"properties":1}', '"properties" must'],
  ['{"properties":{"desired":"x"}}', '"properties.desired" must'],
  ['{"desired":{"a":1}}', 'inside "properties"'],
  ['{"properties":{"reported":{}}}', 'by the device only'],
])('the patch %s is refused with words', (text, words) => {
  const { value, problem } = parseTwinPatch(text);
  expect(value).toBeUndefined();
  expect(problem).toContain(words);
});

test('what the hub keeps about a section is left out, at the top only', () => {
  expect(withoutMetadata({ a: { $b: 1 }, $metadata: {}, $version: 3 })).toEqual({ a: { $b: 1 } });
});
