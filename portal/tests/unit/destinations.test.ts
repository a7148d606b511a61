import { expect, test } from 'vitest';
import { kDestinations, leadsTo } from '@/app/destinations';

const all = kDestinations.flatMap(({ items }) => items);
const at = (pathname: string) => all.filter((one) => leadsTo(one, pathname)).map(({ label }) => label);

test('every address belongs to one destination', () => {
  expect(at('/')).toEqual(['Overview']);
  expect(at('/alerts/a1')).toEqual(['Alerts']);
  expect(at('/alert-groups')).toEqual(['Alerts']);
  expect(at('/no/such/page')).toEqual([]);
  for (const { path, label } of all) expect(at(path)).toEqual([label]);
});

test('no destination is there twice', () => {
  expect(new Set(all.map(({ path }) => path)).size).toBe(all.length);
  expect(new Set(all.map(({ label }) => label)).size).toBe(all.length);
});
