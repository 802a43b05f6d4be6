// Where a heap may begin in the memory of a WebAssembly module.

/**
 * The first byte after the module's own stack and data, which the linker exports as `__heap_base`. The heap needs it
 * before the module runs, but the module cannot be instantiated without the heap's functions. So this instantiates it
 * with functions that are never called. That writes the module's constants into the memory; the real instance writes
 * them again.
 */
export function heapBase(module, memory) {
  const stubs = {};
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    stubs[from] ??= {};
    stubs[from][name] = kind === 'memory' ? memory : () => 0;
  }
  return new WebAssembly.Instance(module, stubs).exports.__heap_base.value;
}
