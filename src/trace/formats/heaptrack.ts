// The data of heaptrack, unpacked: raw, with the addresses of the blocks, or interpreted, without them.

import { TraceError } from '../error.ts';
import type { Trace } from '../trace.ts';
import { excerpt, linesOf, type TextLine, unended } from './lines.ts';
import { addressOf, Recording } from './recording.ts';

/** The first line: the versions of heaptrack and of its format, in hexadecimal digits as all numbers. */
const VERSION = /^v [0-9a-f]+ [0-9a-f]+$/m;

/** Raw: the size, the place in the program, the address. */
const RAW = /^\+ ([0-9a-f]{1,16}) [0-9a-f]+ 0*([0-9a-f]{1,16})$/;

/** Interpreted: the size and the place of a kind of blocks. The kinds are numbered from 0. */
const KIND = /^a ([0-9a-f]{1,16}) [0-9a-f]+/;

/** Raw: the address that is freed, or 0. Interpreted: the kind of the block that is allocated or freed. */
const ONE = /^([-+]) 0*([0-9a-f]{1,16})$/;

/** Whether a text that begins so is data of heaptrack. */
export function isHeaptrack(head: string): boolean {
  return head.search(VERSION) === 0;
}

/**
 * Reads such data. Of interpreted data, a free is that of the block of its kind (same size, same place in the
 * program) that was allocated last: the data do not say which it was. O(n) expected.
 *
 * @throws TraceError `LINE`, `SIZE`, `EMPTY` or `TOO_LARGE`.
 */
export function parseHeaptrack(bytes: Uint8Array, strict: boolean): Trace {
  const recording = new Recording(strict);
  const kinds = new Kinds(recording);
  let last = 0;
  for (const line of linesOf(bytes)) {
    const { text, number } = line;
    last = number;
    if (!line.isEnded) {
      // A number that is cut off looks like a whole one.
      if (strict) throw unended(line);
      recording.cutOff();
      break;
    }
    const [, rawSize, rawAddress] = RAW.exec(text) ?? [];
    const [, kindSize] = KIND.exec(text) ?? [];
    const [, sign, digits] = ONE.exec(text) ?? [];
    if (rawSize !== undefined) {
      recording.read({ sign: '+', address: addressOf(rawAddress), size: Number(`0x${rawSize}`) }, number);
    } else if (kindSize !== undefined) kinds.add(Number(`0x${kindSize}`));
    else if (sign !== undefined && kinds.areKnown) {
      if (!kinds.read(sign, Number(`0x${digits}`), number)) throw unreadable(line);
    } else if (sign === '-') {
      if (digits !== '0') recording.read({ sign, address: addressOf(digits), size: 0 }, number);
    } else if (/^[-+]/.test(text)) throw unreadable(line);
  }
  return recording.finish('heaptrack', last);
}

/** The kinds of blocks of interpreted data. Their blocks get addresses that no two live blocks share. */
class Kinds {
  readonly #recording: Recording;
  readonly #sizes: number[] = [];
  /** How many blocks of each kind are live. */
  readonly #live: number[] = [];

  constructor(recording: Recording) {
    this.#recording = recording;
  }

  /** Whether the data are interpreted. */
  get areKnown(): boolean {
    return this.#sizes.length > 0;
  }

  add(size: number): void {
    this.#sizes.push(size);
    this.#live.push(0);
  }

  /** Notes that a block of a kind is allocated or freed. Returns false if there is no such kind, or no such block. */
  read(sign: string, kind: number, line: number): boolean {
    if (!(kind < this.#sizes.length) || (sign === '-' && this.#live[kind] === 0)) return false;
    if (sign === '-') this.#live[kind]--;
    const address = { low: this.#live[kind], high: kind };
    this.#recording.read({ sign: sign as '+' | '-', address, size: this.#sizes[kind] }, line);
    if (sign === '+') this.#live[kind]++;
    return true;
  }
}

/** The error for a line that does not say what it should. */
function unreadable({ text, number }: TextLine): TraceError {
  return new TraceError('LINE', `line ${number}: not a line of heaptrack: ${excerpt(text)}`, number);
}
