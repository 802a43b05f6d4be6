// Runs once before all tests: some of them use the built package, as a user does.

import { spawnSync } from 'node:child_process';

/** Builds dist/ if it is out of date. Ends the process with status 1 if that fails; the build has said why. */
export function setup(): void {
  const { status } = spawnSync(process.execPath, ['scripts/build.mjs', '--if-needed'], { stdio: 'inherit' });
  if (status !== 0) process.exit(1);
}
