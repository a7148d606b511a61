import { expect, heading, navigate, test } from './fixtures';

interface Posture {
  score: number;
  worst: { deviceId: string; score: number }[];
}
const kType = 'IoT_CISBenchmarks_BrowserTest';

test('The score, what it is made of and the worst devices are shown', async ({ page, call }) => {
  await page.goto('/');
  await navigate(page, 'Posture');
  await expect(heading(page, 'Posture')).toBeVisible();
  const section = page.getByRole('region', { name: 'Secure score' });
  await expect(section).toContainText('lost');
  const table = page.getByRole('table', { name: 'Devices with the lowest score' });
  // A finding that comes meanwhile changes both the answer and the page.
  await expect(async () => {
    const { score, worst } = (await call('GET', '/posture')).body as Posture;
    expect(score).toBeGreaterThan(0);
    expect(score).toBeLessThanOrEqual(100);
    if (worst.length > 0)
      await expect(table.getByRole('link', { name: worst[0]!.deviceId, exact: true })).toBeVisible({ timeout: 5_000 });
  }).toPass({ timeout: 90_000 });
});

test('A recommendation is exempted with a reason, and that is taken back', async ({ page, call }) => {
  const mine = async () =>
    ((await call('GET', '/exemptions')).body as { items: { id: string; type: string; until?: string }[] }).items.filter(
      ({ type }) => type === kType,
    );
  for (const { id } of await mine()) await call('DELETE', `/exemptions/${id}`);
  await page.goto('/posture');
  await page.getByRole('button', { name: 'Exempt a recommendation' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Type').fill(kType);
  await expect(dialog.getByRole('button', { name: 'Exempt', exact: true })).toBeDisabled();
  await dialog.getByLabel('Reason').fill('Nobody looks for this');
  await dialog.getByLabel('Until').fill('2099-12-31');
  await dialog.getByRole('button', { name: 'Exempt', exact: true }).click();
  const row = page.getByRole('table', { name: 'Exemptions' }).getByRole('row', { name: new RegExp(kType) });
  await expect(row).toContainText('Nobody looks for this');
  expect((await mine())[0]!.until).toContain('2100-01-01');
  await row.getByRole('button', { name: /Take back/ }).click();
  await expect(row).toHaveCount(0);
  expect(await mine()).toEqual([]);
});

test('A device tells its score, what it is made of, and what it was', async ({ page, call }) => {
  const { items } = (await call('GET', '/posture/devices?limit=1')).body as { items: { deviceId: string }[] };
  const device = encodeURIComponent(items[0]!.deviceId);
  const now = async () => (await call('GET', `/posture/devices/${device}`)).body as { score: number; trend: unknown[] };
  await expect.poll(async () => (await now()).trend.length).toBeGreaterThan(0);
  await page.goto(`/devices/${device}?tab=posture`);
  const section = page.getByRole('region', { name: 'Secure score' });
  await expect(async () => {
    const label = `${Math.round((await now()).score)} of 100`;
    await expect(section.getByLabel(label, { exact: true })).toBeVisible({ timeout: 5_000 });
  }).toPass({ timeout: 90_000 });
  await expect(section.getByRole('img', { name: /^Score by day/ })).toBeVisible();
});
