// Cloud-to-device messages: their life over each transport, and the feedback about its end.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';

import common from 'azure-iot-common';
import iothub from 'azure-iothub';

import { deviceClient, Inbox, lasting, newDevice, prepare, transports, until, within } from './hub.mjs';
import { body, registry, serviceClient } from './service.mjs';

const { Message } = common;
let service;
let feedback;
const verdicts = new Map();  // message id -> status code
before(async () => {
  service = await serviceClient();
  feedback = body(await within(service.getFeedbackReceiver(), 'the feedback receiver'));
  feedback.on('message', (message) => {
    for (const record of JSON.parse(message.data.toString())) verdicts.set(record.originalMessageId, record.statusCode);
    feedback.complete(message, () => {});
  });
});
after(() => service?.close());

function command(text, { ack = 'full', ...more } = {}) {
  const message = new Message(text);
  message.messageId = randomUUID();
  message.ack = ack;
  return Object.assign(message, more);
}
const send = (id, message) => within(service.send(id, message), 'the service sends');
const verdict = (message) => until(() => verdicts.get(message.messageId), 'feedback', 40_000);

// Feedback comes in batches of up to 15 seconds: the cases wait for it side by side.
describe('commands', { concurrency: 16 }, () => {
  for (const [name, transport] of lasting) {
    describe(name, { concurrency: 4 }, () => {
      it(`${name}: a message arrives with its properties and is completed`, async () => {
        const { id, device: string } = await newDevice();
        const client = deviceClient(string, transport);
        await within(client.open(), 'open');
        const inbox = new Inbox();
        client.on('message', inbox.push);
        const message = command('turn left', { correlationId: 'c 1' });
        message.properties.add('speed', 'slow & steady');
        await send(id, message);
        const got = await inbox.next('the message');
        assert.equal(got.data.toString(), 'turn left');
        assert.equal(got.messageId, message.messageId);
        assert.equal(got.correlationId, 'c 1');
        assert.equal(got.properties.getValue('speed'), 'slow & steady');
        await within(client.complete(got), 'complete');
        assert.equal(await verdict(message), 'Success');
        await client.close();
      });

      it(`${name}: messages sent while the device was away wait for it, in order`, async () => {
        const { id, device: string } = await newDevice();
        for (const n of [1, 2, 3]) await send(id, command(`waiting ${n}`, { ack: 'none' }));
        const client = deviceClient(string, transport);
        await within(client.open(), 'open');
        const inbox = new Inbox();
        client.on('message', (message) => {
          inbox.push(message);
          client.complete(message).catch(() => {});
        });
        for (const n of [1, 2, 3]) assert.equal((await inbox.next('a message')).data.toString(), `waiting ${n}`);
        await client.close();
      });
    });
  }

  for (const name of ['amqp', 'amqp over WebSocket', 'http']) {
    describe(`verdicts over ${name}`, { concurrency: 4 }, () => {
      const listen = async (string) => {
        const client = deviceClient(string, transports[name]);
        if (name === 'http') prepare(client, { http: { receivePolicy: { interval: 1 } } });
        await within(client.open(), 'open');
        const inbox = new Inbox();
        client.on('message', inbox.push);
        return [client, inbox];
      };

      it(`${name}: complete ends a message, Success`, async () => {
        const { id, device: string } = await newDevice();
        const [client, inbox] = await listen(string);
        const message = command('do');
        await send(id, message);
        const got = await inbox.next('the message');
        assert.equal(got.data.toString(), 'do');
        await within(client.complete(got), 'complete');
        assert.equal(await verdict(message), 'Success');
        await client.close();
      });

      it(`${name}: reject ends a message, Rejected`, async () => {
        const { id, device: string } = await newDevice();
        const [client, inbox] = await listen(string);
        const message = command('no');
        await send(id, message);
        await within(client.reject(await inbox.next('the message')), 'reject');
        assert.equal(await verdict(message), 'Rejected');
        await client.close();
      });

      it(`${name}: an abandoned message comes again, the tenth time is the last`, async () => {
        const { id, device: string } = await newDevice();
        const [client, inbox] = await listen(string);
        const message = command('again');
        await send(id, message);
        const deliveries = name === 'http' ? 2 : 10;
        for (let n = 1; n <= deliveries; n += 1) await within(client.abandon(await inbox.next(`delivery ${n}`)), 'abandon');
        if (deliveries === 10) {
          assert.equal(await verdict(message), 'DeliveryCountExceeded');
        } else {
          await within(client.complete(await inbox.next('once more')), 'complete');
          assert.equal(await verdict(message), 'Success');
        }
        await client.close();
      });
    });
  }

  describe('the queue of a device', { concurrency: 4 }, () => {
    it('the 51st waiting message is refused', async () => {
      const { id } = await newDevice();
      for (let n = 0; n < 50; n += 1) await send(id, command(`${n}`, { ack: 'none' }));
      await assert.rejects(send(id, command('one too many', { ack: 'none' })));
    });

    it('an expired message is reported as Expired', async () => {
      const { id } = await newDevice();
      const message = command('too late');
      message.expiryTimeUtc = Date.now() + 2000;
      await send(id, message);
      assert.equal(await verdict(message), 'Expired');
    });

    it('purged messages are counted and reported as Purged', async () => {
      const { id } = await newDevice();
      const message = command('never mind');
      await send(id, message);
      const { totalMessagesPurged } = await purge(id);
      assert.equal(totalMessagesPurged, 1);
      assert.equal(await verdict(message), 'Purged');
    });

    it('a message to nobody is refused', async () => {
      await assert.rejects(send('nobody', command('hello')));
    });

    it('the service also sends over AMQP in WebSocket', async () => {
      const { id, device: string } = await newDevice();
      const other = await serviceClient(iothub.AmqpWs);
      const client = deviceClient(string, transports.mqtt);
      await within(client.open(), 'open');
      const inbox = new Inbox();
      client.on('message', inbox.push);
      await within(other.send(id, command('through the web')), 'send');
      assert.equal((await inbox.next('the message')).data.toString(), 'through the web');
      await client.close();
      await other.close();
    });
  });
});

/** The Node SDK has no call for it: its own REST client does it. */
async function purge(id) {
  const service = await registry();
  return within(new Promise((resolve, reject) => {
    service._restApiClient.executeApiCall('DELETE', `/devices/${id}/commands?api-version=2021-04-12`, {}, null,
      (error, answer) => (error ? reject(error) : resolve(answer)));
  }), 'the purge');
}
