/* Replays operations on a buddy allocator on request. A program defines the allocator and then includes this:
 *
 *   struct buddy;
 *   static size_t buddy_bytes(int order);                metadata of an arena of 2^order units
 *   static struct buddy *buddy_create(int order);        one malloc'd object, all of it written to; NULL if there is no memory
 *   static int buddy_alloc(struct buddy *, int size);    the offset, or -1
 *   buddy_free(struct buddy *, int offset);              what it returns is not looked at
 *
 * Requests on stdin, answers on stdout, one line each:
 *   load ORDER COUNT STEADY   followed by COUNT raw int32 operations: x >= 0 allocates x units and gets the
 *                             next id from 0, x < 0 frees the block with id ~x.   Answer: METADATA_BYTES
 *   replay                    on a fresh arena of 2^ORDER units runs all operations and times those from
 *                             number STEADY on.   Answer: CREATE_NS REPLAY_NS FAILURES HASH CPU_NS
 * CPU_NS is the processor time of the operations of REPLAY_NS.
 * HASH is h = h * 31 + offset over every allocation, modulo 2^32. Ends at the end of stdin. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct workload {
  int order;
  int count, steady;
  int32_t *operations, *offsets;
};

struct progress {
  int allocations, failures;
  uint32_t hash;
};

static void run(struct buddy *b, const struct workload *w, int from, int to, struct progress *p) {
  const int32_t *operations = w->operations;
  int32_t *offsets = w->offsets;
  int id = p->allocations, failures = 0;
  uint32_t hash = p->hash;
  for (int i = from; i < to; i++) {
    int x = operations[i];
    if (x >= 0) {
      int offset = buddy_alloc(b, x);
      offsets[id++] = offset;
      hash = hash * 31 + (uint32_t)offset;
      failures += offset < 0;
    } else if (offsets[~x] >= 0) {
      buddy_free(b, offsets[~x]);
    }
  }
  p->allocations = id;
  p->failures += failures;
  p->hash = hash;
}

static double now_ns(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

static int load(struct workload *w, const char *line) {
  int order, count, steady;
  if (sscanf(line, "load %d %d %d", &order, &count, &steady) != 3) return 0;
  free(w->operations);
  free(w->offsets);
  *w = (struct workload){order, count, steady, calloc(count, sizeof(int32_t)), calloc(count, sizeof(int32_t))};
  return w->operations && w->offsets && fread(w->operations, sizeof(int32_t), count, stdin) == (size_t)count;
}

static int replay(const struct workload *w) {
  double start = now_ns(CLOCK_MONOTONIC);
  struct buddy *b = buddy_create(w->order);
  if (!b) return 0;
  double created = now_ns(CLOCK_MONOTONIC);
  struct progress p = {0, 0, 0};
  run(b, w, 0, w->steady, &p);
  double used = now_ns(CLOCK_PROCESS_CPUTIME_ID);
  double steady = now_ns(CLOCK_MONOTONIC);
  run(b, w, w->steady, w->count, &p);
  double end = now_ns(CLOCK_MONOTONIC);
  used = now_ns(CLOCK_PROCESS_CPUTIME_ID) - used;
  free(b);
  printf("%.0f %.0f %d %u %.0f\n", created - start, end - steady, p.failures, p.hash, used);
  return 1;
}

int main(void) {
  struct workload w = {0};
  char line[128];
  while (fgets(line, sizeof line, stdin)) {
    if (!strncmp(line, "load ", 5)) {
      if (!load(&w, line)) return 1;
      printf("%zu\n", buddy_bytes(w.order));
    } else if (!strcmp(line, "replay\n")) {
      if (!w.operations || !replay(&w)) return 1;
    } else {
      return 1;
    }
    fflush(stdout);
  }
  return 0;
}
