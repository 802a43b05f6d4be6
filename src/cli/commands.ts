// What the subcommands do with a trace.

import { writeFile } from 'node:fs/promises';
import { getSystemErrorMap } from 'node:util';
import pico from 'picocolors';
import { readTraceFile, readTraceStream } from '../trace/formats/file.ts';
import { advise, arenaAfter, fitCapacity, replay, type Trace } from '../trace.ts';
import { adviceSummary } from './advice.ts';
import type { Paint } from './drawing.ts';
import { hasColors, type Io, widthOf } from './io.ts';
import { withProgress } from './progress.ts';
import { mapSummary, replaySummary } from './summary.ts';

interface ArenaFlags {
  readonly unit: number;
  readonly capacity?: number;
}

/** Arguments of `buddy replay`. */
export interface ReplayFlags extends ArenaFlags {
  readonly json?: true;
  readonly html?: string;
}

/** Arguments of `buddy map`. */
export interface MapFlags extends ArenaFlags {
  readonly at?: number;
}

/** Arguments of `buddy advise`. */
export interface AdviseFlags {
  readonly minUnit: number;
  readonly json?: true;
}

/** `buddy replay FILE`. Resolves to whether every allocation found room; throws what stands in the way. */
export async function replayCommand(file: string, flags: ReplayFlags, io: Io): Promise<boolean> {
  const trace = await load(file, io);
  const { unit } = flags;
  const capacity = capacityFor(trace, flags, io);
  const report = withProgress(io, 'replaying', trace, (onProgress) =>
    replay(trace, { unit, capacity, onProgress }),
  );
  if (flags.html !== undefined) {
    const { htmlReport } = await import('./html/page.ts');
    await naming(flags.html, writeFile(flags.html, htmlReport(file, report)));
  }
  if (flags.json) io.stdout.write(`${JSON.stringify({ file, ...report })}\n`);
  else {
    const { allocator } = arenaAfter(trace, { unit, capacity });
    io.stdout.write(replaySummary(report, allocator, widthOf(io), paintFor(io)));
  }
  return report.failures === 0;
}

/** `buddy map FILE`. Resolves to whether every allocation up to that point found room; throws what stands in the way. */
export async function mapCommand(file: string, flags: MapFlags, io: Io): Promise<boolean> {
  const trace = await load(file, io);
  const { at: operations = trace.ops.length, unit } = flags;
  if (operations > trace.ops.length) {
    throw new Error(
      `--at ${operations} is past the end of the trace, which has ${trace.ops.length} operations`,
    );
  }
  const capacity = capacityFor(trace, flags, io);
  const arena = arenaAfter(trace, { unit, capacity, operations });
  io.stdout.write(mapSummary(arena, trace, operations, unit, widthOf(io), paintFor(io)));
  return arena.failures === 0;
}

/** `buddy advise FILE`. Throws what stands in the way; no verdict is an error. */
export async function adviseCommand(file: string, flags: AdviseFlags, io: Io): Promise<void> {
  const trace = await load(file, io);
  const { minUnit } = flags;
  const advice = withProgress(io, 'trying units', trace, (onProgress) =>
    advise(trace, { minUnit, onProgress }),
  );
  io.stdout.write(
    flags.json
      ? `${JSON.stringify({ file, ...advice })}\n`
      : adviceSummary(advice, widthOf(io), paintFor(io)),
  );
}

function load(file: string, io: Io): Promise<Trace> {
  return naming(file, file === '-' ? readTraceStream(io.stdin) : readTraceFile(file));
}

function capacityFor(trace: Trace, { unit, capacity }: ArenaFlags, io: Io): number {
  return (
    capacity ??
    withProgress(io, 'finding a capacity', trace, (onProgress) => fitCapacity(trace, unit, onProgress))
  );
}

function paintFor(io: Io): Paint {
  return pico.createColors(hasColors(io));
}

/** Waits for work on a file; its error says in one line which file and why, in the system's words without the code. */
async function naming<T>(file: string, work: Promise<T>): Promise<T> {
  return work.catch((cause: NodeJS.ErrnoException) => {
    const known = cause.errno === undefined ? undefined : getSystemErrorMap().get(cause.errno);
    throw new Error(`${file}: ${known?.[1] ?? cause.message}`, { cause });
  });
}
