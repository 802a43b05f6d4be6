// malloc and its family for a program with a C library, from a Heap in JavaScript, which passes `heap.imports`. Link this
// file into the program: it defines all that the C library's malloc.o or dlmalloc.o defines, so the linker has no reason to
// take that from the library. Functions that the program does not need do not become imports.

#include <stddef.h>

#define HEAP(name) __attribute__((import_module("env"), import_name(#name)))

HEAP(malloc) void *heap_malloc(size_t size);
HEAP(free) void heap_free(void *block);
HEAP(calloc) void *heap_calloc(size_t count, size_t size);
HEAP(realloc) void *heap_realloc(void *block, size_t size);
HEAP(reallocarray) void *heap_reallocarray(void *block, size_t count, size_t size);
HEAP(aligned_alloc) void *heap_aligned_alloc(size_t alignment, size_t size);
HEAP(posix_memalign) int heap_posix_memalign(void **out, size_t alignment, size_t size);
HEAP(malloc_usable_size) size_t heap_malloc_usable_size(void *block);

void *malloc(size_t size) { return heap_malloc(size); }
void free(void *block) { heap_free(block); }
void *calloc(size_t count, size_t size) { return heap_calloc(count, size); }
void *realloc(void *block, size_t size) { return heap_realloc(block, size); }
void *reallocarray(void *block, size_t count, size_t size) { return heap_reallocarray(block, count, size); }
void *aligned_alloc(size_t alignment, size_t size) { return heap_aligned_alloc(alignment, size); }
void *memalign(size_t alignment, size_t size) { return heap_aligned_alloc(alignment, size); }
int posix_memalign(void **out, size_t alignment, size_t size) { return heap_posix_memalign(out, alignment, size); }
size_t malloc_usable_size(void *block) { return heap_malloc_usable_size(block); }

// The names by which the library's own files call them.
void *__libc_malloc(size_t size) { return heap_malloc(size); }
void __libc_free(void *block) { heap_free(block); }
void *__libc_calloc(size_t count, size_t size) { return heap_calloc(count, size); }
void *__libc_realloc(void *block, size_t size) { return heap_realloc(block, size); }
