// Native allocators: one C program that replays on its malloc, run with one preloaded allocator after the other.

import type { Runner } from '../measure.ts';
import { compileNative, describe } from '../native/compile.ts';
import { NativeProcess } from '../native/native-process.ts';
import type { HeapWorkload } from './workloads.ts';

/** By the name that the program reports: the variables that load an allocator, and have it keep the memory that it has mapped. */
const ALLOCATORS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  glibc: { MALLOC_TRIM_THRESHOLD_: '4294967295', MALLOC_MMAP_MAX_: '0' },
  jemalloc: {
    LD_PRELOAD: 'libjemalloc.so.2',
    MALLOC_CONF: 'dirty_decay_ms:-1,muzzy_decay_ms:-1',
  },
  mimalloc: { LD_PRELOAD: 'libmimalloc.so.2', MIMALLOC_ALLOW_DECOMMIT: '0', MIMALLOC_PURGE_DELAY: '-1' },
};

/** How they are reported. */
export const NATIVE_NAMES: readonly string[] = Object.keys(ALLOCATORS).map((name) => `${name} (native)`);

/** One allocator in its process. */
export class NativeHeap {
  readonly #name: string;
  readonly #process: NativeProcess;

  constructor(name: string, process: NativeProcess) {
    this.#name = name;
    this.#process = process;
  }

  /** Hands a workload over; the runner is good until the next call. */
  async runnerFor({ operations, leftovers }: HeapWorkload, resizing: boolean): Promise<Runner> {
    this.#process.tell(`load ${operations.length} ${leftovers.length}\n`);
    this.#process.tell(bytesOf(operations));
    await this.#process.ask(bytesOf(leftovers));
    return {
      name: this.#name,
      placesAsReference: false,
      replay: async () => {
        const answer = await this.#process.ask(resizing ? 'resize\n' : 'replay\n');
        const [replayNs, failures] = answer.split(' ').map(Number);
        return { replayNs, createNs: 0, failures, hash: 0 };
      },
    };
  }

  close(): void {
    this.#process.close();
  }
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Int32Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** The native allocators that there are on this machine, and in words the program that runs them and what is missing. */
export async function startNative(
  names: readonly string[],
): Promise<{ readonly heaps: readonly NativeHeap[]; readonly description: string }> {
  const heaps: NativeHeap[] = [];
  if (names.length === 0) return { heaps, description: 'left out' };
  const built = compileNative('malloc-replay');
  const notes = [describe(built)];
  for (const [allocator, variables] of Object.entries(ALLOCATORS)) {
    const name = `${allocator} (native)`;
    if (built.file === undefined || !names.includes(name)) continue;
    const process = new NativeProcess(name, built.file, variables);
    if ((await process.ask('name\n')) === allocator) {
      heaps.push(new NativeHeap(name, process));
    } else {
      process.close();
      notes.push(`${name} left out, no ${variables.LD_PRELOAD ?? 'glibc'}`);
    }
  }
  return { heaps, description: notes.join('; ') };
}
