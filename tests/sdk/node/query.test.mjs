// The query language, paging, jobs and configurations through azure-iothub.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { before, describe, it } from 'node:test';

import { deviceClient, Inbox, newDevice, transports, until, within } from './hub.mjs';
import { body, jobClient, registry } from './service.mjs';

const COUNT = 25;
const fleet = `fleet-${randomBytes(3).toString('hex')}`;
let service;
before(async () => {
  service = await registry();
  await within(service.addDevices(Array.from({ length: COUNT }, (_, n) => ({ deviceId: `${fleet}-${n}` }))), 'addDevices');
  await Promise.all(Array.from({ length: COUNT }, (_, n) =>
    service.updateTwin(`${fleet}-${n}`, { tags: { fleet, line: n % 3, deep: { site: n < 10 ? 'north' : 'south' } },
                                          properties: { desired: { rate: n * 1.5 } } }, '*')));
});

async function all(text, pageSize) {
  const query = service.createQuery(text, pageSize);
  const out = [];
  const pages = [];
  while (query.hasMoreResults) {
    const { result } = await query.next(query.continuationToken);  // without it the SDK asks for the first page again
    pages.push(result.length);
    out.push(...result);
    assert.ok(pages.length < 50, 'the pages come to an end');
  }
  return [out, pages];
}
const ids = async (where) =>
  (await all(`SELECT * FROM devices WHERE tags.fleet = '${fleet}' AND ${where}`))[0].map((t) => Number(t.deviceId.split('-')[2]))
    .sort((a, b) => a - b);
const numbers = (fits) => Array.from({ length: COUNT }, (_, n) => n).filter(fits);

describe('queries', { concurrency: 6 }, () => {
  it('pages hold what was asked for, each device comes once', async () => {
    const [twins, pages] = await all(`SELECT * FROM devices WHERE tags.fleet = '${fleet}'`, 10);
    assert.deepEqual(pages, [10, 10, 5]);
    assert.equal(new Set(twins.map((t) => t.deviceId)).size, COUNT);
    assert.equal(twins[0].properties.desired.$version, 2);
  });
  const table = [
    ['tags.line = 1', (n) => n % 3 === 1],
    ['tags.line != 1', (n) => n % 3 !== 1],
    ['tags.line <> 1', (n) => n % 3 !== 1],
    ["tags.deep.site = 'north' AND tags.line IN [0, 2]", (n) => n < 10 && n % 3 !== 1],
    ["tags.deep.site = 'north' OR tags.line = 2", (n) => n < 10 || n % 3 === 2],
    ["NOT (tags.deep.site = 'north')", (n) => n >= 10],
    ['properties.desired.rate >= 30', (n) => n * 1.5 >= 30],
    ['properties.desired.rate * 2 < 9', (n) => n * 3 < 9],
    ['is_defined(tags.nothing)', () => false],
    ['is_defined(tags.line)', () => true],
    [`startswith(deviceId, '${fleet}-1')`, (n) => String(n).startsWith('1')],
    ["endswith(tags.deep.site, 'rth')", (n) => n < 10],
    ["contains(tags.deep.site, 'out')", (n) => n >= 10],
    ["tags.line NIN [0, 1]", (n) => n % 3 === 2],
    ["status = 'enabled'", () => true],
  ];
  for (const [where, fits] of table) {
    it(`WHERE ${where.replace(fleet, 'fleet')}`, async () => assert.deepEqual(await ids(where), numbers(fits)));
  }
  it('projections and aliases', async () => {
    const [found] = await all(`SELECT deviceId, tags.deep.site AS site FROM devices WHERE deviceId = '${fleet}-3'`);
    assert.deepEqual(found, [{ deviceId: `${fleet}-3`, site: 'north' }]);
  });
  it('aggregates and groups', async () => {
    const [found] = await all(`SELECT tags.line AS line, COUNT() AS n, SUM(properties.desired.rate) AS s FROM devices WHERE tags.fleet = '${fleet}' GROUP BY tags.line`);
    assert.deepEqual(found.sort((a, b) => a.line - b.line).map((row) => row.n), [9, 8, 8]);
    assert.equal(found[0].s, numbers((n) => n % 3 === 0).reduce((sum, n) => sum + n * 1.5, 0));
  });
  it('TOP', async () => {
    const [found] = await all(`SELECT TOP 4 * FROM devices WHERE tags.fleet = '${fleet}'`);
    assert.equal(found.length, 4);
  });
  it('modules', async () => {
    const { id } = await newDevice();
    const [found] = await all(`SELECT * FROM devices.modules WHERE deviceId = '${id}'`);
    assert.deepEqual(found.map((m) => m.moduleId), ['DefenderIotMicroAgent']);
  });
  it('a query that cannot be read is refused with 400', async () => {
    await assert.rejects(all('SELECT FROM WHERE'), (error) => error.response?.statusCode === 400 || error.name === 'ArgumentError');
  });
});

