import { expect, test } from './fixtures';

test('A device that is away cannot be isolated, and the attempt stays on record', async ({ page, call }) => {
  const id = `browser-response-${Date.now()}`;
  expect((await call('POST', '/devices', { deviceId: id })).status).toBe(201);
  await page.goto(`/devices/${id}?tab=response`);
  await expect(page.getByText('Nothing was commanded yet')).toBeVisible();
  await page.getByRole('button', { name: 'Isolate…' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('All its connections are cut');
  await dialog.getByRole('textbox', { name: 'May still talk to' }).fill('192.0.2.0/24');
  await dialog.getByRole('button', { name: 'Isolate', exact: true }).click();
  await expect(dialog.getByRole('alert')).toContainText(/connected/);
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  const row = page.getByRole('table', { name: 'Commands to this device' }).getByRole('row').nth(1);
  await expect(row).toContainText('isolate');
  await expect(row).toContainText('192.0.2.0/24');
  await expect(row).toContainText('Not reached');
  await expect(page.getByText('This device is isolated')).toHaveCount(0);
  expect((await call('DELETE', `/devices/${id}`)).status).toBe(204);
});

// A server's own tests isolate real devices; here one is needed whose settings allow it, which only the mock has.
if (process.env.PICKET_URL === undefined) {
  test('A device is isolated and released after a question each, and both are on record', async ({ page, call }) => {
    const { items } = (await call('GET', '/devices?limit=50')).body as { items: { deviceId: string; connectionState: string }[] };
    const id = items.find((each) => each.connectionState === 'Connected')?.deviceId;
    await page.goto(`/devices/${id}?tab=response`);
    await page.getByRole('button', { name: 'Isolate…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('combobox', { name: 'For' }).click();
    await page.getByRole('option', { name: '8 hours' }).click();
    await dialog.getByRole('button', { name: 'Isolate', exact: true }).click();
    await expect(page.getByText('This device is isolated')).toBeVisible();
    const rows = page.getByRole('table', { name: 'Commands to this device' }).getByRole('row');
    await expect(rows.nth(1)).toContainText('durationSeconds 28800');
    await expect(rows.nth(1)).toContainText('Done');

    await page.getByRole('button', { name: 'Release…' }).click();
    await expect(dialog).toContainText(`Release ${id}?`);
    await dialog.getByRole('button', { name: 'Release', exact: true }).click();
    await expect(page.getByText('This device is isolated')).toHaveCount(0);
    await expect(rows.nth(1)).toContainText('release');
  });
}
