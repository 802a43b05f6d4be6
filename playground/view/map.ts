// The picture of the arena: the tree of blocks, below it the memory map, below that the addresses.

import { Cells, walkTree } from '../model/words.ts';
import { prepare } from './canvas.ts';
import { short } from './format.ts';
import { type Colour, css, mix, type Palette } from './theme.ts';
import { type Geometry, type Rectangle, rectangleOf, unitAt, type Viewport } from './viewport.ts';

const ROWS = 8;
const AXIS = 20;
const GAP = 10;
/** Least width of a node of the tree, and least height of a block that gets an edge of its own. */
const NODE = 3;
const EDGED = 5;
/** Order from which on a block has the colour of large ones. */
const LARGE = 12;

/** What is to be seen. */
export interface Scene {
  readonly state: Int32Array;
  readonly viewport: Viewport;
  readonly palette: Palette;
  /** Order and offset of the block under the cursor, and of the one that the last operation was about. */
  readonly selected: BlockPlace | undefined;
  readonly latest: BlockPlace | undefined;
}

export interface BlockPlace {
  readonly offset: number;
  readonly order: number;
}

/** Places on the canvas. */
interface Frame {
  readonly left: number;
  readonly rowHeight: number;
  /** Order of the first row of the tree, and of the last. */
  readonly top: number;
  readonly bottom: number;
  readonly mapTop: number;
  readonly geometry: Geometry;
}

