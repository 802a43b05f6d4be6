// What a check says: that something is as it should be, or that the runtime does not offer what it needs.

/** Thrown by a check that cannot run here. Its message is what is not offered. */
export class Skip extends Error {}

/** Ends the check as skipped unless the runtime offers `what`. */
export function needs(offered, what) {
  if (!offered) throw new Skip(what);
}

export function holds(condition, what) {
  if (!condition) throw new Error(what);
}

/** Values as text: NaN, bigints and typed arrays included. */
function text(value) {
  return JSON.stringify(value, (_, part) => {
    if (typeof part === 'bigint') return `${part}n`;
    if (typeof part === 'number' && !Number.isFinite(part)) return String(part);
    return ArrayBuffer.isView(part) ? Array.from(part) : part;
  });
}

export function equal(actual, expected, what) {
  if (text(actual) !== text(expected)) throw new Error(`${what}: ${text(actual)}, not ${text(expected)}`);
}

/** `call` must throw: an error with that `code`, or of that class. */
export function throws(call, expected, what) {
  let result;
  try {
    result = call();
  } catch (error) {
    assertThrown(error, expected, what);
    return error;
  }
  throw new Error(`${what}: it returned ${text(result)}`);
}

/** The same for what `promise` is rejected with. */
export async function rejects(promise, expected, what) {
  const result = await promise.then(
    () => null,
    (error) => ({ error }),
  );
  if (result === null) throw new Error(`${what}: it succeeded`);
  assertThrown(result.error, expected, what);
}

function assertThrown(error, expected, what) {
  const fits = typeof expected === 'string' ? error.code === expected : error instanceof expected;
  if (!fits) throw new Error(`${what}: it threw ${error.code ?? ''} ${error}`);
}

/** h = h * 31 + number (mod 2^32) over numbers, the hash that traces are compared by. */
export function hash(numbers) {
  let h = 0;
  for (const number of numbers) h = (Math.imul(h, 31) + number) >>> 0;
  return h;
}

/** Moves `buffer` away, as posting it would, so that what is left of it has no bytes. Returns the moved one. */
export function detach(buffer) {
  return structuredClone(buffer, { transfer: [buffer] });
}
