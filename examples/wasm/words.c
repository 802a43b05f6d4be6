// Counts the words of a text in a map.

#include "heap.h"
#include "map.h"

static int is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/**
 * Adds 1 to the value of each word, a sequence of the letters A … Z and a … z. Returns 0 if the map has no room for
 * one.
 */
EXPORT(count_words) int count_words(struct map *map, const char *text, uint32_t length) {
  uint32_t at = 0;
  while (at < length) {
    uint32_t start = at;
    while (at < length && is_letter(text[at])) at++;
    if (at == start) at++;
    else if (!map_add(map, text + start, at - start, 1)) return 0;
  }
  return 1;
}
