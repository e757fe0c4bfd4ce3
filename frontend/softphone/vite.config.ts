import { defineConfig } from 'vite';

/** The softphone: a page of the local cloud, built beside the product's and sharing its parts. */
export default defineConfig({
  root: import.meta.dirname,
  base: '/softphone/',
  publicDir: false,
  esbuild: { jsx: 'automatic', legalComments: 'none' },
  worker: {
    format: 'es',
    rollupOptions: { output: { entryFileNames: 'assets/[name]-[hash].js' } },
  },
  build: {
    outDir: '../../src/switchboard_local/softphone/built',
    emptyOutDir: true,
    sourcemap: false,
    // The page is served under `script-src 'self'; style-src 'self'`: nothing may be inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2023',
  },
});
