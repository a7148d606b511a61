import { readFileSync } from 'node:fs';
import type { Page } from '@playwright/test';
import { expect, heading, navigate, test } from './fixtures';

const kFeed = 'browser-osv';
const kVex = 'browser-statement';
const kDevice = 'browser-firmware-device';
const kCve = 'CVE-2999-0001';
const kHostile = '<img src=x onerror=alert(1)> a flaw';

/** An advisory about a package that only the document below names. */
const advisory = JSON.stringify([
  {
    id: kCve,
    modified: '2026-01-01T00:00:00Z',
    summary: kHostile,
    affected: [
      {
        package: { ecosystem: 'npm', name: 'browser-test-package' },
        ranges: [{ type: 'SEMVER', events: [{ introduced: '0' }, { fixed: '2.0.0' }] }],
      },
    ],
  },
]);
const kSbom = JSON.stringify({
  bomFormat: 'CycloneDX',
  specVersion: '1.5',
  version: 1,
  components: [
    { type: 'library', name: 'browser-test-package', version: '1.4.2', purl: 'pkg:npm/browser-test-package@1.4.2' },
    { type: 'library', name: 'browser-other', version: '9', purl: 'pkg:npm/browser-other@9' },
  ],
});

const kMock = process.env.PICKET_URL === undefined;

test.afterEach(async ({ call }) => {
  await call('DELETE', `/vex/${kVex}`);
  await call('DELETE', `/advisory-feeds/${kFeed}`);
  await call('DELETE', `/sbom/devices/${kDevice}/documents/browser-firmware`);
  await call('DELETE', `/devices/${kDevice}`);
  // The next test finds a fleet that has been matched without them.
  const found = async () => ((await call('GET', `/vulnerabilities?q=${kCve}`)).body as { items: unknown[] }).items.length;
  await expect.poll(found, { timeout: 60_000 }).toBe(0);
});

test('Software of a device comes from a document, is found, exported and removed', async ({ page, call }) => {
  await call('POST', '/devices', { deviceId: kDevice });
  await page.goto(`/devices/${kDevice}?tab=software`);
  await expect(page.getByText('Nothing is known of the software of this device')).toBeVisible();
  await page.getByRole('button', { name: 'Import a document' }).click();
  const dialog = page.getByRole('dialog');
  await page.setInputFiles('input[type=file]', {
    name: 'browser-firmware.cdx.json',
    mimeType: 'application/json',
    buffer: Buffer.from(kSbom),
  });
  await expect(dialog.getByLabel('Name')).toHaveValue('browser-firmware');
  await dialog.getByRole('button', { name: 'Import', exact: true }).click();
  await expect(dialog).toBeHidden();
  const table = page.getByRole('table', { name: 'Software', exact: true });
  await expect(table.getByRole('row')).toHaveCount(3);
  await page.getByRole('searchbox', { name: 'Search software' }).fill('test-package');
  await expect(table.getByRole('row')).toHaveCount(2);
  const download = page.waitForEvent('download');
  await page.getByRole('link', { name: 'CycloneDX 1.6' }).click();
  expect((await download).suggestedFilename()).toBe(`${kDevice}.cdx.json`);
  await page.getByRole('button', { name: 'Remove browser-firmware' }).click();
  await expect(page.getByText('Nothing is known of the software of this device')).toBeVisible();
});

/** The text of the file that the list of vulnerabilities is exported as. */
async function exportVex(page: Page): Promise<string> {
  await page.getByRole('button', { name: 'Export VEX' }).click();
  const download = page.waitForEvent('download');
  await page.getByRole('menuitem', { name: 'OpenVEX 0.2' }).click();
  const file = await download;
  expect(file.suggestedFilename()).toBe('fleet.openvex.json');
  return readFileSync(await file.path(), 'utf8');
}

