import { expect, test } from 'vitest';
import type { Rule } from '@/api/types';
import { arrangeRules, isWebAddress, ruleFileName, techniqueOf } from '@/format/rules';

const rule = (title: string, level: Rule['level'], matches: number, more: Partial<Rule> = {}): Rule => ({
  id: title.toLowerCase(),
  title,
  kind: 'rule',
  level,
  status: 'test',
  alertType: 'IoT_Something',
  logSource: 'process_creation/linux',
  file: 'content/rules',
  line: 1,
  author: '',
  license: '',
  description: '',
  references: [],
  tags: [],
  falsePositives: [],
  filters: [],
  own: true,
  enabled: true,
  load: { lookedAt: matches, matches, throttled: 0, cpuMicroseconds: matches * 2 },
  ...more,
});
const rules = [
  rule('Alpha', 'low', 0),
  rule('Beta', 'critical', 0, { own: false, file: 'mine.yml', tags: ['attack.t1059.004'] }),
  rule('Gamma', 'medium', 7, { enabled: false }),
];
const kAll = { q: '', level: '', origin: '', state: '', sort: '' };
const titles = (filters: Partial<typeof kAll>) => arrangeRules(rules, { ...kAll, ...filters }).map(({ title }) => title);

test('rules that match come first, then the worst', () => {
  expect(titles({})).toEqual(['Gamma', 'Beta', 'Alpha']);
});

test('an order of the table is followed both ways', () => {
  expect(titles({ sort: 'title' })).toEqual(['Alpha', 'Beta', 'Gamma']);
  expect(titles({ sort: '-level' })).toEqual(['Beta', 'Gamma', 'Alpha']);
  expect(titles({ sort: '-cpu' })[0]).toBe('Gamma');
});

test('filters narrow by level, origin, state, and words of title, technique and file', () => {
  expect(titles({ level: 'low' })).toEqual(['Alpha']);
  expect(titles({ origin: 'added' })).toEqual(['Beta']);
  expect(titles({ state: 'off' })).toEqual(['Gamma']);
  expect(titles({ q: 't1059.004 MINE' })).toEqual(['Beta']);
  expect(titles({ q: 'mine gamma' })).toEqual([]);
});

test('only tags of techniques are techniques', () => {
  expect(techniqueOf('attack.t1059.004')).toBe('T1059.004');
  expect(techniqueOf('attack.execution')).toBeUndefined();
  expect(techniqueOf('cve.2021-44228')).toBeUndefined();
});

test('only web addresses become links', () => {
  expect(isWebAddress('https://example.org/a')).toBe(true);
  expect(isWebAddress('javascript:alert(1)')).toBe(false);
  expect(isWebAddress(' https://example.org')).toBe(false);
});

test('names of files are plain, and end as rules do', () => {
  expect(ruleFileName('my rules.yml')).toBe('my-rules.yml');
  expect(ruleFileName('../../etc/passwd')).toBe('etc-passwd.yml');
  expect(ruleFileName('..')).toBe('rules.yml');
});
