// @ts-check
/** Groups of alerts, incidents and the raw events behind both, made from the made-up alerts. */
import { missing, ok, pageOf } from './answers.mjs';
import { alerts, summary } from './data.mjs';
/** @typedef {import('../../src/api/types').IncidentDetail} IncidentDetail */
/** @typedef {import('../../src/api/types').Alert} Alert */

const isOpen = (/** @type {Alert} */ { status }) => status === 'New' || status === 'Active';

/** @param {number} number @param {'device' | 'campaign'} kind @param {string} title @param {Alert[]} members @param {string[]} reasons @returns {IncidentDetail} */
function makeIncident(number, kind, title, members, reasons) {
  const sorted = [...members].sort((a, b) => a.startTime.localeCompare(b.startTime));
  const [first, last] = [/** @type {Alert} */ (sorted[0]), /** @type {Alert} */ (sorted.at(-1))];
  return {
    id: `incident-${number}`,
    number,
    kind,
    key: kind === 'campaign' ? 'address 198.51.100.9' : '',
    title,
    severity: 'High',
    status: 'New',
    owner: '',
    classification: '',
    classificationReason: '',
    description: `${members.length} alerts that have something in common.`,
    deviceId: kind === 'device' ? first.deviceId : '',
    devices: [...new Set(members.map(({ deviceId }) => deviceId))],
    tactics: [...new Set(sorted.flatMap(({ tactics }) => tactics))],
    techniques: [...new Set(sorted.flatMap(({ techniques }) => techniques))],
    reasons,
    alertCount: members.length,
    startTime: first.startTime,
    endTime: last.endTime,
    createdTime: last.startTime,
    updatedTime: last.startTime,
    alerts: sorted.map(summary),
    timeline: [
      ...sorted.map(({ id, startTime, displayName, severity, deviceId, endTime, tactics }) => ({
        time: startTime,
        kind: /** @type {const} */ ('alert'),
        ...{ alertId: id, displayName, severity, deviceId, endTime, tactics, count: 3 },
      })),
      { time: last.startTime, kind: /** @type {const} */ ('made'), user: 'picket', status: /** @type {const} */ ('New') },
    ],
  };
}

/** @param {(alert: Alert) => boolean} wanted */
const some = (wanted) => alerts.filter(wanted).slice(0, 12);
/** @type {IncidentDetail[]} */
const incidents =
  alerts.length === 0
    ? []
    : [
        makeIncident(
          2,
          'campaign',
          'Address 198.51.100.9 on 9 devices',
          some(({ alertType }) => alertType === 'IoT_BruteForceFailed'),
          ['198.51.100.9 is in alerts of 9 devices on one day'],
        ),
        makeIncident(
          1,
          'device',
          'Execution, then command and control, on press-17',
          some(({ deviceId }) => deviceId === 'press-17'),
          ['203.0.113.77 is in both alerts', 'Stages of the kill chain follow each other within an hour'],
        ),
      ];

/** @param {URLSearchParams} query */
function listIncidents(query) {
  const one = (/** @type {string} */ name) => query.get(name)?.split(',');
  const found = incidents.filter(
    (item) =>
      (!one('status') || one('status')?.includes(item.status)) &&
      (!one('severity') || one('severity')?.includes(item.severity)) &&
      (!query.get('kind') || query.get('kind') === item.kind) &&
      (!query.get('owner') || query.get('owner') === item.owner) &&
      (!query.get('device') || item.devices.includes(/** @type {string} */ (query.get('device')))),
  );
  return pageOf(
    found.map(({ alerts: _, timeline: __, ...item }) => item),
    query,
  );
}

/** @param {IncidentDetail} incident @param {any} body */
function triage(incident, { alertStatus, comment, ...decided }) {
  Object.assign(incident, decided);
  const time = new Date().toISOString();
  incident.updatedTime = time;
  incident.timeline.push({ time, kind: 'triaged', user: 'admin', status: incident.status, ...decided, comment });
  for (const { id } of incident.alerts) {
    const alert = alerts.find((item) => item.id === id);
    if (alert && alertStatus && isOpen(alert)) alert.status = alertStatus;
  }
  incident.alerts = incident.alerts.map((one) => summary(alerts.find(({ id }) => id === one.id) ?? /** @type {Alert} */ (one)));
  return ok(incident);
}

