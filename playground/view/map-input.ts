// Pointers, the wheel and keys on the map.

import type { MapView } from './map.ts';
import type { Viewport } from './viewport.ts';

/** The actions of the map. Points are in CSS pixels on the canvas. */
export interface MapActions {
  readonly viewport: () => Viewport;
  /** Called when the visible part of the arena has changed. */
  readonly moved: () => void;
  readonly hovered: (point: { x: number; y: number } | undefined) => void;
  readonly clicked: (x: number, y: number) => void;
  /** Moves the cursor to the next live block, or the previous one. */
  readonly step: (direction: 1 | -1) => void;
  /** Frees the block under the cursor. */
  readonly act: () => void;
}

/** Pixels that a pointer may move before a click becomes a drag. */
const SLOP = 5;

/** The action of each key. The page's help describes the same keys. */
function keysFor({ viewport, moved, step, act }: MapActions): Record<string, () => void> {
  const change = (by: (view: Viewport) => void) => () => {
    by(viewport());
    moved();
  };
  const pan = (part: number) => change((view) => view.pan(view.units * part));
  const zoom = (factor: number) => change((view) => view.zoom(factor, view.from + view.units / 2));
  return {
    ArrowLeft: pan(-1 / 8),
    ArrowRight: pan(1 / 8),
    ArrowUp: zoom(1 / 1.5),
    ArrowDown: zoom(1.5),
    '+': zoom(0.5),
    '-': zoom(2),
    Home: change((view) => view.pan(-view.capacity)),
    End: change((view) => view.pan(view.capacity)),
    '0': zoom(Number.POSITIVE_INFINITY),
    n: () => step(1),
    p: () => step(-1),
    Enter: act,
    Delete: act,
  };
}

/** Binds the keys to `frame`, which takes the focus, and pointers and wheel to the canvas in it. */
export function bindMap(
  frame: HTMLElement,
  canvas: HTMLCanvasElement,
  view: MapView,
  actions: MapActions,
): void {
  const keys = keysFor(actions);
  frame.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !Object.hasOwn(keys, event.key)) return;
    event.preventDefault();
    keys[event.key]();
  });
  // A plain wheel scrolls the page. A pinch on a touchpad arrives as a wheel event with Ctrl.
  canvas.addEventListener(
    'wheel',
    (event) => {
      const sideways = event.shiftKey ? event.deltaX || event.deltaY : event.deltaX;
      if (event.ctrlKey || event.metaKey) {
        actions.viewport().zoom(2 ** (event.deltaY / 120), view.addressAt(event.offsetX));
      } else if (Math.abs(sideways) > Math.abs(event.shiftKey ? 0 : event.deltaY)) {
        actions.viewport().pan(sideways * view.unitsPerPixel);
      } else return;
      event.preventDefault();
      actions.moved();
    },
    { passive: false },
  );
  bindPointers(canvas, view, actions);
}

/** One pointer pans and clicks; two pointers also zoom. */
function bindPointers(canvas: HTMLCanvasElement, view: MapView, actions: MapActions): void {
  const down = new Map<number, { x: number; y: number }>();
  let dragged = false;
  canvas.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    down.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
    dragged = down.size > 1;
  });
  canvas.addEventListener('pointermove', (event) => {
    const { offsetX: x, offsetY: y, pointerId } = event;
    const last = down.get(pointerId);
    if (last === undefined) {
      actions.hovered({ x, y });
      return;
    }
    if (!dragged && Math.hypot(x - last.x, y - last.y) < SLOP) return;
    dragged = true;
    const other = [...down].find(([id]) => id !== pointerId)?.[1];
    const viewport = actions.viewport();
    if (other === undefined) viewport.pan((last.x - x) * view.unitsPerPixel);
    else {
      const apart = Math.max(1, Math.abs(x - other.x));
      viewport.zoom(Math.max(1, Math.abs(last.x - other.x)) / apart, view.addressAt((x + other.x) / 2));
    }
    down.set(pointerId, { x, y });
    actions.moved();
  });
  canvas.addEventListener('pointerup', (event) => {
    if (down.delete(event.pointerId) && !dragged) actions.clicked(event.offsetX, event.offsetY);
  });
  canvas.addEventListener('pointercancel', (event) => down.delete(event.pointerId));
  canvas.addEventListener('pointerleave', () => actions.hovered(undefined));
}
