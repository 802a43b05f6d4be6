// A progress bar for long work.

import { SingleBar } from 'cli-progress';
import type { Progress, Trace } from '../trace.ts';
import type { Io } from './io.ts';

/** Operations of a long trace. Shorter ones are done before a bar could be read. */
const LONG = 500_000;

/**
 * Runs `work` with a progress bar on standard error, if that is a terminal and the work is long (500,000 operations
 * or more). The bar is gone when this returns.
 */
export function withProgress<T>(io: Io, label: string, trace: Trace, work: (onProgress?: Progress) => T): T {
  if (io.stderr.isTTY !== true || trace.ops.length < LONG) return work();
  // A handler for Ctrl-C could not run before the work is done; the signal's default ends the program at once. So the
  // bar must not change the terminal's state, such as its line wrapping, which nobody would then restore.
  const bar = new SingleBar({
    stream: io.stderr,
    format: `${label} {bar} {percentage}%`,
    clearOnComplete: true,
    gracefulExit: false,
    linewrap: true,
  });
  bar.start(1, 0);
  try {
    return work((done, total) => bar.update(done / total));
  } finally {
    bar.stop();
  }
}
