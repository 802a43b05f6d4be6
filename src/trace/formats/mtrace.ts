// The text that glibc's mtrace() writes: one line an operation, blocks named by their addresses.

import { TraceError } from '../error.ts';
import type { Trace } from '../trace.ts';

// What every line but `= Start` and `= End` is: an optional caller (its path may hold spaces), a sign, an address and, where the
// operation has one, a size. A failed request has the address (nil).
const LINE = /^(?:@ .+ )?([-+<>!]) (0x[0-9a-f]+|\(nil\))(?: (0x[0-9a-f]+|0))?$/;

// No line of mtrace comes near it; a file without line ends must not be decoded as one line.
const MAX_LINE_BYTES = 1 << 14;

const MAX_SIZE = 2 ** 31 - 1;

/** Reads mtrace text that is not compressed. */
export function parseMtrace(bytes: Uint8Array): Trace {
  const recording = new Recording();
  const decoder = new TextDecoder();
  let at = 0;
  for (let start = 0; start < bytes.length; ) {
    at++;
    const feed = bytes.indexOf(10, start);
    const end = feed < 0 ? bytes.length : feed;
    const line = decoder.decode(bytes.subarray(start, Math.min(end, start + MAX_LINE_BYTES))).trimEnd();
    if (end - start > MAX_LINE_BYTES) throw unreadable(line, at);
    recording.read(line, at);
    start = end + 1;
  }
  return recording.finish(at);
}

/** The heap as the lines read so far describe it. */
class Recording {
  #ops = new Int32Array(1024);
  #length = 0;
  #allocations = 0;
  #skippedFrees = 0;
  #impliedFrees = 0;
  #refusedRequests = 0;
  /** Ids of the live blocks by address. */
  readonly #live = new Map<number | string, number>();
  /** The old address of a realloc whose second line has not come yet. */
  #moving: number | string | undefined;

  read(line: string, at: number): void {
    const [, sign, address, size] = LINE.exec(line) ?? [];
    if (this.#moving !== undefined && sign !== '>') throw unfinished(at);
    if (line === '' || line === '= Start' || line === '= End') return;
    const wantsSize = sign === '+' || sign === '>' || sign === '!';
    if (sign === undefined || wantsSize !== (size !== undefined)) throw unreadable(line, at);
    // A failed realloc leaves its block alone; a failed malloc made none.
    if (sign === '!' || (sign === '+' && address === '(nil)')) {
      this.#refusedRequests++;
      return;
    }
    if (address === '(nil)') throw unreadable(line, at);
    const key = keyOf(address);
    if (sign === '+') this.#allocate(key, sizeOf(size, at));
    else if (sign === '-') this.#free(key);
    else if (sign === '<') this.#moving = key;
    else this.#reallocate(key, sizeOf(size, at), at);
  }

  finish(lastLine: number): Trace {
    if (this.#moving !== undefined) throw unfinished(lastLine + 1);
    if (this.#length === 0) throw new TraceError('EMPTY', 'the trace holds no operation');
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

  #allocate(address: number | string, size: number): void {
    const stale = this.#live.get(address);
    if (stale !== undefined) {
      this.#impliedFrees++;
      this.#push(~stale);
    }
    this.#live.set(address, this.#allocations++);
    this.#push(size);
  }

  #free(address: number | string): void {
    const id = this.#live.get(address);
    if (id === undefined) {
      this.#skippedFrees++;
      return;
    }
    this.#live.delete(address);
    this.#push(~id);
  }

  // A realloc that moves holds both blocks while it copies; one that stays needs the old room for the new block.
  #reallocate(address: number | string, size: number, at: number): void {
    const old = this.#moving;
    if (old === undefined) {
      throw new TraceError(
        'REALLOC',
        `line ${at}: a realloc's result (>) without the line before it (<)`,
        at,
      );
    }
    this.#moving = undefined;
    if (old === address) this.#free(old);
    this.#allocate(address, size);
    if (old !== address) this.#free(old);
  }

  #push(op: number): void {
    if (this.#length === this.#ops.length) {
      const larger = new Int32Array(this.#length * 2);
      larger.set(this.#ops);
      this.#ops = larger;
    }
    this.#ops[this.#length++] = op;
  }
}

// A number where it is exact, which it is for the 47 bits of usual user space; tagged pointers stay strings.
function keyOf(address: string): number | string {
  const value = Number(address);
  return Number.isSafeInteger(value) ? value : address;
}

function sizeOf(text: string, at: number): number {
  const size = Number(text);
  if (size > MAX_SIZE) throw new TraceError('SIZE', `line ${at}: ${text} bytes are more than 2^31 - 1`, at);
  return size;
}

function unreadable(line: string, at: number): TraceError {
  const excerpt = JSON.stringify(line.length > 60 ? `${line.slice(0, 60)}…` : line);
  return new TraceError(
    'LINE',
    `line ${at}: not a line of mtrace: ${excerpt.replace(/\p{Cc}/gu, escaped)}`,
    at,
  );
}

/** The escape of a control character that JSON leaves as it is, and a terminal would obey. */
function escaped(control: string): string {
  return `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function unfinished(at: number): TraceError {
  return new TraceError(
    'REALLOC',
    `line ${at}: the result of the realloc begun on the line before is missing`,
    at,
  );
}
