// The part of `@daneren2005/shared-memory-objects` that the benchmark uses: see peer.mjs.

export class MemoryBuffer {
  constructor(options: { buf: ArrayBufferLike; skipInitialization?: boolean });
  malloc(bytes: number): number;
  free(pointer: number): boolean;
}
