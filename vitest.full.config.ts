import { defineConfig } from 'vitest/config';

/** The tests that take minutes: part of `npm run test:full`. */
export default defineConfig({
  test: {
    include: ['test/**/full/*.test.ts'],
    globalSetup: 'test/support/temp-root.ts',
    testTimeout: 30_000,
    hookTimeout: 30_000,
    pool: 'forks',
  },
});
