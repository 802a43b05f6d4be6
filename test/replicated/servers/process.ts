// Starting servers for tests: on a free port, in a temporary directory, gone at the end.

import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

/** The path of a program in PATH, or in the folder where Debian has those of PostgreSQL; null if it is not there. */
export function programPath(name: string): string | null {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian)
    ? readdirSync(debian).map((version) => join(debian, version, 'bin'))
    : [];
  const folders = [...versions.sort().reverse(), ...(process.env.PATH ?? '').split(delimiter)];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? null;
}

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
      .on('error', reject)
      .listen(0, '127.0.0.1', () => {
        const { port } = server.address() as { port: number };
        server.close(() => resolve(port));
      });
  });
}

/** Who servers run as: PostgreSQL refuses to be root. */
const user = ((): { uid?: number; gid?: number } => {
  if (process.getuid?.() !== 0) return {};
  const idOf = (flag: string): number =>
    Number(spawnSync('id', [flag, 'nobody'], { encoding: 'utf8' }).stdout);
  return { uid: idOf('-u'), gid: idOf('-g') };
})();

/** A new directory that servers can write to. */
export function serverFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'buddy-server-'));
  if (user.uid !== undefined && user.gid !== undefined) chownSync(folder, user.uid, user.gid);
  return folder;
}

/** Runs a program to its end, as the user of servers; rejects with its output if it fails. */
export async function runToEnd(program: string, ...parameters: string[]): Promise<void> {
  await promisify(execFile)(program, parameters, { cwd: '/', ...user });
}

/** A server process. */
export class ServerProcess {
  readonly #program: string;
  readonly #parameters: readonly string[];
  #child: ChildProcess | null = null;

  constructor(program: string, parameters: readonly string[]) {
    this.#program = program;
    this.#parameters = parameters;
  }

  /**
   * Starts it, and waits until `isUp` does not reject any more. Starts it again if it ends at once: PostgreSQL does while
   * processes of one that was killed are still there.
   */
  async start(isUp: () => Promise<unknown>): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      if (this.#child === null || this.#child.exitCode !== null) {
        this.#child = spawn(this.#program, this.#parameters, { stdio: 'ignore', cwd: '/', ...user });
      }
      try {
        await isUp();
        return;
      } catch (error) {
        if (attempt === 200) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }

  /** The id of the process; -1 if it does not run. */
  get pid(): number {
    return this.#child?.pid ?? -1;
  }

  /** Ends it by a signal, and waits until it is gone. */
  async stop(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    await new Promise((resolve) => {
      child.once('exit', resolve);
      child.kill(signal);
    });
  }
}

/** Deletes a directory of a server. */
export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}
