// The options of a shared heap, and the handle that is posted to the workers that attach to it.

import type { HeapHandle, WasmMemory } from '../heap/memory.ts';
import type { Recovered } from '../shared/recover.ts';

/** Memory that a shared heap can lie in: a SharedArrayBuffer, growable or not, or a shared WebAssembly.Memory. */
export type SharedHeapMemory = SharedArrayBuffer | WasmMemory;

/** The options of a {@link SharedHeap}. All numbers but `maxWorkers` are bytes. */
export interface SharedHeapOptions {
  /** The memory to manage. Either this or `size` must be given. */
  readonly memory?: SharedHeapMemory;
  /** Makes a SharedArrayBuffer of that many bytes, growable up to `maximum` if that is given. */
  readonly size?: number;
  /** First byte that the heap may use; 0 unless given. For a WebAssembly module it is the value of `__heap_base`. */
  readonly start?: number;
  /**
   * The heap uses no byte from this one on, however large the memory is or grows. Unless given, it is what the buffer
   * allows; a WebAssembly.Memory does not tell, so it must be given for one. The state is as large as a heap of that
   * size takes.
   */
  readonly maximum?: number;
  /** The least block, and what every pointer is a multiple of: a power of two from 8 to 65536; 16 unless given. */
  readonly unit?: number;
  /** Workers that can be attached at once, 1 to 252; 32 unless given. Each takes 132 to 260 bytes of the state. */
  readonly maxWorkers?: number;
  /**
   * Whether to note the owner of each block, so that {@link SharedHeap.recover} can take back the blocks of a dead
   * worker. It takes a byte per unit. The bytes of the units in slabs are written when a slab is made.
   */
  readonly trackOwners?: boolean;
  /**
   * Whether the size that was asked for is kept for each block, for {@link SharedHeap.lengthOf}. It takes 2 bytes per
   * unit, and the unit may be 32768 at most.
   */
  readonly keepSizes?: boolean;
}

/** The blocks that {@link SharedHeap.recover} has taken back: as {@link Recovered}, but heaps count in bytes. */
export interface SharedHeapRecovered extends Omit<Recovered, 'units'> {
  /** Bytes of the {@link blocks}, rounding up included. */
  readonly bytes: number;
}

/** Where a shared heap lies. It can be posted to a worker, and {@link SharedHeap.attach} takes it. */
export type SharedHeapHandle = HeapHandle<SharedHeapMemory>;
