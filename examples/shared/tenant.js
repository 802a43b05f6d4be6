// A tenant of the arena, a worker or the page: writes a pattern into each of its blocks and verifies it before it
// frees the block.

/** Figures of a tenant, by index in its part of the shared cells. */
export const FIGURES = { operations: 0, full: 1, blocks: 2, damaged: 3, stride: 16 };

/** Highest order of a request. */
const MOST = 7;

export class Tenant {
  #blocks = [];
  #sequence = 0;

  /** `mark` is in the pattern of all its blocks. `figures` are its cells. It aims to hold `share` units. */
  constructor({ arena, data, mark, figures, share }) {
    Object.assign(this, { arena, data, mark, figures, share, units: 0 });
  }

  /** Allocates or frees one block. */
  step() {
    const wants = this.units < this.share ? 0.6 : 0.4;
    if (this.#blocks.length === 0 || Math.random() < wants) this.#allocate();
    else this.#free(Math.floor(Math.random() * this.#blocks.length));
    this.figures[FIGURES.operations]++;
    this.figures[FIGURES.blocks] = this.#blocks.length;
  }

  freeAll() {
    while (this.#blocks.length > 0) this.#free(0);
    this.figures[FIGURES.blocks] = 0;
  }

  #allocate() {
    const size = 2 ** Math.floor(Math.random() * Math.random() * (MOST + 1));
    const offset = this.arena.alloc(size);
    if (offset < 0) {
      this.figures[FIGURES.full]++;
      return;
    }
    const pattern = (this.mark << 24) | (this.#sequence++ & 0xffffff);
    this.data.fill(pattern, offset, offset + size);
    this.#blocks.push({ offset, size, pattern });
    this.units += size;
  }

  #free(i) {
    const { offset, size, pattern } = this.#blocks[i];
    this.#blocks[i] = this.#blocks.at(-1);
    this.#blocks.pop();
    this.units -= size;
    for (let unit = offset; unit < offset + size; unit++) {
      if (this.data[unit] !== pattern) this.figures[FIGURES.damaged]++;
    }
    this.arena.free(offset);
  }
}

/** The mark of the tenant that wrote a pattern. */
export const markOf = (pattern) => pattern >>> 24;
