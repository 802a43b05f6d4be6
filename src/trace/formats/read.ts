// Reading a trace from bytes. The content tells the formats apart.

import { checkBoolean } from '../../base/arguments.ts';
import { isArrayBuffer } from '../../base/buffers.ts';
import { TraceError } from '../error.ts';
import { withMemory } from '../memory.ts';
import type { Trace, TraceFormat } from '../trace.ts';
import { foreignFile, isTextByte } from './foreign.ts';
import { gunzip, isGzip } from './gzip.ts';
import { isHeaptrack, parseHeaptrack } from './heaptrack.ts';
import { hasHeader, parseInt32 } from './int32.ts';
import { isLtrace, parseLtrace } from './ltrace.ts';
import { parseMtrace } from './mtrace.ts';
import { checkLength } from './parts.ts';
import { isValgrind, parseValgrind } from './valgrind.ts';

/** Bytes at the start of a file that tell text from anything else. */
const FIRST_BYTES = 8;

/** Bytes at the start of a text that tell what wrote it. */
const HEAD_BYTES = 2 ** 16;

/** The readers of the formats, by their names. `strict` is {@link ReadOptions.strict}. */
const READERS: Readonly<Record<TraceFormat, (bytes: Uint8Array, strict: boolean) => Trace>> = {
  int32: parseInt32,
  mtrace: parseMtrace,
  valgrind: parseValgrind,
  ltrace: parseLtrace,
  heaptrack: parseHeaptrack,
};

/** The formats that {@link readTrace} reads. */
export const TRACE_FORMATS = Object.keys(READERS) as readonly TraceFormat[];

/** How to read a trace. */
export interface ReadOptions {
  /**
   * The format. Without it, the content tells. Give `int32` to read integers without a header, whatever they are.
   */
  readonly format?: TraceFormat | undefined;
  /**
   * Whether to refuse a text that is cut off at its end, or has a size above 2^31 - 1 bytes, instead of leaving these
   * lines out. Default false.
   */
  readonly strict?: boolean | undefined;
}

/**
 * Reads a trace: int32, the mtrace text of the GNU C library, or the log of valgrind, ltrace or heaptrack; plain or
 * gzip. The content tells them apart; file names do not matter. The bytes are not changed, and may be changed as soon
 * as this has returned its promise. O(n) expected.
 *
 * @param bytes a Uint8Array of any realm, on any kind of buffer.
 * @throws TypeError if `bytes` is not a Uint8Array, or an option has the wrong type.
 * @throws RangeError if `options.format` is not a format.
 * @throws TraceError if the trace cannot be read; the message names the line or entry.
 */
export async function readTrace(bytes: Uint8Array, options: ReadOptions = {}): Promise<Trace> {
  if (!isBytes(bytes)) throw new TypeError('readTrace expects a Uint8Array');
  const { format, strict = false } = options;
  if (format !== undefined) checkFormat(format);
  checkBoolean('strict', strict);
  checkLength(bytes.length);
  const own = ownBytes(bytes);
  const plain = isGzip(own) ? await gunzip(own) : own;
  if (plain.length === 0) throw new TraceError('EMPTY', 'the file is empty');
  return READERS[format ?? formatOf(plain)](plain, strict);
}

/**
 * The format that the content of a file shows; mtrace for any other text.
 *
 * @throws TraceError `FORMAT` if it is not a trace.
 */
function formatOf(bytes: Uint8Array): TraceFormat {
  if (hasHeader(bytes)) return 'int32';
  const foreign = foreignFile(bytes);
  if (foreign !== undefined) throw new TraceError('FORMAT', `not a trace: ${foreign}`);
  if (!bytes.subarray(0, FIRST_BYTES).every(isTextByte)) {
    throw new TraceError(
      'FORMAT',
      'not a trace: neither text nor int32 with its header (to read integers without one, name the format int32)',
    );
  }
  const head = new TextDecoder().decode(bytes.subarray(0, HEAD_BYTES));
  if (isHeaptrack(head)) return 'heaptrack';
  if (isValgrind(head)) return 'valgrind';
  return isLtrace(head) ? 'ltrace' : 'mtrace';
}

function checkFormat(format: TraceFormat): void {
  if (typeof format !== 'string') throw new TypeError(`format must be of type string, not ${typeof format}`);
  if (!TRACE_FORMATS.includes(format))
    throw new RangeError(`format must be one of ${TRACE_FORMATS.join(', ')}`);
}

/** Whether `value` is a Uint8Array of any realm: the tag of typed arrays is a getter that no other object passes. */
function isBytes(value: unknown): boolean {
  const typedArray: object = Object.getPrototypeOf(Uint8Array.prototype);
  return ArrayBuffer.isView(value) && Reflect.get(typedArray, Symbol.toStringTag, value) === 'Uint8Array';
}

/**
 * The bytes on a buffer that nobody else cuts or writes to: browsers do not decode or unpack what lies in shared or
 * resizable memory.
 */
function ownBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer } = bytes;
  const isFixed = isArrayBuffer(buffer) && Reflect.get(buffer, 'resizable') !== true;
  return isFixed ? (bytes as Uint8Array<ArrayBuffer>) : withMemory(() => new Uint8Array(bytes));
}
