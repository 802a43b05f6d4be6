// The mtrace format: the text that mtrace() of the GNU C library writes, one line per operation.

import { TraceError } from '../error.ts';
import { printable } from '../printable.ts';
import type { Trace } from '../trace.ts';
import { type Line, Recording } from './recording.ts';

/**
 * A line other than `= Start` and `= End`: an optional caller (its path may have spaces), a sign, an address and,
 * for some signs, a size. A failed request has the address (nil).
 */
const LINE = /^(?:@ .+ )?([-+<>!]) (?:0x0*([0-9a-f]{1,16})|\(nil\))(?: (0x[0-9a-f]+|0))?$/;

/** The begin of a line, which is all that there may be of the last one. */
const PIECE = /^[@=+<>!-]/;

/** The begin of a line in a log of calls, as other programs write it. */
const CALL = /\b(?:malloc|calloc|realloc|free)\(/;

/** Longer than any line of mtrace. A file without line ends must not be decoded as one line. */
const MAX_LINE_BYTES = 1 << 14;

const EXCERPT_LENGTH = 40;

/**
 * Reads unpacked mtrace text. O(n) expected.
 *
 * @param strict whether a recording that is cut off at its end, or has sizes above 2^31 - 1 bytes, is refused.
 * @throws TraceError `LINE`, `SIZE` or `REALLOC`, which name the line; `EMPTY`; or `TOO_LARGE`.
 */
export function parseMtrace(bytes: Uint8Array, strict: boolean): Trace {
  const recording = new Recording(strict);
  const decoder = new TextDecoder();
  const firstNul = bytes.indexOf(0);
  let line = 0;
  for (let start = 0; start < bytes.length; ) {
    line++;
    const feed = bytes.indexOf(10, start);
    const end = feed < 0 ? bytes.length : feed;
    const text = decoder.decode(bytes.subarray(start, Math.min(end, start + MAX_LINE_BYTES))).trimEnd();
    if (firstNul >= 0 && firstNul < end) throw holed(line);
    const fits = end - start <= MAX_LINE_BYTES;
    const parsed = fits ? parseLine(text) : undefined;
    if (feed < 0 && strict) throw unended(text, line);
    if (parsed !== undefined) recording.read(parsed, line);
    else if (feed < 0 && fits && line > 1 && PIECE.test(text)) recording.cutOff();
    else throw unreadable(text, line);
    start = end + 1;
  }
  return recording.finish(line);
}

/** The content of a line; undefined if it is not a line of mtrace. */
function parseLine(text: string): Line | undefined {
  if (text === '' || text === '= Start' || text === '= End')
    return { sign: '=', address: undefined, size: 0 };
  const [, sign, digits, size] = LINE.exec(text) ?? [];
  const wantsSize = sign === '+' || sign === '>' || sign === '!';
  if (sign === undefined || wantsSize !== (size !== undefined)) return undefined;
  // Only a request may have failed, or a realloc of nothing.
  if (digits === undefined && sign !== '+' && sign !== '!') return undefined;
  const address =
    digits === undefined
      ? undefined
      : { low: Number(`0x${digits.slice(-8)}`), high: Number(`0x0${digits.slice(0, -8)}`) };
  return { sign: sign as Line['sign'], address, size: Number(size) };
}

/** The error for a line that is not a line of mtrace. */
function unreadable(text: string, line: number): TraceError {
  const hint = CALL.test(text)
    ? ' (a log of calls must be converted)'
    : line > 1
      ? ' (did a second program write here?)'
      : '';
  return new TraceError('LINE', `line ${line}: not a line of mtrace: ${excerpt(text)}${hint}`, line);
}

/** The error for a line with NULs, as a file has them where one program goes on after another has emptied it. */
function holed(line: number): TraceError {
  return new TraceError('LINE', `line ${line}: holds NUL bytes (did a second program write here?)`, line);
}

/** The error for a last line without a line feed. */
function unended(text: string, line: number): TraceError {
  return new TraceError('LINE', `line ${line}: the recording ends within this line: ${excerpt(text)}`, line);
}

/** The first characters of a line, in quotes, harmless to a terminal. */
function excerpt(text: string): string {
  return printable(JSON.stringify(text.length > EXCERPT_LENGTH ? `${text.slice(0, EXCERPT_LENGTH)}…` : text));
}
