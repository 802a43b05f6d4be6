// A strict WebGL2 context without a GPU: every error of the standard that calls of the pool could cause throws here at
// once. Commands run at once. The test decides when the GPU passes the fences.

import type { GlContext } from '../../src/webgl.ts';

export const Gl = {
  ARRAY_BUFFER: 0x8892,
  ELEMENT_ARRAY_BUFFER: 0x8893,
  PIXEL_PACK_BUFFER: 0x88eb,
  PIXEL_UNPACK_BUFFER: 0x88ec,
  UNIFORM_BUFFER: 0x8a11,
  TRANSFORM_FEEDBACK_BUFFER: 0x8c8e,
  COPY_READ_BUFFER: 0x8f36,
  COPY_WRITE_BUFFER: 0x8f37,
  STATIC_DRAW: 0x88e4,
  DYNAMIC_DRAW: 0x88e8,
} as const;

/** The parameter that tells what is bound to a target. */
const BINDINGS: Readonly<Record<number, number>> = {
  34964: Gl.ARRAY_BUFFER,
  34965: Gl.ELEMENT_ARRAY_BUFFER,
  35053: Gl.PIXEL_PACK_BUFFER,
  35055: Gl.PIXEL_UNPACK_BUFFER,
  35368: Gl.UNIFORM_BUFFER,
  35983: Gl.TRANSFORM_FEEDBACK_BUFFER,
  36662: Gl.COPY_READ_BUFFER,
  36663: Gl.COPY_WRITE_BUFFER,
};

const BUFFER_SIZE = 34660;
const LIMITS: Readonly<Record<number, number>> = { 35376: 16384, 35380: 64 };
const [ALREADY_SIGNALED, TIMEOUT_EXPIRED, WAIT_FAILED] = [37146, 37147, 37149];

/** An error that a real context would report by getError. */
export class FakeGlError extends Error {}

function validate(holds: boolean, what: string): asserts holds {
  if (!holds) throw new FakeGlError(what);
}

export class FakeGlBuffer {
  readonly context: FakeContext;
  bytes = new Uint8Array(0);
  usage = 0;
  destroyed = false;
  /** Whether it is one for indices; null until it is bound for the first time. */
  isElement: boolean | null = null;

  constructor(context: FakeContext) {
    this.context = context;
  }

  get size(): number {
    return this.bytes.length;
  }
}

class FakeSync {
  passed = false;
  flushed = false;
  deleted = false;
}

export class FakeContext implements GlContext<FakeGlBuffer> {
  readonly canvas = new EventTarget();
  readonly buffers: FakeGlBuffer[] = [];
  readonly bound = new Map<number, FakeGlBuffer | null>();
  readonly syncs: FakeSync[] = [];
  /** Bytes that all buffers may have together. */
  memory = Number.POSITIVE_INFINITY;
  #lost = false;

  isContextLost(): boolean {
    return this.#lost;
  }

