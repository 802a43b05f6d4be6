// `npm run long -- shared-heap`: workers on a SharedHeap that grows, terminated and recovered. Progress on standard error,
// figures on standard output.

import { heapDeaths } from '../support/heap-death.ts';

interface Options {
  readonly kills: number;
  readonly seed: number;
  readonly json?: true;
}

/** Runs the test, as the command line says. */
export async function run({ kills, seed, json }: Options): Promise<void> {
  const started = performance.now();
  const seconds = (): number => (performance.now() - started) / 1000;
  let shown = performance.now();
  try {
    const figures = await heapDeaths(
      { size: 2 ** 18, maximum: 2 ** 25, maxWorkers: 16 },
      kills,
      seed,
      (done) => {
        if (performance.now() - shown < 5000) return;
        shown = performance.now();
        console.error(`${seconds().toFixed(0).padStart(5)} s  ${done} of ${kills} terminated`);
      },
    );
    if (json) console.log(JSON.stringify({ seed, ...figures, seconds: seconds() }));
    else {
      const { recovered, operations, adopted, slowestCall, slowestRecovery } = figures;
      console.log(
        `${kills} workers terminated, ${recovered} blocks taken back, ${operations} operations, ${adopted} blocks adopted; ` +
          `slowest call of a survivor ${slowestCall.toFixed(1)} ms, slowest recovery ${slowestRecovery.toFixed(1)} ms`,
      );
      console.log(`no overlap, no block lost, in ${seconds().toFixed(0)} s`);
    }
  } catch (error) {
    console.error(error);
    process.exitCode = 1;
  }
}
