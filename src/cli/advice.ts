// The output of `buddy advise`.

import type { Advice, Reason, Remedy, UnitFigures, Verdict } from '../trace.ts';
import type { Candidate, Comparison } from './allocators/compare.ts';
import { NAMES } from './allocators/names.ts';
import { type Paint, verdictIn } from './drawing.ts';
import { gapFigures } from './figures.ts';
import { bytes, count, percent, plural } from './format.ts';
import { lines, table } from './table.ts';

/**
 * Advice as text: the verdict, the recommendation, the reasons, the remedies, the other allocators, and the figures
 * behind all that. Sentences are `width` characters wide.
 */
export function adviceSummary(advice: Advice, comparison: Comparison, width: number, paint: Paint): string {
  const list = (title: string, items: readonly string[]): string =>
    [paint.bold(title), ...items.map((item) => wrap(item, width))].join('\n');
  const reasons = advice.reasons.map((reason) => because(reason, advice));
  const help = helps(advice);
  const parts = [
    `${sentence(advice.verdict, paint)}\n${takeSentence(comparison)}`,
    recommendation(advice, paint),
    list('why', reasons),
    list('which to take', choices(comparison)),
    allocators(comparison, advice),
  ];
  if (help.length > 0) parts.splice(3, 0, list('what helps', help));
  parts.push(`${paint.bold('units')}\n${units(advice)}`);
  if (advice.sizes.length > 0) parts.push(`${paint.bold('sizes')}\n${sizes(advice)}`);
  return `${parts.join('\n\n')}\n`;
}

/** The verdict as a sentence, in its colour. */
function sentence(verdict: Verdict, paint: Paint): string {
  return paint.bold(verdictIn(verdict, `The buddy system ${verdict}.`, paint));
}

/** The choice in one sentence. */
function takeSentence({ take: { memory, offsets } }: Comparison): string {
  const names = { buddy: 'blocks', heap: 'a Heap', ranges: 'ranges' };
  return memory === offsets
    ? `Take ${names[memory]}.`
    : `Take ${names[memory]} for memory, ${names[offsets]} for offsets into something else.`;
}

/** Which allocator to take for what, as sentences with the reason. */
function choices({ candidates, take }: Comparison): string[] {
  const [buddies, exact, slabs] = candidates;
  const than = (one: Candidate, other: Candidate): string =>
    `${bytes(one.totalBytes)}, ${(one.totalBytes / other.totalBytes).toFixed(2)} times the bytes of`;
  const memory = (): string => {
    if (take.memory === 'heap')
      return `a Heap: ${than(slabs, buddies)} blocks. Its size classes round by an eighth at most.`;
    if (slabs.failures > 0) return `blocks: ${bytes(buddies.totalBytes)}. A Heap has no more than 4 GiB.`;
    return `blocks: ${than(buddies, slabs)} a Heap, and every call takes bounded time.`;
  };
  const offsets =
    take.offsets === 'ranges'
      ? `ranges: ${than(exact, buddies)} blocks. They are not rounded, but release wants their sizes.`
      : `blocks: ${than(buddies, exact)} ranges, and free wants no sizes.`;
  return [`For memory, take ${memory()}`, `For offsets, as in a file or a GPU buffer, take ${offsets}`];
}

/** The table of allocators. */
function allocators({ candidates, take }: Comparison, { firstFitBytes, peakLiveBytes }: Advice): string {
  const row = ({ name, unit, totalBytes, stateBytes, ratio, failures }: Candidate): string[] => {
    const title = `${name === take.memory || name === take.offsets ? '→ ' : ''}${NAMES[name]}`;
    if (failures > 0) return [title, bytes(unit), 'no room', '', '', ''];
    const perLive = (totalBytes / peakLiveBytes).toFixed(2);
    return [title, bytes(unit), bytes(totalBytes), bytes(stateBytes), perLive, ratio.toFixed(2)];
  };
  const firstFit = [
    'first fit',
    '16 B',
    bytes(firstFitBytes),
    '',
    (firstFitBytes / peakLiveBytes).toFixed(2),
    '1.00',
  ];
  return table(
    ['allocator', 'unit', 'takes', 'state', '/ live', '/ first fit'],
    [...candidates.map(row), firstFit],
    ['left', ...Array.from({ length: 5 }, () => 'right' as const)],
  );
}

