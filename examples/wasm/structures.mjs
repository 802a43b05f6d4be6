// Reads the C program's structures in place, from its memory. The layouts are those of map.h and json.h.

const MAP = { buckets: 0, bucketCount: 4 };
const ENTRY = { next: 0, value: 8, length: 12, key: 16 };
const JSON_NODE = { type: 0, next: 4, key: 8, number: 16, text: 16, first: 16 };
const TEXT = { bytes: 0, length: 4 };
const [NULL, FALSE, TRUE, NUMBER, DECIMAL, STRING, ARRAY, OBJECT] = [0, 1, 2, 3, 4, 5, 6, 7];

/** Reads numbers and strings at addresses. Valid until the memory grows, so do not allocate while one is in use. */
class Reader {
  #view;
  #decoder = new TextDecoder('utf-8', { ignoreBOM: true });

  constructor(buffer) {
    this.#view = new DataView(buffer);
  }

  uint32(at) {
    return this.#view.getUint32(at, true);
  }

  int32(at) {
    return this.#view.getInt32(at, true);
  }

  float64(at) {
    return this.#view.getFloat64(at, true);
  }

  string(at, length) {
    return this.#decoder.decode(new Uint8Array(this.#view.buffer, at, length));
  }

  /** A `struct json_text`. */
  text(at) {
    return this.string(this.uint32(at + TEXT.bytes), this.uint32(at + TEXT.length));
  }
}

/** The `struct map` at `map` as a Map. */
export function readMap(heap, map) {
  const reader = new Reader(heap.buffer);
  const buckets = reader.uint32(map + MAP.buckets);
  const count = reader.uint32(map + MAP.bucketCount);
  const result = new Map();
  for (let bucket = 0; bucket < count; bucket++) {
    let entry = reader.uint32(buckets + 4 * bucket);
    while (entry !== 0) {
      const key = reader.string(entry + ENTRY.key, reader.uint32(entry + ENTRY.length));
      result.set(key, reader.int32(entry + ENTRY.value));
      entry = reader.uint32(entry + ENTRY.next);
    }
  }
  return result;
}

/** The addresses of a node's children. */
function* children(reader, node) {
  let child = reader.uint32(node + JSON_NODE.first);
  while (child !== 0) {
    // Read this before the yield: the caller may free the child.
    const next = reader.uint32(child + JSON_NODE.next);
    yield child;
    child = next;
  }
}

function valueAt(reader, node) {
  switch (reader.uint32(node + JSON_NODE.type)) {
    case NULL:
      return null;
    case FALSE:
      return false;
    case TRUE:
      return true;
    case NUMBER:
      return reader.float64(node + JSON_NODE.number);
    case DECIMAL:
      return Number(reader.text(node + JSON_NODE.text));
    case STRING:
      return reader.text(node + JSON_NODE.text);
    case ARRAY:
      return Array.from(children(reader, node), (child) => valueAt(reader, child));
    case OBJECT:
      return Object.fromEntries(
        Array.from(children(reader, node), (child) => [
          reader.text(child + JSON_NODE.key),
          valueAt(reader, child),
        ]),
      );
    default:
      throw new Error(`no JSON node at ${node}`);
  }
}

/** The value of the tree whose root is at `node`: the same as JSON.parse returns. */
export function readJson(heap, node) {
  return valueAt(new Reader(heap.buffer), node);
}

function release(heap, reader, node) {
  const type = reader.uint32(node + JSON_NODE.type);
  if (type === STRING || type === DECIMAL) heap.free(reader.uint32(node + JSON_NODE.text));
  if (type === ARRAY || type === OBJECT)
    for (const child of children(reader, node)) release(heap, reader, child);
  heap.free(reader.uint32(node + JSON_NODE.key));
  heap.free(node);
}

/**
 * Frees the tree whose root is at `node`, block by block: JavaScript may free blocks that C has allocated, and vice
 * versa.
 */
export function freeJson(heap, node) {
  release(heap, new Reader(heap.buffer), node);
}
