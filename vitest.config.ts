import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // What takes minutes has a configuration of its own.
    exclude: ['**/node_modules/**', 'test/**/full/**'],
    globalSetup: 'test/support/temp-root.ts',
    // Tests start real processes and real sockets: give them room, but never let one hang the run.
    testTimeout: 30_000,
    hookTimeout: 30_000,
    pool: 'forks',
    // Tests with real processes mostly wait: more files at once than two cores keep those busy.
    maxWorkers: 3,
  },
});
