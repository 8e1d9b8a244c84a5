#include "query/yaml.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <yaml.h>

#include "base/display.h"
#include "base/number.h"
#include "query/dictionary.h"

/* libyaml's parser is read event by event: every event carries its mark, and limits, duplicates, anchors,
 * aliases and tags are refused while they pass, before a tree of them exists. (yaml_parser_load would have
 * resolved aliases and tags, and built the whole document, before anything could be asked.) */

struct reading {
    yaml_parser_t parser;
    struct arena *arena;
    const char *file;
    const char *text;
    size_t length;
    size_t n_nodes;
    size_t byte, character; /* the same place in text, counted twice: libyaml's marks count characters */
    struct maille_error *error;
};

/* A list that grows while the children of one node are read. */
struct growing {
    const struct yaml_node **items;
    size_t n, capacity;
};

static void growing_add(struct arena *arena, struct growing *list, const struct yaml_node *node)
{
    if (list->n == list->capacity) {
        size_t capacity = list->capacity == 0 ? 8 : 2 * list->capacity;
        const struct yaml_node **items = arena_array(arena, capacity, sizeof *items);
        if (list->n > 0)
            memcpy(items, list->items, list->n * sizeof *items);
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->n++] = node;
}

static enum maille_code fail_at_mark(const struct reading *r, const yaml_mark_t *mark, const char *sentence)
{
    return maille_fail(r->error, MAILLE_INVALID, "%s:%zu:%zu: %s", r->file, mark->line + 1, mark->column + 1,
                       sentence);
}

/* Reads one event; what libyaml refuses becomes a sentence with its place. */
static enum maille_code next_event(struct reading *r, yaml_event_t *event)
{
    if (yaml_parser_parse(&r->parser, event))
        return MAILLE_OK;
    const yaml_parser_t *p = &r->parser;
    if (p->error == YAML_MEMORY_ERROR)
        return maille_fail(r->error, MAILLE_MEMORY, "%s: out of memory while reading YAML", r->file);
    if (p->error == YAML_READER_ERROR) {
        size_t line = 1;
        for (size_t i = 0; i < p->problem_offset && i < r->length; i++)
            line += r->text[i] == '\n';
        return maille_fail(r->error, MAILLE_INVALID, "%s:%zu:1: expected UTF-8 text, found: %s", r->file,
                           line, p->problem == NULL ? "bytes that are not text" : p->problem);
    }
    return maille_fail(r->error, MAILLE_INVALID, "%s:%zu:%zu: expected valid YAML, found: %s%s%s", r->file,
                       p->problem_mark.line + 1, p->problem_mark.column + 1,
                       p->problem == NULL ? "an error" : p->problem, p->context == NULL ? "" : ", ",
                       p->context == NULL ? "" : p->context);
}

static struct yaml_node *new_node(struct reading *r, enum yaml_kind kind, const yaml_mark_t *mark)
{
    struct yaml_node *node = arena_alloc(r->arena, sizeof *node);
    node->kind = kind;
    node->file = r->file;
    node->line = (int)mark->line + 1;
    node->column = (int)mark->column + 1;
    node->text_line = node->line;
    node->text_column = node->column;
    return node;
}

/* The byte at which this character stands. Marks only grow from event to event, so the text is walked once.
 */
static size_t byte_at(struct reading *r, size_t character)
{
    while (r->character < character && r->byte < r->length) {
        r->byte++;
        while (r->byte < r->length && ((unsigned char)r->text[r->byte] & 0xC0) == 0x80)
            r->byte++;
        r->character++;
    }
    return r->byte;
}

/* Where the text of a scalar begins: after an opening quote, or on the line below `|` and `>`. */
static void mark_text(struct reading *r, struct yaml_node *node, const yaml_event_t *event)
{
    switch (event->data.scalar.style) {
    case YAML_SINGLE_QUOTED_SCALAR_STYLE:
    case YAML_DOUBLE_QUOTED_SCALAR_STYLE:
        node->quoted = true;
        node->text_column++;
        break;
    case YAML_LITERAL_SCALAR_STYLE:
    case YAML_FOLDED_SCALAR_STYLE: {
        int line = node->line + 1, column = 1;
        size_t i = byte_at(r, event->start_mark.index);
        while (i < r->length && r->text[i] != '\n') /* a lone CR ends no line: check_visible refuses it */
            i++;
        for (i++; i < r->length && strchr(" \r\n", r->text[i]) != NULL; i++) {
            column = r->text[i] == ' ' ? column + 1 : 1;
            line += r->text[i] == '\n';
        }
        node->quoted = true;
        node->text_line = line;
        node->text_column = column;
        break;
    }
    default:
        break;
    }
}

