import { defineConfig } from 'vitest/config';

/** The tests that take minutes: part of `npm run test:full`. */
export default defineConfig({
  test: {
    include: ['test/**/full/*.test.ts'],
    globalSetup: 'test/support/temp-root.ts',
    pool: 'forks',
  },
});
