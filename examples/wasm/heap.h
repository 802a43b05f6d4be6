// The allocation functions of the C library. The program has no C library, so they are imports, for which JavaScript
// passes `heap.imports`.

#ifndef HEAP_H
#define HEAP_H

#include <stddef.h>

#define IMPORT(name) __attribute__((import_module("env"), import_name(#name)))
#define EXPORT(name) __attribute__((export_name(#name)))

IMPORT(malloc) void *malloc(size_t size);
IMPORT(calloc) void *calloc(size_t count, size_t size);
IMPORT(realloc) void *realloc(void *block, size_t size);
IMPORT(aligned_alloc) void *aligned_alloc(size_t alignment, size_t size);
IMPORT(free) void free(void *block);

#endif
