/* Replays operations on the malloc that this process has, that of the C library or of a preloaded one, on request.
 *
 * Requests on stdin, answers on stdout, one line each:
 *   name                  the allocator: jemalloc, mimalloc, glibc, or libc for another C library
 *   load COUNT LEFT       followed by COUNT raw int32 operations: x >= 0 allocates x bytes and gets the next id from 0,
 *                         x < 0 frees the block with id ~x; then by LEFT raw int32 ids of the blocks that they leave.
 *                         Answer: loaded
 *   replay                runs all operations, and then frees what is left, untimed.   Answer: NS FAILURES
 *   resize                the same, but every block is asked for at half its size and then resized to the whole
 * The loops are those of ../heap/driver.ts. Ends at the end of stdin. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

static struct {
  int count, left;
  int32_t *operations, *leftovers;
  void **blocks;
} w;

static int replay(void) {
  int id = 0, failures = 0;
  for (int i = 0; i < w.count; i++) {
    int32_t x = w.operations[i];
    if (x >= 0) {
      void *block = malloc(x);
      w.blocks[id++] = block;
      failures += !block;
    } else if (w.blocks[~x]) {
      free(w.blocks[~x]);
    }
  }
  return failures;
}

static int resize(void) {
  int id = 0, failures = 0;
  for (int i = 0; i < w.count; i++) {
    int32_t x = w.operations[i];
    if (x >= 0) {
      void *block = realloc(malloc((x + 1) >> 1), x);
      w.blocks[id++] = block;
      failures += !block;
    } else if (w.blocks[~x]) {
      free(w.blocks[~x]);
    }
  }
  return failures;
}

static double now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

static void timed(int (*run)(void)) {
  double start = now_ns();
  int failures = run();
  double end = now_ns();
  for (int i = 0; i < w.left; i++) free(w.blocks[w.leftovers[i]]);
  printf("%.0f %d\n", end - start, failures);
}

/* Memory that does not come from the allocator, all of it mapped; the last workload's is left alone. */
static void *map(size_t bytes) {
  void *memory = mmap(NULL, bytes + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  return memory == MAP_FAILED ? NULL : memory;
}

static int load(const char *line) {
  if (sscanf(line, "load %d %d", &w.count, &w.left) != 2) return 0;
  w.operations = map(w.count * sizeof *w.operations);
  w.leftovers = map(w.left * sizeof *w.leftovers);
  w.blocks = map(w.count * sizeof *w.blocks);
  return w.operations && w.leftovers && w.blocks &&
         fread(w.operations, sizeof *w.operations, w.count, stdin) == (size_t)w.count &&
         fread(w.leftovers, sizeof *w.leftovers, w.left, stdin) == (size_t)w.left;
}

static const char *name(void) {
  if (dlsym(RTLD_DEFAULT, "mallctl")) return "jemalloc";
  if (dlsym(RTLD_DEFAULT, "mi_malloc")) return "mimalloc";
#ifdef __GLIBC__
  return "glibc";
#else
  return "libc";
#endif
}

int main(void) {
  char line[128];
  while (fgets(line, sizeof line, stdin)) {
    if (!strcmp(line, "name\n")) {
      puts(name());
    } else if (!strncmp(line, "load ", 5)) {
      if (!load(line)) return 1;
      puts("loaded");
    } else if (!strcmp(line, "replay\n") && w.operations) {
      timed(replay);
    } else if (!strcmp(line, "resize\n") && w.operations) {
      timed(resize);
    } else {
      return 1;
    }
    fflush(stdout);
  }
  return 0;
}
