// Devices in bulk by a job, through the container of the hub (docs/hub.md, "HTTPS").
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { it } from 'node:test';

import { host, until } from './hub.mjs';
import { body, registry, serviceToken } from './service.mjs';

const container = `https://${host}/uploads-picket`;

async function file(method, name, content) {
  const answer = await fetch(`${container}/${name}`, { method, body: content, headers: { authorization: await serviceToken() } });
  assert.ok(answer.ok, `${method} ${name}: ${answer.status}`);
  return answer.text();
}
const ended = (service, job) => until(async () => {
  const now = body(await service.getJob(body(job).jobId));
  return ['completed', 'failed'].includes(now.status) && now;
}, 'the end of the job');

it('devices are imported; what fails is in importErrors.log', async () => {
  const service = await registry();
  const [id, old] = [`import-${randomBytes(4).toString('hex')}`, `old-${randomBytes(4).toString('hex')}`];
  await service.create({ deviceId: old });
  const primaryKey = randomBytes(32).toString('base64');
  const lines = [
    { id, importMode: 'create', status: 'disabled', tags: { site: 'north' },
      authentication: { symmetricKey: { primaryKey, secondaryKey: primaryKey } } },
    { id: old, importMode: 'create' },
  ];
  await file('PUT', 'devices.txt', lines.map((line) => JSON.stringify(line)).join('\n'));
  const done = await ended(service, await service.importDevicesFromBlob(container, container));
  assert.equal(done.status, 'completed', done.failureReason);
  const made = body(await service.get(id));
  assert.equal(made.status, 'disabled');
  assert.equal(made.authentication.symmetricKey.primaryKey, primaryKey);
  assert.equal(body(await service.getTwin(id)).tags.site, 'north');
  assert.match(await file('GET', 'importErrors.log'), new RegExp(old));
});

it('devices are exported, with keys and without; the jobs are listed', async () => {
  const service = await registry();
  const deviceId = `export-${randomBytes(4).toString('hex')}`;
  const { authentication } = body(await service.create({ deviceId }));
  for (const excludeKeys of [false, true]) {
    const done = await ended(service, await service.exportDevicesToBlob(container, excludeKeys));
    assert.equal(done.status, 'completed', done.failureReason);
    const exported = (await file('GET', 'devices.txt')).trim().split('\n').map((line) => JSON.parse(line));
    const mine = exported.find((device) => device.id === deviceId);
    assert.equal(mine.status, 'enabled');
    assert.equal(JSON.stringify(mine).includes(authentication.symmetricKey.primaryKey), !excludeKeys);
    assert.ok(body(await service.listJobs()).some((job) => job.jobId === done.jobId && job.type === 'export'));
  }
});

it('no other storage is contacted', async () => {
  const service = await registry();
  await assert.rejects(service.exportDevicesToBlob('https://elsewhere.example/container?sig=x', false));
});
