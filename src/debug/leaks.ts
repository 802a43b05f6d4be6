// The blocks that are still live, and the report on them.

import { count } from './block.ts';

/** A block that has not been freed. */
export interface Leak {
  /** The pointer. */
  readonly ptr: number;
  /** Bytes that were asked for. */
  readonly size: number;
  /** Where it was allocated: a frame a line, the innermost first. */
  readonly stack: string;
}

/** The leaks in words: leaks with the same stack are taken together, the most bytes come first. */
export function reportOf(leaks: readonly Leak[]): string {
  const sites = new Map<string, { blocks: number; bytes: number }>();
  for (const { size, stack } of leaks) {
    const site = sites.get(stack) ?? { blocks: 0, bytes: 0 };
    sites.set(stack, { blocks: site.blocks + 1, bytes: site.bytes + size });
  }
  const total = leaks.reduce((bytes, { size }) => bytes + size, 0);
  const sections = [...sites]
    .sort(([, a], [, b]) => b.bytes - a.bytes)
    .map(([stack, { blocks, bytes }]) => `\n${figures(blocks, bytes)}, allocated\n${stack}\n`);
  return `${figures(leaks.length, total)} not freed\n${sections.join('')}`;
}

function figures(blocks: number, bytes: number): string {
  return `${count(blocks, 'block')}, ${count(bytes, 'byte')}`;
}
