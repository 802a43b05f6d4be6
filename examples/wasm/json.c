// The JSON parser of json.h: recursive descent over the grammar of RFC 8259.

#include "json.h"

#include "heap.h"

enum { MOST_DEPTH = 256 };

_Static_assert(sizeof(struct json) == 24 && offsetof(struct json, next) == 4, "as JavaScript reads it");
_Static_assert(offsetof(struct json, key) == 8 && offsetof(struct json, number) == 16, "as JavaScript reads it");

struct parser {
  const char *at;
  const char *end;
  uint32_t depth;
  enum json_error error;
};

static int fail(struct parser *parser, enum json_error error) {
  parser->error = error;
  return 0;
}

/** The byte at the cursor; 0 at the end. No valid JSON text contains a byte 0. */
static char peek(const struct parser *parser) {
  return parser->at < parser->end ? *parser->at : 0;
}

/** Steps over a byte if it is the next one. */
static int accept(struct parser *parser, char byte) {
  if (peek(parser) != byte) return 0;
  parser->at++;
  return 1;
}

static void skip_space(struct parser *parser) {
  for (;;) {
    char c = peek(parser);
    if (c != ' ' && c != '\n' && c != '\r' && c != '\t') return;
    parser->at++;
  }
}

static int parse_literal(struct parser *parser, const char *rest) {
  for (; *rest; rest++) {
    if (!accept(parser, *rest)) return fail(parser, JSON_SYNTAX);
  }
  return 1;
}

static int copy_text(struct parser *parser, const char *start, struct json_text *text) {
  text->length = parser->at - start;
  text->bytes = malloc(text->length);
  if (!text->bytes) return fail(parser, JSON_NO_ROOM);
  for (uint32_t i = 0; i < text->length; i++) text->bytes[i] = start[i];
  return 1;
}

static int is_digit(char c) {
  return c >= '0' && c <= '9';
}

/** The value of the digits read so far, and their number. */
struct digits {
  uint64_t value;
  int32_t significant;
};

/**
 * Reads at least one digit. From the 20th significant digit on the value wraps around, so check their number before
 * use.
 */
static int parse_digits(struct parser *parser, struct digits *digits) {
  if (!is_digit(peek(parser))) return fail(parser, JSON_SYNTAX);
  while (is_digit(peek(parser))) {
    digits->value = 10 * digits->value + (uint64_t)(*parser->at++ - '0');
    if (digits->value != 0 || digits->significant > 0) digits->significant++;
  }
  return 1;
}

/**
 * A double holds both a number below 2^53 and a power of ten up to 10^22 exactly, so their product or quotient is
 * rounded only once (Clinger, How to read floating point numbers accurately, 1990). All other numbers keep their text.
 */
