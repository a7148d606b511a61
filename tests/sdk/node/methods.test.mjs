// Direct methods: a service calls, a device answers, or does not.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { deviceClient, lasting, moduleClient, moduleId, newDevice, within } from './hub.mjs';
import { serviceClient } from './service.mjs';

const code = (wanted) => (error) => new RegExp(String(wanted)).test(
  `${error.response?.statusCode} ${error.responseBody} ${error.name} ${error.message}`);

async function call(id, params, module) {
  const client = await serviceClient();
  try {
    const what = { responseTimeoutInSeconds: 10, connectTimeoutInSeconds: 0, ...params };
    const { result } = module ? await client.invokeDeviceMethod(id, module, what) : await client.invokeDeviceMethod(id, what);
    return result;
  } finally {
    await client.close();
  }
}

for (const [name, transport] of lasting) {
  describe(name, { concurrency: 4 }, () => {
    it(`${name}: a method is answered with status and payload`, async () => {
      const { id, device: string } = await newDevice();
      const client = deviceClient(string, transport);
      await within(client.open(), 'open');
      const calls = [];
      client.onDeviceMethod('reboot', (request, response) => {
        calls.push(request.payload);
        response.send(201, { took: 3, echo: request.payload });
      });
      await within(new Promise((resolve) => setTimeout(resolve, 500)), 'the subscription');
      assert.deepEqual(await call(id, { methodName: 'reboot', payload: { delay: 5 } }),
                       { status: 201, payload: { took: 3, echo: { delay: 5 } } });
      assert.deepEqual(await call(id, { methodName: 'reboot', payload: null }),
                       { status: 201, payload: { took: 3, echo: null } });
      assert.deepEqual(calls, [{ delay: 5 }, null]);
      await client.close();
    });

    it(`${name}: a module has methods of its own`, async () => {
      const { id, module: string } = await newDevice();
      const client = moduleClient(string, transport);
      await within(client.open(), 'open');
      client.onMethod('selftest', (request, response) => response.send(200, { module: true }));
      await new Promise((resolve) => setTimeout(resolve, 500));
      assert.deepEqual(await call(id, { methodName: 'selftest', payload: {} }, moduleId), { status: 200, payload: { module: true } });
      await assert.rejects(call(id, { methodName: 'selftest', payload: {} }), code(404));
      await client.close();
    });

    it(`${name}: no answer in time is 504`, async () => {
      const { id, device: string } = await newDevice();
      const client = deviceClient(string, transport);
      await within(client.open(), 'open');
      client.onDeviceMethod('sleep', () => {});
      await new Promise((resolve) => setTimeout(resolve, 500));
      await assert.rejects(call(id, { methodName: 'sleep', payload: {}, responseTimeoutInSeconds: 5 }), code(504));
      await client.close();
    });

    it(`${name}: a device that does not listen to methods is 404103, DeviceNotOnline`, async () => {
      const { id, device: string } = await newDevice();
      const client = deviceClient(string, transport);
      await within(client.open(), 'open');
      await assert.rejects(call(id, { methodName: 'reboot', payload: {} }), code('404103|DeviceNotOnline'));
      await client.close();
    });
  });
}

describe('methods', { concurrency: 4 }, () => {
  it('a device that is away is 404103', async () => {
    const { id } = await newDevice();
    await assert.rejects(call(id, { methodName: 'reboot', payload: {} }), code('404103|DeviceNotOnline'));
  });

  it('a device that nobody registered is 404001', async () => {
    await assert.rejects(call('nobody', { methodName: 'reboot', payload: {} }), code('404001|DeviceNotFound'));
  });

  it('connectTimeoutInSeconds waits for a device that comes', async () => {
    const { id, device: string } = await newDevice();
    const answer = call(id, { methodName: 'late', payload: 1, connectTimeoutInSeconds: 20 });
    answer.catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 500));
    const client = deviceClient(string, lasting[0][1]);
    await within(client.open(), 'open');
    client.onDeviceMethod('late', (request, response) => response.send(200, 'there'));
    assert.deepEqual(await within(answer, 'the answer'), { status: 200, payload: 'there' });
    await client.close();
  });

  it('many calls at once find their own answers', async () => {
    const { id, device: string } = await newDevice();
    const client = deviceClient(string, lasting[0][1]);
    await within(client.open(), 'open');
    client.onDeviceMethod('echo', (request, response) => response.send(200, request.payload));
    await new Promise((resolve) => setTimeout(resolve, 500));
    const service = await serviceClient();
    const answers = await Promise.all(Array.from({ length: 20 }, (_, payload) =>
      service.invokeDeviceMethod(id, { methodName: 'echo', payload, responseTimeoutInSeconds: 20, connectTimeoutInSeconds: 0 })));
    assert.deepEqual(answers.map((a) => a.result.payload), Array.from({ length: 20 }, (_, n) => n));
    await service.close();
    await client.close();
  });
});
