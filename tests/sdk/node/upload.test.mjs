// File upload: the SDK asks for a ticket, puts the blob, tells the hub; the service hears of it.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';

import { deviceClient, Inbox, newDevice, transports, within } from './hub.mjs';
import { body, serviceClient } from './service.mjs';

async function notifications() {
  const service = await serviceClient();
  const receiver = body(await within(service.getFileNotificationReceiver(), 'the receiver of file notifications'));
  const inbox = new Inbox();
  receiver.on('message', (message) => {
    inbox.push(JSON.parse(message.data.toString()));
    receiver.complete(message, () => {});
  });
  return [service, inbox];
}

describe('upload', () => {
  for (const [name, transport] of Object.entries({ mqtt: transports.mqtt, http: transports.http, amqp: transports.amqp })) {
    it(`${name}: a file is stored whole, and the service is told`, async () => {
      const [service, inbox] = await notifications();
      const { id, device: string } = await newDevice();
      const client = deviceClient(string, transport);
      await within(client.open(), 'open');
      const content = randomBytes(300_000);
      await within(client.uploadToBlob('logs/boot 1.bin', Readable.from([content]), content.length), 'the upload', 60_000);
      let told;
      do told = await inbox.next('the notification', 60_000); while (told.deviceId !== id);
      assert.equal(told.blobName, `${id}/logs/boot 1.bin`);
      assert.equal(Number(told.blobSizeInBytes), content.length);
      await client.close();
      await service.close();
    });
  }

  it('a blob is read back by its URI as it was', async () => {
    const { id, device: string } = await newDevice();
    const client = deviceClient(string, transports.mqtt);
    await within(client.open(), 'open');
    const ticket = await within(client.getBlobSharedAccessSignature('back.bin'), 'the ticket');
    assert.equal(ticket.blobName, `${id}/back.bin`);
    const uri = `https://${ticket.hostName}/${ticket.containerName}/${ticket.blobName}${ticket.sasToken}`;
    const content = randomBytes(50_000);
    const put = await fetch(uri, { method: 'PUT', headers: { 'x-ms-blob-type': 'BlockBlob' }, body: content });
    assert.equal(put.status, 201);
    const elsewhere = uri.replace('back.bin', 'other.bin');
    assert.equal((await fetch(elsewhere, { method: 'PUT', headers: { 'x-ms-blob-type': 'BlockBlob' }, body: content })).status, 403);
    await within(client.notifyBlobUploadStatus(ticket.correlationId, true, 200, 'done'), 'the notification');
    await assert.rejects(within(client.notifyBlobUploadStatus('no such upload', true, 200, 'done'), 'the refusal'));
    await client.close();
  });

  it('the eleventh upload at a time is refused', async () => {
    const { device: string } = await newDevice();
    const client = deviceClient(string, transports.mqtt);
    await within(client.open(), 'open');
    const open = [];
    for (let n = 0; n < 10; n += 1) open.push(await client.getBlobSharedAccessSignature(`f${n}`));
    await assert.rejects(client.getBlobSharedAccessSignature('f10'));
    await client.notifyBlobUploadStatus(open[0].correlationId, false, 500, 'given up');
    await client.getBlobSharedAccessSignature('f10');
    await client.close();
  });
});
