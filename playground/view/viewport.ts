// The part of the arena that the map shows, and the positions of blocks on the map.
//
// Addresses run from left to right in columns of 2^k units, and down each column; k is such that a column is some
// pixels wide. Since a block's offset is a multiple of its size, every block is one rectangle: a part of a column, or
// whole columns.

/** Least width of a column, in CSS pixels. */
const COLUMN = 7;
/** Least height of a region, in CSS pixels. Blocks smaller than a region are drawn as a sum. */
const REGION = 2;
/** Least number of visible units. */
const CLOSEST = 16;

export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The layout of the visible units on a map of a given size. */
export interface Geometry {
  /** Offset of the first visible unit, and their number; fractions while the user zooms or pans. */
  readonly from: number;
  readonly units: number;
  /** CSS pixels per unit, from left to right. */
  readonly pixels: number;
  readonly height: number;
  /** log2 of the units of a column, and its width. */
  readonly columnOrder: number;
  readonly columnWidth: number;
  /** Regions per column. */
  readonly rows: number;
}

/** The visible part of an arena. */
export class Viewport {
  readonly capacity: number;
  #from = 0;
  #units: number;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.#units = capacity;
  }

  get from(): number {
    return this.#from;
  }

  get units(): number {
    return this.#units;
  }

  get end(): number {
    return this.#from + this.#units;
  }

  /** Shows `factor` times as many units. The unit at `anchor` keeps its position. */
  zoom(factor: number, anchor: number): void {
    const units = Math.min(this.capacity, Math.max(Math.min(CLOSEST, this.capacity), this.#units * factor));
    this.#from = anchor - ((anchor - this.#from) * units) / this.#units;
    this.#units = units;
    this.pan(0);
  }

  /** Moves by `units` units. */
  pan(units: number): void {
    this.#from = Math.max(0, Math.min(this.capacity - this.#units, this.#from + units));
  }

  /** Shows a whole block, with some units on either side. */
  show(offset: number, size: number): void {
    this.#units = this.capacity;
    this.zoom((size * 1.25) / this.capacity, 0);
    this.#from = 0;
    this.pan(offset + size / 2 - this.#units / 2);
  }

  /** Moves just far enough to show `offset`. */
  reveal(offset: number): void {
    if (offset < this.#from) this.pan(offset - this.#from - this.#units / 8);
    else if (offset >= this.end) this.pan(offset - this.end + this.#units / 8);
  }

  geometry(width: number, height: number): Geometry {
    const pixels = width / this.#units;
    const columnOrder = Math.max(0, Math.ceil(Math.log2(COLUMN / pixels)));
    const rows = 2 ** Math.min(columnOrder, Math.floor(Math.log2(height / REGION)));
    const columnWidth = 2 ** columnOrder * pixels;
    return { from: this.#from, units: this.#units, pixels, height, columnOrder, columnWidth, rows };
  }
}

/** The rectangle of a block of 2^order units on the map. */
export function rectangleOf(geometry: Geometry, offset: number, order: number): Rectangle {
  const { from, pixels, height, columnOrder, columnWidth } = geometry;
  if (order >= columnOrder) {
    return { x: (offset - from) * pixels, y: 0, width: 2 ** order * pixels, height };
  }
  const column = 2 ** columnOrder;
  const inside = offset % column;
  return {
    x: (offset - inside - from) * pixels,
    y: (inside / column) * height,
    width: columnWidth,
    height: height * 2 ** (order - columnOrder),
  };
}

/** Offset of the unit at a point of the map. */
export function offsetAt(geometry: Geometry, x: number, y: number): number {
  const column = 2 ** geometry.columnOrder;
  const start = Math.floor((geometry.from + x / geometry.pixels) / column) * column;
  return start + Math.min(column - 1, Math.max(0, Math.floor((y / geometry.height) * column)));
}
