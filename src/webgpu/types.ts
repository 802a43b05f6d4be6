// The parts of WebGPU that the pool uses, as structural types: GPUDevice, GPUBuffer and GPUCommandEncoder are
// assignable to them, whichever library declares those. So the published types do not depend on WebGPU types.

/** Data to write: a buffer, or a view, whose bytes are written as they are, whatever its elements. */
export type GpuData = ArrayBuffer | SharedArrayBuffer | ArrayBufferView;

/** The part of a `GPUBuffer` that the pool uses. */
export interface GpuBuffer {
  destroy(): void;
}

/** The part of a `GPUDevice` that the pool uses. Its buffers are of type `B`. */
export interface GpuDevice<B extends GpuBuffer> {
  readonly limits: {
    readonly maxBufferSize: number;
    readonly maxUniformBufferBindingSize: number;
    readonly maxStorageBufferBindingSize: number;
    readonly minUniformBufferOffsetAlignment: number;
    readonly minStorageBufferOffsetAlignment: number;
  };
  readonly lost: Promise<{ readonly message: string }>;
  readonly queue: {
    onSubmittedWorkDone(): Promise<unknown>;
    writeBuffer(buffer: B, offset: number, data: GpuData, dataOffset?: number, size?: number): unknown;
  };
  createBuffer(descriptor: { size: number; usage: number; label?: string }): B;
}

/** The part of a `GPUCommandEncoder` that the pool uses. */
export interface GpuEncoder<B extends GpuBuffer> {
  copyBufferToBuffer(
    source: B,
    sourceOffset: number,
    destination: B,
    destinationOffset: number,
    size: number,
  ): void;
}
