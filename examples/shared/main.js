// The page: starts the workers, allocates and frees like them, shows the arena, and recovers the blocks of dead
// workers.

import { SharedBuddyAllocator } from '/dist/shared.js';
import { FIGURES, markOf, Tenant } from './tenant.js';

const WORKERS = 4;
const PAGE = 0; // the page's row; the workers have 1 … WORKERS
const COLOURS = ['#1f5fa8', '#198a7a', '#d9730d', '#8a4fb3', '#b8860b'];
const FREE = '#e8ebee';
const STEPS_A_FRAME = 40;

const $ = (id) => document.getElementById(id);
const element = (name, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};
const number = new Intl.NumberFormat('en');

/** A row of the table, with its worker, which lives, dies, is recovered and started again. */
class Row {
  #worker = null;
  #workerId = 0;
  #lives = 0;

  constructor(mark, shared) {
    this.mark = mark;
    this.shared = shared;
    this.figures = shared.figures.subarray(mark * FIGURES.stride, (mark + 1) * FIGURES.stride);
    this.cells = ['operations', 'full', 'blocks'].map(() => element('td'));
    this.state = element('td');
    this.button = element('button', { type: 'button', disabled: true, textContent: 'Terminate' });
    const name = mark === PAGE ? 'This page' : `Worker ${mark}`;
    const swatch = element('span', { className: 'swatch' });
    swatch.style.background = COLOURS[mark];
    const button = element('td', {}, mark === PAGE ? '' : this.button);
    $('tenants').append(
      element('tr', {}, element('td', {}, swatch, name), ...this.cells, this.state, button),
    );
  }

  show() {
    this.cells.forEach((cell, figure) => {
      cell.textContent = number.format(this.figures[figure]);
    });
  }

  /** Labels the button and sets its action. Without `action` it is disabled. */
  #offer(label, action) {
    this.button.textContent = label;
    this.button.disabled = action === undefined;
    this.button.onclick = action;
  }

  start() {
    const { arena, data, stop, share } = this.shared;
    const lock = `worker ${this.mark}, life ${++this.#lives}`;
    this.#worker = new Worker('worker.js', { type: 'module' });
    this.#worker.onerror = ({ message }) => problem(`Worker ${this.mark}: ${message}`);
    this.#worker.onmessage = ({ data: { workerId } }) => {
      if (workerId === undefined) {
        this.state.textContent = 'has freed everything';
        return this.#finished();
      }
      this.#workerId = workerId;
      this.state.textContent = 'at work';
      this.#offer('Terminate', () => this.#terminate(lock));
    };
    this.finished = new Promise((resolve) => {
      this.#finished = resolve;
    });
    this.state.textContent = 'starting';
    this.#offer('Terminate');
    this.#worker.postMessage({
      ...{ buffer: arena.buffer, data, figures: this.figures, stop, mark: this.mark, share, lock },
    });
  }
  #finished = () => {};

  /**
   * Browsers do not tell when a terminated worker has stopped, which may take seconds. But they release its locks
   * then.
   */
  async #terminate(lock) {
    this.#worker.terminate();
    this.#offer('Terminating…');
    this.state.textContent = 'being terminated';
    await navigator.locks.request(lock, () => {});
    this.state.textContent = 'dead; its blocks are still live';
    this.#offer('Recover', () => this.#recover());
    this.#finished();
  }

  #recover() {
    const { blocks, units, complete } = this.shared.arena.recover(this.#workerId);
    if (!complete) {
      // Another worker was at work where this one died.
      setTimeout(() => this.#recover());
      return;
    }
    this.figures[FIGURES.blocks] = 0;
    this.state.textContent = `recovered: ${blocks} blocks, ${units} units`;
    this.#offer('Start', () => this.start());
  }
}

function problem(text) {
  $('problem').textContent = text;
  $('problem').hidden = false;
}

/** Draws the arena: a pixel for each unit, in the colour of its holder. */
function drawMap(arena, data) {
  const canvas = $('map');
  const context = canvas.getContext('2d');
  const run = (from, to, colour) => {
    context.fillStyle = colour;
    while (from < to) {
      const x = from % canvas.width;
      const end = Math.min(to, from - x + canvas.width);
      context.fillRect(x, Math.floor(from / canvas.width), end - from, 1);
      from = end;
    }
  };
  for (const { offset, size, free } of arena.blocks()) {
    run(offset, offset + size, free ? FREE : COLOURS[markOf(data[offset])]);
  }
}

function start() {
  const canvas = $('map');
  const capacity = canvas.width * canvas.height;
  const shared = {
    arena: SharedBuddyAllocator.create({ capacity, trackOwners: true, maxWorkers: WORKERS + 1 }),
    data: new Int32Array(new SharedArrayBuffer(4 * capacity)),
    figures: new Int32Array(new SharedArrayBuffer(4 * FIGURES.stride * (WORKERS + 1))),
    stop: new Int32Array(new SharedArrayBuffer(4)),
    share: (0.7 * capacity) / (WORKERS + 1),
  };
  const { arena, data, stop } = shared;
  const rows = Array.from({ length: WORKERS + 1 }, (_, mark) => new Row(mark, shared));
  const [page, ...workers] = rows;
  const own = new Tenant({ ...shared, mark: PAGE, figures: page.figures });
  page.state.textContent = 'at work, never waiting';
  for (const worker of workers) worker.start();
  for (const [colour, name] of [[FREE, 'free'], ...rows.map(({ mark }) => [COLOURS[mark], mark || 'page'])]) {
    const swatch = element('span', { className: 'swatch' });
    swatch.style.background = colour;
    $('legend').append(element('span', {}, swatch, typeof name === 'number' ? `worker ${name}` : name));
  }

  const sum = (figure) => rows.reduce((total, { figures }) => total + figures[figure], 0);
  const showFigures = () => {
    for (const row of rows) row.show();
    const { liveBlocks, usedUnits, largestFree } = arena.stats();
    $('blocks').textContent = number.format(liveBlocks);
    $('used').textContent = `${((100 * usedUnits) / capacity).toFixed(0)} %`;
    $('largest').textContent = number.format(largestFree);
    $('damaged').textContent = number.format(sum(FIGURES.damaged));
  };
  let counted = { operations: 0, time: performance.now() };
  setInterval(() => {
    const now = { operations: sum(FIGURES.operations), time: performance.now() };
    const rate = ((now.operations - counted.operations) / (now.time - counted.time)) * 1000;
    $('rate').textContent = number.format(Math.round(rate));
    counted = now;
    showFigures();
  }, 250);
  const frame = () => {
    for (let i = 0; i < STEPS_A_FRAME && stop[0] === 0; i++) own.step();
    drawMap(arena, data);
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);

  $('finish').onclick = async () => {
    $('finish').disabled = true;
    Atomics.store(stop, 0, 1);
    Atomics.notify(stop, 0);
    own.freeAll();
    page.state.textContent = 'has freed everything';
    await Promise.all(workers.map(({ finished }) => finished));
    showFigures();
    const wrong = arena.check();
    const { liveBlocks } = arena.stats();
    const whole = arena.alloc(capacity);
    if (whole === 0) arena.free(whole);
    $('verdict').textContent =
      wrong.length === 0 && liveBlocks === 0 && whole === 0
        ? `In order: nothing is live, and all ${number.format(capacity)} units can be allocated as one block.`
        : `${liveBlocks} blocks are still live. ${wrong.join('. ')}`;
  };
}

if (self.crossOriginIsolated) start();
else problem('This page is not cross-origin isolated, so it has no shared memory. Serve it with serve.mjs.');
