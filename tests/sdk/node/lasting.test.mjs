// What must outlive a connection, and the server: tokens are renewed, the hub is killed, and subscriptions stay.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import common from 'azure-iot-common';

import { ask, deviceClient, Inbox, lasting, newDevice, prepare, rows, securityMessage, sleep, until, within } from './hub.mjs';
import { serviceClient, updateDesired } from './service.mjs';

const { Message } = common;

/** A device that listens to everything, with the ends of each line. */
async function listener(transport, options) {
  const { id, device: string } = await newDevice();
  const client = deviceClient(string, transport, { retry: true, ...options });
  await within(client.open(), 'open');
  const [deltas, commands] = [new Inbox(), new Inbox()];
  const twin = await within(client.getTwin(), 'getTwin');
  twin.on('properties.desired', (delta) => deltas.push(JSON.parse(JSON.stringify(delta))));
  await deltas.next('the present desired properties');
  client.on('message', (message) => {
    commands.push(message.data.toString());
    client.complete(message).catch(() => {});
  });
  client.onDeviceMethod('echo', (request, response) => response.send(200, request.payload));
  await sleep(500);
  return { id, client, twin, deltas, commands };
}

async function everythingWorks({ id, client, deltas, commands }, round) {
  await within(client.sendEvent(telemetry(`${round}-${id}`)), 'telemetry');
  await rows(`SecurityIoTRawEvent | where EventDetails has "${round}-${id}"`);
  await updateDesired(id, { round });
  await until(async () => (await deltas.next('a desired change')).round === round, 'the desired change');
  const service = await serviceClient();
  await within(service.send(id, new Message(`command ${round}`)), 'send');
  assert.equal(await commands.next('the command'), `command ${round}`);
  const { result } = await service.invokeDeviceMethod(id, { methodName: 'echo', payload: round, responseTimeoutInSeconds: 15,
                                                           connectTimeoutInSeconds: 5 });
  assert.deepEqual(result, { status: 200, payload: round });
  await service.close();
}

function telemetry(mark) {
  const message = new Message(securityMessage(mark));
  message.contentType = 'application/json';
  message.contentEncoding = 'utf-8';
  message.setAsSecurityMessage?.();
  message.interfaceId = 'urn:azureiot:Security:SecurityAgent:1';
  return message;
}

describe('renewal', { concurrency: 4 }, () => {
  for (const [name, transport] of lasting) {
    it(`${name}: after the token was renewed every subscription still works`, async () => {
      const device = await listener(transport, { tokenRenewal: { tokenValidTimeInSeconds: 12, tokenRenewalMarginInSeconds: 8 } });
      await everythingWorks(device, 'before');
      await sleep(10_000);  // two renewals
      await everythingWorks(device, 'after');
      prepare(device.client, { retry: false });
      await device.client.close();
    });
  }
});

describe('restart', () => {
  it('after kill -9 every subscription still works, over every transport', async () => {
    const devices = await Promise.all(lasting.map(async ([name, transport]) => [name, await listener(transport)]));
    for (const [name, device] of devices) await everythingWorks(device, `first-${name.replaceAll(' ', '')}`);
    await ask('kill');
    for (const [name, device] of devices) {
      await assert.doesNotReject(everythingWorks(device, `second-${name.replaceAll(' ', '')}`), name);
      await device.client.close();
    }
  });

  it('what was waiting before kill -9 is there after it', async () => {
    const { id, device: string } = await newDevice();
    const service = await serviceClient();
    for (const n of [1, 2, 3]) await within(service.send(id, new Message(`kept ${n}`)), 'send');
    await service.close();
    const { version } = await updateDesired(id, { kept: true });
    await ask('kill');
    const client = deviceClient(string, lasting[0][1]);
    await within(client.open(), 'open');
    const twin = await within(client.getTwin(), 'getTwin');
    assert.equal(twin.properties.desired.kept, true);
    assert.equal(twin.properties.desired.$version, 2);
    assert.ok(version >= 2);
    const inbox = new Inbox();
    client.on('message', inbox.push);
    for (const n of [1, 2, 3]) assert.equal((await inbox.next('a message')).data.toString(), `kept ${n}`);
    await client.close();
  });
});
