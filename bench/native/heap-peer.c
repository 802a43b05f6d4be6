// The allocator that a C program in WebAssembly brings along. This file does no more than export it, and takes the memory
// from whoever instantiates it. heap-peer.sh links it with one allocator after the other.

#include <stdlib.h>
#include <string.h>

#define EXPORT(name) __attribute__((export_name(#name)))

EXPORT(malloc) void *exported_malloc(size_t size) { return malloc(size); }

EXPORT(realloc) void *exported_realloc(void *block, size_t size) { return realloc(block, size); }

EXPORT(free) void exported_free(void *block) { free(block); }

/** What realloc copies with: WebAssembly's own instruction instead of the library's loop. */
void *memcpy(void *restrict to, const void *restrict from, size_t count) { return __builtin_memcpy(to, from, count); }
