// The error that an unreadable trace causes, with a code that a program can test for.

/**
 * Why a {@link TraceError} was thrown. The strings are stable: programs may compare them.
 *
 * - `EMPTY`: the file has no operations.
 * - `FORMAT`: the file is not a trace, but something else, which the message names if it is known.
 * - `GZIP`: the file is gzip, but damaged or cut short.
 * - `TOO_LARGE`: the trace has more than 2 GiB, packed or unpacked, or more than there is memory for.
 * - `LENGTH`: the length of an int32 trace is not a multiple of 4 bytes, or not what its header says.
 * - `VERSION`: the header of an int32 trace says that a later version of this package wrote it.
 * - `UNKNOWN_ID`: an int32 entry frees an id that no earlier entry allocated.
 * - `DOUBLE_FREE`: an int32 entry frees an id that an earlier entry freed.
 * - `LINE`: a line is not a line of the format.
 * - `SIZE`: a line has a size above 2^31 - 1 bytes. Only if {@link ReadOptions.strict} is set.
 * - `REALLOC`: one of the two mtrace lines of a realloc (`<`, then `>`) lacks the other.
 */
export type TraceErrorCode =
  | 'EMPTY'
  | 'FORMAT'
  | 'GZIP'
  | 'TOO_LARGE'
  | 'LENGTH'
  | 'VERSION'
  | 'UNKNOWN_ID'
  | 'DOUBLE_FREE'
  | 'LINE'
  | 'SIZE'
  | 'REALLOC';

/** A trace that cannot be read. */
export class TraceError extends Error {
  /** What is wrong, as a stable string. */
  readonly code: TraceErrorCode;
  /**
   * Where it is wrong: the line of a text, counted from 1, or the entry of an int32 trace, counted from 0
   * like its ids. Undefined if the whole file is at fault.
   */
  readonly at: number | undefined;

  constructor(code: TraceErrorCode, message: string, at?: number) {
    super(message);
    this.name = 'TraceError';
    this.code = code;
    this.at = at;
  }
}
