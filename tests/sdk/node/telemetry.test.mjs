// Connecting and sending, over every transport.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';

import device from 'azure-iot-device';

import { deviceClient, field, host, lasting, moduleClient, moduleId, newDevice, prepare, rows, sasToken, securityMessage, sleep,
         transports, within } from './hub.mjs';

const { Client, Message } = device;

function marked(mark) {
  const message = new Message(securityMessage(mark));
  message.contentType = 'application/json';
  message.contentEncoding = 'utf-8';
  message.messageId = mark;
  message.setAsSecurityMessage();
  return message;
}

const rawEvent = (mark) => rows(`SecurityIoTRawEvent | where EventDetails has "${mark}"`);

for (const [name, transport] of Object.entries(transports)) {
  describe(name, { concurrency: 4 }, () => {
    it(`${name}: a security message becomes a raw event of its device`, async () => {
      const { id, device: string } = await newDevice();
      const client = deviceClient(string, transport);
      await within(client.open(), 'open');
      await within(client.sendEvent(marked(`mark-${id}`)), 'sendEvent');
      const [row] = await rawEvent(`mark-${id}`);
      assert.equal(row.DeviceId, id);
      assert.equal(row.RawEventName, 'ProcessCreate');
      await client.close();
    });

    it(`${name}: properties, an empty body and 255 KiB pass`, async () => {
      const { device: string } = await newDevice();
      const client = deviceClient(string, transport);
      await within(client.open(), 'open');
      const message = new Message('{"hello":"hub"}');
      message.messageId = 'id 1';
      message.correlationId = 'c1';
      message.userId = 'u1';
      message.contentType = 'application/json';
      message.contentEncoding = 'utf-8';
      message.properties.add(name === 'http' ? 'alertlvl' : 'alert lvl', name === 'http' ? 'high' : 'hi&there=é');
      await within(client.sendEvent(message), 'sendEvent');
      await within(client.sendEvent(new Message('')), 'an empty body');
      await within(client.sendEvent(new Message(Buffer.alloc(255 * 1024, 'x'))), '255 KiB');
      await client.close();
    });

    it(`${name}: a wrong key is refused as unauthorized`, async () => {
      const { device: string } = await newDevice();
      const other = await newDevice();
      const wrong = string.replace(field(string, 'SharedAccessKey'), field(other.device, 'SharedAccessKey'));
      const client = deviceClient(wrong, transport);
      await assert.rejects(within(client.open().then(() => client.sendEvent(new Message('x'))), 'the refusal'),
                           { name: 'UnauthorizedError' });
    });

    it(`${name}: an expired token is refused as unauthorized`, async () => {
      const { id, device: string } = await newDevice();
      const token = sasToken(`${host}/devices/${id}`, field(string, 'SharedAccessKey'), Math.floor(Date.now() / 1000) - 60);
      const client = prepare(Client.fromSharedAccessSignature(token, transport));
      await assert.rejects(within(client.open().then(() => client.sendEvent(new Message('x'))), 'the refusal'),
                           { name: 'UnauthorizedError' });
    });

    it(`${name}: a token of another device is refused`, async () => {
      const { device: string } = await newDevice();
      const victim = await newDevice();
      // Signed with a valid key, but of the other device: the claimed identity is the victim's.
      const token = sasToken(`${host}/devices/${victim.id}`, field(string, 'SharedAccessKey'), Math.floor(Date.now() / 1000) + 600);
      const client = prepare(Client.fromSharedAccessSignature(token, transport));
      await assert.rejects(within(client.open().then(() => client.sendEvent(new Message('x'))), 'the refusal'),
                           { name: 'UnauthorizedError' });
    });

    it(`${name}: an unknown device is refused`, async () => {
      const { id, device: string } = await newDevice();
      const client = deviceClient(string.replace(`DeviceId=${id}`, 'DeviceId=stranger'), transport);
      await assert.rejects(within(client.open().then(() => client.sendEvent(new Message('x'))), 'the refusal'),
                           (error) => ['UnauthorizedError', 'DeviceNotFoundError'].includes(error.name));
    });
  });
}

for (const [name, transport] of lasting) {
  describe(`connections over ${name}`, { concurrency: 4 }, () => {
    it(`${name}: many messages at once are all acknowledged`, async () => {
      const { id, device: string } = await newDevice();
      const client = deviceClient(string, transport);
      await within(client.open(), 'open');
      await within(Promise.all(Array.from({ length: 200 }, (_, i) => client.sendEvent(marked(`burst-${i}-${id}`)))), 'the burst');
      await rows(`SecurityIoTRawEvent | where DeviceId == "${id}" | distinct IoTRawEventId`, 200);
      await client.close();
    });

    it(`${name}: a second connection evicts the first`, async () => {
      const { id, device: string } = await newDevice();
      const first = deviceClient(string, transport);
      await within(first.open(), 'open');
      const lost = once(first, 'disconnect');
      const second = deviceClient(string, transport);
      await within(second.open(), 'the second open');
      // With NoRetry the SDK's AMQP client keeps the end of its connection to itself; the hub's log has it.
      if (name.startsWith('mqtt')) await within(lost, 'the first is told');
      await rows(`HubOperations | where DeviceId == "${id}" and Kind == "evicted"`);
      await within(second.sendEvent(marked(`stays-${id}`)), 'the second goes on');
      await rawEvent(`stays-${id}`);
      await second.close();
    });

    it(`${name}: a module sends with its own key, also to an output`, async () => {
      const { id, module: string } = await newDevice();
      const client = moduleClient(string, transport);
      await within(client.open(), 'open');
      await within(client.sendEvent(marked(`module-${id}`)), 'sendEvent');
      await within(client.sendOutputEvent('out1', new Message('to an output')), 'sendOutputEvent');
      const [row] = await rawEvent(`module-${id}`);
      assert.equal(row.DeviceId, id);
      await client.close();
    });

    // Only IoT Edge routes messages to modules: the hub grants the subscription, and has nothing to send.
    it(`${name}: a module may listen to its inputs`, async () => {
      const { id, module: string } = await newDevice();
      const client = moduleClient(string, transport);
      await within(client.open(), 'open');
      const heard = [];
      client.on('inputMessage', (input) => heard.push(input));
      client.on('error', (error) => heard.push(error));
      await sleep(300);
      await within(client.sendEvent(marked(`listens-${id}`)), 'sendEvent');
      await rawEvent(`listens-${id}`);
      assert.deepEqual(heard, []);
      await client.close();
    });

    it(`${name}: the module's key does not open the device`, async () => {
      const { id, module: string } = await newDevice();
      const client = deviceClient(`HostName=${host};DeviceId=${id};SharedAccessKey=${field(string, 'SharedAccessKey')}`, transport);
      await assert.rejects(within(client.open(), 'the refusal'), { name: 'UnauthorizedError' });
    });

    it(`${name}: a module of that id needs its own token`, async () => {
      const { id, device: string } = await newDevice();
      const client = moduleClient(
        `HostName=${host};DeviceId=${id};ModuleId=${moduleId};SharedAccessKey=${field(string, 'SharedAccessKey')}`, transport);
      await assert.rejects(within(client.open(), 'the refusal'), { name: 'UnauthorizedError' });
    });
  });
}