test('A feed finds a device, the finding explains itself, and a statement takes it away', async ({ page, call }) => {
  test.skip(kMock, 'the mock matches nothing');
  await call('POST', '/devices', { deviceId: kDevice });
  expect((await call('PUT', `/sbom/devices/${kDevice}/documents/browser-firmware`, JSON.parse(kSbom))).status).toBe(201);
  await page.goto('/vulnerabilities/feeds');
  await page.getByRole('button', { name: 'Add a feed' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill(kFeed);
  await dialog.getByRole('combobox', { name: 'Kind' }).click();
  await page.getByRole('option', { name: 'OSV' }).click();
  await page.setInputFiles('input[type=file]', {
    name: 'browser.json',
    mimeType: 'application/json',
    buffer: Buffer.from(advisory),
  });
  await dialog.getByRole('button', { name: 'Add', exact: true }).click();
  await expect(page.getByRole('table', { name: 'Advisory feeds' }).getByRole('row', { name: new RegExp(kFeed) })).toContainText(
    'Good',
  );

  // The feed is in force before the fleet is matched against it.
  await expect
    .poll(async () => ((await call('GET', `/vulnerabilities?q=${kCve}`)).body as { items: unknown[] }).items.length, {
      timeout: 90_000,
    })
    .toBe(1);
  await page.goto(`/vulnerabilities?q=${kCve}`);
  expect(await exportVex(page)).toContain(kCve);
  await page.getByRole('table', { name: 'Vulnerabilities' }).getByRole('link', { name: kCve }).click();
  await expect(heading(page, kCve)).toBeVisible();
  await expect(page.getByText(kHostile)).toBeVisible();
  await page.getByRole('table', { name: 'Affected devices' }).getByRole('link', { name: kDevice }).click();
  const why = page.getByRole('region', { name: `Why ${kCve}?` });
  await expect(why).toContainText('2.0.0');
  await expect(why).toContainText('Affected');

  await why.getByRole('button', { name: 'New statement' }).click();
  await expect(dialog.getByRole('button', { name: 'Put in force' })).toBeDisabled();
  await dialog.getByRole('combobox', { name: 'Justification' }).click();
  await page.getByRole('option', { name: 'The vulnerable code is never run' }).click();
  await dialog.getByLabel('Name of the document').fill(kVex);
  await dialog.getByRole('button', { name: 'Put in force' }).click();
  await expect(why).toContainText('Not affected');
  await expect(why).toContainText('The vulnerable code is never run');
});

test('The list keeps the order of urgency and leads to one that explains itself', async ({ page, call }) => {
  const { items, total } = (await call('GET', '/vulnerabilities?limit=1')).body as {
    items: { vulnerability: string }[];
    total: number;
  };
  await page.goto('/');
  await navigate(page, 'Vulnerabilities');
  await expect(heading(page, 'Vulnerabilities')).toBeVisible();
  if (total === 0) return expect(page.getByText(/No feed of advisories|No device is known/)).toBeVisible();
  const { vulnerability } = items[0]!;
  const table = page.getByRole('table', { name: 'Vulnerabilities' });
  await expect(table.getByRole('row').nth(1)).toContainText(vulnerability);
  expect(await exportVex(page)).toContain('openvex');
  await table.getByRole('link', { name: vulnerability }).click();
  await expect(page.getByRole('table', { name: 'Affected devices' })).toBeVisible();
  await expect(page.getByRole('link', { name: /^javascript/ })).toHaveCount(0);
});

test('A statement is made, shown and removed', async ({ page, call }) => {
  const names = async () => ((await call('GET', '/vex')).body as { items: { name: string }[] }).items.map(({ name }) => name);
  await page.goto('/vulnerabilities/statements');
  await page.getByRole('button', { name: 'New statement' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Vulnerability').fill(kCve);
  await dialog.getByLabel('Package URL').fill('pkg:npm/browser-test-package@1.4.2');
  await expect(dialog.getByText('Say why it is not affected.')).toBeVisible();
  await dialog.getByLabel('Impact statement').fill('The browser test never runs it');
  await dialog.getByLabel('Name of the document').fill(kVex);
  await dialog.getByRole('button', { name: 'Put in force' }).click();
  await expect(dialog).toBeHidden();
  expect(await names()).toContain(kVex);
  await page.getByRole('button', { name: `Show ${kVex}` }).click();
  await expect(page.getByRole('group', { name: `Statements of ${kVex}` })).toContainText('pkg:npm/browser-test-package"');
  await page.getByRole('button', { name: `Remove ${kVex}` }).click();
  await dialog.getByRole('button', { name: 'Remove', exact: true }).click();
  await expect.poll(names).not.toContain(kVex);
});

test('An advisory feed is added with an address, loaded, changed and removed', async ({ page, call }) => {
  const mine = async () =>
    ((await call('GET', '/advisory-feeds')).body as { items: { name: string; everySeconds: number; kind: string }[] }).items.find(
      ({ name }) => name === kFeed,
    );
  await page.goto('/vulnerabilities/feeds');
  await page.getByRole('button', { name: 'Add a feed' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill(kFeed);
  await dialog.getByLabel('Source').fill('feeds.example');
  await expect(dialog.getByRole('button', { name: 'Add', exact: true })).toBeDisabled();
  // A path that is not there: nothing is fetched from anywhere, and the feed says so.
  await dialog.getByLabel('Source').fill('/nonexistent/browser.json');
  await dialog.getByLabel('Hours between looks').fill('24');
  await dialog.getByRole('button', { name: 'Add', exact: true }).click();
  const row = page.getByRole('table', { name: 'Advisory feeds' }).getByRole('row', { name: new RegExp(kFeed) });
  await expect(row).toBeVisible();
  expect(await mine()).toMatchObject({ everySeconds: 86_400, kind: 'debian-tracker' });
  await row.getByRole('button', { name: `Load now: ${kFeed}` }).click();
  await expect(page.getByText(`${kFeed} is looked at again`)).toBeVisible();
  await row.getByRole('button', { name: `Remove ${kFeed}` }).click();
  await dialog.getByRole('button', { name: 'Remove', exact: true }).click();
  await expect(row).toHaveCount(0);
});

test('Software of the fleet is searched', async ({ page, call }) => {
  const { total } = (await call('GET', '/sbom/components?limit=1')).body as { total: number };
  await page.goto('/software');
  await expect(heading(page, 'Software')).toBeVisible();
  if (total === 0) return expect(page.getByText('Nothing is known of the software of devices')).toBeVisible();
  await expect(page.getByRole('table', { name: 'Software' }).getByRole('row').nth(1)).toBeVisible();
  await page.getByRole('searchbox', { name: 'Search software' }).fill('no software has this name');
  await expect(page.getByText('No software matches')).toBeVisible();
  await page.getByRole('button', { name: 'Clear filters' }).click();
  await expect(page).toHaveURL(/\/software$/);
});

test('A device tells of any CVE why it is affected or why not', async ({ page, call }) => {
  const { items } = (await call('GET', '/devices?limit=1')).body as { items: { deviceId: string }[] };
  await page.goto(`/devices/${encodeURIComponent(items[0]!.deviceId)}?tab=vulnerabilities`);
  await page.getByLabel('Is it affected by').fill(kCve);
  await page.keyboard.press('Enter');
  const why = page.getByRole('region', { name: `Why ${kCve}?` });
  await expect(why).toContainText(/\S+ \S+ \S+/);
  await expect(why.getByRole('progressbar')).toHaveCount(0);
  await why.getByRole('button', { name: 'Close the explanation' }).click();
  await expect(why).toHaveCount(0);
});

test('The posture of a device shows recommendations and checks with what was seen', async ({ page, call }) => {
  const { items } = (await call('GET', '/devices?limit=1')).body as { items: { deviceId: string }[] };
  await page.goto(`/devices/${encodeURIComponent(items[0]!.deviceId)}?tab=posture`);
  await expect(page.getByRole('region', { name: 'Recommendations' })).toBeVisible();
  const checks = page.getByRole('region', { name: 'Checks of the baseline' });
  await expect(checks.getByRole('searchbox').or(checks.getByText('is not known'))).toBeVisible();
  const first = checks.getByRole('button', { name: /^(Failed|Passed|Could|Does)/ }).first();
  if ((await checks.getByRole('searchbox').count()) === 0) return;
  await first.click();
  await expect(checks.getByText('Checked')).toBeVisible();
});
