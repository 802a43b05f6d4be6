// The scripts of lua/, each with what it must print.

import { readFileSync } from 'node:fs';
import type { Program } from './programs.ts';

/** By script: its size in full and in short, and what it prints for a size. */
const SCRIPTS: Readonly<
  Record<string, readonly [full: number, short: number, (size: number) => unknown[][]]>
> = {
  'binary-trees': [14, 8, binaryTrees],
  strings: [100_000, 5000, strings],
  objects: [300_000, 20_000, objects],
  permutations: [7, 5, permutations],
};

export function luaPrograms(short: boolean): Program[] {
  return Object.entries(SCRIPTS).map(([name, [full, few, expected]]) => {
    const size = short ? few : full;
    const script = readFileSync(new URL(`lua/${name}.lua`, import.meta.url), 'utf8');
    return {
      name,
      guest: 'lua',
      texts: [`(function(...)\n${script}\nend)(${size})`],
      // As Lua's print writes them.
      expected: expected(size)
        .map((line) => `${line.join('\t')}\n`)
        .join(''),
    };
  });
}

function binaryTrees(size: number): unknown[][] {
  const nodesOf = (depth: number): number => 2 ** (depth + 1) - 1;
  const lines: unknown[][] = [];
  for (let depth = 4; depth <= size; depth += 4) {
    const trees = 2 ** (size - depth + 4);
    lines.push([trees, depth, trees * nodesOf(depth)]);
  }
  return [...lines, [nodesOf(size)]];
}

function strings(rounds: number): unknown[][] {
  const hex = (i: number): string => ((BigInt(i) * 2654435761n) % 2n ** 32n).toString(16);
  const words = Array.from({ length: rounds }, (_, i) => `${i + 1}-${hex(i + 1)}`);
  const lines = Array.from({ length: rounds / 500 }, (_, i) => words.slice(500 * i, 500 * (i + 1)).join(' '));
  const text = lines.map((line) => `${line}\n`).join('');
  let count = 0;
  const replaced = text.replaceAll(/\d+-/g, (number) => {
    count++;
    return `<${[...number].reverse().join('')}>`;
  });
  const sum = replaced
    .trimEnd()
    .split('\n')
    .reduce((before, line) => (before * 31 + 3 * line.length) % 1_000_000_007, 0);
  return [[text.length], [new Set(text.match(/[0-9a-f]+/g)).size], [replaced.length, count], [sum]];
}

function objects(rounds: number): unknown[][] {
  const entries = new Map<number, { total: number; tagged: number }>();
  const order: number[] = [];
  let seed = 1;
  for (let i = 1; i <= rounds; i++) {
    seed = (seed * 48_271) % 2_147_483_647;
    const key = seed % 5000;
    let entry = entries.get(key);
    if (entry === undefined) {
      entry = { total: 0, tagged: 0 };
      entries.set(key, entry);
      order.push(key);
    }
    entry.total += i % 100;
    if (order.length > 3000) entries.delete(order.shift() as number);
  }
  let total = 0;
  for (const entry of entries.values()) total += entry.total;
  return [[entries.size, Math.max(...entries.keys()), total, total]];
}

function permutations(size: number): unknown[][] {
  let all = 1;
  for (let i = 2; i <= size; i++) all *= i;
  return [
    [size * all, all, Math.floor((size * all) / 1000)],
    [2000 * (9 + 4 + 1), 'done'],
  ];
}
