import { expect, heading, navigate, test } from './fixtures';

interface RuleItem {
  id: string;
  title: string;
  level: string;
  own: boolean;
  enabled: boolean;
}

const kFile = 'browser-rules.yml';
const kRule = `title: Browser Test Rule
id: 7a4dcb2e-53a1-4d6e-9a63-0b8f3a0b7c51
author: The Browser Tests
license: DRL-1.1
references: ["https://example.org/why", "javascript:alert(1)"]
logsource: {category: process_creation, product: linux}
detection:
  selection: {CommandLine|contains: a-word-that-nobody-writes}
  condition: selection
level: medium
`;

const rulesOf = async (call: (method: string, path: string) => Promise<{ body: unknown }>) =>
  ((await call('GET', '/rules')).body as { items: RuleItem[] }).items;

test.afterEach(async ({ call }) => {
  await call('DELETE', `/rule-files/${kFile}`);
});

test('Every rule is listed, and one opens with what it looks for', async ({ page, call }) => {
  await page.goto('/');
  await navigate(page, 'Rules');
  await expect(heading(page, 'Rules')).toBeVisible();
  const items = await rulesOf(call);
  const table = page.getByRole('table', { name: 'Rules' });
  await expect(table.getByRole('row')).toHaveCount(items.length + 1);
  const { title } = items.find(({ own }) => own)!;
  await page.getByRole('searchbox', { name: 'Search rules' }).fill(title);
  await table.getByRole('link', { name: title, exact: true }).first().click();
  await expect(heading(page, title)).toBeVisible();
  await expect(page.getByRole('region', { name: 'What it looks for' })).toBeVisible();
  await expect(page.getByRole('region', { name: 'What it did since the server started' }).getByText('Matches')).toBeVisible();
});

test('A rule is switched off and on again from the list', async ({ page, call }) => {
  const rule = (await rulesOf(call)).find(({ id }) => id === 'behavior.beacon')!;
  await page.goto('/rules?q=behavior.beacon');
  const toggle = page.getByRole('switch', { name: `In force: ${rule.title}` });
  const enabled = async () => (await rulesOf(call)).find(({ id }) => id === rule.id)!.enabled;
  await toggle.focus();
  await page.keyboard.press('Space');
  await expect.poll(enabled).toBe(false);
  await expect(toggle).not.toBeChecked();
  await page.keyboard.press('Space');
  await expect.poll(enabled).toBe(true);
  await expect(toggle).toBeChecked();
});

test('A switch that is pressed again before the server answered ends as it was pressed last', async ({ page, call }) => {
  const rule = (await rulesOf(call)).find(({ id }) => id === 'behavior.beacon')!;
  let answer = () => {};
  const pressedTwice = new Promise<void>((resolve) => (answer = resolve));
  const sent: unknown[] = [];
  await page.route(`**/rules/${rule.id}`, async (route) => {
    if (route.request().method() === 'PATCH') {
      sent.push(route.request().postDataJSON());
      await pressedTwice;
    }
    await route.continue();
  });
  await page.goto('/rules?q=behavior.beacon');
  const toggle = page.getByRole('switch', { name: `In force: ${rule.title}` });
  await toggle.click();
  await expect(toggle).not.toBeChecked();
  await toggle.click();
  await expect(toggle).toBeChecked();
  answer();
  await expect.poll(() => sent).toEqual([{ enabled: false }, { enabled: true }]);
  await expect.poll(async () => (await rulesOf(call)).find(({ id }) => id === rule.id)!.enabled).toBe(true);
  await expect(toggle).toBeChecked();
});

test('A file of rules is imported, shown and removed; what no rule is in is refused with a reason', async ({ page, call }) => {
  await page.goto('/rules');
  await page.getByRole('button', { name: 'Import rules' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill(kFile);
  await dialog.getByLabel('Rules in Sigma').fill('nothing: here');
  await dialog.getByRole('button', { name: 'Import', exact: true }).click();
  await expect(dialog.getByRole('alert')).toBeVisible();

  await page.setInputFiles('input[type=file]', { name: kFile, mimeType: 'application/yaml', buffer: Buffer.from(kRule) });
  await expect(dialog.getByLabel('Rules in Sigma')).toHaveValue(kRule);
  await dialog.getByRole('button', { name: 'Import', exact: true }).click();
  await expect(dialog.getByText('1 document can be used.')).toBeVisible();
  await dialog.getByRole('button', { name: 'Done' }).click();

  await page.getByRole('searchbox', { name: 'Search rules' }).fill('Browser Test Rule');
  await page.getByRole('link', { name: 'Browser Test Rule' }).click();
  await expect(page.getByRole('group', { name: `Rules of ${kFile}` })).toContainText('a-word-that-nobody-writes');
  await expect(page.getByRole('link', { name: /^javascript:/ })).toHaveCount(0);
  await page.getByRole('button', { name: 'Remove file' }).click();
  await page.getByRole('button', { name: 'Remove', exact: true }).click();
  await expect(heading(page, 'Rules')).toBeVisible();
  await expect.poll(async () => (await rulesOf(call)).some(({ title }) => title === 'Browser Test Rule')).toBe(false);
});

test('A rule that does not exist is said to be missing', async ({ page }) => {
  await page.goto('/rules/no-such-rule');
  await expect(
    page
      .getByRole('alert')
      .or(page.getByText(/no such|not found/i))
      .first(),
  ).toBeVisible();
});
