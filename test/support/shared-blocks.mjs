// Blocks of a shared arena, as held by the workers of the tests. Every unit carries a tag: the worker that wrote it,
// the order of the block and a sequence number. So a unit that is in two blocks is found out.

/** A function that returns integers below `n`, from a seed (xorshift, Marsaglia 2003). */
export function randomFrom(seed) {
  let x = Math.imul(seed, 0x9e3779b1) || 1;
  return (n) => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) % n;
  };
}

/** A size that is rounded up to 2^order, for orders up to `most`, small ones more often. */
export function randomSize(below, most) {
  const order = below(below(most + 1) + 1);
  return 2 ** order - (order > 1 ? below(2 ** (order - 1)) : 0);
}

export class Holdings {
  /** The blocks that this worker holds: { offset, size, tag }. */
  blocks = [];
  units = 0;
  #sequence = 0;

  /**
   * `data` has a cell for every unit of `arena`. `cells[inside]` is 1 during every call. With `clean`, a worker that
   * frees a block zeroes it first, so that a new block must be all zero.
   */
  constructor({ arena, data, writer, cells, inside, clean }) {
    Object.assign(this, { arena, data, writer, cells, inside, clean });
  }

  /** The result of `call`, during which this worker is marked as in a call. */
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

  /** Removes block `i` from the blocks that this worker holds, without freeing it. Returns it. */
  drop(i) {
    const block = this.blocks[i];
    const last = this.blocks.pop();
    if (block !== last) this.blocks[i] = last;
    this.units -= block.size;
    return block;
  }

  /** The block at `offset`, which another worker has passed on. Its first unit has the tag, which has the order. */
  received(offset) {
    const size = this.#call((arena) => arena.sizeOf(offset));
    const tag = this.data[offset];
    if (size !== 2 ** ((tag >>> 21) & 31)) throw new Error(`tag ${tag} in a block of ${size} at ${offset}`);
    return { offset, size, tag };
  }

  /** Frees a block, whichever worker allocated it. */
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

  /** Whether `free` refuses the inside of a block that this worker holds. */
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
