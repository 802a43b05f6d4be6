// `buddy prefixes`: the prefixes of a pool, by a list of those in use.

import { readFile } from 'node:fs/promises';
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
}

/**
 * `buddy prefixes POOL`. Resolves to whether all prefixes asked for have been found.
 *
 * @throws Error if an argument is wrong, or the list cannot be read; the message names the file and the line.
 */
export async function prefixesCommand(pool: string, flags: PrefixesFlags, io: Io): Promise<boolean> {
  const { longest, used, alloc } = flags;
  const prefixes = new Prefixes({ pool, longest });
  if (used !== undefined) prefixes.reserveAll(await naming(used, prefixesIn(used, prefixes, io)));
  if (alloc === undefined) {
    io.stdout.write(summary(prefixes));
    return true;
  }
  for (const length of alloc) {
    const prefix = prefixes.alloc(length);
    if (prefix === null) {
      io.stderr.write(`no room for a /${length} in ${prefixes.pool}\n`);
      return false;
    }
    io.stdout.write(`${prefix}\n`);
  }
  return true;
}

/** The prefixes and addresses in a file, each a line. What follows a # is a remark. */
async function prefixesIn(file: string, { pool, longest }: Prefixes, io: Io): Promise<string[]> {
  const text = file === '-' ? await textOf(io.stdin) : await readFile(file, 'utf8');
  const space = new Space({ pool, longest });
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
function summary({ arena, pool, longest, largestFree }: Prefixes): string {
  const { liveBlocks, usedUnits, capacity } = arena.stats();
  const room = largestFree === null ? 'nothing is free' : `the largest free prefix is a /${largestFree}`;
  const used = `${percent(usedUnits / capacity)} in use, in ${plural(liveBlocks, 'block')}`;
  return `${pool}, up to /${longest}: ${used}; ${room}\n`;
}
