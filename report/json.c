/* The result file, written and read. The only file that includes jansson. */
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "report/report.h"

enum { DIGITS = 17 };

static const char *const status_names[] = {[ANALYSIS_OPEN] = "open",
                                           [ANALYSIS_OK] = "ok",
                                           [ANALYSIS_REFUSED] = "refused",
                                           [ANALYSIS_FAILED] = "failed",
                                           [ANALYSIS_VETOED] = "vetoed"};

/* --- writing. Every function gives a new reference, or NULL without memory or with text that is not UTF-8.
 * jansson's *_new functions accept that NULL, steal the reference and fail. --- */

static json_t *json_of(const struct result *result)
{
    int failed = 0;
    json_t *json = NULL;
    if (result == NULL)
        return json_null();
    switch (result->kind) {
    case RESULT_NULL:
        return json_null();
    case RESULT_BOOLEAN:
        return json_boolean(result->boolean);
    case RESULT_INTEGER:
        return json_integer(result->integer);
    case RESULT_NUMBER:
        return json_real(result->number);
    case RESULT_STRING:
        return json_string(result->string);
    case RESULT_LIST:
        json = json_array();
        for (size_t i = 0; json != NULL && i < result->n; i++)
            failed |= json_array_append_new(json, json_of(result->items[i]));
        break;
    case RESULT_OBJECT:
        json = json_object();
        for (size_t i = 0; json != NULL && i < result->n; i++)
            failed |= json_object_set_new(json, result->names[i], json_of(result->items[i]));
        break;
    }
    if (failed != 0) {
        json_decref(json);
        json = NULL;
    }
    return json;
}

static json_t *json_text(const char *text)
{
    return text == NULL ? json_null() : json_string(text);
}

static json_t *json_count(int64_t count)
{
    return count < 0 ? json_null() : json_integer(count);
}

/* 0: unknown. */
static json_t *json_known(int64_t number)
{
    return number == 0 ? json_null() : json_integer(number);
}

static json_t *json_list(const struct result *list)
{
    return list == NULL ? json_array() : json_of(list);
}

static int put_analysis(json_t *to, const struct report_analysis *a)
{
    json_t *json = json_object();
    int failed = json == NULL;
    failed |= json_object_set_new(json, "id", json_text(a->id));
    failed |= json_object_set_new(json, "method", json_text(a->method));
    failed |= json_object_set_new(json, "status", json_text(status_names[a->status]));
    if (a->status == ANALYSIS_OK) {
        failed |= json_object_set_new(json, "n", json_count(a->n));
        failed |= json_object_set_new(json, "n_missing", json_count(a->n_missing));
        failed |= json_object_set_new(json, "n_event", json_count(a->n_event));
        failed |= json_object_set_new(json, "warnings", json_list(a->warnings));
        failed |= json_object_set_new(json, "dropped_levels", json_list(a->dropped_levels));
        failed |= json_object_set_new(json, "aliased", json_list(a->aliased));
        failed |= json_object_set_new(json, "suppressed", json_integer(a->suppressed));
        failed |= json_object_set_new(json, "grid_merged", json_boolean(a->grid_merged));
        failed |= json_object_set_new(json, "result", json_of(a->result));
    } else {
        if (a->status == ANALYSIS_REFUSED)
            failed |= json_object_set_new(json, "rule", json_text(a->rule));
        failed |= json_object_set_new(json, "reason", json_text(a->reason));
        if (a->offer != NULL)
            failed |= json_object_set_new(json, "offer", json_text(a->offer));
        if (a->earlier.cohort != NULL)
            failed |= json_object_set_new(json, "earlier",
                                          json_pack("{s:s, s:s, s:s}", "cohort", a->earlier.cohort, "study",
                                                    a->earlier.study, "analysis", a->earlier.analysis));
    }
    failed |= json_object_set_new(json, "asked", json_of(a->asked));
    failed |= json_object_set_new(json, "frame", json_of(a->frame));
    return failed | json_array_append_new(to, json);
}

