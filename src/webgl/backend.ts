// What the pool needs of WebGL. It leaves every binding as it finds it.

import type { Backend } from '../gpu/backend.ts';
import type { PlannedMove } from '../gpu/defragment.ts';
import { byteOffsetOf } from '../gpu/pool-buffer.ts';
import { Fences } from './fences.ts';
import {
  BUFFER_SIZE,
  bindingOf,
  COPY_READ_BUFFER,
  COPY_WRITE_BUFFER,
  checkTarget,
  checkUsage,
  ELEMENT_ARRAY_BUFFER,
  rulesOf,
} from './targets.ts';
import type { GlContext } from './types.ts';

/** The largest buffer: sizes stay int32. WebGL has no limit of its own that one could ask for. */
const MAX_BUFFER_SIZE = 2 ** 31 - 4;

/** Sent to the canvas when the context is lost. */
const LOST_EVENT = 'webglcontextlost';

/** The context of a pool, and the kind of its buffers. */
export class WebGlBackend<B> implements Backend<B> {
  readonly #gl: GlContext<B>;
  readonly #target: number;
  readonly #usage: number;
  readonly #fences: Fences;
  #lost = false;
  readonly alignment: number;
  readonly granule: number;
  readonly maxBufferSize = MAX_BUFFER_SIZE;
  readonly binding: Backend<B>['binding'];

  constructor(gl: GlContext<B>, target: number, usage: number) {
    this.#gl = gl;
    this.#target = checkTarget(target);
    this.#usage = checkUsage(usage);
    this.#fences = new Fences(gl);
    const { alignment, granule, binding } = rulesOf(target, gl);
    this.alignment = alignment;
    this.granule = granule;
    this.binding = binding;
  }

  /**
   * Listens for the loss of the context, until {@link close}. The state of the context alone would not do: it may be
   * restored, and then has none of the buffers.
   */
  open(): void {
    this.#gl.canvas.addEventListener(LOST_EVENT, this.#onLost);
  }

  close(): void {
    this.#gl.canvas.removeEventListener(LOST_EVENT, this.#onLost);
    this.#fences.close();
  }

  get loss(): string | null {
    this.#lost ||= this.#gl.isContextLost();
    return this.#lost ? 'the context of the pool is lost' : null;
  }

  /**
   * A buffer of `size` bytes. The binding point at which a buffer is bound first decides whether it is one for indices,
   * for good. And its size tells whether there was memory for it, which leaves errors for the program's own `getError`.
   */
  createBuffer(size: number): B | null {
    const gl = this.#gl;
    const buffer = gl.createBuffer();
    if (buffer === null) return null;
    const target = this.#target === ELEMENT_ARRAY_BUFFER ? ELEMENT_ARRAY_BUFFER : COPY_WRITE_BUFFER;
    const actual = this.#keeping([target], () => {
      gl.bindBuffer(target, buffer);
      gl.bufferData(target, size, this.#usage);
      return gl.getBufferParameter(target, BUFFER_SIZE);
    });
    if (actual === size) return buffer;
    gl.deleteBuffer(buffer);
    return null;
  }

  destroyBuffer(buffer: B): void {
    this.#gl.deleteBuffer(buffer);
  }

  checkWritable(): void {}

  write(buffer: B, offset: number, data: Uint8Array): void {
    const gl = this.#gl;
    this.#keeping([COPY_WRITE_BUFFER], () => {
      gl.bindBuffer(COPY_WRITE_BUFFER, buffer);
      // The types of the DOM ask for an ArrayBuffer, but bufferSubData takes shared memory, too.
      gl.bufferSubData(COPY_WRITE_BUFFER, offset, data as Uint8Array<ArrayBuffer>);
    });
  }

  done(): Promise<void> {
    return this.#fences.done();
  }

  /** Copies the ranges of `moves`, in order. Those within a buffer do not overlap, so WebGL copies them, too. */
  copy(moves: readonly PlannedMove<B>[]): void {
    const gl = this.#gl;
    this.#keeping([COPY_READ_BUFFER, COPY_WRITE_BUFFER], () => {
      for (const { allocation, from, to } of moves) {
        gl.bindBuffer(COPY_READ_BUFFER, from.poolBuffer.buffer);
        gl.bindBuffer(COPY_WRITE_BUFFER, to.poolBuffer.buffer);
        const [source, destination] = [byteOffsetOf(from), byteOffsetOf(to)];
        gl.copyBufferSubData(COPY_READ_BUFFER, COPY_WRITE_BUFFER, source, destination, allocation.size);
      }
    });
  }

  readonly #onLost = (): void => {
    this.#lost = true;
  };

  /** Calls `action`, and then binds to each of `targets` the buffer that was bound to it before. */
  #keeping<T>(targets: readonly number[], action: () => T): T {
    const gl = this.#gl;
    const before = targets.map((target) => [target, gl.getParameter(bindingOf(target)) as B | null] as const);
    try {
      return action();
    } finally {
      for (const [target, buffer] of before) gl.bindBuffer(target, buffer);
    }
  }
}