static int parse_number(struct parser *parser, struct json *json) {
  static const double POWERS[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                  1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  const char *start = parser->at;
  int negative = accept(parser, '-');
  struct digits digits = {0, 0};
  int64_t exponent = 0;
  if (!accept(parser, '0') && !parse_digits(parser, &digits)) return 0;
  if (accept(parser, '.')) {
    const char *point = parser->at;
    if (!parse_digits(parser, &digits)) return 0;
    exponent = point - parser->at;
  }
  if (accept(parser, 'e') || accept(parser, 'E')) {
    int below = accept(parser, '-');
    if (!below) accept(parser, '+');
    struct digits power = {0, 0};
    if (!parse_digits(parser, &power)) return 0;
    int64_t value = power.significant > 9 ? 1000000000 : (int64_t)power.value;
    exponent += below ? -value : value;
  }
  if (digits.significant > 19 || digits.value > 1ull << 53 || exponent < -22 || exponent > 22) {
    json->type = JSON_DECIMAL;
    return copy_text(parser, start, &json->text);
  }
  double value = (double)digits.value;
  value = exponent < 0 ? value / POWERS[-exponent] : value * POWERS[exponent];
  json->type = JSON_NUMBER;
  json->number = negative ? -value : value;
  return 1;
}

/** The value of the four hexadecimal digits of \u; -1 if they are not hexadecimal digits. */
static int32_t parse_hex(struct parser *parser) {
  int32_t value = 0;
  for (int i = 0; i < 4; i++) {
    char c = peek(parser);
    int32_t digit = is_digit(c) ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
    if (digit < 0) return -1;
    value = 16 * value + digit;
    parser->at++;
  }
  return value;
}

/** The code point of \u and its digits, or of a surrogate pair. Half a pair becomes U+FFFD, as in TextEncoder. */
static int32_t parse_code_point(struct parser *parser) {
  int32_t unit = parse_hex(parser);
  if (unit < 0xD800 || unit > 0xDFFF) return unit;
  const char *after = parser->at;
  if (unit < 0xDC00 && accept(parser, '\\') && accept(parser, 'u')) {
    int32_t low = parse_hex(parser);
    if (low >= 0xDC00 && low <= 0xDFFF) return 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
  }
  parser->at = after;
  return 0xFFFD;
}

static char *put_utf8(char *out, int32_t point) {
  if (point < 0x80) {
    *out++ = (char)point;
    return out;
  }
  int continuations = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
  *out++ = (char)((0xF80 >> continuations) | (point >> (6 * continuations)));
  while (continuations-- > 0) *out++ = (char)(0x80 | ((point >> (6 * continuations)) & 0x3F));
  return out;
}

/** The byte that a backslash and `c` stand for; 0 if JSON has no such escape. */
static char unescape(char c) {
  switch (c) {
    case '"':
    case '\\':
    case '/':
      return c;
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return 0;
  }
}

/** Decodes up to the closing quote. Returns the end of the decoded bytes; NULL if the string is not valid. */
static char *decode_string(struct parser *parser, char *out) {
  while (parser->at < parser->end) {
    char c = *parser->at;
    if ((uint8_t)c < 0x20) return NULL;
    parser->at++;
    if (c == '"') return out;
    if (c != '\\') {
      *out++ = c;
    } else if (accept(parser, 'u')) {
      int32_t point = parse_code_point(parser);
      if (point < 0) return NULL;
      out = put_utf8(out, point);
    } else {
      c = unescape(peek(parser));
      if (!c) return NULL;
      parser->at++;
      *out++ = c;
    }
  }
  return NULL;
}

/** A string whose opening quote has been read. `text` must have no bytes; its bytes remain even if this fails. */
static int parse_string(struct parser *parser, struct json_text *text) {
  const char *close = parser->at;
  while (close < parser->end && *close != '"') close += *close == '\\' ? 2 : 1;
  if (close >= parser->end) {
    parser->at = parser->end;
    return fail(parser, JSON_SYNTAX);
  }
  uint32_t most = close - parser->at;
  if (most == 0) {
    parser->at++;
    return 1;
  }
  // No escape sequence is shorter than the UTF-8 that it stands for.
  text->bytes = malloc(most);
  if (!text->bytes) return fail(parser, JSON_NO_ROOM);
  const char *end = decode_string(parser, text->bytes);
  if (!end) return fail(parser, JSON_SYNTAX);
  text->length = end - text->bytes;
  if (text->length < most) {
    char *fitting = realloc(text->bytes, text->length);
    if (fitting) text->bytes = fitting;
  }
  return 1;
}

static struct json *parse_value(struct parser *parser);

/** The rest of an array or an object. The nodes made so far are in `json` even if this fails. */
static int parse_children(struct parser *parser, struct json *json, char close) {
  struct json **next = &json->children.first;
  if (++parser->depth > MOST_DEPTH) return fail(parser, JSON_DEPTH);
  skip_space(parser);
  if (!accept(parser, close)) {
    do {
      struct json_text key = {NULL, 0};
      if (close == '}') {
        skip_space(parser);
        if (!accept(parser, '"')) return fail(parser, JSON_SYNTAX);
        int named = parse_string(parser, &key);
        skip_space(parser);
        if (named && !accept(parser, ':')) named = fail(parser, JSON_SYNTAX);
        if (!named) {
          free(key.bytes);
          return 0;
        }
      }
      struct json *child = parse_value(parser);
      if (!child) {
        free(key.bytes);
        return 0;
      }
      child->key = key;
      *next = child;
      next = &child->next;
      json->children.count++;
      skip_space(parser);
    } while (accept(parser, ','));
    if (!accept(parser, close)) return fail(parser, JSON_SYNTAX);
  }
  parser->depth--;
  return 1;
}

static int parse_into(struct parser *parser, struct json *json) {
  switch (peek(parser)) {
    case 'n':
      return parse_literal(parser, "null");
    case 'f':
      json->type = JSON_FALSE;
      return parse_literal(parser, "false");
    case 't':
      json->type = JSON_TRUE;
      return parse_literal(parser, "true");
    case '"':
      parser->at++;
      json->type = JSON_STRING;
      return parse_string(parser, &json->text);
    case '[':
      parser->at++;
      json->type = JSON_ARRAY;
      return parse_children(parser, json, ']');
    case '{':
      parser->at++;
      json->type = JSON_OBJECT;
      return parse_children(parser, json, '}');
    default:
      return parse_number(parser, json);
  }
}

/** A node for the value at the cursor; NULL, with nothing left allocated, if that fails. */
static struct json *parse_value(struct parser *parser) {
  skip_space(parser);
  struct json *json = calloc(1, sizeof *json);
  if (!json) {
    fail(parser, JSON_NO_ROOM);
    return NULL;
  }
  if (parse_into(parser, json)) return json;
  json_free(json);
  return NULL;
}

EXPORT(json_parse) struct json *json_parse(const char *text, uint32_t length, struct json_status *status) {
  struct parser parser = {text, text + length, 0, JSON_OK};
  struct json *json = parse_value(&parser);
  if (json) {
    skip_space(&parser);
    if (parser.at < parser.end) {
      fail(&parser, JSON_SYNTAX);
      json_free(json);
      json = NULL;
    }
  }
  status->error = parser.error;
  status->position = parser.at - text;
  return json;
}

EXPORT(json_free) void json_free(struct json *json) {
  while (json) {
    struct json *next = json->next;
    if (json->type == JSON_STRING || json->type == JSON_DECIMAL) free(json->text.bytes);
    if (json->type == JSON_ARRAY || json->type == JSON_OBJECT) json_free(json->children.first);
    free(json->key.bytes);
    free(json);
    json = next;
  }
}
