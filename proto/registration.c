#include "proto/registration.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/number.h"
#include "proto/directory.h"
#include "proto/registration_private.h"

static const int64_t day_ms = INT64_C(24) * 3600 * 1000;

/* --- reading: a row each --- */

enum field_kind { FIELD_LINE, FIELD_LINES, FIELD_NAMES, FIELD_IDS, FIELD_DAY, FIELD_FLAG };

struct field {
    const char *key;
    enum field_kind kind;
    bool required;
    size_t offset, max;  /* bytes of a text, names of a list */
    size_t count_offset; /* of a list */
};

#define AT(member) offsetof(struct registration, member)

static const struct field fields[] = {
    {"id", FIELD_LINE, true, AT(id), REGISTRATION_ID_BYTES, 0},
    {"title", FIELD_LINE, true, AT(title), REGISTRATION_TITLE_BYTES, 0},
    {"summary_for_patients", FIELD_LINES, true, AT(summary), REGISTRATION_SUMMARY_BYTES, 0},
    {"legal_basis", FIELD_LINE, true, AT(legal_basis), REGISTRATION_TEXT_BYTES, 0},
    {"purposes", FIELD_NAMES, true, AT(purposes), REGISTRATION_PURPOSES_MAX, AT(n_purposes)},
    {"researchers", FIELD_NAMES, true, AT(researchers), REGISTRATION_LIST_MAX, AT(n_researchers)},
    {"dictionary", FIELD_LINE, true, AT(dictionary), REGISTRATION_TEXT_BYTES, 0},
    {"variables", FIELD_NAMES, false, AT(variables), REGISTRATION_LIST_MAX, AT(n_variables)},
    {"linked", FIELD_IDS, false, AT(linked), REGISTRATION_LINKED_MAX, AT(n_linked)},
    {"notice", FIELD_LINE, true, AT(notice), REGISTRATION_TEXT_BYTES, 0},
    {"controller", FIELD_LINE, false, AT(controller), REGISTRATION_TEXT_BYTES, 0},
    {"objection", FIELD_LINE, false, AT(objection), REGISTRATION_TEXT_BYTES, 0},
    {"retention", FIELD_LINE, false, AT(retention), REGISTRATION_TEXT_BYTES, 0},
    {"transfers", FIELD_LINE, false, AT(transfers), REGISTRATION_TEXT_BYTES, 0},
    {"result", FIELD_LINE, false, AT(result), REGISTRATION_TEXT_BYTES, 0},
    {"begin", FIELD_DAY, true, AT(begin), 0, 0},
    {"end", FIELD_DAY, true, AT(end), 0, 0},
    {"closed", FIELD_FLAG, false, AT(closed), 0, 0},
};
enum { FIELDS = sizeof fields / sizeof *fields };

