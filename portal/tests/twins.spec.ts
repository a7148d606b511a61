import { expect, test } from './fixtures';

test('A twin is read, changed by a patch and keeps what the patch does not name', async ({ page, call }) => {
  const id = `browser-twin-${Date.now()}`;
  expect((await call('POST', '/devices', { deviceId: id })).status).toBe(201);
  expect((await call('PATCH', `/devices/${id}/twin`, { tags: { keep: 'this' } })).status).toBe(200);
  await page.goto(`/devices/${id}?tab=twin`);
  const tags = page.getByRole('group', { name: 'Tags as JSON' });
  await expect(tags).toContainText('"keep": "this"');

  await page.getByRole('button', { name: 'Change…' }).click();
  const dialog = page.getByRole('dialog');
  const patch = dialog.getByRole('textbox', { name: 'Patch' });
  const merge = dialog.getByRole('button', { name: 'Merge' });
  await patch.fill('{"tags": ');
  await expect(dialog.getByText('This is not valid JSON')).toBeVisible();
  await expect(merge).toBeDisabled();
  await patch.fill('{"properties": {"desired": {"a name": 1, "a.b": 2}}}');
  await merge.click();
  await expect(dialog.getByRole('alert').last()).toBeVisible();
  await patch.fill('{"tags": {"site": "browser"}, "properties": {"desired": {"interval": 10}}}');
  await merge.click();
  await expect(dialog).toHaveCount(0);
  await expect(tags).toContainText('"keep": "this"');
  await expect(tags).toContainText('"site": "browser"');
  const desired = page.getByRole('group', { name: 'Desired properties as JSON' });
  await expect(desired).toContainText('"interval": 10');
  await expect(desired).not.toContainText('$version');
  await page.getByRole('switch', { name: 'Show metadata' }).click();
  await expect(desired).toContainText('$version');
  expect((await call('DELETE', `/devices/${id}`)).status).toBe(204);
});

test('A method of a device that is away fails with words, a message waits for it', async ({ page, call }) => {
  const id = `browser-away-${Date.now()}`;
  expect((await call('POST', '/devices', { deviceId: id })).status).toBe(201);
  await page.goto(`/devices/${id}`);
  await page.getByRole('button', { name: 'More actions' }).click();
  await page.getByRole('menuitem', { name: 'Call method…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox', { name: 'Method' }).fill('reboot');
  await dialog.getByRole('button', { name: 'Call' }).click();
  await expect(dialog.getByRole('alert')).toContainText(/\w/);
  await dialog.getByRole('button', { name: 'Close' }).click();

  await page.getByRole('button', { name: 'More actions' }).click();
  await page.getByRole('menuitem', { name: 'Send message…' }).click();
  await dialog.getByRole('textbox', { name: 'Body' }).fill('hello');
  await dialog.getByRole('button', { name: 'Send' }).click();
  await expect(page.getByText(`The message waits for ${id}`).last()).toBeVisible();
  expect((await call('DELETE', `/devices/${id}`)).status).toBe(204);
});
