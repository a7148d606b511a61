/** The server answers as schema/openapi.yaml says: each reply of the reading operations is checked against its schema. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { expect, test } from './fixtures';

type Operation = { responses: Record<string, { content?: Record<string, { schema: object }> }> };
type Document = { paths: Record<string, Record<string, Operation>>; components: object };

const document = parse(readFileSync(fileURLToPath(new URL('../../schema/openapi.yaml', import.meta.url)), 'utf8')) as Document;
const ajv = new Ajv2020({ strict: false, allErrors: true });
addFormats.default(ajv);

function expectValid(template: string, method: string, status: string, body: unknown): void {
  const schema = document.paths[template]?.[method]?.responses[status]?.content?.['application/json']?.schema;
  expect(schema, `${method} ${template} ${status}`).toBeDefined();
  const validate = ajv.compile({ ...JSON.parse(JSON.stringify(schema)), components: document.components });
  expect(
    validate(body) ? [] : validate.errors?.map(({ instancePath, message }) => `${method} ${template} ${instancePath} ${message}`),
  ).toEqual([]);
}

const kReads = [
  '/me',
  '/overview',
  '/status',
  '/devices',
  '/hubs',
  '/alerts',
  '/alert-groups',
  '/incidents',
  '/suppressions',
  '/intelligence/feeds',
  '/intelligence/set',
  '/intelligence/indicators',
  '/intelligence/retro-hunts',
  '/intelligence/lookup?value=www.evil.example',
  '/security-groups',
  '/sbom/components',
  '/vulnerabilities',
  '/advisory-feeds',
  '/vex',
  '/recommendation-types',
  '/recommendations',
  '/posture',
  '/posture/devices',
  '/exemptions',
  '/rules',
  '/schema',
  '/users',
  '/audit',
];

for (const path of kReads) {
  test(`GET ${path} answers as the contract says`, async ({ call }) => {
    const { status, body } = await call('GET', path);
    expect(status).toBe(200);
    expectValid(path.replace(/\?.*/, ''), 'get', '200', body);
  });
}

test('One device, one alert and one incident answer as the contract says', async ({ call }) => {
  const first = async (path: string) => ((await call('GET', path)).body as { items: Record<string, string>[] }).items[0];
  const [device, alert] = [await first('/devices?limit=1'), await first('/alerts?limit=1')];
  if (device)
    expectValid(
      '/devices/{device_id}',
      'get',
      '200',
      (await call('GET', `/devices/${encodeURIComponent(device.deviceId!)}`)).body,
    );
  if (device)
    expectValid(
      '/posture/devices/{device_id}',
      'get',
      '200',
      (await call('GET', `/posture/devices/${encodeURIComponent(device.deviceId!)}`)).body,
    );
  if (alert) {
    expectValid('/alerts/{id}', 'get', '200', (await call('GET', `/alerts/${alert.id}`)).body);
    expectValid('/alerts/{id}/events', 'get', '200', (await call('GET', `/alerts/${alert.id}/events`)).body);
  }
  const incident = await first('/incidents?limit=1');
  if (incident) {
    expectValid('/incidents/{id}', 'get', '200', (await call('GET', `/incidents/${incident.id}`)).body);
    expectValid('/incidents/{id}/events', 'get', '200', (await call('GET', `/incidents/${incident.id}/events`)).body);
  }
});

test('Queries answer with a table or an error with its place', async ({ call }) => {
  const right = await call('POST', '/query', { query: 'SecurityIoTRawEvent | take 5', max_rows: 3 });
  expect(right.status).toBe(200);
  expectValid('/query', 'post', '200', right.body);
  const wrong = await call('POST', '/query', { query: 'SecurityIoTRawEvent\n| summarize count() by RawEventNam ' });
  expect(wrong.status).toBe(400);
  expectValid('/query', 'post', '400', wrong.body);
  expect((wrong.body as { error: { span: object } }).error.span).toEqual({ start: 43, length: 11, line: 2, column: 24 });
});

test('Pages of a list follow each other without gap or repeat', async ({ call }) => {
  const seen = new Set<string>();
  let cursor: string | undefined;
  let total = 0;
  do {
    const { body } = await call('GET', `/devices?limit=7&sort=deviceId${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`);
    const page = body as { items: { deviceId: string }[]; total: number; next_cursor?: string };
    page.items.forEach(({ deviceId }) => {
      expect(seen.has(deviceId)).toBe(false);
      seen.add(deviceId);
    });
    total = page.total;
    cursor = page.next_cursor;
  } while (cursor && seen.size < 1_000);
  expect(seen.size).toBe(Math.min(total, seen.size));
});

test('What changes the server is refused without the CSRF token', async ({ page }) => {
  const reply = await page.request.post('/api/v1/devices', { data: { deviceId: 'never-made' } });
  expect(reply.status()).toBe(403);
});
