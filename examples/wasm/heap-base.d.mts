// Types of heap-base.mjs.

export function heapBase(module: WebAssembly.Module, memory: WebAssembly.Memory): number;
