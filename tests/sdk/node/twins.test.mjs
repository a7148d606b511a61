// Twins: what a device reads and reports, what a service desires, and that both see it.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { deviceClient, Inbox, lasting, moduleClient, moduleId, newDevice, until, within } from './hub.mjs';
import { body, registry, updateDesired } from './service.mjs';

const report = (twin, patch) =>
  within(new Promise((resolve, reject) => {
    twin.properties.reported.update(patch, (error) => (error ? reject(error) : resolve()));
  }), 'the reported update is answered');

const open = async (string, transport) => {
  const client = deviceClient(string, transport);
  await within(client.open(), 'open');
  return [client, await within(client.getTwin(), 'getTwin')];
};

for (const [name, transport] of lasting) {
  describe(name, { concurrency: 4 }, () => {
    it(`${name}: a new twin is empty, of version 1`, async () => {
      const { device: string } = await newDevice();
      const [client, twin] = await open(string, transport);
      assert.equal(twin.properties.desired.$version, 1);
      assert.equal(twin.properties.reported.$version, 1);
      await client.close();
    });

    it(`${name}: what is reported is merged, null deletes, the service sees it`, async () => {
      const { id, device: string } = await newDevice();
      const [client, twin] = await open(string, transport);
      await report(twin, { fw: '1', gone: true, deep: { a: 1, b: 2 } });
      await report(twin, { fw: '2', gone: null, deep: { b: null } });
      const seen = body(await (await registry()).getTwin(id));
      const { fw, gone, deep, $version } = seen.properties.reported;
      assert.deepEqual({ fw, gone, deep }, { fw: '2', gone: undefined, deep: { a: 1 } });
      assert.equal($version, 3);
      assert.ok(seen.properties.reported.$metadata.fw.$lastUpdated);
      await client.close();
    });

    it(`${name}: desired changes arrive in order, as patches with their version`, async () => {
      const { id, device: string } = await newDevice();
      const [client, twin] = await open(string, transport);
      const deltas = new Inbox();
      twin.on('properties.desired', (delta) => deltas.push(JSON.parse(JSON.stringify(delta))));
      await deltas.next('the present desired properties');
      await updateDesired(id, { interval: 10 });
      const first = await deltas.next('the first change');
      assert.equal(first.interval, 10);
      assert.equal(first.$version, 2);
      await updateDesired(id, { interval: 20, extra: { x: 1 } });
      assert.deepEqual(await deltas.next('the second change'), { interval: 20, extra: { x: 1 }, $version: 3 });
      assert.equal(twin.properties.desired.interval, 20);
      await client.close();
    });

    it(`${name}: the module has a twin of its own`, async () => {
      const { id, module: string } = await newDevice();
      const client = moduleClient(string, transport);
      await within(client.open(), 'open');
      const twin = await within(client.getTwin(), 'getTwin');
      const deltas = new Inbox();
      twin.on('properties.desired', (delta) => deltas.push(JSON.parse(JSON.stringify(delta))));
      await deltas.next('the present desired properties');
      await report(twin, { agent: 'on' });
      const service = await registry();
      await service.updateModuleTwin(id, moduleId, { properties: { desired: { baseline: true } } }, '*');
      assert.equal((await deltas.next('the change')).baseline, true);
      assert.equal(body(await service.getModuleTwin(id, moduleId)).properties.reported.agent, 'on');
      assert.equal(body(await service.getTwin(id)).properties.reported.agent, undefined);
      await client.close();
    });

    it(`${name}: reported properties that break a rule are refused with a reason`, async () => {
      const { device: string } = await newDevice();
      const [client, twin] = await open(string, transport);
      await assert.rejects(report(twin, { big: 'x'.repeat(5000) }));
      let deep = 1;
      for (let level = 0; level < 12; level += 1) deep = { deep };
      await assert.rejects(report(twin, deep));
      await report(twin, { fine: true });  // the connection is still good
      await client.close();
    });

    it(`${name}: no device hears of another's twin`, async () => {
      const [one, two] = [await newDevice(), await newDevice()];
      const [client, twin] = await open(one.device, transport);
      const [otherClient, other] = await open(two.device, transport);
      const heard = new Inbox();
      twin.on('properties.desired', heard.push);
      await heard.next('the present desired properties');
      await updateDesired(two.id, { secret: 'two' });
      await report(other, { private: 'two' });
      await updateDesired(one.id, { mine: 1 });
      const delta = await heard.next('the own change');
      assert.equal(delta.mine, 1);
      assert.equal(delta.secret, undefined);
      assert.equal(heard.size, 0);
      assert.equal((await within(client.getTwin(), 'getTwin')).properties.reported.private, undefined);
      await client.close();
      await otherClient.close();
    });
  });
}

describe('the service and twins', { concurrency: 4 }, () => {
  it('tags are the service\'s alone', async () => {
    const { id, device: string } = await newDevice();
    await (await registry()).updateTwin(id, { tags: { site: 'north', line: 3 } }, '*');
    assert.deepEqual(body(await (await registry()).getTwin(id)).tags, { site: 'north', line: 3 });
    const [client, twin] = await open(string, lasting[0][1]);
    assert.equal(twin.tags, undefined);
    await client.close();
  });

  it('a wrong etag is refused, the right one is taken and changes', async () => {
    const { id } = await newDevice();
    const service = await registry();
    const { etag } = body(await service.getTwin(id));
    const after = body(await service.updateTwin(id, { tags: { a: 1 } }, etag));
    assert.notEqual(after.etag, etag);
    await assert.rejects(service.updateTwin(id, { tags: { a: 2 } }, etag), (error) => error.response?.statusCode === 412
      || /Precondition/i.test(error.name + error.message));
  });

  it('desired properties set while the device is away are there when it comes', async () => {
    const { id, device: string } = await newDevice();
    await updateDesired(id, { later: true });
    const [client, twin] = await open(string, lasting[0][1]);
    assert.equal(twin.properties.desired.later, true);
    await client.close();
  });

  it('the registry shows who is connected', async () => {
    const { id, device: string } = await newDevice();
    const service = await registry();
    assert.equal(body(await service.getTwin(id)).connectionState, 'Disconnected');
    const [client] = await open(string, lasting[0][1]);
    await until(async () => body(await service.getTwin(id)).connectionState === 'Connected', 'Connected');
    await client.close();
    await until(async () => body(await service.getTwin(id)).connectionState === 'Disconnected', 'Disconnected');
  });
});
