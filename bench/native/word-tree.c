/* This project's allocator in C, for arenas of a power of two: what the machine gives to the same algorithm without
 * JavaScript. Functions, invariants and the order of the steps are those of src/ (tree.ts, run-index.ts, word.ts,
 * allocator.ts), where they are explained; misuse of free is found alike and answered by 0.
 *
 * A program that replays operations, or with a WebAssembly compiler a module that exports the allocator. */
#include <stddef.h>
#include <stdint.h>

enum { FAN_BITS = 5, MAX_RUN = 4, ORDERS_PER_LEVEL = 5, MAX_LEVELS = 7, TIERS = 5, NOWHERE = INT32_MAX };

/* The children of a word: 00 free, 01 subdivided, 10 the first of a live block, 11 a further one of it. */
struct pair {
  uint32_t used, cont;
};

/* One group of the run index for all orders of a level. */
typedef uint32_t group[ORDERS_PER_LEVEL];

struct buddy {
  int32_t capacity, free_units, levels;
  int32_t count[MAX_LEVELS];             /* words of a level */
  int32_t above[MAX_LEVELS];             /* no free child of any higher level lies below this address */
  int32_t hint[MAX_LEVELS * ORDERS_PER_LEVEL]; /* no earlier word has an index bit for the order */
  struct pair full;                      /* the words of a level that does not exist */
  struct pair *words[MAX_LEVELS];
  group *index[MAX_LEVELS][TIERS];
  struct pair lowest[]; /* words of level 0, at a constant place; the other levels and the index follow */
};

static inline int lowest_bit(uint32_t mask) { return __builtin_ctz(mask); }
static inline uint32_t ones(int r) { return (2u << ((1 << r) - 1)) - 1; }
static inline int groups(int bits) { return (bits + 31) >> 5; }

static inline uint32_t fitting(uint32_t free, int r) {
  static const uint32_t aligned[] = {0xffffffff, 0x55555555, 0x11111111, 0x01010101, 0x00010001};
  int steps = (1 << r) - 1;
  uint32_t f = free & free >> (steps & 1);
  f &= f >> (steps & 2);
  f &= f >> (steps & 4);
  f &= f >> (steps & 8);
  return f & aligned[r];
}

static inline int longest_run(uint32_t free) {
  uint32_t f1 = free & free >> 1 & 0x55555555, f2 = f1 & f1 >> 2 & 0x11111111;
  uint32_t f3 = f2 & f2 >> 4 & 0x01010101, f4 = f3 & f3 >> 8 & 0x00010001;
  return !f1 ? (free ? 0 : -1) : !f2 ? 1 : !f3 ? 2 : !f4 ? 3 : 4;
}

static inline int run_length(struct pair p, int child) {
  return 1 + lowest_bit(~((p.used & p.cont) >> child >> 1));
}

/* The run index. */

static void lower(struct buddy *b, int level, int word, int run) {
  uint32_t bit = 1u << (word & 31);
  uint32_t *of = b->index[level][0][word >> 5];
  for (int r = run + 1; r <= MAX_RUN; r++) {
    if (!(of[r] & bit)) return;
    of[r] &= ~bit;
    int at = word >> 5;
    for (int tier = 1, bits = groups(b->count[level]), empty = !of[r]; empty && bits > 1; tier++) {
      uint32_t *above = &b->index[level][tier][at >> 5][r];
      *above &= ~(1u << (at & 31));
      empty = !*above;
      at >>= 5;
      bits = groups(bits);
    }
  }
}

static void settle(struct buddy *b, int level, int word) {
  if (word == b->count[level]) return;
  struct pair p = b->words[level][word];
  if (p.used | p.cont) lower(b, level, word, longest_run(~(p.used | p.cont)));
}

static void raise(struct buddy *b, int level, int word, int run) {
  uint32_t bit = 1u << (word & 31);
  uint32_t *of = b->index[level][0][word >> 5];
  int32_t *hint = b->hint + level * ORDERS_PER_LEVEL;
  int settled = -1;
  for (int r = run; r >= 0; r--) {
    if (of[r] & bit) return;
    int was_empty = !of[r];
    of[r] |= bit;
    int at = word >> 5;
    for (int tier = 1, bits = groups(b->count[level]); was_empty && bits > 1; tier++) {
      uint32_t *above = &b->index[level][tier][at >> 5][r];
      was_empty = !*above;
      *above |= 1u << (at & 31);
      at >>= 5;
      bits = groups(bits);
    }
    int left = hint[r];
    if (word < left) {
      hint[r] = word;
      if (left != settled) settle(b, level, left);
      settled = left;
    }
  }
}

static inline int is_raised(struct buddy *b, int level, int word, int run) {
  return b->index[level][0][word >> 5][run] >> (word & 31) & 1;
}

