// The logs of other tools. Those in logs/ were written by the tools themselves, of logs/program.cc: see logs/make.sh.

import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readTrace, type Trace, type TraceFormat } from '../../src/trace.ts';

const bytesOf = (name: string): Buffer => readFileSync(new URL(`logs/${name}.gz`, import.meta.url));
const read = (text: string): Promise<Trace> => readTrace(new TextEncoder().encode(text));

/** How often the trace allocates each size. */
function countsOf({ ops }: Trace): Map<number, number> {
  const counts = new Map<number, number>();
  for (const op of ops) if (op >= 0) counts.set(op, (counts.get(op) ?? 0) + 1);
  return counts;
}

/** Sizes of the blocks that are never freed. */
function keptBy({ ops }: Trace): number[] {
  const sizes = new Map([...ops.filter((op) => op >= 0)].entries());
  for (const op of ops) if (op < 0) sizes.delete(~op);
  return [...sizes.values()];
}

/** The sizes that each of the two threads allocates in each of its ten turns, besides one of its own. */
const EACH_TURN = [128, 10, 5000, 50_000, 99, 300, 96];
const OWN = Array.from({ length: 10 }, (_, i) => [1001 + i, 2001 + i]).flat();

describe.each<[string, TraceFormat, object, number[], number[]]>([
  ['valgrind.log', 'valgrind', { skippedFrees: 0, impliedFrees: 0, refusedRequests: 2 }, [], [123_456]],
  // ltrace does not show the address that posix_memalign has found.
  ['ltrace.log', 'ltrace', { skippedFrees: 20, impliedFrees: 0, refusedRequests: 2 }, [300], [123_456]],
  // heaptrack passes over realloc(block, 0), and over requests that fail.
  ['heaptrack-raw.log', 'heaptrack', { skippedFrees: 0, refusedRequests: 0 }, [], []],
  [
    'heaptrack.log',
    'heaptrack',
    { skippedFrees: 0, impliedFrees: 0 },
    [],
    [4096, 320, 320, ...Array(20).fill(10), 123_456],
  ],
])('%s', (name, format, gaps, unseen, kept) => {
  it('has all that the first process did', async () => {
    const trace = await readTrace(bytesOf(name));
    expect(trace).toMatchObject({ format, cutOffLines: 0, oversizedRequests: 0, ...gaps });
    const counts = countsOf(trace);
    for (const size of EACH_TURN)
      expect([size, counts.get(size) ?? 0]).toEqual([size, unseen.includes(size) ? 0 : 20]);
    for (const size of OWN) expect([size, counts.get(size)]).toEqual([size, 1]);
    expect([counts.get(77), counts.get(123_456), counts.get(424_242)]).toEqual([1, 1, undefined]);
    if (kept.length > 0) expect(keptBy(trace)).toEqual(kept);
  });

  it('is read unpacked, named and strictly alike', async () => {
    const { ops } = await readTrace(bytesOf(name));
    const plain = gunzipSync(bytesOf(name));
    expect((await readTrace(plain)).ops).toEqual(ops);
    expect((await readTrace(plain, { format, strict: true })).ops).toEqual(ops);
  });

  it('may be cut off anywhere in a line', async () => {
    const plain = gunzipSync(bytesOf(name));
    const whole = plain.subarray(0, plain.lastIndexOf('\n', plain.length >> 1) + 1);
    const { ops } = await readTrace(whole);
    for (let more = 1; more < 30; more++) {
      const cut = plain.subarray(0, whole.length + more);
      if (cut.at(-1) === 10) break;
      expect(await readTrace(cut)).toMatchObject({ ops, cutOffLines: 1 });
      await expect(readTrace(cut, { strict: true })).rejects.toMatchObject({ code: 'LINE' });
    }
  });
});

it('ltrace-nested.log: a malloc within operator new is not a second block', async () => {
  const trace = await readTrace(bytesOf('ltrace-nested.log'));
  expect(trace).toMatchObject({ format: 'ltrace', impliedFrees: 0 });
  const counts = countsOf(trace);
  expect(EACH_TURN.map((size) => counts.get(size) ?? 0)).toEqual([0, 20, 20, 20, 0, 0, 0]);
  for (const size of OWN) expect([size, counts.get(size)]).toEqual([size, 1]);
  expect(counts.get(424_242)).toBe(undefined);
});

