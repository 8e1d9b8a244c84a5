#include "registry/engine_freeze.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "registry/engine_codes.h"
#include "registry/engine_rights.h"
#include "registry/pseudonym.h"
#include "registry/rowkeys.h"

enum { GROUPS_MAX = 10000 };

/* One statement as it is written. Zero-initialise; run_text clears. */
static enum maille_code run_text(struct bytes *text, struct engine_answer *answer,
                                 const struct engine_freeze *freeze, const char *what,
                                 struct maille_error *error)
{
    bytes_put_u8(text, '\0');
    enum maille_code code = bytes_check(text, error);
    if (code == MAILLE_OK)
        code = freeze->link->driver->run(freeze->link->engine, answer, freeze->arena,
                                         (const char *)text->data, NULL, what, error);
    bytes_clear(text);
    return code;
}

static const struct engine_words *words_of(const struct engine_freeze *freeze)
{
    return freeze->link->driver->words;
}

/* --- the relation's columns --- */

/* The column of a name, but for case; NULL: none. */
static const struct engine_column *column_of(const struct engine_column *columns, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcasecmp(columns[i].name, name) == 0)
            return &columns[i];
    return NULL;
}

/* pg_temp.maille_copy: r, the order in which the relation gave its rows; k, the pseudonym; v0, v1, … */
static enum maille_code copy_relation(const struct engine_freeze *freeze, struct import_report *report,
                                      struct problems *problems, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct dictionary *dictionary = freeze->dictionary;
    struct engine_column *columns = NULL;
    struct bytes text = {0};
    size_t n = 0;
    MAILLE_TRY(freeze->link->driver->describe(&columns, &n, freeze->link->engine, freeze->arena,
                                              freeze->relation, error));
    for (size_t j = 0; j < n && code == MAILLE_OK; j++)
        for (size_t i = 0; i < j && code == MAILLE_OK; i++)
            if (strcasecmp(columns[i].name, columns[j].name) == 0)
                code =
                    maille_fail(error, MAILLE_INVALID,
                                "expected columns of %.100s that differ in more than case, found %.60s and "
                                "%.60s; leave one out of the view",
                                freeze->relation, columns[i].name, columns[j].name);
    if (code != MAILLE_OK)
        goto out;
    const struct engine_column *key = column_of(columns, n, dictionary->key);
    if (key == NULL || (key->kind != ENGINE_TEXT && key->kind != ENGINE_NUMBER)) {
        code = maille_fail(error, MAILLE_INVALID, "expected the key %s, a text or a number, in %s, found %s",
                           dictionary->key, freeze->relation, key == NULL ? "none" : key->type);
        goto out;
    }
    bytes_put_text(
        &text, "CREATE TEMP TABLE maille_copy ON COMMIT DROP AS SELECT row_number() OVER () AS r, q.* FROM "
               "(SELECT btrim(");
    engine_put_quoted(&text, key->name, '"');
    bytes_printf(&text, "::%s) AS k", words_of(freeze)->text);
    for (size_t v = 0; v < dictionary->n_variables; v++) {
        const struct variable *variable = &dictionary->variables[v];
        const struct engine_column *column = column_of(columns, n, variable->name);
        report->columns[v].name = variable->name;
        report->columns[v].absent = column == NULL;
        report->columns[v].field = column != NULL ? (size_t)(column - columns) + 1 : 0;
        bytes_put_text(&text, ", ");
        if (column == NULL) {
            problems_add(problems, PROBLEM_ERROR, 0, 1, variable->name, 0,
                         "expected a column of this name in %.100s, found none", freeze->relation);
        } else if (!engine_put_copied(&text, words_of(freeze), variable, column)) {
            problems_add(problems, PROBLEM_ERROR, 0, 1, variable->name, report->columns[v].field,
                         "expected a type of the engine that holds a %s, found %.60s; cast it in the view",
                         variable_type_name(variable->type), column->type);
        }
        bytes_printf(&text, " AS v%zu", v);
    }
    bytes_printf(&text, " FROM %s) q", freeze->relation);
    if (problems_count(problems, PROBLEM_ERROR) == 0)
        code = run_text(&text, NULL, freeze, "copy the relation", error);
out:
    bytes_clear(&text);
    return code;
}

