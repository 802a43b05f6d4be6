// The hash map of map.h.

#include "map.h"

#include "heap.h"

enum { FIRST_BUCKETS = 8 };

_Static_assert(offsetof(struct entry, value) == 8 && offsetof(struct entry, length) == 12, "as JavaScript reads it");
_Static_assert(offsetof(struct entry, key) == 16 && offsetof(struct map, bucket_count) == 4, "as JavaScript reads it");

/** FNV-1a of 32 bits (Fowler, Noll, Vo). */
static uint32_t hash_of(const char *key, uint32_t length) {
  uint32_t hash = 2166136261u;
  for (uint32_t i = 0; i < length; i++) hash = (hash ^ (uint8_t)key[i]) * 16777619u;
  return hash;
}

static int equal(const char *a, const char *b, uint32_t length) {
  for (uint32_t i = 0; i < length; i++) {
    if (a[i] != b[i]) return 0;
  }
  return 1;
}

/** The address of the pointer to the key's entry. If there is no entry, that pointer is NULL. */
static struct entry **place_of(const struct map *map, const char *key, uint32_t length, uint32_t hash) {
  struct entry **place = &map->buckets[hash & (map->bucket_count - 1)];
  while (*place) {
    const struct entry *entry = *place;
    if (entry->hash == hash && entry->length == length && equal(entry->key, key, length)) break;
    place = &(*place)->next;
  }
  return place;
}

/**
 * Doubles the buckets in place. Entries of bucket i stay there or go to i + old. If there is no room, the lists get
 * longer.
 */
static void grow(struct map *map) {
  uint32_t old = map->bucket_count;
  struct entry **buckets = realloc(map->buckets, 2 * old * sizeof *buckets);
  if (!buckets) return;
  for (uint32_t i = 0; i < old; i++) {
    struct entry **low = &buckets[i];
    struct entry **high = &buckets[i + old];
    for (struct entry *entry = buckets[i]; entry; entry = entry->next) {
      struct entry ***end = entry->hash & old ? &high : &low;
      **end = entry;
      *end = &entry->next;
    }
    *low = NULL;
    *high = NULL;
  }
  map->buckets = buckets;
  map->bucket_count = 2 * old;
}

EXPORT(map_new) struct map *map_new(void) {
  struct map *map = aligned_alloc(_Alignof(struct map), sizeof *map);
  if (!map) return NULL;
  map->buckets = calloc(FIRST_BUCKETS, sizeof *map->buckets);
  if (!map->buckets) {
    free(map);
    return NULL;
  }
  map->bucket_count = FIRST_BUCKETS;
  map->count = 0;
  return map;
}

EXPORT(map_add) int map_add(struct map *map, const char *key, uint32_t length, int32_t amount) {
  uint32_t hash = hash_of(key, length);
  struct entry **place = place_of(map, key, length, hash);
  if (*place) {
    (*place)->value += amount;
    return 1;
  }
  struct entry *entry = malloc(sizeof *entry + length);
  if (!entry) return 0;
  entry->next = NULL;
  entry->hash = hash;
  entry->value = amount;
  entry->length = length;
  for (uint32_t i = 0; i < length; i++) entry->key[i] = key[i];
  *place = entry;
  if (++map->count > map->bucket_count) grow(map);
  return 1;
}

EXPORT(map_find) struct entry *map_find(const struct map *map, const char *key, uint32_t length) {
  return *place_of(map, key, length, hash_of(key, length));
}

EXPORT(map_delete) int map_delete(struct map *map, const char *key, uint32_t length) {
  struct entry **place = place_of(map, key, length, hash_of(key, length));
  struct entry *entry = *place;
  if (!entry) return 0;
  *place = entry->next;
  free(entry);
  map->count--;
  return 1;
}

EXPORT(map_free) void map_free(struct map *map) {
  for (uint32_t i = 0; i < map->bucket_count; i++) {
    struct entry *entry = map->buckets[i];
    while (entry) {
      struct entry *next = entry->next;
      free(entry);
      entry = next;
    }
  }
  free(map->buckets);
  free(map);
}
