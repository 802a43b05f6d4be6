// `npm run long -- guests`: Lua and SQLite on a Heap, beside the same with the malloc that wasi-libc brings along. Progress
// on standard error.

import Table from 'cli-table3';
import { median, type Summary, summarise } from '../../bench/statistics.ts';
import type { HeapImports } from '../../src/heap.ts';
import { buildGuests, type GuestModules, missingTools } from '../guests/build.ts';
import { Guest } from '../guests/guest.ts';
import { allPrograms, type Program } from '../guests/programs.ts';

interface Options {
  readonly rounds: number;
  readonly short?: true;
}

/** One run of a program. */
interface Sample {
  /** Time that the process had a core, which does not depend on what else the machine does. */
  readonly milliseconds: number;
  /** Bytes of the memory at the end, which are the most that it had, as a WebAssembly memory does not shrink. */
  readonly memoryBytes: number;
}

/** What came out for one program: its own malloc, and the heap's. */
interface Result {
  readonly own: Sample;
  readonly heap: Sample;
  /** The heap's time divided by the other's in the same round. */
  readonly timesOwn: Summary;
  /** Bytes from the start of the heap to the end of the highest block that it gave, and its state. */
  readonly highestBytes: number;
}

/** Runs a program to its end. Throws an Error if it prints something else than it must. */
function perform(guest: Guest, { name, texts, expected }: Program): Sample {
  const started = process.cpuUsage();
  for (const text of texts) guest.run(text);
  const { user, system } = process.cpuUsage(started);
  const output = guest.takeOutput();
  if (output !== expected) throw new Error(`${name} printed\n${output}instead of\n${expected}`);
  return { milliseconds: (user + system) / 1000, memoryBytes: guest.memoryBytes };
}

/** Runs a program on a heap that is watched, and has everything freed. Returns the highest bytes. */
function watch(module: WebAssembly.Module, program: Program): number {
  let highest = 0;
  const guest = new Guest(module, (heap) => {
    const { malloc, calloc, realloc, ...others } = heap.imports;
    const seen = (ptr: number): number => {
      if (ptr !== 0) highest = Math.max(highest, (ptr >>> 0) + heap.usableSize(ptr >>> 0));
      return ptr;
    };
    const watched: HeapImports = {
      ...others,
      malloc: (size) => seen(malloc(size)),
      calloc: (count, size) => seen(calloc(count, size)),
      realloc: (ptr, size) => seen(realloc(ptr, size)),
    };
    return watched;
  });
  perform(guest, program);
  const { heap, base } = guest;
  if (heap === undefined) throw new Error(`${program.name} has a malloc of its own`);
  const state = heap.stats().metadataBytes;
  guest.finish();
  const { liveBlocks } = heap.stats();
  const faults = heap.check();
  if (liveBlocks !== 0) faults.push(`${liveBlocks} blocks are left`);
  if (faults.length !== 0) throw new Error(`${program.name}: ${faults.join('; ')}`);
  return highest - base + state;
}

function measure(modules: GuestModules, program: Program, rounds: number): Result {
  const highestBytes = watch(modules.heap, program);
  const [own, heap]: Sample[][] = [[], []];
  // The first round is for the engine to compile the module and the heap; it does not count.
  for (let round = 0; round <= rounds; round++) {
    const inTurn: [Sample[], WebAssembly.Module][] = [
      [own, modules.own],
      [heap, modules.heap],
    ];
    if (round % 2 === 1) inTurn.reverse();
    for (const [samples, module] of inTurn) samples.push(perform(new Guest(module), program));
    console.error(`${program.name}: round ${round} of ${rounds}`);
  }
  const middle = (samples: readonly Sample[]): Sample => ({
    milliseconds: median(samples.slice(1).map(({ milliseconds }) => milliseconds)),
    memoryBytes: samples[0].memoryBytes,
  });
  const ratios = heap.map(({ milliseconds }, round) => milliseconds / own[round].milliseconds);
  return { own: middle(own), heap: middle(heap), timesOwn: summarise(ratios.slice(1)), highestBytes };
}

const times = (ratio: number): string => `${ratio.toFixed(2)}×`;
const kibibytes = (bytes: number): string => Math.round(bytes / 1024).toString();

function row({ own, heap, timesOwn, highestBytes }: Result): string[] {
  return [
    own.milliseconds.toFixed(0),
    heap.milliseconds.toFixed(0),
    `${times(timesOwn.median)} (${timesOwn.q1.toFixed(2)} … ${timesOwn.q3.toFixed(2)})`,
    kibibytes(own.memoryBytes),
    kibibytes(heap.memoryBytes),
    times(heap.memoryBytes / own.memoryBytes),
    kibibytes(highestBytes),
    times(highestBytes / own.memoryBytes),
  ];
}

/** Runs the guests, as the command line says. */
export function run({ rounds, short }: Options): void {
  const missing = missingTools();
  if (missing !== undefined) {
    console.log(`${short ? 'Skipped' : 'Cannot run'}: ${missing}`);
    if (!short) process.exitCode = 1;
    return;
  }
  const modules = buildGuests();
  const table = new Table({
    head: ['', 'own ms', 'Heap ms', 'time', 'own KiB', 'Heap KiB', 'memory', 'highest KiB', 'highest'],
    style: { head: [], border: [] },
    colAligns: ['left', ...Array.from({ length: 8 }, () => 'right' as const)],
  });
  for (const program of allPrograms(short === true)) {
    const result = measure(modules[program.guest], program, short ? 1 : rounds);
    table.push([`${program.guest}: ${program.name}`, ...row(result)]);
  }
  console.log(table.toString());
  console.log(
    'own: the malloc of wasi-libc. Times: of a core, medians of the rounds; quartiles of the ratios in a round.\n' +
      'Memory: at the end, without the program itself and with all state of the heap. Highest: up to the highest\n' +
      'block that the heap has given, with that state.',
  );
}
