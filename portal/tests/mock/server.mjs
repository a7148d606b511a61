// @ts-check
/**
 * The API of schema/openapi.yaml over the made-up fleet of data.mjs, and the built portal beside it. Development only.
 * MOCK_PORT (8480), MOCK_DIST (the build, ../../dist), MOCK_EMPTY=1 for a server without devices. POST /mock/alert raises an alert. User admin, secret picket.
 */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  ago,
  alerts,
  answer,
  certificates,
  devices,
  hub,
  makeAlert,
  makeDevice,
  noAlerts,
  policies,
  recommendationKinds,
  recommendations,
  schema,
  summary,
  twinOf,
} from './data.mjs';
import { deviceScore, exemptions, listScores, posture } from './posture.mjs';
import { askParts } from './parts.mjs';
import { findRule, findRuleFile, listRules, putRuleFile, removeRuleFile } from './rules.mjs';

const kPort = Number(process.env.MOCK_PORT ?? 8480);
const kDist = process.env.MOCK_DIST ?? fileURLToPath(new URL('../../dist', import.meta.url));
const kCookie = 'picket_session=mock';
const kCsrf = 'mock-csrf';
/** The policy that the real server sends, see README.md. */
const kPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/** @type {Record<string, string>} */
const kTypes = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.ttf': 'font/ttf',
};

if (process.env.MOCK_EMPTY === '1') {
  devices.length = 0;
  alerts.length = 0;
  recommendations.length = 0;
}

/** @type {Set<import('node:http').ServerResponse>} */
const streams = new Set();
let eventId = 1;
let deadLetters = 3;

