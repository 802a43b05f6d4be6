// Compiles the C reference where there is a compiler, and replays workloads on it in a child process.

import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Runner } from '../measure.ts';
import type { Workload } from '../workloads.ts';

const SOURCE = fileURLToPath(new URL('reference.c', import.meta.url));
const BUILD = fileURLToPath(new URL('../.build/', import.meta.url));
const BINARY = fileURLToPath(new URL('../.build/reference', import.meta.url));
const FLAGS = ['-O3', '-march=native'];

/** The name under which the C reference is reported. */
export const NATIVE_NAME = 'reference (C)';

/** A compiled reference, or why there is none. */
export type NativeBuild =
  | { readonly binary: string; readonly compiler: string }
  | { readonly binary?: undefined; readonly missing: string };

/** Compiles the reference with $CC, cc, gcc or clang, the first that is there. */
export function buildNative(): NativeBuild {
  for (const command of [process.env.CC, 'cc', 'gcc', 'clang']) {
    if (!command) continue;
    const version = spawnSync(command, ['--version'], { encoding: 'utf8' });
    if (version.status !== 0) continue;
    mkdirSync(BUILD, { recursive: true });
    const compiled = spawnSync(command, [...FLAGS, '-o', BINARY, SOURCE], { encoding: 'utf8' });
    if (compiled.status !== 0) return { missing: `${command} failed: ${compiled.stderr.trim()}` };
    return { binary: BINARY, compiler: [version.stdout.split('\n')[0], ...FLAGS].join(' ') };
  }
  return { missing: 'no C compiler found' };
}

/** The C reference in a child process that lives until it is closed. */
export class NativeReference {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #answers: AsyncIterator<string>;

  constructor(binary: string) {
    this.#child = spawn(binary, [], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** Hands the workload over; the runner is good until the next call. */
  async runnerFor({ capacity, operations, steadyFrom }: Workload): Promise<Runner> {
    this.#child.stdin.write(`load ${Math.log2(capacity)} ${operations.length} ${steadyFrom}\n`);
    await this.#ask(new Uint8Array(operations.buffer, operations.byteOffset, operations.byteLength));
    return {
      name: NATIVE_NAME,
      placesAsReference: true,
      replay: async () => {
        const [createNs, replayNs, failures, hash] = (await this.#ask('replay\n')).split(' ').map(Number);
        return { createNs, replayNs, failures, hash };
      },
    };
  }

  /** Ends the child process. */
  close(): void {
    this.#child.stdin.end();
  }

  async #ask(request: string | Uint8Array): Promise<string> {
    this.#child.stdin.write(request);
    const answer = await this.#answers.next();
    if (answer.done) throw new Error('the C reference ended early');
    return answer.value;
  }
}
