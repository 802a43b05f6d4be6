// `@daneren2005/shared-memory-objects`. It publishes TypeScript sources, which do not pass this project's type
// settings, so that peer.d.mts declares the types.

export {
  AllocatedMemory,
  MemoryBuffer,
  MemoryHeap,
  SharedList,
  SharedMap,
  SharedVector,
} from '@daneren2005/shared-memory-objects';
