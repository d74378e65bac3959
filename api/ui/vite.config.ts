import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';
import { cutFonts } from './fonts';

const server = process.env.STALKER_URL ?? 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [react(), { name: 'fonts', buildStart: cutFonts }],
  resolve: { alias: { '~': fileURLToPath(new URL('./src', import.meta.url)) } },
  build: {
    target: 'es2022',
    manifest: true,
    // the server's policy allows no font from a data: address
    assetsInlineLimit: 0,
    // dist/.gitkeep stays: it lets the Go embed compile before the first build
    emptyOutDir: false,
    modulePreload: { polyfill: false },
    // e2e/size.ts measures what counts: the first load, compressed
    chunkSizeWarningLimit: 1000,
  },
  server: { proxy: { '/api': { target: server, changeOrigin: true } } },
  test: { include: ['src/**/*.test.{ts,tsx}'] },
});
