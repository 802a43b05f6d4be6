// `npm run bench -- allocation`: shows that alloc and free produce no garbage. A process that reports its
// garbage collections runs many of them and must report none. Exit code 1 when there is one.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const LOOP = fileURLToPath(new URL('allocation-loop.mjs', import.meta.url));

/** A line of --trace-gc: "[pid:isolate] 12 ms: Scavenge 4.1 (5.0) -> 3.9 (6.0) MB, …". */
const COLLECTION = /^\[\d+:.*\bms: (Scavenge|Mark-Compact|Minor Mark-)/;

interface Options {
  readonly operations: number;
  readonly garbage?: true;
}

/** Measures and reports, as the command line says. */
export function run({ operations, garbage }: Options): void {
  const child = spawnSync(
    process.execPath,
    ['--trace-gc', LOOP, String(operations), ...(garbage ? ['garbage'] : [])],
    { encoding: 'utf8', maxBuffer: 2 ** 28 },
  );
  const [, loop] = child.stdout.split(/^loop begins$/m);
  if (child.status !== 0 || !loop?.includes('loop ends')) {
    process.stderr.write(child.stdout + child.stderr);
    process.exit(1);
  }
  const [during, after] = loop.split(/^loop ends /m);
  const collections = during.split('\n').filter((line) => COLLECTION.test(line));
  const { allocs, frees, seconds, heapBytes } = JSON.parse(after.split('\n')[0]) as Record<string, number>;
  process.stdout.write(
    `${allocs} alloc and ${frees} free in ${seconds.toFixed(1)} s: ${collections.length} garbage collections, ` +
      `heap grown by ${heapBytes} bytes\n`,
  );
  for (const line of collections.slice(0, 5)) process.stdout.write(`  ${line}\n`);
  if (collections.length > 0) process.exitCode = 1;
}
