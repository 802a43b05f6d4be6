// Assertions of internal invariants, in development builds only: the published build has none of them.

/** Set to false by the bundler that makes dist/; not defined when the sources run as they are. */
declare const __DEV__: boolean | undefined;

/**
 * Whether invariants are asserted. Write `if (DEV) assert(…)`, so that the published build drops the condition, too.
 */
export const DEV: boolean = typeof __DEV__ === 'undefined' || __DEV__;

/** Throws an Error if `condition` does not hold: a bug of this package, never a mistake of its caller. */
export function assert(condition: boolean, invariant: string): asserts condition {
  if (!condition) throw new Error(`broken invariant: ${invariant}`);
}
