// A state as text, for people: header, hints and bounds, and each open word as two rows of bits.

import { FANOUT_BITS } from '../../base/word.ts';
import {
  AT_ABOVE,
  AT_CAPACITY,
  AT_COUNT,
  AT_FREE,
  AT_LEVELS,
  hintAt,
  NO_ADDRESS,
  ORDERS_PER_LEVEL,
  pairAt,
} from '../layout.ts';

/** Most open words that a dump shows per level. */
const WORDS_SHOWN = 32;

/**
 * The state as text. A word is two rows of 32 bits, child 0 first, as docs/algorithm.md draws them. Of each level the first
 * 32 open words are shown. Nothing is checked, so that a damaged state can be looked at, too. O(words).
 */
export function dump(state: Int32Array): string {
  const lines = [`capacity ${state[AT_CAPACITY]}, free ${state[AT_FREE]}, levels ${state[AT_LEVELS]}`];
  for (let level = state[AT_LEVELS] - 1; level >= 0; level--) lines.push(...levelLines(state, level));
  return lines.join('\n');
}

function levelLines(state: Int32Array, level: number): string[] {
  const count = state[AT_COUNT + level];
  const span = 2 ** (FANOUT_BITS * level);
  const above = state[AT_ABOVE + level];
  const hints = Array.from({ length: ORDERS_PER_LEVEL }, (_, r) => {
    const hint = state[hintAt(level, r)];
    return hint === count ? 'none' : `${hint}`;
  });
  const lines = [
    `level ${level}: ${count} word${count === 1 ? '' : 's'}, a child is ${span} unit${span === 1 ? '' : 's'}, ` +
      `hints ${hints.join(' ')}, bound ${above === NO_ADDRESS ? 'none' : above}`,
  ];
  let open = 0;
  for (let word = 0; word < count; word++) {
    const pos = pairAt(state, level, word);
    if ((state[pos] | state[pos + 1]) === 0) continue;
    open++;
    if (open > WORDS_SHOWN) continue;
    lines.push(`  word ${word}, units from ${word * 32 * span}`);
    lines.push(`    used ${bits(state[pos])}`, `    cont ${bits(state[pos + 1])}`);
  }
  if (open > WORDS_SHOWN) lines.push(`  and ${open - WORDS_SHOWN} more open words`);
  return lines;
}

/** The bits of a mask, child 0 first, in groups of four. */
function bits(mask: number): string {
  const digits = (mask >>> 0).toString(2).padStart(32, '0').split('').reverse().join('');
  return digits.replace(/(.{4})(?=.)/g, '$1 ');
}
