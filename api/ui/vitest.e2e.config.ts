import { defineConfig } from 'vitest/config';

// one file, in order: the tests share a server and what was found by it
export default defineConfig({
  test: {
    include: ['e2e/ui.test.ts'],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    bail: 0,
  },
});
