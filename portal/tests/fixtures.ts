/**
 * What every browser test stands on: a signed-in page, and a watch that fails the test when the page throws, breaks its
 * Content-Security-Policy or talks to another origin.
 */
import { test as base, expect, type APIRequestContext, type Page } from '@playwright/test';
import { execSync } from 'node:child_process';

export const kUser = process.env.PICKET_USER ?? 'admin';
export const kSecret = process.env.PICKET_SECRET ?? 'picket';
const kMock = process.env.PICKET_URL === undefined;
const kTriggerTimeoutMs = 60_000;

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
 * Statuses that the tests ask for on purpose; the browser logs each as an error. And what the editor's KQL mode says when a
 * page is left while its worker still answers about the text.
 */
const kExpectedLogs = /status of (400|401|404|409)|reading 'getVersionId'/;

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
      const reply = await request.fetch(`/api/v1${path}`, { method, data: body, headers: { 'X-Picket-CSRF': session.csrf } });
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

export const heading = (page: Page, name: string | RegExp) => page.getByRole('heading', { level: 1, name });
export const navigate = (page: Page, name: string) =>
  page
    .getByRole('navigation', { name: 'Main' })
    .getByRole('link', { name: new RegExp(`^${name}`) })
    .click();
