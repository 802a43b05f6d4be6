// Blocks of a shared arena as the workers of the tests hold them: every unit carries a tag that tells who wrote it, the
// order of the block and a sequence number, so that units which two blocks share are found out.

/** Numbers below `n`, from a seed (xorshift, Marsaglia 2003). */
export function randomFrom(seed) {
  let x = Math.imul(seed, 0x9e3779b1) || 1;
  return (n) => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) % n;
  };
}

/** A request that is rounded up to 2^order, for orders up to `most`, small ones oftener. */
export function randomSize(below, most) {
  const order = below(below(most + 1) + 1);
  return 2 ** order - (order > 1 ? below(2 ** (order - 1)) : 0);
}

export class Holdings {
  /** What this worker holds: { offset, size, tag }. */
  blocks = [];
  units = 0;
  #sequence = 0;

  /**
   * `data` has a cell for every unit of `arena`. `cells[inside]` is 1 during every call. With `clean`, whoever frees a block
   * zeroes it, so that a new one must be all zero.
   */
  constructor({ arena, data, writer, cells, inside, clean }) {
    Object.assign(this, { arena, data, writer, cells, inside, clean });
  }

  /** `call()` with the mark that this worker is inside of a call. */
  #call(call) {
    this.cells[this.inside] = 1;
    const result = call(this.arena);
    this.cells[this.inside] = 0;
    return result;
  }

  /** Allocates, and writes the pattern. Returns whether there was room. */
  allocate(request) {
    const offset = this.#call((arena) => arena.alloc(request));
    if (offset === -1) return false;
    const order = 32 - Math.clz32(request - 1);
    const size = 2 ** order;
    if (offset < 0 || offset % size !== 0 || offset + size > this.arena.capacity) {
      throw new Error(`alloc(${request}) gave ${offset}`);
    }
    const tag = (this.writer << 26) | (order << 21) | (this.#sequence++ & 0x1fffff);
    for (let unit = offset; unit < offset + size; unit++) {
      if (this.clean && this.data[unit] !== 0) {
        throw new Error(`unit ${unit} of the new block at ${offset} is in use: tag ${this.data[unit]}`);
      }
      this.data[unit] = tag;
    }
    this.hold({ offset, size, tag });
    return true;
  }

  hold(block) {
    this.blocks.push(block);
    this.units += block.size;
  }

  /** Holds no longer, but does not free. */
  drop(i) {
    const block = this.blocks[i];
    const last = this.blocks.pop();
    if (block !== last) this.blocks[i] = last;
    this.units -= block.size;
    return block;
  }

  /** The block at `offset`, which somebody has passed on. Its first unit tells the tag, and that the order. */
  received(offset) {
    const size = this.#call((arena) => arena.sizeOf(offset));
    const tag = this.data[offset];
    if (size !== 2 ** ((tag >>> 21) & 31)) throw new Error(`tag ${tag} in a block of ${size} at ${offset}`);
    return { offset, size, tag };
  }

  /** Frees a block, whoever allocated it. */
  free(block) {
    this.verify(block);
    const { offset, size } = block;
    if (this.clean) this.data.fill(0, offset, offset + size);
    const freed = this.#call((arena) => arena.free(offset));
    if (freed !== size) throw new Error(`free(${offset}) of ${size} units gave back ${freed}`);
  }

  freeAll() {
    while (this.blocks.length > 0) this.free(this.drop(0));
  }

  verify({ offset, size, tag }) {
    for (let unit = offset; unit < offset + size; unit++) {
      if (this.data[unit] !== tag) {
        throw new Error(`unit ${unit} of the block of ${size} at ${offset}: ${this.data[unit]}, not ${tag}`);
      }
    }
  }

  verifyAll() {
    for (const block of this.blocks) this.verify(block);
  }

  /** Whether the inside of a block that this worker holds is protected from `free`. */
  refusesInterior({ offset }) {
    try {
      this.#call((arena) => arena.free(offset + 1));
    } catch (error) {
      this.cells[this.inside] = 0;
      return error.code === 'INTERIOR';
    }
    return false;
  }
}