/* pg_temp.maille_codes: r, k, c0, c1, …: NULL where a value is none of the dictionary's. */
static enum maille_code make_codes(const struct engine_freeze *freeze, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes text = {0};
    char v[32];
    bytes_put_text(&text, "CREATE TEMP TABLE maille_codes ON COMMIT DROP AS SELECT r, k");
    for (size_t i = 0; i < freeze->dictionary->n_variables; i++) {
        const struct variable *variable = &freeze->dictionary->variables[i];
        snprintf(v, sizeof v, "v%zu", i);
        bytes_put_text(&text, ", (");
        MAILLE_TRY(engine_put_code(&text, words_of(freeze), freeze->dictionary, variable, v, error));
        bytes_printf(&text, ")::%s AS c%zu", engine_code_type(words_of(freeze), variable), i);
    }
    bytes_put_text(&text, " FROM pg_temp.maille_copy");
    MAILLE_TRY(run_text(&text, NULL, freeze, "make codes of the values", error));
    code = freeze->link->driver->run(freeze->link->engine, NULL, NULL, "DROP TABLE pg_temp.maille_copy", NULL,
                                     "make codes of the values", error);
out:
    bytes_clear(&text);
    return code;
}

/* --- checks --- */

struct checks {
    const struct engine_freeze *freeze;
    struct import_report *report;
    struct problems *problems;
};

static size_t count_at(const struct engine_answer *answer, size_t i)
{
    return (size_t)strtoull(answer->cells[i], NULL, 10);
}

/* A question with one count; where it is not 0 a problem with this sentence. */
static enum maille_code check(const struct checks *checks, enum problem_level level, const char *column,
                              size_t field, struct bytes *text, const char *sentence,
                              struct maille_error *error)
{
    struct engine_answer answer;
    enum maille_code code = run_text(text, &answer, checks->freeze, "count what does not fit", error);
    if (code == MAILLE_OK && answer.rows == 1 && count_at(&answer, 0) > 0)
        problems_add(checks->problems, level, 0, count_at(&answer, 0), column, field, "%s", sentence);
    return code;
}

static const char from_codes[] = " FROM pg_temp.maille_codes";

/* Rows, patients, and of each variable what is present, missing and bad: one scan. */
static enum maille_code count_values(const struct checks *checks, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct dictionary *dictionary = checks->freeze->dictionary;
    struct engine_answer answer;
    struct bytes text = {0}, expected = {0};
    bytes_put_text(&text, "SELECT count(*), count(DISTINCT k)");
    for (size_t v = 0; v < dictionary->n_variables; v++) {
        bytes_printf(&text, ", count(c%zu), count(*) FILTER (WHERE c%zu < %" PRId64 ")", v, v,
                     engine_code_least(&dictionary->variables[v]));
    }
    bytes_put_text(&text, from_codes);
    MAILLE_TRY(run_text(&text, &answer, checks->freeze, "count the values", error));
    checks->report->rows = count_at(&answer, 0);
    checks->report->patients = count_at(&answer, 1);
    if (checks->report->rows == 0)
        problems_add(checks->problems, PROBLEM_ERROR, 0, 1, "", 0, "expected patients, found none");
    for (size_t v = 0; v < dictionary->n_variables; v++) {
        const struct variable *variable = &dictionary->variables[v];
        struct import_column *column = &checks->report->columns[v];
        const size_t good = count_at(&answer, 2 + 2 * v);
        column->missing = count_at(&answer, 3 + 2 * v);
        column->present = good - column->missing;
        column->problems = checks->report->rows - good;
        expected.length = 0;
        engine_put_expected(&expected, variable);
        bytes_put_u8(&expected, '\0');
        MAILLE_TRY(bytes_check(&expected, error));
        if (column->problems > 0)
            problems_add(checks->problems, PROBLEM_ERROR, 0, column->problems, column->name, column->field,
                         "expected %.180s, found another value", (const char *)expected.data);
        if (checks->report->rows > 0 &&
            (double)column->present < variable->complete * (double)checks->report->rows)
            problems_add(checks->problems, PROBLEM_QUESTION, 0, 1, column->name, column->field,
                         "expected a value in %.1f %% of the rows (complete), found %.1f %%",
                         100 * variable->complete,
                         100 * (double)column->present / (double)checks->report->rows);
    }
out:
    bytes_clear(&text);
    bytes_clear(&expected);
    return code;
}

/* pseudonym_fold, in SQL. */
static const char folded[] =
    "lower(regexp_replace(translate(%s, E' \\t', ''), '(^|[^0-9])0+(?=[0-9])', '\\1', 'g'))";

static void put_folded(struct bytes *out, const char *what)
{
    bytes_printf(out, folded, what);
}

