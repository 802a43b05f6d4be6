// The part of the untyped package `malloc` that the benchmarks use.

declare module 'malloc' {
  export default class Allocator {
    constructor(memory: ArrayBuffer);
    /** The address of a block of that many bytes, 0 when there is no room. */
    alloc(bytes: number): number;
    free(address: number): number;
  }
}
