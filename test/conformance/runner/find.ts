// Where runtimes are: named by the environment, brought by npm, or on the PATH.

import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The file that the environment variable names; an error when there is none. */
export function named(variable: string): string | null {
  const path = process.env[variable];
  if (path === undefined || path === '') return null;
  if (!existsSync(path)) throw new Error(`${variable} names ${path}, which does not exist`);
  return path;
}

/** The first of `candidates` that exists, as it is or with the ending of a Windows program. */
export function existing(candidates: readonly string[]): string | null {
  return candidates.flatMap((path) => [path, `${path}.exe`]).find((path) => existsSync(path)) ?? null;
}

/** The first of these commands that is on the PATH. */
export function onPath(commands: readonly string[]): string | null {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return existing(commands.flatMap((command) => folders.map((folder) => join(folder, command))));
}
