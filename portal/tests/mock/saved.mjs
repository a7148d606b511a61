// @ts-check
/** Saved queries, functions and running queries of the made-up server. */
import { missing, ok, refused } from './answers.mjs';
/** @typedef {import('./answers.mjs').Answer} Answer */
/** @typedef {import('../../src/api/saved').SavedQuery} SavedQuery */
/** @typedef {import('../../src/api/saved').RunningQuery} RunningQuery */

/** @type {Record<string, Map<string, SavedQuery>>} */
const kept = { 'saved-queries': new Map(), functions: new Map() };

/** @type {RunningQuery[]} */
let running = [
  {
    id: 'q-17',
    user: 'analyst',
    query: 'SecurityIoTRawEvent\n| where EventDetails contains "needle"\n| count',
    api: 'log-analytics',
    application: 'nightly report',
    started: new Date(Date.now() - 42_000).toISOString(),
    state: 'running',
    percent: 37.5,
    rowsRead: 4_120_000,
  },
];

/** @param {string} method @param {string[]} segments @param {URLSearchParams} _query @param {any} body @returns {Answer | undefined} */
export function askSaved(method, segments, _query, body) {
  const [area = '', name] = segments;
  if (area === 'queries') {
    if (method === 'GET') return ok({ items: running });
    if (!running.some(({ id }) => id === name)) return missing('query');
    running = running.filter(({ id }) => id !== name);
    return ok();
  }
  const all = kept[area];
  if (!all) return undefined;
  if (name === undefined) return ok({ items: [...all.values()].sort((a, b) => a.name.localeCompare(b.name)) });
  if (method === 'GET') return all.has(name) ? ok(all.get(name)) : missing(area);
  if (method === 'DELETE') return all.delete(name) ? ok() : missing(area);
  if (area === 'functions' && !/\{/.test(body.text)) return refused('text', 'A function is (parameters) { body }.');
  const made = !all.has(name);
  const { text, category = '', description = '' } = body;
  all.set(name, { name, text, category, description, user: 'admin', changed: new Date().toISOString() });
  return made ? ok({}, 201) : ok();
}
