// Reading a trace from bytes. The content tells the formats apart.

import { checkBoolean } from '../../base/arguments.ts';
import { isArrayBuffer } from '../../base/buffers.ts';
import { TraceError } from '../error.ts';
import { withMemory } from '../memory.ts';
import type { Trace, TraceFormat } from '../trace.ts';
import { foreignFile, isTextByte } from './foreign.ts';
import { gunzip, isGzip } from './gzip.ts';
import { parseInt32 } from './int32.ts';
import { parseMtrace } from './mtrace.ts';
import { checkLength } from './parts.ts';
import { isPlausible } from './plausible.ts';

/** Bytes at the start of a file that tell text from integers: two integers of printable bytes are above 2^29. */
const HEAD_BYTES = 8;

/** The formats that {@link readTrace} reads. */
export const TRACE_FORMATS: readonly TraceFormat[] = ['int32', 'mtrace'];

/** How to read a trace. */
export interface ReadOptions {
  /**
   * The format. Without it, the content tells; then data that are neither mtrace text nor a plausible int32 trace are
   * refused. Give `int32` to read whatever integers there are.
   */
  readonly format?: TraceFormat | undefined;
  /**
   * Whether to refuse an mtrace recording that is cut off at its end, or has a size above 2^31 - 1 bytes, instead of
   * leaving these lines out. Default false.
   */
  readonly strict?: boolean | undefined;
}

/**
 * Reads a trace: int32 or the mtrace text of the GNU C library, plain or gzip. The content tells them apart; file
 * names do not matter. The bytes are not changed, and may be changed as soon as this has returned its promise. O(n)
 * expected.
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
  if (format === 'int32') return parseInt32(plain);
  if (format === 'mtrace') return parseMtrace(plain, strict);
  return parseAny(plain, strict);
}

/** Reads a trace of either format, if it is one. */
function parseAny(bytes: Uint8Array, strict: boolean): Trace {
  const foreign = foreignFile(bytes);
  if (foreign !== undefined) throw new TraceError('FORMAT', `not a trace: ${foreign}`);
  if (bytes.subarray(0, HEAD_BYTES).every(isTextByte)) return parseMtrace(bytes, strict);
  const trace = parseInt32(bytes);
  if (isPlausible(trace)) return trace;
  throw new TraceError(
    'FORMAT',
    'not a trace: neither mtrace text, nor integers that look like the operations of a program ' +
      '(to read them nevertheless, name the format int32)',
  );
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
