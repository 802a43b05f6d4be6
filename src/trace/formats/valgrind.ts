// The log of `valgrind --trace-malloc=yes`: the calls of an allocator's functions among other lines.

import type { Trace } from '../trace.ts';
import { isAllocating, recordCall } from './calls.ts';
import { linesOf, unended } from './lines.ts';
import { Recording } from './recording.ts';

/** A line of valgrind itself. The program's own output may stand before it. */
const OWN = /^(?:==|--)\d+(?:==|--) /m;

/**
 * A call, the process, and the result. realloc of a null pointer or to no bytes is printed together with the malloc
 * or the free that it becomes, which is the one to read.
 */
const CALL = /--(\d+)-- (?:realloc\([^()]*\)(?=\w))?(\w+)\(([^()]*)\)(?: = (\S+))?$/;

/** Whether a text that begins so is such a log. */
export function isValgrind(head: string): boolean {
  return OWN.test(head);
}

/**
 * Reads such a log. All other lines are passed over, and so are those of a second process, as a forked child that
 * writes to its parent's log. O(n) expected.
 *
 * @throws TraceError `LINE`, `SIZE`, `EMPTY` or `TOO_LARGE`.
 */
export function parseValgrind(bytes: Uint8Array, strict: boolean): Trace {
  const recording = new Recording(strict);
  let process: string | undefined;
  let last = 0;
  for (const line of linesOf(bytes)) {
    last = line.number;
    if (!line.isEnded) {
      // A number that is cut off looks like a whole one.
      if (strict) throw unended(line);
      recording.cutOff();
      break;
    }
    const [, writer, name, args, result] = CALL.exec(line.text) ?? [];
    if (writer === undefined || !isAllocating(name)) continue;
    process ??= writer;
    if (writer === process) recordCall({ name, args, result }, recording, last);
  }
  return recording.finish('valgrind', last);
}
