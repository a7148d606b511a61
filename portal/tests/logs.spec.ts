import { readFile } from 'node:fs/promises';
import { aroundQuery, deviceEventsQuery, evidenceQuery } from '../src/format/kql';
import { responseQuery } from '../src/format/response';
import { kSamples } from '../src/pages/logs/samples';
import { expect, test } from './fixtures';

const logs = (query: string, timespan = '') => `/logs?q=${encodeURIComponent(query)}&timespan=${timespan}`;
const kByName = 'SecurityIoTRawEvent\n| summarize Events = count() by RawEventName\n| sort by Events desc';

test('A linked query runs at once and its rows are shown', async ({ page }) => {
  await page.goto(logs(kByName));
  const grid = page.getByRole('grid', { name: 'Query result' });
  await expect(grid.getByRole('columnheader', { name: /Events/ })).toBeVisible();
  await expect(grid.getByRole('row').nth(1)).toBeVisible();
  await expect(page.getByRole('status').filter({ hasText: /rows? in/ })).toBeVisible();
});

test('Shift+Enter runs what is written in the editor, with completion from the schema', async ({ page }) => {
  await page.goto('/logs');
  await expect(page.getByTestId('monaco')).toBeVisible();
  const editor = page.getByRole('textbox', { name: 'KQL query' });
  await editor.focus();
  await page.keyboard.press('Control+A');
  await page.keyboard.type('SecurityIoTRaw');
  // The language service loads in a worker; it is asked again until it knows the tables.
  await expect(async () => {
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+Space');
    await expect(page.getByRole('option', { name: /SecurityIoTRawEvent/ }).first()).toBeVisible({ timeout: 2_000 });
  }).toPass({ timeout: 60_000 });
  await page.keyboard.press('Escape');
  await page.keyboard.type('Event | take 3 | project RawEventName');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Shift+Enter');
  await expect(page.getByRole('grid', { name: 'Query result' }).getByRole('row').nth(3)).toBeVisible();
});

test('A mistake is explained, underlined and can be gone to', async ({ page }) => {
  await page.goto(logs('SecurityIoTRawEvent\n| summarize count() by RawEventNam '));
  const error = page.getByRole('alert');
  await expect(error.locator('mark')).toContainText('RawEventNam');
  await expect(page.locator('.monaco-editor .squiggly-error').first()).toBeVisible();
  await error.getByRole('button', { name: /Go to line 2, column 24/ }).click();
  await expect(page.getByRole('textbox', { name: 'KQL query' })).toBeFocused();
});

test('Rows are sorted, walked through and opened with the keyboard', async ({ page }) => {
  await page.goto(logs('SecurityIoTRawEvent | take 20'));
  const grid = page.getByRole('grid', { name: 'Query result' });
  await grid
    .getByRole('columnheader', { name: /RawEventName/ })
    .getByRole('button')
    .click();
  await expect(grid.getByRole('columnheader', { name: /RawEventName/ })).toHaveAttribute('aria-sort', 'ascending');
  await grid.focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await expect(grid.getByRole('row').nth(2)).toHaveAttribute('aria-selected', 'true');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('region', { name: 'Row details' })).toContainText('RawEventName');
  await page.getByRole('button', { name: 'Close row details' }).click();
  await expect(grid).toBeFocused();
});

test('A column is made wider with the keyboard', async ({ page }) => {
  await page.goto(logs(kByName));
  const handle = page.getByRole('separator', { name: 'Width of RawEventName' });
  const before = Number(await handle.getAttribute('aria-valuenow'));
  await handle.focus();
  await page.keyboard.press('ArrowRight');
  await expect.poll(async () => Number(await handle.getAttribute('aria-valuenow'))).toBeGreaterThan(before);
});

test('The result is exported as CSV', async ({ page }) => {
  await page.goto(logs(kByName));
  await page.getByRole('button', { name: 'Export' }).click();
  const choose = page.getByRole('menuitem', { name: 'Rows shown, as CSV' });
  const [download] = await Promise.all([page.waitForEvent('download'), choose.click()]);
  const lines = (await readFile(await download.path(), 'utf8')).replace('\uFEFF', '').split('\r\n');
  expect(lines[0]).toBe('RawEventName,Events');
  expect(lines[1]).toMatch(/^\w+,\d+$/);
});

test('A sample fills the editor and runs', async ({ page }) => {
  await page.goto('/logs');
  await page.getByRole('button', { name: 'Samples' }).click();
  await page.getByRole('menuitem', { name: 'Events by type' }).click();
  await expect(page.getByRole('grid', { name: 'Query result' })).toBeVisible();
});

test('The server understands every query that the portal writes', async ({ call }) => {
  const strange = 'a "quoted" \\ name\nwith\ttwo lines';
  const written = [
    ...kSamples,
    { name: 'events of a device', query: deviceEventsQuery(strange, 5), timespan: 'PT24H' },
    { name: 'commands to a device', query: responseQuery(strange), timespan: '' },
    { name: 'evidence', query: evidenceQuery(['a', 'b']), timespan: '' },
    {
      name: 'around an alert',
      query: aroundQuery(strange, '2026-11-21T12:00:00Z', '2026-11-21T12:01:00.123456Z', 10),
      timespan: '',
    },
  ];
  for (const { name, query, timespan } of written) {
    const { status, body } = await call('POST', '/query', { query, ...(timespan ? { timespan } : {}) });
    expect(status, `${name}: ${JSON.stringify(body).slice(0, 400)}`).toBe(200);
  }
});
