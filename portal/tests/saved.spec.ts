import { expect, test } from './fixtures';

const kName = 'browser query';
const kFunction = 'browser_function';
const kText = 'SecurityIoTRawEvent\n| summarize Events = count() by RawEventName';

test.beforeEach(async ({ call }) => {
  await call('DELETE', `/saved-queries/${encodeURIComponent(kName)}`);
  await call('DELETE', `/functions/${kFunction}`);
});
test.afterEach(async ({ call }) => {
  await call('DELETE', `/saved-queries/${encodeURIComponent(kName)}`);
  await call('DELETE', `/functions/${kFunction}`);
});

test('A query is saved in Logs, found, opened and removed', async ({ page }) => {
  await page.goto(`/logs?q=${encodeURIComponent(kText)}`);
  await expect(page.getByRole('status').filter({ hasText: /rows? in/ })).toBeVisible();
  await page.getByRole('button', { name: 'Save…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox', { name: 'Name' }).fill(kName);
  await dialog.getByRole('textbox', { name: 'Category' }).fill('Tests');
  await dialog.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(dialog).toHaveCount(0);
  await page.getByRole('navigation', { name: 'Logs' }).getByRole('link', { name: 'Saved queries and functions' }).click();
  await page.getByRole('searchbox', { name: 'Search saved queries' }).fill('browser');
  const row = page.getByRole('row').filter({ hasText: kName });
  await expect(row).toContainText('Tests');
  await row.getByRole('link', { name: kName }).click();
  await expect(page.getByRole('status').filter({ hasText: /rows? in/ })).toBeVisible();
  await page.goto('/saved-queries');
  await page.getByRole('button', { name: `Remove ${kName}` }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await expect(page.getByRole('row').filter({ hasText: kName })).toHaveCount(0);
});

test('A query becomes a function only under a name that queries can call', async ({ page }) => {
  await page.goto(`/logs?q=${encodeURIComponent(kText)}`);
  await page.getByRole('button', { name: 'Save…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('radio', { name: 'Function' }).check();
  await dialog.getByRole('textbox', { name: 'Name' }).fill('not a name');
  await expect(dialog.getByText('letters, digits and _')).toBeVisible();
  await expect(dialog.getByRole('button', { name: 'Save', exact: true })).toBeDisabled();
  await dialog.getByRole('textbox', { name: 'Name' }).fill(kFunction);
  await dialog.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(dialog).toHaveCount(0);
  await page.goto('/saved-queries');
  await expect(page.getByRole('region', { name: 'Functions' }).getByRole('link', { name: kFunction })).toBeVisible();
});

test('Queries that run are listed, and one is cancelled', async ({ page, call }) => {
  const real = process.env.PICKET_URL !== undefined;
  const long = 'range a from 1 to 3000000 step 1 | extend k = 1';
  // The page is there first: the query lives for half a minute.
  await page.goto('/running-queries');
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  const answer = real
    ? call('POST', '/query', {
        query: `${long} | join kind=inner (${long.replace('range a', 'range b')}) on k | summarize sum(a * b)`,
      })
    : undefined;
  answer?.catch(() => undefined); // awaited below; a test that fails before says why itself
  const row = page.getByRole('row').filter({ hasText: real ? long : 'nightly report' });
  if (!real) await expect(row).toContainText('38 %');
  await row.getByRole('button', { name: 'Cancel' }).click();
  await expect(row).toHaveCount(0);
  if (answer) expect((await answer).status).not.toBe(200);
});
