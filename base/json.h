/* JSON (RFC 8259) written for other programs: events, findings, schemas. Result files, which are read back
 * too, are report/json.c's. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/bytes.h"

enum { JSON_PUT_DEPTH_MAX = 32 };

/* A value that is being written behind out. Begin with {.out = &bytes}; a document is one value. */
struct json_put {
    struct bytes *out;
    bool lines; /* one item a line, indented by depth; else all on one line */
    unsigned depth;
    bool more[JSON_PUT_DEPTH_MAX + 1]; /* this list or object has an item */
    char closing[JSON_PUT_DEPTH_MAX + 1];
};

/* Each writes one value. name: the key, inside an object; NULL inside a list and at the top. Lack of memory
 * is found by bytes_check at the end. Nesting deeper than JSON_PUT_DEPTH_MAX is a bug (assert). */
void json_put_object(struct json_put *put, const char *name);
void json_put_list(struct json_put *put, const char *name);
void json_put_end(struct json_put *put); /* of the innermost object or list */
/* text: UTF-8; a byte that is not becomes U+FFFD. NULL: null. */
void json_put_text(struct json_put *put, const char *name, const char *text);
void json_put_integer(struct json_put *put, const char *name, int64_t value);
void json_put_number(struct json_put *put, const char *name, double value); /* not finite: null */
/* A number that is text already, e.g. a decimal longer than a double holds. Not a number of JSON: null. */
void json_put_decimal(struct json_put *put, const char *name, const char *decimal);
void json_put_boolean(struct json_put *put, const char *name, bool value);

#endif
