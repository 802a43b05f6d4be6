// What C may count on, of the functions that a Heap provides. `check` returns 0, or the line of the first broken promise.

#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define PROMISE(condition) \
  if (!(condition)) return __LINE__

void *memalign(size_t alignment, size_t size);
void *reallocarray(void *block, size_t count, size_t size);
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void __libc_free(void *block);

static int is_aligned(const void *block, size_t alignment) { return ((uintptr_t)block & (alignment - 1)) == 0; }

static int usable(void) {
  PROMISE(malloc_usable_size(NULL) == 0);
  for (size_t size = 1; size < 100000; size += 1 + size / 3) {
    char *block = malloc(size);
    PROMISE(block && is_aligned(block, 16));
    size_t usable_size = malloc_usable_size(block);
    PROMISE(usable_size >= size);
    memset(block, 1, usable_size);
    free(block);
  }
  return 0;
}

static int aligned(void) {
  for (size_t alignment = sizeof(void *); alignment <= 65536; alignment *= 2) {
    void *blocks[3] = {aligned_alloc(alignment, 2 * alignment), memalign(alignment, 10), NULL};
    PROMISE(posix_memalign(&blocks[2], alignment, 100) == 0);
    for (int i = 0; i < 3; i++) {
      PROMISE(blocks[i] && is_aligned(blocks[i], alignment));
      free(blocks[i]);
    }
  }
  void *untouched = &untouched;
  PROMISE(posix_memalign(&untouched, 24, 8) == EINVAL);
  PROMISE(posix_memalign(&untouched, 0, 8) == EINVAL);
  PROMISE(posix_memalign(&untouched, sizeof(void *) / 2, 8) == EINVAL);
  PROMISE(posix_memalign(&untouched, 16, SIZE_MAX) == ENOMEM);
  PROMISE(untouched == &untouched);
  PROMISE(!aligned_alloc(24, 48) && !memalign(24, 48));
  return 0;
}

static int arrays(void) {
  int *numbers = NULL;
  for (size_t count = 1; count < 200000; count *= 3) {
    numbers = reallocarray(numbers, count, sizeof *numbers);
    PROMISE(numbers);
    for (size_t i = 0; i < count / 3; i++) PROMISE(numbers[i] == (int)i);
    for (size_t i = count / 3; i < count; i++) numbers[i] = i;
  }
  PROMISE(!reallocarray(numbers, SIZE_MAX / 2 + 2, 2));
  PROMISE(numbers[12345] == 12345);
  free(numbers);
  PROMISE(!reallocarray(NULL, 65536, 65536));
  PROMISE(!calloc(65536, 65536));
  return 0;
}

static int library_names(void) {
  char *block = __libc_malloc(10);
  strcpy(block, "nine char");
  block = __libc_realloc(block, 1000);
  PROMISE(strcmp(block, "nine char") == 0);
  char *copy = strdup(block);
  __libc_free(block);
  PROMISE(strcmp(copy, "nine char") == 0);
  free(copy);
  char *zeros = __libc_calloc(100, 10);
  for (int i = 0; i < 1000; i++) PROMISE(zeros[i] == 0);
  free(zeros);
  return 0;
}

__attribute__((export_name("check"))) int check(void) {
  int line = usable();
  if (!line) line = aligned();
  if (!line) line = arrays();
  if (!line) line = library_names();
  return line;
}
