import { expect, heading, navigate, test } from './fixtures';

const kGroup = 'browser-group';
const kLogins = 'Number of failed local logins is not in allowed range';
const kNetworks = "Outbound connection to an IP address that isn't allowed";

test.afterEach(async ({ call }) => {
  await call('DELETE', `/security-groups/${kGroup}`);
});

interface Rule {
  ruleType: string;
  isEnabled: boolean;
  maxThreshold?: number;
  timeWindowSize?: string;
  allowlistValues?: string[];
}

test('Custom alerts of a group are set, kept, and removed', async ({ page, call }) => {
  const rules = async () => {
    const { properties } = (await call('GET', `/security-groups/${kGroup}`)).body as {
      properties: { timeWindowRules: Rule[]; allowlistRules: Rule[] };
    };
    return [...properties.timeWindowRules, ...properties.allowlistRules].filter(({ isEnabled }) => isEnabled);
  };
  await page.goto('/');
  await navigate(page, 'Security groups');
  await expect(heading(page, 'Security groups')).toBeVisible();
  await page.getByRole('button', { name: 'Custom alerts of a group' }).click();
  await page.getByRole('dialog').getByLabel('Security group').fill(kGroup);
  await page.getByRole('dialog').getByRole('button', { name: 'Go on' }).click();
  await expect(heading(page, kGroup)).toBeVisible();
  const save = page.getByRole('button', { name: 'Save' });
  await expect(save).toBeDisabled();

  await page.getByRole('switch', { name: kLogins }).click();
  const logins = page.getByRole('group', { name: kLogins });
  await logins.getByLabel('At least').fill('9');
  await logins.getByLabel('At most').fill('5');
  await expect(page.getByText('1 rule cannot be saved')).toBeVisible();
  await expect(save).toBeDisabled();
  await logins.getByLabel('At least').fill('0');
  await logins.getByRole('combobox', { name: 'In' }).click();
  await page.getByRole('option', { name: '1 hour' }).click();
  await page.getByRole('switch', { name: kNetworks }).click();
  await page.getByRole('group', { name: kNetworks }).getByLabel('Allowed networks').fill('192.0.2.0/24\n2001:db8::/32');
  await save.click();
  await expect.poll(async () => (await rules()).length).toBe(2);
  const [first, second] = await rules();
  expect(first).toMatchObject({ maxThreshold: 5, timeWindowSize: 'PT1H' });
  expect(second).toMatchObject({ allowlistValues: ['192.0.2.0/24', '2001:db8::/32'] });
  await expect(save).toBeDisabled();

  await page.goto('/security-groups');
  await page.getByRole('table', { name: 'Security groups' }).getByRole('link', { name: kGroup, exact: true }).click();
  await expect(page.getByRole('group', { name: kLogins }).getByLabel('At most')).toHaveValue('5');
  await page.getByRole('button', { name: 'Remove all' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove', exact: true }).click();
  await expect(heading(page, 'Security groups')).toBeVisible();
  expect(await rules()).toEqual([]);
});

test('What is being written stays when somebody else changes the group, and says so', async ({ page, call }) => {
  await page.goto(`/security-groups/${kGroup}`);
  await page.getByRole('switch', { name: kLogins }).click();
  const most = page.getByRole('group', { name: kLogins }).getByLabel('At most');
  await most.fill('7');
  const theirs = { ruleType: 'ConnectionToIpNotAllowed', isEnabled: true, allowlistValues: ['192.0.2.0/24'] };
  const put = await call('PUT', `/security-groups/${kGroup}`, { properties: { timeWindowRules: [], allowlistRules: [theirs] } });
  expect(put.status).toBeLessThan(300);
  await expect(async () => {
    await page.evaluate(() => window.dispatchEvent(new Event('visibilitychange')));
    await expect(page.getByText('Somebody else changed this group meanwhile')).toBeVisible({ timeout: 1000 });
  }).toPass();
  await expect(most).toHaveValue('7');
  await page.getByRole('button', { name: 'Discard' }).click();
  await expect(page.getByText('Somebody else changed this group meanwhile')).toBeHidden();
  await expect(page.getByRole('switch', { name: kLogins })).not.toBeChecked();
  await expect(page.getByRole('switch', { name: kNetworks })).toBeChecked();
});
