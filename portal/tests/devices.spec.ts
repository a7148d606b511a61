import { expect, heading, navigate, test } from './fixtures';

test('The overview counts the devices that the list shows', async ({ page, call }) => {
  const { body } = await call('GET', '/devices?limit=1');
  const { total } = body as { total: number };
  await page.goto('/');
  await expect(page.getByRole('link', { name: /Devices reporting/ })).toContainText(`/ ${total.toLocaleString('en')}`);
  await navigate(page, 'Devices');
  await expect(page.getByText(`${total.toLocaleString('en')} device`)).toBeVisible();
});

test('A device is added, found, disabled, enabled and removed', async ({ page }) => {
  const id = `browser-test-${Date.now()}`;
  await page.goto('/devices');
  await page.getByRole('button', { name: 'Add device' }).first().click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Device id').fill(id);
  await dialog.getByLabel('Group').fill('browser-tests');
  await dialog.getByRole('button', { name: 'Add device' }).click();
  await expect(dialog).toContainText(`DeviceId=${id}`);
  await dialog.getByRole('button', { name: 'Done' }).click();

  await page.getByRole('searchbox', { name: 'Search devices' }).fill(id);
  const row = page.getByRole('table', { name: 'Devices' }).getByRole('row').filter({ hasText: id });
  await expect(row).toContainText('Never reported');
  await row.getByRole('link', { name: id }).click();
  await expect(heading(page, id)).toBeVisible();

  await page.getByRole('button', { name: 'More actions' }).click();
  await page.getByRole('menuitem', { name: 'Disable' }).click();
  await expect(page.getByText('Disabled', { exact: true })).toBeVisible();
  await page.getByRole('button', { name: 'More actions' }).click();
  await page.getByRole('menuitem', { name: 'Enable' }).click();
  await expect(page.getByText('Never reported')).toBeVisible();

  await page.getByRole('button', { name: 'Connection string' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Show it' }).click();
  await expect(page.getByRole('dialog')).toContainText('SharedAccessKey=');
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();

  await page.getByRole('button', { name: 'More actions' }).click();
  await page.getByRole('menuitem', { name: 'Remove…' }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Remove' }).click();
  await expect(heading(page, 'Devices')).toBeVisible();
  await page.goto(`/devices/${id}`);
  await expect(page.getByRole('alert')).toContainText('could not be loaded');
});

test('A device that exists already is refused with words', async ({ page, call }) => {
  const id = `browser-twice-${Date.now()}`;
  expect((await call('POST', '/devices', { deviceId: id })).status).toBe(201);
  await page.goto('/devices');
  await page.getByRole('button', { name: 'Add device' }).first().click();
  await page.getByRole('dialog').getByLabel('Device id').fill(id);
  await page.getByRole('dialog').getByRole('button', { name: 'Add device' }).click();
  await expect(page.getByRole('dialog').getByRole('alert')).toBeVisible();
  expect((await call('DELETE', `/devices/${id}`)).status).toBe(204);
});

test('A reporting device shows its coverage and its events', async ({ page, call }) => {
  const { body } = await call('GET', '/devices?reporting=reporting&limit=1');
  const id = (body as { items: { deviceId: string }[] }).items[0]?.deviceId;
  test.skip(id === undefined, 'no device reports to this server');
  await page.goto(`/devices/${encodeURIComponent(id!)}`);
  await expect(page.getByRole('table', { name: 'Coverage' })).toBeVisible();
  await page.getByRole('tab', { name: 'Events' }).click();
  const grid = page.getByRole('grid', { name: 'Newest events' });
  await expect(grid.getByRole('columnheader', { name: /RawEventName/ })).toBeVisible();
  await expect(grid.getByRole('row').nth(1)).toBeVisible();
});
