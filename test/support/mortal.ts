// Death at an exact point: a worker stops in a call, before one of its changes of shared memory.

/** The functions that change shared memory. */
const CHANGES = ['compareExchange', 'store', 'or', 'and'] as const;

class Death extends Error {}

/** Runs a call of a worker that dies before its change number `death`, from 0. Returns whether it lives. */
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
        // A dead worker makes no further change of any kind.
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
