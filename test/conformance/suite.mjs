// The conformance suite: what every runtime must do alike. It uses the built package, no Node API and no test framework.

import { allocator } from './checks/allocator.mjs';
import { debug } from './checks/debug.mjs';
import { heap } from './checks/heap.mjs';
import { memory } from './checks/memory.mjs';
import { mempool } from './checks/mempool.mjs';
import { prefixes } from './checks/prefixes.mjs';
import { replicated } from './checks/replicated.mjs';
import { shared } from './checks/shared.mjs';
import { trace } from './checks/trace.mjs';
import { webgl } from './checks/webgl.mjs';
import { webgpu } from './checks/webgpu.mjs';
import { Skip } from './verdict.mjs';

const parts = { allocator, heap, memory, mempool, debug, trace, shared, webgpu, webgl, replicated, prefixes };

/**
 * Runs every check, one after another. What the runtime must lend: `read(path)`, a promise of the bytes of a file of the
 * project, and `startWorker(message)`, as in web-worker.mjs.
 *
 * A result is `{ name, status, message, fingerprint }`: the status `passed`, `failed` or `skipped`, the message why it failed,
 * or what the runtime does not offer, the fingerprint a number that must be the same in all runtimes, where the check has one.
 */
export async function runSuite(environment) {
  const results = [];
  for (const [part, checks] of Object.entries(parts)) {
    for (const [title, check] of Object.entries(checks)) {
      const result = { name: `${part}: ${title}`, status: 'passed', message: '', fingerprint: null };
      const note = (fingerprint) => {
        result.fingerprint = fingerprint;
      };
      try {
        await check(note, environment);
      } catch (error) {
        result.status = error instanceof Skip ? 'skipped' : 'failed';
        result.message = error instanceof Error ? error.message : String(error);
      }
      results.push(result);
    }
  }
  return results;
}