/** @param {readonly Alert[]} of */
const rawEvents = (of) => ({
  items: of.flatMap(({ evidence, deviceId }) =>
    evidence
      .filter(({ eventDetails }) => eventDetails)
      .map(({ rawEventId, timeGenerated, rawEventName, eventDetails }) => ({
        table: 'SecurityIoTRawEvent',
        IoTRawEventId: rawEventId,
        TimeGenerated: timeGenerated,
        RawEventName: rawEventName,
        DeviceId: deviceId,
        EventDetails: eventDetails,
      })),
  ),
  missing: ['5f0c2a7e-0d0d-4a52-9d27-1f4a6a1c9b03'],
  query: 'SecurityIoTRawEvent\n| where IoTRawEventId == "5f0c2a7e-0d0d-4a52-9d27-1f4a6a1c9b01"',
});

/** @param {URLSearchParams} query */
function listGroups(query) {
  const byDevice = query.get('by') === 'device';
  const [device, since] = [query.get('device'), query.get('since')];
  /** @type {Map<string, Alert[]>} */
  const groups = new Map();
  for (const alert of alerts) {
    if ((device && device !== alert.deviceId) || (since && alert.startTime < since) || alert.suppressedBy) continue;
    const key = `${alert.startTime.slice(0, 10)} ${alert.alertType} ${byDevice ? alert.deviceId : ''}`;
    groups.set(key, [...(groups.get(key) ?? []), alert]);
  }
  const ranks = ['High', 'Medium', 'Low', 'Informational'];
  const rows = [...groups].map(([key, members]) => {
    const first = /** @type {Alert} */ (members[0]);
    return {
      alertType: first.alertType,
      displayName: first.displayName,
      date: key.slice(0, 10),
      severity: first.severity,
      ...(byDevice ? { deviceId: first.deviceId } : {}),
      alerts: members.length,
      count: members.length * 3,
      devices: new Set(members.map(({ deviceId }) => deviceId)).size,
      open: members.filter(isOpen).length,
      startTime: members.map(({ startTime }) => startTime).sort()[0],
      endTime: members
        .map(({ endTime }) => endTime)
        .sort()
        .at(-1),
    };
  });
  const found = rows.filter(({ open }) => query.get('open') !== 'true' || open > 0);
  return pageOf(
    found.sort((a, b) => b.date.localeCompare(a.date) || ranks.indexOf(a.severity) - ranks.indexOf(b.severity)),
    query,
  );
}

/** @param {any} body */
function triageGroup({ alertType, date, status = 'Dismissed', comment }) {
  for (const alert of alerts) {
    if (alert.alertType !== alertType || !alert.startTime.startsWith(date)) continue;
    alert.status = status;
    alert.changes.push({ time: new Date().toISOString(), user: 'admin', change: 'triaged', status, comment });
  }
  return ok();
}

/** @param {Alert} alert */
function undo(alert) {
  const before = alert.changes.filter(({ status }) => status && status !== alert.status).at(-1)?.status ?? 'New';
  alert.status = before;
  alert.changes.push({ time: new Date().toISOString(), user: 'admin', change: 'triaged', status: before, comment: 'Undone.' });
  return ok(alert);
}

/** What an alert says of its incidents. @param {Alert} alert */
const withIncidents = (alert) => ({
  ...alert,
  incidents: incidents
    .filter((item) => item.alerts.some(({ id }) => id === alert.id))
    .map(({ id, number, title, status }) => ({ id, number, title, status })),
});

/** @type {import('./parts.mjs').Part} */
export function askIncidents(method, [kind, id = '', part = ''], query, body) {
  const incident = incidents.find((item) => item.id === id || String(item.number) === id);
  const alert = alerts.find((item) => item.id === id);
  switch (`${method} ${kind}${part ? `/${part}` : ''}`) {
    case 'GET alert-groups':
      return listGroups(query);
    case 'POST alert-groups':
      return id === 'triage' ? triageGroup(body) : undefined;
    case 'GET alerts':
      return alert && ok(withIncidents(alert));
    case 'POST alerts/undo':
      return alert ? undo(alert) : missing('alert');
    case 'GET alerts/events':
      return alert ? ok(rawEvents([alert])) : missing('alert');
    case 'GET incidents':
      if (!id) return listIncidents(query);
      return incident ? ok(incident) : missing('incident');
    case 'PATCH incidents':
      return incident ? triage(incident, body) : missing('incident');
    case 'GET incidents/events':
      return incident
        ? ok(rawEvents(alerts.filter((item) => incident.alerts.some((one) => one.id === item.id))))
        : missing('incident');
    default:
      return undefined;
  }
}
