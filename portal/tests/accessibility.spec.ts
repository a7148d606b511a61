import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import { expect, heading, test } from './fixtures';

const kAxe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** Every page is loaded twice and looked at whole. */
const kTimeoutMs = 480_000;

const kPages = [
  ['/', 'Overview'],
  ['/devices', 'Devices'],
  ['/hub', 'Hub'],
  ['/alerts', 'Alerts'],
  ['/alert-groups', 'Alerts by name and day'],
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
  [`/logs?q=${encodeURIComponent('SecurityIoTRawEvent | summarize count() by RawEventName')}`, 'Logs'],
] as const;

for (const colorScheme of ['light', 'dark'] as const) {
  test(`No page breaks a rule of accessibility (${colorScheme})`, async ({ page, call }) => {
    test.setTimeout(kTimeoutMs);
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const first = async (path: string, field: string) =>
      ((await call('GET', path)).body as { items: Record<string, string>[] }).items[0]?.[field];
    const [device, alert] = [await first('/devices?limit=1', 'deviceId'), await first('/alerts?limit=1', 'id')];
    const incident = await first('/incidents?limit=1', 'number');
    const vulnerability = await first('/vulnerabilities?limit=1', 'vulnerability');
    const pages = [
      ...kPages,
      ...(device
        ? [
            [`/devices/${device}`, device] as const,
            [`/devices/${device}?tab=software`, device] as const,
            [`/devices/${device}?tab=vulnerabilities`, device] as const,
            [`/devices/${device}?tab=posture`, device] as const,
            [`/devices/${device}?tab=twin`, device] as const,
            [`/devices/${device}?tab=response`, device] as const,
          ]
        : []),
      ...(alert ? [[`/alerts/${alert}`, /./] as const] : []),
      ...(vulnerability ? [[`/vulnerabilities/${vulnerability}`, vulnerability] as const] : []),
      ...(incident ? [[`/incidents/${incident}`, /./] as const] : []),
    ];
    const found: string[] = [];
    for (const [path, name] of pages) {
      await page.goto(path);
      await expect(heading(page, name)).toBeVisible();
      await page.waitForLoadState('load');
      await expect(page.getByRole('progressbar')).toHaveCount(0);
      // Injected through the debugger: the page's own policy would not let it in.
      const session = await page.context().newCDPSession(page);
      await session.send('Page.setBypassCSP', { enabled: true });
      await page.reload();
      await expect(heading(page, name)).toBeVisible();
      await expect(page.getByRole('progressbar')).toHaveCount(0);
      await page.addScriptTag({ path: kAxe });
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
