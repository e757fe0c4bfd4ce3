import { defineConfig } from 'vitest/config';

/** The server that `npm run dev` leans on; `make run` serves the built page itself. */
const server = `http://127.0.0.1:${process.env['PORT'] ?? '8000'}`;

export default defineConfig({
  // React's JSX by esbuild alone: no plugin, no second copy of Vite.
  esbuild: { jsx: 'automatic', legalComments: 'none' },
  server: { proxy: { '/api': { target: server, ws: true } } },
  worker: {
    format: 'es',
    rollupOptions: { output: { entryFileNames: 'assets/[name]-[hash].js' } },
  },
  build: {
    outDir: '../src/switchboard/browser/page',
    emptyOutDir: true,
    sourcemap: false,
    // The page is served under `script-src 'self'; style-src 'self'`: nothing may be inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2023',
    // Pages that share their parts: the caller's at /, the operators' at /console/, and where a window
    // comes back to that somebody has signed in in.
    rollupOptions: { input: ['index.html', 'console/index.html', 'signed-in.html'] },
  },
  test: {
    include: ['{src,softphone,console}/**/*.test.ts'],
    environment: 'node',
    testTimeout: 10_000,
  },
});