static int put_parties(json_t *snapshots, json_t *log_heads, const struct report *report)
{
    int failed = 0;
    for (size_t i = 0; i < report->n_snapshots; i++) {
        const struct report_snapshot *s = &report->snapshots[i];
        failed |= json_array_append_new(snapshots, json_pack("{s:s, s:I, s:s?}", "site", s->site, "number",
                                                             (json_int_t)s->number, "hash", s->hash));
    }
    for (size_t i = 0; i < report->n_log_heads; i++) {
        const struct report_log_head *h = &report->log_heads[i];
        failed |= json_array_append_new(log_heads, json_pack("{s:s, s:I, s:s?}", "party", h->party, "size",
                                                             (json_int_t)h->size, "root", h->root));
    }
    return failed;
}

static int append(const char *buffer, size_t size, void *data)
{
    struct bytes *out = data;
    bytes_put(out, buffer, size);
    return out->failed ? -1 : 0;
}

enum maille_code report_json(struct bytes *out, const struct report *report, struct maille_error *error)
{
    json_t *root = json_object(), *snapshots = json_array(), *log_heads = json_array(),
           *analyses = json_array();
    enum maille_code code = MAILLE_OK;
    int failed = root == NULL || snapshots == NULL || log_heads == NULL || analyses == NULL;
    if (!failed)
        failed = put_parties(snapshots, log_heads, report);
    for (size_t i = 0; !failed && i < report->n_analyses; i++)
        failed = put_analysis(analyses, &report->analyses[i]);
    failed |= json_object_set_new(root, "maille", json_text(report->maille));
    failed |= json_object_set_new(root, "study", json_text(report->study));
    failed |= json_object_set_new(root, "query", json_text(report->query));
    failed |= json_object_set_new(root, "title", json_text(report->title));
    failed |= json_object_set_new(root, "purpose", json_text(report->purpose));
    failed |= json_object_set_new(root, "legal_basis", json_text(report->legal_basis));
    failed |= json_object_set_new(root, "protocol", json_text(report->protocol));
    failed |= json_object_set_new(root, "expires", json_text(report->expires));
    failed |= json_object_set_new(root, "date", json_text(report->date));
    failed |= json_object_set_new(root, "elapsed_ms", json_known(report->elapsed_ms));
    failed |= json_object_set_new(root, "wire", json_known(report->wire));
    failed |= json_object_set_new(root, "mode", json_text(report->mode));
    failed |= json_object_set_new(root, "synthetic", json_boolean(report->synthetic));
    failed |= json_object_set_new(root, "sites", json_integer(report->n_sites));
    failed |= json_object_set_new(root, "roster", json_of(report->roster));
    failed |= json_object_set_new(root, "rounds", json_known(report->rounds));
    failed |= json_object_set_new(root, "bytes", json_known(report->bytes));
    failed |= json_object_set_new(root, "policy", json_of(report->policy));
    failed |= json_object_set_new(root, "grid", json_text(report->grid));
    failed |= json_object_set_new(root, "cohort", json_text(report->cohort));
    failed |= json_object_set_new(root, "missing", json_text(report->missing));
    failed |= json_object_set_new(root, "derive", json_of(report->derive));
    failed |= json_object_set_new(root, "dictionary", json_of(report->dictionary));
    failed |= json_object_set_new(root, "text", json_text(report->text));
    failed |= json_object_set(root, "snapshots", snapshots);
    failed |= json_object_set(root, "log_heads", log_heads);
    failed |= json_object_set(root, "analyses", analyses);
    if (failed != 0) {
        code = maille_fail(error, MAILLE_INTERNAL,
                           "expected text in UTF-8 and enough memory for the result file");
        goto out;
    }
    if (json_dump_callback(root, append, out, JSON_INDENT(1) | JSON_REAL_PRECISION(DIGITS)) != 0) {
        code = maille_fail(error, MAILLE_MEMORY, "no memory for the result file");
        goto out;
    }
    bytes_put_u8(out, '\n');
    code = bytes_check(out, error);
out:
    json_decref(snapshots);
    json_decref(log_heads);
    json_decref(analyses);
    json_decref(root);
    return code;
}

/* --- reading --- */

