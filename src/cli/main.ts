#!/usr/bin/env node
// The entry of the `buddy` command: connects it to the process.

import { run } from './run.ts';

// A reader that has seen enough (`buddy … | head`) closes the pipe; what is left to write has no reader.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

process.exitCode = await run(process.argv.slice(2), process);
