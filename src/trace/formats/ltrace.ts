// The log of ltrace: the calls of library functions, among them an allocator's.

import type { Trace } from '../trace.ts';
import { isAllocating, isFreeing, recordCall } from './calls.ts';
import { linesOf, unended } from './lines.ts';
import { Recording } from './recording.ts';

/** The thread, if the log has several, and the caller, if it was asked for. */
const THREAD = String.raw`^(?:\[pid (\d+)\] |(\d+) )?`;

/**
 * A call with its result, or the begin of a call during which another thread did something. (ltrace takes it for one
 * without return if that thread ended.)
 */
const CALL = new RegExp(
  String.raw`${THREAD}(?:\S+->)?(\w+)\((.*?)(?: <(?:unfinished|no return) \.\.\.>|\)\s+= (\S+).*)$`,
  'm',
);

/** The end of such a call. */
const RESUMED = new RegExp(String.raw`${THREAD}<\.\.\. (\w+) resumed> .*\)\s+= (\S+)`);

const FORK = /^v?fork$/;

/** Whether a text that begins so is such a log. */
export function isLtrace(head: string): boolean {
  return CALL.test(head);
}

/** A call of an allocator's function that has begun. */
interface Pending {
  readonly name: string;
  readonly args: string;
}

/**
 * Reads such a log. All other lines are passed over, and so are those of forked children, which have a copy of the
 * heap, and calls within a call, as of malloc in `operator new`. O(n) expected.
 *
 * @throws TraceError `LINE`, `SIZE`, `EMPTY` or `TOO_LARGE`.
 */
export function parseLtrace(bytes: Uint8Array, strict: boolean): Trace {
  const recording = new Recording(strict);
  const pending = new Map<string, Pending[]>();
  const children = new Set<string>();
  let last = 0;
  for (const line of linesOf(bytes)) {
    const { text } = line;
    last = line.number;
    if (!line.isEnded) {
      // A number that is cut off looks like a whole one.
      if (strict) throw unended(line);
      recording.cutOff();
      break;
    }
    const begun = CALL.exec(text);
    const ended = begun === null ? RESUMED.exec(text) : null;
    const [, bracketed, plain, name] = begun ?? ended ?? [];
    const thread = bracketed ?? plain ?? '';
    if (name === undefined || children.has(thread)) continue;
    if (ended !== null && FORK.test(name) && ended[4] === '0') children.add(thread);
    if (!isAllocating(name)) continue;
    const stack = pending.get(thread) ?? [];
    if (begun !== null) {
      const [, , , , args, result] = begun;
      const isOutermost = stack.length === 0;
      if (result === undefined) {
        stack.push({ name, args });
        pending.set(thread, stack);
      }
      // A free is noted when it begins: before another thread can get the address.
      if (isOutermost && (result !== undefined || isFreeing(name)))
        recordCall({ name, args, result }, recording, last);
      continue;
    }
    const call = stack.pop();
    if (call !== undefined && stack.length === 0 && !isFreeing(name))
      recordCall({ ...call, result: ended?.[4] }, recording, last);
  }
  return recording.finish('ltrace', last);
}
