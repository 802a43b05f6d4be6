// Loads traces: the bundled ones, and files.

import { readTrace, type Trace, TraceError } from '../../src/trace.ts';

/** The bundled traces, recorded from real programs. */
export const BUNDLED = {
  sqlite: { title: 'sqlite3', url: new URL('../../data/sqlite.tr.gz', import.meta.url).href },
  lua: { title: 'Lua', url: new URL('../../data/lua.tr.gz', import.meta.url).href },
  py: { title: 'Python', url: new URL('../../data/py.tr.gz', import.meta.url).href },
  jq: { title: 'jq', url: new URL('../../data/jq.tr.gz', import.meta.url).href },
  gcc: { title: 'gcc', url: new URL('../../data/gcc.tr.gz', import.meta.url).href },
  git: { title: 'git', url: new URL('../../data/git.tr.gz', import.meta.url).href },
} as const;

export type BundledName = keyof typeof BUNDLED;

export function isBundled(name: string): name is BundledName {
  return Object.hasOwn(BUNDLED, name);
}

/** @throws Error if the trace cannot be loaded; its message is for the user. */
export async function fetchTrace(name: BundledName): Promise<Trace> {
  const { title, url } = BUNDLED[name];
  const response = await fetch(url).catch(() => undefined);
  if (!response?.ok) throw new Error(`The trace of ${title} cannot be loaded from the server.`);
  return readTrace(new Uint8Array(await response.arrayBuffer()));
}

/**
 * Reads a file that was chosen or dropped.
 *
 * @throws Error if the file cannot be opened or is not a trace; its message is for the user, and says what is wrong
 * where.
 */
export async function readFile(file: File): Promise<Trace> {
  const bytes = await file.arrayBuffer().catch(() => undefined);
  if (bytes === undefined) throw new Error(`${file.name} cannot be opened. Is it a folder?`);
  try {
    return await readTrace(new Uint8Array(bytes));
  } catch (error) {
    if (!(error instanceof TraceError)) throw error;
    throw new Error(`${file.name} is not a trace that can be read: ${error.message}.`, { cause: error });
  }
}
