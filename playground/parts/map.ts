// The memory map with its buttons: zoom and pan, select a block, free it.

import type { App } from '../app.ts';
import { count, percent, units } from '../format.ts';
import { blockOf, walkTree } from '../model/words.ts';
import { need } from '../view/dom.ts';
import { bindMap } from '../view/map-input.ts';

export function bindMapPart(app: App): void {
  const { canvas, map } = app;
  const text = need('map-text', HTMLElement);
  const freeButton = need('free', HTMLButtonElement);

  const select = (offset: number): void => {
    app.cursor = offset;
    const block = blockOf(app.state, offset);
    const range = `${units(block.size)} at ${count(block.offset)}`;
    if (block.kind !== 'live') app.say(`Free: ${range}.`);
    else {
      const bytes = app.session.timeline.bytesAt(block.offset);
      app.say(`Block of ${range}, for a request of ${count(bytes)} bytes. Enter, or “Free block”, frees it.`);
    }
    app.wake();
  };
  const free = (offset: number): void => app.edit((session) => session.free(offset));
  const freeSelected = (): void => {
    if (app.selected !== undefined) free(app.selected.offset);
    else app.say('No block is selected: N and P go to the next and the previous one.');
  };

  const step = (direction: 1 | -1): void => {
    const found = nextLive(app, direction);
    if (found === undefined) {
      app.say(direction > 0 ? 'No live block comes after this one.' : 'No live block comes before this one.');
      return;
    }
    app.viewport.reveal(found);
    select(found);
  };

  const click = (x: number, y: number): void => {
    const hit = map.hit(x, y);
    if (hit === undefined || hit.offset < 0 || hit.offset >= app.viewport.capacity) return;
    const { offset, order } = hit;
    const block = blockOf(app.state, offset);
    if (order !== undefined && 2 ** order > block.size) {
      const size = 2 ** order;
      app.viewport.show(offset - (offset % size), size);
      app.wake();
    } else if (block.kind === 'live' && app.session.byHand) {
      app.cursor = offset;
      free(block.offset);
    } else select(offset);
  };

  const moved = (): void => app.wake();
  bindMap(need('map-frame', HTMLElement), canvas, map, {
    viewport: () => app.viewport,
    moved,
    hovered: (point) => {
      const hit = point && map.hit(point.x, point.y);
      canvas.title = hit === undefined ? '' : describeAt(app, hit.offset);
    },
    clicked: click,
    step,
    act: freeSelected,
  });

  const zoom = (factor: number) => () => {
    const { viewport } = app;
    const { selected } = app;
    const middle = viewport.from + viewport.units / 2;
    const isSeen =
      selected !== undefined && selected.offset >= viewport.from && selected.offset < viewport.end;
    viewport.zoom(factor, isSeen ? selected.offset : middle);
    moved();
  };
  const buttons: Record<string, () => void> = {
    'zoom-in': zoom(1 / 2),
    'zoom-out': zoom(2),
    whole: zoom(Number.POSITIVE_INFINITY),
    previous: () => step(-1),
    next: () => step(1),
    free: freeSelected,
  };
  for (const [id, act] of Object.entries(buttons)) need(id, HTMLButtonElement).addEventListener('click', act);

  app.add(() => {
    freeButton.disabled = app.selected === undefined;
    text.textContent = describeView(app);
  });
}

/** Offset of the live block after or before the cursor; without a cursor, of the first or last one. */
function nextLive({ state, cursor, viewport }: App, direction: 1 | -1): number | undefined {
  const here = cursor === undefined ? undefined : blockOf(state, cursor);
  let next = direction > 0 ? (here ? here.offset + here.size : 0) : (here?.offset ?? viewport.capacity) - 1;
  while (next >= 0 && next < viewport.capacity) {
    const { kind, offset, size } = blockOf(state, next);
    if (kind === 'live') return offset;
    next = direction > 0 ? offset + size : offset - 1;
  }
  return undefined;
}

function describeAt({ state, viewport, session }: App, at: number): string {
  if (at < 0 || at >= viewport.capacity) return '';
  const { kind, offset, size } = blockOf(state, at);
  const range = `${units(size)} at ${count(offset)}`;
  return kind === 'live'
    ? `${range}, ${count(session.timeline.bytesAt(offset))} bytes asked for`
    : `free: ${range}`;
}

/** The content of the map as text, for users who cannot see it: its range, and the largest blocks in it. */
function describeView({ state, viewport, session }: App): string {
  const { from, end, capacity } = viewport;
  const { allocator } = session.timeline.ours;
  const range = `Units ${count(Math.floor(from))} to ${count(Math.ceil(end) - 1)} of ${count(capacity)}.`;
  const used = percent(1 - allocator.freeUnits / capacity);
  const seen: string[] = [];
  const lowest = Math.max(0, Math.floor(Math.log2(viewport.units)) - 4);
  walkTree(state, from, end, lowest, (kind, offset, order) => {
    if (kind === 'split' && order > lowest) return;
    const what = kind === 'split' ? 'smaller blocks' : kind;
    seen.push(`${what} ${count(offset)} to ${count(offset + 2 ** order - 1)}`);
  });
  return `${range} ${used} of the arena in use. From left to right: ${seen.join('; ')}.`;
}