/* NULL when it is nested deeper than depth. */
static struct result *result_of(struct arena *arena, json_t *json, int depth)
{
    struct result *result = NULL;
    if (depth == 0)
        return NULL;
    if (json_is_object(json)) {
        const char *name;
        json_t *item;
        result = result_object(arena);
        json_object_foreach(json, name, item)
        {
            struct result *inner = result_of(arena, item, depth - 1);
            if (inner == NULL)
                return NULL;
            result_add(result, name, inner);
        }
        return result;
    }
    if (json_is_array(json)) {
        size_t i;
        json_t *item;
        result = result_list(arena);
        json_array_foreach(json, i, item)
        {
            struct result *inner = result_of(arena, item, depth - 1);
            if (inner == NULL)
                return NULL;
            result_add(result, NULL, inner);
        }
        return result;
    }
    result = arena_alloc(arena, sizeof *result);
    result->arena = arena;
    if (json_is_boolean(json)) {
        result->kind = RESULT_BOOLEAN;
        result->boolean = json_is_true(json);
    } else if (json_is_integer(json)) {
        result->kind = RESULT_INTEGER;
        result->integer = json_integer_value(json);
    } else if (json_is_real(json)) {
        result->kind = RESULT_NUMBER;
        result->number = json_real_value(json);
    } else if (json_is_string(json)) {
        result->kind = RESULT_STRING;
        result->string = arena_strdup(arena, json_string_value(json));
    }
    return result;
}

/* A value of the file and where it stands, for errors. */
struct place {
    struct arena *arena;
    const char *file;
    struct maille_error *error;
};

static enum maille_code expected(const struct place *place, const char *what, const char *key)
{
    return maille_fail(place->error, MAILLE_INVALID,
                       "%s: expected %s under `%s`, found something else: is this a result file of maille?",
                       place->file, what, key);
}

static enum maille_code read_text(const char **text, const struct place *place, json_t *object,
                                  const char *key)
{
    json_t *value = json_object_get(object, key);
    if (value == NULL || json_is_null(value)) {
        *text = NULL;
        return MAILLE_OK;
    }
    if (!json_is_string(value))
        return expected(place, "a text", key);
    *text = arena_strdup(place->arena, json_string_value(value));
    return MAILLE_OK;
}

static enum maille_code read_required(const char **text, const struct place *place, json_t *object,
                                      const char *key)
{
    enum maille_code code = read_text(text, place, object, key);
    return code == MAILLE_OK && *text == NULL ? expected(place, "a text", key) : code;
}

static enum maille_code read_earlier(struct report_earlier *earlier, const struct place *place,
                                     json_t *object)
{
    enum maille_code code = MAILLE_OK;
    json_t *value = json_object_get(object, "earlier");
    if (value == NULL || json_is_null(value))
        return MAILLE_OK;
    if (!json_is_object(value))
        return expected(place, "an object", "earlier");
    MAILLE_TRY(read_required(&earlier->cohort, place, value, "cohort"));
    MAILLE_TRY(read_required(&earlier->study, place, value, "study"));
    MAILLE_TRY(read_required(&earlier->analysis, place, value, "analysis"));
out:
    return code;
}

/* A count, or fallback where it is null or absent. */
static enum maille_code read_count(int64_t *count, int64_t fallback, const struct place *place,
                                   json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);
    if (value != NULL && !json_is_null(value) && !json_is_integer(value))
        return expected(place, "a whole number", key);
    *count = json_is_integer(value) ? json_integer_value(value) : fallback;
    return MAILLE_OK;
}

/* A list of texts; an absent one is empty. */
static enum maille_code read_texts(const struct result **list, const struct place *place, json_t *object,
                                   const char *key)
{
    json_t *value = json_object_get(object, key);
    struct result *texts = result_list(place->arena);
    if (value != NULL && !json_is_array(value))
        return expected(place, "a list of texts", key);
    for (size_t i = 0; i < json_array_size(value); i++) {
        json_t *item = json_array_get(value, i);
        if (!json_is_string(item))
            return expected(place, "a list of texts", key);
        result_add_string(texts, NULL, json_string_value(item));
    }
    *list = texts;
    return MAILLE_OK;
}

