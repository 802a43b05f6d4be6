// `buddy prefixes`: the prefixes of a pool, by a list of those in use.

import { readFile } from 'node:fs/promises';
import type { BuddyStats } from '../base/blocks.ts';
import { Space } from '../prefixes/space.ts';
import { Prefixes } from '../prefixes.ts';
import { percent, plural } from './format.ts';
import type { Io } from './io.ts';
import { naming } from './naming.ts';

/** Arguments of `buddy prefixes`. */
export interface PrefixesFlags {
  readonly longest: number;
  readonly used?: string;
  readonly alloc?: readonly number[];
  readonly list?: true;
}

/** What is said of a pool. */
interface PoolFigures {
  readonly arena: { stats(): Pick<BuddyStats, 'liveBlocks' | 'usedUnits' | 'capacity'> };
  readonly pool: string;
  readonly longest: number;
  readonly largestFree: number | null;
}

/**
 * `buddy prefixes POOL`. Resolves to whether all prefixes asked for have been found.
 *
 * @throws Error if an argument is wrong, or the list cannot be read; the message names the file and the line.
 */
export async function prefixesCommand(pool: string, flags: PrefixesFlags, io: Io): Promise<boolean> {
  const { longest, used, alloc, list } = flags;
  const prefixes = new Prefixes({ pool, longest });
  if (used !== undefined) {
    prefixes.reserveAll(await naming(used, prefixesIn(used, new Space({ pool, longest }), io)));
  }
  for (const length of alloc ?? []) {
    const prefix = prefixes.alloc(length);
    if (prefix === null) return noRoom(length, prefixes.pool, io);
    io.stdout.write(`${prefix}\n`);
  }
  if (list)
    io.stdout.write(
      prefixes
        .list()
        .map((prefix) => `${prefix}\n`)
        .join(''),
    );
  else if (alloc === undefined) io.stdout.write(summary(prefixes));
  return true;
}

/** Says that there is no room, which is not an error: false. */
export function noRoom(length: number, pool: string, io: Io): false {
  io.stderr.write(`no room for a /${length} in ${pool}\n`);
  return false;
}

/** The prefixes and addresses in a file, each a line. What follows a # is a remark. */
export async function prefixesIn(file: string, space: Space, io: Io): Promise<string[]> {
  const text = file === '-' ? await textOf(io.stdin) : await readFile(file, 'utf8');
  const found: string[] = [];
  for (const [i, line] of text.split('\n').entries()) {
    const prefix = line.replace(/#.*/, '').trim();
    if (prefix === '') continue;
    try {
      space.extentsInUse([prefix]);
    } catch (error) {
      throw new Error(`line ${i + 1}: ${(error as Error).message}`, { cause: error });
    }
    found.push(prefix);
  }
  return found;
}

async function textOf(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const part of stream) text += decoder.decode(part, { stream: true });
  return text + decoder.decode();
}

/** One line about the whole pool. */
export function summary({ arena, pool, longest, largestFree }: PoolFigures): string {
  const { liveBlocks, usedUnits, capacity } = arena.stats();
  const room = largestFree === null ? 'nothing is free' : `the largest free prefix is a /${largestFree}`;
  const used = `${percent(usedUnits / capacity)} in use, in ${plural(liveBlocks, 'block')}`;
  return `${pool}, up to /${longest}: ${used}; ${room}\n`;
}
