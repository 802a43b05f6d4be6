// A JSON parser that makes a tree of nodes. JavaScript reads the tree, too (structures.mjs), so the layout is part of
// the interface.

#ifndef JSON_H
#define JSON_H

#include <stdint.h>

/** The types of nodes, each with the member of the union that it uses. */
enum json_type {
  JSON_NULL,
  JSON_FALSE,
  JSON_TRUE,
  /** `number`. */
  JSON_NUMBER,
  /**
   * `text`: a number, as it was written, whose nearest double takes more than one multiplication or division to find.
   */
  JSON_DECIMAL,
  /** `text`, in UTF-8. */
  JSON_STRING,
  /** `children`. */
  JSON_ARRAY,
  /** `children`, each with a key. */
  JSON_OBJECT,
};

/** Bytes in a block of their own, not terminated; NULL if there are none. */
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

/** The result of parsing. */
struct json_status {
  enum json_error error;
  /** The byte of the text at which parsing ended. */
  uint32_t position;
};

/** Parses a text in UTF-8. Returns NULL, with nothing left allocated, if that fails; `status` says why. */
struct json *json_parse(const char *text, uint32_t length, struct json_status *status);

/** Frees a tree. Does nothing for NULL. */
void json_free(struct json *json);

#endif
