// A runtime without memory.

/**
 * What `call` returns while every `new` of the typed array of that name fails if it would take memory of its own for `least`
 * elements or more, as where the runtime has none.
 */
export function withoutMemoryFor<T>(name: 'Int32Array' | 'Uint16Array', call: () => T, least = 0): T {
  const original = globalThis[name];
  const refusing = new Proxy(original, {
    construct(type, values) {
      if (typeof values[0] === 'number' && values[0] >= least)
        throw new RangeError('Array buffer allocation failed');
      return Reflect.construct(type, values);
    },
  });
  Reflect.set(globalThis, name, refusing);
  try {
    return call();
  } finally {
    Reflect.set(globalThis, name, original);
  }
}
