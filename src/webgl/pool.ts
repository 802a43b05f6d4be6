// BufferPool: ranges of WebGL buffers.

import { checkObject } from '../base/arguments.ts';
import type { DefragmentOptions, PoolOptions } from '../gpu/options.ts';
import { AbstractPool, type BufferMove, moveRanges } from '../gpu/pool.ts';
import { WebGlBackend } from './backend.ts';
import { STATIC_DRAW } from './targets.ts';
import type { GlContext } from './types.ts';

/** Options of a {@link BufferPool}. Sizes are in bytes. */
export interface BufferPoolOptions<B = unknown> extends PoolOptions<B> {
  /**
   * The binding point that its buffers are for, such as `gl.ARRAY_BUFFER`. A buffer for `gl.ELEMENT_ARRAY_BUFFER`
   * cannot be bound to any other but those for copies, and no other buffer can be bound to that one.
   */
  readonly target: number;
  /** The usage of its buffers, a hint for the driver, such as `gl.DYNAMIC_DRAW`; `gl.STATIC_DRAW` unless given. */
  readonly usage?: number;
}

/**
 * A pool of WebGL buffers for one binding point, as {@link AbstractPool} describes it. Offsets are multiples of 4 at
 * least, and of `UNIFORM_BUFFER_OFFSET_ALIGNMENT` for `UNIFORM_BUFFER`. A request for uniforms larger than
 * `MAX_UNIFORM_BLOCK_SIZE` is a RangeError.
 *
 * Every call leaves all bindings of the context as they were. The option `label` is for the report of leaks only: WebGL
 * has no labels. A new buffer takes one question to the GPU process, whether there was memory for it; if not, `alloc`
 * returns null.
 */
export class BufferPool<B> extends AbstractPool<B> {
  readonly #backend: WebGlBackend<B>;

  /**
   * A pool without a buffer; the first request makes one. O(1).
   *
   * @throws TypeError if an option has the wrong type.
   * @throws RangeError if an option is out of range.
   */
  constructor(gl: GlContext<B>, options: BufferPoolOptions<B>) {
    const { target, usage = STATIC_DRAW } = checkObject('options', options);
    const backend = new WebGlBackend(checkObject('gl', gl), target, usage);
    super(backend, options);
    this.#backend = backend;
    backend.open();
  }

  /**
   * Moves ranges together, if that empties a buffer or makes room for larger requests. The copies are submitted at
   * once, one for each move. From then on `buffer` and `offset` of the moved allocations are the new ones. The old
   * ranges are freed as by {@link free}, so emptied buffers are destroyed by the next {@link flush}. Dedicated buffers
   * stay as they are.
   *
   * With `maxMoves` and `maxBytes` a call makes only part of the moves, so that a frame need not pay for all. Repeat
   * it, with a flush in between, until it returns no move. O(live * (buffers * log + log live)), whatever the limits:
   * each call plans all moves.
   *
   * @returns the moves; empty if there is nothing to gain. Vertex arrays and bindings of a source range must be made
   * anew.
   * @throws TypeError if an option has the wrong type.
   * @throws RangeError if a limit is not a positive integer.
   */
  defragment(options: DefragmentOptions<B> = {}): BufferMove<B>[] {
    return moveRanges<B>(this, options, (moves) => {
      this.#backend.copy(moves);
      return null;
    });
  }
}
