// The symbol by which `using` finds what to call.

declare global {
  interface SymbolConstructor {
    /** As TypeScript's library for ESNext declares it; so that these types are whole without that. */
    readonly dispose: unique symbol;
  }
}

/** Symbol.dispose, or, where the runtime has none, the symbol that compilers of `using` take in its place. */
export const dispose: typeof Symbol.dispose = Symbol.dispose ?? Symbol.for('Symbol.dispose');
