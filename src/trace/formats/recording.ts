// The heap of a recorded program, from one line of its recording to the next. Blocks are known by their addresses.

import { TraceError } from '../error.ts';
import { int32s } from '../memory.ts';
import type { Trace, TraceFormat } from '../trace.ts';
import { AddressTable, NO_BLOCK } from './addresses.ts';

/** An address: two uint32. */
export interface Address {
  readonly low: number;
  readonly high: number;
}

/** The address that at most 16 hexadecimal digits give. */
export function addressOf(digits: string): Address {
  return { low: Number(`0x${digits.slice(-8)}`), high: Number(`0x0${digits.slice(0, -8)}`) };
}

/** The content of a line. */
export interface Line {
  /** The sign of mtrace; `=` for a line that says nothing of the heap. */
  readonly sign: '+' | '-' | '<' | '>' | '!' | '=';
  /** Undefined if the line has none, or `(nil)`. */
  readonly address: Address | undefined;
  /** Bytes, if the sign is one with a size. */
  readonly size: number;
}

const MAX_SIZE = 2 ** 31 - 1;

/** Stands for the id of a block of more than {@link MAX_SIZE} bytes, which has none. */
const OVERSIZED = 2 ** 31 - 2;

const FIRST_OPERATIONS = 1024;

/** The recorded heap after the lines read so far. */
export class Recording {
  readonly #strict: boolean;
  #ops = int32s(FIRST_OPERATIONS);
  #length = 0;
  #allocations = 0;
  #skippedFrees = 0;
  #impliedFrees = 0;
  #refusedRequests = 0;
  #oversizedRequests = 0;
  #cutOffLines = 0;
  readonly #live = new AddressTable();
  /** The old address of a realloc whose second line is still to come. */
  #moving: Address | undefined;

  /** @param strict whether to refuse what has no entry in a trace, and a realloc cut off at the end. */
  constructor(strict: boolean) {
    this.#strict = strict;
  }

  /**
   * Reads a line, the `line`th counted from 1. O(1) expected, amortised.
   *
   * @throws TraceError `REALLOC` or `SIZE`.
   */
  read({ sign, address, size }: Line, line: number): void {
    if (this.#moving !== undefined && sign !== '>') {
      throw unfinished(line, ' (did a second program write here?)');
    }
    if (sign === '=') return;
    // A failed realloc leaves its block as it was; a failed malloc makes no block.
    if (sign === '!' || address === undefined) this.#refusedRequests++;
    else if (sign === '+') this.#allocate(address, size, line);
    else if (sign === '-') this.#free(address);
    else if (sign === '<') this.#moving = address;
    else this.#reallocate(address, size, line);
  }

  /** Notes that the last line is only a piece of one. */
  cutOff(): void {
    this.#cutOffLines++;
  }

  /**
   * The trace, after the last line, read from a file of `format`. O(n).
   *
   * @throws TraceError `REALLOC` or `EMPTY`.
   */
  finish(format: TraceFormat, lastLine: number): Trace {
    if (this.#moving !== undefined) {
      if (this.#strict) throw unfinished(lastLine + 1, '');
      this.#cutOffLines++;
    }
    if (this.#length === 0) throw new TraceError('EMPTY', 'the trace has no operations');
    return {
      format,
      ops: this.#ops.slice(0, this.#length),
      allocations: this.#allocations,
      frees: this.#length - this.#allocations,
      skippedFrees: this.#skippedFrees,
      impliedFrees: this.#impliedFrees,
      refusedRequests: this.#refusedRequests,
      oversizedRequests: this.#oversizedRequests,
      cutOffLines: this.#cutOffLines,
    };
  }

  /** Allocates a block at `address`. A live block there was freed before, though the recording does not say so. */
  #allocate({ low, high }: Address, size: number, line: number): void {
    const stale = this.#live.get(low, high);
    if (stale !== NO_BLOCK && stale !== OVERSIZED) {
      this.#impliedFrees++;
      this.#push(~stale);
    }
    if (size > MAX_SIZE) {
      if (this.#strict) throw oversized(size, line);
      this.#oversizedRequests++;
      this.#live.set(low, high, OVERSIZED);
    } else {
      this.#live.set(low, high, this.#allocations++);
      this.#push(size);
    }
  }

  /** Frees the block at `address`; counts the free as skipped if there is none. */
  #free({ low, high }: Address): void {
    const id = this.#live.get(low, high);
    if (id === NO_BLOCK) {
      this.#skippedFrees++;
      return;
    }
    this.#live.delete(low, high);
    if (id !== OVERSIZED) this.#push(~id);
  }

  /**
   * Ends a realloc with its new block. A realloc that moves holds both blocks while it copies; one that stays needs
   * the room of the old block for the new one.
   */
  #reallocate(address: Address, size: number, line: number): void {
    const old = this.#moving;
    if (old === undefined) {
      throw new TraceError(
        'REALLOC',
        `line ${line}: the result of a realloc (>) without the line before it (<)`,
        line,
      );
    }
    this.#moving = undefined;
    const stays = old.low === address.low && old.high === address.high;
    if (stays) this.#free(old);
    this.#allocate(address, size, line);
    if (!stays) this.#free(old);
  }

  /** Adds an operation. Amortised O(1). */
  #push(op: number): void {
    if (this.#length === this.#ops.length) {
      const larger = int32s(this.#length * 2);
      larger.set(this.#ops);
      this.#ops = larger;
    }
    this.#ops[this.#length++] = op;
  }
}

/** The error for a size that has no entry in a trace. */
function oversized(size: number, line: number): TraceError {
  return new TraceError('SIZE', `line ${line}: ${size} bytes are more than 2^31 - 1`, line);
}

/** The error for a realloc whose second line does not follow its first. */
function unfinished(line: number, hint: string): TraceError {
  return new TraceError(
    'REALLOC',
    `line ${line}: the result of the realloc on the line before is missing${hint}`,
    line,
  );
}
