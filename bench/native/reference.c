/* The reference buddy allocator in C, replaying operations on request: the yardstick for the JavaScript.
 *
 * The allocator is a complete binary tree of signed bytes. Node 0 is the whole arena, node i halves into
 * nodes 2i+1 and 2i+2, and longest[i] is the order (log2 of the size in units) of the largest free block
 * under node i, or FULL when there is none. The layout, the width of every field and the order of the steps
 * are those of the allocator that the placement is specified by, so that the time is that allocator's too. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { FULL = -1 };

struct buddy {
  int8_t order; /* of the whole arena */
  int8_t longest[];
};

static inline unsigned left_of(unsigned node) { return 2 * node + 1; }
static inline unsigned right_of(unsigned node) { return 2 * node + 2; }
static inline unsigned parent_of(unsigned node) { return (node + 1) / 2 - 1; }
static inline int8_t larger(int8_t a, int8_t b) { return a > b ? a : b; }

static size_t buddy_bytes(int order) { return (size_t)2 << order; }

static struct buddy *buddy_create(int order) {
  struct buddy *b = malloc(buddy_bytes(order));
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

#include "replay.h"
