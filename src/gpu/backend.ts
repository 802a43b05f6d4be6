// What a pool needs of a graphics API. All the rest of a pool is the same for every API.

/** The calls that differ from API to API, and the rules of the one usage that all buffers of a pool have. */
export interface Backend<B> {
  /** Every offset is a multiple of these bytes: a power of two, at least 4. */
  readonly alignment: number;
  /** Every size is rounded up to a multiple of these bytes: a power of two, at least 4. */
  readonly granule: number;
  /** Size of the largest buffer, in bytes. */
  readonly maxBufferSize: number;
  /** The limit on the size of a range that shaders see, and its name; null if the usage has no such limit. */
  readonly binding: { readonly limit: string; readonly bytes: number } | null;
  /** Why the device can no longer be used; null while it can. */
  readonly loss: string | null;
  /** A buffer of `size` bytes, all of them 0; null if the API reports at once that it has no memory for it. */
  createBuffer(size: number): B | null;
  destroyBuffer(buffer: B): void;
  /** Throws a RangeError if the usage does not allow writes. */
  checkWritable(): void;
  /** Writes `data` to the bytes from `offset` on, a multiple of 4. Up to 3 bytes behind it may become 0. */
  write(buffer: B, offset: number, data: Uint8Array): void;
  /** A promise that resolves when the GPU has done everything submitted so far. Promises resolve in order. */
  done(): Promise<unknown>;
  /** The pool is destroyed: nothing more is asked for. */
  close(): void;
}
