// Programs: the operations of each worker, as text and as data; and all small programs, by enumeration.
//
//   a:0 b:2 | ; -a | c:0 -b          worker 0 allocates a and b first, alone; then worker 0 frees a while worker 1 …
//
// name:order allocates, -name frees, +name adopts from the worker that owns the block, . detaches the worker. `|` stands
// between workers. The part before `;` is done before the exploration begins, worker by worker.
//
// *name adopts too, but late: from the worker that allocated the block, and whatever has become of either since.
// ^ attaches the worker, which is not attached before that: it may get the slot of another that is gone.
// ~worker: this worker is killed, at every possible moment. !worker recovers a worker: that one, or one that does
// nothing in the exploration and is dead when it begins.

import { ADOPT, ALLOC, ATTACH, DETACH, FREE, RECOVER } from './subject.ts';

/**
 * One operation. `argument` is the order for ALLOC, the worker for RECOVER, and 1 for an ADOPT that may be late, else
 * 0. `block` is the index of the block for ALLOC, FREE and ADOPT.
 */
export interface Op {
  readonly kind: number;
  readonly block: number;
  readonly argument: number;
}

export interface Program {
  readonly text: string;
  /** The operations before the exploration, by worker. */
  readonly before: readonly (readonly Op[])[];
  readonly workers: readonly (readonly Op[])[];
  /** Names of the blocks. */
  readonly names: readonly string[];
  /** [block]: how many operations free it. More than one is misuse. */
  readonly frees: readonly number[];
  /** The worker that is killed; -1 if none is. */
  readonly victim: number;
  /** The workers that are dead when the exploration begins, and recovered in it. */
  readonly dead: readonly number[];
  /** The blocks that are adopted late. */
  readonly late: readonly number[];
}

/** One word of a program: see the head of this file. */
const WORD = /^(?:[^-+*~!:^][^:]*:\d+|[-+*][^:]+|[~!]\d+|\^|\.)$/;

/** Reads a program. Throws a SyntaxError if a word in it is not valid. */
export function parseProgram(text: string): Program {
  const names: string[] = [];
  const frees: number[] = [];
  const blockCalled = (name: string): number => {
    const known = names.indexOf(name);
    if (known >= 0) return known;
    frees.push(0);
    return names.push(name) - 1;
  };
  let victim = -1;
  const parseOp = (word: string): Op => {
    if (word[0] === '!') return { kind: RECOVER, block: -1, argument: Number(word.slice(1)) };
    if (word[0] === '+' || word[0] === '*')
      return { kind: ADOPT, block: blockCalled(word.slice(1)), argument: word[0] === '*' ? 1 : 0 };
    if (word === '^') return { kind: ATTACH, block: -1, argument: 0 };
    if (word === '.') return { kind: DETACH, block: -1, argument: 0 };
    if (word[0] === '-') {
      const block = blockCalled(word.slice(1));
      frees[block]++;
      return { kind: FREE, block, argument: 0 };
    }
    const [name, order] = word.split(':');
    return { kind: ALLOC, block: blockCalled(name), argument: Number(order) };
  };
  const parsePart = (part: string): Op[][] =>
    part.split('|').map((ops) => {
      const words = ops.split(' ').filter((word) => word !== '');
      for (const word of words) {
        if (!WORD.test(word)) {
          throw new SyntaxError(
            `Its words are like a:0, -a, +a, *a, ^, ~0, !0 and a full stop, not like ${word}.`,
          );
        }
        if (word[0] === '~') victim = Number(word.slice(1));
      }
      return words.filter((word) => word[0] !== '~').map(parseOp);
    });
  const parts = text.split(';');
  const before = parts.length > 1 ? parsePart(parts[0]) : [];
  const workers = parsePart(parts[parts.length - 1]);
  const recovered = (part: readonly (readonly Op[])[]): number[] =>
    part.flat().flatMap(({ kind, argument }) => (kind === RECOVER ? [argument] : []));
  const gone = recovered(before);
  const dead = [...new Set(recovered(workers))].filter((w) => w !== victim && !gone.includes(w));
  for (const w of [...dead, ...gone]) {
    if (w >= workers.length || workers[w].length > 0)
      throw new SyntaxError(`Worker ${w} is recovered, but neither killed nor dead from the start.`);
  }
  const late = workers
    .flat()
    .flatMap(({ kind, block, argument }) => (kind === ADOPT && argument === 1 ? [block] : []));
  return { text, before, workers, names, frees, victim, dead, late };
}

