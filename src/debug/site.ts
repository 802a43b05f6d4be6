// The place in the program from which a call came.

/**
 * A stack as the runtime captured it. Reading `stack` turns it into text, which few stacks ever need. A program may set
 * `Error.prepareStackTrace` to a function of its own: the stack is then what that returns or throws, mostly an array.
 */
export interface Site {
  readonly stack?: unknown;
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
  const frames = textOf(site)
    .replace(/^Error:? *(?:\n|$)/, '')
    .trimEnd();
  return frames === '' ? '    (the runtime gave no stack)' : frames;
}

function textOf(site: Site): string {
  try {
    const { stack } = site;
    if (typeof stack === 'string') return stack;
    return Array.isArray(stack) ? stack.map((frame) => `    at ${frame}`).join('\n') : '';
  } catch {
    return ''; // whatever the program's own function has thrown
  }
}
