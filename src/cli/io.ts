// The process as the command sees it. `process` itself fits; tests pass one of their own.

/** A stream of text to a terminal, a file or a pipe. */
export interface Output {
  write(text: string): unknown;
  /** Whether it is a terminal. */
  readonly isTTY?: boolean | undefined;
  /** Its width in characters. */
  readonly columns?: number | undefined;
}

/** The command's surroundings. */
export interface Io {
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly stdout: Output;
  readonly stderr: Output & NodeJS.WritableStream;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Whether standard output takes colours: if it is a terminal, and https://no-color.org does not say otherwise. */
export function hasColors(io: Io): boolean {
  return io.stdout.isTTY === true && !io.env.NO_COLOR && io.env.TERM !== 'dumb';
}

/** The width of standard output in characters, 80 if it is not known. Terminals that do not know theirs say 0. */
export function widthOf(io: Io): number {
  return io.stdout.columns || 80;
}
