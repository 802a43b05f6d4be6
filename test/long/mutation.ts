// `npm run long -- mutation`: the core broken in many ways, one at a time: Stryker counts those that no test notices.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const STRYKER = fileURLToPath(
  new URL('bin/stryker.js', import.meta.resolve('@stryker-mutator/core/package.json')),
);

/** Runs Stryker on all files of its configuration, or on those of `mutate`. */
export function run({ mutate }: { readonly mutate?: string }): void {
  const only = mutate === undefined ? [] : ['--mutate', mutate];
  // In a process of its own, which has no loader of TypeScript to pass on to the tests.
  const { status } = spawnSync(process.execPath, [STRYKER, 'run', ...only], { stdio: 'inherit' });
  process.exitCode = status ?? 1;
}
