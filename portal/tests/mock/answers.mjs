// @ts-check
/** What the parts of the made-up server answer with. */
/** @typedef {{ status: number, body?: unknown, cookie?: string }} Answer */

/** @param {unknown} [body] @param {number} [status] @returns {Answer} */
export const ok = (body, status = body === undefined ? 204 : 200) => ({ status, body });

/** @param {string} what @returns {Answer} */
export const missing = (what) => ({ status: 404, body: { error: { code: 'not_found', message: `There is no such ${what}.` } } });

/** @param {string} target @param {string} message @returns {Answer} */
export const refused = (target, message) => ({ status: 400, body: { error: { code: 'invalid', message, target } } });

/** One page of a list. @param {readonly unknown[]} items @param {URLSearchParams} query @returns {Answer} */
export function pageOf(items, query) {
  const from = Number(query.get('cursor') ?? 0);
  const limit = Number(query.get('limit') ?? 100);
  const next = from + limit < items.length ? { next_cursor: String(from + limit) } : {};
  return ok({ items: items.slice(from, from + limit), total: items.length, ...next });
}
