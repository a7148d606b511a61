import { expect, heading, kQuietType, raiseAlert, test } from './fixtures';

interface Group {
  alertType: string;
  displayName: string;
  date: string;
  open: number;
}

test('A group is dismissed with a comment, and opened again', async ({ page, call }) => {
  const groups = async (open: string) => ((await call('GET', `/alert-groups?limit=500${open}`)).body as { items: Group[] }).items;
  // A group that nothing is added to meanwhile, where there is one.
  const pick = async () => {
    const open = await groups('&open=true');
    return open.find(({ alertType }) => alertType === kQuietType) ?? open[0];
  };
  let group = await pick();
  if (!group) {
    test.skip(!(await raiseAlert(page)), 'PICKET_TRIGGER is not set');
    await expect.poll(async () => (group = await pick()), { timeout: 60_000 }).toBeDefined();
  }
  const { alertType, displayName, date } = group!;
  await page.goto('/alerts');
  await page.getByRole('link', { name: 'By name and day' }).click();
  await expect(heading(page, 'Alerts by name and day')).toBeVisible();
  await page
    .getByRole('button', { name: `Dismiss ${displayName} of ${date}` })
    .first()
    .click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Comment').fill('The browser test dismisses');
  await dialog.getByRole('button', { name: 'Dismiss', exact: true }).click();
  await expect(dialog).toBeHidden();
  const mine = async () => (await groups('')).find((one) => one.alertType === alertType && one.date === date)!;
  await expect.poll(async () => (await mine()).open).toBe(0);

  await page.getByRole('combobox', { name: 'State' }).click();
  await page.getByRole('option', { name: 'All groups' }).click();
  await page
    .getByRole('button', { name: `Open again: ${displayName} of ${date}` })
    .first()
    .click();
  await expect.poll(async () => (await mine()).open).toBeGreaterThan(0);
});

test('A group leads to its alerts, all of one type', async ({ page, call }) => {
  const [group] = ((await call('GET', '/alert-groups?limit=1')).body as { items: Group[] }).items;
  test.skip(!group, 'this server has no alert');
  await page.goto('/alert-groups?state=any');
  const table = page.getByRole('table', { name: 'Groups of alerts' });
  await table.getByRole('link', { name: group!.displayName, exact: true }).first().click();
  await expect(heading(page, 'Alerts')).toBeVisible();
  await expect(page.getByRole('button', { name: `Take away: Type: ${group!.alertType}` })).toBeVisible();
  await expect(page.getByRole('table', { name: 'Alerts' }).getByRole('link', { name: group!.displayName }).first()).toBeVisible();
});

test('Devices are told apart when asked for', async ({ page }) => {
  await page.goto('/alert-groups?state=any');
  const toggle = page.getByRole('switch', { name: 'Tell devices apart' });
  await toggle.focus();
  await page.keyboard.press('Space');
  await expect(page).toHaveURL(/by=device/);
  await expect(page.locator('table a[href^="/devices/"]').first().or(page.getByText('No group matches'))).toBeVisible();
});
