import { expect, test } from 'vitest';
import type { RecommendationType } from '@/api/types';
import { recommendationQuery } from '@/format/kql';
import { arrangeTypes } from '@/format/recommendations';

const type = (name: string, severity: RecommendationType['severity'], active: number): RecommendationType => ({
  type: `IoT_${name}`,
  displayName: name,
  severity,
  description: `About ${name}`,
  active,
  resolved: 0,
  enabled: true,
});
const types = [type('Clock', 'Low', 0), type('Agent', 'High', 0), type('Cipher', 'Low', 3), type('Keys', 'Medium', 1)];
const names = (q: string, severity: RecommendationType['severity'] | undefined, sort = '') =>
  arrangeTypes(types, { q, severity, sort }).map(({ displayName }) => displayName);

test('types that are about a device come first, then the worst', () => {
  expect(names('', undefined)).toEqual(['Keys', 'Cipher', 'Agent', 'Clock']);
});

test('an order of the table is followed both ways, and an unknown one is the usual', () => {
  expect(names('', undefined, 'displayName')).toEqual(['Agent', 'Cipher', 'Clock', 'Keys']);
  expect(names('', undefined, '-active').slice(0, 2)).toEqual(['Cipher', 'Keys']);
  expect(names('', undefined, '-severity')).toEqual(['Agent', 'Keys', 'Cipher', 'Clock']);
  expect(names('', undefined, 'colour')).toEqual(names('', undefined));
});

test('every word must be found, whatever its case, in name, type or description', () => {
  expect(names('iot_ CIPHER', undefined)).toEqual(['Cipher']);
  expect(names('about', undefined)).toHaveLength(4);
  expect(names('cipher keys', undefined)).toEqual([]);
  expect(names('c', 'Low')).toEqual(['Cipher', 'Clock']);
});

test('the list that came from the server is not reordered in place', () => {
  const before = [...types];
  names('', undefined, '-active');
  expect(types).toEqual(before);
});

test('a type is asked for by its exact name, the newest row of each device', () => {
  expect(recommendationQuery('a" or true')).toBe(
    'SecurityRecommendation\n| where RecommendationName == "a\\" or true"\n| summarize arg_max(TimeGenerated, *) by DeviceId',
  );
});
