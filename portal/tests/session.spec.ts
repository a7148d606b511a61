import { expect, heading, kSecret, kUser, test } from './fixtures';

test('A wrong secret is refused with words, the right one opens the page that was asked for', async ({ strangerPage: page }) => {
  await page.goto('/devices');
  await page.getByLabel('User').fill(kUser);
  await page.getByLabel('Secret').fill('certainly wrong');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('alert')).toContainText('User or secret is wrong');

  await page.getByLabel('Secret').fill(kSecret);
  await page.keyboard.press('Enter');
  await expect(heading(page, 'Devices')).toBeVisible();
});

test('Signing out ends the session', async ({ strangerPage: page }) => {
  await page.goto('/');
  await page.getByLabel('User').fill(kUser);
  await page.getByLabel('Secret').fill(kSecret);
  await page.keyboard.press('Enter');
  await expect(heading(page, 'Overview')).toBeVisible();

  await page.getByRole('button', { name: `Account of ${kUser}` }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await expect(page.getByLabel('Secret')).toBeVisible();
  await page.goto('/alerts');
  await expect(page.getByLabel('Secret')).toBeVisible();
});

test('A session that ended elsewhere asks for a sign-in instead of failing', async ({ strangerPage: page }) => {
  await page.goto('/');
  await page.getByLabel('User').fill(kUser);
  await page.getByLabel('Secret').fill(kSecret);
  await page.keyboard.press('Enter');
  await expect(heading(page, 'Overview')).toBeVisible();

  await page.context().clearCookies();
  // What the page asks for by itself may be refused before the link is pressed.
  const link = page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Devices' });
  await expect(async () => {
    if (await link.isVisible()) await link.click({ timeout: 3_000 });
    await expect(page.getByText('Your session has ended')).toBeVisible({ timeout: 5_000 });
  }).toPass({ timeout: 90_000 });
});
