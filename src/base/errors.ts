// What goes wrong when an allocator is misused, as values a program can test for.

/**
 * Why a {@link BuddyError} was thrown. The strings are stable: programs may compare them.
 *
 * - `NOT_ALLOCATED`: the offset belongs to no live block. It was freed already (a double free) or was never
 *   allocated; a freed block leaves no trace, so the two cannot be told apart.
 * - `INTERIOR`: the offset, or an end of the range, lies inside a live block instead of on its edge.
 * - `FOREIGN`: the buffer does not hold the state of an allocator, or the view is not one on the heap's memory,
 *   or the allocation is another pool's.
 * - `VERSION`: the state was written by an incompatible version of the format.
 * - `TRUNCATED`: the buffer is shorter or longer than the state that its header announces, or shorter than the heap in it;
 *   or the log no longer has the events that were asked for.
 * - `CORRUPT`: the state contradicts itself; the message names the first contradiction.
 * - `DETACHED`: the buffer of the state, the heap or the view is gone: transferred away, or resized to less than it held;
 *   or the pool was destroyed.
 * - `NO_ROOM`: there was no room, in a heap that was made to throw then. Thrown by `Heap` only.
 * - `DEVICE_LOST`: the GPU device was lost. Thrown by `BufferPool` and `FramePool` only.
 * - `REDZONE`: bytes beside a block were written to. Thrown by `DebugHeap` only.
 * - `USE_AFTER_FREE`: a block that was freed was written to or viewed. Thrown by `DebugHeap` only.
 * - `GONE`: the block that the request key was for has been freed, or its lease has ended. This and the following codes are
 *   thrown by `ReplicatedArena` only.
 * - `KEY_MISMATCH`: the request key belongs to a block of other arguments.
 * - `NOT_HOLDER`: the token is not that of the block at the offset: the block has another holder by now, or none.
 * - `UNSURE`: the log has not answered. Whether the operation has taken effect is not known; a retry with the same key tells.
 * - `DIVERGED`: this client's state is not the one that the log gives. The client stops.
 * - `ROLLED_BACK`: the log has lost operations that it had acknowledged. The client stops.
 */
export type BuddyErrorCode =
  | 'NOT_ALLOCATED'
  | 'INTERIOR'
  | 'FOREIGN'
  | 'VERSION'
  | 'TRUNCATED'
  | 'CORRUPT'
  | 'DETACHED'
  | 'NO_ROOM'
  | 'DEVICE_LOST'
  | 'REDZONE'
  | 'USE_AFTER_FREE'
  | 'GONE'
  | 'KEY_MISMATCH'
  | 'NOT_HOLDER'
  | 'UNSURE'
  | 'DIVERGED'
  | 'ROLLED_BACK';

/** Misuse of an allocator. Whenever one is thrown, the allocator's state is what it was before the call. */
export class BuddyError extends Error {
  /** What went wrong, as a stable string. */
  readonly code: BuddyErrorCode;

  constructor(code: BuddyErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'BuddyError';
    this.code = code;
  }
}

/** The error of a use of a state whose buffer is gone. */
export function detachedError(): BuddyError {
  return new BuddyError('DETACHED', 'the buffer was transferred away or cut');
}