/** The recommended unit and capacity, and the peak of the trace. */
function recommendation(advice: Advice, paint: Paint): string {
  const { recommended, operations, peakLiveBytes } = advice;
  const { unit, smallest, powerOfTwo } = recommended;
  const arena = ({ capacity, arenaBytes, stateBytes }: typeof smallest): string =>
    `${plural(capacity, 'unit')} (${bytes(arenaBytes)}, and ${bytes(stateBytes)} of state)`;
  return lines(
    [
      { name: 'operations', value: count(operations) },
      ...gapFigures(advice),
      { name: 'peak live', value: `${plural(peakLiveBytes, 'byte')} (${bytes(peakLiveBytes)})` },
      { name: 'unit', value: bytes(unit) },
      { name: 'capacity', value: arena(smallest) },
      { name: 'as 2^k', value: arena(powerOfTwo) },
    ],
    paint,
  );
}

/** A reason as a sentence. */
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
      return `Requests for ${plural(reason.bytes, 'byte')} lose ${percent(reason.share)} of that: each takes ${count(reason.blockBytes)}.`;
    case 'GAPS':
      return `Gaps between blocks are ${percent(reason.share)} of arena and state, even at the peak: ${bytes(reason.bytes)}.`;
    case 'STATE':
      return `The allocator's state is ${percent(reason.share)} of arena and state: ${bytes(reason.bytes)}.`;
  }
}

/** The remedies as sentences, and their joint effect. */
function helps({ remedies, remedied, firstFitBytes }: Advice): string[] {
  const items = remedies.map(remedyText);
  if (remedied !== null) {
    const all = items.length === 1 ? 'that' : 'all of these';
    const ratio = (remedied.totalBytes / firstFitBytes).toFixed(2);
    items.push(
      `With ${all}, a replay takes ${bytes(remedied.totalBytes)}, ${ratio} times the first-fit heap: ${remedied.verdict}.`,
    );
  }
  return items;
}

/** A remedy as a sentence. */
function remedyText(remedy: Remedy): string {
  const { liveAtPeak, blockBytes, savesBytes } = remedy;
  const blocks = `${plural(liveAtPeak, 'block')} of ${plural(remedy.bytes, 'byte')}`;
  const saves = `saves ${bytes(savesBytes)} of blocks`;
  switch (remedy.kind) {
    case 'SHRINK':
      return (
        `${blocks}: ask for ${plural(remedy.excessBytes, 'byte')} less (keep a header elsewhere, for example), ` +
        `and each takes ${count(blockBytes / 2)} instead of ${count(blockBytes)}; ${saves}.`
      );
    case 'SLAB':
      return `${blocks}: cut them from slabs, instead of ${plural(blockBytes, 'byte')} for each; ${saves}.`;
    case 'SPLIT': {
      const [first, second] = remedy.pieces.map(count);
      return `${blocks}: ask for two parts, which take ${first} and ${second} instead of ${count(blockBytes)}; ${saves}.`;
    }
  }
}

/** The table of units. */
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

/** The table of sizes. */
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

/** An item of a list, in lines of at most `width` characters unless a single word is longer. */
function wrap(text: string, width: number): string {
  const wrapped: string[] = [];
  let line = '-';
  // A number stays on the line of its unit.
  for (const word of text.split(/ (?!%|[KMGTPE]?i?B\b)/)) {
    if (line.length + 1 + word.length > width && line.length > 1) {
      wrapped.push(line);
      line = ' ';
    }
    line += ` ${word}`;
  }
  return [...wrapped, line].join('\n');
}
