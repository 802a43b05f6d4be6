// The results as one JSON document or as tables for a terminal.

import Table from 'cli-table3';
import { buddyMetadataBytes } from './contenders/buddy.ts';
import { OURS } from './contenders/index.ts';
import { reference, referenceMetadataBytes } from './contenders/reference.ts';
import type { Machine } from './machine.ts';
import type { Effort, Measurement } from './measure.ts';
import { NATIVE_NAME } from './native/native-program.ts';
import type { Summary } from './statistics.ts';

/** What came out for one workload. */
export interface WorkloadResult {
  readonly workload: string;
  /** Units in the arena. */
  readonly capacity: number;
  /** Operations that were timed. */
  readonly operations: number;
  readonly measurements: readonly Measurement[];
  /** Whether ours and the references placed every block alike. */
  readonly placementsAgree: boolean;
}

/** What one arena costs before it is used. */
export interface ArenaCost {
  readonly capacity: number;
  /** Bytes of metadata per unit. */
  readonly bytesPerUnit: Readonly<Record<string, number>>;
  /** Nanoseconds to create it. */
  readonly createNs: Readonly<Record<string, number>>;
}

/** Everything that a run of the benchmark found. */
export interface Report {
  readonly machine: Machine;
  /** The compiler of the C reference, or why there is none. */
  readonly native: string;
  readonly effort: Effort;
  readonly workloads: readonly WorkloadResult[];
  readonly arenas: readonly ArenaCost[];
}

/** Metadata and creation time for each size of arena among the results. */
export function arenaCosts(results: readonly WorkloadResult[]): ArenaCost[] {
  const bySize = new Map<number, WorkloadResult>();
  for (const result of results) if (!bySize.has(result.capacity)) bySize.set(result.capacity, result);
  const capacities = [...bySize.keys()].sort((a, b) => a - b);
  return capacities.map((capacity) => {
    const measurements = bySize.get(capacity)?.measurements ?? [];
    const placing = measurements.filter((one) => one.placesAsReference);
    return {
      capacity,
      bytesPerUnit: {
        [OURS.name]: buddyMetadataBytes(capacity) / capacity,
        [reference.name]: referenceMetadataBytes(capacity) / capacity,
      },
      createNs: Object.fromEntries(placing.map(({ name, createNs }) => [name, createNs])),
    };
  });
}

const quartiles = ({ median, q1, q3 }: Summary, digits: number): string[] => [
  median.toFixed(digits),
  `${q1.toFixed(digits)} – ${q3.toFixed(digits)}`,
];

const microseconds = (ns: number | undefined): string => (ns === undefined ? '–' : (ns / 1000).toFixed(1));

/** Times and ratios of everyone on every workload. */
export function workloadTable(results: readonly WorkloadResult[]): string {
  const table = new Table({
    head: ['workload', 'contender', 'ns/op', 'quartiles', 'x ours', 'quartiles', 'no room'],
    colAligns: ['left', 'left', 'right', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  });
  for (const { workload, measurements, placementsAgree } of results) {
    const title = placementsAgree ? workload : `${workload}\nPLACEMENTS DIFFER`;
    for (const [i, one] of measurements.entries()) {
      table.push([
        i === 0 ? title : '',
        one.name,
        ...quartiles(one.nsPerOperation, 1),
        ...quartiles(one.timesBase, 2),
        String(one.failures),
      ]);
    }
  }
  return table.toString();
}

function arenaTable(arenas: readonly ArenaCost[]): string {
  const makers = [OURS.name, reference.name, NATIVE_NAME];
  const measured = [OURS.name, reference.name];
  const table = new Table({
    head: [
      'arena, units',
      ...measured.map((name) => `${name}\nbytes/unit`),
      ...makers.map((name) => `${name}\ncreation, µs`),
    ],
    colAligns: ['right', 'right', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  });
  for (const { capacity, bytesPerUnit, createNs } of arenas) {
    table.push([
      `2^${Math.log2(capacity)}`,
      ...measured.map((name) => bytesPerUnit[name].toFixed(3)),
      ...makers.map((name) => microseconds(createNs[name])),
    ]);
  }
  return table.toString();
}

/** A table of names in the first column and figures in the others. */
export function plainTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const table = new Table({
    head: [...head],
    colAligns: head.map((_, i) => (i === 0 ? 'left' : 'right')),
    style: { head: [], border: [], compact: true },
  });
  table.push(...rows.map((row) => [...row]));
  return table.toString();
}

/** The machine in one line. */
export function machineLine({ cpu, cores, platform, node, v8 }: Machine): string {
  return `${cpu}, ${cores} cores, ${platform}, Node ${node} (V8 ${v8})`;
}

/** The report as text for a terminal. */
export function formatReport({ machine, native, effort, workloads, arenas }: Report): string {
  return [
    machineLine(machine),
    `C reference: ${native}`,
    `Medians of ${effort.rounds} interleaved rounds. "x ours": time divided by ${OURS.name}'s of the same round;`,
    'above 1 is slower than ours. The empty driver is the cost of the measuring loop; it is subtracted nowhere.',
    workloadTable(workloads),
    arenaTable(arenas),
    '',
  ].join('\n');
}
