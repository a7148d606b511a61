/** Checks of the baseline as the workspace answers them. Pure. */
import type { QueryResult } from '@/api/types';
import { cellText } from './table';

export interface BaselineCheck {
  id: string;
  result: string;
  severity: string;
  description: string;
  remediation: string;
  observed: string;
  expected: string;
  group: string;
  seen: string;
}

const kOrder = ['FAIL', 'ERROR', 'PASS', 'SKIP'];
export const kResults = [
  ['FAIL', 'Failed'],
  ['ERROR', 'Could not be found out'],
  ['PASS', 'Passed'],
  ['SKIP', 'Does not apply'],
] as const;

export const resultText = (result: string): string => kResults.find(([name]) => name === result)?.[1] ?? result;

/** Rows of baselineQuery; failures first, then by id with its numbers in order. */
export function checksOf({ columns, rows }: Pick<QueryResult, 'columns' | 'rows'>): BaselineCheck[] {
  const at = (name: string) => columns.findIndex((column) => column.name === name);
  const text = (row: readonly unknown[], name: string) => cellText(row[at(name)]);
  const rank = ({ result }: BaselineCheck) => (kOrder.includes(result) ? kOrder.indexOf(result) : kOrder.length);
  return rows
    .map((row) => ({
      id: text(row, 'Check'),
      result: text(row, 'Result').toUpperCase(),
      severity: text(row, 'Severity'),
      description: text(row, 'Description'),
      remediation: text(row, 'Remediation'),
      observed: text(row, 'Observed'),
      expected: text(row, 'Expected'),
      group: text(row, 'Group'),
      seen: text(row, 'Seen'),
    }))
    .sort((a, b) => rank(a) - rank(b) || a.id.localeCompare(b.id, 'en', { numeric: true }));
}

/** Those with this result (all: empty) in which every word is found. */
export function searchChecks(checks: readonly BaselineCheck[], q: string, result: string): BaselineCheck[] {
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  return checks.filter((check) => {
    const text = [check.id, check.description, check.group, check.observed].join(' ').toLowerCase();
    return (result === '' || check.result === result) && words.every((word) => text.includes(word));
  });
}
