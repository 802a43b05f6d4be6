#!/usr/bin/env node
// The entry of the `buddy` command: connects it to the process.

import { BAD_INPUT, run } from './run.ts';

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // A reader that has seen enough (`buddy … | head`) closes the pipe; what is left to write has no reader.
  if (error.code === 'EPIPE') return;
  process.stderr.write(`error: standard output: ${error.message}\n`);
  process.exit(BAD_INPUT);
});

process.exitCode = await run(process.argv.slice(2), process);