static enum maille_code read_node(struct reading *r, const struct yaml_node **out, yaml_event_t *event,
                                  int depth);

static enum maille_code read_scalar(struct reading *r, const struct yaml_node **out,
                                    const yaml_event_t *event)
{
    const char *value = (const char *)event->data.scalar.value;
    size_t length = event->data.scalar.length;
    char name[DISPLAY_NAME];
    if (memchr(value, '\0', length) != NULL)
        return fail_at_mark(r, &event->start_mark, "expected text, found a NUL character in it; remove it");
    if (display_hidden(name, NULL, value, length)) /* written as an escape */
        return maille_fail(r->error, MAILLE_INVALID,
                           "%s:%zu:%zu: expected characters that can be seen, found %s in a text; remove it",
                           r->file, event->start_mark.line + 1, event->start_mark.column + 1, name);
    struct yaml_node *node = new_node(r, YAML_KIND_SCALAR, &event->start_mark);
    node->scalar = arena_strndup(r->arena, value, length);
    mark_text(r, node, event);
    *out = node;
    return MAILLE_OK;
}

static enum maille_code read_list(struct reading *r, const struct yaml_node **out, const yaml_mark_t *mark,
                                  int depth)
{
    enum maille_code code;
    struct yaml_node *node = new_node(r, YAML_KIND_LIST, mark);
    struct growing items = {0};
    yaml_event_t event;
    for (;;) {
        const struct yaml_node *item;
        MAILLE_TRY(next_event(r, &event));
        if (event.type == YAML_SEQUENCE_END_EVENT) {
            yaml_event_delete(&event);
            break;
        }
        MAILLE_TRY(read_node(r, &item, &event, depth + 1));
        growing_add(r->arena, &items, item);
    }
    node->n = items.n;
    node->values = items.items;
    *out = node;
    code = MAILLE_OK;
out:
    return code;
}

/* The earlier key of the same name, or NULL. Linear: YAML_KEYS_MAX bounds it. */
static const struct yaml_node *earlier_key(const struct growing *keys, const struct yaml_node *key)
{
    for (size_t i = 0; i < keys->n; i++)
        if (strcmp(keys->items[i]->scalar, key->scalar) == 0)
            return keys->items[i];
    return NULL;
}

static enum maille_code read_map(struct reading *r, const struct yaml_node **out, const yaml_mark_t *mark,
                                 int depth)
{
    enum maille_code code;
    struct yaml_node *node = new_node(r, YAML_KIND_MAP, mark);
    struct growing keys = {0}, values = {0};
    yaml_event_t event;
    for (;;) {
        const struct yaml_node *key, *value;
        MAILLE_TRY(next_event(r, &event));
        if (event.type == YAML_MAPPING_END_EVENT) {
            yaml_event_delete(&event);
            break;
        }
        MAILLE_TRY(read_node(r, &key, &event, depth + 1));
        if (key->kind != YAML_KIND_SCALAR) {
            code = yaml_fail(r->error, key, "expected a name as the key, found a %s",
                             key->kind == YAML_KIND_LIST ? "list" : "map");
            goto out;
        }
        if (keys.n == YAML_KEYS_MAX) {
            code = yaml_fail(r->error, key, "expected at most %d keys in one map", YAML_KEYS_MAX);
            goto out;
        }
        const struct yaml_node *before = earlier_key(&keys, key);
        if (before != NULL) {
            code =
                yaml_fail(r->error, key,
                          "expected each key once, found `%s` again (first on line %d); remove one of them",
                          key->scalar, before->line);
            goto out;
        }
        MAILLE_TRY(next_event(r, &event));
        MAILLE_TRY(read_node(r, &value, &event, depth + 1));
        growing_add(r->arena, &keys, key);
        growing_add(r->arena, &values, value);
    }
    node->n = keys.n;
    node->keys = keys.items;
    node->values = values.items;
    *out = node;
    code = MAILLE_OK;
out:
    return code;
}

