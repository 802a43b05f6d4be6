// The kinds of views that a heap makes: every typed array and DataView.

import { hasGetter } from '../base/buffers.ts';

/** A constructor of views on a buffer: that of any typed array, or DataView. */
export type ArrayConstructor =
  | Int8ArrayConstructor
  | Uint8ArrayConstructor
  | Uint8ClampedArrayConstructor
  | Int16ArrayConstructor
  | Uint16ArrayConstructor
  | Int32ArrayConstructor
  | Uint32ArrayConstructor
  | Float32ArrayConstructor
  | Float64ArrayConstructor
  | BigInt64ArrayConstructor
  | BigUint64ArrayConstructor
  | DataViewConstructor
  | Float16Constructor;

/** The constructor of Float16Array, where TypeScript's library knows it; none elsewhere. */
type Float16Constructor = typeof globalThis extends {
  readonly Float16Array: infer C extends {
    readonly BYTES_PER_ELEMENT: number;
    readonly prototype: ArrayBufferView;
  };
}
  ? C
  : never;

/** The typed arrays on a buffer of type `B`, by name. */
interface ViewsOn<B extends ArrayBufferLike> {
  readonly Int8Array: Int8Array<B>;
  readonly Uint8Array: Uint8Array<B>;
  readonly Uint8ClampedArray: Uint8ClampedArray<B>;
  readonly Int16Array: Int16Array<B>;
  readonly Uint16Array: Uint16Array<B>;
  readonly Int32Array: Int32Array<B>;
  readonly Uint32Array: Uint32Array<B>;
  readonly Float32Array: Float32Array<B>;
  readonly Float64Array: Float64Array<B>;
  readonly BigInt64Array: BigInt64Array<B>;
  readonly BigUint64Array: BigUint64Array<B>;
}

/** What `V` is on a buffer of type `B`; `V` itself for a kind of views that {@link ViewsOn} does not have. */
type On<V, B extends ArrayBufferLike> = V extends DataView
  ? DataView<B>
  : V extends { readonly [Symbol.toStringTag]: infer Name extends keyof ViewsOn<B> }
    ? ViewsOn<B>[Name]
    : V;

/** The views that a constructor `C` makes on a buffer of type `B`. */
export type ViewOf<C extends ArrayConstructor, B extends ArrayBufferLike = ArrayBufferLike> = On<
  C['prototype'],
  B
>;

/** Any view that a heap makes. */
export type HeapView = ViewOf<ArrayConstructor>;

/** The kind of view that `V` is, on a buffer of type `B`, without the additions of a subclass such as Node's Buffer. */
export type Plain<V extends HeapView, B extends ArrayBufferLike = ArrayBufferLike> = On<V, B>;

/** The class that all typed arrays extend. */
const TypedArray = Object.getPrototypeOf(Int8Array) as { readonly prototype: object };

/** Any typed array, to ask the tags of other realms of. */
const SAMPLE = new Uint8Array(0);

/** Bytes of an element of `type`, of any realm. Throws a TypeError if `type` is not a constructor of views. */
export function elementSize(type: ArrayConstructor): number {
  if (Object.prototype.isPrototypeOf.call(TypedArray, type)) {
    return (type as Exclude<ArrayConstructor, DataViewConstructor>).BYTES_PER_ELEMENT;
  }
  const size = type === DataView ? 1 : foreignElementSize(type);
  if (size === undefined) throw new TypeError('the type of a view must be a typed array or DataView');
  return size;
}

/**
 * As {@link elementSize}, of a class that extends the typed arrays or the DataView of another realm, which the tags of
 * their prototypes tell; undefined for all else.
 */
function foreignElementSize(type: unknown): number | undefined {
  for (let at = type; typeof at === 'function'; at = Object.getPrototypeOf(at)) {
    const tag = Object.getOwnPropertyDescriptor(at.prototype ?? {}, Symbol.toStringTag);
    if (tag?.value === 'DataView') return 1;
    if (tag?.get?.call(SAMPLE) === 'Uint8Array') {
      return (type as { readonly BYTES_PER_ELEMENT?: number }).BYTES_PER_ELEMENT;
    }
  }
  return undefined;
}

/** The constructor, of this realm, of views like `view`. TypeScript cannot say more of it. */
export function typeOf(view: HeapView): ArrayConstructor {
  const name: unknown = Reflect.get(TypedArray.prototype, Symbol.toStringTag, view);
  return name === undefined ? DataView : (Reflect.get(globalThis, name as string) as ArrayConstructor);
}

/** A view of `length` elements, of `length` bytes for a DataView. */
export function makeView<C extends ArrayConstructor, B extends ArrayBufferLike>(
  type: C,
  buffer: B,
  ptr: number,
  length: number,
): ViewOf<C, B> {
  return new (type as unknown as new (buffer: B, byteOffset: number, length: number) => ViewOf<C, B>)(
    buffer,
    ptr,
    length,
  );
}

/**
 * The offset at which `view` begins in its buffer; 0 if the view has lost its bytes, for a DataView as for typed
 * arrays.
 */
export function offsetOf(view: ArrayBufferView): number {
  const isTypedArray = Reflect.get(TypedArray.prototype, Symbol.toStringTag, view) !== undefined;
  // The getter of a DataView without bytes throws.
  return isTypedArray || hasGetter(DataView.prototype, 'byteOffset', view) ? view.byteOffset : 0;
}
