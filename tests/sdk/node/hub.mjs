// What the cases share: the hub under test, its devices, its rows. Hosts and ports are the SDKs' own.
import { createHmac, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';

import common from 'azure-iot-common';
import device from 'azure-iot-device';
import amqp from 'azure-iot-device-amqp';
import http from 'azure-iot-device-http';
import mqtt from 'azure-iot-device-mqtt';

export const host = process.env.PICKET_SDK_HUB;
export const folder = process.env.PICKET_SDK_FOLDER;
export const ca = readFileSync(process.env.PICKET_SDK_CA, 'utf8');
export const moduleId = 'DefenderIotMicroAgent';

/** Every transport that a device may choose. */
export const transports = {
  mqtt: mqtt.Mqtt,
  'mqtt over WebSocket': mqtt.MqttWs,
  amqp: amqp.Amqp,
  'amqp over WebSocket': amqp.AmqpWs,
  http: http.Http,
};
export const lasting = Object.entries(transports).filter(([name]) => name !== 'http');

/** Asks the harness, see harness/control.py. */
export async function ask(what, body = {}) {
  const answer = await fetch(`${process.env.PICKET_SDK_CONTROL}/${what}`, { method: 'POST', body: JSON.stringify(body) });
  const value = await answer.json();
  if (!answer.ok) throw new Error(`harness: ${value.error}`);
  return value;
}

let made = 0;
/** A new device with its security module: {id, device, module}; the latter are connection strings. */
export async function newDevice(id = `dev-${(made += 1)}-${randomBytes(3).toString('hex')}`) {
  return { id, ...(await ask('device', { id })) };
}

let service;
/** The connection string of the policy iothubowner. */
export async function serviceString() {
  service ??= ask('service', { policy: 'iothubowner' });
  return (await service).connectionString;
}

/** A client that trusts the hub's authority and does not try again by itself, unless the case wants that. */
export function prepare(client, { retry = false, ...options } = {}) {
  if (!retry) client.setRetryPolicy(new common.NoRetry());
  // With the HTTP transport the promise of setOptions never resolves before open(): not awaited.
  client.setOptions({ ca, ...options }).catch(() => {});
  return client;
}
export const deviceClient = (connectionString, transport, options) =>
  prepare(device.Client.fromConnectionString(connectionString, transport), options);
export const moduleClient = (connectionString, transport, options) =>
  prepare(device.ModuleClient.fromConnectionString(connectionString, transport), options);

export const field = (connectionString, name) =>
  connectionString.split(';').find((part) => part.startsWith(`${name}=`))?.slice(name.length + 1);

export function sasToken(resource, key, expirySeconds, policy) {
  const sr = encodeURIComponent(resource);
  const signature = createHmac('sha256', Buffer.from(key, 'base64')).update(`${sr}\n${expirySeconds}`).digest('base64');
  const end = policy ? `&skn=${policy}` : '';
  return `SharedAccessSignature sr=${sr}&sig=${encodeURIComponent(signature)}&se=${expirySeconds}${end}`;
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** The first truthy value of `probe`; fails with `what` after the time. */
export async function until(probe, what, ms = 90_000, every = 100) {
  const end = Date.now() + ms;
  for (;;) {
    const value = await probe();
    if (value) return value;
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
    await sleep(every);
  }
}

/** The rows of a KQL query as soon as there are at least `count`. */
export const rows = (query, count = 1) =>
  until(async () => {
    const found = await ask('rows', { query });
    return found.length >= count && found;
  }, `${count} rows of ${query}`);

/** Fails the case instead of hanging it. */
export function within(promise, what, ms = 90_000) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${ms} ms: ${what}`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** A queue of what a callback was given: `events.push` is the callback, `await events.next()` the consumer. */
export class Inbox {
  #items = [];
  #waiting = [];
  push = (...item) => {
    const value = item.length > 1 ? item : item[0];
    const waiter = this.#waiting.shift();
    if (waiter) waiter(value);
    else this.#items.push(value);
  };
  next(what = 'something arrives', ms = 90_000) {
    if (this.#items.length > 0) return Promise.resolve(this.#items.shift());
    return within(new Promise((resolve) => this.#waiting.push(resolve)), what, ms);
  }
  get size() {
    return this.#items.length;
  }
}

/** A security message of the classic schema 1.0 with one process event; `mark` makes its command line unique. */
export function securityMessage(mark) {
  const now = new Date().toISOString();
  return JSON.stringify({
    AgentVersion: '0.0.1',
    AgentId: '2f1b6a7e-1c2d-4d0a-9a57-0a6f5b0c1d2e',
    MessageSchemaVersion: '1.0',
    Events: [
      {
        EventType: 'Security', Category: 'Triggered', Name: 'ProcessCreate', IsEmpty: false, PayloadSchemaVersion: '1.0',
        Id: crypto.randomUUID(), TimestampLocal: now, TimestampUTC: now,
        Payload: [{ Executable: '/usr/bin/true', ProcessId: 42, ParentProcessId: 1, UserName: 'root', UserId: 0,
                    CommandLine: `true ${mark}` }],
      },
    ],
  });
}
