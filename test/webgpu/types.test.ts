// The pool's structural types fit those of the WebGPU standard. The compiler checks it; running the test adds nothing.

/// <reference types="@webgpu/types" />

import { expect, it } from 'vitest';
import { type BufferAllocation, BufferPool } from '../../src/webgpu.ts';

it('GPUDevice, GPUBuffer, GPUCommandEncoder and GPUBufferBinding fit', () => {
  function use(device: GPUDevice, encoder: GPUCommandEncoder): GPUBindGroupEntry[] {
    const pool = new BufferPool(device, { usage: GPUBufferUsage.UNIFORM });
    const allocation: BufferAllocation<GPUBuffer> | null = pool.alloc(4);
    if (allocation === null) return [];
    device.queue.writeBuffer(allocation.buffer, allocation.offset, new Float32Array(1));
    for (const { source, destination } of pool.defragment(encoder)) {
      encoder.copyBufferToBuffer(
        source.buffer,
        source.offset,
        destination.buffer,
        destination.offset,
        source.size,
      );
    }
    // @ts-expect-error: a device's pool takes encoders for that device's buffers
    pool.defragment({ copyBufferToBuffer: (source: number) => source });
    return [{ binding: 0, resource: allocation }];
  }
  expect(use).toBeTypeOf('function');
});
