import { expect, test } from './fixtures';

const kTable = 'FileEvents';

test.beforeEach(({ call }) => call('DELETE', `/workspace/tables/${kTable}/retention`));
test.afterEach(({ call }) => call('DELETE', `/workspace/tables/${kTable}/retention`));

test('Tables are listed with what they hold, and one is kept longer and then as before', async ({ page }) => {
  await page.goto('/logs');
  await page.getByRole('navigation', { name: 'Logs' }).getByRole('link', { name: 'Tables' }).click();
  const row = page.getByRole('row').filter({ has: page.getByRole('link', { name: kTable, exact: true }) });
  const kept = row.getByRole('cell').filter({ hasText: /^(for ever|[\d,]+ days?.*)$/ });
  const before = await kept.innerText();
  await row.getByRole('button', { name: 'Change' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox', { name: 'Days', exact: true }).fill('ninety');
  await expect(dialog.getByText('A whole number from 0 to')).toBeVisible();
  await expect(dialog.getByRole('button', { name: 'Keep so' })).toBeDisabled();
  await dialog.getByRole('textbox', { name: 'Days', exact: true }).fill('1');
  await expect(dialog.getByText('cannot be brought back')).toBeVisible();
  await dialog.getByRole('textbox', { name: 'Days', exact: true }).fill('4000');
  await dialog.getByRole('textbox', { name: 'Then days in the archive' }).fill('365');
  await expect(dialog.getByText('cannot be brought back')).toHaveCount(0);
  await dialog.getByRole('button', { name: 'Keep so' }).click();
  await expect(kept).toHaveText('4,000 days, then 365 in the archive');
  await row.getByRole('button', { name: 'Change' }).click();
  await dialog.getByRole('button', { name: 'As the server' }).click();
  await expect(kept).toHaveText(before);
});

test('A name leads to the rows of its table', async ({ page }) => {
  await page.goto('/tables');
  await page.getByRole('link', { name: 'ProcessEvents', exact: true }).click();
  await expect(page.getByRole('status').filter({ hasText: /rows? in/ })).toBeVisible();
});
