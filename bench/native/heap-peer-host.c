// What emmalloc and mimalloc need of a C library and a system: memory, and functions that mimalloc calls to print and at exit.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { PAGE = 65536 };

extern unsigned char __heap_base;

/** Hands out what the memory already has, and grows it by no more than it must. */
void *sbrk(intptr_t bytes) {
  static uintptr_t end;
  if (end == 0) end = (uintptr_t)&__heap_base;
  uintptr_t before = end, room = (uintptr_t)__builtin_wasm_memory_size(0) * PAGE - before;
  if (bytes > 0 && (uintptr_t)bytes > room) {
    size_t pages = ((uintptr_t)bytes - room + PAGE - 1) / PAGE;
    if (__builtin_wasm_memory_grow(0, pages) == SIZE_MAX) return (void *)-1;
  }
  end += bytes;
  return (void *)before;
}

FILE *const stdout = NULL;
FILE *const stderr = NULL;

int fputs(const char *restrict text, FILE *restrict file) { return 0; }

int vsnprintf(char *restrict to, size_t room, const char *restrict format, va_list values) {
  if (room > 0) *to = 0;
  return 0;
}

int snprintf(char *restrict to, size_t room, const char *restrict format, ...) {
  if (room > 0) *to = 0;
  return 0;
}

int atexit(void (*function)(void)) { return 0; }

int sched_yield(void) { return 0; }

/** A clock that stands still: mimalloc keeps the memory that it would give back to the system after a while. */
int clock_gettime(clockid_t clock, struct timespec *time) {
  *time = (struct timespec){0};
  return 0;
}