/* Consumes event, and the events of its children. */
static enum maille_code read_node(struct reading *r, const struct yaml_node **out, yaml_event_t *event,
                                  int depth)
{
    enum maille_code code = MAILLE_OK;
    const yaml_char_t *anchor = NULL, *tag = NULL;
    yaml_mark_t mark = event->start_mark;

    if (event->type == YAML_SCALAR_EVENT) {
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
    } else if (event->type == YAML_SEQUENCE_START_EVENT) {
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
    } else if (event->type == YAML_MAPPING_START_EVENT) {
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
    }
    if (event->type == YAML_ALIAS_EVENT)
        code =
            fail_at_mark(r, &mark, "expected the value itself, found an alias (*name); write the value out");
    else if (anchor != NULL)
        code = fail_at_mark(r, &mark, "expected a plain value, found an anchor (&name); remove it");
    else if (tag != NULL)
        code = fail_at_mark(r, &mark, "expected a plain value, found a tag (!name); remove it");
    else if (depth > YAML_DEPTH_MAX)
        code = maille_fail(r->error, MAILLE_INVALID, "%s:%zu:%zu: expected at most %d levels of nesting",
                           r->file, mark.line + 1, mark.column + 1, YAML_DEPTH_MAX);
    else if (++r->n_nodes > YAML_NODES_MAX)
        code = maille_fail(r->error, MAILLE_INVALID, "%s:%zu:%zu: expected at most %d values in one file",
                           r->file, mark.line + 1, mark.column + 1, YAML_NODES_MAX);
    else if (event->type == YAML_SCALAR_EVENT)
        code = read_scalar(r, out, event);
    else /* libyaml gives no other where a value begins */
        assert(event->type == YAML_SEQUENCE_START_EVENT || event->type == YAML_MAPPING_START_EVENT);
    yaml_event_type_t type = event->type;
    yaml_event_delete(event);
    if (code == MAILLE_OK && type == YAML_SEQUENCE_START_EVENT)
        code = read_list(r, out, &mark, depth);
    else if (code == MAILLE_OK && type == YAML_MAPPING_START_EVENT)
        code = read_map(r, out, &mark, depth);
    return code;
}

/* Takes the next event, which must be of this type, and drops it. */
static enum maille_code skip_event(struct reading *r, yaml_event_type_t type, const char *sentence)
{
    yaml_event_t event;
    enum maille_code code = next_event(r, &event);
    if (code != MAILLE_OK)
        return code;
    if (event.type != type)
        code = fail_at_mark(r, &event.start_mark, sentence);
    yaml_event_delete(&event);
    return code;
}

/* A person reads this text before it is believed: what hides or turns a part of it is refused, in comments
 * too. (A byte order mark may begin it.) */
static enum maille_code check_visible(const struct reading *r)
{
    char name[DISPLAY_NAME];
    const size_t begin = r->length >= 3 && memcmp(r->text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    size_t at = 0, line = 1, column = 1;
    if (!display_hidden(name, &at, r->text + begin, r->length - begin) || name[0] == 'b') /* bytes: libyaml */
        return MAILLE_OK;
    for (size_t i = begin; i < begin + at; i++) {
        if (((unsigned char)r->text[i] & 0xC0) != 0x80)
            column++;
        if (r->text[i] == '\n') {
            line++;
            column = 1;
        }
    }
    return maille_fail(r->error, MAILLE_INVALID,
                       "%s:%zu:%zu: expected characters that can be seen, found %s; remove it", r->file, line,
                       column, name);
}

enum maille_code yaml_parse(const struct yaml_node **root, struct arena *arena, const char *name,
                            const char *text, size_t length, struct maille_error *error)
{
    enum maille_code code;
    struct reading r = {.arena = arena, .text = text != NULL ? text : "", .length = length, .error = error};
    const struct yaml_node *node = NULL;
    bool ready = false;
    yaml_event_t event;

    r.file = arena_strdup(arena, name);
    if (length > YAML_BYTES_MAX) {
        code = maille_fail(error, MAILLE_INVALID, "%s: expected at most %d bytes, found %zu", name,
                           YAML_BYTES_MAX, length);
        goto out;
    }
    if (!yaml_parser_initialize(&r.parser)) {
        code = maille_fail(error, MAILLE_MEMORY, "%s: out of memory while reading YAML", name);
        goto out;
    }
    ready = true;
    MAILLE_TRY(check_visible(&r));
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)r.text, length);
    MAILLE_TRY(skip_event(&r, YAML_STREAM_START_EVENT, "expected the start of a file"));
    MAILLE_TRY(skip_event(&r, YAML_DOCUMENT_START_EVENT, "expected keys and values, found an empty file"));
    MAILLE_TRY(next_event(&r, &event));
    MAILLE_TRY(read_node(&r, &node, &event, 1));
    MAILLE_TRY(skip_event(&r, YAML_DOCUMENT_END_EVENT, "expected the end of the document"));
    MAILLE_TRY(skip_event(&r, YAML_STREAM_END_EVENT,
                          "expected one document, found a second one (`---`); remove it"));
    *root = node;
