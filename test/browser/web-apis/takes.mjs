// Runs in the page: which Web APIs take the views of which memory.

import { Heap } from '/dist/heap.js';

const MAXIMUM = 2 ** 20;
const wasm = (shared) => new WebAssembly.Memory({ initial: 1, maximum: 16, shared });

/** Heaps by the memory that they lie in. */
const HEAPS = {
  ArrayBuffer: () => new Heap({ size: 65536 }),
  'resizable ArrayBuffer': () => new Heap({ size: 65536, maximum: MAXIMUM, resizable: true }),
  'WebAssembly.Memory': () => new Heap({ memory: wasm(false) }),
  SharedArrayBuffer: () => new Heap({ memory: new SharedArrayBuffer(65536) }),
  'growable SharedArrayBuffer': () =>
    new Heap({ memory: new SharedArrayBuffer(65536, { maxByteLength: MAXIMUM }) }),
  'shared WebAssembly.Memory': () => new Heap({ memory: wasm(true) }),
};

const gl = document.createElement('canvas').getContext('webgl2');
const device = await (await navigator.gpu?.requestAdapter())?.requestDevice();
const target = device?.createBuffer({ size: 64, usage: GPUBufferUsage.COPY_DST });

/** Calls by name, each with 64 bytes. Undefined for an API that is not here. */
const APIS = {
  'TextDecoder.decode': (view) => new TextDecoder().decode(view),
  'TextEncoder.encodeInto': (view) => new TextEncoder().encodeInto('abc', view),
  'crypto.getRandomValues': (view) => crypto.getRandomValues(view),
  'crypto.subtle.digest': (view) => crypto.subtle.digest('SHA-256', view),
  'new Blob': (view) => new Blob([view]),
  'new Response': (view) => new Response(view),
  'new ImageData': (view) => new ImageData(new Uint8ClampedArray(view.buffer, view.byteOffset, 64), 4, 4),
  'AudioBuffer.copyToChannel': (view) =>
    new AudioBuffer({ length: 16, sampleRate: 44100 }).copyToChannel(
      new Float32Array(view.buffer, view.byteOffset, 16),
      0,
    ),
  'WebGL bufferData': gl && ((view) => gl.bufferData(gl.ARRAY_BUFFER, view, gl.STATIC_DRAW)),
  'WebGL texImage2D':
    gl && ((view) => gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, 4, 4, 0, gl.RGBA, gl.UNSIGNED_BYTE, view)),
  'GPUQueue.writeBuffer': device && ((view) => device.queue.writeBuffer(target, 0, view)),
};
gl?.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
gl?.bindTexture(gl.TEXTURE_2D, gl.createTexture());

async function takes(api, make) {
  const view = make().allocArray(Uint8Array, 64).fill(65);
  try {
    await api(view);
    return true;
  } catch {
    return false;
  }
}

/** A row per API: whether it takes the views of each kind of memory; null if the API is not here. */
export async function rows() {
  const found = [];
  for (const [name, api] of Object.entries(APIS)) {
    const row = [];
    for (const make of Object.values(HEAPS)) row.push(api ? await takes(api, make) : null);
    found.push([name, row]);
  }
  return { kinds: Object.keys(HEAPS), found };
}

/** What each API answers to a view of a heap that can grow, in the memory that the package chooses. */
export async function chosen() {
  const make = () => new Heap({ size: 65536, maximum: MAXIMUM });
  const answers = [];
  for (const api of Object.values(APIS)) if (api) answers.push(await takes(api, make));
  return answers;
}

/** What the same calls answer to a copy of a view on the least welcome memory. */
export async function copies() {
  const answers = [];
  for (const api of Object.values(APIS)) {
    if (!api) continue;
    const view = HEAPS['growable SharedArrayBuffer']().allocArray(Uint8Array, 64);
    answers.push(await takes(() => api(view.slice()), HEAPS.ArrayBuffer));
  }
  return answers;
}
