/**
 * What every browser test stands on: a signed-in page, and a watch that fails the test when the page throws, breaks its
 * Content-Security-Policy or talks to another origin.
 */
import { test as base, expect, type APIRequestContext, type Page } from '@playwright/test';
import { execSync } from 'node:child_process';

export const kUser = process.env.PICKET_USER ?? 'admin';
export const kSecret = process.env.PICKET_SECRET ?? 'picket';
const kMock = process.env.PICKET_URL === undefined;
const kTriggerTimeoutMs = 120_000;
const kCallTimeoutMs = 120_000;
/** How many times slower the browser is made, to find what depends on speed. */
const kSlowdown = Number(process.env.PICKET_BROWSER_SLOWDOWN ?? 1);

interface Fixtures {
  /** A page of a signed-in Admin, on no address yet. */
  page: Page;
  /** A page without a session. */
  strangerPage: Page;
  /** Calls /api/v1 with the session of the worker, CSRF token included. */
  call(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }>;
}
interface WorkerFixtures {
  session: { storageState: Awaited<ReturnType<APIRequestContext['storageState']>>; csrf: string };
}

/**
 * Statuses that the tests ask for on purpose; the browser logs each as an error. Connections that a standing or changing machine
 * ended: the page asks again. And what the editor's KQL mode says when a page is left while its worker still answers about the text.
 */
const kExpectedLogs =
  /status of (400|401|404|409)|net::ERR_(NETWORK_CHANGED|CONNECTION_CLOSED|CONNECTION_RESET|TIMED_OUT)|reading 'getVersionId'/;

function watch(page: Page): string[] {
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(`page error: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' && !kExpectedLogs.test(message.text())) problems.push(`console: ${message.text()}`);
  });
  page.on('request', (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol.startsWith('http') && page.url().startsWith('http') && origin !== new URL(page.url()).origin)
      problems.push(`request to another origin: ${request.url()}`);
  });
  return problems;
}

async function slowDown(page: Page): Promise<void> {
  if (kSlowdown <= 1) return;
  const debug = await page.context().newCDPSession(page);
  await debug.send('Emulation.setCPUThrottlingRate', { rate: kSlowdown });
}

export const test = base.extend<Fixtures, WorkerFixtures>({
  session: [
    async ({ playwright }, use, workerInfo) => {
      const { baseURL, ignoreHTTPSErrors } = workerInfo.project.use;
      const request = await playwright.request.newContext({ baseURL, ignoreHTTPSErrors });
      const reply = await request.post('/api/v1/sign-in', { data: { user: kUser, secret: kSecret } });
      expect(reply.status(), await reply.text()).toBe(200);
      const { csrf_token } = (await reply.json()) as { csrf_token: string };
      await use({ storageState: await request.storageState(), csrf: csrf_token });
      await request.dispose();
    },
    { scope: 'worker' },
  ],

  page: async ({ browser, session, contextOptions }, use) => {
    const context = await browser.newContext({ ...contextOptions, storageState: session.storageState });
    context.on('page', (opened) => void slowDown(opened));
    const page = await context.newPage();
    const problems = watch(page);
    await use(page);
    expect(problems).toEqual([]);
    await context.close();
  },

  strangerPage: async ({ browser, contextOptions }, use) => {
    const context = await browser.newContext(contextOptions);
    const page = await context.newPage();
    const problems = watch(page);
    await use(page);
    expect(problems).toEqual([]);
    await context.close();
  },

  call: async ({ playwright, baseURL, ignoreHTTPSErrors, session }, use) => {
    const request = await playwright.request.newContext({ baseURL, ignoreHTTPSErrors, storageState: session.storageState });
    await use(async (method, path, body) => {
      const headers = { 'X-Picket-CSRF': session.csrf };
      const maxRetries = method === 'GET' ? 2 : 0;
      const reply = await request.fetch(`/api/v1${path}`, { method, data: body, headers, timeout: kCallTimeoutMs, maxRetries });
      const text = await reply.text();
      return { status: reply.status(), body: text ? (JSON.parse(text) as unknown) : undefined };
    });
    await request.dispose();
  },
});

export { expect };

/** Something really happens that raises an alert. False when this run has no means to do that. */
export async function raiseAlert(page: Page): Promise<boolean> {
  if (process.env.PICKET_TRIGGER) {
    execSync(process.env.PICKET_TRIGGER, { stdio: 'inherit', timeout: kTriggerTimeoutMs });
    return true;
  }
  if (!kMock) return false;
  await page.request.post('/mock/alert');
  return true;
}

/**
 * Filters a list of alerts or incidents to a device that reported its attacks once and nothing since: what a test decides about them
 * stays as it was decided. Nothing is filtered where no such device is named.
 */
export const kQuiet = process.env.PICKET_QUIET_DEVICE ? `&device=${encodeURIComponent(process.env.PICKET_QUIET_DEVICE)}` : '';
/** An alert that only that device has. */
export const kQuietType = 'IoT_Ransomware';

export const heading = (page: Page, name: string | RegExp) => page.getByRole('heading', { level: 1, name });
export const navigate = (page: Page, name: string) =>
  page
    .getByRole('navigation', { name: 'Main' })
    .getByRole('link', { name: new RegExp(`^${name}`) })
    .click();
