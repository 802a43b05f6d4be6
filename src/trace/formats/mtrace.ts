// The mtrace format: the text that mtrace() of the GNU C library writes, one line per operation. Blocks are known
// by their addresses.

import { TraceError } from '../error.ts';
import type { Trace } from '../trace.ts';

/**
 * A line other than `= Start` and `= End`: an optional caller (its path may have spaces), a sign, an address and,
 * for some signs, a size. A failed request has the address (nil).
 */
const LINE = /^(?:@ .+ )?([-+<>!]) (0x[0-9a-f]+|\(nil\))(?: (0x[0-9a-f]+|0))?$/;

/** Longer than any line of mtrace. A file without line ends must not be decoded as one line. */
const MAX_LINE_BYTES = 1 << 14;

const MAX_SIZE = 2 ** 31 - 1;

/**
 * Reads unpacked mtrace text. O(n).
 *
 * @throws TraceError `LINE`, `SIZE` or `REALLOC`, which name the line; or `EMPTY`.
 */
export function parseMtrace(bytes: Uint8Array): Trace {
  const recording = new Recording();
  const decoder = new TextDecoder();
  let line = 0;
  for (let start = 0; start < bytes.length; ) {
    line++;
    const feed = bytes.indexOf(10, start);
    const end = feed < 0 ? bytes.length : feed;
    const text = decoder.decode(bytes.subarray(start, Math.min(end, start + MAX_LINE_BYTES))).trimEnd();
    if (end - start > MAX_LINE_BYTES) throw unreadable(text, line);
    recording.read(text, line);
    start = end + 1;
  }
  return recording.finish(line);
}

/** The recorded heap after the lines read so far. */
class Recording {
  #ops = new Int32Array(1024);
  #length = 0;
  #allocations = 0;
  #skippedFrees = 0;
  #impliedFrees = 0;
  #refusedRequests = 0;
  /** Ids of the live blocks, by address. */
  readonly #live = new Map<number | string, number>();
  /** The old address of a realloc whose second line is still to come. */
  #moving: number | string | undefined;

  /** Reads line number `line`, counted from 1. */
  read(text: string, line: number): void {
    const [, sign, address, size] = LINE.exec(text) ?? [];
    if (this.#moving !== undefined && sign !== '>') throw unfinished(line);
    if (text === '' || text === '= Start' || text === '= End') return;
    const wantsSize = sign === '+' || sign === '>' || sign === '!';
    if (sign === undefined || wantsSize !== (size !== undefined)) throw unreadable(text, line);
    // A failed realloc leaves its block as it was; a failed malloc makes no block.
    if (sign === '!' || (sign === '+' && address === '(nil)')) {
      this.#refusedRequests++;
      return;
    }
    if (address === '(nil)') throw unreadable(text, line);
    const key = keyOf(address);
    if (sign === '+') this.#allocate(key, sizeOf(size, line));
    else if (sign === '-') this.#free(key);
    else if (sign === '<') this.#moving = key;
    else this.#reallocate(key, sizeOf(size, line), line);
  }

  /** The trace, after the last line. */
  finish(lastLine: number): Trace {
    if (this.#moving !== undefined) throw unfinished(lastLine + 1);
    if (this.#length === 0) throw new TraceError('EMPTY', 'the trace has no operations');
    return {
      format: 'mtrace',
      ops: this.#ops.slice(0, this.#length),
      allocations: this.#allocations,
      frees: this.#length - this.#allocations,
      skippedFrees: this.#skippedFrees,
      impliedFrees: this.#impliedFrees,
      refusedRequests: this.#refusedRequests,
    };
  }

  /** Allocates a block at `address`. A live block there was freed before, though the recording does not say so. */
  #allocate(address: number | string, size: number): void {
    const stale = this.#live.get(address);
    if (stale !== undefined) {
      this.#impliedFrees++;
      this.#push(~stale);
    }
    this.#live.set(address, this.#allocations++);
    this.#push(size);
  }

  /** Frees the block at `address`; counts the free as skipped if there is none. */
  #free(address: number | string): void {
    const id = this.#live.get(address);
    if (id === undefined) {
      this.#skippedFrees++;
      return;
    }
    this.#live.delete(address);
    this.#push(~id);
  }

  /**
   * Ends a realloc with its new block. A realloc that moves holds both blocks while it copies; one that stays needs
   * the room of the old block for the new one.
   */
  #reallocate(address: number | string, size: number, line: number): void {
    const old = this.#moving;
    if (old === undefined) {
      throw new TraceError(
        'REALLOC',
        `line ${line}: the result of a realloc (>) without the line before it (<)`,
        line,
      );
    }
    this.#moving = undefined;
    if (old === address) this.#free(old);
    this.#allocate(address, size);
    if (old !== address) this.#free(old);
  }

  /** Adds an operation. Amortised O(1). */
  #push(op: number): void {
    if (this.#length === this.#ops.length) {
      const larger = new Int32Array(this.#length * 2);
      larger.set(this.#ops);
      this.#ops = larger;
    }
    this.#ops[this.#length++] = op;
  }
}

/**
 * The key of an address: a number if it is exact, as for the 47 bits of usual user space; the text for tagged
 * pointers.
 */
function keyOf(address: string): number | string {
  const value = Number(address);
  return Number.isSafeInteger(value) ? value : address;
}

/** The size that `text` gives. */
function sizeOf(text: string, line: number): number {
  const size = Number(text);
  if (size > MAX_SIZE)
    throw new TraceError('SIZE', `line ${line}: ${text} bytes are more than 2^31 - 1`, line);
  return size;
}

/** The error for a line that is not a line of mtrace. */
function unreadable(text: string, line: number): TraceError {
  const excerpt = JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
  return new TraceError(
    'LINE',
    `line ${line}: not a line of mtrace: ${excerpt.replace(/\p{Cc}/gu, escaped)}`,
    line,
  );
}

/** The escape of a control character that JSON leaves as it is and a terminal would obey. */
function escaped(control: string): string {
  return `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** The error for a realloc whose second line does not follow its first. */
function unfinished(line: number): TraceError {
  return new TraceError(
    'REALLOC',
    `line ${line}: the result of the realloc on the line before is missing`,
    line,
  );
}
