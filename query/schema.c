#include "query/schema.h"

#include <stdio.h>
#include <string.h>

#include "query/language.h"

/* A name of the dictionary or of `derive`; a word of the languages is refused by the parser. */
#define NAME_PATTERN "^[A-Za-z][A-Za-z0-9_.]{0,63}$"

/* Every scalar is text to maille, whatever YAML makes of it. */
static void put_scalar(struct json_put *to)
{
    json_put_list(to, "type");
    json_put_text(to, NULL, "string");
    json_put_text(to, NULL, "number");
    json_put_text(to, NULL, "boolean");
    json_put_end(to);
}

static void put_type(struct json_put *to, const char *type)
{
    json_put_text(to, "type", type);
}

static void put_ref(struct json_put *to, const char *name)
{
    char path[80];
    snprintf(path, sizeof path, "#/$defs/%s", name);
    json_put_text(to, "$ref", path);
}

static void put_lengths(struct json_put *to, const char *least_key, size_t least, const char *most_key,
                        size_t most)
{
    if (least > 0)
        json_put_integer(to, least_key, (int64_t)least);
    if (most > 0)
        json_put_integer(to, most_key, (int64_t)most);
}

/* "a|b|c" as a list under name, without what `skip` names. */
static void put_choices(struct json_put *to, const char *name, const char *choices)
{
    json_put_list(to, name);
    for (const char *c = choices; *c != '\0';) {
        char choice[64];
        int length = (int)strcspn(c, "|");
        snprintf(choice, sizeof choice, "%.*s", length, c);
        json_put_text(to, NULL, choice);
        c += length + (c[length] == '|');
    }
    json_put_end(to);
}

/* A list of `$defs/item` under the constraints; the object is open. */
static void put_list_of(struct json_put *to, const char *item, size_t least, size_t most, bool once)
{
    put_type(to, "array");
    put_lengths(to, "minItems", least, "maxItems", most);
    if (once)
        json_put_boolean(to, "uniqueItems", true);
    json_put_object(to, "items");
    put_ref(to, item);
    json_put_end(to);
}

/* --- the kinds of query/language.h --- */

static void put_own(struct json_put *to, const struct language_key *key);

static void put_language_key(struct json_put *to, const struct language_key *key)
{
    json_put_object(to, key->name);
    json_put_text(to, "description", key->sentence);
    switch (key->kind) {
    case LANGUAGE_TEXT:
        put_scalar(to);
        if (key->pattern != NULL)
            json_put_text(to, "pattern", key->pattern);
        put_lengths(to, "minLength", key->required, "maxLength", key->most);
        break;
    case LANGUAGE_CHOICE:
        if (key->choices != NULL) {
            put_choices(to, "enum", key->choices);
            break;
        }
        json_put_list(to, "enum");
        for (size_t i = 0; key->choice(i) != NULL; i++)
            json_put_text(to, NULL, key->choice(i));
        json_put_end(to);
        break;
    case LANGUAGE_WHOLE:
    case LANGUAGE_NUMBER:
        put_type(to, key->kind == LANGUAGE_WHOLE ? "integer" : "number");
        json_put_number(to, "minimum", key->min);
        json_put_number(to, "maximum", key->max);
        break;
    case LANGUAGE_BETWEEN:
        put_type(to, "number");
        json_put_number(to, "exclusiveMinimum", key->min);
        json_put_number(to, "exclusiveMaximum", key->max);
        break;
    case LANGUAGE_FLAG:
        put_type(to, "boolean");
        break;
    case LANGUAGE_DATE:
        put_ref(to, "date");
        break;
    case LANGUAGE_BOUND:
        put_ref(to, "bound");
        break;
    case LANGUAGE_BOUNDS:
        put_list_of(to, "bound", key->least, key->most, true);
        break;
    case LANGUAGE_TEXTS:
        put_list_of(to, "text", key->least, key->most, false);
        break;
    case LANGUAGE_EXPRESSION:
    case LANGUAGE_FORMULA:
        put_ref(to, key->kind == LANGUAGE_FORMULA ? "formula" : "expression");
        break;
    case LANGUAGE_OWN:
        put_own(to, key);
        break;
    }
    json_put_end(to);
}

static void put_required(struct json_put *to, const struct language_key *table)
{
    for (; table->name != NULL; table++)
        if (table->required)
            json_put_text(to, NULL, table->name);
}

/* An object whose keys are those of the table and no others; the caller has opened it. */
static void put_table(struct json_put *to, const struct language_key *table)
{
    put_type(to, "object");
    json_put_boolean(to, "additionalProperties", false);
    json_put_list(to, "required");
    put_required(to, table);
    json_put_end(to);
    json_put_object(to, "properties");
    for (const struct language_key *key = table; key->name != NULL; key++)
        put_language_key(to, key);
    json_put_end(to);
}

