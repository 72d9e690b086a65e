#!/usr/bin/env node
/** The `vigie` command. */
import { run } from './program.ts';

// A reader that has seen enough (`vigie issue … | head`) closes the pipe: that is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

// The code is set, not exited with, so that what was written is flushed first.
process.exitCode = await run(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: process.stdin,
  environment: process.env,
});
