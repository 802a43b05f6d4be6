// The parts of WebGPU that the pool touches. They are structural, so that the published types need no WebGPU types: a GPUDevice,
// a GPUBuffer and a GPUCommandEncoder, from wherever their types come, are assignable to them.

/** What a `GPUBuffer` has. */
export interface GpuBuffer {
  destroy(): void;
}

/** What a `GPUDevice` has, whose buffers are of type `B`. */
export interface GpuDevice<B extends GpuBuffer> {
  readonly limits: {
    readonly maxBufferSize: number;
    readonly minUniformBufferOffsetAlignment: number;
    readonly minStorageBufferOffsetAlignment: number;
  };
  readonly lost: Promise<{ readonly message: string }>;
  readonly queue: { onSubmittedWorkDone(): Promise<unknown> };
  createBuffer(descriptor: { size: number; usage: number; label?: string }): B;
}

/** What a `GPUCommandEncoder` has. */
export interface GpuEncoder<B extends GpuBuffer> {
  copyBufferToBuffer(
    source: B,
    sourceOffset: number,
    destination: B,
    destinationOffset: number,
    size: number,
  ): void;
}
