import { expect, test } from 'vitest';
import { checksOf, resultText, searchChecks } from '@/format/baseline';

const columns = ['Check', 'Result', 'Description', 'Observed', 'Seen'].map((name) => ({ name, type: 'string' as const }));
const rows = [
  ['1.10', 'PASS', 'ten', '', ''],
  ['1.9', 'Pass', 'nine', '', ''],
  ['5.2', 'FAIL', 'root cannot sign in', 'PermitRootLogin = yes', ''],
  ['3.1', 'ERROR', '', null, ''],
  ['9.9', 'LATER', '', '', ''],
];

test('failures come first, then by number', () => {
  expect(checksOf({ columns, rows }).map(({ id }) => id)).toEqual(['5.2', '3.1', '1.9', '1.10', '9.9']);
});

test('columns that are not there, and nulls, are empty texts', () => {
  expect(checksOf({ columns, rows })[1]).toMatchObject({ observed: '', remediation: '', severity: '' });
});

test('checks are found by result and words', () => {
  const ids = (q: string, result: string) => searchChecks(checksOf({ columns, rows }), q, result).map(({ id }) => id);
  expect(ids('', 'PASS')).toEqual(['1.9', '1.10']);
  expect(ids('permitrootlogin', '')).toEqual(['5.2']);
  expect(ids('permitrootlogin', 'PASS')).toEqual([]);
});

test('a result that is new to the portal is shown as it is', () => {
  expect(resultText('FAIL')).toBe('Failed');
  expect(resultText('LATER')).toBe('LATER');
});