it('dhat.json is refused, with the reason and the tool to take', async () => {
  await expect(readTrace(bytesOf('dhat.json'))).rejects.toMatchObject({
    code: 'FORMAT',
    message: expect.stringMatching(/DHAT.*not the order of the allocations.*valgrind --trace-malloc=yes/),
  });
});

describe('valgrind', () => {
  it('shows reallocs, and calls with names before their numbers', async () => {
    const { ops } = await read(`==7== Memcheck
printed by the program--7-- malloc(24) = 0x4A40
--7-- memalign(al 64, size 923) = 0x4B40
--7-- realloc(0x0,639)malloc(639) = 0x4C40
--7-- realloc(0x4A40,30) = 0x4A40
--7-- realloc(0x4A40,0)free(0x4A40)
--7--  = 0
--7-- free(0x0)
--7-- REDIR: 0x40250 (ld.so:strlen) redirected to 0x580
--8-- free(0x4B40)
--7-- malloc(5) = 0x0
--7-- calloc(3,5) = 0x4D40
`);
    expect([...ops]).toEqual([24, 923, 639, ~0, 30, ~3, 15]);
  });
});

describe('ltrace', () => {
  it('shows callers, threads, and calls that another thread interrupts', async () => {
    const { ops, refusedRequests } = await read(`[pid 7] prog->malloc(24 <unfinished ...>
[pid 8] prog->calloc(3, 5)                       = 0x55e0
[pid 7] <... malloc resumed> )                   = 0x55d0
[pid 7] puts("malloc(7) = 0x1")                  = 6
[pid 8] realloc(0x55e0, 5000)                    = 0x5700
[pid 7] free(0x55d0 <unfinished ...>
[pid 8] malloc(9)                                = 0x55d0
[pid 7] <... free resumed> )                     = <void>
[pid 8] realloc(0x55d0, 5000)                    = 0
[pid 8] realloc(0x55d0, 0)                       = 0
[pid 7] --- SIGCHLD (Child exited) ---
[pid 7] +++ exited (status 0) +++
`);
    expect([...ops]).toEqual([15, 24, 5000, ~0, ~1, 9, ~3]);
    expect(refusedRequests).toBe(1);
  });
});

describe('heaptrack', () => {
  it.each([
    ['+ 10'],
    ['+ 10 1 x'],
    ['- x'],
    ['a 10 1\n+ 1'],
    ['a 10 1\n- 0'],
  ])('refuses a line that is not one of it: %s', async (line) => {
    await expect(read(`v 10400 3\n${line}\n`)).rejects.toMatchObject({
      code: 'LINE',
      message: expect.stringContaining('not a line of heaptrack'),
    });
  });

  it('gives a free of interpreted data to the last block of its kind', async () => {
    const { ops } = await read('v 10400 3\na 10 1\na 20 1\n+ 0\n+ 1\n+ 0\n- 0\n+ 0\n- 0\n- 0\n');
    expect([...ops]).toEqual([16, 32, 16, ~2, 16, ~3, ~0]);
  });
});

// In the time of the square of their length, these would take minutes.
it.each<[string, string]>([
  [
    'valgrind, calls without an end',
    `--7-- malloc(8) = 0x10\n${`${'--7-- malloc('.repeat(1200)}\n`.repeat(200)}`,
  ],
  ['ltrace, calls that never return', `malloc(8) = 0x10\n${'malloc(8 <unfinished ...>\n'.repeat(100_000)}`],
  ['ltrace, callers without a call', `malloc(8) = 0x10\n${`${'a->'.repeat(5000)}\n`.repeat(200)}`],
  ['ltrace, ends without a result', `malloc(8) = 0x10\n${`puts(${')    '.repeat(3000)}\n`.repeat(200)}`],
])(
  '%s: reading takes time in proportion to the length',
  async (_, text) => {
    expect((await read(text)).ops).toEqual(Int32Array.of(8));
  },
  20_000,
);

it('a log without calls has no operations', async () => {
  for (const text of ['==7== Memcheck\n', 'puts("hello") = 6\n', 'v 10400 3\nX ./p\n'])
    await expect(read(text)).rejects.toMatchObject({ code: 'EMPTY' });
});
