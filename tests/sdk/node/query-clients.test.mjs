// azure-kusto-data and @azure/monitor-query against the query heads: values, parameters, errors, cancel, progress.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';

import { LogsQueryClient } from '@azure/monitor-query';
import device from 'azure-iot-device';
import { Client, ClientRequestProperties, KustoConnectionStringBuilder } from 'azure-kusto-data';

import { deviceClient, folder, newDevice, securityMessage, transports, until, within } from './hub.mjs';

const url = 'https://localhost:8443';
const database = 'picket';
const token = () => readFileSync(`${folder}/server/secrets/cli-token`, 'utf8').trim();
const endless =
  'range x from 1 to 100000 step 1 | extend k = 1 ' +
  '| join kind=inner (range y from 1 to 10000000 step 1 | extend k = 1) on k | summarize sum((x * y) % 7)';

let kusto;
let logs;
before(() => {
  kusto = new Client(KustoConnectionStringBuilder.withAccessToken(url, token()));
  logs = new LogsQueryClient({ getToken: async () => ({ token: token(), expiresOnTimestamp: 4e12 }) }, { endpoint: url });
});
after(() => kusto.close());

const rows = (table) => [...table.rows()].map((row) => row.toJSON());
const messageOf = (error) => JSON.stringify(error.response?.data ?? String(error));

describe('azure-kusto-data', () => {
  const everything =
    'print b = true, i = int(-7), l = 42, r = 1.5, s = "é\\n", t = datetime(2026-11-22T01:02:03.456Z), d = timespan(1.02:03:04.5), ' +
    'g = guid(74be27de-1e4e-49d9-b579-fe0b331d3642), o = dynamic({"a":[1,null,"x"]}), n = long(null), e = dynamic(null)';

  for (const [name, call] of [['v2', 'executeQuery'], ['v1', 'executeQueryV1']]) {
    it(`${name}: values of every type come back`, async () => {
      const [row] = rows((await kusto[call](database, everything)).primaryResults[0]);
      assert.deepEqual([row.i, row.l, row.r, row.s, row.n, row.e], [-7, 42, 1.5, 'é\n', null, null]);
      assert.equal(Boolean(row.b), true);
      assert.equal(row.t.toISOString(), '2026-11-22T01:02:03.456Z');
      assert.equal(row.d, ((26 * 60 + 3) * 60 + 4.5) * 1000);
      assert.equal(row.g, '74be27de-1e4e-49d9-b579-fe0b331d3642');
      assert.deepEqual(typeof row.o === 'string' ? JSON.parse(row.o) : row.o, { a: [1, null, 'x'] });
    });

    it(`${name}: several statements give several tables`, async () => {
      const answer = await kusto[call](database, 'print x = 1; range y from 1 to 3 step 1; print z = 2 | fork (count) (take 1)');
      assert.deepEqual(answer.primaryResults.map((table) => rows(table)),
                       [[{ x: 1 }], [{ y: 1 }, { y: 2 }, { y: 3 }], [{ Count: 1 }], [{ z: 2 }]]);
    });

    it(`${name}: parameters are values, never text of the query`, async () => {
      const properties = new ClientRequestProperties();
      properties.setParameter('name', '"; SecurityAlert //');
      properties.setParameter('least', 3);
      const text = 'declare query_parameters(name:string, least:long); range x from 1 to 5 step 1 | where x > least | extend name';
      const found = rows((await kusto[call](database, text, properties)).primaryResults[0]);
      assert.deepEqual(found.map((row) => row.x), [4, 5]);
      assert.match(found[0].name, /SecurityAlert/);
    });

    it(`${name}: a mistake names its place`, async () => {
      await assert.rejects(kusto[call](database, 'SecurityAlert | where Nope == 1'),
                           (error) => /Nope.*line:position=1:23/.test(messageOf(error)));
    });
  }

  it('commands tell what there is', async () => {
    const tables = rows((await kusto.executeMgmt(database, '.show tables')).primaryResults[0]).map((row) => row.TableName);
    assert.ok(tables.includes('SecurityIoTRawEvent') && tables.includes('SecurityIncident'));
    const version = rows((await kusto.executeMgmt(database, '.show version | project ProductVersion')).primaryResults[0]);
    assert.match(version[0].ProductVersion, /^Picket /);
    await assert.rejects(kusto.executeMgmt(database, '.create table X (a:int)'), (error) => /read-only/.test(messageOf(error)));
  });

  it('rows of a device arrive in progressive frames too', async () => {
    const properties = new ClientRequestProperties();
    properties.setOption('results_progressive_enabled', true);
    properties.raw = true;
    const text = 'range x from 1 to 25000 step 1';
    const frames = await kusto.executeQuery(database, text, properties);
    assert.equal(frames[0].IsProgressive, true);
    const parts = frames.filter((frame) => frame.FrameType === 'TableFragment');
    assert.deepEqual(parts.map((frame) => frame.Rows.length), [10000, 10000, 5000]);
    const progress = frames.filter((frame) => frame.FrameType === 'TableProgress').map((frame) => frame.TableProgress);
    assert.deepEqual(progress, [40, 80, 100]);
    assert.equal(frames.find((frame) => frame.FrameType === 'TableCompletion').RowCount, 25000);
  });

  it('a query ends when it is cancelled by its request id', async () => {
    const properties = new ClientRequestProperties();
    properties.clientRequestId = `node;${randomUUID()}`;
    const ended = assert.rejects(kusto.executeQuery(database, endless, properties),
                                 (error) => /RequestAborted/.test(messageOf(error)));
    await until(async () => rows((await kusto.executeMgmt(database, '.show queries')).primaryResults[0])
      .some((row) => row.ClientActivityId === properties.clientRequestId), 'the query runs');
    await kusto.executeMgmt(database, `.cancel query "${properties.clientRequestId}"`);
    await within(ended, 'the cancelled query ends', 60_000);
  });
});

