// The subcommands: each reads a trace and prints what it finds.

import { writeFile } from 'node:fs/promises';
import pico from 'picocolors';
import { dump } from '../core/state/dump.ts';
import { readTraceFile, readTraceStream } from '../trace/formats/file.ts';
import { printable } from '../trace/printable.ts';
import { gapsOf } from '../trace/trace.ts';
import { advise, arenaAfter, fitCapacity, replay, type Trace, type TraceFormat } from '../trace.ts';
import { adviceSummary } from './advice.ts';
import { compare, contest } from './allocators/compare.ts';
import type { AllocatorName } from './allocators/contender.ts';
import { contestSummary } from './contest.ts';
import type { Paint } from './drawing.ts';
import { hasColors, type Io, widthOf } from './io.ts';
import { naming } from './naming.ts';
import { withProgress } from './progress.ts';
import { drawMemory, fullestOf, mapSummary, replaySummary } from './summary.ts';

/** Lines of a full memory map. */
const MAP_LINES = 16;

/** Arguments of all commands: how to read the trace. */
interface TraceFlags {
  readonly format?: TraceFormat;
  readonly strict?: true;
}

/** Arguments of the commands that make an arena. */
interface ArenaFlags extends TraceFlags {
  readonly unit: number;
  readonly capacity?: number;
}

/** Arguments of `buddy replay`. */
export interface ReplayFlags extends ArenaFlags {
  readonly on: readonly AllocatorName[];
  readonly json?: true;
  readonly html?: string;
}

/** Arguments of `buddy map`. */
export interface MapFlags extends ArenaFlags {
  readonly at?: number;
  readonly words?: true;
}

/** Arguments of `buddy advise`. */
export interface AdviseFlags extends TraceFlags {
  readonly minUnit: number;
  readonly json?: true;
}

/**
 * `buddy replay FILE`. Resolves to whether every allocation found room.
 *
 * @throws Error if the trace cannot be read or the page cannot be written; the message names the file. Also if a flag
 * is for another allocator.
 */
export async function replayCommand(file: string, flags: ReplayFlags, io: Io): Promise<boolean> {
  const isBuddy = flags.on.length === 1 && flags.on[0] === 'buddy';
  if (!isBuddy && (flags.capacity !== undefined || flags.html !== undefined)) {
    throw new Error('--capacity and --html are for --on buddy alone');
  }
  const trace = await load(file, flags, io);
  return isBuddy ? replayOnBuddy(file, trace, flags, io) : replayOnOthers(file, trace, flags, io);
}

/** `buddy replay --on` others than the buddy alone. */
function replayOnOthers(file: string, trace: Trace, { on, unit, json }: ReplayFlags, io: Io): boolean {
  const result = contest(trace, on, unit);
  if (json) {
    const contests = result.contests.map(({ atPeak, ...figures }) => figures);
    const { format, ops, allocations, frees } = trace;
    const head = { file, format, operations: ops.length, allocations, frees, ...gapsOf(trace) };
    io.stdout.write(documentOf({ ...head, ...result, contests }));
  } else io.stdout.write(contestSummary(trace, result, widthOf(io), paintFor(io)));
  return result.contests.every(({ failures }) => failures === 0);
}

/** `buddy replay` on the buddy alone. */
async function replayOnBuddy(file: string, trace: Trace, flags: ReplayFlags, io: Io): Promise<boolean> {
  const { unit } = flags;
  const capacity = capacityFor(trace, flags, io);
  const report = withProgress(io, 'replaying', trace, (onProgress) =>
    replay(trace, { unit, capacity, onProgress }),
  );
  if (flags.html !== undefined) {
    const { htmlReport } = await import('./html/page.ts');
    await naming(flags.html, writeFile(flags.html, htmlReport(file, report)));
  }
  if (flags.json) io.stdout.write(documentOf({ file, ...report }));
  else {
    const { operations } = fullestOf(report);
    const { allocator } = arenaAfter(trace, { unit, capacity, operations });
    io.stdout.write(replaySummary(report, allocator, widthOf(io), paintFor(io)));
  }
  return report.failures === 0;
}

/**
 * `buddy map FILE`. Resolves to whether every allocation up to that point found room.
 *
 * @throws Error if the trace cannot be read or has fewer operations than `flags.at`.
 */
export async function mapCommand(file: string, flags: MapFlags, io: Io): Promise<boolean> {
  const trace = await load(file, flags, io);
  const { at: operations = trace.ops.length, unit } = flags;
  if (operations > trace.ops.length) {
    throw new Error(
      `--at ${operations} is past the end of the trace, which has ${trace.ops.length} operations`,
    );
  }
  const capacity = capacityFor(trace, flags, io);
  const arena = arenaAfter(trace, { unit, capacity, operations });
  const { allocator, failures } = arena;
  const paint = paintFor(io);
  const drawing = flags.words
    ? dump(new Int32Array(allocator.state))
    : drawMemory(allocator, MAP_LINES, widthOf(io), paint);
  io.stdout.write(`${mapSummary(arena, trace, operations, unit, paint)}\n\n${drawing}\n`);
  return failures === 0;
}

/**
 * `buddy advise FILE`. No verdict is an error.
 *
 * @throws Error if the trace cannot be read or needs more than 2^30 of the largest units.
 */
export async function adviseCommand(file: string, flags: AdviseFlags, io: Io): Promise<void> {
  const trace = await load(file, flags, io);
  const { minUnit } = flags;
  const advice = withProgress(io, 'trying units', trace, (onProgress) =>
    advise(trace, { minUnit, onProgress }),
  );
  const comparison = compare(trace, advice, minUnit);
  io.stdout.write(
    flags.json
      ? documentOf({ file, ...advice, comparison })
      : adviceSummary(advice, comparison, widthOf(io), paintFor(io)),
  );
}

/** A JSON document on one line. */
function documentOf(value: object): string {
  return `${printable(JSON.stringify(value))}\n`;
}

/** The trace in a file, or on standard input if `file` is `-`. */
function load(file: string, { format, strict }: TraceFlags, io: Io): Promise<Trace> {
  const options = { format, strict };
  return naming(file, file === '-' ? readTraceStream(io.stdin, options) : readTraceFile(file, options));
}

/** The capacity asked for, or the smallest power of two in which the trace fits. */
function capacityFor(trace: Trace, { unit, capacity }: ArenaFlags, io: Io): number {
  return (
    capacity ??
    withProgress(io, 'finding a capacity', trace, (onProgress) => fitCapacity(trace, unit, onProgress))
  );
}

/** Colours if standard output takes them. */
function paintFor(io: Io): Paint {
  return pico.createColors(hasColors(io));
}