/* An object or a list, or NULL where it is null or absent. Deep ones are refused. */
static enum maille_code read_tree(const struct result **tree, enum result_kind kind,
                                  const struct place *place, json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);
    *tree = NULL;
    if (value == NULL || json_is_null(value))
        return MAILLE_OK;
    const struct result *read = result_of(place->arena, value, REPORT_DEPTH_MAX);
    if (read == NULL || read->kind != kind)
        return expected(place, kind == RESULT_LIST ? "a list" : "an object", key);
    *tree = read;
    return MAILLE_OK;
}

static enum maille_code read_analysis(struct report_analysis *a, const struct place *place, json_t *json)
{
    const char *status = NULL;
    enum maille_code code;
    if (!json_is_object(json))
        return expected(place, "a list of objects", "analyses");
    MAILLE_TRY(read_required(&a->id, place, json, "id"));
    MAILLE_TRY(read_required(&a->method, place, json, "method"));
    MAILLE_TRY(read_required(&status, place, json, "status"));
    size_t known = sizeof status_names / sizeof *status_names, at = 0;
    while (at < known && strcmp(status_names[at], status) != 0)
        at++;
    if (at == known) {
        code = expected(place, "ok, refused or failed", "status");
        goto out;
    }
    a->status = (enum analysis_status)at;
    MAILLE_TRY(read_text(&a->rule, place, json, "rule"));
    MAILLE_TRY(read_text(&a->reason, place, json, "reason"));
    MAILLE_TRY(read_text(&a->offer, place, json, "offer"));
    MAILLE_TRY(read_earlier(&a->earlier, place, json));
    MAILLE_TRY(read_count(&a->n, -1, place, json, "n"));
    MAILLE_TRY(read_count(&a->n_missing, -1, place, json, "n_missing"));
    MAILLE_TRY(read_count(&a->n_event, -1, place, json, "n_event"));
    MAILLE_TRY(read_count(&a->suppressed, 0, place, json, "suppressed"));
    MAILLE_TRY(read_texts(&a->warnings, place, json, "warnings"));
    MAILLE_TRY(read_texts(&a->dropped_levels, place, json, "dropped_levels"));
    MAILLE_TRY(read_texts(&a->aliased, place, json, "aliased"));
    a->grid_merged = json_is_true(json_object_get(json, "grid_merged"));
    MAILLE_TRY(read_tree(&a->asked, RESULT_OBJECT, place, json, "asked"));
    MAILLE_TRY(read_tree(&a->frame, RESULT_OBJECT, place, json, "frame"));
    if (a->status != ANALYSIS_OK)
        goto out;
    a->result = result_of(place->arena, json_object_get(json, "result"), REPORT_DEPTH_MAX);
    if (a->result == NULL || a->result->kind != RESULT_OBJECT)
        code = expected(place, "an object", "result");
out:
    return code;
}

/* The array under key and its size; absent: none. */
static enum maille_code read_array(json_t **array, size_t *n, const struct place *place, json_t *object,
                                   const char *key)
{
    *array = json_object_get(object, key);
    if (*array != NULL && !json_is_array(*array))
        return expected(place, "a list", key);
    *n = json_array_size(*array);
    return MAILLE_OK;
}

static enum maille_code read_parties(struct report *report, const struct place *place, json_t *root)
{
    enum maille_code code;
    json_t *list = NULL;
    MAILLE_TRY(read_array(&list, &report->n_snapshots, place, root, "snapshots"));
    struct report_snapshot *snapshots = arena_array(place->arena, report->n_snapshots + 1, sizeof *snapshots);
    for (size_t i = 0; i < report->n_snapshots; i++) {
        MAILLE_TRY(read_required(&snapshots[i].site, place, json_array_get(list, i), "site"));
        MAILLE_TRY(read_count(&snapshots[i].number, 0, place, json_array_get(list, i), "number"));
        MAILLE_TRY(read_text(&snapshots[i].hash, place, json_array_get(list, i), "hash"));
    }
    report->snapshots = snapshots;
    MAILLE_TRY(read_array(&list, &report->n_log_heads, place, root, "log_heads"));
    struct report_log_head *heads = arena_array(place->arena, report->n_log_heads + 1, sizeof *heads);
    for (size_t i = 0; i < report->n_log_heads; i++) {
        MAILLE_TRY(read_required(&heads[i].party, place, json_array_get(list, i), "party"));
        MAILLE_TRY(read_count(&heads[i].size, 0, place, json_array_get(list, i), "size"));
        MAILLE_TRY(read_text(&heads[i].root, place, json_array_get(list, i), "root"));
    }
    report->log_heads = heads;
out:
    return code;
}