const ended = async (client, id) => until(async () => {
  const job = body(await client.getJob(id));
  return ['completed', 'failed', 'cancelled'].includes(job.status) && job;
}, 'the job ends', 60_000, 300);

describe('jobs', { concurrency: 4 }, () => {
  it('a twin update reaches all that the condition names', async () => {
    const jobs = await jobClient();
    const id = `job-${randomBytes(4).toString('hex')}`;
    await jobs.scheduleTwinUpdate(id, `tags.fleet = '${fleet}' AND tags.line = 2`,
      { etag: '*', tags: { visited: id }, properties: { desired: { batch: 7 } } }, new Date(), 120);
    const job = await ended(jobs, id);
    assert.equal(job.status, 'completed');
    assert.equal(job.deviceJobStatistics.succeededCount, 8);
    assert.equal(body(await service.getTwin(`${fleet}-5`)).properties.desired.batch, 7);
    assert.equal(body(await service.getTwin(`${fleet}-4`)).tags.visited, undefined);
    const [rows] = await all(`SELECT * FROM devices.jobs WHERE devices.jobs.jobId = '${id}'`);
    assert.equal(rows.length, 8);
  });

  it('a method is called on those that are there', async () => {
    const jobs = await jobClient();
    const { id: deviceId, device: string } = await newDevice();
    const client = deviceClient(string, transports.mqtt);
    await within(client.open(), 'open');
    const calls = new Inbox();
    client.onDeviceMethod('blink', (request, response) => {
      calls.push(request.payload);
      response.send(200, 'ok');
    });
    await new Promise((resolve) => setTimeout(resolve, 500));
    const id = `job-${randomBytes(4).toString('hex')}`;
    await jobs.scheduleDeviceMethod(id, `deviceId = '${deviceId}'`,
      { methodName: 'blink', payload: { times: 2 }, responseTimeoutInSeconds: 10 }, new Date(), 60);
    assert.deepEqual(await calls.next('the call'), { times: 2 });
    assert.equal((await ended(jobs, id)).status, 'completed');
    await client.close();
  });

  it('a job that waits is listed and can be cancelled', async () => {
    const jobs = await jobClient();
    const id = `job-${randomBytes(4).toString('hex')}`;
    await jobs.scheduleTwinUpdate(id, `tags.fleet = '${fleet}'`, { etag: '*', tags: { never: 1 } }, new Date(Date.now() + 3_600_000), 60);
    const listed = body(await jobs.createQuery('scheduleUpdateTwin', 'scheduled').next());
    assert.ok(listed.some((job) => job.jobId === id));
    await jobs.cancelJob(id);
    assert.equal((await ended(jobs, id)).status, 'cancelled');
  });
});

describe('configurations', () => {
  it('content reaches the devices of the condition, also those that come later; metrics count them', async () => {
    const id = `config-${randomBytes(4).toString('hex')}`;
    const target = `tags.config='${id}'`;
    const early = (await newDevice()).id;
    await service.updateTwin(early, { tags: { config: id } }, '*');
    const made = body(await service.addConfiguration({ id, schemaVersion: '1.0', priority: 10, targetCondition: target,
      content: { deviceContent: { 'properties.desired.agent': { interval: 30 } } },
      metrics: { queries: { waiting: `SELECT deviceId FROM devices WHERE ${target.replace(/'/g, "'")}` } } }));
    assert.equal(made.id, id);
    const reached = (deviceId) => until(async () => body(await service.getTwin(deviceId)).properties.desired.agent?.interval === 30,
                                        'the content', 60_000, 300);
    await reached(early);
    const late = (await newDevice()).id;
    await service.updateTwin(late, { tags: { config: id } }, '*');
    await reached(late);
    const seen = await until(async () => {
      const now = body(await service.getConfiguration(id));
      return now.systemMetrics?.results?.appliedCount === 2 && now;
    }, 'both are counted', 60_000, 300);
    assert.equal(seen.systemMetrics.results.targetedCount, 2);
    assert.ok(body(await service.getConfigurations()).some((c) => c.id === id));
    await service.updateConfiguration({ ...seen, priority: 11 }, true);
    await service.removeConfiguration(id);
    await assert.rejects(service.getConfiguration(id));
  });

  it('module content reaches the security module', async () => {
    const id = `config-${randomBytes(4).toString('hex')}`;
    const device = (await newDevice()).id;
    await service.updateModuleTwin(device, 'DefenderIotMicroAgent', { tags: { config: id } }, '*');
    await service.addConfiguration({ id, schemaVersion: '1.0', priority: 1,
      targetCondition: `FROM devices.modules WHERE tags.config='${id}'`,
      content: { moduleContent: { 'properties.desired.baseline': { on: true } } } });
    await until(async () => body(await service.getModuleTwin(device, 'DefenderIotMicroAgent')).properties.desired.baseline?.on,
                'the content', 60_000, 300);
    await service.removeConfiguration(id);
  });
});