static void one_or_list(struct json_put *to, const char *item, size_t least, size_t most)
{
    json_put_list(to, "oneOf");
    json_put_object(to, NULL);
    put_ref(to, item);
    json_put_end(to);
    json_put_object(to, NULL);
    put_list_of(to, item, least, most, true);
    json_put_end(to);
    json_put_end(to);
}

static void put_own(struct json_put *to, const struct language_key *key)
{
    if (strcmp(key->name, "sites") == 0) {
        json_put_list(to, "oneOf");
        json_put_object(to, NULL);
        json_put_text(to, "const", "all");
        json_put_end(to);
        json_put_object(to, NULL);
        put_list_of(to, "identifier", 1, STUDY_SITES_MAX, true);
        json_put_end(to);
        json_put_end(to);
    } else if (strcmp(key->name, "derive") == 0) {
        put_type(to, "object");
        put_lengths(to, "minProperties", 0, "maxProperties", key->most);
        json_put_object(to, "propertyNames");
        put_ref(to, "name");
        json_put_end(to);
        json_put_object(to, "additionalProperties");
        put_ref(to, "expression");
        json_put_end(to);
    } else if (strcmp(key->name, "by") == 0) {
        one_or_list(to, "name", key->least, key->most);
    } else if (strcmp(key->name, "weights") == 0) {
        json_put_list(to, "oneOf");
        json_put_object(to, NULL);
        put_ref(to, "name");
        json_put_end(to);
        json_put_object(to, NULL);
        put_table(to, language_propensity);
        json_put_end(to);
        json_put_end(to);
    } else if (strcmp(key->name, "truncate") == 0) {
        put_list_of(to, "probability", key->least, key->most, true);
    } else if (strcmp(key->name, "analyses") == 0 || strcmp(key->name, "variables") == 0) {
        put_list_of(to, key->name[0] == 'a' ? "analysis" : "variable", key->least, key->most, false);
    } else if (strcmp(key->name, "order") == 0) {
        json_put_list(to, "oneOf");
        json_put_object(to, NULL);
        put_list_of(to, "name", key->least, key->most, true);
        json_put_end(to);
        json_put_object(to, NULL);
        put_type(to, "array");
        json_put_object(to, "items");
        put_list_of(to, "name", key->least, key->most, true);
        json_put_end(to);
        json_put_end(to);
        json_put_end(to);
    } else if (strcmp(key->name, "impossible") == 0) { /* maps from variables to levels */
        put_type(to, "array");
        json_put_object(to, "items");
        put_type(to, "object");
        json_put_end(to);
    } else { /* key, name */
        put_ref(to, "name");
    }
}

/* --- the kinds of what a method declares --- */

static void put_method(struct json_put *to, const char *name, const struct query_method *method, bool whole);

static void put_range(struct json_put *to, const struct query_key *key)
{
    put_type(to, "number");
    json_put_number(to, "minimum", key->min);
    json_put_number(to, "maximum", key->max);
}

/* The object is open. */
static void put_model(struct json_put *to, const struct query_key *key)
{
    put_type(to, "object");
    json_put_list(to, "required");
    json_put_text(to, NULL, "method");
    json_put_end(to);
    json_put_list(to, "oneOf");
    for (const char *c = key->choices; *c != '\0';) {
        char name[80];
        int length = (int)strcspn(c, "|");
        snprintf(name, sizeof name, "model.%.*s", length, c);
        json_put_object(to, NULL);
        put_ref(to, name);
        json_put_end(to);
        c += length + (c[length] == '|');
    }
    json_put_end(to);
}

static void put_key(struct json_put *to, const struct query_key *key)
{
    json_put_object(to, key->name);
    json_put_text(to, "description", key->sentence);
    switch (key->kind) {
    case KEY_VARIABLE:
        put_ref(to, "name");
        break;
    case KEY_VARIABLES:
    case KEY_SUBGROUPS:
        put_list_of(to, "name", key->n_min > 0 ? key->n_min : 1, key->n_max, true);
        break;
    case KEY_NUMBER:
        put_range(to, key);
        break;
    case KEY_NUMBERS:
        put_type(to, "array");
        put_lengths(to, "minItems", key->n_min > 0 ? key->n_min : 1, "maxItems", key->n_max);
        json_put_object(to, "items");
        put_range(to, key);
        json_put_end(to);
        break;
    case KEY_FLAG:
        put_type(to, "boolean");
        json_put_boolean(to, "default", key->fallback != 0);
        break;
    case KEY_CHOICE:
        put_choices(to, "enum", key->choices);
        break;
    case KEY_FLAG_OR_CHOICES:
        json_put_list(to, "oneOf");
        json_put_object(to, NULL);
        put_type(to, "boolean");
        json_put_end(to);
        json_put_object(to, NULL);
        put_type(to, "array");
        put_lengths(to, "minItems", key->n_min > 0 ? key->n_min : 1, "maxItems", key->n_max);
        json_put_object(to, "items");
        put_choices(to, "enum", key->choices);
        json_put_end(to);
        json_put_end(to);
        json_put_end(to);
        break;
    case KEY_FORMULA:
        put_ref(to, "formula");
        break;
    case KEY_TEXT:
        put_ref(to, "text");
        break;
    case KEY_MODEL:
        put_model(to, key);
        break;
    case KEY_ANALYSIS:
        put_ref(to, "identifier");
        break;
    case KEY_ANALYSES:
        put_list_of(to, "identifier", key->n_min > 0 ? key->n_min : 1, key->n_max, true);
        break;
    }
    json_put_end(to);
}

