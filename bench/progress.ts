// One line on stderr that says how far the work is, where there is a terminal to see it.

/** Replaces the line by `text`; an empty text removes it. Does nothing when stderr is no terminal. */
export function showProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}
