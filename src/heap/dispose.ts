// The symbol by which `using` finds what to call.

/** Symbol.dispose, or, where the runtime has none, the symbol that compilers of `using` take in its place. */
export const dispose: typeof Symbol.dispose = Symbol.dispose ?? Symbol.for('Symbol.dispose');
