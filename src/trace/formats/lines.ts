// The lines of a recording that is text.

import { TraceError } from '../error.ts';
import { printable } from '../printable.ts';

/** Longer than any line that says something. A file without line ends must not be decoded as one line. */
const MAX_LINE_BYTES = 1 << 14;

const EXCERPT_LENGTH = 40;

/** A line of a text. */
export interface TextLine {
  /** Its content, without spaces at its end; the first 16,384 bytes of a longer line. */
  readonly text: string;
  /** Counted from 1. */
  readonly number: number;
  /** Whether a line feed ends it, as all but the last. */
  readonly isEnded: boolean;
  /** Whether {@link text} is all of it. */
  readonly isWhole: boolean;
}

/**
 * The lines of a text, one by one. O(n).
 *
 * @throws TraceError `LINE` for a line with NUL bytes.
 */
export function* linesOf(bytes: Uint8Array): Generator<TextLine, void, undefined> {
  const decoder = new TextDecoder();
  const firstNul = bytes.indexOf(0);
  let number = 0;
  for (let start = 0; start < bytes.length; ) {
    number++;
    const feed = bytes.indexOf(10, start);
    const end = feed < 0 ? bytes.length : feed;
    const text = decoder.decode(bytes.subarray(start, Math.min(end, start + MAX_LINE_BYTES))).trimEnd();
    if (firstNul >= 0 && firstNul < end) throw holed(number);
    yield { text, number, isEnded: feed >= 0, isWhole: end - start <= MAX_LINE_BYTES };
    start = end + 1;
  }
}

/** The error for a line with NULs, as a file has them where one program goes on after another has emptied it. */
function holed(line: number): TraceError {
  return new TraceError('LINE', `line ${line}: holds NUL bytes (did a second program write here?)`, line);
}

/** The error for a last line without a line feed. */
export function unended({ text, number }: TextLine): TraceError {
  return new TraceError(
    'LINE',
    `line ${number}: the recording ends within this line: ${excerpt(text)}`,
    number,
  );
}

/** The first characters of a line, in quotes, harmless to a terminal. */
export function excerpt(text: string): string {
  return printable(JSON.stringify(text.length > EXCERPT_LENGTH ? `${text.slice(0, EXCERPT_LENGTH)}…` : text));
}