/* The patients of another analysis are its own. */
static bool has_cohort(const struct query_method *method)
{
    for (size_t k = 0; k < method->n_keys; k++)
        if (method->keys[k].kind == KEY_ANALYSIS)
            return false;
    return true;
}

static bool legal(const struct language_key *key, const struct query_method *method)
{
    return (has_cohort(method) || strcmp(key->name, "cohort") != 0) &&
           (method->takes_by || strcmp(key->name, "by") != 0) &&
           (method->takes_weights || strcmp(key->name, "weights") != 0) &&
           (method->takes_landmark || strcmp(key->name, "landmark") != 0);
}

/* whole: an analysis; else a model inside one, which has `method` and the method's own keys. */
static void put_method(struct json_put *to, const char *name, const struct query_method *method, bool whole)
{
    json_put_object(to, name);
    put_type(to, "object");
    json_put_boolean(to, "additionalProperties", false);
    json_put_list(to, "required");
    if (whole)
        put_required(to, language_analysis);
    else
        json_put_text(to, NULL, "method");
    for (size_t i = 0; i < method->n_keys; i++)
        if (method->keys[i].required)
            json_put_text(to, NULL, method->keys[i].name);
    json_put_end(to);
    json_put_object(to, "properties");
    for (const struct language_key *key = language_analysis; key->name != NULL; key++) {
        if (strcmp(key->name, "method") == 0) {
            json_put_object(to, key->name);
            json_put_text(to, "description", key->sentence);
            json_put_text(to, "const", method->name);
            json_put_end(to);
        } else if (whole && legal(key, method)) {
            put_language_key(to, key);
        }
    }
    for (size_t i = 0; i < method->n_keys; i++)
        if (whole || method->keys[i].kind != KEY_SUBGROUPS)
            put_key(to, &method->keys[i]);
    json_put_end(to);
    json_put_end(to);
}

/* --- documents --- */

/* The method is a model of another one's KEY_MODEL. */
static bool is_inner(const struct query_method *methods, size_t n, const char *name)
{
    for (size_t m = 0; m < n; m++)
        for (size_t k = 0; k < methods[m].n_keys; k++) {
            const struct query_key *key = &methods[m].keys[k];
            for (const char *c = key->kind == KEY_MODEL ? key->choices : ""; *c != '\0';) {
                size_t length = strcspn(c, "|");
                if (strlen(name) == length && strncmp(c, name, length) == 0)
                    return true;
                c += length + (c[length] == '|');
            }
        }
    return false;
}

static void put_pattern(struct json_put *to, const char *name, const char *pattern)
{
    json_put_object(to, name);
    put_type(to, "string");
    json_put_text(to, "pattern", pattern);
    json_put_end(to);
}

/* Definitions that the keys above refer to. */
static void put_words(struct json_put *to)
{
    put_pattern(to, "name", NAME_PATTERN);
    put_pattern(to, "identifier", "^[A-Za-z0-9_-]{1,64}$");
    put_pattern(to, "date", "^[0-9]{4}-[0-9]{2}-[0-9]{2}$");
    json_put_object(to, "bound");
    json_put_list(to, "oneOf");
    json_put_object(to, NULL);
    put_type(to, "number");
    json_put_end(to);
    json_put_object(to, NULL);
    put_ref(to, "date");
    json_put_end(to);
    json_put_end(to);
    json_put_end(to);
    json_put_object(to, "probability");
    put_type(to, "number");
    json_put_integer(to, "minimum", 0);
    json_put_integer(to, "maximum", 1);
    json_put_end(to);
    json_put_object(to, "text");
    put_scalar(to);
    json_put_end(to);
    json_put_object(to, "expression");
    put_scalar(to);
    json_put_text(to, "description", "An expression as R writes it: age >= 50 & grade == \"3\"");
    json_put_end(to);
    json_put_object(to, "formula");
    put_type(to, "string");
    json_put_text(to, "description", "A formula as R writes it: Surv(time, event) ~ age + strata(site)");
    json_put_end(to);
}

