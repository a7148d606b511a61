// What is AMQP's own: the two forms of the security mark, Microsoft's batch format, and rates told by credit.
//
// The SDKs of Node and Java mark by annotation (each of them in telemetry.test.mjs and TelemetryTest.java, too). What only
// clients without an SDK do, or SDKs that are gone, a bare AMQP client does: rhea, which azure-iot-amqp-base brings.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import amqpBase from 'azure-iot-amqp-base';
import device from 'azure-iot-device';
import rhea from 'rhea';

import { ask, ca, deviceClient, field, host, newDevice, rows, sasToken, securityMessage, transports, until, within } from './hub.mjs';

const { Message } = device;

const mark = 'iothub-interface-id';
const security = 'urn:azureiot:Security:SecurityAgent:1';
const batchFormat = 0x80013700;

const rawEvent = (text) => rows(`SecurityIoTRawEvent | where EventDetails has "${text}"`);
const rawEventsNow = (text) => ask('rows', { query: `SecurityIoTRawEvent | where EventDetails has "${text}"` });

/** A bare client of a device: SASL PLAIN with a token, and its telemetry link. `send` resolves when it is accepted. */
async function bareSender(id, deviceString) {
  const container = rhea.create_container();
  const connection = container.connect({
    transport: 'tls', host, servername: host, port: 5671, ca, reconnect: false, username: `${id}@sas.${host.split('.')[0]}`,
    password: sasToken(`${host}/devices/${id}`, field(deviceString, 'SharedAccessKey'), Math.floor(Date.now() / 1000) + 600),
  });
  const sender = connection.open_sender(`/devices/${id}/messages/events`);
  await within(new Promise((resolve, reject) => {
    sender.once('sendable', resolve);
    for (const ended of ['disconnected', 'connection_error', 'sender_error']) connection.once(ended, () => reject(new Error(ended)));
  }), 'the telemetry link');
  const waiting = new Map();
  for (const outcome of ['accepted', 'rejected', 'released', 'modified']) {
    sender.on(outcome, ({ delivery }) => waiting.get(delivery)?.(outcome));
  }
  const send = async (message, format) => {
    const delivery = sender.send(message, undefined, format);
    assert.equal(await within(new Promise((resolve) => waiting.set(delivery, resolve)), 'an outcome'), 'accepted');
  };
  return { send, close: () => connection.close() };
}

const securityBody = (text) => ({ content_type: 'application/json', content_encoding: 'utf-8',
                                  body: rhea.message.data_section(Buffer.from(securityMessage(text))) });

describe('security mark', { concurrency: 3 }, () => {
  for (const name of ['amqp', 'amqp over WebSocket']) {
    it(`${name}: the SDK marks by annotation, and that makes a raw event`, async () => {
      const { id, device: string } = await newDevice();
      const marked = new Message(securityMessage(`annotated-${id}`));
      marked.setAsSecurityMessage();
      const sent = amqpBase.AmqpMessage.fromMessage(marked);
      assert.equal(sent.message_annotations[mark], security);
      assert.equal(sent.application_properties?.[mark], undefined);
      const client = deviceClient(string, transports[name]);
      await within(client.open(), 'open');
      await within(client.sendEvent(marked), 'sendEvent');
      const [row] = await rawEvent(`annotated-${id}`);
      assert.equal(row.DeviceId, id);
      await client.close();
    });

    it(`${name}: the same message without the mark makes none`, async () => {
      const { id, device: string } = await newDevice();
      const client = deviceClient(string, transports[name]);
      await within(client.open(), 'open');
      const plain = new Message(securityMessage(`unmarked-${id}`));
      plain.contentType = 'application/json';
      plain.contentEncoding = 'utf-8';
      await within(client.sendEvent(plain), 'sendEvent');
      const marked = new Message(securityMessage(`behind-${id}`));
      marked.setAsSecurityMessage();
      await within(client.sendEvent(marked), 'sendEvent');
      await rawEvent(`behind-${id}`);  // what came before it has been seen by now
      assert.deepEqual(await rawEventsNow(`unmarked-${id}`), []);
      await client.close();
    });
  }

  it('bare client: as message annotation', async () => {
    const { id, device: string } = await newDevice();
    const client = await bareSender(id, string);
    await client.send({ ...securityBody(`bare-annotation-${id}`), message_annotations: { [mark]: security } });
    const [row] = await rawEvent(`bare-annotation-${id}`);
    assert.equal(row.DeviceId, id);
    client.close();
  });

  it('bare client: as application property', async () => {
    const { id, device: string } = await newDevice();
    const client = await bareSender(id, string);
    await client.send({ ...securityBody(`bare-property-${id}`), application_properties: { [mark]: security } });
    const [row] = await rawEvent(`bare-property-${id}`);
    assert.equal(row.DeviceId, id);
    assert.equal(row.RawEventName, 'ProcessCreate');
    client.close();
  });

  it('bare client: without the mark, or with another one, none', async () => {
    const { id, device: string } = await newDevice();
    const client = await bareSender(id, string);
    await client.send(securityBody(`bare-unmarked-${id}`));
    await client.send({ ...securityBody(`bare-other-${id}`), application_properties: { [mark]: 'urn:other:1' } });
    await client.send({ ...securityBody(`bare-behind-${id}`), message_annotations: { [mark]: security } });
    await rawEvent(`bare-behind-${id}`);
    assert.deepEqual(await rawEventsNow(`bare-unmarked-${id}`), []);
    assert.deepEqual(await rawEventsNow(`bare-other-${id}`), []);
    client.close();
  });

  it('bare client: a batch becomes the messages it holds, each with its own mark', async () => {
    const { id, device: string } = await newDevice();
    const client = await bareSender(id, string);
    const inner = [
      { ...securityBody(`batch-1-${id}`), message_annotations: { [mark]: security } },
      securityBody(`batch-2-${id}`),
      { ...securityBody(`batch-3-${id}`), application_properties: { [mark]: security } },
    ].map((message) => rhea.message.encode(message));
    await client.send(rhea.message.encode({ body: rhea.message.data_sections(inner) }), batchFormat);
    await rawEvent(`batch-1-${id}`);
    await rawEvent(`batch-3-${id}`);
    assert.deepEqual(await rawEventsNow(`batch-2-${id}`), []);
    client.close();
  });
});

describe('rates of a tier', () => {
  it('amqp: telemetry above the rate waits, and none is lost', async () => {
    const { id, device: string } = await newDevice();
    const client = deviceClient(string, transports.amqp);
    await within(client.open(), 'open');
    await ask('resize', { tier: 'F1' });  // 100 messages a second, and 100 at once; in force a moment later
    const throttled = () => ask('rows', { query: `HubOperations | where DeviceId == "${id}" and Kind == "throttled"` });
    let sent = 0;
    const wave = () => Promise.all(Array.from({ length: 400 }, () => {
      const message = new Message(securityMessage(`paced-${(sent += 1)}-${id}`));
      message.setAsSecurityMessage();
      return client.sendEvent(message);
    }));
    try {
      const row = await until(async () => {
        await within(wave(), 'all are accepted', 60_000);
        return (await throttled())[0];
      }, 'a wave is above the rate', 60_000);
      await rows(`SecurityIoTRawEvent | where DeviceId == "${id}" | distinct IoTRawEventId`, sent);
      assert.equal(row.ResultDescription, 'd2c_messages');
      assert.equal(row.Protocol, 'amqp');
    } finally {
      await ask('resize', { tier: 'none' });
    }
    await client.close();
  });
});
