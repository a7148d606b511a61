// @ts-check
/**
 * The parts of the made-up server, each a module of its own; server.mjs asks them first. A part answers a request
 * (`segments` are the decoded words of the path) or returns undefined for what is not its own.
 */
import { askGroups } from './groups.mjs';
import { askIncidents } from './incidents.mjs';
import { askIntelligence } from './intelligence.mjs';
import { askSoftware } from './software.mjs';
import { askSuppressions } from './suppressions.mjs';
import { askAnalytics } from './analytics.mjs';
import { askSaved } from './saved.mjs';
import { askTables } from './tables.mjs';
import { askWorkbooks } from './workbooks.mjs';
/** @typedef {import('./answers.mjs').Answer} Answer */
/** @typedef {(method: string, segments: string[], query: URLSearchParams, body: any) => Answer | undefined} Part */

/** @type {Part[]} */
const kParts = [
  askGroups,
  askIncidents,
  askIntelligence,
  askSoftware,
  askSuppressions,
  askWorkbooks,
  askSaved,
  askTables,
  askAnalytics,
];

/** @param {string} method @param {string} path @param {URLSearchParams} query @param {any} body @returns {Answer | undefined} */
export function askParts(method, path, query, body) {
  const segments = path.split('/').slice(1).map(decodeURIComponent);
  for (const part of kParts) {
    const answer = part(method, segments, query, body);
    if (answer) return answer;
  }
  return undefined;
}
