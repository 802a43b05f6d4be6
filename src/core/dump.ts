// A state as text.

import { AT_CAPACITY, AT_COUNT, AT_FREE, AT_LEVELS, AT_WORDS } from './layout.ts';

/** The state `s` as text: its header, and the words that are not empty, child 0 on the left. O(capacity). */
export function dump(s: Int32Array): string {
  const lines = [`capacity ${s[AT_CAPACITY]}, free ${s[AT_FREE]}, levels ${s[AT_LEVELS]}`];
  const bits = (mask: number): string =>
    (mask >>> 0).toString(2).padStart(32, '0').split('').reverse().join('');
  for (let level = s[AT_LEVELS] - 1; level >= 0; level--) {
    lines.push(`level ${level}, words ${s[AT_COUNT + level]}`);
    for (let word = 0; word < s[AT_COUNT + level]; word++) {
      const pos = s[AT_WORDS + level] + 2 * word;
      if ((s[pos] | s[pos + 1]) === 0) continue;
      lines.push(`  word ${word}`, `    used ${bits(s[pos])}`, `    cont ${bits(s[pos + 1])}`);
    }
  }
  return lines.join('\n');
}
