// `@daneren2005/shared-memory-objects`, which publishes sources that do not pass this project's type settings: peer.d.mts.

export { MemoryBuffer } from '@daneren2005/shared-memory-objects';
