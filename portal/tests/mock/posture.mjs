// @ts-check
/** Scores of the made-up fleet, made from its recommendations, and exemptions. */
import { devices, recommendations } from './data.mjs';
/** @typedef {import('../../src/api/types').DeviceScore} DeviceScore */

const kWeights = { High: 10, Medium: 5, Low: 2, Informational: 0 };
const kDayMs = 86_400_000;

/** @type {import('../../src/api/types').Exemption[]} */
export const exemptions = [
  {
    id: '4f2a1f86-51a2-4c68-9d0f-3b8e9a0a7c11',
    type: 'IoT_ClockSkew',
    deviceId: '',
    group: 'hall',
    reason: 'Clocks of these controllers cannot be set',
    user: 'admin',
    created: '2026-10-01T08:00:00Z',
    until: '2026-11-01T00:00:00Z',
    expired: true,
  },
];

/** @param {string} deviceId @param {string} group @returns {DeviceScore} */
function scoreOf(deviceId, group) {
  const active = { High: 0, Medium: 0, Low: 0, Informational: 0 };
  let exempt = 0;
  let lost = 0;
  for (const item of recommendations) {
    if (item.deviceId !== deviceId || item.state !== 'Active') continue;
    const isExempt = exemptions.some(
      (one) =>
        one.type === item.type &&
        !one.expired &&
        (!one.deviceId || one.deviceId === deviceId) &&
        (!one.group || one.group === group),
    );
    if (isExempt) exempt += 1;
    else {
      active[item.severity] += 1;
      lost += kWeights[item.severity];
    }
  }
  return { deviceId, group, score: 5000 / (50 + lost), lost, active, exempt };
}

/** @param {string} group */
const scores = (group) =>
  devices
    .filter((device) => !group || device.group === group)
    .map((device) => scoreOf(device.deviceId, device.group ?? ''))
    .sort((a, b) => b.lost - a.lost || a.deviceId.localeCompare(b.deviceId));

export const listScores = () => ({ items: scores('').slice(0, 100), total: devices.length });

/** @param {string} group @returns {import('../../src/api/types').Posture} */
export function posture(group) {
  const all = scores(group);
  const score = all.length === 0 ? 100 : all.reduce((sum, one) => sum + one.score, 0) / all.length;
  const active = { High: 0, Medium: 0, Low: 0, Informational: 0 };
  for (const one of all)
    for (const name of /** @type {const} */ (['High', 'Medium', 'Low', 'Informational'])) active[name] += one.active[name];
  const today = Math.floor(Date.now() / kDayMs) * kDayMs;
  return {
    group,
    score,
    devices: all.length,
    formula: '100 * 50 / (50 + lost); lost = 10 for each active recommendation of severity High, 5 for Medium, 2 for Low.',
    active,
    exempt: all.reduce((sum, one) => sum + one.exempt, 0),
    worst: all.filter(({ lost }) => lost > 0).slice(0, 10),
    trend: Array.from({ length: 14 }, (_, index) => ({
      day: new Date(today - (13 - index) * kDayMs).toISOString(),
      score: Math.max(0, score - (13 - index) / 2),
      devices: all.length,
    })),
  };
}

/** @param {string} deviceId @returns {import('../../src/api/types').DevicePosture | undefined} */
export function deviceScore(deviceId) {
  const device = devices.find((one) => one.deviceId === deviceId);
  if (!device) return undefined;
  const now = scoreOf(deviceId, device.group ?? '');
  const today = Math.floor(Date.now() / kDayMs) * kDayMs;
  return {
    ...now,
    formula: '100 * 50 / (50 + lost); lost = 10 for each active recommendation of severity High, 5 for Medium, 2 for Low.',
    trend: Array.from({ length: 90 }, (_, index) => {
      const lost = index === 89 ? now.lost : now.lost + (index < 30 ? 120 : index < 62 ? 45 : 10);
      return { day: new Date(today - (89 - index) * kDayMs).toISOString(), score: 5000 / (50 + lost), lost };
    }),
  };
}
