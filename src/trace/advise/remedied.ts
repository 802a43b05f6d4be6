// What a trace would take if its program followed the remedies: by replaying what it would do then.

import type { Progress } from '../replay/pass.ts';
import { type Trace, traceFromOps } from '../trace.ts';
import type { Remedy } from './remedies.ts';
import { measureUnit } from './units.ts';

/**
 * Bytes that the trace would take with the remedies, in units of `unit` bytes: those of the smallest arena and its
 * state, and of what the remedies put elsewhere, which is the excess of shrunk blocks and the slots of slabs, as many as
 * are ever live. Undefined when the trace then needs more than 2^30 units.
 */
export function measureRemedied(
  trace: Trace,
  remedies: readonly Remedy[],
  unit: number,
  onProgress: Progress,
): number | undefined {
  const { ops, elsewhereBytes } = applied(trace, remedies);
  if (ops.length === 0) return elsewhereBytes;
  const figures = measureUnit(traceFromOps(Int32Array.from(ops)), unit, onProgress);
  return figures && figures.smallest.totalBytes + elsewhereBytes;
}

/** A remedy and how many of the blocks that it is for are live, now and at most. */
interface Use {
  readonly remedy: Remedy;
  live: number;
  most: number;
}

/** The operations that are left for the arena, in the encoding of {@link Trace.ops}. */
function applied(trace: Trace, remedies: readonly Remedy[]): { ops: number[]; elsewhereBytes: number } {
  const uses = new Map(remedies.map((remedy) => [remedy.bytes, { remedy, live: 0, most: 0 }]));
  const ops: number[] = [];
  const blocks: { use: Use | undefined; id: number }[] = [];
  let nextId = 0;
  for (const op of trace.ops) {
    if (op < 0) {
      const { use, id } = blocks[~op];
      if (use !== undefined) use.live--;
      for (let part = 0; part < partsOf(use?.remedy, 1).length; part++) ops.push(~(id + part));
      continue;
    }
    const use = uses.get(Math.max(1, op));
    if (use !== undefined) use.most = Math.max(use.most, ++use.live);
    blocks.push({ use, id: nextId });
    for (const part of partsOf(use?.remedy, op)) {
      ops.push(part);
      nextId++;
    }
  }
  let elsewhereBytes = 0;
  for (const { remedy, most } of uses.values()) elsewhereBytes += most * elsewhere(remedy);
  return { ops, elsewhereBytes };
}

/** What a request for `bytes` asks of the arena under a remedy. */
function partsOf(remedy: Remedy | undefined, bytes: number): readonly number[] {
  switch (remedy?.kind) {
    case undefined:
      return [bytes];
    case 'SHRINK':
      return [remedy.blockBytes / 2];
    case 'SLAB':
      return [];
    case 'SPLIT':
      return remedy.pieces;
  }
}

/** Bytes of a block that a remedy puts elsewhere. */
function elsewhere(remedy: Remedy): number {
  switch (remedy.kind) {
    case 'SHRINK':
      return remedy.excessBytes;
    case 'SLAB':
      return remedy.bytes;
    case 'SPLIT':
      return 0;
  }
}