/* A text that people of several hospitals read. (yaml_parse lets no character pass that nobody sees.) */
static enum maille_code read_text(const char **out, struct arena *arena, const struct yaml_node *node,
                                  const char *key, size_t max, bool lines, struct maille_error *error)
{
    enum maille_code code;
    const char *text;
    MAILLE_TRY(yaml_string(&text, node, error));
    size_t length = strlen(text);
    while (lines && length > 0 && text[length - 1] == '\n') /* of a block of YAML */
        length--;
    if (length == 0 || length > max)
        code = yaml_fail(error, node, "expected 1 to %zu bytes for \"%s\", found %zu", max, key, length);
    else if (memchr(text, '\t', length) != NULL || memchr(text, '\r', length) != NULL ||
             (!lines && memchr(text, '\n', length) != NULL))
        code = yaml_fail(error, node, "expected %s for \"%s\", found %s", lines ? "lines" : "one line", key,
                         memchr(text, '\n', length) != NULL && !lines ? "several" : "a tab or CR in it");
    else
        *out = arena_strndup(arena, text, length);
out:
    return code;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char **sorted_names(struct arena *arena, const char *const *names, size_t n)
{
    const char **sorted = arena_array(arena, n + 1, sizeof *sorted);
    if (n > 0)
        memcpy(sorted, names, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_name);
    return sorted;
}

static enum maille_code read_names(struct registration *made, const struct field *field, struct arena *arena,
                                   const struct yaml_node *node, struct maille_error *error)
{
    enum maille_code code;
    const char **names;
    size_t n;
    MAILLE_TRY(yaml_texts(&names, &n, arena, node, field->key, field->max, error));
    for (size_t i = 0; i < n; i++) {
        const char *name = names[i];
        const bool legal =
            field->kind == FIELD_IDS
                ? name[0] != '\0' && strlen(name) <= REGISTRATION_ID_BYTES && strpbrk(name, "\t\r\n") == NULL
            : field->offset == AT(variables) ? dictionary_name_legal(name)
                                             : identity_name_valid(name);
        if (!legal) {
            code = yaml_fail(error, node->values[i], "expected a name among the %s, found \"%.80s\"",
                             field->key, name);
            goto out;
        }
    }
    const char **sorted = sorted_names(arena, names, n);
    for (size_t i = 1; i < n; i++)
        if (strcmp(sorted[i], sorted[i - 1]) == 0) {
            code = yaml_fail(error, node, "expected each name once in \"%s\", found %s again", field->key,
                             sorted[i]);
            goto out;
        }
    memcpy((char *)made + field->offset, &names, sizeof names);
    memcpy((char *)made + field->count_offset, &n, sizeof n);
out:
    return code;
}

static enum maille_code read_day(int32_t *day, const struct yaml_node *node, struct maille_error *error)
{
    const char *text;
    enum maille_code code = yaml_string(&text, node, error);
    if (code == MAILLE_OK && !number_parse_date(text, strlen(text), day))
        code = yaml_fail(error, node, "expected a date as YYYY-MM-DD, found \"%.40s\"", text);
    return code;
}

static enum maille_code read_field(struct registration *made, const struct field *field, struct arena *arena,
                                   const struct yaml_node *node, struct maille_error *error)
{
    char *at = (char *)made + field->offset;
    switch (field->kind) {
    case FIELD_LINE:
    case FIELD_LINES:
        return read_text((const char **)(void *)at, arena, node, field->key, field->max,
                         field->kind == FIELD_LINES, error);
    case FIELD_NAMES:
    case FIELD_IDS:
        return read_names(made, field, arena, node, error);
    case FIELD_DAY:
        return read_day((int32_t *)(void *)at, node, error);
    case FIELD_FLAG:
        return yaml_boolean((bool *)(void *)at, node, error);
    }
    return MAILLE_INTERNAL;
}

static enum maille_code read_ethics(struct registration *made, struct arena *arena,
                                    const struct yaml_node *node, struct maille_error *error)
{
    static const char *const keys[] = {"opinion", "date", NULL};
    enum maille_code code = MAILLE_OK;
    if (node == NULL)
        goto out;
    if (node->kind != YAML_KIND_MAP || yaml_get(node, "opinion") == NULL || yaml_get(node, "date") == NULL) {
        code = yaml_fail(error, node, "expected an opinion as { opinion: \"…\", date: 2026-03-01 }");
        goto out;
    }
    MAILLE_TRY(yaml_only_keys(node, keys, error));
    MAILLE_TRY(read_text(&made->opinion, arena, yaml_get(node, "opinion"), "opinion", REGISTRATION_TEXT_BYTES,
                         false, error));
    code = read_day(&made->opinion_date, yaml_get(node, "date"), error);
out:
    return code;
}

static enum maille_code read_budget(struct registration *made, const struct yaml_node *node,
                                    struct maille_error *error)
{
    static const char *const keys[] = {"tables", "models", NULL};
    enum { BUDGET_MAX = 1000000 };
    int64_t *const targets[] = {&made->budget_tables, &made->budget_models};
    enum maille_code code = MAILLE_OK;
    made->budget_tables = made->budget_models = REGISTRATION_NO_BUDGET;
    if (node == NULL)
        goto out;
    if (node->kind != YAML_KIND_MAP) {
        code = yaml_fail(error, node, "expected a budget as { tables: 200, models: 50 }");
        goto out;
    }
    MAILLE_TRY(yaml_only_keys(node, keys, error));
    for (size_t i = 0; keys[i] != NULL; i++)
        if (yaml_get(node, keys[i]) != NULL)
            MAILLE_TRY(yaml_integer(targets[i], yaml_get(node, keys[i]), 0, BUDGET_MAX, error));
out:
    return code;
}

/* NAME or NAME@VERSION. */
static bool dictionary_legal(const char *text)
{
    const char *at = strchr(text, '@');
    int64_t version;
    return at == NULL || (at != text && number_parse_i64(at + 1, strlen(at + 1), &version) && version >= 1);
}

static enum maille_code unknown(struct maille_error *error, const struct yaml_node *at, const char *what,
                                const char *found, const char *const *names, size_t n)
{
    const char *nearest = dictionary_nearest_name(found, names, n);
    return yaml_fail(error, at, "expected %s, found \"%.80s\"%s%s%s", what, found,
                     nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
}

static bool has(const char *const *names, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* What a registration names is in the directory, which may have many researchers. */
static enum maille_code check_names(const struct registration *made, struct arena *arena,
                                    const struct yaml_node *node, const struct directory *directory,
                                    struct maille_error *error)
{
    const size_t n = made->n_researchers;
    const char **people = arena_array(arena, directory->n_researchers + 1, sizeof *people),
               **sorted = sorted_names(arena, made->researchers, n);
    bool *known = arena_array(arena, n + 1, sizeof *known);
    for (size_t i = 0; i < directory->n_researchers; i++) {
        people[i] = directory->researchers[i].name;
        const char **found = bsearch(&people[i], sorted, n, sizeof *sorted, by_name);
        if (found != NULL)
            known[found - sorted] = true;
    }
    for (size_t i = 0; i < n; i++) {
        const char **found = bsearch(&made->researchers[i], sorted, n, sizeof *sorted, by_name);
        if (found == NULL || !known[found - sorted])
            return unknown(error, yaml_get(node, "researchers")->values[i],
                           "a researcher of the network's directory", made->researchers[i], people,
                           directory->n_researchers);
    }
    for (size_t i = 0; i < made->n_purposes && directory->n_purposes > 0; i++)
        if (!has(directory->purposes, directory->n_purposes, made->purposes[i]))
            return unknown(error, yaml_get(node, "purposes")->values[i], "a purpose that the network lists",
                           made->purposes[i], directory->purposes, directory->n_purposes);
    return MAILLE_OK;
}

enum maille_code registration_read(struct registration *registration, struct arena *arena,
                                   const struct yaml_node *node, const struct directory *directory,
                                   struct maille_error *error)
{
    const char *keys[FIELDS + 6];
    int64_t openings = 0, epoch = REGISTRATION_ANY_EPOCH;
    enum maille_code code = MAILLE_OK;
    struct registration made = {0};
    for (size_t f = 0; f < FIELDS; f++)
        keys[f] = fields[f].key;
    keys[FIELDS] = "budget";
    keys[FIELDS + 1] = "ethics";
    keys[FIELDS + 2] = "cuts";
    keys[FIELDS + 3] = "openings";
    keys[FIELDS + 4] = "epoch";
    keys[FIELDS + 5] = NULL;
    if (node->kind != YAML_KIND_MAP) {
        code = yaml_fail(error, node, "expected a registration: keys id, title, …, found something else");
        goto out;
    }
    MAILLE_TRY(yaml_only_keys(node, keys, error));
    for (size_t f = 0; f < FIELDS; f++) {
        const struct yaml_node *value = yaml_get(node, fields[f].key);
        if (value == NULL && fields[f].required) {
            code = yaml_fail(error, node, "expected the key \"%s\" of a registration, found none",
                             fields[f].key);
            goto out;
        }
        if (value != NULL)
            MAILLE_TRY(read_field(&made, &fields[f], arena, value, error));
    }
    MAILLE_TRY(read_budget(&made, yaml_get(node, "budget"), error));
    MAILLE_TRY(read_ethics(&made, arena, yaml_get(node, "ethics"), error));
    if (yaml_get(node, "openings") != NULL)
        MAILLE_TRY(yaml_integer(&openings, yaml_get(node, "openings"), 0, REGISTRATION_OPENINGS_MAX, error));
    made.openings = (uint32_t)openings;
    if (yaml_get(node, "epoch") != NULL)
        MAILLE_TRY(yaml_integer(&epoch, yaml_get(node, "epoch"), 0, DIRECTORY_EPOCH_MAX, error));
    made.epoch = epoch;
    MAILLE_TRY(registration_cuts_read(&made, arena, yaml_get(node, "cuts"), error));
    if (!dictionary_legal(made.dictionary))
        code = yaml_fail(error, yaml_get(node, "dictionary"),
                         "expected a dictionary as name@version or name, found \"%.80s\"", made.dictionary);
    else if (made.n_purposes == 0)
        code = yaml_fail(error, yaml_get(node, "purposes"), "expected at least one purpose, found none");
    else if (made.variables != NULL && made.n_variables == 0)
        code = yaml_fail(error, yaml_get(node, "variables"),
                         "expected at least one variable, or no such key for all of them, found none");
    else if (made.end < made.begin)
        code = yaml_fail(error, yaml_get(node, "end"), "expected an end that is not before the begin");
    else
        code = check_names(&made, arena, node, directory, error);
    if (code == MAILLE_OK)
        *registration = made;
out:
    return code;
}

/* What it is linked to is registered too, and another one. */
static enum maille_code check_linked(const struct registration *registration, const struct registrations *all,
                                     struct arena *arena, const struct yaml_node *node,
                                     struct maille_error *error)
{
    if (registration->n_linked == 0)
        return MAILLE_OK;
    const char **others = arena_array(arena, all->n + 1, sizeof *others);
    size_t n = 0;
    for (size_t i = 0; i < all->n; i++)
        if (&all->list[i] != registration)
            others[n++] = all->list[i].id;
    for (size_t i = 0; i < registration->n_linked; i++)
        if (!has(others, n, registration->linked[i]))
            return unknown(error, yaml_get(node, "linked")->values[i],
                           "the id of another registration of the directory", registration->linked[i], others,
                           n);
    return MAILLE_OK;
}

enum maille_code registrations_read(struct registrations *registrations, struct arena *arena,
                                    const struct yaml_node *root, const struct directory *directory,
                                    struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct yaml_node *list = yaml_get(root, "registrations");
    struct registrations made = {.rule = REGISTRATION_LISTED};
    if (list == NULL) {
        *registrations = (struct registrations){0};
        return MAILLE_OK;
    }
    if (list->kind == YAML_KIND_SCALAR && !list->quoted && strcmp(list->scalar, "any") == 0) {
        *registrations = (struct registrations){.rule = REGISTRATION_ANY};
        return MAILLE_OK;
    }
    if (list->kind != YAML_KIND_LIST || list->n > REGISTRATIONS_MAX) {
        code =
            yaml_fail(error, list, "expected `any` or a list of at most %d registrations", REGISTRATIONS_MAX);
        goto out;
    }
    struct registration *each = arena_array(arena, list->n + 1, sizeof *each);
    for (size_t i = 0; i < list->n; i++) {
        MAILLE_TRY(registration_read(&each[i], arena, list->values[i], directory, error));
        for (size_t j = 0; j < i; j++)
            if (strcmp(each[j].id, each[i].id) == 0) {
                code =
                    yaml_fail(error, yaml_get(list->values[i], "id"),
                              "expected every registration to have its own id, found %s again", each[i].id);
                goto out;
            }
    }
    made.n = list->n;
    made.list = each;
    for (size_t i = 0; i < made.n; i++)
        MAILLE_TRY(check_linked(&each[i], &made, arena, list->values[i], error));
    *registrations = made;
out:
    return code;
}

/* --- writing --- */

static void put_names(struct bytes *out, const char *key, const char *const *names, size_t n)
{
    bytes_printf(out, "    %s: [", key);
    for (size_t i = 0; i < n; i++)
        bytes_printf(out, "%s%s", i > 0 ? ", " : "", names[i]);
    bytes_printf(out, "]\n");
}

static void put_line(struct bytes *out, const char *before, const char *text)
{
    bytes_printf(out, "%s", before);
    directory_put_quoted(out, text);
    bytes_printf(out, "\n");
}

static void put_day(struct bytes *out, const char *before, int32_t day)
{
    char text[16];
    number_format_date(text, day);
    bytes_printf(out, "%s%s", before, text);
}

static void put_budget(struct bytes *out, const struct registration *r)
{
    const bool tables = r->budget_tables != REGISTRATION_NO_BUDGET,
               models = r->budget_models != REGISTRATION_NO_BUDGET;
    if (!tables && !models)
        return;
    bytes_printf(out, "    budget: { ");
    if (tables)
        bytes_printf(out, "tables: %" PRId64 "%s", r->budget_tables, models ? ", " : "");
    if (models)
        bytes_printf(out, "models: %" PRId64, r->budget_models);
    bytes_printf(out, " }\n");
}

static void put_registration(struct bytes *out, const struct registration *r)
{
    static const struct {
        const char *key;
        size_t offset;
    } optional[] = {{"    controller: ", AT(controller)},
                    {"    objection: ", AT(objection)},
                    {"    retention: ", AT(retention)},
                    {"    transfers: ", AT(transfers)},
                    {"    result: ", AT(result)}};
    put_line(out, "  - id: ", r->id);
    put_line(out, "    title: ", r->title);
    put_line(out, "    summary_for_patients: ", r->summary);
    put_line(out, "    legal_basis: ", r->legal_basis);
    put_names(out, "purposes", r->purposes, r->n_purposes);
    put_names(out, "researchers", r->researchers, r->n_researchers);
    put_line(out, "    dictionary: ", r->dictionary);
    if (r->n_variables > 0)
        put_names(out, "variables", r->variables, r->n_variables);
    for (size_t i = 0; i < r->n_linked; i++) {
        bytes_put_text(out, i == 0 ? "    linked: [" : ", ");
        directory_put_quoted(out, r->linked[i]);
    }
    if (r->n_linked > 0)
        bytes_put_text(out, "]\n");
    registration_cuts_write(out, r);
    put_budget(out, r);
    if (r->opinion != NULL) {
        bytes_printf(out, "    ethics: { opinion: ");
        directory_put_quoted(out, r->opinion);
        put_day(out, ", date: ", r->opinion_date);
        bytes_printf(out, " }\n");
    }
    put_line(out, "    notice: ", r->notice);
    for (size_t i = 0; i < sizeof optional / sizeof *optional; i++) {
        const char *text;
        memcpy(&text, (const char *)r + optional[i].offset, sizeof text);
        if (text != NULL)
            put_line(out, optional[i].key, text);
    }
    put_day(out, "    begin: ", r->begin);
    put_day(out, "\n    end: ", r->end);
    bytes_printf(out, "\n%s", r->closed ? "    closed: true\n" : "");
    if (r->openings > 0)
        bytes_printf(out, "    openings: %" PRIu32 "\n", r->openings);
    if (r->epoch != REGISTRATION_ANY_EPOCH)
        bytes_printf(out, "    epoch: %" PRId64 "\n", r->epoch);
}

void registrations_write(struct bytes *out, const struct registrations *registrations)
{
    if (registrations->rule == REGISTRATION_ANY)
        bytes_printf(out, "registrations: any\n");
    if (registrations->rule != REGISTRATION_LISTED)
        return;
    bytes_printf(out, "registrations:%s\n", registrations->n == 0 ? " []" : "");
    for (size_t i = 0; i < registrations->n; i++)
        put_registration(out, &registrations->list[i]);
}

/* --- judging --- */

const struct registration *registration_find(const struct directory *directory, const char *id)
{
    for (size_t i = 0; i < directory->registrations.n; i++)
        if (strcmp(directory->registrations.list[i].id, id) == 0)
            return &directory->registrations.list[i];
    return NULL;
}

const char **registration_linked(size_t *n, struct arena *arena, const struct directory *directory,
                                 const struct registration *registration)
{
    const struct registrations *all = &directory->registrations;
    const char **ids = arena_array(arena, all->n + 1, sizeof *ids);
    *n = 0;
    for (size_t i = 0; i < all->n; i++) {
        const struct registration *other = &all->list[i];
        if (other == registration || has(registration->linked, registration->n_linked, other->id) ||
            has(other->linked, other->n_linked, registration->id))
            ids[(*n)++] = other->id;
    }
    return ids;
}

int64_t registration_end_ms(const struct registration *registration)
{
    return (registration->end + INT64_C(1)) * day_ms;
}

struct faults {
    const char **list;
    size_t n;
    struct arena *arena;
    const char *id;
};

/* what: "expected …, found …" of this registration. */
static void put_fault(struct faults *faults, const char *expected, const char *allowed, const char *found)
{
    if (faults->n < REGISTRATION_FAULTS_MAX)
        faults->list[faults->n++] =
            arena_printf(faults->arena, "expected %s of the registration %s%s%s, found %s", expected,
                         faults->id, allowed[0] != '\0' ? ": " : "", allowed, found);
}

static const char *joined(struct arena *arena, const char *const *names, size_t n)
{
    const char *text = n == 0 ? "none" : names[0];
    for (size_t i = 1; i < n; i++)
        text = arena_printf(arena, "%s, %s", text, names[i]);
    return text;
}

static bool dictionary_matches(const char *registered, const struct study *study)
{
    const size_t length = strlen(study->dictionary_name);
    int64_t version;
    if (strncmp(registered, study->dictionary_name, length) != 0)
        return false;
    return registered[length] == '\0' ||
           (registered[length] == '@' &&
            number_parse_i64(registered + length + 1, strlen(registered + length + 1), &version) &&
            version == study->dictionary_version);
}

static void judge_time(struct faults *faults, const struct registration *r, int64_t now_ms)
{
    char begin[16], end[16];
    number_format_date(begin, r->begin);
    number_format_date(end, r->end);
    if (now_ms + CLOCK_SKEW_MS < r->begin * day_ms)
        put_fault(faults, "a day", arena_printf(faults->arena, "%s to %s", begin, end), "one before it");
    if (now_ms - CLOCK_SKEW_MS >= registration_end_ms(r))
        put_fault(faults, "a day", arena_printf(faults->arena, "%s to %s", begin, end), "one after it");
}

static void judge_variables(struct faults *faults, const struct registration *r, const struct study *study)
{
    const struct dictionary *dictionary = study->dictionary;
    bool *used = arena_array(faults->arena, dictionary->n_variables + 1, sizeof *used);
    const char *outside = NULL;
    study_variables(study, used);
    for (size_t v = 0; v < dictionary->n_variables && r->n_variables > 0; v++)
        if (used[v] && !has(r->variables, r->n_variables, dictionary->variables[v].name))
            outside = outside == NULL
                          ? dictionary->variables[v].name
                          : arena_printf(faults->arena, "%s, %s", outside, dictionary->variables[v].name);
    if (outside != NULL)
        put_fault(faults, "the variables", "", arena_printf(faults->arena, "also %s", outside));
}

/* Which registration is meant; NULL with a fault: none. */
static const struct registration *judge_id(struct faults *faults, const struct directory *directory,
                                           const char *id)
{
    const struct registration *found = registration_find(directory, id);
    const char **ids = arena_array(faults->arena, directory->registrations.n + 1, sizeof *ids);
    if (found != NULL)
        return found;
    for (size_t i = 0; i < directory->registrations.n; i++)
        ids[i] = directory->registrations.list[i].id;
    const char *nearest = id[0] == '\0' ? NULL : dictionary_nearest_name(id, ids, directory->registrations.n);
    faults->list[faults->n++] = arena_printf(
        faults->arena, "expected `protocol` to be a registration of the network %s, found %s%s%s%s%s%s",
        directory->network, id[0] == '\0' ? "none" : "\"", id, id[0] == '\0' ? "" : "\"",
        nearest != NULL ? "; did you mean \"" : "", nearest != NULL ? nearest : "",
        nearest != NULL ? "\"?" : "");
    return NULL;
}

size_t registration_faults(const char *list[REGISTRATION_FAULTS_MAX], struct arena *arena,
                           const struct directory *directory, const struct study *study,
                           const char *researcher, int64_t now_ms)
{
    struct faults faults = {.list = list, .arena = arena, .id = study->protocol};
    if (directory->registrations.rule != REGISTRATION_LISTED)
        return 0;
    const struct registration *r = judge_id(&faults, directory, study->protocol);
    if (r == NULL)
        return faults.n;
    if (r->closed)
        list[faults.n++] =
            arena_printf(arena, "expected a registration that is open, found that %s is closed", r->id);
    if (researcher != NULL && !has(r->researchers, r->n_researchers, researcher))
        put_fault(&faults, "a researcher", joined(arena, r->researchers, r->n_researchers), researcher);
    if (!has(r->purposes, r->n_purposes, study->purpose))
        put_fault(&faults, "a purpose", joined(arena, r->purposes, r->n_purposes), study->purpose);
    if (strcmp(r->legal_basis, study->legal_basis) != 0)
        put_fault(&faults, "the legal basis", r->legal_basis, study->legal_basis);
    if (!dictionary_matches(r->dictionary, study))
        put_fault(&faults, "the dictionary", r->dictionary,
                  arena_printf(arena, "%s@%" PRId64, study->dictionary_name, study->dictionary_version));
    if (r->epoch != REGISTRATION_ANY_EPOCH && r->epoch != directory->epoch.number)
        put_fault(&faults, "the epoch", arena_printf(arena, "%" PRId64, r->epoch),
                  arena_printf(arena, "epoch %" PRIu32, directory->epoch.number));
    judge_variables(&faults, r, study);
    judge_time(&faults, r, now_ms);
    return faults.n;
}
