// Methods of one object that are replaced for a while.

/** What is done about a call of a method `F`. */
export type Note<F> = F extends (...args: infer A) => infer R
  ? {
      /** Called first, for a number that only the time before the call can give. */
      readonly before?: (args: A) => number;
      /** Called if the method has returned, with its result and that of `before`. */
      readonly after: (result: R, args: A, before: number) => void;
    }
  : never;

/** What is done about calls of the methods of `T`. */
export type Notes<T> = { readonly [N in keyof T]?: Note<T[N]> };

type Method = (...args: unknown[]) => unknown;

/** An own property that hides a method of the class. */
interface Patch {
  readonly name: string;
  readonly method: Method;
  /** The property that was there before. */
  readonly former: PropertyDescriptor | undefined;
}

/** The replaced methods of one object. */
export class Patches {
  readonly #target: object;
  readonly #patches: Patch[] = [];
  #depth = 0;

  /**
   * Replaces the methods of `target` that `notes` names and that it has. Only the outermost of calls within each
   * other is noted: the others are how the object does it.
   *
   * @throws TypeError if the object cannot be changed.
   */
  constructor(target: object, notes: Readonly<Record<string, Note<Method> | undefined>>) {
    this.#target = target;
    for (const [name, note] of Object.entries(notes)) {
      const original: unknown = Reflect.get(target, name);
      if (typeof original === 'function' && note !== undefined) this.#replace(name, original as Method, note);
    }
  }

  /**
   * Puts the methods back. If another party has replaced one in the meantime, its replacement stays. The function
   * beneath it then only calls the method.
   */
  restore(): void {
    this.#depth = 1;
    // The last one first: engines then give the object the very form that it had, and it is as fast as before.
    for (const { name, method, former } of this.#patches.splice(0).reverse()) {
      if (Object.getOwnPropertyDescriptor(this.#target, name)?.value !== method) continue;
      if (former === undefined) Reflect.deleteProperty(this.#target, name);
      else Object.defineProperty(this.#target, name, former);
    }
  }

  #replace(name: string, original: Method, { before, after }: Note<Method>): void {
    const target = this.#target;
    const method = (...args: unknown[]): unknown => {
      if (this.#depth > 0) return original.apply(target, args);
      this.#depth++;
      let known = 0;
      let result: unknown;
      try {
        known = before?.(args) ?? 0;
        result = original.apply(target, args);
      } finally {
        this.#depth--;
      }
      after(result, args, known);
      return result;
    };
    const former = Object.getOwnPropertyDescriptor(target, name);
    Object.defineProperty(target, name, { value: method, writable: true, configurable: true });
    this.#patches.push({ name, method, former });
  }
}
