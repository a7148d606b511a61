/**
 * Browser tests. PICKET_URL, PICKET_USER and PICKET_SECRET name a real server; without PICKET_URL the mock is started.
 * PICKET_TRIGGER is a shell command that raises an alert, for the tests of live updates.
 */
import { defineConfig } from '@playwright/test';

const kMockPort = process.env.MOCK_PORT ?? '8481';
const kMockUrl = `http://127.0.0.1:${kMockPort}`;
const real = process.env.PICKET_URL;

export default defineConfig({
  testDir: 'tests',
  testMatch: '*.spec.ts',
  workers: 1,
  // Bounds for a machine ten times slower than a desk; nothing waits for them when all is well.
  timeout: 120_000,
  expect: { timeout: 30_000 },
  forbidOnly: true,
  // A browser on a starved machine is not what is tested: one more try, and tools/portal/report.mjs names what needed it.
  retries: 1,
  reporter: [['list']],
  use: {
    baseURL: real ?? kMockUrl,
    ignoreHTTPSErrors: true,
    viewport: { width: 1280, height: 860 },
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath: process.env.PICKET_CHROMIUM ?? '/usr/bin/chromium',
      args: [
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
  webServer: real
    ? undefined
    : {
        command: 'node tests/mock/server.mjs',
        url: kMockUrl,
        env: { ...(process.env as Record<string, string>), MOCK_PORT: kMockPort },
        reuseExistingServer: false,
      },
});
