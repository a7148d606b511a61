// @ts-check
/** Scheduled rules of the made-up server: two of content/analytics, and what is imported. */
import { missing, ok, refused } from './answers.mjs';
/** @typedef {import('./answers.mjs').Answer} Answer */
/** @typedef {import('../../src/api/analytics').AnalyticsRule} AnalyticsRule */

const minutes = (/** @type {number} */ count) => new Date(Date.now() + count * 60_000).toISOString();

/** @param {string} id @param {string} name @param {AnalyticsRule['severity']} severity @returns {AnalyticsRule} */
const make = (id, name, severity) => ({
  id,
  name,
  severity,
  description: `What ${name} looks for, in a sentence.`,
  version: '1.0.0',
  kind: 'Scheduled',
  enabled: true,
  query: 'SecurityAlert\n| where ProviderName == "IoTSecurity"\n| where AlertName == "Port Scan Detected"',
  frequencySeconds: 300,
  periodSeconds: 3600,
  trigger: 'gt',
  threshold: 0,
  tactics: ['Discovery'],
  techniques: ['T0842'],
  changed: minutes(-600),
  nextRun: minutes(4),
});

/** @type {Map<string, AnalyticsRule>} */
const rules = new Map();
for (const rule of [make('rule-scan', 'Multiple scans', 'High'), make('rule-login', 'Excessive login attempts', 'Medium')])
  rules.set(rule.id, rule);

const kRuns = [
  {
    windowStart: minutes(-65),
    windowEnd: minutes(-5),
    at: minutes(-5),
    elapsedMs: 12,
    rows: 3,
    alerts: 1,
    outcome: /** @type {const} */ ('fired'),
    message: '',
  },
  {
    windowStart: minutes(-70),
    windowEnd: minutes(-10),
    at: minutes(-10),
    elapsedMs: 9,
    rows: 0,
    alerts: 0,
    outcome: /** @type {const} */ ('quiet'),
    message: '',
  },
];

/** @param {string} method @param {string[]} segments @param {URLSearchParams} _query @param {any} body @returns {Answer | undefined} */
export function askAnalytics(method, segments, _query, body) {
  if (segments[0] !== 'analytics-rules') return undefined;
  const id = segments[1];
  if (id === undefined) {
    if (method === 'GET') return ok({ items: [...rules.values()].sort((a, b) => a.name.localeCompare(b.name)) });
    const text = typeof body === 'string' ? body : JSON.stringify(body ?? '');
    const name = /^name:\s*(.+)$/m.exec(text)?.[1];
    if (!name) return refused('rules', 'The file holds no rule.');
    const made = /^id:\s*(\S+)$/m.exec(text)?.[1] ?? 'imported';
    rules.set(made, make(made, name, 'Low'));
    return ok({ imported: [made], complaints: ['"Second": kind Fusion is not supported.'] });
  }
  if (id === 'trials') {
    const alert = {
      name: 'Port scan',
      severity: 'High',
      description: '',
      deviceId: 'press-01',
      rows: 3,
      start: minutes(-65),
      end: minutes(-5),
      entities: [],
    };
    return ok({
      alerts: 1,
      runs: [
        { windowStart: minutes(-65), windowEnd: minutes(-5), rows: 3, outcome: 'fired', alerts: [alert] },
        { windowStart: minutes(-60), windowEnd: minutes(0), rows: 0, outcome: 'quiet', alerts: [] },
      ],
    });
  }
  const rule = rules.get(id);
  if (!rule) return missing('analytics rule');
  if (method === 'GET') return ok({ ...rule, runs: kRuns });
  if (method === 'PATCH') rule.enabled = body.enabled;
  if (method === 'DELETE') rules.delete(id);
  return ok();
}