/** Whether a worker attaches itself, rather than being attached from the start. */
export function attachesLater({ before, workers }: Program, worker: number): boolean {
  return (before[worker]?.[0] ?? workers[worker]?.[0])?.kind === ATTACH;
}

export interface Family {
  readonly workers: number;
  /** Operations of each worker. */
  readonly operations: number;
  readonly orders: readonly number[];
  /** The part before the `;`. Any worker may free its blocks. */
  readonly before?: string;
  /** Worker 0 is killed, and the others may recover it, among other things. */
  readonly killed?: boolean;
  /** Each worker detaches itself at the end. */
  readonly detaching?: boolean;
}

/**
 * All programs of a family in which each block is freed at most once and no worker waits forever. Of programs that
 * differ only in the order of the workers there is one, if no part comes before and no worker is killed.
 */
export function* programsOf({
  workers,
  operations,
  orders,
  before = '',
  killed = false,
  detaching = false,
}: Family): Generator<Program> {
  const total = workers * operations;
  const given = parseProgram(`${before};`).names;
  const words: string[] = [];
  const seen = new Set<string>();
  const ownAllocs = 'abcdefghijklmnopqrstuvwxyz';

  function* fill(position: number): Generator<Program> {
    if (position === total) {
      const lines = Array.from({ length: workers }, (_, w) =>
        words.slice(w * operations, (w + 1) * operations),
      );
      if (!canEnd(lines, given)) return;
      if (before === '' && !killed) {
        const key = canonical(lines);
        if (seen.has(key)) return;
        seen.add(key);
      }
      const text = lines.map((line) => [...line, ...(detaching ? ['.'] : [])].join(' ')).join(' | ');
      yield parseProgram(`${before === '' ? '' : `${before} ; `}${killed ? '~0 ' : ''}${text}`);
      return;
    }
    for (const order of orders) {
      words[position] = `${ownAllocs[position]}:${order}`;
      yield* fill(position + 1);
    }
    for (const name of [...given, ...ownAllocs.slice(0, total)]) {
      const word = `-${name}`;
      if (words.indexOf(word) >= 0 && words.indexOf(word) < position) continue;
      words[position] = word;
      yield* fill(position + 1);
    }
    if (killed && position >= operations) {
      words[position] = '!0';
      yield* fill(position + 1);
    }
    words.length = position;
  }
  yield* fill(0);
}

/** Whether the program can run to its end: every block that is freed is allocated before. */
function canEnd(lines: readonly (readonly string[])[], given: readonly string[]): boolean {
  const have = new Set(given);
  const next = lines.map(() => 0);
  for (let moved = true; moved; ) {
    moved = false;
    lines.forEach((line, w) => {
      while (next[w] < line.length) {
        const word = line[next[w]];
        if (word[0] === '-' && !have.has(word.slice(1))) break;
        if (word[1] === ':') have.add(word[0]);
        next[w]++;
        moved = true;
      }
    });
  }
  return lines.every((line, w) => next[w] === line.length);
}

/** A text that is the same for programs that differ only in the order of the workers. */
function canonical(lines: readonly (readonly string[])[]): string {
  const texts = permutations(lines.map((_, w) => w)).map((ordering) => {
    const allocs = ordering.flatMap((w) => lines[w]).filter((word) => word[0] !== '-');
    const number = (name: string): number => allocs.findIndex((word) => word[0] === name);
    const rename = (word: string): string =>
      word[0] === '-' ? `-${number(word[1])}` : `${number(word[0])}${word.slice(1)}`;
    return ordering.map((w) => lines[w].map(rename).join(' ')).join('|');
  });
  return texts.sort()[0];
}

function permutations(items: readonly number[]): number[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((item) =>
    permutations(items.filter((i) => i !== item)).map((rest) => [item, ...rest]),
  );
}
