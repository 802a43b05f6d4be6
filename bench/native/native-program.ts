// The allocators written in C: compiles one where there is a compiler, and replays workloads on it in a child process.

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { Runner } from '../measure.ts';
import type { Workload } from '../workloads.ts';
import { type Build, compile } from './compile.ts';

/** The name under which the C reference is reported. */
export const NATIVE_NAME = 'reference (C)';

/** Compiles `program`.c with $CC, cc, gcc or clang, the first that is there. */
export function buildNative(program: 'reference' | 'word-tree'): Build {
  return compile(`${program}.c`, program, [process.env.CC, 'cc', 'gcc', 'clang'], ['-O3', '-march=native']);
}

/** A runner that knows the size of its arena's metadata. */
export interface NativeRunner extends Runner {
  readonly metadataBytes: number;
}

/** A compiled allocator in a child process that lives until it is closed. The protocol is that of replay.h. */
export class NativeProgram {
  readonly #name: string;
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #answers: AsyncIterator<string>;

  /**
   * @param name under which it is reported
   * @param file the compiled program
   */
  constructor(name: string, file: string) {
    this.#name = name;
    this.#child = spawn(file, [], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** Hands the workload over; the runner is good until the next call. */
  async runnerFor({ capacity, operations, steadyFrom }: Workload): Promise<NativeRunner> {
    this.#child.stdin.write(`load ${Math.log2(capacity)} ${operations.length} ${steadyFrom}\n`);
    const loaded = await this.#ask(
      new Uint8Array(operations.buffer, operations.byteOffset, operations.byteLength),
    );
    return {
      name: this.#name,
      placesAsReference: true,
      metadataBytes: Number(loaded),
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
    if (answer.done) throw new Error(`${this.#name} ended early`);
    return answer.value;
  }
}
