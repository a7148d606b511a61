// Device provisioning: individual and group enrolment, symmetric key and X.509, over MQTT and HTTPS.
import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { before, describe, it } from 'node:test';

import device from 'azure-iot-device';
import provisioningDevice from 'azure-iot-provisioning-device';
import provisioningHttp from 'azure-iot-provisioning-device-http';
import provisioningMqtt from 'azure-iot-provisioning-device-mqtt';
import provisioningService from 'azure-iot-provisioning-service';
import symmetric from 'azure-iot-security-symmetric-key';
import x509 from 'azure-iot-security-x509';

import { certificate } from './certificates.mjs';
import { ask, ca, deviceClient, host, moduleId, transports, within } from './hub.mjs';
import { body, registry } from './service.mjs';

const { ProvisioningDeviceClient } = provisioningDevice;
const name = (prefix) => `${prefix}-${randomBytes(4).toString('hex')}`;
const key = () => randomBytes(32).toString('base64');
const ways = { mqtt: provisioningMqtt.Mqtt, 'mqtt over WebSocket': provisioningMqtt.MqttWs, https: provisioningHttp.Http };

let idScope;
let service;
before(async () => {
  const found = await ask('provisioning');
  idScope = found.idScope;
  service = provisioningService.ProvisioningServiceClient.fromConnectionString(found.connectionString);
});

const register = (way, security) =>
  within(ProvisioningDeviceClient.create(host, idScope, new ways[way](), security).register(), 'the registration', 40_000);
const byKey = (registrationId, symmetricKey) => new symmetric.SymmetricKeySecurityClient(registrationId, symmetricKey);
const byCertificate = (registrationId, { cert, key: privateKey }) => new x509.X509Security(registrationId, { cert, key: privateKey });
const derived = (groupKey, registrationId) =>
  createHmac('sha256', Buffer.from(groupKey, 'base64')).update(registrationId).digest('base64');

async function connects(deviceId, { sharedKey, credentials }) {
  const client = sharedKey
    ? deviceClient(`HostName=${host};DeviceId=${deviceId};SharedAccessKey=${sharedKey}`, transports.mqtt)
    : device.Client.fromConnectionString(`HostName=${host};DeviceId=${deviceId};x509=true`, transports.mqtt);
  if (credentials) await client.setOptions({ ca, cert: credentials.cert, key: credentials.key });
  await within(client.open(), 'the device opens the hub it was assigned to');
  await client.sendEvent(new device.Message('provisioned'));
  await client.close();
}

