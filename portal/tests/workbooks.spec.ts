import { readFileSync } from 'node:fs';
import { expect, test } from './fixtures';

const kFile = new URL('./files/browser.workbook', import.meta.url);
const kName = 'browser workbook';
const kPath = `/workbooks/${encodeURIComponent(kName)}`;

test.beforeEach(async ({ call }) => {
  const file: unknown = JSON.parse(readFileSync(kFile, 'utf8'));
  expect((await call('POST', `/workbooks?name=${encodeURIComponent(kName)}`, file)).status).toBe(200);
});

test.afterEach(async ({ call }) => {
  await call('DELETE', `/workbooks/${encodeURIComponent(kName)}`);
});

test('Workbooks that come with Picket are there from the start, and open', async ({ page }) => {
  await page.goto('/workbooks');
  const list = page.getByRole('list', { name: 'Workbooks' });
  await expect(list.getByRole('listitem').filter({ hasText: 'Fleet overview' })).toContainText('Picket');
  await list.getByRole('link', { name: 'Hub health' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Hub health' })).toBeVisible();
  await expect(page.getByRole('region', { name: 'What goes wrong' })).toBeVisible();
});

test('A file is imported, told about, shown and removed', async ({ page, call }) => {
  await call('DELETE', `/workbooks/${encodeURIComponent(kName)}`);
  await page.goto('/workbooks');
  await page.getByRole('button', { name: 'Import a workbook' }).click();
  const dialog = page.getByRole('dialog');
  await dialog
    .getByLabel('File of a workbook')
    .setInputFiles({ name: `${kName}.json`, mimeType: 'application/json', buffer: readFileSync(kFile) });
  await dialog.getByRole('button', { name: 'Import', exact: true }).click();
  await expect(page.getByRole('dialog')).toContainText('Not shown: metrics at 3.2');
  await page.getByRole('dialog').getByRole('link', { name: kName }).click();
  await expect(page.getByRole('heading', { level: 1, name: kName })).toBeVisible();
  await page.goto('/workbooks');
  await page.getByRole('button', { name: `Remove ${kName}` }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await expect(page.getByRole('listitem').filter({ hasText: kName })).toHaveCount(0);
});

test('What is no workbook is refused before it is sent', async ({ page }) => {
  await page.goto('/workbooks');
  await page.getByRole('button', { name: 'Import a workbook' }).click();
  await page.getByRole('textbox', { name: /^Workbook/ }).fill('{ nothing');
  await expect(page.getByText('This is not a JSON object.')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Import', exact: true })).toBeDisabled();
});

test('Parameters filter, texts are safe, hidden fields stay hidden', async ({ page }) => {
  await page.goto(kPath);
  const machines = page.getByRole('region', { name: 'Machines' });
  await expect(machines.getByRole('row')).toHaveCount(4);
  await expect(page.getByRole('heading', { name: 'About The hall, The yard' })).toBeVisible();
  await expect(page.locator('img')).toHaveCount(0);
  await expect(page.getByRole('link', { name: 'bad' })).toHaveCount(0);
  await expect(page.getByRole('link', { name: 'devices', exact: true })).toHaveAttribute('href', '/devices');
  await expect(page.getByText('kept back')).toHaveCount(0);
  await expect(page.getByText('Not shown: metrics')).toBeVisible();
  await page.getByRole('combobox', { name: 'Zone' }).click();
  await page.getByRole('menuitemcheckbox', { name: 'The yard' }).click();
  await page.keyboard.press('Escape');
  await expect(machines.getByRole('row')).toHaveCount(2);
  await expect(page).toHaveURL(/v=.*yard/);
  await page.reload();
  await expect(machines.getByRole('row')).toHaveCount(2);
  await page.getByRole('combobox', { name: 'Guide' }).click();
  await page.getByRole('option', { name: 'No', exact: true }).click();
  await expect(page.getByRole('heading', { name: /^About/ })).toHaveCount(0);
});

test('A row that is chosen is the parameter of the next query', async ({ page }) => {
  await page.goto(kPath);
  await expect(page.getByText('Choose a row or a value for Machine to see this.')).toBeVisible();
  const machines = page.getByRole('region', { name: 'Machines' });
  await machines.getByRole('row').filter({ hasText: "crane's <b>arm</b>" }).click();
  const events = page.getByRole('region', { name: "Events of crane's <b>arm</b>" });
  await expect(events.getByRole('cell', { name: 'moved' })).toBeVisible();
  await machines.getByRole('row').filter({ hasText: 'press' }).focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('region', { name: 'Events of press' }).getByRole('row')).toHaveCount(3);
  await machines.getByRole('searchbox').fill('saw');
  await expect(machines.getByRole('row')).toHaveCount(2);
});

test('Tabs change what is shown: tiles, charts, a map of coordinates', async ({ page }) => {
  await page.goto(kPath);
  await page.getByRole('tab', { name: 'Pictures' }).click();
  await expect(page.getByRole('region', { name: 'Machines' })).toHaveCount(0);
  await expect(page.getByRole('region', { name: 'Counts' })).toContainText('12');
  await expect(page.getByRole('img', { name: /Shares: pie chart/ })).toBeVisible();
  await expect(page.getByRole('img', { name: 'Places: 2 places' }).locator('circle')).toHaveCount(2);
  await expect(page.getByRole('region', { name: 'Shares' }).getByRole('button', { name: 'Open in Logs' })).toBeVisible();
});
