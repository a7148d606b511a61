// @ts-check
/** Stored tables of the made-up server. */
import { missing, ok, refused } from './answers.mjs';
/** @typedef {import('./answers.mjs').Answer} Answer */
/** @typedef {import('../../src/api/tables').StoredTable} StoredTable */

const kDayMs = 86_400_000;
const kFromSettings = { days: 30, archiveDays: 0, fromSettings: true };
const ago = (/** @type {number} */ days) => new Date(Date.now() - days * kDayMs).toISOString();

/** @type {(name: string, stream: 'messages' | 'derived', rows: number) => StoredTable} */
const table = (name, stream, rows) => ({
  name,
  stream,
  rows,
  hotRows: Math.min(rows, 4_000),
  archivedRows: 0,
  bytes: rows * 140,
  archivedBytes: 0,
  ...(rows > 0 ? { oldest: ago(29.5), newest: ago(0) } : {}),
  retention: kFromSettings,
});

const tables = [
  table('ProcessEvents', 'messages', 6_212_000),
  table('NetworkEvents', 'messages', 3_104_500),
  table('LoginEvents', 'messages', 48_112),
  table('FileEvents', 'messages', 0),
  table('SecurityAlert', 'derived', 95),
];

/** @param {string} method @param {string[]} segments @param {URLSearchParams} _query @param {any} body @returns {Answer | undefined} */
export function askTables(method, segments, _query, body) {
  const [area, part, name, what] = segments;
  if (area !== 'workspace' || part !== 'tables') return undefined;
  if (method === 'GET') return ok({ items: tables, damaged: [] });
  const found = tables.find((one) => one.name === name);
  if (!found || what !== 'retention') return missing('table');
  if (method === 'PUT' && !(body?.days >= 0)) return refused('days', 'days is missing.');
  found.retention =
    method === 'DELETE'
      ? kFromSettings
      : { days: body.days, archiveDays: body.archiveDays ?? 0, fromSettings: false, changedBy: 'admin', changed: ago(0) };
  return ok(found);
}
