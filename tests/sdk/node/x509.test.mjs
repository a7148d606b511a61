// Devices that prove themselves by a certificate, over every transport.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { before, describe, it } from 'node:test';

import device from 'azure-iot-device';

import { certificate } from './certificates.mjs';
import { ask, ca, host, rows, securityMessage, sleep, transports, within } from './hub.mjs';
import { body, registry, updateDesired } from './service.mjs';

const { Client, Message } = device;
const name = () => `x509-${randomBytes(4).toString('hex')}`;

async function client(deviceId, transport, { cert, key }) {
  const made = Client.fromConnectionString(`HostName=${host};DeviceId=${deviceId};x509=true`, transport);
  // Over HTTP this promise does not resolve before open(); over the others open() needs what it sets.
  await Promise.race([made.setOptions({ ca, cert, key }), sleep(transport === transports.http ? 300 : 20_000)]);
  return made;
}

async function sends(deviceId, transport, credentials) {
  const open = await client(deviceId, transport, credentials);
  await within(open.open(), 'open');
  const message = new Message(securityMessage(`x-${deviceId}`));
  message.contentType = 'application/json';
  message.contentEncoding = 'utf-8';
  message.setAsSecurityMessage();
  await within(open.sendEvent(message), 'sendEvent');
  await rows(`SecurityIoTRawEvent | where EventDetails has "x-${deviceId}"`);
  if (transport !== transports.http) {
    const [connect] = await rows(`HubOperations | where DeviceId == "${deviceId}" and Kind == "connect"`);
    assert.match(connect.CertificateThumbprint, /^[0-9a-f]{64}$/);
    assert.ok(connect.TlsGroup && connect.TlsVersion, 'how the connection is protected');
  }
  await open.close();
}
const refused = async (deviceId, transport, credentials) => {
  const made = await client(deviceId, transport, credentials);
  await assert.rejects(within(made.open().then(() => made.sendEvent(new Message('x'))), 'the refusal'),
                        (error) => error.name !== 'Error' || !/not within/.test(error.message));
};

let authority;
let unproven;
before(async () => {
  authority = certificate('Factory CA', { authority: true });
  const { verificationCode } = await ask('authority', { name: 'factory', file: authority.files.cert });
  const proof = certificate(verificationCode, { issuer: authority });
  await ask('prove', { name: 'factory', file: proof.files.cert });
  unproven = certificate('Unproven CA', { authority: true });
  await ask('authority', { name: 'unproven', file: unproven.files.cert });
});

for (const [transportName, transport] of Object.entries(transports)) {
  if (transportName === 'amqp over WebSocket') continue;  // the Node SDK cannot: its WebSocket takes no certificate
  describe(transportName, { concurrency: 3 }, () => {
    for (const [kind, primary, secondary] of [['SHA-1', 'thumbprint', 'thumbprint'], ['SHA-256', 'sha256', 'sha256']]) {
      it(`${transportName}: a self-signed certificate by its ${kind} thumbprint, primary and secondary`, async () => {
        const deviceId = name();
        const [one, two, stranger] = [certificate(deviceId), certificate(deviceId), certificate(deviceId)];
        const made = body(await (await registry()).create({ deviceId,
          authentication: { type: 'selfSigned', x509Thumbprint: { primaryThumbprint: one[primary], secondaryThumbprint: two[secondary] } } }));
        assert.equal(made.authentication.type, 'selfSigned');
        await sends(deviceId, transport, one);
        const second = await client(deviceId, transport, two);
        await within(second.open(), 'open with the secondary');
        await second.close();
        await refused(deviceId, transport, stranger);
      });
    }

    it(`${transportName}: a certificate of a proven authority, for the device it names only`, async () => {
      const [deviceId, other] = [name(), name()];
      const service = await registry();
      for (const id of [deviceId, other]) await service.create({ deviceId: id, authentication: { type: 'certificateAuthority' } });
      await sends(deviceId, transport, certificate(deviceId, { issuer: authority }));
      await refused(other, transport, certificate(deviceId, { issuer: authority }));
      await refused(deviceId, transport, certificate(deviceId, { issuer: unproven }));
      await refused(deviceId, transport, certificate(deviceId));
    });
  });
}

describe('twins with a certificate', () => {
  it('mqtt: reads and hears its twin', async () => {
    const deviceId = name();
    await (await registry()).create({ deviceId, authentication: { type: 'certificateAuthority' } });
    await updateDesired(deviceId, { here: 1 });
    const open = await client(deviceId, transports.mqtt, certificate(deviceId, { issuer: authority }));
    await within(open.open(), 'open');
    assert.equal((await within(open.getTwin(), 'getTwin')).properties.desired.here, 1);
    await open.close();
  });
});
