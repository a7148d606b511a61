/** Pages when the server has nothing, refuses, or sends texts that nobody would write; and in a narrow window. */
import type { Page } from '@playwright/test';
import { expect, heading, test } from './fixtures';

const kRefusal = 'The browser test refuses <b>this</b>';
const kEmpty = { items: [], total: 0, value: [], advisories: 0, complaints: [] };

/** Path, title, what it asks for, and what it says when there is nothing. */
const kLists = [
  ['/alerts', 'Alerts', /\/api\/v1\/alerts\?/, 'No open alerts'],
  ['/alert-groups', 'Alerts by name and day', /\/api\/v1\/alert-groups/, 'No open alerts'],
  ['/suppressions', 'Suppression rules', /\/api\/v1\/suppressions/, 'No rule suppresses anything'],
  ['/incidents', 'Incidents', /\/api\/v1\/incidents/, 'No open incidents'],
  ['/intelligence', 'Threat intelligence', /\/api\/v1\/intelligence\/feeds/, 'No feed is read'],
  ['/intelligence/indicators', 'Own indicators', /\/api\/v1\/intelligence\/indicators/, 'No indicator of your own'],
  ['/intelligence/retro-hunts', 'Retro-hunts', /\/api\/v1\/intelligence\/retro-hunts/, 'Nothing was searched for yet'],
  ['/security-groups', 'Security groups', /\/api\/v1\/security-groups/, 'No group has custom alerts'],
  ['/vulnerabilities', 'Vulnerabilities', /\/api\/v1\/(vulnerabilities|advisory-feeds)/, 'No feed of advisories is read'],
  ['/vulnerabilities/statements', 'Statements', /\/api\/v1\/vex/, 'No statement is in force'],
  ['/vulnerabilities/feeds', 'Advisory feeds', /\/api\/v1\/advisory-feeds/, 'No feed is read'],
  ['/software', 'Software', /\/api\/v1\/sbom\/components/, 'Nothing is known of the software of devices'],
] as const;

const answer = (page: Page, url: RegExp, status: number, body: unknown) =>
  page.route(url, (route) => route.fulfill({ status, contentType: 'application/json', body: JSON.stringify(body) }));

for (const [path, title, api, nothing] of kLists) {
  test(`${path} says why it could not load, tries again, and says what to do when there is nothing`, async ({ page }) => {
    // No live update asks again before somebody presses the button.
    await page.route('**/api/v1/events', () => undefined);
    let refused = true;
    await page.route(api, (route) =>
      refused
        ? route.fulfill({ status: 400, json: { error: { code: 'invalid', message: kRefusal } } })
        : route.fulfill({ status: 200, json: kEmpty }),
    );
    await page.goto(path);
    await expect(heading(page, title)).toBeVisible();
    await expect(page.getByRole('alert').getByText(kRefusal)).toBeVisible();
    const again = page.getByRole('button', { name: 'Try again' }).first();
    await expect(again).toBeVisible();
    refused = false;
    // A list that asks from time to time may have been quicker than the press.
    await again.click({ timeout: 5_000 }).catch(() => undefined);
    await expect(page.getByText(nothing, { exact: true })).toBeVisible();
  });
}

const kLong = `${'W'.repeat(600)}<script>alert(1)</script>`;
const overflow = (page: Page) =>
  page.evaluate(() => {
    const main = document.querySelector('main')!;
    return [
      document.documentElement.scrollWidth - document.documentElement.clientWidth,
      Math.max(0, main.scrollWidth - main.clientWidth),
    ];
  });

test('No page sticks out of a window of 320 px', async ({ page, call }) => {
  test.setTimeout(300_000);
  await page.setViewportSize({ width: 320, height: 720 });
  const first = async (path: string, field: string) =>
    ((await call('GET', path)).body as { items: Record<string, string>[] }).items[0]?.[field];
  const device = await first('/devices?limit=1', 'deviceId');
  const [alert, incident] = [await first('/alerts?limit=1', 'id'), await first('/incidents?limit=1', 'number')];
  const paths = [
    '/',
    ...kLists.map(([path]) => path),
    '/security-groups/default',
    ...['software', 'vulnerabilities', 'posture'].map((tab) => `/devices/${device}?tab=${tab}`),
    ...(alert ? [`/alerts/${alert}`] : []),
    ...(incident ? [`/incidents/${incident}`] : []),
  ];
  for (const path of paths) {
    await page.goto(path);
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    await expect(page.getByRole('progressbar')).toHaveCount(0, { timeout: 60_000 });
    await expect.poll(async () => [path, ...(await overflow(page))]).toEqual([path, 0, 0]);
  }
});

test('Texts without end and with markup stay texts, in lists and in what they lead to', async ({ page }) => {
  const now = new Date().toISOString();
  const incident = {
    ...{ id: 'x', number: 7, kind: 'device', key: kLong, title: kLong, severity: 'High', status: 'New', owner: kLong },
    ...{ classification: '', description: kLong, deviceId: kLong, devices: [kLong, 'b'], tactics: [kLong], techniques: [kLong] },
    ...{ reasons: [kLong], alertCount: 1, startTime: now, endTime: now, createdTime: now, updatedTime: now },
  };
  const made = { time: now, kind: 'triaged', user: kLong, status: 'New', comment: kLong };
  await answer(page, /\/api\/v1\/incidents\?/, 200, { items: [incident], total: 1 });
  await answer(page, /\/api\/v1\/incidents\/7$/, 200, { ...incident, alerts: [], timeline: [made] });
  const finding = {
    ...{ deviceId: kLong, vulnerability: 'CVE-1', standing: 'affected', severity: kLong, confidence: 'low', reason: kLong },
    ...{
      summary: kLong,
      url: 'javascript:alert(1)',
      fixedIn: kLong,
      status: kLong,
      component: { type: 'deb', name: kLong, version: kLong },
    },
  };
  await answer(page, /\/api\/v1\/vulnerabilities\/CVE-1/, 200, { vulnerability: 'CVE-1', devices: 1, items: [finding] });
  for (const width of [320, 1280]) {
    await page.setViewportSize({ width, height: 720 });
    for (const path of ['/incidents', '/incidents/7', '/vulnerabilities/CVE-1']) {
      await page.goto(path);
      await expect(page.getByText('<script>alert(1)</script>').first()).toBeAttached();
      await expect(page.getByRole('link', { name: /^javascript/ })).toHaveCount(0);
      await expect.poll(async () => [path, width, ...(await overflow(page))]).toEqual([path, width, 0, 0]);
    }
  }
});
