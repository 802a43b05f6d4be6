// The recorded traces of real programs and what the reference allocator makes of them.

import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

/** Bytes of a trace before its operations. */
const HEADER_BYTES = 12;

/** Bytes per unit and units in the arena for which the hashes below hold. */
export const TRACE_UNIT = 16;
export const TRACE_CAPACITY = 2 ** 23;

/** Placement hash of each trace: h = h * 31 + offset (mod 2^32) over the offsets of all its allocations. */
export const TRACE_HASHES = {
  sqlite: 4050772520,
  lua: 2396464929,
  py: 3065389909,
  jq: 1754845730,
  gcc: 1842506871,
  git: 2576370472,
} as const;

export type TraceName = keyof typeof TRACE_HASHES;

/** All traces of data/. */
export const TRACE_NAMES = Object.keys(TRACE_HASHES) as readonly TraceName[];

/**
 * The operations of a trace as recorded: x >= 0 allocates x bytes, the n-th such entry having the id n (from 0);
 * x < 0 frees the block with the id ~x.
 */
export function loadBytes(name: string): Int32Array {
  const file = gunzipSync(readFileSync(new URL(`../../data/${name}.tr.gz`, import.meta.url)));
  const raw = file.subarray(HEADER_BYTES);
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const operations = new Int32Array(raw.byteLength / 4);
  for (let i = 0; i < operations.length; i++) operations[i] = view.getInt32(i * 4, true);
  return operations;
}

/** The same with sizes in units, at least one. */
export function loadTrace(name: string): Int32Array {
  return loadBytes(name).map((x) => (x < 0 ? x : Math.max(1, Math.ceil(x / TRACE_UNIT))));
}
