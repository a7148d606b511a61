// @ts-check
/** Suppression rules of the made-up server. They dismiss nothing: its alerts are made by hand. */
import { missing, ok, refused } from './answers.mjs';
import { ago } from './data.mjs';

/** @type {import('../../src/api/types').Suppression[]} */
const rules = [
  {
    id: 'nightly-backup',
    reason: 'copies the journal every night',
    match: { type: 'IoT_EgressData', field: { name: 'CommandLine', value: '/opt/backup *' } },
    enabled: true,
    expired: false,
    createdBy: 'admin',
    created: ago(60 * 24 * 9),
    changed: ago(60 * 24 * 9),
    alerts: 9,
    hits: 31,
    lastHit: ago(60 * 7),
  },
  {
    id: 'pen-test',
    reason: 'The house tests itself in October',
    match: { device: 'press-*', entity: { type: 'ip', value: '192.0.2.*' } },
    expires: '2026-11-01T00:00:00Z',
    enabled: true,
    expired: true,
    createdBy: 'admin',
    created: ago(60 * 24 * 40),
    changed: ago(60 * 24 * 40),
    alerts: 0,
    hits: 0,
  },
];

/** @type {import('./parts.mjs').Part} */
export function askSuppressions(method, [kind, id = ''], _query, body) {
  if (kind !== 'suppressions') return undefined;
  const at = rules.findIndex((rule) => rule.id === id);
  switch (method) {
    case 'GET':
      if (!id) return ok({ items: rules });
      return at >= 0 ? ok(rules[at]) : missing('suppression');
    case 'PUT': {
      if (!body.reason) return refused('reason', 'Say why: a rule without a reason is not understood later.');
      const now = new Date().toISOString();
      const expired = Boolean(body.expires && body.expires <= now);
      const made = { alerts: 0, hits: 0, created: now, createdBy: 'admin', ...rules[at], ...body, id, expired, changed: now };
      if (at >= 0) rules[at] = made;
      else rules.push(made);
      return ok(made, at >= 0 ? 200 : 201);
    }
    case 'DELETE':
      if (at < 0) return missing('suppression');
      rules.splice(at, 1);
      return ok();
    default:
      return undefined;
  }
}
