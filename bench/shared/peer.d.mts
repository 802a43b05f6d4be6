// What the benchmark uses of `@daneren2005/shared-memory-objects`, which publishes sources that do not pass this project's settings.

export class MemoryBuffer {
  constructor(options: { buf: ArrayBufferLike; skipInitialization?: boolean });
  malloc(bytes: number): number;
  free(pointer: number): boolean;
}