static enum maille_code check_keys(const struct checks *checks, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct dictionary *dictionary = checks->freeze->dictionary;
    struct bytes text = {0};
    bytes_printf(&text, "SELECT count(*)%s WHERE coalesce(k, '') = ''", from_codes);
    for (size_t w = 0; w < dictionary->n_missing; w++) {
        bytes_put_text(&text, " OR k = ");
        engine_put_quoted(&text, dictionary->missing[w], '\'');
    }
    MAILLE_TRY(check(checks, PROBLEM_ERROR, dictionary->key, 0, &text,
                     "expected the patient's key, found none", error));
    /* pseudonym_refused, in SQL */
    bytes_printf(&text,
                 "SELECT count(*)%s WHERE k ~ '[\\x01-\\x1F\\x7F-\\xA0\\u00AD\\u0300-\\u036F\\u1680\\u180E"
                 "\\u2000-\\u200F\\u2028-\\u202F\\u205F-\\u206F\\u3000\\uFEFF]' OR k ~ "
                 "'^[0-9]+([.,][0-9]+[Ee][+-]?|[.,]?[Ee][+-])[0-9]+$' OR left(k, 1) IN ('=', '''')",
                 from_codes);
    MAILLE_TRY(
        check(checks, PROBLEM_ERROR, dictionary->key, 0, &text,
              "expected a pseudonym that can be seen and written on one line, found a hidden character, a "
              "rounded number, or what a spreadsheet has wrapped",
              error));
    if (dictionary->key_pattern != NULL) {
        bytes_printf(&text, "SELECT count(*)%s WHERE k !~ ", from_codes);
        engine_put_quoted(&text, arena_printf(checks->freeze->arena, "(?e)^(%s)$", dictionary->key_pattern),
                          '\'');
        MAILLE_TRY(check(checks, PROBLEM_ERROR, dictionary->key, 0, &text,
                         "expected a pseudonym as key_pattern says, found another", error));
    }
    bytes_put_text(&text, "SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(DISTINCT k) AS n");
    bytes_put_text(&text, from_codes);
    bytes_put_text(&text, " WHERE k IS NOT NULL GROUP BY ");
    put_folded(&text, "k");
    bytes_put_text(&text, ") q");
    MAILLE_TRY(check(checks, PROBLEM_QUESTION, dictionary->key, 0, &text,
                     "are these other patients too? They are alike but for case, blanks and leading zeros",
                     error));
out:
    bytes_clear(&text);
    return code;
}

static void put_codes(struct bytes *out, size_t n)
{
    for (size_t v = 0; v < n; v++)
        bytes_printf(out, ", c%zu", v);
}

/* What the rows of a patient owe each other. */
static enum maille_code check_patients(const struct checks *checks, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct dictionary *dictionary = checks->freeze->dictionary;
    struct bytes text = {0};
    for (size_t v = 0; v < dictionary->n_variables; v++) {
        if (!dictionary->variables[v].constant)
            continue;
        bytes_printf(&text,
                     "SELECT count(*) FROM (SELECT 1%s WHERE c%zu >= %" PRId64
                     " GROUP BY k HAVING min(c%zu) <> max(c%zu)) q",
                     from_codes, v, engine_code_least(&dictionary->variables[v]), v, v);
        MAILLE_TRY(check(checks, PROBLEM_ERROR, dictionary->variables[v].name,
                         checks->report->columns[v].field, &text,
                         "expected one value in all rows of a patient (constant), found another", error));
    }
    if (!dictionary->identical_rows) {
        bytes_put_text(&text, "SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(*) AS n");
        bytes_put_text(&text, from_codes);
        bytes_put_text(&text, " GROUP BY k");
        put_codes(&text, dictionary->n_variables);
        bytes_put_text(&text, ") q");
        MAILLE_TRY(
            check(checks, PROBLEM_ERROR, "", 0, &text,
                  "expected each row once, found what equals another row of the same patient; remove it, or "
                  "let the dictionary say identical_rows: true",
                  error));
    }
    bytes_printf(&text, "SELECT count(*) - count(DISTINCT k)%s", from_codes);
    if (dictionary->rows == ROWS_ONE)
        MAILLE_TRY(check(checks, PROBLEM_ERROR, "", 0, &text,
                         "expected one row of each patient (rows: one), found another", error));
    else if (dictionary->rows == ROWS_UNSAID)
        MAILLE_TRY(check(checks, PROBLEM_NOTE, "", 0, &text,
                         "expected rows: one or several in the dictionary, found patients with several rows",
                         error));
out:
    bytes_clear(&text);
    return code;
}