for (const way of Object.keys(ways)) {
  describe(way, { concurrency: 4 }, () => {
    it(`${way}: an individual enrolment by key, with its twin and device id`, async () => {
      const [registrationId, deviceId] = [name('reg'), name('device')];
      const [primaryKey, secondaryKey] = [key(), key()];
      await service.createOrUpdateIndividualEnrollment({ registrationId, deviceId,
        attestation: { type: 'symmetricKey', symmetricKey: { primaryKey, secondaryKey } },
        initialTwin: { tags: { site: 'north' }, properties: { desired: { interval: 7 } } } });
      const result = await register(way, byKey(registrationId, primaryKey));
      assert.equal(result.status, 'assigned');
      assert.equal(result.assignedHub, host);
      assert.equal(result.deviceId, deviceId);
      const twin = body(await (await registry()).getTwin(deviceId));
      assert.equal(twin.tags.site, 'north');
      assert.equal(twin.properties.desired.interval, 7);
      await connects(deviceId, { sharedKey: primaryKey });
      const again = await register(way, byKey(registrationId, secondaryKey));
      assert.equal(again.deviceId, deviceId);
    });

    it(`${way}: a group by key; each device gets its security module too`, async () => {
      const groupKey = key();
      await service.createOrUpdateEnrollmentGroup({ enrollmentGroupId: name('group'),
        attestation: { type: 'symmetricKey', symmetricKey: { primaryKey: groupKey, secondaryKey: key() } } });
      const registrationId = name('member');
      const result = await register(way, byKey(registrationId, derived(groupKey, registrationId)));
      assert.equal(result.status, 'assigned');
      assert.equal(result.deviceId, registrationId);
      await connects(registrationId, { sharedKey: derived(groupKey, registrationId) });
      assert.ok(body(await (await registry()).getModule(registrationId, moduleId)));
    });

    it(`${way}: an individual enrolment by certificate`, async () => {
      const registrationId = name('cert');
      const credentials = certificate(registrationId);
      await service.createOrUpdateIndividualEnrollment({ registrationId,
        attestation: { type: 'x509', x509: { clientCertificates: { primary: { certificate: credentials.cert } } } } });
      const result = await register(way, byCertificate(registrationId, credentials));
      assert.equal(result.deviceId, registrationId);
      await connects(registrationId, { credentials });
    });

    it(`${way}: a group by the certificate that signs its devices'`, async () => {
      const signer = certificate(name('Signer'), { authority: true });
      await service.createOrUpdateEnrollmentGroup({ enrollmentGroupId: name('group'),
        attestation: { type: 'x509', x509: { signingCertificates: { primary: { certificate: signer.cert } } } } });
      const registrationId = name('signed');
      const credentials = certificate(registrationId, { issuer: signer });
      const result = await register(way, byCertificate(registrationId, credentials));
      assert.equal(result.deviceId, registrationId);
      await connects(registrationId, { credentials });
      const stranger = name('stranger');
      await assert.rejects(register(way, byCertificate(stranger, certificate(stranger))));
    });

    it(`${way}: a wrong key, an unknown registration and a disabled enrolment are refused`, async () => {
      const registrationId = name('reg');
      const primaryKey = key();
      const enrollment = { registrationId, attestation: { type: 'symmetricKey', symmetricKey: { primaryKey, secondaryKey: key() } } };
      await service.createOrUpdateIndividualEnrollment({ ...enrollment, provisioningStatus: 'disabled' });
      await assert.rejects(register(way, byKey(registrationId, primaryKey)));
      await assert.rejects(register(way, byKey(registrationId, key())));
      await assert.rejects(register(way, byKey(name('unknown'), primaryKey)));
    });
  });
}

describe('the provisioning service', { concurrency: 4 }, () => {
  it('enrolments are read, queried, changed and deleted', async () => {
    const registrationId = name('crud');
    const made = body(await service.createOrUpdateIndividualEnrollment({ registrationId,
      attestation: { type: 'symmetricKey' } }));
    assert.equal(made.registrationId, registrationId);
    assert.equal(made.provisioningStatus, 'enabled');
    const attestation = body(await service.getIndividualEnrollmentAttestationMechanism(registrationId));
    assert.equal(Buffer.from(attestation.symmetricKey.primaryKey, 'base64').length, 64);
    const read = body(await service.getIndividualEnrollment(registrationId));
    assert.equal(read.etag, made.etag);
    const result = body(await service.createIndividualEnrollmentQuery({ query: '*' }, 100).next());
    assert.ok(result.some((e) => e.registrationId === registrationId));
    await service.deleteIndividualEnrollment(registrationId);
    await assert.rejects(service.getIndividualEnrollment(registrationId));
  });

  it('a registration leaves a record that can be read and deleted', async () => {
    const registrationId = name('state');
    const primaryKey = key();
    await service.createOrUpdateIndividualEnrollment({ registrationId,
      attestation: { type: 'symmetricKey', symmetricKey: { primaryKey, secondaryKey: key() } } });
    await register('https', byKey(registrationId, primaryKey));
    const state = body(await service.getDeviceRegistrationState(registrationId));
    assert.equal(state.status, 'assigned');
    assert.equal(state.assignedHub, host);
    await service.deleteDeviceRegistrationState(registrationId);
    await assert.rejects(service.getDeviceRegistrationState(registrationId));
  });

  it('enrolments in bulk', async () => {
    const enrollments = Array.from({ length: 5 }, () => ({ registrationId: name('bulk'), attestation: {
      type: 'symmetricKey', symmetricKey: { primaryKey: key(), secondaryKey: key() } } }));
    // Its promise form never ends in this SDK: only the callback is called.
    const made = await new Promise((resolve, reject) => {
      service.runBulkEnrollmentOperation({ mode: 'create', enrollments }, (error, result) => error ? reject(error) : resolve(result));
    });
    assert.equal(made.isSuccessful, true);
    assert.ok(body(await service.getIndividualEnrollment(enrollments[4].registrationId)));
  });
});
