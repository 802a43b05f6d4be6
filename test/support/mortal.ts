// Death at an exact point: calls during which the worker stops before one of its changes of shared memory.

/** What changes shared memory. */
const CHANGES = ['compareExchange', 'store', 'or', 'and'] as const;

class Death extends Error {}

/** Runs a call as a worker does that dies before its change number `death`, from 0. Returns whether it lives. */
export function lifeIn(death: number | undefined): (call: () => void) => boolean {
  return (call) => {
    if (death === undefined) {
      call();
      return true;
    }
    const real = CHANGES.map((name) => [name, Atomics[name]] as const);
    let left = death;
    for (const [name, change] of real) {
      Reflect.set(Atomics, name, (...operands: unknown[]) => {
        // Whatever it is, a dead worker does nothing more.
        if (left-- <= 0) throw new Death();
        return Reflect.apply(change, Atomics, operands);
      });
    }
    try {
      call();
    } catch (error) {
      if (left >= 0) throw error;
    } finally {
      for (const [name, change] of real) Reflect.set(Atomics, name, change);
    }
    return left >= 0;
  };
}
