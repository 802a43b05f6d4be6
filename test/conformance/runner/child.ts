// A child process with a time limit, that takes what it has started along when it ends.

import { type ChildProcess, spawn } from 'node:child_process';

export interface Child {
  readonly process: ChildProcess;
  /** The end of what it has written, standard output and standard error apart. */
  readonly output: { stdout: string; stderr: string };
  /** Its exit code; null when it was ended by a signal. Rejected when it cannot be started. */
  readonly exit: Promise<number | null>;
  /** Ends it and its descendants, and waits for it. */
  stop(): Promise<void>;
}

export function start(command: string, parameters: readonly string[], folder: string): Child {
  // A group of its own, which a browser's many processes can be ended by.
  const child = spawn(command, parameters, {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: process.platform !== 'win32',
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text;
  });
  const exit = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  exit.catch(() => undefined);
  const stop = async (): Promise<void> => {
    const { pid } = child;
    if (pid !== undefined && child.exitCode === null && child.signalCode === null) {
      if (process.platform === 'win32') child.kill();
      else process.kill(-pid, 'SIGKILL');
    }
    await exit.catch(() => undefined);
  };
  return { process: child, output, exit, stop };
}

/** What `promise` gives, or an error when it has not given it after so many milliseconds. */
export async function within<T>(limit: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no result in ${limit / 1000} s`)), limit);
  });
  return Promise.race([promise, tooLate]).finally(() => clearTimeout(timer));
}
