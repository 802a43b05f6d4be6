// What is measured together: contenders that do the same patterns.

import type { PatternName } from './patterns.ts';
import { PATTERNS } from './patterns.ts';

/** The pattern of structures on heaps. */
export const STRUCTURES = 'structures';

/** All patterns that there are. */
export const PATTERN_NAMES: readonly string[] = [...Object.keys(PATTERNS), STRUCTURES];

/** A contender, by the path of its module from the root of the project, without the extension. */
export interface Entrant {
  readonly module: string;
  readonly name: string;
}

/** See the head of this file. */
export interface Suite {
  /** The module of the patterns. */
  readonly patterns: string;
  readonly names: readonly string[];
  /** What is counted. */
  readonly unit: string;
  readonly entrants: readonly Entrant[];
  /** The entrant whose rate with one worker is the base of all ratios. */
  readonly base: Entrant;
  /** Bytes of the memory. */
  size(pattern: string): number;
  /** Whether `entrant` can do `pattern` with `workers` workers. */
  takesPart(entrant: Entrant, pattern: string, workers: number): boolean;
}

const HEAP: Entrant = { module: 'bench/shared-heap/heap', name: 'Heap, one for each worker' };

const OWN: Entrant = { module: 'bench/shared-heap/structures/own', name: 'its own MemoryHeap' };

/** Blocks that are allocated and freed. */
const BLOCKS: Suite = {
  patterns: 'bench/shared-heap/patterns',
  names: Object.keys(PATTERNS),
  unit: 'pairs of malloc and free',
  entrants: [
    { module: 'bench/shared-heap/shared-heap', name: 'SharedHeap' },
    { module: 'bench/shared-heap/tracked', name: 'SharedHeap, owners tracked' },
    HEAP,
    { module: 'bench/shared-heap/locked', name: 'Heap behind a lock' },
    { module: 'bench/shared-heap/former', name: 'the former SharedHeap' },
    { module: 'bench/shared-heap/shared-memory-objects', name: '@daneren2005/shared-memory-objects' },
  ],
  base: HEAP,
  size: (pattern) => PATTERNS[pattern as PatternName].size,
  takesPart: (entrant, pattern, workers) =>
    workers === 1 || entrant !== HEAP || !PATTERNS[pattern as PatternName].handsOver,
};

/** Structures of @daneren2005/shared-memory-objects. */
const OF_STRUCTURES: Suite = {
  patterns: 'bench/shared-heap/structures/patterns',
  names: [STRUCTURES],
  unit: 'changes of a map, a list and a vector of @daneren2005/shared-memory-objects',
  entrants: [
    { module: 'bench/shared-heap/structures/shared-heap', name: 'SharedHeap' },
    { module: 'bench/shared-heap/structures/tracked', name: 'SharedHeap, owners tracked' },
    OWN,
  ],
  base: OWN,
  size: () => 2 ** 20,
  takesPart: () => true,
};

/** All suites. */
export const SUITES: readonly Suite[] = [BLOCKS, OF_STRUCTURES];
