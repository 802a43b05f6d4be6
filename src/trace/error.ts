// What is wrong with a trace that cannot be read, as a value a program can test for.

/**
 * Why a {@link TraceError} was thrown. The strings are stable: programs may compare them.
 *
 * - `EMPTY`: the file holds no operation at all.
 * - `GZIP`: the file is gzip but damaged or cut short.
 * - `TOO_LARGE`: the trace, unpacked, is larger than 2 GiB.
 * - `LENGTH`: an int32 trace whose length is no multiple of 4 bytes.
 * - `UNKNOWN_ID`: an int32 entry frees an id that no earlier entry allocated.
 * - `DOUBLE_FREE`: an int32 entry frees an id that an earlier entry freed.
 * - `LINE`: a line that is not one of mtrace's.
 * - `SIZE`: an mtrace line with a size above 2^31 - 1 bytes.
 * - `REALLOC`: one of the two mtrace lines of a realloc (`<` then `>`) without the other.
 */
export type TraceErrorCode =
  | 'EMPTY'
  | 'GZIP'
  | 'TOO_LARGE'
  | 'LENGTH'
  | 'UNKNOWN_ID'
  | 'DOUBLE_FREE'
  | 'LINE'
  | 'SIZE'
  | 'REALLOC';

/** A trace that cannot be read. Nothing of it is kept: a trace is read whole or not at all. */
export class TraceError extends Error {
  /** What is wrong, as a stable string. */
  readonly code: TraceErrorCode;
  /**
   * Where: the line of an mtrace text, counted from 1, or the entry of an int32 trace, counted from 0 as its
   * ids are. Undefined when the whole file is at fault.
   */
  readonly at: number | undefined;

  constructor(code: TraceErrorCode, message: string, at?: number) {
    super(message);
    this.name = 'TraceError';
    this.code = code;
    this.at = at;
  }
}
