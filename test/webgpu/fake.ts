// A strict GPU device without a GPU: every validation error of the standard throws here at once. Submitted commands run
// in order. The test decides when the queue reports that they are done.

import type { GpuBuffer, GpuData, GpuDevice, GpuEncoder } from '../../src/webgpu.ts';

export const Usage = {
  MAP_READ: 0x1,
  MAP_WRITE: 0x2,
  COPY_SRC: 0x4,
  COPY_DST: 0x8,
  INDEX: 0x10,
  VERTEX: 0x20,
  UNIFORM: 0x40,
  STORAGE: 0x80,
  INDIRECT: 0x100,
  QUERY_RESOLVE: 0x200,
} as const;

/** A validation error. */
export class FakeGpuError extends Error {}

function validate(holds: boolean, what: string): asserts holds {
  if (!holds) throw new FakeGpuError(what);
}

export class FakeBuffer implements GpuBuffer {
  readonly device: FakeDevice;
  readonly size: number;
  readonly usage: number;
  readonly label: string;
  readonly bytes: Uint8Array;
  destroyed = false;

  constructor(device: FakeDevice, size: number, usage: number, label: string) {
    this.device = device;
    this.size = size;
    this.usage = usage;
    this.label = label;
    this.bytes = new Uint8Array(size);
  }

  destroy(): void {
    this.destroyed = true;
  }
}

export interface FakeBinding {
  readonly buffer: FakeBuffer;
  readonly offset: number;
  readonly size: number;
}

function validateRange({ buffer, offset, size }: FakeBinding, usage: keyof typeof Usage, multiple = 4): void {
  validate((buffer.usage & Usage[usage]) !== 0, `the buffer lacks ${usage}`);
  validate(Number.isInteger(offset) && offset >= 0 && offset % multiple === 0, `${usage}: offset ${offset}`);
  validate(Number.isInteger(size) && size > 0 && size % 4 === 0, `${usage}: size ${size}`);
  validate(offset + size <= buffer.size, `${usage}: ${offset} + ${size} is beyond ${buffer.size}`);
}

interface Command {
  readonly buffers: readonly FakeBuffer[];
  run(): void;
}

export class FakeEncoder implements GpuEncoder<FakeBuffer> {
  readonly commands: Command[] = [];
  readonly #device: FakeDevice;

  constructor(device: FakeDevice) {
    this.#device = device;
  }

  copyBufferToBuffer(
    source: FakeBuffer,
    from: number,
    destination: FakeBuffer,
    to: number,
    size: number,
  ): void {
    validate(source.device === this.#device && destination.device === this.#device, 'another device');
    validate(source !== destination, 'source and destination are the same buffer');
    validateRange({ buffer: source, offset: from, size }, 'COPY_SRC');
    validateRange({ buffer: destination, offset: to, size }, 'COPY_DST');
    this.commands.push({
      buffers: [source, destination],
      run: () => destination.bytes.set(source.bytes.subarray(from, from + size), to),
    });
  }

  /** Stands for a dispatch with this binding. It adds 1 to each byte of a storage range. */
  dispatch(binding: FakeBinding, usage: 'UNIFORM' | 'STORAGE'): void {
    const { limits } = this.#device;
    const multiple =
      usage === 'UNIFORM' ? limits.minUniformBufferOffsetAlignment : limits.minStorageBufferOffsetAlignment;
    const { buffer, offset, size } = binding;
    validateRange({ buffer, offset, size }, usage, multiple);
    this.commands.push({
      buffers: [buffer],
      run: () => {
        if (usage === 'UNIFORM') return;
        for (let i = offset; i < offset + size; i++) buffer.bytes[i]++;
      },
    });
  }
}

export class FakeDevice implements GpuDevice<FakeBuffer> {
  readonly limits = {
    maxBufferSize: 2 ** 20,
    maxUniformBufferBindingSize: 2 ** 16,
    maxStorageBufferBindingSize: 2 ** 19,
    minUniformBufferOffsetAlignment: 256,
    minStorageBufferOffsetAlignment: 128,
  };
  readonly buffers: FakeBuffer[] = [];
  readonly lost: Promise<{ message: string }>;
  /** Loses the device. */
  readonly lose: (message: string) => void;
  /** Number of unresolved promises of `onSubmittedWorkDone`. */
  get inFlight(): number {
    return this.#waiting.length;
  }
  readonly #waiting: (() => void)[] = [];

  constructor() {
    let resolve: (info: { message: string }) => void = () => undefined;
    this.lost = new Promise((settle) => {
      resolve = settle;
    });
    this.lose = (message) => resolve({ message });
  }

  createBuffer({ size, usage, label = '' }: { size: number; usage: number; label?: string }): FakeBuffer {
    validate(Number.isInteger(size) && size > 0 && size % 4 === 0, `a buffer of ${size} bytes`);
    validate(size <= this.limits.maxBufferSize, `a buffer of ${size} bytes is larger than the limit`);
    validate(Number.isInteger(usage) && usage > 0 && usage < 0x400, `usage ${usage}`);
    validate(
      !(usage & Usage.MAP_READ) || !(usage & ~(Usage.MAP_READ | Usage.COPY_DST)),
      'MAP_READ with others',
    );
    validate(
      !(usage & Usage.MAP_WRITE) || !(usage & ~(Usage.MAP_WRITE | Usage.COPY_SRC)),
      'MAP_WRITE with others',
    );
    const buffer = new FakeBuffer(this, size, usage, label);
    this.buffers.push(buffer);
    return buffer;
  }

  createCommandEncoder(): FakeEncoder {
    return new FakeEncoder(this);
  }

  readonly queue = {
    submit: (encoders: readonly FakeEncoder[]): void => {
      const commands = encoders.flatMap((encoder) => encoder.commands.splice(0));
      for (const { buffers } of commands) {
        validate(
          buffers.every(({ destroyed }) => !destroyed),
          'used in submit while destroyed',
        );
      }
      for (const command of commands) command.run();
    },
    /** Takes data of every kind; offset and size are in elements for a typed array and in bytes for others, as the standard has it. */
    writeBuffer: (
      buffer: FakeBuffer,
      offset: number,
      data: GpuData,
      dataOffset = 0,
      dataSize?: number,
    ): void => {
      const element = 'BYTES_PER_ELEMENT' in data ? (data.BYTES_PER_ELEMENT as number) : 1;
      const [bytes, start] = ArrayBuffer.isView(data) ? [data.buffer, data.byteOffset] : [data, 0];
      const from = dataOffset * element;
      const size = dataSize === undefined ? data.byteLength - from : dataSize * element;
      validate(buffer.device === this, 'another device');
      validate(!buffer.destroyed, 'written while destroyed');
      validate(from + size <= data.byteLength, `${from} + ${size} is beyond the data`);
      validateRange({ buffer, offset, size }, 'COPY_DST');
      buffer.bytes.set(new Uint8Array(bytes, start + from, size), offset);
    },
    onSubmittedWorkDone: (): Promise<undefined> =>
      new Promise((resolve) => this.#waiting.push(() => resolve(undefined))),
  };

  /** Resolves the first `count` promises of `onSubmittedWorkDone`, and lets the code that waits for them run. */
  async finish(count = Number.POSITIVE_INFINITY): Promise<void> {
    for (const resolve of this.#waiting.splice(0, count)) resolve();
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** The buffers that are not destroyed. */
  get undestroyed(): FakeBuffer[] {
    return this.buffers.filter(({ destroyed }) => !destroyed);
  }
}