describe('@azure/monitor-query', () => {
  it('rows of a device by time span', async () => {
    const made = await newDevice();
    const client = deviceClient(made.device, transports.mqtt);
    const message = new device.Message(securityMessage(`logs-${made.id}`));
    message.setAsSecurityMessage();
    await within(client.open(), 'open');
    await within(client.sendEvent(message), 'sendEvent');
    const text = `SecurityIoTRawEvent | where DeviceId == '${made.id}' | project TimeGenerated, RawEventName, EventDetails`;
    const result = await until(async () => {
      const answer = await logs.queryWorkspace(database, text, { duration: 'PT1H' });
      return answer.tables[0].rows.length > 0 && answer;
    }, 'the event is stored');
    await client.close();
    assert.equal(result.status, 'Success');
    const [table] = result.tables;
    assert.deepEqual(table.columnDescriptors.map((column) => column.type), ['datetime', 'string', 'string']);
    assert.equal(table.rows[0][1], 'ProcessCreate');
    assert.ok(table.rows[0][0] instanceof Date);
  });

  it('a mistake is told, a batch answers each query by itself', async () => {
    await assert.rejects(logs.queryWorkspace(database, 'Nope', { duration: 'P1D' }), (error) => error.statusCode === 400);
    const [good, wrong] = await logs.queryBatch([
      { workspaceId: database, query: 'print x = 1', timespan: { duration: 'P1D' } },
      { workspaceId: database, query: 'Nope', timespan: { duration: 'P1D' } },
    ]);
    assert.deepEqual([good.status, good.tables[0].rows[0][0]], ['Success', 1]);
    assert.equal(wrong.status, 'Failure');
  });

  it('a cut result is partial', async () => {
    const result = await logs.queryWorkspace(database, 'range x from 1 to 600000 step 1', { duration: 'P1D' });
    assert.equal(result.status, 'PartialFailure');
    assert.equal(result.partialTables[0].rows.length, 500000);
  });
});
