// Planted bugs: memories that do something else than the engine asks for, so that the engine itself stays as it is. Each
// is a mistake that one could make in a lock-free buddy system, and the explorer has to find it.

import { CLOSED, contOf, EMPTY, usedOf } from '../../src/shared/word.ts';
import { CAS, Memory, STORE } from './cells.ts';
import type { SharedSubject } from './shared.ts';

/** Performs an access as it was asked. */
type Perform = (kind: number, at: number, a: number, b: number) => number;

export interface Mutant {
  readonly name: string;
  /** A program in which it shows. */
  readonly program: string;
  /**
   * Performs a CAS of a word, which is `now`, from `a` to `b`, in its own way. Returns the answer; undefined leaves the
   * access as it is.
   */
  readonly cas: (plain: Perform, at: number, a: number, b: number, now: number) => number | undefined;
}

/** Whether the change from `a` to `b` frees children. */
const frees = (a: number, b: number): boolean => (usedOf(a) & ~usedOf(b)) !== 0;
/** Whether the change from `a` to `b`, both open, subdivides a child. */
const opens = (a: number, b: number): boolean => (contOf(b) & ~usedOf(b) & ~(contOf(a) & ~usedOf(a))) !== 0;

const blindly = (plain: Perform, at: number, value: number): number => {
  plain(STORE, at, value, 0);
  return 1;
};

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'allocating in a word stores instead of CAS',
    program: 'p:0 ; a:0 | b:0',
    cas: (plain, at, a, b) => (b !== CLOSED && frees(b, a) ? blindly(plain, at, b) : undefined),
  },
  {
    name: 'freeing in a word stores instead of CAS',
    program: 'p:0 q:0 ; -p | a:0',
    cas: (plain, at, a, b) => (b !== CLOSED && frees(a, b) ? blindly(plain, at, b) : undefined),
  },
  {
    name: 'closing a word stores instead of CAS',
    program: 'p:0 -p ; a:0 | b:4',
    cas: (plain, at, _a, b) => (b === CLOSED ? blindly(plain, at, b) : undefined),
  },
  {
    name: 'a word that is about to close is not marked',
    program: 'p:3 ; b:3 | -p',
    cas: (plain, at, a, b) => (b === CLOSED ? plain(CAS, at, a, EMPTY) : undefined),
  },
  {
    name: 'opening a word does not look whether the child is free still',
    program: 'a:0 | b:4',
    cas: (plain, at, a, b) => (b !== CLOSED && opens(a, b) ? blindly(plain, at, b) : undefined),
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

/** Makes memories of `subject` in which words behave as `mutant` says. */
export function mutatedMemory({ g }: SharedSubject, mutant: Mutant): (length: number) => Memory {
  const isWord = (at: number): boolean =>
    g.words.some((first, level) => at >= first && at < first + g.count[level]);

  class MutatedMemory extends Memory {
    readonly #plain: Perform = (kind, at, a, b) => super.perform(kind, at, a, b);

    override perform(kind: number, at: number, a: number, b: number): number {
      const answer =
        kind === CAS && isWord(at) ? mutant.cas(this.#plain, at, a, b, this.cells[at]) : undefined;
      return answer ?? super.perform(kind, at, a, b);
    }
  }
  return (length) => new MutatedMemory(length);
}
