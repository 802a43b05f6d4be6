// Calls of an allocator's functions, as the logs of valgrind and ltrace have them.

import { addressOf, type Recording } from './recording.ts';

/** A call of a function. */
export interface Call {
  readonly name: string;
  /** The text between its parentheses, or the part of it that the log has. */
  readonly args: string;
  /** What it returned; undefined if the log does not tell. */
  readonly result: string | undefined;
}

/** `operator new` and `new[]` in all their forms. */
const NEW = /^_Zn[wa]/;

const FREE = /^(?:c?free|_Zd[la]\w+)$/;

const RESIZE = /^realloc(?:array)?$/;

/** How many of the numbers that are passed make the size, and which is the first of them. */
const SIZES: Readonly<Record<string, readonly [first: number, count: number]>> = {
  malloc: [0, 1],
  valloc: [0, 1],
  pvalloc: [0, 1],
  calloc: [0, 2],
  memalign: [1, 1],
  aligned_alloc: [1, 1],
  realloc: [1, 1],
  reallocarray: [1, 2],
};

/** Whether a function of this name allocates or frees, in a way that its arguments and its result tell. */
export function isAllocating(name: string): boolean {
  return Object.hasOwn(SIZES, name) || NEW.test(name) || FREE.test(name);
}

/** Whether a function of this name does nothing but free. The block is gone when the call begins. */
export function isFreeing(name: string): boolean {
  return FREE.test(name);
}

/**
 * Notes a call, in the line `line`, of a function for which {@link isAllocating} holds.
 *
 * @throws TraceError `SIZE`, as {@link Recording.read}.
 */
export function recordCall({ name, args, result }: Call, recording: Recording, line: number): void {
  const numbers = args.match(/\b(?:0x[0-9a-f]+|\d+)/gi) ?? [];
  const old = pointer(numbers[0]);
  if (FREE.test(name)) {
    if (old !== undefined) recording.read({ sign: '-', address: old, size: 0 }, line);
    return;
  }
  const [first, count] = SIZES[name] ?? [0, 1];
  const size = numbers.slice(first, first + count).reduce((product, factor) => product * Number(factor), 1);
  const address = pointer(result);
  if (!RESIZE.test(name) || old === undefined) recording.read({ sign: '+', address, size }, line);
  else if (address !== undefined) {
    recording.read({ sign: '<', address: old, size: 0 }, line);
    recording.read({ sign: '>', address, size }, line);
  } else if (size === 0) recording.read({ sign: '-', address: old, size }, line);
  else recording.read({ sign: '!', address: old, size }, line);
}

/** The pointer that a text gives; undefined for the null pointer, or if it gives none. */
function pointer(text: string | undefined): ReturnType<typeof addressOf> | undefined {
  const digits = /^0x0*([1-9a-f][0-9a-f]{0,15})$/i.exec(text ?? '')?.[1];
  return digits === undefined ? undefined : addressOf(digits);
}