static int next_word(struct buddy *b, int level, int r, int from) {
  group **tiers = b->index[level];
  int bits = b->count[level], i = from;
  for (int tier = 0; i < bits; tier++) {
    uint32_t found = tiers[tier][i >> 5][r] & 0xffffffff << (i & 31);
    if (found) {
      i = (i & ~31) | lowest_bit(found);
      while (tier-- > 0) i = i << 5 | lowest_bit(tiers[tier][i][r]);
      return i;
    }
    i = (i >> 5) + 1;
    bits = groups(bits);
  }
  return b->count[level];
}

static int seek(struct buddy *b, int level, int r) {
  int32_t *hint = &b->hint[level * ORDERS_PER_LEVEL + r];
  for (int word = *hint;;) {
    word = next_word(b, level, r, word);
    *hint = word;
    if (word == b->count[level]) return NOWHERE;
    struct pair p = b->words[level][word];
    uint32_t fits = fitting(~(p.used | p.cont), r);
    if (fits) return (word << 5 | lowest_bit(fits)) << (FAN_BITS * level);
    lower(b, level, word, longest_run(~(p.used | p.cont)));
  }
}

/* The tree of words. */

static void place(struct buddy *b, int offset, int level, int r) {
  int x = offset >> (FAN_BITS * level);
  struct pair *p = &b->words[level][x >> 5];
  uint32_t busy = p->used | p->cont;
  p->used |= ones(r) << (x & 31);
  p->cont |= (ones(r) ^ 1) << (x & 31);
  b->free_units -= 1 << (FAN_BITS * level + r);
  while (!busy) {
    raise(b, level, x >> 5, MAX_RUN);
    level++;
    x >>= 5;
    p = &b->words[level][x >> 5];
    busy = p->used | p->cont;
    p->cont |= 1u << (x & 31);
  }
}

static void expose(struct buddy *b, int level, int offset) {
  for (int below = level - 1; below >= 0; below--)
    if (offset < b->above[below]) b->above[below] = offset;
}

static void close_word(struct buddy *b, int level, int word) {
  for (;;) {
    lower(b, level, word, -1);
    level++;
    struct pair *p = &b->words[level][word >> 5];
    p->cont &= ~(1u << (word & 31));
    uint32_t busy = p->used | p->cont;
    if (busy) {
      expose(b, level, word << (FAN_BITS * level));
      raise(b, level, word >> 5, longest_run(~busy));
      return;
    }
    word >>= 5;
  }
}

static int search(struct buddy *b, int level, int r) {
  int32_t *above = b->above;
  int local = seek(b, level, r), lowest = local, l = level;
  for (; above[l] < lowest; l++) {
    above[l] = seek(b, l + 1, 0);
    if (above[l] < lowest) lowest = above[l];
  }
  while (--l >= level)
    if (above[l + 1] < above[l]) above[l] = above[l + 1];
  if (lowest < local)
    for (l = level; above[l] == lowest; l++) above[l] = (lowest | ((1 << (FAN_BITS * (l + 1))) - 1)) + 1;
  return lowest;
}

static __attribute__((noinline)) int alloc_searching(struct buddy *b, int level, int r) {
  if (level >= b->levels) return -1;
  int offset = search(b, level, r);
  if (offset == NOWHERE) return -1;
  place(b, offset, level, r);
  return offset;
}

static __attribute__((noinline)) int alloc_higher(struct buddy *b, int order) {
  int level = order / FAN_BITS, r = order % FAN_BITS, word = b->hint[order];
  struct pair *p = &b->words[level][word];
  uint32_t busy = p->used | p->cont, fits = busy ? fitting(~busy, r) : 0;
  if (fits) {
    int child = lowest_bit(fits), offset = (word << 5 | child) << (FAN_BITS * level);
    if (offset < b->above[level]) {
      p->used |= ones(r) << child;
      p->cont |= (ones(r) ^ 1) << child;
      b->free_units -= 1 << order;
      return offset;
    }
  }
  return alloc_searching(b, level, r);
}

static inline int buddy_alloc(struct buddy *b, int size) {
  if (size <= 0) return -1;
  int order = size == 1 ? 0 : 32 - __builtin_clz(size - 1);
  if (order >= FAN_BITS) return alloc_higher(b, order);
  int word = b->hint[order];
  struct pair *p = &b->lowest[word];
  uint32_t fits = p->used ? fitting(~p->used, order) : 0;
  if (fits) {
    int child = lowest_bit(fits), offset = word << 5 | child;
    if (offset < b->above[0]) {
      p->used |= ones(order) << child;
      p->cont |= (ones(order) ^ 1) << child;
      b->free_units -= 1 << order;
      return offset;
    }
  }
  return alloc_searching(b, 0, order);
}

/* Frees the block that starts at child `child` of the word; 0 when none does. What is in use then is in `*busy`. */
static inline int take_back(struct pair *p, int child, uint32_t *busy) {
  if (!((p->used & ~p->cont) >> child & 1)) return 0;
  int run = run_length(*p, child);
  uint32_t keep = ~(((2u << (run - 1)) - 1) << child);
  p->used &= keep;
  p->cont &= keep;
  *busy = p->used | p->cont;
  return run;
}

