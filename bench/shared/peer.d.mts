// The part of `@daneren2005/shared-memory-objects` that the benchmarks use: see peer.mjs.

export class MemoryBuffer {
  constructor(options: { buf: ArrayBufferLike; skipInitialization?: boolean });
  malloc(bytes: number): number;
  free(pointer: number): boolean;
}

/** What the structures ask of one of the buffers of a {@link StructureMemory}. */
export interface StructureBuffer {
  readonly buf: ArrayBufferLike;
  free(pointer: number): unknown;
  /** Number of uint32 in the block at `pointer`. */
  lengthOf(pointer: number): number | undefined;
}

/** What the structures ask of a {@link MemoryHeap}. */
export interface StructureMemory {
  /** A pointer of the structures is the index of a buffer, and the offset of a byte below 2^20 in it. */
  readonly buffers: readonly StructureBuffer[];
  /** `count` uint32, all 0. Throws if there is no room. */
  allocUI32(count: number): AllocatedMemory;
}

/** Where a block is, as something that can be posted. */
export interface SharedAllocatedMemory {
  readonly bufferPosition: number;
  readonly bufferByteOffset: number;
}

export class AllocatedMemory {
  constructor(memory: StructureMemory, block: { data: Uint32Array; buffer: StructureBuffer });
  readonly data: Uint32Array;
}

/** The buffers of a heap, as something that can be posted. */
export interface MemoryHeapMemory {
  readonly buffers: readonly SharedArrayBuffer[];
}

export class MemoryHeap implements StructureMemory {
  constructor(config: { bufferSize: number } | MemoryHeapMemory);
  readonly buffers: readonly StructureBuffer[];
  allocUI32(count: number): AllocatedMemory;
  getSharedMemory(): MemoryHeapMemory;
}

/** Where a structure is, as something that can be posted. */
export interface StructureAddress {
  readonly firstBlock: SharedAllocatedMemory;
}

/** Numbers in the order in which they were inserted. Several workers may insert at once. */
export class SharedList implements Iterable<{ readonly data: Uint32Array }> {
  constructor(memory: StructureMemory, at?: StructureAddress);
  readonly length: number;
  insert(value: number): void;
  deleteIndex(index: number): boolean;
  [Symbol.iterator](): Iterator<{ readonly data: Uint32Array }>;
  getSharedMemory(): StructureAddress;
  free(): void;
}

/** A hash table with numbers as values. It loses memory when its table grows. */
export class SharedMap<Key extends string | number> {
  constructor(memory: StructureMemory, at?: StructureAddress);
  readonly length: number;
  set(key: Key, value: number): void;
  get(key: Key): number | undefined;
  has(key: Key): boolean;
  delete(key: Key): boolean;
  getSharedMemory(): StructureAddress;
  free(): void;
}

/** Numbers in a row, in a block that is replaced by one of twice the size when it is full. */
export class SharedVector implements Iterable<Uint32Array> {
  constructor(memory: StructureMemory, at?: StructureAddress);
  readonly length: number;
  push(value: number): void;
  pop(): Uint32Array;
  [Symbol.iterator](): Iterator<Uint32Array>;
  getSharedMemory(): StructureAddress;
  free(): void;
}
