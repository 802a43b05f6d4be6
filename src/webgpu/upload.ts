// Writing data of any length to a buffer. WebGPU takes multiples of 4 bytes only.

import { isArrayBuffer, isSharedArrayBuffer } from '../base/buffers.ts';
import type { GpuBuffer, GpuData } from './types.ts';
import { COPY_ALIGNMENT } from './usage.ts';

/** The part of a `GPUQueue` that writes. */
export interface GpuWriter<B extends GpuBuffer> {
  writeBuffer(buffer: B, offset: number, data: GpuData, dataOffset?: number, size?: number): unknown;
}

/** `data`, after a check that it is a buffer or a view and that it has bytes. */
export function checkData(data: GpuData): GpuData {
  if (!ArrayBuffer.isView(data) && !isArrayBuffer(data) && !isSharedArrayBuffer(data)) {
    throw new TypeError('data must be an ArrayBuffer, a SharedArrayBuffer or a view of one');
  }
  if (data.byteLength === 0) throw new RangeError('data must have at least one byte');
  return data;
}

/**
 * Writes `data` to `buffer` at `offset`, and zeros up to the next multiple of 4 bytes. Data of an odd length takes two
 * writes, so that only its last bytes are copied here. The queue copies the data before the call returns.
 */
export function writePadded<B extends GpuBuffer>(
  queue: GpuWriter<B>,
  buffer: B,
  offset: number,
  data: GpuData,
): void {
  const rest = data.byteLength % COPY_ALIGNMENT;
  if (rest === 0) {
    queue.writeBuffer(buffer, offset, data);
    return;
  }
  const isView = ArrayBuffer.isView(data);
  const bytes = isView ? data.buffer : data;
  const start = isView ? data.byteOffset : 0;
  const whole = data.byteLength - rest;
  const last = new Uint8Array(COPY_ALIGNMENT);
  last.set(new Uint8Array(bytes, start + whole, rest));
  if (whole > 0) queue.writeBuffer(buffer, offset, bytes, start, whole);
  queue.writeBuffer(buffer, offset + whole, last);
}