static __attribute__((noinline)) int free_higher(struct buddy *b, int offset) {
  int level = 0, child = offset;
  struct pair *p;
  do {
    if (child & 31) return 0;
    child >>= 5;
    level++;
    p = &b->words[level][child >> 5];
  } while (!(p->used | p->cont));
  uint32_t busy;
  int size = take_back(p, child & 31, &busy) << (FAN_BITS * level);
  if (!size) return 0;
  b->free_units += size;
  if (!busy) {
    close_word(b, level, child >> 5);
  } else {
    expose(b, level, offset);
    raise(b, level, child >> 5, longest_run(~busy));
  }
  return size;
}

static inline int buddy_free(struct buddy *b, int offset) {
  if ((uint32_t)offset >= (uint32_t)b->capacity) return 0;
  int word = offset >> 5;
  struct pair *p = &b->lowest[word];
  if (!p->used) return free_higher(b, offset);
  uint32_t busy;
  int size = take_back(p, offset & 31, &busy);
  if (!size) return 0;
  b->free_units += size;
  if (!busy) {
    close_word(b, 0, word);
  } else {
    int longest = longest_run(~busy);
    if (!is_raised(b, 0, word, longest)) raise(b, 0, word, longest);
  }
  return size;
}

/* Sets the positions of everything in an arena at address `at`; returns the address behind it. */
static uintptr_t lay_out(struct buddy *b, uintptr_t at, int order) {
  b->capacity = 1 << order;
  b->levels = order / FAN_BITS + 1;
  at += offsetof(struct buddy, lowest);
  for (int level = 0; level < MAX_LEVELS; level++) {
    int span = FAN_BITS * (level + 1);
    b->count[level] = level >= b->levels ? 0 : order > span ? 1 << (order - span) : 1;
    b->words[level] = (struct pair *)at;
    /* One more word, all in use, is where the hint of an order without a block points. */
    if (level < b->levels) at += (b->count[level] + 1) * sizeof(struct pair);
  }
  for (int level = 0; level < b->levels; level++) {
    int bits = b->count[level], tier = 0;
    do {
      bits = groups(bits);
      b->index[level][tier++] = (group *)at;
      at += bits * sizeof(group);
    } while (bits > 1);
  }
  return at;
}

static size_t buddy_bytes(int order) {
  struct buddy unused;
  return lay_out(&unused, 0, order);
}

/* Makes memory of zeros an arena of 2^order units, all free. */
static void format(struct buddy *b, int order) {
  lay_out(b, (uintptr_t)b, order);
  b->free_units = b->capacity;
  b->full = (struct pair){~0u, ~0u};
  for (int level = 0; level < MAX_LEVELS; level++) {
    if (level >= b->levels) {
      b->words[level] = &b->full;
      continue;
    }
    b->words[level][b->count[level]] = b->full;
    for (int r = 0; r < ORDERS_PER_LEVEL; r++) b->hint[level * ORDERS_PER_LEVEL + r] = b->count[level];
  }
  int top = b->levels - 1;
  uint32_t beyond = ~0u << (1 << (order - FAN_BITS * top));
  b->words[top][0].used = beyond;
  raise(b, top, 0, longest_run(~beyond));
  b->above[top] = NOWHERE;
}

#ifdef __wasm__

#define EXPORT(name) __attribute__((export_name(name)))

enum { PAGE_BYTES = 1 << 16, LINE_BYTES = 64 };

extern char __heap_base;
static struct buddy *arena;

EXPORT("bytes") int wasm_bytes(int order) { return buddy_bytes(order); }

/* Makes the module's one arena anew; 0 when there is no memory. */
EXPORT("create") int wasm_create(int order) {
  uintptr_t at = ((uintptr_t)&__heap_base + LINE_BYTES - 1) & -(uintptr_t)LINE_BYTES;
  size_t bytes = buddy_bytes(order);
  size_t pages = (at + bytes + PAGE_BYTES - 1) / PAGE_BYTES, present = __builtin_wasm_memory_size(0);
  if (pages > present && __builtin_wasm_memory_grow(0, pages - present) == (size_t)-1) return 0;
  arena = (struct buddy *)at;
  __builtin_memset(arena, 0, bytes);
  format(arena, order);
  return 1;
}

EXPORT("alloc") int wasm_alloc(int size) { return buddy_alloc(arena, size); }
EXPORT("free") int wasm_free(int offset) { return buddy_free(arena, offset); }

#else

#include <stdlib.h>
#include <string.h>

static struct buddy *buddy_create(int order) {
  size_t bytes = buddy_bytes(order);
  struct buddy *b = aligned_alloc(64, (bytes + 63) / 64 * 64);
  if (!b) return NULL;
  memset(b, 0, bytes);
  format(b, order);
  return b;
}

#include "replay.h"

#endif
