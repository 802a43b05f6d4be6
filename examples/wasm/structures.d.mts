// Types of structures.mjs.

import type { Heap } from '../../src/heap.ts';

export function readMap(heap: Heap, map: number): Map<string, number>;
export function readJson(heap: Heap, node: number): unknown;
export function freeJson(heap: Heap, node: number): void;