/** Draws scenes on one canvas, and tells what is where in the last one. */
export class MapView {
  readonly #canvas: HTMLCanvasElement;
  readonly #cells = document.createElement('canvas');
  #frame: Frame | undefined;

  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas;
  }

  draw(scene: Scene): void {
    const { context, width, height } = prepare(this.#canvas);
    const frame = layOut(scene.viewport, width, height);
    this.#frame = frame;
    context.font = '11px system-ui, sans-serif';
    drawLabels(context, frame, scene.palette);
    context.save();
    context.beginPath();
    context.rect(frame.left, 0, width - frame.left, height);
    context.clip();
    context.translate(frame.left, 0);
    this.#drawCells(context, frame, scene);
    drawBlocks(context, frame, scene);
    drawOutline(context, frame, scene.latest, scene.palette.mark);
    drawOutline(context, frame, scene.selected, scene.palette.focus);
    drawAxis(context, frame, width - frame.left, scene);
    context.restore();
  }

  /** Units a pixel of the last scene, from left to right. */
  get unitsPerPixel(): number {
    return 1 / (this.#frame?.geometry.pixels ?? 1);
  }

  /** The address that lies at `x` on the canvas. */
  addressAt(x: number): number {
    if (this.#frame === undefined) return 0;
    const { left, geometry } = this.#frame;
    return geometry.from + (x - left) / geometry.pixels;
  }

  /** What lies at a place on the canvas: a unit of the map, or a node of the tree. */
  hit(x: number, y: number): { unit: number; order: number | undefined } | undefined {
    if (this.#frame === undefined || x < this.#frame.left) return undefined;
    const { left, rowHeight, top, bottom, mapTop, geometry } = this.#frame;
    if (y >= mapTop && y < mapTop + geometry.height) {
      return { unit: unitAt(geometry, x - left, y - mapTop), order: undefined };
    }
    const order = top - Math.floor(y / rowHeight);
    return order < bottom || y >= mapTop ? undefined : { unit: Math.floor(this.addressAt(x)), order };
  }

  /** The sums of all cells, as a picture of one pixel a cell that is then enlarged. */
  #drawCells(context: CanvasRenderingContext2D, { geometry, mapTop }: Frame, scene: Scene): void {
    const { from, units, columnOrder, rows, columnWidth, pixels, height } = geometry;
    const column = 2 ** columnOrder;
    const first = Math.floor(from / column);
    const columns = Math.ceil((from + units) / column) - first;
    const cell = column / rows;
    const cells = new Cells(scene.state, first * column, cell, columns * rows);
    const image = new ImageData(columns, rows);
    const pixelsOf = new Uint32Array(image.data.buffer);
    const shades = shadesOf(scene.palette);
    for (let x = 0, i = 0; x < columns; x++) {
      for (let y = 0; y < rows; y++, i++) {
        const used = cells.used[i];
        const order = used === 0 ? 0 : Math.min(LARGE, Math.round(Math.log2(used / cells.blocks[i])));
        // What is used at all is seen.
        const full = used === 0 ? 0 : Math.max(2, Math.ceil((used / cell) * FULL));
        pixelsOf[y * columns + x] = shades[order * (FULL + 1) + full];
      }
    }
    this.#cells.width = columns;
    this.#cells.height = rows;
    this.#cells.getContext('2d')?.putImageData(image, 0, 0);
    context.imageSmoothingEnabled = false;
    const x = (first * column - from) * pixels;
    context.drawImage(this.#cells, x, mapTop, columns * columnWidth, height);
  }
}

function layOut(viewport: Viewport, width: number, height: number): Frame {
  const narrow = width < 520;
  const left = 48;
  const rowHeight = narrow ? 12 : 16;
  const top = Math.ceil(Math.log2(viewport.units));
  const bottom = Math.max(0, top - ROWS + 1);
  const mapTop = ROWS * rowHeight + GAP;
  const geometry = viewport.geometry(width - left, height - mapTop - AXIS);
  return { left, rowHeight, top, bottom, mapTop, geometry };
}

/** Steps between the colour of what is free and that of what is used. */
const FULL = 16;
let shades: { readonly palette: Palette; readonly table: Uint32Array } | undefined;

/** Colours of cells by order and fullness, as pixels. Made once for each palette. */
function shadesOf(palette: Palette): Uint32Array {
  if (shades?.palette === palette) return shades.table;
  const table = new Uint32Array((LARGE + 1) * (FULL + 1));
  const bytes = new Uint8Array(table.buffer);
  for (let order = 0; order <= LARGE; order++) {
    for (let full = 0; full <= FULL; full++) {
      const [r, g, b] = mix(palette.free, colourOf(palette, order), full / FULL);
      bytes.set([r, g, b, 255], 4 * (order * (FULL + 1) + full));
    }
  }
  shades = { palette, table };
  return table;
}

function colourOf(palette: Palette, order: number): Colour {
  const t = Math.min(1, order / LARGE);
  return t < 0.5 ? mix(palette.small, palette.medium, 2 * t) : mix(palette.medium, palette.large, 2 * t - 1);
}

function drawLabels(context: CanvasRenderingContext2D, frame: Frame, palette: Palette): void {
  context.fillStyle = css(palette.muted);
  context.textAlign = 'right';
  context.textBaseline = 'middle';
  for (let order = frame.top; order >= frame.bottom; order--) {
    const y = (frame.top - order + 0.5) * frame.rowHeight;
    context.fillText(short(2 ** order), frame.left - 8, y);
  }
}

/** The tree, and the edges of the blocks on the map that are large enough to have one. */
function drawBlocks(context: CanvasRenderingContext2D, frame: Frame, scene: Scene): void {
  const { geometry, mapTop, top, bottom, rowHeight } = frame;
  const { from, units, pixels, columnOrder, height } = geometry;
  const { palette } = scene;
  // The lowest order of which a block has an edge, and of which a node is drawn.
  const edged = Math.max(0, columnOrder + Math.ceil(Math.log2(EDGED / height)));
  const drawn = Math.max(bottom, Math.ceil(Math.log2(NODE / pixels)));
  const fills = { free: css(palette.free), split: css(palette.split) };
  const edges = new Path2D();
  const labels: (Rectangle & { readonly text: string; readonly live: boolean })[] = [];
  walkTree(scene.state, from, from + units, Math.min(edged, drawn), (kind, offset, order) => {
    if (order >= drawn && order <= top) {
      const x = Math.max(-1, (offset - from) * pixels);
      const end = Math.min(units * pixels + 1, (offset + 2 ** order - from) * pixels);
      context.fillStyle = kind === 'live' ? css(colourOf(palette, order)) : fills[kind];
      context.fillRect(x, (top - order) * rowHeight, Math.max(1, end - x - 1), rowHeight - 2);
      const text = short(2 ** order);
      if (kind !== 'split' && end - x > 10 + 7 * text.length && rowHeight > 13) {
        const y = (top - order) * rowHeight;
        labels.push({ x, y, width: end - x, height: rowHeight - 2, text, live: kind === 'live' });
      }
    }
    if (kind === 'split' || order < edged) return;
    const { x, y, width, height } = rectangleOf(geometry, offset, order);
    edges.rect(x + width - 1, mapTop + y, 1, height);
    edges.rect(x, mapTop + y + height - 1, width, 1);
    const seen = { x: Math.max(0, x), end: Math.min(units * pixels, x + width) };
    const text = short(2 ** order);
    if (height > 16 && seen.end - seen.x > 12 + 7 * text.length) {
      labels.push({
        x: seen.x,
        y: mapTop + y,
        width: seen.end - seen.x,
        height,
        text,
        live: kind === 'live',
      });
    }
  });
  context.fillStyle = css(palette.surface);
  context.fill(edges);
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  for (const { x, y, width, height, text, live } of labels) {
    context.fillStyle = css(live ? palette.surface : palette.muted);
    context.fillText(text, x + width / 2, y + height / 2 + 0.5);
  }
}

function drawOutline(
  context: CanvasRenderingContext2D,
  { geometry, mapTop, top, bottom, rowHeight }: Frame,
  block: BlockPlace | undefined,
  colour: Colour,
): void {
  if (block === undefined) return;
  const { offset, order } = block;
  const { x, y, width, height } = rectangleOf(geometry, offset, order);
  context.strokeStyle = css(colour);
  context.lineWidth = 2;
  context.strokeRect(x - 0.5, mapTop + y - 0.5, Math.max(3, width), Math.max(3, height));
  if (order > top || order < bottom) return;
  const node = (offset - geometry.from) * geometry.pixels;
  context.strokeRect(
    node - 0.5,
    (top - order) * rowHeight,
    Math.max(3, 2 ** order * geometry.pixels),
    rowHeight - 2,
  );
}

/** Addresses at round numbers, about every hundred pixels. */
function drawAxis(context: CanvasRenderingContext2D, frame: Frame, width: number, scene: Scene): void {
  const { from, units, pixels, height } = frame.geometry;
  const y = frame.mapTop + height;
  const distance = 2 ** Math.max(0, Math.ceil(Math.log2(90 / pixels)));
  context.fillStyle = css(scene.palette.muted);
  context.textBaseline = 'alphabetic';
  for (let at = Math.ceil(from / distance) * distance; at <= from + units; at += distance) {
    const x = (at - from) * pixels;
    context.textAlign = x < 20 ? 'left' : x > width - 20 ? 'right' : 'center';
    context.fillRect(Math.min(x, width - 1), y, 1, 4);
    context.fillText(short(at), x, y + 16);
  }
}