static void begin_document(struct json_put *to, const char *title)
{
    json_put_object(to, NULL);
    json_put_text(to, "$schema", "https://json-schema.org/draft/2020-12/schema");
    json_put_text(to, "title", title);
    json_put_text(to, "$comment", "written by maille " MAILLE_VERSION);
}

static void end_document(struct json_put *to)
{
    json_put_end(to);
    bytes_put_u8(to->out, '\n');
}

static void put_methods(struct json_put *to, const struct query_method *methods, size_t n_methods)
{
    char name[80];
    for (size_t m = 0; m < n_methods; m++)
        put_method(to, methods[m].name, &methods[m], true);
    for (size_t m = 0; m < n_methods; m++) {
        snprintf(name, sizeof name, "model.%s", methods[m].name);
        if (is_inner(methods, n_methods, methods[m].name))
            put_method(to, name, &methods[m], false);
    }
}

/* An analysis: by its method, so that an editor says what this method wants. */
static void put_analysis(struct json_put *to, const struct query_method *methods, size_t n_methods)
{
    json_put_object(to, "analysis");
    put_type(to, "object");
    json_put_list(to, "required");
    put_required(to, language_analysis);
    json_put_end(to);
    json_put_object(to, "properties");
    json_put_object(to, "method");
    json_put_list(to, "enum");
    for (size_t m = 0; m < n_methods; m++)
        json_put_text(to, NULL, methods[m].name);
    json_put_end(to);
    json_put_end(to);
    json_put_end(to);
    json_put_list(to, "allOf");
    for (size_t m = 0; m < n_methods; m++) {
        json_put_object(to, NULL);
        json_put_object(to, "if");
        json_put_object(to, "properties");
        json_put_object(to, "method");
        json_put_text(to, "const", methods[m].name);
        json_put_end(to);
        json_put_end(to);
        json_put_end(to);
        json_put_object(to, "then");
        put_ref(to, methods[m].name);
        json_put_end(to);
        json_put_end(to);
    }
    json_put_end(to);
    json_put_end(to);
}

void schema_study(struct bytes *out, const struct query_method *methods, size_t n_methods)
{
    struct json_put to = {.out = out, .lines = true};
    begin_document(&to, "A study of maille");
    put_table(&to, language_study);
    json_put_object(&to, "$defs");
    put_words(&to);
    put_analysis(&to, methods, n_methods);
    put_methods(&to, methods, n_methods);
    json_put_end(&to);
    end_document(&to);
}

/* Which of a variable's keys its type must have, and which it must not. */
static void put_variable_rules(struct json_put *to)
{
    static const struct {
        const char *types, *needs, *never;
    } rules[] = {{"category", "levels", "min|max|resolution|cuts"},
                 {"boolean", "", "min|max|resolution|cuts|levels"},
                 {"integer|duration|date", "min|max", "levels|labels"},
                 {"real", "min|max|resolution", "levels|labels"}};
    json_put_list(to, "allOf");
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        json_put_object(to, NULL);
        json_put_object(to, "if");
        json_put_object(to, "properties");
        json_put_object(to, "type");
        put_choices(to, "enum", rules[i].types);
        json_put_end(to);
        json_put_end(to);
        json_put_end(to);
        json_put_object(to, "then");
        put_choices(to, "required", rules[i].needs);
        json_put_object(to, "properties");
        for (const char *c = rules[i].never; *c != '\0';) {
            char name[32];
            int length = (int)strcspn(c, "|");
            snprintf(name, sizeof name, "%.*s", length, c);
            json_put_boolean(to, name, false);
            c += length + (c[length] == '|');
        }
        json_put_end(to);
        json_put_end(to);
        json_put_end(to);
    }
    json_put_end(to);
}

void schema_dictionary(struct bytes *out)
{
    struct json_put to = {.out = out, .lines = true};
    begin_document(&to, "A data dictionary of maille");
    put_table(&to, language_dictionary);
    json_put_object(&to, "$defs");
    put_words(&to);
    json_put_object(&to, "variable");
    put_table(&to, language_variable);
    put_variable_rules(&to);
    json_put_end(&to);
    json_put_end(&to);
    end_document(&to);
}

void schema_methods(struct bytes *out, const struct query_method *methods, size_t n_methods)
{
    struct json_put to = {.out = out, .lines = true};
    begin_document(&to, "The methods of maille, each as the schema of an analysis");
    json_put_object(&to, "$defs");
    put_words(&to);
    put_methods(&to, methods, n_methods);
    json_put_end(&to);
    end_document(&to);
}
