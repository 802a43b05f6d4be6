// Selects the operations to show (by hand, random, a bundled trace or a file) and the size of the arena.

import { fitCapacity, type Trace } from '../../src/trace.ts';
import type { App } from '../app.ts';
import { bytes, count, plural } from '../format.ts';
import { fullest, Operations, UNIT } from '../model/operations.ts';
import { randomEntries } from '../model/random.ts';
import { Session } from '../model/session.ts';
import { fetchTrace, isBundled, readFile } from '../model/sources.ts';
import { make, need } from '../view/dom.ts';
import { bindFiles } from './files.ts';
import { complain, dismiss } from './problem.ts';
import { speedFor } from './transport.ts';

/** log2 of the smallest and the largest arena. */
const SMALLEST = 5;
const LARGEST = 26;
const BY_HAND = 2 ** 10;
const RANDOM = 2 ** 16;
/** What the page shows unless its address names something. */
const FIRST = 'gcc';
const EXAMPLE = 'Some blocks to start with. Allocate more, or click one to free it.';

export function bindSources(app: App): void {
  const source = need('source', HTMLSelectElement);
  const capacity = need('capacity', HTMLSelectElement);
  const fileOption = source.querySelector<HTMLOptionElement>('option[value=file]');
  /** The value of `source` for the operations that are shown: it returns to it if loading others fails. Undefined at first. */
  let shown: string | undefined;
  /** The operations that are shown; undefined if they are by hand. */
  let entries: Int32Array | undefined;
  let file: File | undefined;
  /** Counts the choices, so that a trace that arrives after another choice is dropped. */
  let asked = 0;

  const listCapacities = (chosen: number, fits?: number): void => {
    const orders = Array.from({ length: LARGEST - SMALLEST + 1 }, (_, i) => SMALLEST + i);
    capacity.replaceChildren(
      ...orders.map((order) => {
        const units = 2 ** order;
        const note = units === fits ? ', all fits' : '';
        return make('option', { value: String(units) }, `${count(units)} units (${bytes(units)}${note})`);
      }),
    );
    capacity.value = String(chosen);
  };

  const show = (value: string, operations: Int32Array | undefined, units: number, greeting: string): void => {
    shown = value;
    source.value = value;
    entries = operations;
    if (operations === undefined) app.open(Session.example(units), greeting);
    else {
      const session = new Session(new Operations(operations), units, false);
      session.seek(fullest(operations));
      app.open(session, `${greeting} This is the fullest moment.`);
    }
    app.speed = speedFor(app.session.length);
    keepInAddress(value);
  };

  /** Reads a trace and shows it. If that fails, the page keeps showing the present operations. */
  const load = async (name: string, value: string, read: () => Promise<Trace>): Promise<void> => {
    const ticket = ++asked;
    app.say(`Reading ${name} …`);
    try {
      const trace = await read();
      if (ticket !== asked) return;
      const fits = fitCapacity(trace, UNIT);
      const units = Math.min(2 ** LARGEST, Math.max(2 ** SMALLEST, fits));
      show(value, trace.ops, units, `${name}: ${plural(trace.ops.length, 'operation')}, ready to play.`);
      listCapacities(units, fits);
    } catch (error) {
      if (ticket !== asked) return;
      complain(error instanceof Error ? error.message : String(error));
      if (shown === undefined) show('hand', undefined, BY_HAND, EXAMPLE);
      else app.say('The page still shows what it showed before.');
      source.value = shown ?? 'hand';
    }
  };

  const openFile = async (chosen: File): Promise<void> => {
    dismiss();
    await load(chosen.name, 'file', async () => {
      const trace = await readFile(chosen);
      file = chosen;
      if (fileOption !== null) {
        fileOption.hidden = false;
        fileOption.textContent = chosen.name;
      }
      return trace;
    });
  };

  const choose = (value: string): void => {
    dismiss();
    asked++;
    if (isBundled(value)) {
      void load(source.selectedOptions[0].textContent ?? value, value, () => fetchTrace(value));
    } else if (value === 'file' && file !== undefined) void openFile(file);
    else if (value === 'random') {
      show(value, randomEntries(RANDOM), RANDOM, 'Random requests, ready to play.');
      listCapacities(RANDOM);
    } else {
      show('hand', undefined, BY_HAND, EXAMPLE);
      listCapacities(BY_HAND);
    }
  };

  source.addEventListener('change', () => choose(source.value));
  capacity.addEventListener('change', () => {
    const units = Number(capacity.value);
    const operations = source.value === 'random' ? randomEntries(units) : entries;
    show(source.value, operations, units, `An arena of ${count(units)} units.`);
  });
  bindFiles((chosen) => void openFile(chosen));
  // Operations by hand have changed the trace: from now on it is shown as "by hand".
  app.add(({ session }) => {
    if (!session.byHand || shown === undefined || shown === 'hand') return;
    shown = 'hand';
    source.value = shown;
    entries = undefined;
    keepInAddress(shown);
  });

  const openAddress = (): void => {
    const wanted = location.hash.slice(1);
    if (wanted === shown) return;
    source.value = isBundled(wanted) || wanted === 'random' || wanted === 'hand' ? wanted : FIRST;
    choose(source.value);
  };
  addEventListener('hashchange', openAddress);
  listCapacities(BY_HAND);
  openAddress();
}

/** Has the page's address lead to what is shown. A file of the user's own has no address. */
function keepInAddress(value: string): void {
  history.replaceState(null, '', value === 'file' ? location.pathname : `#${value}`);
}
