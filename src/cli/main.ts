#!/usr/bin/env node
// The program `buddy`: the command, connected to the process.

import { BAD_INPUT, run } from './run.ts';

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // A reader that has seen enough (`buddy … | head`) closes the pipe. That is not an error.
  if (error.code === 'EPIPE') return;
  process.stderr.write(`error: standard output: ${error.message}\n`);
  process.exit(BAD_INPUT);
});

// Whatever cannot be said on standard error cannot be said at all; the exit status says enough.
process.stderr.on('error', () => {});

process.exitCode = await run(process.argv.slice(2), process);
