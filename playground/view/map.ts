// The picture of the arena: the tree of blocks, below it the memory map, and below that the offsets.

import { short } from '../format.ts';
import { RegionSums, walkTree } from '../model/words.ts';
import { prepare } from './canvas.ts';
import { type Colour, css, mix, type Palette } from './theme.ts';
import { type Geometry, offsetAt, type Rectangle, rectangleOf, type Viewport } from './viewport.ts';

const ROWS = 8;
const AXIS = 20;
const GAP = 10;
/** Least width of a node of the tree, and least height of a block with an edge. */
const NODE = 3;
const EDGED = 5;
/** From this order on, blocks have the colour of large ones. */
const LARGE = 12;

/** The content of the picture. */
export interface Scene {
  readonly state: Int32Array;
  readonly viewport: Viewport;
  readonly palette: Palette;
  /** The block under the cursor, and the block of the last operation. */
  readonly selected: MapBlock | undefined;
  readonly latest: MapBlock | undefined;
}

export interface MapBlock {
  readonly offset: number;
  readonly order: number;
}

/** Positions on the canvas, in CSS pixels. */
interface Frame {
  readonly left: number;
  readonly rowHeight: number;
  /** Order of the first row of the tree, and of the last. */
  readonly top: number;
  readonly bottom: number;
  readonly mapTop: number;
  readonly geometry: Geometry;
}

/** Draws scenes on one canvas, and finds the units and nodes at points of the last scene. */
export class MapView {
  readonly #canvas: HTMLCanvasElement;
  readonly #regions = document.createElement('canvas');
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
    this.#drawRegions(context, frame, scene);
    drawBlocks(context, frame, scene);
    drawOutline(context, frame, scene.latest, scene.palette.mark);
    drawOutline(context, frame, scene.selected, scene.palette.focus);
    drawAxis(context, frame, width - frame.left, scene);
    context.restore();
  }

  /** Units per pixel of the last scene, from left to right. */
  get unitsPerPixel(): number {
    return 1 / (this.#frame?.geometry.pixels ?? 1);
  }

  /** The offset at `x` on the canvas, with a fraction. */
  addressAt(x: number): number {
    if (this.#frame === undefined) return 0;
    const { left, geometry } = this.#frame;
    return geometry.from + (x - left) / geometry.pixels;
  }

  /** The offset at a point of the map; at a point of the tree, also the order of the node there. */
  hit(x: number, y: number): { offset: number; order: number | undefined } | undefined {
    if (this.#frame === undefined || x < this.#frame.left) return undefined;
    const { left, rowHeight, top, bottom, mapTop, geometry } = this.#frame;
    if (y >= mapTop && y < mapTop + geometry.height) {
      return { offset: offsetAt(geometry, x - left, y - mapTop), order: undefined };
    }
    const order = top - Math.floor(y / rowHeight);
    return order < bottom || y >= mapTop ? undefined : { offset: Math.floor(this.addressAt(x)), order };
  }

  /** Draws the sums of all regions: a picture with one pixel per region, enlarged. */
  #drawRegions(context: CanvasRenderingContext2D, { geometry, mapTop }: Frame, scene: Scene): void {
    const { from, units, columnOrder, rows, columnWidth, pixels, height } = geometry;
    const column = 2 ** columnOrder;
    const first = Math.floor(from / column);
    const columns = Math.ceil((from + units) / column) - first;
    const region = column / rows;
    const sums = new RegionSums(scene.state, first * column, region, columns * rows);
    const image = new ImageData(columns, rows);
    const pixelsOf = new Uint32Array(image.data.buffer);
    const shades = shadesOf(scene.palette);
    for (let x = 0, i = 0; x < columns; x++) {
      for (let y = 0; y < rows; y++, i++) {
        const used = sums.used[i];
        const order = used === 0 ? 0 : Math.min(LARGE, Math.round(Math.log2(used / sums.blocks[i])));
        // Even one unit in use is visible.
        const full = used === 0 ? 0 : Math.max(2, Math.ceil((used / region) * FULL));
        pixelsOf[y * columns + x] = shades[order * (FULL + 1) + full];
      }
    }
    this.#regions.width = columns;
    this.#regions.height = rows;
    this.#regions.getContext('2d')?.putImageData(image, 0, 0);
    context.imageSmoothingEnabled = false;
    const x = (first * column - from) * pixels;
    context.drawImage(this.#regions, x, mapTop, columns * columnWidth, height);
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

/** Steps between the colours of free and used memory. */
const FULL = 16;
let shades: { readonly palette: Palette; readonly table: Uint32Array } | undefined;

/** Colours of regions by order and fullness, as pixels. Made once for each palette. */
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

/** The colour of blocks of 2^order units. */
export function colourOf(palette: Palette, order: number): Colour {
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

/** Draws the tree, and the edges of the blocks on the map that are large enough. */
function drawBlocks(context: CanvasRenderingContext2D, frame: Frame, scene: Scene): void {
  const { geometry, mapTop, top, bottom, rowHeight } = frame;
  const { from, units, pixels, columnOrder, height } = geometry;
  const { palette } = scene;
  // The lowest order whose blocks have an edge, and the lowest whose nodes are drawn.
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
  block: MapBlock | undefined,
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

/** Draws offsets at round numbers, about every hundred pixels. */
function drawAxis(context: CanvasRenderingContext2D, frame: Frame, width: number, scene: Scene): void {
  const { from, units, pixels, height } = frame.geometry;
  const y = frame.mapTop + height;
  const distance = 2 ** Math.max(0, Math.ceil(Math.log2(90 / pixels)));
  context.fillStyle = css(scene.palette.muted);
  context.textBaseline = 'alphabetic';
  for (let offset = Math.ceil(from / distance) * distance; offset <= from + units; offset += distance) {
    const x = (offset - from) * pixels;
    context.textAlign = x < 20 ? 'left' : x > width - 20 ? 'right' : 'center';
    context.fillRect(Math.min(x, width - 1), y, 1, 4);
    context.fillText(short(offset), x, y + 16);
  }
}
