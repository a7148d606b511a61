import react from '@vitejs/plugin-react';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// `npm run dev` needs an API behind it: the mock server, or a real one named by PICKET_URL.
const api = process.env.PICKET_URL ?? 'http://127.0.0.1:8480';

export default defineConfig({
  plugins: [react()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  worker: { format: 'es' },
  server: { host: '127.0.0.1', proxy: { '/api': { target: api, secure: false } } },
  build: {
    target: 'es2022',
    // The page may only load from its own origin (see README.md, Content-Security-Policy), so nothing is inlined as data.
    assetsInlineLimit: 0,
    // Monaco and the KQL language service are large and lazy; only the entry matters for first paint.
    chunkSizeWarningLimit: 10_000,
  },
  test: { include: ['tests/unit/**/*.test.ts'], environment: 'node' },
});
