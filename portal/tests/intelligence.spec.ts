import { expect, heading, navigate, test } from './fixtures';

interface Feed {
  name: string;
  indicators: number;
  settings: Record<string, unknown>;
}
const kFeed = 'browser-feed';
const kName = 'browser-test.example';

test.afterEach(async ({ call }) => {
  await call('DELETE', `/intelligence/feeds/${kFeed}`);
  await call('DELETE', `/intelligence/indicators/domain/${kName}`);
});

test('A feed is added, content is handed in, settings change, and it is removed', async ({ page, call }) => {
  const mine = async () =>
    ((await call('GET', '/intelligence/feeds')).body as { items: Feed[] }).items.find(({ name }) => name === kFeed);
  await page.goto('/');
  await navigate(page, 'Intelligence');
  await expect(heading(page, 'Threat intelligence')).toBeVisible();
  await page.getByRole('button', { name: 'Add a feed' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('Not A Name');
  await expect(dialog.getByRole('button', { name: 'Add', exact: true })).toBeDisabled();
  await dialog.getByLabel('Name').fill(kFeed);
  await dialog.getByLabel('Licence').fill('CC0');
  await dialog.getByLabel('Confidence', { exact: true }).fill('55');
  await dialog.getByRole('button', { name: 'Add', exact: true }).click();
  await expect(heading(page, kFeed)).toBeVisible();
  expect((await mine())!.settings).toMatchObject({ confidence: 55, licence: 'CC0' });

  await page.getByRole('button', { name: 'Hand in content' }).click();
  await dialog.getByLabel('Or one a line').fill('browser-one.example\nbrowser-two.example # test\n');
  await dialog.getByRole('button', { name: 'Hand in', exact: true }).click();
  await expect(dialog).toBeHidden();
  await expect.poll(async () => (await mine())!.indicators).toBe(2);
  await expect(page.getByRole('region', { name: 'What it holds' })).toContainText('2');

  await page.getByRole('button', { name: 'Change' }).click();
  await dialog.getByLabel('Days an indicator lasts').fill('7');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect(dialog).toBeHidden();
  expect((await mine())!.settings).toMatchObject({ confidence: 55, lifeDays: 7 });

  await page.getByRole('button', { name: 'Remove', exact: true }).click();
  await dialog.getByRole('button', { name: 'Remove', exact: true }).click();
  await expect(heading(page, 'Threat intelligence')).toBeVisible();
  expect(await mine()).toBeUndefined();
});

test("An indicator of one's own is added and found by a name below it", async ({ page, call }) => {
  await page.goto('/intelligence/indicators');
  await page.getByRole('button', { name: 'Add an indicator' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel(/^Address, network/).fill(kName);
  await dialog.getByLabel('Threat').fill('Browser test');
  await dialog.getByRole('button', { name: 'Add', exact: true }).click();
  const row = page.getByRole('table', { name: 'Own indicators' }).getByRole('row', { name: new RegExp(kName) });
  await expect(row).toContainText('Browser test');

  const listed = async () => ((await call('GET', `/intelligence/lookup?value=www.${kName}`)).body as { listed: boolean }).listed;
  await expect.poll(listed, { timeout: 60_000 }).toBe(true);
  await page.goto('/intelligence');
  await page.getByLabel('Address, name, URL or hash').fill(`www.${kName}`);
  await page.keyboard.press('Enter');
  const box = page.getByRole('region', { name: 'Look up' });
  await expect(box.getByText('Listed', { exact: true })).toBeVisible();
  await expect(box).toContainText('Browser test');
  await expect(box.getByRole('link', { name: /^javascript/ })).toHaveCount(0);

  await page.goto('/intelligence/indicators');
  await row.getByRole('button', { name: `Remove ${kName}` }).click();
  await expect(row).toHaveCount(0);
});

test('What is no indicator is refused with a reason', async ({ page }) => {
  await page.goto('/intelligence');
  await page.getByLabel('Address, name, URL or hash').fill('no indicator at all');
  await page.getByRole('button', { name: 'Look up' }).click();
  await expect(page.getByRole('region', { name: 'Look up' }).getByRole('alert')).toBeVisible();
});

test('A retro-hunt is started and listed', async ({ page }) => {
  await page.goto('/intelligence/retro-hunts');
  await expect(heading(page, 'Retro-hunts')).toBeVisible();
  await page.getByRole('button', { name: 'Start a retro-hunt' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Days back').fill('0');
  await expect(dialog.getByRole('button', { name: 'Start', exact: true })).toBeDisabled();
  await dialog.getByLabel('Days back').fill('2');
  await dialog.getByRole('button', { name: 'Start', exact: true }).click();
  await expect(
    page.getByRole('table', { name: 'Retro-hunts' }).getByRole('cell', { name: '2 days' }).first().or(dialog.getByRole('alert')),
  ).toBeVisible();
});