/* Days of a date's code. */
static void put_days(struct bytes *out, const struct dictionary *dictionary, uint32_t variable)
{
    const struct variable *described = &dictionary->variables[variable];
    bytes_printf(out, "c%u * %.17g / %.17g", variable, described->numerator, described->denominator);
}

static enum maille_code check_orders(const struct checks *checks, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct dictionary *dictionary = checks->freeze->dictionary;
    struct bytes text = {0};
    for (size_t k = 0; k < dictionary->n_orders; k++)
        for (size_t later = 1; later < dictionary->orders[k].n; later++)
            for (size_t earlier = 0; earlier < later; earlier++) {
                const uint32_t a = dictionary->orders[k].variables[earlier],
                               b = dictionary->orders[k].variables[later];
                bytes_printf(&text, "SELECT count(*)%s WHERE c%u >= %" PRId64 " AND c%u >= %" PRId64 " AND ",
                             from_codes, a, engine_code_least(&dictionary->variables[a]), b,
                             engine_code_least(&dictionary->variables[b]));
                put_days(&text, dictionary, a);
                bytes_put_text(&text, " > ");
                put_days(&text, dictionary, b);
                MAILLE_TRY(check(checks, PROBLEM_ERROR, dictionary->variables[b].name,
                                 checks->report->columns[b].field, &text,
                                 arena_printf(checks->freeze->arena,
                                              "expected a date that is not before %s, found one",
                                              dictionary->variables[a].name),
                                 error));
            }
out:
    bytes_clear(&text);
    return code;
}

static enum maille_code check_impossible(const struct checks *checks, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct dictionary *dictionary = checks->freeze->dictionary;
    struct bytes text = {0};
    for (size_t k = 0; k < dictionary->n_impossible; k++) {
        const struct impossible *impossible = &dictionary->impossible[k];
        bytes_printf(&text, "SELECT count(*)%s WHERE true", from_codes);
        for (size_t p = 0; p < impossible->n; p++) {
            const struct impossible_part *part = &impossible->parts[p];
            bytes_printf(&text, " AND c%u IN (NULL", part->variable);
            for (size_t l = 0; l < dictionary->variables[part->variable].n_levels; l++)
                if (part->levels[l])
                    bytes_printf(&text, ", %zu", l);
            bytes_put_u8(&text, ')');
        }
        MAILLE_TRY(
            check(checks, PROBLEM_ERROR, "", 0, &text,
                  arena_printf(checks->freeze->arena,
                               "expected a patient that the dictionary's `impossible` (number %zu) does not "
                               "rule out, found one",
                               k + 1),
                  error));
    }
out:
    bytes_clear(&text);
    return code;
}

static void list_problems(struct import_report *report, struct problems *problems)
{
    report->problems = problems_list(&report->n_listed, problems);
    report->n_problems = problems_count(problems, PROBLEM_ERROR);
    report->n_questions = problems_count(problems, PROBLEM_QUESTION);
    report->n_unlisted = problems_unlisted(problems);
}

