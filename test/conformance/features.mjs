// What the runtime offers, found out by trying.

function works(attempt) {
  try {
    return Boolean(attempt());
  } catch {
    return false;
  }
}

export const features = {
  sharedArrayBuffer: works(() => new SharedArrayBuffer(8).byteLength === 8),
  resizable: works(() => new ArrayBuffer(8, { maxByteLength: 16 }).resizable),
  growable: works(() => new SharedArrayBuffer(8, { maxByteLength: 16 }).growable),
  wasm: works(() => new WebAssembly.Memory({ initial: 1 }).buffer.byteLength === 65536),
  /** A page that is not isolated may have such a memory without having the class of its buffer. */
  sharedWasm: works(
    () =>
      new WebAssembly.Memory({ initial: 1, maximum: 2, shared: true }).buffer instanceof SharedArrayBuffer,
  ),
  memory64: works(
    () => new WebAssembly.Memory({ initial: 1n, maximum: 2n, address: 'i64' }).buffer.byteLength === 65536,
  ),
  decompression: works(() => new DecompressionStream('gzip')),
  using: works(() => new Function('{ using nothing = null; }')),
};

/** What a check that lacks one of them is skipped for. */
export const named = {
  sharedArrayBuffer: 'SharedArrayBuffer',
  resizable: 'resizable ArrayBuffer',
  growable: 'growable SharedArrayBuffer',
  wasm: 'WebAssembly',
  sharedWasm: 'shared WebAssembly.Memory',
  memory64: 'WebAssembly.Memory with 64-bit addresses',
  decompression: 'DecompressionStream',
  using: '`using` declarations',
};
