// `npm run long -- soak`: a heap under random operations for as long as it takes, in every kind of memory in
// turn. Progress on standard error.

import { HeapDriver, MEMORY_KINDS, type Operation, type Setting } from '../support/heap-driver.ts';
import { Random } from '../support/random.ts';

/** Operations between two looks at everything. */
const STRETCH = 2000;
/** Live blocks about which the number swings. */
const BLOCKS = 1500;

function randomSetting(random: Random, round: number): Setting {
  const kind = MEMORY_KINDS[round % MEMORY_KINDS.length];
  const length = random.below(4) === 0 ? 6000 + random.below(60_000) : 65_536 * (1 + random.below(8));
  const isFlag = (n: number) => random.below(n) === 0;
  return {
    kind,
    length,
    limit: 65_536 * (8 + random.below(120)),
    options: {
      unit: 2 ** (3 + random.below(4)),
      start: random.below(3000),
      embed: Math.floor(round / MEMORY_KINDS.length) % 2 === 0,
      keepSizes: isFlag(3),
      throwNoRoom: isFlag(3),
      ...(isFlag(3) && { shareGrowth: isFlag(2) }),
      ...(isFlag(4) && { growth: { factor: 1 + random.next(), step: random.below(200_000) } }),
    },
  };
}

/** Many small blocks, a few large ones. */
function randomSize(random: Random): number {
  const x = random.next();
  if (x < 0.8) return random.below(200);
  return random.below(x < 0.99 ? 5000 : 100_000);
}

function randomOperation(random: Random, liveBlocks: number): Operation {
  const x = random.next();
  const at = random.next();
  if (x < 0.3) return { kind: 'realloc', at, size: randomSize(random) };
  if (x < 0.302) return { kind: 'grow', size: 1 + random.below(10_000) };
  if (x < 0.303) return { kind: 'trim' };
  if (x < 0.307) return { kind: 'restore' };
  if (random.next() < liveBlocks / (2 * BLOCKS)) return { kind: 'free', at };
  if (x < 0.4) return { kind: 'alignedAlloc', size: randomSize(random), alignment: 2 ** random.below(13) };
  return { kind: x < 0.7 ? 'malloc' : 'calloc', size: randomSize(random) };
}

interface Options {
  readonly operations: number;
  readonly seed: number;
}

/** Runs the tests, as the command line says. */
export function run({ operations: goal, seed }: Options): void {
  const random = new Random(seed);
  const started = performance.now();
  const total: Record<string, number> = {};
  // Each kind of memory several times over, with and without embedding.
  const share = Math.max(STRETCH, Math.ceil(goal / (4 * MEMORY_KINDS.length)));
  let done = 0;
  for (let round = 0; done < goal; round++) {
    const setting = randomSetting(random, round);
    const driver = new HeapDriver(setting);
    const end = Math.min(done + share, goal);
    while (done < end) {
      const stretch = Math.min(STRETCH, end - done);
      for (let i = 0; i < stretch; i++) driver.perform(randomOperation(random, driver.liveBlocks));
      driver.verify();
      done += stretch;
    }
    const blocks = driver.liveBlocks;
    driver.finish();
    for (const [what, count] of Object.entries(driver.tally)) total[what] = (total[what] ?? 0) + count;
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    const where = `${setting.kind}${setting.options.embed ? ', embedded' : ''}`;
    console.error(`${done} of ${goal} operations, ${seconds} s: ${where}, ${blocks} live blocks at its end`);
  }
  console.log(`seed ${seed}: ${done} operations, nothing wrong`);
  console.log(
    Object.entries(total)
      .map(([what, count]) => `${what} ${count}`)
      .join(', '),
  );
}
