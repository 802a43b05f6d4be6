// The tests that judge mutants: the core's, which need no built package.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: [
      'test/core/api.test.ts',
      'test/core/errors.test.ts',
      'test/core/property.test.ts',
      'test/core/resize.test.ts',
      'test/heap/embed.test.ts',
    ],
    testTimeout: 60_000,
  },
});
