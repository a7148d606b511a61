// The unmodified Azure IoT device SDK for Node.js against Picket's hub.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';

import common from 'azure-iot-common';
import device from 'azure-iot-device';
import mqtt from 'azure-iot-device-mqtt';

import { connectionString, keys, sasToken, startHub } from './hub.js';

const { Client, Message, ModuleClient } = device;
const { NoRetry } = common;
const { Mqtt } = mqtt;

let hub;
before(async () => {
  hub = await startHub();
});
after(() => hub?.stop());

function prepare(client) {
  client.setRetryPolicy(new NoRetry());
  return client.setOptions({ ca: hub.ca }).then(() => client);
}
const deviceClient = (name, key) => prepare(Client.fromConnectionString(connectionString(hub, name, key), Mqtt));

test('device connects, sends a security message and gets its acknowledgement', async () => {
  const client = await deviceClient('dev1');
  await client.open();
  const message = new Message(JSON.stringify({ hello: 'hub' }));
  message.messageId = 'id 1';
  message.correlationId = 'c1';
  message.contentType = 'application/json';
  message.contentEncoding = 'utf-8';
  message.properties.add('alert lvl', 'hi&there=é');
  message.setAsSecurityMessage();
  await client.sendEvent(message); // resolves with the PUBACK
  const stored = await hub.record((r) => r.kind === 'message' && r.properties['$.mid'] === 'id 1');
  assert.equal(stored.device, 'dev1');
  assert.equal(stored.module, '');
  assert.equal(stored.body, '{"hello":"hub"}');
  assert.equal(stored.properties['$.ifid'], 'urn:azureiot:Security:SecurityAgent:1');
  assert.equal(stored.properties['$.ct'], 'application/json');
  assert.equal(stored.properties['$.ce'], 'utf-8');
  assert.equal(stored.properties['$.cid'], 'c1');
  assert.equal(stored.properties['alert lvl'], 'hi&there=é');
  await client.close();
  const connected = await hub.event('connect', (e) => e.identity.device === 'dev1');
  assert.match(connected.sdk, /^azure-iot-device\/1\.18\.4/);
  await hub.event('disconnect', (e) => e.result.reason === 'client' && e.messages === 1);
});

test('message without properties or body, and one of 255 KiB', async () => {
  const client = await deviceClient('dev2');
  await client.open();
  await client.sendEvent(new Message(''));
  await client.sendEvent(new Message(Buffer.alloc(255 * 1024, 'x')));
  await hub.record((r) => r.device === 'dev2' && r.size === 0);
  await hub.record((r) => r.device === 'dev2' && r.size === 255 * 1024);
  await client.close();
});

test('module connects with its own key and sends to an output', async () => {
  const name = 'dev1/DefenderIotMicroAgent';
  const client = await prepare(ModuleClient.fromConnectionString(connectionString(hub, name), Mqtt));
  await client.open();
  await client.sendEvent(new Message('from the module'));
  await client.sendOutputEvent('out1', new Message('to an output'));
  const stored = await hub.record((r) => r.body === 'from the module');
  assert.equal(stored.module, 'DefenderIotMicroAgent');
  const output = await hub.record((r) => r.body === 'to an output');
  assert.equal(output.properties['$.on'], 'out1');
  await client.close();
});

test('many messages at once are all acknowledged', async () => {
  const client = await deviceClient('dev1');
  await client.open();
  await Promise.all(Array.from({ length: 500 }, (_, i) => client.sendEvent(new Message(`burst ${i}`))));
  for (let i = 0; i < 500; i += 1) await hub.record((r) => r.body === `burst ${i}`);
  await client.close();
});

test('second connection evicts the first', async () => {
  const first = await deviceClient('dev1');
  await first.open();
  const lost = once(first, 'disconnect');
  const second = await deviceClient('dev1');
  await second.open();
  await lost;
  await second.sendEvent(new Message('I stay'));
  await hub.record((r) => r.body === 'I stay');
  const evicted = await hub.event('evicted');
  assert.equal(evicted.result.code, 400027);
  await second.close();
});

test('wrong key is refused as unauthorized', async () => {
  const client = await deviceClient('dev1', keys.dev2);
  await assert.rejects(client.open(), { name: 'UnauthorizedError' });
  const failed = await hub.event('auth_failed', (e) => e.result.reason === 'token_signature');
  assert.equal(failed.claimed.device, 'dev1');
});

test('expired token is refused as unauthorized', async () => {
  const token = sasToken('dev1', keys.dev1, Math.floor(Date.now() / 1000) - 60);
  const client = Client.fromSharedAccessSignature(token, Mqtt);
  // fromSharedAccessSignature has no place for a gateway; the connection string would make a fresh token.
  client._transport._authenticationProvider._credentials.gatewayHostName = `localhost:${hub.port}`;
  await prepare(client);
  await assert.rejects(client.open(), { name: 'UnauthorizedError' });
  await hub.event('auth_failed', (e) => e.result.reason === 'token_expired');
});

test('unknown device is refused as unauthorized', async () => {
  const client = await deviceClient('stranger', keys.dev1);
  await assert.rejects(client.open(), { name: 'UnauthorizedError' });
  await hub.event('auth_failed', (e) => e.result.reason === 'unknown_identity');
});

test('cloud-to-device and method subscriptions are granted', async () => {
  const client = await deviceClient('dev1');
  await client.open();
  client.on('message', () => {});
  client.onDeviceMethod('reboot', () => {});
  await client.sendEvent(new Message('after subscribing'));
  await hub.record((r) => r.body === 'after subscribing');
  await client.close();
});

test('token renewal reconnects and goes on', async () => {
  const client = Client.fromConnectionString(connectionString(hub, 'dev2'), Mqtt);
  await client.setOptions({ ca: hub.ca, tokenRenewal: { tokenValidTimeInSeconds: 10, tokenRenewalMarginInSeconds: 8 } });
  await client.open();
  await client.sendEvent(new Message('first token'));
  const expiries = () =>
    new Set(
      hub.records
        .filter((r) => r.kind === 'hub_event' && r.device === 'dev2')
        .map((r) => JSON.parse(r.body))
        .filter((e) => e.kind === 'connect')
        .map((e) => e.auth.token_se),
    );
  const before = expiries().size;
  for (let i = 0; i < 50 && expiries().size === before; i += 1) await new Promise((resolve) => setTimeout(resolve, 100));
  assert.ok(expiries().size > before, 'a second connection with a new token');
  await client.sendEvent(new Message('second token'));
  await hub.record((r) => r.body === 'second token');
  await client.close();
});

test('twin request gets an answer, not silence', async () => {
  const client = await deviceClient('dev1');
  await client.open();
  await assert.rejects(client.getTwin());
  await client.close();
});
