// The state that the parts of the page share: the session, the view of it, and the loop that draws both.

import { count } from './format.ts';
import { describe } from './model/describe.ts';
import { Session } from './model/session.ts';
import { blockOf } from './model/words.ts';
import { need } from './view/dom.ts';
import { MapView } from './view/map.ts';
import { type Palette, palette } from './view/theme.ts';
import { Viewport } from './view/viewport.ts';

/** Milliseconds between two updates of the figures while operations run: as often as they can be read. */
const READABLE = 100;

/** A part of the page that shows the session. */
export type Panel = (app: App) => void;

export class App {
  readonly canvas = need('map', HTMLCanvasElement);
  readonly map = new MapView(this.canvas);
  session = Session.example(1024);
  viewport = new Viewport(1024);
  palette: Palette = palette();
  /** Operations per second. */
  speed = 100;
  /** Offset of the cursor; undefined if there is no cursor. */
  cursor: number | undefined;
  /** What to say at the position to which the session moves when it is opened. */
  #greeting = { at: 0, text: '' };
  readonly #status = need('status', HTMLElement);
  readonly #panels: Panel[] = [];
  #frame = 0;
  #lastFrame = 0;
  #lastPanels = 0;
  /** Whether operations ran in the last frame: when they stop, the status line tells the last one. */
  #wasMoving = false;

  /** Adds a part, which is called after every change. */
  add(panel: Panel): void {
    this.#panels.push(panel);
  }

  get state(): Int32Array {
    return this.session.timeline.ours.state;
  }

  /** The live block at the cursor; undefined if there is none. */
  get selected(): { offset: number; size: number } | undefined {
    if (this.cursor === undefined) return undefined;
    const block = blockOf(this.state, this.cursor);
    return block.kind === 'live' ? block : undefined;
  }

  /** Shows another session. Once it has come to its target, the status line says `greeting`. */
  open(session: Session, greeting: string): void {
    this.#greeting = { at: session.target, text: greeting };
    if (session.timeline.capacity !== this.viewport.capacity) {
      this.viewport = new Viewport(session.timeline.capacity);
    }
    this.session = session;
    this.cursor = undefined;
    this.#wasMoving = false;
    if (!session.isMoving) this.sayLast();
    this.wake();
  }

  /** Writes `text` to the status line, which screen readers announce. */
  say(text: string): void {
    this.#status.textContent = text;
  }

  /** Describes the last operation in the status line. */
  sayLast(): void {
    const { timeline } = this.session;
    const { last, position } = timeline;
    const { at, text } = this.#greeting;
    this.#greeting = { at: 0, text: '' };
    if (text !== '' && position === at) this.say(text);
    else if (last === undefined)
      this.say(position === 0 ? 'The arena is empty.' : `After ${count(position)} operations.`);
    else this.say(describe(last, this.state, timeline.ours.allocator.largestFree));
  }

  /** Changes the arena by hand, and describes the result. */
  edit(change: (session: Session) => void): void {
    const { session } = this;
    const left = session.byHand ? 0 : session.length - session.timeline.position;
    change(session);
    this.#wasMoving = false;
    this.sayLast();
    if (left > 0) {
      this.say(
        `${this.#status.textContent} From here on by hand: the other ${count(left)} operations are dropped.`,
      );
    }
    this.wake();
  }

  /** Draws everything with the next frame. */
  wake(): void {
    if (this.#frame === 0) this.#frame = requestAnimationFrame((now) => this.#draw(now));
  }

  #draw(now: number): void {
    this.#frame = 0;
    const { session } = this;
    const moving = session.isMoving;
    if (moving) {
      session.tick(this.#wasMoving ? now - this.#lastFrame : 16, this.speed);
      this.wake();
    } else if (this.#wasMoving) this.sayLast();
    this.#wasMoving = moving;
    this.#lastFrame = now;
    this.#drawMap();
    if (moving && now - this.#lastPanels < READABLE) return;
    this.#lastPanels = now;
    for (const panel of this.#panels) panel(this);
  }

  #drawMap(): void {
    const { state, viewport, palette, selected, session } = this;
    const { last } = session.timeline;
    const latest = last === undefined || last.offset < 0 ? undefined : blockOf(state, last.offset);
    const onMap = (block: { offset: number; size: number } | undefined) =>
      block && { offset: block.offset, order: Math.log2(block.size) };
    this.map.draw({ state, viewport, palette, selected: onMap(selected), latest: onMap(latest) });
  }
}
