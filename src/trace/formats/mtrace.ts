// The mtrace format: the text that mtrace() of the GNU C library writes, one line per operation.

import { TraceError } from '../error.ts';
import type { Trace } from '../trace.ts';
import { excerpt, linesOf, unended } from './lines.ts';
import { addressOf, type Line, Recording } from './recording.ts';

/**
 * A line other than `= Start` and `= End`: an optional caller (its path may have spaces), a sign, an address and,
 * for some signs, a size. A failed request has the address (nil).
 */
const LINE = /^(?:@ .+ )?([-+<>!]) (?:0x0*([0-9a-f]{1,16})|\(nil\))(?: (0x[0-9a-f]+|0))?$/;

/** The begin of a line, which is all that there may be of the last one. */
const PIECE = /^[@=+<>!-]/;

/**
 * Reads unpacked mtrace text. O(n) expected.
 *
 * @param strict whether a recording that is cut off at its end, or has sizes above 2^31 - 1 bytes, is refused.
 * @throws TraceError `LINE`, `SIZE` or `REALLOC`, which name the line; `EMPTY`; or `TOO_LARGE`.
 */
export function parseMtrace(bytes: Uint8Array, strict: boolean): Trace {
  const recording = new Recording(strict);
  let last = 0;
  for (const line of linesOf(bytes)) {
    const { text, number, isEnded, isWhole } = line;
    const parsed = isWhole ? parseLine(text) : undefined;
    if (!isEnded && strict) throw unended(line);
    if (parsed !== undefined) recording.read(parsed, number);
    else if (!isEnded && isWhole && number > 1 && PIECE.test(text)) recording.cutOff();
    else throw unreadable(text, number);
    last = number;
  }
  return recording.finish('mtrace', last);
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
  const address = digits === undefined ? undefined : addressOf(digits);
  return { sign: sign as Line['sign'], address, size: Number(size) };
}

/** The error for a line that is not a line of mtrace. */
function unreadable(text: string, line: number): TraceError {
  const hint = line > 1 ? ' (did a second program write here?)' : '';
  return new TraceError('LINE', `line ${line}: not a line of mtrace: ${excerpt(text)}${hint}`, line);
}
