// A hash map from strings to integers: an array of buckets, each a linked list of entries. JavaScript reads it, too
// (structures.mjs), so the layout is part of the interface.

#ifndef MAP_H
#define MAP_H

#include <stdint.h>

/** One key and its value. */
struct entry {
  struct entry *next;
  uint32_t hash;
  int32_t value;
  uint32_t length;
  /** `length` bytes, not terminated. */
  char key[];
};

/** A hash map, aligned to a cache line. */
struct map {
  /** `bucket_count` lists, a power of two. An entry is in the list of its hash modulo that number. */
  _Alignas(64) struct entry **buckets;
  uint32_t bucket_count;
  uint32_t count;
};

/** An empty map; NULL if there is no room. */
struct map *map_new(void);

/** Adds to the value of a key; a new key starts at 0. Returns 0 and changes nothing if there is no room. */
int map_add(struct map *map, const char *key, uint32_t length, int32_t amount);

/** The entry of a key; NULL if there is none. */
struct entry *map_find(const struct map *map, const char *key, uint32_t length);

/** Removes a key. Returns whether it was there. */
int map_delete(struct map *map, const char *key, uint32_t length);

/** Frees the map and all its entries. */
void map_free(struct map *map);

#endif
