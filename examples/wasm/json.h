// A JSON parser that makes a tree of nodes. JavaScript reads the tree too (structures.mjs), so the layout is part of the
// interface.

#ifndef JSON_H
#define JSON_H

#include <stdint.h>

/** What a node is, and which member of its union holds. */
enum json_type {
  JSON_NULL,
  JSON_FALSE,
  JSON_TRUE,
  /** `number`. */
  JSON_NUMBER,
  /** `text`: a number whose nearest double takes more than one multiplication or division to find, as it was written. */
  JSON_DECIMAL,
  /** `text`, in UTF-8. */
  JSON_STRING,
  /** `children`. */
  JSON_ARRAY,
  /** `children`, each with a key. */
  JSON_OBJECT,
};

/** Bytes in a block of their own, not terminated; NULL when there are none. */
struct json_text {
  char *bytes;
  uint32_t length;
};

/** One value. */
struct json {
  enum json_type type;
  /** The next element of the same array or object. */
  struct json *next;
  /** Name of a member of an object. */
  struct json_text key;
  union {
    double number;
    struct json_text text;
    struct {
      struct json *first;
      uint32_t count;
    } children;
  };
};

enum json_error {
  JSON_OK,
  /** Not JSON. */
  JSON_SYNTAX,
  /** More than 256 arrays and objects inside each other. */
  JSON_DEPTH,
  JSON_NO_ROOM,
};

/** How parsing ended. */
struct json_status {
  enum json_error error;
  /** Byte of the text at which it ended. */
  uint32_t position;
};

/** Parses a text in UTF-8. Returns NULL, with nothing left allocated, when that fails; `status` says why. */
struct json *json_parse(const char *text, uint32_t length, struct json_status *status);

/** Frees a tree; NULL is one. */
void json_free(struct json *json);

#endif