out:
    if (ready)
        yaml_parser_delete(&r.parser);
    return code;
}

enum maille_code(yaml_fail)(struct maille_error *error, const struct yaml_node *at, const char *format, ...)
{
    char sentence[MAILLE_SENTENCE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    return maille_fail(error, MAILLE_INVALID, "%s:%d:%d: %s", at->file, at->line, at->column, sentence);
}

const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
    if (map == NULL || map->kind != YAML_KIND_MAP)
        return NULL;
    for (size_t i = 0; i < map->n; i++)
        if (strcmp(map->keys[i]->scalar, key) == 0)
            return map->values[i];
    return NULL;
}

enum maille_code yaml_only_keys(const struct yaml_node *map, const char *const *known,
                                struct maille_error *error)
{
    size_t n_known = 0;
    while (known[n_known] != NULL)
        n_known++;
    for (size_t i = 0; i < map->n; i++) {
        bool found = false;
        for (size_t k = 0; k < n_known && !found; k++)
            found = strcmp(map->keys[i]->scalar, known[k]) == 0;
        if (found)
            continue;
        const char *nearest = dictionary_nearest_name(map->keys[i]->scalar, known, n_known);
        if (nearest != NULL)
            return yaml_fail(error, map->keys[i], "expected a known key, found `%.80s`; did you mean `%s`?",
                             map->keys[i]->scalar, nearest);
        char list[512] = "";
        size_t used = 0;
        for (size_t k = 0; k < n_known && used < sizeof list; k++)
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", k == 0 ? "" : ", ", known[k]);
        return yaml_fail(error, map->keys[i], "expected one of the keys %s, found `%.80s`", list,
                         map->keys[i]->scalar);
    }
    return MAILLE_OK;
}

static const char *what_stands(const struct yaml_node *at)
{
    return at->kind == YAML_KIND_LIST ? "a list" : at->kind == YAML_KIND_MAP ? "a map" : at->scalar;
}

enum maille_code yaml_string(const char **value, const struct yaml_node *at, struct maille_error *error)
{
    if (at->kind != YAML_KIND_SCALAR)
        return yaml_fail(error, at, "expected a text, found %s", what_stands(at));
    *value = at->scalar;
    return MAILLE_OK;
}

enum maille_code yaml_number(double *value, const struct yaml_node *at, double min, double max,
                             struct maille_error *error)
{
    double number;
    char low[32], high[32];
    if (at->kind != YAML_KIND_SCALAR || !number_parse_double(at->scalar, strlen(at->scalar), '.', &number))
        return yaml_fail(error, at, "expected a number, found %.80s", what_stands(at));
    if (number < min || number > max) {
        number_format_double(low, min);
        number_format_double(high, max);
        return yaml_fail(error, at, "expected a number from %s to %s, found %.80s", low, high, at->scalar);
    }
    *value = number;
    return MAILLE_OK;
}

enum maille_code yaml_integer(int64_t *value, const struct yaml_node *at, int64_t min, int64_t max,
                              struct maille_error *error)
{
    int64_t number;
    if (at->kind != YAML_KIND_SCALAR || !number_parse_i64(at->scalar, strlen(at->scalar), &number))
        return yaml_fail(error, at, "expected a whole number, found %.80s", what_stands(at));
    if (number < min || number > max)
        return yaml_fail(error, at, "expected a whole number from %lld to %lld, found %.80s", (long long)min,
                         (long long)max, at->scalar);
    *value = number;
    return MAILLE_OK;
}

enum maille_code yaml_boolean(bool *value, const struct yaml_node *at, struct maille_error *error)
{
    bool yes = at->kind == YAML_KIND_SCALAR && strcmp(at->scalar, "true") == 0;
    bool no = at->kind == YAML_KIND_SCALAR && strcmp(at->scalar, "false") == 0;
    if (!yes && !no)
        return yaml_fail(error, at, "expected true or false, found %.80s", what_stands(at));
    *value = yes;
    return MAILLE_OK;
}

enum maille_code yaml_texts(const char ***texts, size_t *n, struct arena *arena, const struct yaml_node *list,
                            const char *key, size_t most, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    if (list->kind != YAML_KIND_LIST || list->n > most) {
        code = yaml_fail(error, list, "expected `%s` as a list of at most %zu texts", key, most);
        goto out;
    }
    const char **made = arena_array(arena, list->n + 1, sizeof *made);
    for (size_t i = 0; i < list->n; i++)
        MAILLE_TRY(yaml_string(&made[i], list->values[i], error));
    *texts = made;
    *n = list->n;
out:
    return code;
}
