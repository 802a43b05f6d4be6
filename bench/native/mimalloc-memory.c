// How mimalloc gets its memory. It loses what it took from the system for one large block, unless that lies in an arena. So
// memory that is there from the beginning becomes an arena, and a heap can be kept for as long as one likes.

#include <mimalloc.h>
#include <stdint.h>
#include <unistd.h>

enum { PAGE = 65536, SEGMENT = 4 << 20 };

__attribute__((constructor)) static void reserve(void) {
  // mimalloc takes whole pages, and would leave a gap of a segment beside each segment if they began anywhere.
  sbrk(-(uintptr_t)sbrk(0) % PAGE);
  uintptr_t begin = ((uintptr_t)sbrk(0) + SEGMENT - 1) / SEGMENT * SEGMENT;
  uintptr_t end = (uintptr_t)__builtin_wasm_memory_size(0) * PAGE / SEGMENT * SEGMENT;
  if (end <= begin) return;
  // What it notes about the arena lies below that.
  mi_manage_os_memory((void *)begin, end - begin, true, false, true, -1);
  sbrk(end - (uintptr_t)sbrk(0));
}
