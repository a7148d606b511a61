/** Real failed logins and then a success: both alerts appear while one looks on. */
import { exec } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { promisify } from 'node:util';

import { expect, test } from './fixtures';

const kAttack = process.env.PICKET_BRUTE_FORCE;
const kTypes = ['IoT_BruteForceFailed', 'IoT_BruteForceSuccess'];

interface AlertItem {
  id: string;
  alertType: string;
  endTime: string;
}

test('Failed logins and a success raise both brute-force alerts, seen without a reload', async ({ page, call }) => {
  test.skip(!kAttack, 'PICKET_BRUTE_FORCE is not set: no sshd to attack');
  test.setTimeout(300_000);
  await page.goto('/alerts?status=any');
  await expect(page.getByRole('status').filter({ hasText: 'Live' })).toBeVisible();
  let loads = 0;
  page.on('load', () => (loads += 1));

  // Notes in the page itself when a link to an alert first appears: no polling from outside in the figure.
  await page.evaluate(() => {
    const seen = ((window as unknown as { seen: Record<string, number> }).seen = {} as Record<string, number>);
    const look = () => {
      for (const link of document.querySelectorAll('a[href^="/alerts/"]')) seen[link.getAttribute('href')!] ??= Date.now();
    };
    new MutationObserver(look).observe(document.body, { childList: true, subtree: true, attributes: true });
  });
  const begin = Date.now();
  await promisify(exec)(kAttack!, { timeout: 180_000 });

  const latencies: number[] = [];
  for (const type of kTypes) {
    // Of this attack: an earlier try may have left one of its own, or this one goes on with that.
    const found = async () =>
      ((await call('GET', `/alerts?limit=10&type=${type}`)).body as { items: AlertItem[] }).items.filter(
        ({ endTime }) => Date.parse(endTime) >= begin,
      );
    await expect.poll(async () => (await found()).length, { timeout: 60_000 }).toBe(1);
    const alert = (await found())[0]!;
    const link = `/alerts/${alert.id}`;
    await expect(page.getByRole('table', { name: 'Alerts' }).locator(`a[href="${link}"]`)).toBeVisible();
    const seenAt = await page.evaluate((href) => (window as unknown as { seen: Record<string, number> }).seen[href], link);
    expect(seenAt).toBeDefined();
    // The success alert ends with the success; the other one goes on with each failure, so it says nothing of latency.
    if (type === 'IoT_BruteForceSuccess') latencies.push(seenAt! - Date.parse(alert.endTime));
  }
  expect(loads).toBe(0);
  if (process.env.PICKET_LATENCY_FILE) writeFileSync(process.env.PICKET_LATENCY_FILE, String(latencies[0]));
});