/* What makes the file stand alone; absent from those of older programs. */
static enum maille_code read_about(struct report *report, const struct place *place, json_t *root)
{
    enum maille_code code;
    MAILLE_TRY(read_text(&report->title, place, root, "title"));
    MAILLE_TRY(read_text(&report->purpose, place, root, "purpose"));
    MAILLE_TRY(read_text(&report->legal_basis, place, root, "legal_basis"));
    MAILLE_TRY(read_text(&report->protocol, place, root, "protocol"));
    MAILLE_TRY(read_text(&report->expires, place, root, "expires"));
    MAILLE_TRY(read_text(&report->date, place, root, "date"));
    MAILLE_TRY(read_count(&report->elapsed_ms, 0, place, root, "elapsed_ms"));
    MAILLE_TRY(read_count(&report->wire, 0, place, root, "wire"));
    MAILLE_TRY(read_text(&report->mode, place, root, "mode"));
    MAILLE_TRY(read_tree(&report->roster, RESULT_OBJECT, place, root, "roster"));
    MAILLE_TRY(read_count(&report->rounds, 0, place, root, "rounds"));
    MAILLE_TRY(read_count(&report->bytes, 0, place, root, "bytes"));
    MAILLE_TRY(read_tree(&report->policy, RESULT_OBJECT, place, root, "policy"));
    MAILLE_TRY(read_text(&report->cohort, place, root, "cohort"));
    MAILLE_TRY(read_text(&report->missing, place, root, "missing"));
    MAILLE_TRY(read_tree(&report->derive, RESULT_LIST, place, root, "derive"));
    MAILLE_TRY(read_tree(&report->dictionary, RESULT_OBJECT, place, root, "dictionary"));
    MAILLE_TRY(read_text(&report->text, place, root, "text"));
out:
    return code;
}

enum maille_code report_read(struct report *out, struct arena *arena, const char *name, const void *bytes,
                             size_t length, struct maille_error *error)
{
    struct place place = {.arena = arena, .file = name, .error = error};
    struct report report = {0};
    struct report_analysis *analyses = NULL;
    json_error_t where;
    json_t *root = NULL, *list = NULL;
    enum maille_code code;
    if (length > REPORT_BYTES_MAX) {
        code = maille_fail(error, MAILLE_INVALID, "%s: expected at most %d bytes, found %zu", name,
                           REPORT_BYTES_MAX, length);
        goto out;
    }
    root = json_loadb(bytes, length, JSON_REJECT_DUPLICATES, &where);
    if (!json_is_object(root)) {
        code = root == NULL ? maille_fail(error, MAILLE_INVALID, "%s:%d:%d: expected JSON, found: %s", name,
                                          where.line, where.column, where.text)
                            : maille_fail(error, MAILLE_INVALID,
                                          "%s: expected a result file of maille, found other JSON", name);
        goto out;
    }
    MAILLE_TRY(read_required(&report.maille, &place, root, "maille"));
    MAILLE_TRY(read_required(&report.study, &place, root, "study"));
    MAILLE_TRY(read_text(&report.query, &place, root, "query"));
    MAILLE_TRY(read_text(&report.grid, &place, root, "grid"));
    MAILLE_TRY(read_count(&report.n_sites, 0, &place, root, "sites"));
    report.synthetic = json_is_true(json_object_get(root, "synthetic"));
    MAILLE_TRY(read_about(&report, &place, root));
    MAILLE_TRY(read_parties(&report, &place, root));
    MAILLE_TRY(read_array(&list, &report.n_analyses, &place, root, "analyses"));
    analyses = arena_array(arena, report.n_analyses + 1, sizeof *analyses);
    for (size_t i = 0; i < report.n_analyses; i++)
        MAILLE_TRY(read_analysis(&analyses[i], &place, json_array_get(list, i)));
    report.analyses = analyses;
    *out = report;
out:
    json_decref(root);
    return code;
}
