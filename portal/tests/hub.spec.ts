import { expect, heading, navigate, test } from './fixtures';

test('The hub shows its policies with their rights, and how devices may connect', async ({ page, call }) => {
  const hub = ((await call('GET', '/hubs')).body as { items: { name: string; settings: { minTlsVersion?: string } }[] })
    .items[0]!;
  const policies = ((await call('GET', `/hubs/${hub.name}/policies`)).body as { items: { name: string; rights: string }[] })
    .items;
  await page.goto('/');
  await navigate(page, 'Hub');
  await expect(heading(page, 'Hub')).toBeVisible();
  await expect(page.getByRole('region', { name: `About ${hub.name}` })).toContainText(hub.settings.minTlsVersion ?? '1.2');
  const table = page.getByRole('table', { name: 'Shared access policies' });
  await expect(table.getByRole('row')).toHaveCount(policies.length + 1);
  for (const { name, rights } of policies)
    await expect(table.getByRole('row').filter({ has: page.getByText(name, { exact: true }) })).toContainText(rights);
  await expect(page.getByRole('region', { name: 'IP filter rules' })).toBeVisible();
  await expect(page.getByRole('region', { name: 'CA certificates' })).toBeVisible();
});
