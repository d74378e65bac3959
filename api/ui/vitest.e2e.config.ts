import { defineConfig } from 'vitest/config';

// one file after the other, each in order: its tests share a server and what was found by it
export default defineConfig({
  test: {
    include: ['e2e/ui.test.ts', 'e2e/day.test.ts'],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    bail: 0,
  },
});