  createBuffer(): FakeGlBuffer | null {
    if (this.#lost) return null;
    const buffer = new FakeGlBuffer(this);
    this.buffers.push(buffer);
    return buffer;
  }

  deleteBuffer(buffer: FakeGlBuffer | null): void {
    if (buffer === null) return;
    validate(buffer.context === this, 'another context');
    buffer.destroyed = true;
    for (const [target, bound] of this.bound) if (bound === buffer) this.bound.set(target, null);
  }

  bindBuffer(target: number, buffer: FakeGlBuffer | null): void {
    validate(Object.values(BINDINGS).includes(target), `a target of ${target}`);
    if (buffer !== null) {
      validate(buffer.context === this, 'another context');
      validate(!buffer.destroyed, 'bound while deleted');
      const isElement = target === Gl.ELEMENT_ARRAY_BUFFER;
      const isCopy = target === Gl.COPY_READ_BUFFER || target === Gl.COPY_WRITE_BUFFER;
      buffer.isElement ??= isElement;
      validate(
        buffer.isElement === isElement || (buffer.isElement && isCopy),
        'indices are for indices only',
      );
    }
    this.bound.set(target, buffer);
  }

  bufferData(target: number, size: number, usage: number): void {
    const buffer = this.#at(target);
    validate(Number.isInteger(size) && size > 0 && size < 2 ** 31, `a buffer of ${size} bytes`);
    const others = this.undestroyed.reduce((sum, one) => sum + (one === buffer ? 0 : one.size), 0);
    buffer.bytes = new Uint8Array(others + size > this.memory ? 0 : size);
    buffer.usage = usage;
  }

  bufferSubData(target: number, offset: number, data: Uint8Array): void {
    const { bytes } = this.#at(target);
    validate(offset + data.length <= bytes.length, `${offset} + ${data.length} is beyond ${bytes.length}`);
    bytes.set(data, offset);
  }

  copyBufferSubData(source: number, destination: number, from: number, to: number, size: number): void {
    const [a, b] = [this.#at(source), this.#at(destination)];
    validate(a.isElement === b.isElement, 'a copy of indices to others');
    validate(from + size <= a.size && to + size <= b.size, 'a copy beyond the end');
    validate(a !== b || from + size <= to || to + size <= from, 'a copy onto itself');
    b.bytes.set(a.bytes.subarray(from, from + size), to);
  }

  getBufferParameter(target: number, name: number): unknown {
    validate(name === BUFFER_SIZE, `a buffer parameter ${name}`);
    return this.#lost ? null : this.#at(target).size;
  }

  getParameter(name: number): unknown {
    if (this.#lost) return null;
    if (LIMITS[name] !== undefined) return LIMITS[name];
    validate(BINDINGS[name] !== undefined, `a parameter ${name}`);
    return this.bound.get(BINDINGS[name]) ?? null;
  }

  fenceSync(): FakeSync | null {
    if (this.#lost) return null;
    this.syncs.push(new FakeSync());
    return this.syncs[this.syncs.length - 1];
  }

  clientWaitSync(sync: FakeSync): number {
    validate(!sync.deleted, 'a deleted fence');
    validate(sync.flushed, 'a fence that was not sent to the GPU');
    if (this.#lost) return WAIT_FAILED;
    return sync.passed ? ALREADY_SIGNALED : TIMEOUT_EXPIRED;
  }

  deleteSync(sync: FakeSync): void {
    sync.deleted = true;
  }

  flush(): void {
    for (const sync of this.syncs) sync.flushed = true;
  }

  /** Loses the context. The event comes only with {@link restore} or {@link announce}. */
  lose(): void {
    this.#lost = true;
  }

  /** Tells that the context was lost. */
  announce(): void {
    this.canvas.dispatchEvent(new Event('webglcontextlost'));
  }

  /** Makes the context usable again, without the buffers that it had. */
  restore(): void {
    this.announce();
    this.#lost = false;
  }

  /** Number of fences that wait. */
  get inFlight(): number {
    return this.syncs.filter(({ passed, deleted }) => !passed && !deleted).length;
  }

  /** Passes the first `count` fences, and lets the code that waits for them run. */
  async finish(count = Number.POSITIVE_INFINITY): Promise<void> {
    const waiting = this.syncs.filter(({ passed, deleted }) => !passed && !deleted);
    const passing = waiting.slice(0, count);
    for (const sync of passing) sync.passed = true;
    for (let waits = 0; passing.some(({ deleted }) => !deleted); waits++) {
      validate(waits < 5000, 'nothing asks for the fences');
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** The buffers that are not deleted. */
  get undestroyed(): FakeGlBuffer[] {
    return this.buffers.filter(({ destroyed }) => !destroyed);
  }

  #at(target: number): FakeGlBuffer {
    const buffer = this.bound.get(target) ?? null;
    validate(buffer !== null, `nothing is bound to ${target}`);
    return buffer;
  }
}
