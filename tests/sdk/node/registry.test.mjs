// The identity registry through azure-iothub.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';

import { deviceClient, host, newDevice, serviceString, transports, within } from './hub.mjs';
import { body, registry } from './service.mjs';

const name = (prefix) => `${prefix}-${randomBytes(4).toString('hex')}`;
const key = () => randomBytes(32).toString('base64');
const fails = (what, pattern) => assert.rejects(what, (error) => pattern.test(`${error.name} ${error.message} ${error.responseBody}`));

describe('registry', { concurrency: 6 }, () => {
  it('a device is created with keys of the hub, read, changed, deleted', async () => {
    const service = await registry();
    const deviceId = name('crud');
    const made = body(await service.create({ deviceId }));
    assert.equal(made.deviceId, deviceId);
    assert.equal(made.status, 'enabled');
    assert.equal(made.connectionState, 'Disconnected');
    assert.ok(made.generationId && made.etag);
    assert.equal(Buffer.from(made.authentication.symmetricKey.primaryKey, 'base64').length, 32);
    assert.equal(made.authentication.type, 'sas');
    assert.deepEqual(body(await service.get(deviceId)), made);
    const changed = body(await service.update({ deviceId, status: 'disabled', statusReason: 'in repair' }));
    assert.equal(changed.status, 'disabled');
    assert.equal(changed.statusReason, 'in repair');
    assert.notEqual(changed.etag, made.etag);
    await service.delete(deviceId);
    await fails(service.get(deviceId), /DeviceNotFound/);
  });

  it('given keys are kept and open the hub; a disabled device is refused, also while connected', async () => {
    const service = await registry();
    const deviceId = name('keys');
    const [primaryKey, secondaryKey] = [key(), key()];
    const made = body(await service.create({ deviceId, authentication: { symmetricKey: { primaryKey, secondaryKey } } }));
    assert.deepEqual(made.authentication.symmetricKey, { primaryKey, secondaryKey });
    for (const each of [primaryKey, secondaryKey]) {
      const client = deviceClient(`HostName=${host};DeviceId=${deviceId};SharedAccessKey=${each}`, transports.mqtt);
      await within(client.open(), 'open');
      await client.close();
    }
    const client = deviceClient(`HostName=${host};DeviceId=${deviceId};SharedAccessKey=${primaryKey}`, transports.mqtt);
    await within(client.open(), 'open');
    const gone = new Promise((resolve) => client.on('disconnect', resolve));
    await service.update({ ...made, status: 'disabled' });
    await within(gone, 'the live connection ends');
    const again = deviceClient(`HostName=${host};DeviceId=${deviceId};SharedAccessKey=${primaryKey}`, transports.mqtt);
    await assert.rejects(within(again.open(), 'the refusal'), { name: 'UnauthorizedError' });
  });

  it('an id that exists is refused, and so is an id that is none', async () => {
    const service = await registry();
    const { id } = await newDevice();
    await fails(service.create({ deviceId: id }), /DeviceAlreadyExists/);
    await assert.rejects(service.create({ deviceId: 'with space' }));
    await assert.rejects(service.create({ deviceId: 'x'.repeat(129) }));
  });

  it('a device that is made again is another generation', async () => {
    const service = await registry();
    const deviceId = name('again');
    const first = body(await service.create({ deviceId }));
    await service.delete(deviceId);
    const second = body(await service.create({ deviceId }));
    assert.notEqual(second.generationId, first.generationId);
  });

  it('ids of any allowed characters', async () => {
    const service = await registry();
    for (const odd of "#+?%$*'=:._@(),!") {
      const deviceId = name(`odd${odd}x`);
      const made = body(await service.create({ deviceId }));
      assert.equal(made.deviceId, deviceId);
      assert.equal(body(await service.get(deviceId)).deviceId, deviceId);
      await service.delete(deviceId);
    }
  });

  it('modules are created, listed, changed and deleted', async () => {
    const service = await registry();
    const deviceId = name('mod');
    await service.create({ deviceId });
    const made = body(await service.addModule({ deviceId, moduleId: 'm1', managedBy: 'me' }));
    assert.equal(made.moduleId, 'm1');
    assert.ok(made.authentication.symmetricKey.primaryKey);
    await service.addModule({ deviceId, moduleId: 'm2' });
    const listed = body(await service.getModulesOnDevice(deviceId)).map((m) => m.moduleId);
    assert.ok(listed.includes('m1') && listed.includes('m2'));
    const changed = body(await service.updateModule({ ...made, managedBy: 'you' }));
    assert.equal(changed.managedBy, 'you');
    await service.removeModule(deviceId, 'm1');
    await fails(service.getModule(deviceId, 'm1'), /ModuleNotFound|NotFound/);
  });

  it('devices are created and removed in bulk; what fails is named', async () => {
    const service = await registry();
    const devices = Array.from({ length: 50 }, () => ({ deviceId: name('bulk') }));
    const made = body(await service.addDevices(devices));
    assert.equal(made.isSuccessful, true);
    assert.equal(body(await service.get(devices[49].deviceId)).deviceId, devices[49].deviceId);
    const twice = body(await service.addDevices([devices[0], { deviceId: name('bulk') }]).catch((error) => ({
      responseBody: JSON.parse(error.responseBody) })));
    assert.equal(twice.isSuccessful, false);
    assert.equal(twice.errors[0].deviceId, devices[0].deviceId);
    const changed = body(await service.updateDevices(devices.map((d) => ({ ...d, status: 'disabled' })), true));
    assert.equal(changed.isSuccessful, true);
    assert.equal(body(await service.get(devices[3].deviceId)).status, 'disabled');
    const removed = body(await service.removeDevices(devices, true));
    assert.equal(removed.isSuccessful, true);
    await assert.rejects(service.get(devices[0].deviceId));
  });

  it('the list and the statistics know the devices', async () => {
    const service = await registry();
    const { id } = await newDevice();
    assert.ok(body(await service.list()).some((device) => device.deviceId === id));
    const { totalDeviceCount, enabledDeviceCount } = body(await service.getRegistryStatistics());
    assert.ok(totalDeviceCount >= 1 && enabledDeviceCount >= 1 && totalDeviceCount >= enabledDeviceCount);
  });

  it('a stale etag is refused', async () => {
    const service = await registry();
    const made = body(await service.create({ deviceId: name('etag') }));
    await service.update({ ...made, statusReason: 'first' });
    const stale = within(new Promise((resolve, reject) => {
      service._restApiClient.executeApiCall('PUT', `/devices/${made.deviceId}?api-version=2021-04-12`,
        { 'Content-Type': 'application/json; charset=utf-8', 'If-Match': `"${made.etag}"` }, { ...made, statusReason: 'late' },
        (error, answer) => (error ? reject(error) : resolve(answer)));
    }), 'the update');
    await assert.rejects(stale, (error) => error.response?.statusCode === 412 || error.name === 'InvalidEtagError');
  });

  it('a wrong policy key and a policy without the right are refused', async () => {
    const wrong = (await serviceString()).replace(/SharedAccessKey=[^;]*/, `SharedAccessKey=${key()}`);
    const { default: iothub } = await import('azure-iothub');
    await fails(iothub.Registry.fromConnectionString(wrong).list(), /Unauthorized/);
    const { ask } = await import('./hub.mjs');
    const { connectionString } = await ask('service', { policy: 'registryRead' });
    const reader = iothub.Registry.fromConnectionString(connectionString);
    await reader.list();
    await fails(reader.create({ deviceId: name('no') }), /Unauthorized/);
  });
});
