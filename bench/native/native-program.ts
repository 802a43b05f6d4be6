// The buddy allocators written in C: compiles one where there is a compiler, and replays workloads on it in a child process.

import type { Runner } from '../measure.ts';
import type { Workload } from '../workloads.ts';
import { type Build, compileNative } from './compile.ts';
import { NativeProcess } from './native-process.ts';

/** The name under which the C reference is reported. */
export const NATIVE_NAME = 'reference (C)';

/** Compiles `program`.c with $CC, cc, gcc or clang, the first that is there. */
export function buildNative(program: 'reference' | 'word-tree'): Build {
  return compileNative(program);
}

/** A runner that knows the size of its arena's metadata. */
export interface NativeRunner extends Runner {
  readonly metadataBytes: number;
}

/** A compiled allocator in a child process. The protocol is that of replay.h. */
export class NativeProgram {
  readonly #name: string;
  readonly #process: NativeProcess;

  /**
   * @param name under which it is reported
   * @param file the compiled program
   */
  constructor(name: string, file: string) {
    this.#name = name;
    this.#process = new NativeProcess(name, file);
  }

  /** Hands the workload over; the runner is good until the next call. */
  async runnerFor({ capacity, operations, steadyFrom }: Workload): Promise<NativeRunner> {
    this.#process.tell(`load ${Math.log2(capacity)} ${operations.length} ${steadyFrom}\n`);
    const loaded = await this.#process.ask(
      new Uint8Array(operations.buffer, operations.byteOffset, operations.byteLength),
    );
    return {
      name: this.#name,
      placesAsReference: true,
      metadataBytes: Number(loaded),
      replay: async () => {
        const [createNs, replayNs, failures, hash, cpuNs] = (await this.#process.ask('replay\n'))
          .split(' ')
          .map(Number);
        return { createNs, replayNs, failures, hash, cpuNs };
      },
    };
  }

  /** Ends the child process. */
  close(): void {
    this.#process.close();
  }
}
