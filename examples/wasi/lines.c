// Sorts the lines of a text, as an ordinary C program does it: the C library's getline and open_memstream allocate as well.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT(name) __attribute__((export_name(#name)))

static int compare(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/** The lines of a text of `length` bytes, sorted, each behind its length: a text for the caller to free. */
EXPORT(sort_lines) char *sort_lines(char *text, size_t length) {
  char **lines = NULL, *line = NULL, *sorted = NULL;
  size_t count = 0, room = 0, size = 0;
  FILE *in = fmemopen(text, length, "r");
  FILE *out = open_memstream(&sorted, &size);
  while (in && out && getline(&line, &room, in) >= 0) {
    char **more = reallocarray(lines, count + 1, sizeof *lines);
    if (!more) break;
    lines = more;
    line[strcspn(line, "\n")] = 0;
    if (!(lines[count] = strdup(line))) break;
    count++;
  }
  qsort(lines, count, sizeof *lines, compare);
  for (size_t i = 0; i < count; i++) fprintf(out, "%zu %s\n", strlen(lines[i]), lines[i]);
  for (size_t i = 0; i < count; i++) free(lines[i]);
  if (in) fclose(in);
  if (out) fclose(out);
  free(lines);
  free(line);
  return sorted;
}
