// Errors of work on a file: one line with its name.

import { getSystemErrorMap } from 'node:util';

/**
 * Waits for work on a file. Errors get one line: the file, and the reason in the system's words without their code.
 */
export async function naming<T>(file: string, work: Promise<T>): Promise<T> {
  return work.catch((cause: NodeJS.ErrnoException) => {
    const known = cause.errno === undefined ? undefined : getSystemErrorMap().get(cause.errno);
    throw new Error(`${file}: ${known?.[1] ?? cause.message}`, { cause });
  });
}
