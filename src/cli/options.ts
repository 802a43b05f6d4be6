// Checks of the command's arguments.

import { InvalidArgumentError } from 'commander';
import { MAX_CAPACITY } from '../base/arguments.ts';
import { ADVISED_UNITS } from '../trace/advise/advise.ts';
import { TRACE_FORMATS } from '../trace/formats/read.ts';
import type { TraceFormat } from '../trace.ts';
import { ALLOCATOR_NAMES } from './allocators/compare.ts';
import type { AllocatorName } from './allocators/contender.ts';

const SUFFIXES: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };

/** The integer from `min` to `max` that `text` gives in decimal digits. */
function integer(text: string, min: number, max: number, hint: string): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new InvalidArgumentError(hint);
}

/** Bytes per unit. */
export function parseUnit(text: string): number {
  return integer(text, 1, 2 ** 30, 'It must be an integer from 1 to 2^30.');
}

/** Bytes of the smallest unit to try, one of the advised units. */
export function parseMinUnit(text: string): number {
  const unit = ADVISED_UNITS.find((advised) => String(advised) === text);
  if (unit !== undefined) return unit;
  throw new InvalidArgumentError(`It must be one of ${ADVISED_UNITS.join(', ')}.`);
}

/** Units in the arena, with an optional suffix k, m or g. */
export function parseCapacity(text: string): number {
  const [, digits = '', suffix = ''] = /^(\d+)([kmg]?)$/i.exec(text) ?? [];
  const factor = SUFFIXES[suffix.toLowerCase()];
  const hint = 'It must be an integer from 1 to 2^30, with k, m or g for times 2^10, 2^20 or 2^30.';
  return integer(digits, 1, MAX_CAPACITY / factor, hint) * factor;
}

/** A number of operations. Whether the trace has so many is known only when it has been read. */
export function parseCount(text: string): number {
  return integer(text, 0, Number.MAX_SAFE_INTEGER, 'It must be an integer of at least 0.');
}

/** The length of a prefix. Whether the pool has such is known only when that has been read. */
export function parseLength(text: string): number {
  return integer(text, 0, 128, 'It must be an integer from 0 to 128.');
}

/** Lengths of prefixes, separated by commas. */
export function parseLengths(text: string): number[] {
  return text.split(',').map(parseLength);
}

/** Texts, separated by commas. */
export function parseList(text: string): string[] {
  return text.split(',');
}

/** Seconds, 1 to 10^9. */
export function parseSeconds(text: string): number {
  return integer(text, 1, 1e9, 'It must be an integer from 1 to 10^9.');
}

/** The format of a trace. */
export function parseFormat(text: string): TraceFormat {
  const format = TRACE_FORMATS.find((name) => name === text);
  if (format !== undefined) return format;
  throw new InvalidArgumentError(`It must be one of ${TRACE_FORMATS.join(', ')}.`);
}

/** Allocators, separated by commas; each once. */
export function parseAllocators(text: string): readonly AllocatorName[] {
  const names = text.split(',').map((name) => ALLOCATOR_NAMES.find((known) => known === name));
  const known = names.filter((name) => name !== undefined);
  if (known.length === names.length && new Set(known).size === known.length) return known;
  throw new InvalidArgumentError(`It must be one or several of ${ALLOCATOR_NAMES.join(',')}, with commas.`);
}
