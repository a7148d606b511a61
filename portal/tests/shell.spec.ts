import { expect, heading, navigate, test } from './fixtures';

test('Every page is reached from the navigation and has its own address and title', async ({ page }) => {
  await page.goto('/');
  await expect(heading(page, 'Overview')).toBeVisible();
  for (const [name, path] of [
    ['Devices', '/devices'],
    ['Hub', '/hub'],
    ['Alerts', '/alerts'],
    ['Recommendations', '/recommendations'],
    ['Logs', '/logs'],
    ['Overview', '/'],
  ] as const) {
    await navigate(page, name);
    await expect(heading(page, name)).toBeVisible();
    expect(new URL(page.url()).pathname).toBe(path);
    await expect(page).toHaveTitle(`${name} · Picket`);
  }
  await page.goto('/no/such/page');
  await expect(heading(page, 'Not found')).toBeVisible();
});

test('The keyboard alone reaches the content and the pages', async ({ page }) => {
  await page.goto('/');
  await expect(heading(page, 'Overview')).toBeVisible();
  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: 'Skip to content' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('main')).toBeFocused();

  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Overview' }).focus();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await expect(heading(page, 'Alerts')).toBeVisible();
});

test('A narrow window has the pages behind a button, for mouse and keyboard, and nothing sticks out', async ({ page }) => {
  await page.setViewportSize({ width: 320, height: 640 });
  await page.goto('/');
  await expect(heading(page, 'Overview')).toBeVisible();
  const button = page.getByRole('button', { name: 'Pages' });
  const pages = page.getByRole('navigation', { name: 'Main' });
  await expect(pages).toBeHidden();
  await button.press('Enter');
  await expect(pages).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(pages).toBeHidden();
  await expect(button).toBeFocused();
  await button.click();
  await navigate(page, 'Devices');
  await expect(heading(page, 'Devices')).toBeVisible();
  await expect(pages).toBeHidden();
  const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  await expect.poll(overflow).toBe(0);
});

test('The theme follows the system until one is chosen, and the choice is remembered', async ({ page }) => {
  const scheme = () => page.evaluate(() => document.documentElement.style.colorScheme);
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.goto('/');
  await expect(heading(page, 'Overview')).toBeVisible();
  await expect.poll(scheme).toBe('dark');
  await page.emulateMedia({ colorScheme: 'light' });
  await expect.poll(scheme).toBe('light');

  await page.getByRole('button', { name: 'Theme' }).click();
  await page.getByRole('menuitemradio', { name: 'Dark' }).click();
  await expect.poll(scheme).toBe('dark');
  await page.reload();
  await expect(heading(page, 'Overview')).toBeVisible();
  await expect.poll(scheme).toBe('dark');
});

test('The page says that it is live', async ({ page }) => {
  await page.goto('/');
  await expect(page.getByRole('status').filter({ hasText: 'Live' })).toBeVisible();
});