/** @param {string} event @param {unknown} data */
function broadcast(event, data) {
  const id = event === 'stats' ? '' : `id: ${eventId++}\n`;
  for (const stream of streams) stream.write(`${id}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}

/** @param {string} [deviceId] */
function openBySeverity(deviceId) {
  const counts = noAlerts();
  for (const alert of alerts) {
    if ((alert.status === 'New' || alert.status === 'Active') && (!deviceId || alert.deviceId === deviceId))
      counts[alert.severity] += 1;
  }
  return counts;
}

function deviceCounts() {
  const of = (/** @type {string} */ state) => devices.filter((device) => device.reporting === state).length;
  return {
    total: devices.length,
    reporting: of('reporting'),
    silent: of('silent'),
    never: of('never'),
    disabled: devices.filter((device) => device.status === 'disabled').length,
    connected: devices.filter((device) => device.connectionState === 'Connected').length,
  };
}

/** @returns {import('../../src/api/types').Overview} */
function overview() {
  const minute = Math.floor(Date.now() / 60_000) * 60_000;
  /** @type {Map<string, number>} */
  const open = new Map();
  for (const alert of alerts)
    if (alert.status === 'New' || alert.status === 'Active') open.set(alert.deviceId, (open.get(alert.deviceId) ?? 0) + 1);
  return {
    generated_at: new Date().toISOString(),
    devices: deviceCounts(),
    events_per_minute: Array.from({ length: 60 }, (_, index) => ({
      start: new Date(minute - (59 - index) * 60_000).toISOString(),
      count: devices.length === 0 ? 0 : Math.round(4000 + 1500 * Math.sin(index / 7) + 400 * Math.sin(index * 1.7)),
    })),
    alerts: {
      open_by_severity: openBySeverity(),
      newest: [...alerts]
        .sort((a, b) => b.startTime.localeCompare(a.startTime))
        .slice(0, 10)
        .map(summary),
    },
    top_devices: [...open]
      .sort((a, b) => b[1] - a[1])
      .slice(0, 5)
      .map(([deviceId, openAlerts]) => ({ deviceId, openAlerts, highestSeverity: /** @type {const} */ ('Medium') })),
    pipeline: { lag_records: 0, lag_ms: 0 },
    dead_letters: { total: deadLetters, last_hour: 0 },
  };
}

/** @param {readonly unknown[]} items @param {URLSearchParams} query */
function page(items, query) {
  const from = Number(query.get('cursor') ?? 0);
  const limit = Number(query.get('limit') ?? 100);
  const next = from + limit < items.length ? { next_cursor: String(from + limit) } : {};
  return { items: items.slice(from, from + limit), total: items.length, ...next };
}

/** @param {URLSearchParams} query @param {string} fallback @returns {(a: any, b: any) => number} */
function order(query, fallback) {
  const sort = query.get('sort') ?? fallback;
  const [field, sign] = sort.startsWith('-') ? [sort.slice(1), -1] : [sort, 1];
  const ranks = ['Informational', 'Low', 'Medium', 'High'];
  const value = (/** @type {any} */ item) =>
    field === 'severity'
      ? ranks.indexOf(item.severity)
      : field === 'openAlerts'
        ? Object.values(item.openAlerts).reduce((/** @type {any} */ a, b) => a + b, 0)
        : (item[field] ?? '');
  return (a, b) => sign * (value(a) < value(b) ? -1 : value(a) > value(b) ? 1 : 0);
}

/** @param {URLSearchParams} query @param {any} alert */
const sameText = (query, alert) =>
  ['owner', 'classification', 'suppressedBy'].every((name) => !query.get(name) || query.get(name) === alert[name]) &&
  (!query.get('type') || query.get('type')?.toLowerCase() === alert.alertType.toLowerCase()) &&
  (!query.get('until') || alert.startTime < /** @type {string} */ (query.get('until')));

/** @param {URLSearchParams} query */
function listAlerts(query) {
  const statuses = query.get('status')?.split(',');
  const severities = query.get('severity')?.split(',');
  const [device, since, q] = [query.get('device'), query.get('since'), query.get('q')?.toLowerCase()];
  const found = alerts.filter(
    (alert) =>
      (!statuses || statuses.includes(alert.status)) &&
      (!severities || severities.includes(alert.severity)) &&
      (!device || device === alert.deviceId) &&
      sameText(query, alert) &&
      (!since || alert.startTime >= since) &&
      (!q || `${alert.displayName} ${alert.description} ${alert.deviceId}`.toLowerCase().includes(q)),
  );
  return page(found.sort(order(query, '-startTime')).map(summary), query);
}

/** @param {URLSearchParams} query */
function listDevices(query) {
  const [q, reporting] = [query.get('q')?.toLowerCase(), query.get('reporting')];
  const found = devices
    .map((device) => ({ ...device, openAlerts: openBySeverity(device.deviceId) }))
    .filter(
      (device) =>
        (!q || `${device.deviceId} ${device.group} ${device.os}`.toLowerCase().includes(q)) &&
        (!reporting || device.reporting === reporting),
    );
  return page(found.sort(order(query, '-lastActivity')), query);
}

function listRecommendationTypes() {
  const countOf = (/** @type {string} */ type, /** @type {string} */ state) =>
    recommendations.filter((item) => item.type === type && item.state === state).length;
  return {
    items: recommendationKinds.map(({ steps: _, ...kind }) => ({
      ...kind,
      active: countOf(kind.type, 'Active'),
      resolved: countOf(kind.type, 'Resolved'),
    })),
  };
}

/** @param {URLSearchParams} query */
function listRecommendations(query) {
  const wanted = /** @type {const} */ (['state', 'type', 'severity']);
  const found = recommendations.filter(
    (item) =>
      wanted.every((name) => !query.get(name) || query.get(name) === item[name]) &&
      (!query.get('device') || query.get('device') === item.deviceId),
  );
  return page(found, query);
}

/** @typedef {{ status: number, body?: unknown, cookie?: string }} Answer */
/** @param {number} status @param {string} code @param {string} message @returns {Answer} */
const fail = (status, code, message) => ({ status, body: { error: { code, message } } });

/** @param {any} into @param {any} patch */
function merge(into, patch) {
  for (const [name, value] of Object.entries(patch ?? {})) {
    if (value === null) delete into[name];
    else if (typeof value === 'object' && typeof into[name] === 'object') merge(into[name], value);
    else into[name] = value;
  }
}

/** @param {import('../../src/api/types').Twin} twin @param {any} patch @returns {Answer} */
function patchTwin(twin, patch) {
  if (Object.keys(patch.properties?.desired ?? {}).some((name) => /[.$ ]/.test(name)))
    return fail(400, 'argument_invalid', "A property's name must not hold '.', '$' or a space.");
  merge(twin.tags, patch.tags);
  merge(twin.properties.desired, patch.properties?.desired);
  twin.version += 1;
  return { status: 200, body: twin };
}

/** Rows of what devices were commanded: device id, then TimeGenerated, Kind, Actor, Details. @type {string[][]} */
const commandRows = [];

/** @param {string} device @param {boolean} connected @param {any} body @returns {Answer} */
function respond(device, connected, body) {
  const command = randomUUID();
  /** @param {string} kind @param {string} actor @param {object} details */
  const record = (kind, actor, details) =>
    commandRows.unshift([device, new Date().toISOString(), kind, actor, JSON.stringify(details)]);
  const { action, arguments: given = {} } = body;
  record('response.order', 'admin', { command, action, arguments: given });
  if (!connected) {
    const reason = `The device ${device} is not connected.`;
    record('response.answer', 'admin', { command, action, outcome: 'unanswered', code: 404103, reason });
    return fail(404, 'hub_device_not_online', reason);
  }
  const message = action === 'isolate' ? 'isolated' : 'released';
  record('device', '', {
    CommandId: command,
    Action: action,
    Result: 'Done',
    Arguments: JSON.stringify(given),
    Message: message,
  });
  record('response.answer', 'admin', { command, action, outcome: 'done', status: 200, reason: message });
  return { status: 200, body: { id: command, module: body.module, status: 200, payload: { id: command, message } } };
}

/** @param {string} query */
function listCommands(query) {
  const device = /DeviceId == "([^"]*)"/.exec(query)?.[1];
  const columns = ['TimeGenerated', 'Kind', 'Actor', 'Details'].map((name, index) => ({
    name,
    type: index ? 'string' : 'datetime',
  }));
  return { ...answer('DeadLetter'), columns, rows: commandRows.filter(([of]) => of === device).map((row) => row.slice(1)) };
}

/** @param {string} method @param {string} path @param {URLSearchParams} query @param {any} body @returns {Answer} */
function route(method, path, query, body) {
  const [, kind = '', id = '', part = ''] = path.split('/').map(decodeURIComponent);
  const device = devices.find(({ deviceId }) => deviceId === id);
  switch (`${method} ${kind}`) {
    case 'GET me':
      return { status: 200, body: { user: 'admin', role: 'Admin', csrf_token: kCsrf } };
    case 'POST me':
      return { status: 204 };
    case 'GET status':
      return {
        status: 200,
        body: {
          version: '0.1.0',
          started_at: ago(90),
          uptime_s: 5400,
          installation_id: '7b0d6d0e-31f5-4b8e-9d0c-0a1b2c3d4e5f',
          hub: { connections: 133 },
          journal: { appended_records: 48210 },
          pipeline: { processed_records: 48210 },
          workspace: { hot_rows: 812 },
        },
      };
    case 'GET users':
      return { status: 200, body: { items: [{ user: 'admin', role: 'Admin', created: ago(900) }] } };
    case 'GET audit':
      return { status: 200, body: { items: [{ time: ago(5), user: 'admin', action: 'device.create', target: 'press-17' }] } };
    case 'POST sign-out':
      return { status: 204, cookie: 'picket_session=; Max-Age=0; Path=/api' };
    case 'GET overview':
      return { status: 200, body: overview() };
    case 'GET schema':
      return { status: 200, body: schema };
    case 'GET alerts': {
      if (!id) return { status: 200, body: listAlerts(query) };
      const alert = alerts.find((item) => item.id === id);
      return alert ? { status: 200, body: alert } : fail(404, 'not_found', `There is no alert ${id}.`);
    }
    case 'PATCH alerts': {
      const alert = alerts.find((item) => item.id === id);
      if (!alert) return fail(404, 'not_found', `There is no alert ${id}.`);
      const { comment: _, ...decided } = body;
      Object.assign(alert, decided);
      alert.changes.push({ time: new Date().toISOString(), user: 'admin', change: 'triaged', status: alert.status, ...body });
      broadcast('alert', { change: 'triaged', alert: summary(alert) });
      return { status: 200, body: alert };
    }
    case 'GET devices':
      if (!id) return { status: 200, body: listDevices(query) };
      if (!device) return fail(404, 'not_found', `There is no device ${id}.`);
      if (part === 'connection-string')
        return {
          status: 200,
          body: {
            connectionString: `HostName=picket.local;DeviceId=${id};ModuleId=${query.get('module')};SharedAccessKey=bW9jaw==`,
          },
        };
      if (part === 'twin') return { status: 200, body: twinOf(id, query.get('module') ?? undefined) };
      return { status: 200, body: { ...device, openAlerts: openBySeverity(id) } };
    case 'POST devices': {
      if (part === 'messages') return { status: 204 };
      if (part === 'response') return respond(id, device?.connectionState === 'Connected', body);
      if (part === 'methods') {
        if (device?.connectionState !== 'Connected')
          return fail(404, 'hub_device_not_online', `The device ${id} is not connected.`);
        return { status: 200, body: { status: 200, payload: { method: body.methodName, got: body.payload ?? null } } };
      }
      if (devices.some(({ deviceId }) => deviceId === body.deviceId))
        return fail(409, 'exists', `The device ${body.deviceId} exists already.`);
      const made = makeDevice({
        ...body,
        reporting: 'never',
        connectionState: 'Disconnected',
        lastActivity: undefined,
        coverage: {},
        systemInformation: undefined,
      });
      devices.push(made);
      return {
        status: 201,
        body: {
          device: made,
          connectionString: `HostName=picket.local;DeviceId=${body.deviceId};ModuleId=DefenderIotMicroAgent;SharedAccessKey=bW9jaw==`,
        },
      };
    }
    case 'PATCH devices':
      if (!device) return fail(404, 'not_found', `There is no device ${id}.`);
      if (part === 'twin') return patchTwin(twinOf(id, query.get('module') ?? undefined), body);
      Object.assign(device, body);
      return { status: 200, body: device };
    case 'DELETE devices':
      if (device) devices.splice(devices.indexOf(device), 1);
      return { status: 204 };
    case 'GET hubs':
      if (!id) return { status: 200, body: { items: [hub] } };
      if (id !== hub.name) return fail(404, 'not_found', 'There is no such thing.');
      if (part === 'policies') return { status: 200, body: { items: policies } };
      if (part === 'certificates') return { status: 200, body: { items: certificates } };
      return { status: 200, body: hub };
    case 'GET recommendation-types':
      return { status: 200, body: listRecommendationTypes() };
    case 'PATCH recommendation-types': {
      const type = recommendationKinds.find((item) => item.type === id);
      if (!type) return fail(404, 'not_found', 'There is no such thing.');
      type.enabled = body.enabled;
      return { status: 204 };
    }
    case 'GET recommendations':
      return { status: 200, body: listRecommendations(query) };
    case 'GET rules': {
      const rule = id ? findRule(id) : undefined;
      if (id && !rule) return fail(404, 'not_found', 'There is no such rule.');
      return { status: 200, body: rule ?? listRules() };
    }
    case 'PATCH rules': {
      const rule = findRule(id);
      if (!rule) return fail(404, 'not_found', 'There is no such rule.');
      rule.enabled = body.enabled;
      return { status: 204 };
    }
    case 'GET rule-files': {
      const file = findRuleFile(id);
      return file ? { status: 200, body: file } : fail(404, 'not_found', 'There is no such rule file.');
    }
    case 'PUT rule-files': {
      const made = putRuleFile(id, body);
      return made ? { status: 201, body: made } : fail(400, 'invalid', 'The file holds no rule.');
    }
    case 'DELETE rule-files':
      return removeRuleFile(id) ? { status: 204 } : fail(404, 'not_found', 'There is no such rule file.');
    case 'GET posture': {
      const one = part && deviceScore(part);
      if (part) return one ? { status: 200, body: one } : fail(404, 'not_found', 'There is no such device.');
      return { status: 200, body: id === 'devices' ? listScores() : posture(query.get('group') ?? '') };
    }
    case 'GET exemptions':
      return { status: 200, body: { items: exemptions } };
    case 'POST exemptions': {
      const made = {
        deviceId: '',
        group: '',
        ...body,
        id: randomUUID(),
        user: 'admin',
        created: new Date().toISOString(),
        expired: false,
      };
      exemptions.unshift(made);
      return { status: 201, body: made };
    }
    case 'DELETE exemptions':
      exemptions.splice(0, exemptions.length, ...exemptions.filter((one) => one.id !== id));
      return { status: 204 };
    case 'POST query': {
      const result = body.query.includes('"response."') ? listCommands(body.query) : answer(body.query);
      return { status: 'error' in result ? 400 : 200, body: result };
    }
    default:
      return fail(404, 'not_found', `No such operation: ${method} ${path}`);
  }
}

/** @param {import('node:http').IncomingMessage} request */
async function readBody(request) {
  let text = '';
  for await (const chunk of request) text += chunk;
  if (['application/yaml', 'application/octet-stream'].includes(request.headers['content-type'] ?? '')) return text;
  return text ? JSON.parse(text) : undefined;
}

/** @param {string} path @param {import('node:http').ServerResponse} response */
async function serveFile(path, response) {
  const wanted = normalize(path).replace(/^(\.\.[/\\])+/, '');
  // Everything that is no file of the build is a page; a device id may have a dot in it.
  const file = wanted.startsWith('/assets/') || wanted === '/favicon.svg' ? wanted : '/index.html';
  try {
    const bytes = await readFile(join(kDist, file));
    response
      .writeHead(200, {
        'Content-Type': kTypes[extname(file)] ?? 'application/octet-stream',
        'Content-Security-Policy': kPolicy,
        'X-Content-Type-Options': 'nosniff',
      })
      .end(bytes);
  } catch {
    response.writeHead(404).end();
  }
}

const server = createServer(async (request, response) => {
  const url = new URL(request.url ?? '/', 'http://mock');
  const send = (/** @type {Answer} */ { status, body, cookie }) =>
    response
      .writeHead(status, { 'Content-Type': 'application/json', ...(cookie ? { 'Set-Cookie': cookie } : {}) })
      .end(body === undefined ? undefined : JSON.stringify(body));
  if (url.pathname === '/mock/alert') {
    const alert = makeAlert(url.searchParams.get('type') ?? 'IoT_ReverseShell', url.searchParams.get('device') ?? 'press-17', 0);
    alerts.unshift(alert);
    broadcast('alert', { change: 'raised', alert: summary(alert) });
    return send({ status: 200, body: alert });
  }
  if (!url.pathname.startsWith('/api/v1/')) return serveFile(url.pathname, response);

  const path = url.pathname.slice('/api/v1'.length);
  if (path === '/sign-in') {
    const { user, secret } = await readBody(request);
    if (user !== 'admin' || secret !== 'picket') return send(fail(401, 'sign_in_failed', 'User or secret is wrong.'));
    return send({
      status: 200,
      cookie: `${kCookie}; HttpOnly; SameSite=Strict; Path=/api`,
      body: { user, role: 'Admin', csrf_token: kCsrf },
    });
  }
  if (!request.headers.cookie?.includes(kCookie)) return send(fail(401, 'not_signed_in', 'Sign in first.'));
  if (path === '/events') {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' }).write('retry: 2000\n\n');
    streams.add(response);
    request.on('close', () => streams.delete(response));
    return;
  }
  if (request.method !== 'GET' && request.headers['x-picket-csrf'] !== kCsrf)
    return send(fail(403, 'csrf', 'The CSRF token is missing.'));
  const [method, body] = [request.method ?? 'GET', await readBody(request)];
  send(askParts(method, path, url.searchParams, body) ?? route(method, path, url.searchParams, body));
});

setInterval(() => {
  const { devices: counts, events_per_minute, pipeline, dead_letters } = overview();
  broadcast('stats', {
    time: new Date().toISOString(),
    events_per_second: 71.5,
    minute: events_per_minute.at(-1),
    devices: counts,
    open_by_severity: openBySeverity(),
    pipeline,
    dead_letters,
  });
}, 5_000).unref();

server.listen(kPort, '127.0.0.1', () => console.log(`mock server on http://127.0.0.1:${kPort} (user admin, secret picket)`));
