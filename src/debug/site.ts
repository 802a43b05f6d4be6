// The place in the program from which a call came.

/** A stack as the runtime captured it. Reading `stack` turns it into text, which few stacks ever need. */
export interface Site {
  readonly stack?: string;
}

/** The stack of the caller of `entry`, which must be running. */
export function captureSite(entry: (...args: never[]) => unknown): Site {
  // Not all runtimes can leave out the frames above `entry`. Where they stay, they say how the block was made.
  if (Error.captureStackTrace === undefined) return new Error();
  const site: Site = {};
  Error.captureStackTrace(site, entry);
  return site;
}

/** The frames of a stack, a line each, without the heading that some runtimes put before them. */
export function framesOf(site: Site): string {
  const frames = (site.stack ?? '').replace(/^Error:? *(?:\n|$)/, '').trimEnd();
  return frames === '' ? '    (the runtime gave no stack)' : frames;
}