enum maille_code engine_freeze_read(const struct engine_freeze *freeze, struct import_report *report,
                                    struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct problems *problems = NULL;
    struct checks checks = {.freeze = freeze, .report = report};
    *report = (struct import_report){.arena = arena_new()};
    if (report->arena != NULL)
        problems = problems_new(report->arena, GROUPS_MAX);
    if (problems == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for a report, found none");
    checks.problems = problems;
    report->n_columns = freeze->dictionary->n_variables;
    report->columns = arena_array(report->arena, report->n_columns + 1, sizeof *report->columns);
    MAILLE_TRY(freeze->link->driver->run(freeze->link->engine, NULL, NULL,
                                         "BEGIN ISOLATION LEVEL REPEATABLE READ", NULL, "begin", error));
    MAILLE_TRY(copy_relation(freeze, report, problems, error));
    if (problems_count(problems, PROBLEM_ERROR) == 0) {
        MAILLE_TRY(make_codes(freeze, error));
        MAILLE_TRY(count_values(&checks, error));
        MAILLE_TRY(check_keys(&checks, error));
        MAILLE_TRY(check_patients(&checks, error));
        MAILLE_TRY(check_orders(&checks, error));
        MAILLE_TRY(check_impossible(&checks, error));
    }
    list_problems(report, problems);
    if (report->n_problems > 0)
        code = maille_fail(error, MAILLE_INVALID,
                           "expected rows of %.100s that fit the dictionary, found %zu problem%s, "
                           "listed above; nothing was written",
                           freeze->relation, report->n_problems, report->n_problems == 1 ? "" : "s");
out:
    problems_free(problems);
    return code;
}

/* --- numbers --- */

/* pg_temp.maille_rows: r, k, h, which knows a row, and its codes. */
static enum maille_code hash_rows(const struct engine_freeze *freeze, struct maille_error *error)
{
    const struct dictionary *dictionary = freeze->dictionary;
    struct bytes text = {0};
    char code[32];
    bytes_put_text(
        &text, "CREATE TEMP TABLE maille_rows ON COMMIT DROP AS SELECT r, k, sha256(convert_to(k || chr(31) "
               "|| o || chr(31)");
    for (size_t v = 0; v < dictionary->n_variables; v++) {
        snprintf(code, sizeof code, "c%zu", v);
        bytes_put_text(&text, " || ");
        engine_put_said(&text, words_of(freeze), &dictionary->variables[v], code);
    }
    bytes_put_text(&text, ", 'UTF8')) AS h");
    put_codes(&text, dictionary->n_variables);
    bytes_put_text(&text, " FROM (SELECT *, row_number() OVER (PARTITION BY k");
    put_codes(&text, dictionary->n_variables);
    bytes_printf(&text, " ORDER BY r)::%s AS o%s) q", words_of(freeze)->text, from_codes);
    return run_text(&text, NULL, freeze, "know the rows", error);
}

enum maille_code engine_freeze_number(const struct engine_freeze *freeze, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const char *schema = freeze->link->schema;
    struct engine_answer answer;
    struct bytes text = {0};
    MAILLE_TRY(hash_rows(freeze, error));
    bytes_printf(
        &text,
        "CREATE TABLE IF NOT EXISTS %s.patient_numbers (key %s PRIMARY KEY, number integer NOT NULL UNIQUE); "
        "CREATE TABLE IF NOT EXISTS %s.row_numbers (hash bytea PRIMARY KEY, number integer NOT NULL UNIQUE); "
        "LOCK TABLE %s.patient_numbers, %s.row_numbers IN EXCLUSIVE MODE",
        schema, words_of(freeze)->text, schema, schema, schema);
    MAILLE_TRY(run_text(&text, NULL, freeze, "keep the numbers of rows and patients", error));
    /* In the order of the rows, those of a patient together: as an import of the same rows as a file. */
    bytes_printf(
        &text,
        "INSERT INTO %s.row_numbers SELECT h, (SELECT coalesce(max(number), 0) FROM %s.row_numbers) + "
        "row_number() OVER (ORDER BY first, r) FROM (SELECT r, h, min(r) OVER (PARTITION BY k) AS first FROM "
        "pg_temp.maille_rows) q WHERE NOT EXISTS (SELECT 1 FROM %s.row_numbers n WHERE n.hash = q.h)",
        schema, schema, schema);
    MAILLE_TRY(run_text(&text, NULL, freeze, "number the rows", error));
    bytes_printf(
        &text,
        "INSERT INTO %s.patient_numbers SELECT k, min(n.number) FROM pg_temp.maille_rows q JOIN "
        "%s.row_numbers n ON n.hash = q.h WHERE NOT EXISTS (SELECT 1 FROM %s.patient_numbers p WHERE p.key = "
        "q.k) GROUP BY k",
        schema, schema, schema);
    MAILLE_TRY(run_text(&text, NULL, freeze, "number the patients", error));
    bytes_printf(&text, "SELECT coalesce(max(number), 0) FROM %s.row_numbers", schema);
    MAILLE_TRY(run_text(&text, &answer, freeze, "number the rows", error));
    if (count_at(&answer, 0) >= ROW_NUMBERS_MAX)
        code = maille_fail(error, MAILLE_INVALID,
                           "expected fewer than %d rows over all snapshots, found more", ROW_NUMBERS_MAX);
out:
    bytes_clear(&text);
    return code;
}

enum maille_code engine_freeze_find(const struct engine_freeze *freeze, const char *pseudonym,
                                    enum maille_code (*found)(void *context, const char *key, uint32_t number,
                                                              struct maille_error *error),
                                    void *context, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct engine_answer answer;
    struct bytes text = {0};
    char *fold = arena_alloc(freeze->arena, strlen(pseudonym) + 1);
    (void)pseudonym_fold(fold, pseudonym, strlen(pseudonym));
    const char *const values[] = {pseudonym, fold};
    const struct engine_parameters parameters = {values, 2};
    bytes_printf(&text, "SELECT key, number FROM %s.patient_numbers WHERE key = $1::%s OR ",
                 freeze->link->schema, words_of(freeze)->text);
    put_folded(&text, "key");
    bytes_printf(&text, " = $2::%s", words_of(freeze)->text);
    bytes_put_u8(&text, '\0');
    MAILLE_TRY(bytes_check(&text, error));
    MAILLE_TRY(freeze->link->driver->run(freeze->link->engine, &answer, freeze->arena,
                                         (const char *)text.data, &parameters, "find who objects", error));
    for (size_t i = 0; i < answer.rows; i++)
        MAILLE_TRY(
            found(context, answer.cells[2 * i], (uint32_t)strtoul(answer.cells[2 * i + 1], NULL, 10), error));
out:
    bytes_clear(&text);
    return code;
}

/* --- the frozen table --- */

static void put_frozen(struct bytes *out, const struct engine_freeze *freeze, const char *table,
                       const uint32_t *without, size_t n)
{
    const char *schema = freeze->link->schema;
    const struct engine_words *words = words_of(freeze);
    bytes_printf(
        out,
        "CREATE TABLE %s.%s AS SELECT (row_number() OVER (ORDER BY p.number, q.r) - 1)::%s AS position, "
        "(dense_rank() OVER (ORDER BY p.number) - 1)::%s AS patient, (p.number::%s << 32 | n.number)::%s AS "
        "row_id",
        schema, table, words->integer, words->integer, words->big, words->big);
    put_codes(out, freeze->dictionary->n_variables);
    bytes_printf(out,
                 " FROM pg_temp.maille_rows q JOIN %s.patient_numbers p ON p.key = q.k JOIN %s.row_numbers n "
                 "ON n.hash "
                 "= q.h",
                 schema, schema);
    for (size_t i = 0; i < n; i++)
        bytes_printf(out, "%s%" PRIu32, i == 0 ? " WHERE p.number NOT IN (" : ", ", without[i]);
    bytes_printf(out, "%s ORDER BY 1", n > 0 ? ")" : "");
}

enum maille_code engine_freeze_write(const struct engine_freeze *freeze, struct engine_count *count,
                                     uint32_t number, const char *salt, const uint32_t *without, size_t n,
                                     struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const char *schema = freeze->link->schema;
    struct bytes text = {0};
    char table[ENGINE_NAME_MAX];
    engine_table_name(table, number);
    /* What an import left that was cut before its entry: nobody ever used it. */
    bytes_printf(&text, "DROP TABLE IF EXISTS %s.%s", schema, table);
    MAILLE_TRY(run_text(&text, NULL, freeze, "freeze the rows", error));
    put_frozen(&text, freeze, table, without, n);
    MAILLE_TRY(run_text(&text, NULL, freeze, "freeze the rows", error));
    bytes_printf(&text,
                 "ALTER TABLE %s.%s ADD PRIMARY KEY (position); REVOKE ALL ON %s.%s, %s.patient_numbers, "
                 "%s.row_numbers "
                 "FROM PUBLIC; REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON %s.%s FROM CURRENT_USER; ANALYZE "
                 "%s.%s; GRANT "
                 "SELECT ON %s.%s TO ",
                 schema, table, schema, table, schema, schema, schema, table, schema, table, schema, table);
    engine_put_quoted(&text, freeze->reader, '"'); /* CURRENT_USER is no role then */
    MAILLE_TRY(run_text(&text, NULL, freeze, "let source_role read the frozen table", error));
    MAILLE_TRY(engine_rights_check(freeze, table, error));
    code = engine_count(count, freeze->link->driver, freeze->link->engine, schema, number,
                        freeze->dictionary->n_variables, salt, error);
    if (code == MAILLE_OK && count->rows > COLUMNS_ROWS_MAX)
        code = maille_fail(error, MAILLE_INVALID, "expected at most %d rows, found more", COLUMNS_ROWS_MAX);
out:
    bytes_clear(&text);
    return code;
}

enum maille_code engine_freeze_end(const struct engine_freeze *freeze, bool good, struct maille_error *error)
{
    return freeze->link->driver->run(freeze->link->engine, NULL, NULL, good ? "COMMIT" : "ROLLBACK", NULL,
                                     "end an import", error);
}
