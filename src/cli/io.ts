// What the command needs of the process that runs it. `process` itself fits; tests bring their own.

/** A stream of text to a terminal, a file or a pipe. */
export interface Output {
  write(text: string): unknown;
  /** Set when it is a terminal. */
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

/** May colours be written to standard output? A terminal takes them, unless https://no-color.org says otherwise. */
export function hasColors(io: Io): boolean {
  return io.stdout.isTTY === true && !io.env.NO_COLOR && io.env.TERM !== 'dumb';
}

/** The width of standard output in characters. Terminals that do not know theirs say 0. */
export function widthOf(io: Io): number {
  return io.stdout.columns || 80;
}
