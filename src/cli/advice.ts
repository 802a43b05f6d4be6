// What `buddy advise` prints.

import type { Advice, Reason, Remedy, UnitFigures, Verdict } from '../trace.ts';
import type { Paint } from './drawing.ts';
import { bytes, count, percent, plural } from './format.ts';
import { lines, table } from './table.ts';

/** Advice as text, its sentences `width` characters wide: the recommendation, why, what helps, and the figures behind it. */
export function adviceSummary(advice: Advice, width: number, paint: Paint): string {
  const list = (title: string, items: readonly string[]): string =>
    [paint.bold(title), ...items.map((item) => wrap(item, width))].join('\n');
  const reasons = advice.reasons.map((reason) => because(reason, advice));
  const help = helps(advice);
  const parts = [sentence(advice.verdict, paint), recommendation(advice, paint), list('why', reasons)];
  if (help.length > 0) parts.push(list('what helps', help));
  parts.push(`${paint.bold('units')}\n${units(advice)}`);
  if (advice.sizes.length > 0) parts.push(`${paint.bold('sizes')}\n${sizes(advice)}`);
  return `${parts.join('\n\n')}\n`;
}

function sentence(verdict: Verdict, paint: Paint): string {
  const color = { 'suits well': paint.green, 'suits, at a price': paint.yellow, 'does not suit': paint.red };
  return paint.bold(color[verdict](`The buddy system ${verdict}.`));
}

function recommendation({ recommended, operations, peakLiveBytes }: Advice, paint: Paint): string {
  const { unit, smallest, powerOfTwo } = recommended;
  const arena = ({ capacity, arenaBytes, stateBytes }: typeof smallest): string =>
    `${plural(capacity, 'unit')} (${bytes(arenaBytes)}, and ${bytes(stateBytes)} of state)`;
  return lines(
    [
      { name: 'operations', value: count(operations) },
      { name: 'peak live', value: `${plural(peakLiveBytes, 'byte')} (${bytes(peakLiveBytes)})` },
      { name: 'unit', value: bytes(unit) },
      { name: 'capacity', value: arena(smallest) },
      { name: 'as 2^k', value: arena(powerOfTwo) },
    ],
    paint,
  );
}

function because(reason: Reason, { recommended, firstFitBytes, peakLiveBytes }: Advice): string {
  const { totalBytes } = recommended.smallest;
  switch (reason.code) {
    case 'FIRST_FIT':
      return (
        `Arena and state take ${bytes(totalBytes)}: ${reason.ratio.toFixed(2)} times the ${bytes(firstFitBytes)} ` +
        `of a first-fit heap, ${(totalBytes / peakLiveBytes).toFixed(2)} times the peak of the live bytes.`
      );
    case 'ROUNDING':
      return reason.bytes === 0
        ? 'Nothing is lost to rounding at the peak.'
        : `${percent(reason.share)} of the bytes in blocks at the peak are lost to rounding: ${bytes(reason.bytes)}.`;
    case 'SIZE':
      return `${percent(reason.share)} of that by requests for ${plural(reason.bytes, 'byte')}: each takes ${count(reason.blockBytes)}.`;
    case 'GAPS':
      return `${percent(reason.share)} of it all lies in gaps between blocks, even at the peak: ${bytes(reason.bytes)}.`;
    case 'STATE':
      return `${percent(reason.share)} of it all is the allocator's state: ${bytes(reason.bytes)}.`;
  }
}

function helps({ verdict, remedies, remedied, recommended, firstFitBytes }: Advice): string[] {
  const items = remedies.map(remedyText);
  if (remedied !== null) {
    const all = items.length === 1 ? 'that' : 'all of these';
    const ratio = (remedied.totalBytes / firstFitBytes).toFixed(2);
    items.push(
      `With ${all}, a replay takes ${bytes(remedied.totalBytes)}, ${ratio} times the first-fit heap: ${remedied.verdict}.`,
    );
  }
  if (verdict === 'does not suit') {
    const saved = bytes(recommended.smallest.totalBytes - firstFitBytes);
    items.push(
      `Or another allocator: one with headers and free lists (first fit, TLSF) saves about ${saved}.`,
    );
  }
  return items;
}

function remedyText(remedy: Remedy): string {
  const { liveAtPeak, blockBytes, savesBytes } = remedy;
  const blocks = `${plural(liveAtPeak, 'block')} of ${plural(remedy.bytes, 'byte')}`;
  const saves = `saves ${bytes(savesBytes)} of blocks`;
  switch (remedy.kind) {
    case 'SHRINK':
      return (
        `${blocks}: ${plural(remedy.excessBytes, 'byte')} fewer, such as a header kept elsewhere, ` +
        `and each takes ${count(blockBytes / 2)} instead of ${count(blockBytes)}; ${saves}.`
      );
    case 'SLAB':
      return `${blocks}: cut from slabs instead of ${plural(blockBytes, 'byte')} for each; ${saves}.`;
    case 'SPLIT': {
      const [first, second] = remedy.pieces.map(count);
      return `${blocks}: in two parts that take ${first} and ${second} instead of ${count(blockBytes)}; ${saves}.`;
    }
  }
}

function units({ units: rows, recommended, peakLiveBytes }: Advice): string {
  const row = (figures: UnitFigures): string[] => [
    `${figures === recommended ? '→ ' : ''}${bytes(figures.unit)}`,
    count(figures.smallest.capacity),
    bytes(figures.smallest.arenaBytes),
    bytes(figures.smallest.stateBytes),
    `2^${Math.log2(figures.powerOfTwo.capacity)}`,
    percent(figures.internalAtPeak),
    percent(figures.internalOverAll),
    (figures.smallest.totalBytes / peakLiveBytes).toFixed(2),
  ];
  return table(
    ['unit', 'capacity', 'arena', 'state', 'as 2^k', 'lost', 'mean', '/ live'],
    rows.map(row),
    Array.from({ length: 8 }, () => 'right'),
  );
}

function sizes({ sizes: rows }: Advice): string {
  return table(
    ['bytes', 'takes', 'allocations', 'at peak', 'lost', 'share', 'mean'],
    rows.map((size) => [
      count(size.bytes),
      count(size.blockBytes),
      count(size.allocations),
      count(size.liveAtPeak),
      bytes(size.wastedAtPeak),
      percent(size.shareAtPeak),
      percent(size.shareOverAll),
    ]),
    Array.from({ length: 7 }, () => 'right'),
  );
}

/** An item of a list in lines of at most `width` characters where its words allow it. */
function wrap(text: string, width: number): string {
  const wrapped: string[] = [];
  let line = '-';
  // A number stays with its unit.
  for (const word of text.split(/ (?!%|[KMGTPE]?i?B\b)/)) {
    if (line.length + 1 + word.length > width && line.length > 1) {
      wrapped.push(line);
      line = ' ';
    }
    line += ` ${word}`;
  }
  return [...wrapped, line].join('\n');
}
