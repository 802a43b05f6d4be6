/* The reference buddy allocator in C, replaying operations on request: the yardstick for the JavaScript.
 *
 * The allocator is a complete binary tree of signed bytes. Node 0 is the whole arena, node i halves into
 * nodes 2i+1 and 2i+2, and longest[i] is the order (log2 of the size in units) of the largest free block
 * under node i, or FULL when there is none. The layout, the width of every field and the order of the steps
 * are those of the allocator that the placement is specified by, so that the time is that allocator's too.
 *
 * Requests on stdin, answers on stdout, one line each:
 *   load ORDER COUNT STEADY   followed by COUNT raw int32 operations: x >= 0 allocates x units and gets the
 *                             next id from 0, x < 0 frees the block with id ~x.      Answer: ok
 *   replay                    on a fresh arena of 2^ORDER units runs all operations and times those from
 *                             number STEADY on.   Answer: CREATE_NS REPLAY_NS FAILURES HASH
 * HASH is h = h * 31 + offset over every allocation, modulo 2^32. Ends at the end of stdin. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FULL = -1 };

struct buddy {
  int8_t order; /* of the whole arena */
  int8_t longest[];
};

static inline unsigned left_of(unsigned node) { return 2 * node + 1; }
static inline unsigned right_of(unsigned node) { return 2 * node + 2; }
static inline unsigned parent_of(unsigned node) { return (node + 1) / 2 - 1; }
static inline int8_t larger(int8_t a, int8_t b) { return a > b ? a : b; }

static struct buddy *buddy_create(int order) {
  struct buddy *b = malloc((size_t)2 << order);
  if (!b) return NULL;
  b->order = order;
  for (int depth = 0; depth <= order; depth++)
    memset(b->longest + ((size_t)1 << depth) - 1, order - depth, (size_t)1 << depth);
  return b;
}

/* The lowest free block of the power of two >= size: its offset in units, or -1. */
static int buddy_alloc(struct buddy *b, int size) {
  if (size <= 0) return -1;
  int wanted = size == 1 ? 0 : 32 - __builtin_clz(size - 1);
  unsigned node = 0;
  if (b->longest[node] < wanted) return -1;
  for (int8_t order = b->order; order != wanted; order--)
    node = b->longest[left_of(node)] >= wanted ? left_of(node) : right_of(node);
  b->longest[node] = FULL;
  int offset = (int)((node + 1) << wanted) - (1 << b->order);
  while (node) {
    node = parent_of(node);
    b->longest[node] = larger(b->longest[left_of(node)], b->longest[right_of(node)]);
  }
  return offset;
}

/* Gives back the block that holds the unit at offset; nothing happens when that unit is free. */
static void buddy_free(struct buddy *b, int offset) {
  int order = 0;
  unsigned node = (1u << b->order) - 1 + offset;
  for (; b->longest[node] != FULL; order++) {
    if (node == 0) return;
    node = parent_of(node);
  }
  b->longest[node] = order;
  while (node) {
    int half = order++;
    node = parent_of(node);
    int8_t left = b->longest[left_of(node)], right = b->longest[right_of(node)];
    /* Two wholly free halves are one free block of the next order. */
    b->longest[node] = left == right && left == half ? order : larger(left, right);
  }
}

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

static double now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
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
  double start = now_ns();
  struct buddy *b = buddy_create(w->order);
  if (!b) return 0;
  double created = now_ns();
  struct progress p = {0, 0, 0};
  run(b, w, 0, w->steady, &p);
  double steady = now_ns();
  run(b, w, w->steady, w->count, &p);
  double end = now_ns();
  free(b);
  printf("%.0f %.0f %d %u\n", created - start, end - steady, p.failures, p.hash);
  return 1;
}

int main(void) {
  struct workload w = {0};
  char line[128];
  while (fgets(line, sizeof line, stdin)) {
    if (!strncmp(line, "load ", 5)) {
      if (!load(&w, line)) return 1;
      puts("ok");
    } else if (!strcmp(line, "replay\n")) {
      if (!w.operations || !replay(&w)) return 1;
    } else {
      return 1;
    }
    fflush(stdout);
  }
  return 0;
}
