import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import { expect, heading, test } from './fixtures';

/** Evaluated by the debugger, which the page's own policy does not bind. */
const kAxe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Every page is looked at whole, a quarter of them in each test. */
const kTimeoutMs = 300_000;
const kLoadedMs = 60_000;
const kParts = [0, 1, 2, 3];

const kPages = [
  ['/', 'Overview'],
  ['/devices', 'Devices'],
  ['/hub', 'Hub'],
  ['/alerts', 'Alerts'],
  ['/alert-groups?state=any', 'Alerts by name and day'],
  ['/suppressions', 'Suppression rules'],
  ['/incidents', 'Incidents'],
  ['/intelligence', 'Threat intelligence'],
  ['/intelligence/indicators', 'Own indicators'],
  ['/intelligence/retro-hunts', 'Retro-hunts'],
  ['/security-groups', 'Security groups'],
  ['/security-groups/default', 'default'],
  ['/vulnerabilities', 'Vulnerabilities'],
  ['/vulnerabilities/statements', 'Statements'],
  ['/vulnerabilities/feeds', 'Advisory feeds'],
  ['/software', 'Software'],
  ['/recommendations', 'Recommendations'],
  ['/recommendations/IoT_SharedCredentials', /./],
  ['/posture', 'Posture'],
  ['/rules', 'Rules'],
  ['/analytics-rules', 'Analytics rules'],
  ['/workbooks', 'Workbooks'],
  ['/workbooks/Fleet%20overview', 'Fleet overview'],
  ['/saved-queries', 'Saved queries and functions'],
  ['/running-queries', 'Running queries'],
  ['/tables', 'Tables'],
  [`/logs?q=${encodeURIComponent('SecurityIoTRawEvent | summarize count() by RawEventName')}`, 'Logs'],
] as const;

const kSchemes = kParts.flatMap((part) => (['light', 'dark'] as const).map((colorScheme) => [part, colorScheme] as const));

for (const [part, colorScheme] of kSchemes) {
  test(`No page breaks a rule of accessibility (${colorScheme}, part ${part + 1})`, async ({ page, call }) => {
    test.setTimeout(kTimeoutMs);
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const first = async (path: string, field: string) =>
      ((await call('GET', path)).body as { items: Record<string, string>[] }).items[0]?.[field];
    const [device, alert] = [await first('/devices?limit=1', 'deviceId'), await first('/alerts?limit=1', 'id')];
    const incident = await first('/incidents?limit=1', 'number');
    const vulnerability = await first('/vulnerabilities?limit=1', 'vulnerability');
    const tabs = ['', '?tab=software', '?tab=vulnerabilities', '?tab=posture', '?tab=twin', '?tab=response'];
    const pages = [
      ...kPages,
      ...(device ? tabs.map((tab) => [`/devices/${device}${tab}`, device] as const) : []),
      ...(alert ? [[`/alerts/${alert}`, /./] as const] : []),
      ...(vulnerability ? [[`/vulnerabilities/${vulnerability}`, vulnerability] as const] : []),
      ...(incident ? [[`/incidents/${incident}`, /./] as const] : []),
    ];
    const found: string[] = [];
    for (const [path, name] of pages.filter((_, index) => index % kParts.length === part)) {
      await page.goto(path);
      await expect(heading(page, name)).toBeVisible();
      await page.waitForLoadState('load');
      await expect(page.getByRole('progressbar')).toHaveCount(0, { timeout: kLoadedMs });
      await page.evaluate(kAxe);
      const { violations } = await page.evaluate(() =>
        (window as unknown as { axe: { run(context: unknown, options: unknown): Promise<AxeResults> } }).axe.run(
          { exclude: [['.monaco-editor'], ['[data-tabster-dummy]']] },
          { resultTypes: ['violations'] },
        ),
      );
      const broken = violations
        .filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .map(({ id, nodes }) => `${path} ${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`);
      found.push(...broken);
    }
    expect(found).toEqual([]);
  });
}
