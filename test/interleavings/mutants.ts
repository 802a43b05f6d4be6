// Planted bugs: memories that do something other than the engine requests, so that the engine itself stays as it is.
// Each is a mistake that one could make in a lock-free buddy system. The explorer has to find it.

import { CLOSED, contOf, EMPTY, usedOf } from '../../src/shared/word.ts';
import { CAS, Memory, STORE } from './cells.ts';
import type { SharedSubject } from './shared.ts';

/** Performs an access as requested. */
type Perform = (kind: number, pos: number, a: number, b: number) => number;

export interface Mutant {
  readonly name: string;
  /** A program in which the bug shows. */
  readonly program: string;
  /**
   * Performs a CAS of a word, whose value is `now`, from `a` to `b`, in its own way. Returns the answer; undefined to
   * have the access performed as requested.
   */
  readonly cas: (plain: Perform, pos: number, a: number, b: number, now: number) => number | undefined;
}

/** Whether the change from `a` to `b` frees children. */
const frees = (a: number, b: number): boolean => (usedOf(a) & ~usedOf(b)) !== 0;
/** Whether the change from `a` to `b`, both open, subdivides a child. */
const opens = (a: number, b: number): boolean => (contOf(b) & ~usedOf(b) & ~(contOf(a) & ~usedOf(a))) !== 0;

const blindly = (plain: Perform, pos: number, value: number): number => {
  plain(STORE, pos, value, 0);
  return 1;
};

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'allocating in a word stores instead of CAS',
    program: 'p:0 ; a:0 | b:0',
    cas: (plain, pos, a, b) => (b !== CLOSED && frees(b, a) ? blindly(plain, pos, b) : undefined),
  },
  {
    name: 'freeing in a word stores instead of CAS',
    program: 'p:0 q:0 ; -p | a:0',
    cas: (plain, pos, a, b) => (b !== CLOSED && frees(a, b) ? blindly(plain, pos, b) : undefined),
  },
  {
    name: 'closing a word stores instead of CAS',
    program: 'p:0 -p ; a:0 | b:4',
    cas: (plain, pos, _a, b) => (b === CLOSED ? blindly(plain, pos, b) : undefined),
  },
  {
    name: 'a word that is about to close is not marked',
    program: 'p:3 ; b:3 | -p',
    cas: (plain, pos, a, b) => (b === CLOSED ? plain(CAS, pos, a, EMPTY) : undefined),
  },
  {
    name: 'opening a word does not look whether the child is still free',
    program: 'a:0 | b:4',
    cas: (plain, pos, a, b) => (b !== CLOSED && opens(a, b) ? blindly(plain, pos, b) : undefined),
  },
  {
    name: 'opening a word does not mark the child as subdivided',
    program: 'a:0 | b:4',
    cas: (_plain, _at, a, b) => (b !== CLOSED && opens(a, b) ? 1 : undefined),
  },
  {
    name: 'closing a word does not free the child above',
    program: 'p:0 q:4 -p -q a:4 | b:4',
    cas: (_plain, _at, a, b, now) => (b !== CLOSED && opens(b, a) ? Number(now === a) : undefined),
  },
];

/** Makes memories of `subject` in which a CAS of a word behaves as in `mutant`. */
export function mutatedMemory({ g }: SharedSubject, mutant: Mutant): (length: number) => Memory {
  const isWord = (pos: number): boolean =>
    g.words.some((first, level) => pos >= first && pos < first + g.count[level]);

  class MutatedMemory extends Memory {
    readonly #plain: Perform = (kind, pos, a, b) => super.perform(kind, pos, a, b);

    override perform(kind: number, pos: number, a: number, b: number): number {
      const answer =
        kind === CAS && isWord(pos) ? mutant.cas(this.#plain, pos, a, b, this.cells[pos]) : undefined;
      return answer ?? super.perform(kind, pos, a, b);
    }
  }
  return (length) => new MutatedMemory(length);
}
