import { expect, test } from './fixtures';

const kId = '6f1c2d7e-0b1a-4c55-9a53-0f1f3a9be001';
const kRule = `id: ${kId}
name: Browser rule
description: |
  Raised by nothing.
severity: Low
queryFrequency: 1h
queryPeriod: 1h
triggerOperator: gt
triggerThreshold: 1000
tactics:
  - Discovery
relevantTechniques:
  - T0842
query: |
  SecurityAlert
  | where AlertName == "of the browser tests"
kind: Scheduled
version: 1.0.0
`;

test.afterEach(async ({ call }) => {
  await call('DELETE', `/analytics-rules/${kId}`);
});

test('A rule is imported, switched off, tried over history and removed', async ({ page }) => {
  await page.goto('/analytics-rules');
  await page.getByRole('button', { name: 'Import rules' }).click();
  await page.getByRole('dialog').getByRole('textbox', { name: 'Rules' }).fill(kRule);
  await page.getByRole('dialog').getByRole('button', { name: 'Import', exact: true }).click();
  await expect(page.getByRole('dialog')).toContainText('1 rule imported');
  await page.getByRole('dialog').getByRole('button', { name: 'Done' }).click();
  await page.getByRole('searchbox', { name: 'Search analytics rules' }).fill('Browser rule');
  await page.getByRole('link', { name: 'Browser rule' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Browser rule' })).toBeVisible();
  const on = page.getByRole('switch', { name: 'On' });
  await on.click();
  await expect(page.getByRole('switch', { name: 'Off' })).not.toBeChecked();
  await page.getByRole('button', { name: 'Try' }).click();
  await expect(page.getByRole('region', { name: 'Dry run' }).getByRole('status')).toContainText(/\d+ runs?, \d+ alerts?/);
  await page.getByRole('button', { name: 'Remove' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await expect(page).toHaveURL(/\/analytics-rules$/);
  await expect(page.getByRole('link', { name: 'Browser rule' })).toHaveCount(0);
});

test('A file without a rule is refused in words', async ({ page }) => {
  await page.goto('/analytics-rules');
  await page.getByRole('button', { name: 'Import rules' }).click();
  await page.getByRole('dialog').getByRole('textbox', { name: 'Rules' }).fill('nothing: here');
  await page.getByRole('dialog').getByRole('button', { name: 'Import', exact: true }).click();
  await expect(page.getByRole('alert')).toBeVisible();
});
