import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/support/build.ts',
    testTimeout: 120_000,
    coverage: {
      provider: 'istanbul',
      include: ['src/**/*.ts'],
      thresholds: { lines: 98, branches: 98 },
    },
  },
});
