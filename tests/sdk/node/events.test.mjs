// The built-in events endpoint, read by the unmodified Event Hubs client.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { earliestEventPosition, EventHubConsumerClient, latestEventPosition } from '@azure/event-hubs';
import device from 'azure-iot-device';

import { deviceClient, field, host, moduleClient, moduleId, newDevice, serviceString, transports, until, within } from './hub.mjs';

const consumer = async () => {
  const string = await serviceString();
  return new EventHubConsumerClient('$Default',
    `Endpoint=sb://${host}/;SharedAccessKeyName=iothubowner;SharedAccessKey=${field(string, 'SharedAccessKey')};EntityPath=picket`);
};

let reader;
const received = [];
before(async () => {
  reader = await consumer();
  reader.subscribe({
    processEvents: async (events) => { received.push(...events); },
    processError: async (error) => { console.log('reader:', error.message); },
  }, { startPosition: earliestEventPosition, maxWaitTimeInSeconds: 2 });
});
after(() => reader?.close());

const event = (fits, what) => until(() => received.find(fits), what);

describe('events', { concurrency: 3 }, () => {
  for (const [name, transport] of Object.entries(transports)) {
    it(`${name}: a message arrives with its properties and the hub's stamps`, async () => {
      const { id, device: string } = await newDevice();
      const client = deviceClient(string, transport);
      await within(client.open(), 'open');
      const message = new device.Message(JSON.stringify({ from: id }));
      message.messageId = `m-${id}`;
      message.correlationId = 'c1';
      message.contentType = 'application/json';
      message.contentEncoding = 'utf-8';
      message.properties.add('level', 'high');
      await within(client.sendEvent(message), 'sendEvent');
      const got = await event((e) => e.systemProperties?.['iothub-connection-device-id'] === id, 'the event');
      assert.deepEqual(got.body, { from: id });
      assert.equal(got.properties.level, 'high');
      assert.equal(got.systemProperties['iothub-message-source'], 'Telemetry');
      assert.match(got.systemProperties['iothub-connection-auth-method'], /"scope":"device","type":"sas"/);
      assert.ok(got.systemProperties['iothub-connection-auth-generation-id']);
      assert.ok(got.sequenceNumber >= 0 && got.enqueuedTimeUtc instanceof Date);
      await client.close();
    });
  }

  it('http: a batch becomes one event a message', async () => {
    const { id, device: string } = await newDevice();
    const client = deviceClient(string, transports.http);
    await within(client.open(), 'open');
    await within(client.sendEventBatch([1, 2, 3].map((n) => {
      const message = new device.Message(`number ${n}`);
      message.properties.add('n', String(n));
      return message;
    })), 'sendEventBatch');
    for (const n of ['1', '2', '3']) {
      await event((e) => e.systemProperties?.['iothub-connection-device-id'] === id && e.properties?.n === n, `message ${n}`);
    }
    await client.close();
  });

  it('a module is stamped as one', async () => {
    const { id, module: string } = await newDevice();
    const client = moduleClient(string, transports.mqtt);
    await within(client.open(), 'open');
    await within(client.sendEvent(new device.Message('from the module')), 'sendEvent');
    const got = await event((e) => e.systemProperties?.['iothub-connection-device-id'] === id, 'the event');
    assert.equal(got.systemProperties['iothub-connection-module-id'], moduleId);
    await client.close();
  });

  it('partitions are described, and read from a position', async () => {
    const client = await consumer();
    const ids = await within(client.getPartitionIds(), 'the partitions');
    assert.ok(ids.length > 0);
    const facts = await within(client.getPartitionProperties(ids[0]), 'a partition');
    assert.equal(facts.partitionId, ids[0]);
    const { id, device: string } = await newDevice();
    const sender = deviceClient(string, transports.mqtt);
    await within(sender.open(), 'open');
    const late = [];
    const subscription = client.subscribe({
      processEvents: async (events) => { late.push(...events); },
      processError: async () => {},
    }, { startPosition: latestEventPosition, maxWaitTimeInSeconds: 1 });
    await until(async () => {
      await sender.sendEvent(new device.Message('now'));
      return late.some((e) => e.systemProperties?.['iothub-connection-device-id'] === id);
    }, 'a new event', 30_000, 500);
    await within(subscription.close(), 'the readers end');
    await within(client.close(), 'the consumer ends');
    await sender.close();
  });

  it('readers that are closed while events are on their way are closed at once', async () => {
    const { device: string } = await newDevice();
    const sender = deviceClient(string, transports.mqtt);
    await within(sender.open(), 'open');
    for (let sent = 0; sent < 400; sent += 50) {
      await within(Promise.all(Array.from({ length: 50 }, (_, i) => sender.sendEvent(new device.Message(`${sent + i}`)))), 'the events');
    }
    await sender.close();
    for (let round = 0; round < 5; round += 1) {
      const client = await consumer();
      let count = 0;
      const failures = [];
      const subscription = client.subscribe({
        processEvents: async (events) => { count += events.length; },
        processError: async (error) => { failures.push(error.message); },
      }, { startPosition: earliestEventPosition, maxBatchSize: 50 });
      await until(() => count > 0, 'events', 30_000, 10);
      await within(subscription.close(), 'the readers end');  // this SDK settles what comes after it has ended its session
      await within(client.close(), 'the consumer ends');
      assert.deepEqual(failures, []);
    }
  });
});
