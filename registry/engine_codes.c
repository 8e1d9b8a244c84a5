#include "registry/engine_codes.h"

#include <inttypes.h>
#include <math.h>

#include "base/number.h"
#include "registry/cell.h"
#include "registry/engine_sql.h"

static bool is_coded(const struct variable *variable)
{
    return variable->type == VARIABLE_CATEGORY || variable->type == VARIABLE_BOOLEAN;
}

int64_t engine_code_least(const struct variable *variable)
{
    double least, greatest;
    cell_range(variable, &least, &greatest);
    return (int64_t)least;
}

bool engine_put_copied(struct bytes *out, const struct engine_words *words, const struct variable *variable,
                       const struct engine_column *column)
{
    const enum engine_kind kind = column->kind;
    const bool fits = is_coded(variable)
                          ? kind == ENGINE_TEXT || kind == ENGINE_NUMBER || kind == ENGINE_BOOLEAN
                      : variable->type == VARIABLE_DATE ? kind == ENGINE_DAY
                                                        : kind == ENGINE_NUMBER;
    if (is_coded(variable))
        bytes_put_text(out, variable->type == VARIABLE_BOOLEAN ? "lower(btrim(" : "btrim(");
    engine_put_quoted(out, column->name, '"');
    if (is_coded(variable))
        bytes_printf(out, "::%s%s", words->text, variable->type == VARIABLE_BOOLEAN ? "))" : ")");
    else if (variable->type == VARIABLE_DATE)
        bytes_printf(out, "::%s", words->day);
    else /* a double by its shortest decimal: a cast would keep 15 digits */
        bytes_printf(out, "::%s::%s", words->text, words->decimal);
    return fits;
}

static void put_literal(struct bytes *out, const struct variable *variable, const struct engine_words *words,
                        double value)
{
    char text[32];
    if (variable->type == VARIABLE_DATE) {
        number_format_date(text, (int32_t)value);
        bytes_printf(out, "'%s'::%s", text, words->day);
        return;
    }
    number_format_double(text, value);
    bytes_printf(out, "'%s'::%s", text, words->decimal);
}

/* The words for missing: texts, or (of a number and a day) the values among them. */
static enum maille_code put_missing(struct bytes *out, const struct engine_words *words,
                                    const struct dictionary *dictionary, const struct variable *variable,
                                    const char *v, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct cell_reader reader = {0};
    MAILLE_TRY(cell_reader_init(&reader, dictionary, variable, '.', error));
    bytes_printf(out, "%s IS NULL", v);
    for (size_t w = 0; is_coded(variable) && w < dictionary->n_missing + variable->n_missing; w++) {
        bytes_printf(out, " OR %s = ", v);
        engine_put_quoted(out,
                          w < dictionary->n_missing ? dictionary->missing[w]
                                                    : variable->missing[w - dictionary->n_missing],
                          '\'');
    }
    for (size_t w = 0; w < reader.n_missing; w++) {
        bytes_printf(out, " OR %s = ", v);
        put_literal(out, variable, words, reader.missing[w]);
    }
out:
    cell_reader_clear(&reader);
    return code;
}

static void put_levels(struct bytes *out, const struct variable *variable, const char *v)
{
    if (variable->type == VARIABLE_BOOLEAN) {
        bytes_printf(out, " WHEN %s IN ('0', 'false') THEN 0 WHEN %s IN ('1', 'true') THEN 1", v, v);
        return;
    }
    for (size_t l = 0; l < variable->n_levels; l++) {
        bytes_printf(out, " WHEN %s = ", v);
        engine_put_quoted(out, variable->levels[l], '\'');
        bytes_printf(out, " THEN %zu", l);
    }
}

/* A number or a day: within its bounds, a multiple of the resolution (cell.c, is_multiple). */
static void put_steps(struct bytes *out, const struct engine_words *words, const struct variable *variable,
                      const char *v)
{
    struct bytes steps = {0};
    char text[32];
    if (variable->type == VARIABLE_DATE)
        bytes_printf(&steps, "extract(epoch FROM %s - '1970-01-01'::%s) / 86400", v, words->day);
    else
        bytes_printf(&steps, "%s", v);
    if (variable->denominator != 1 || variable->numerator != 1) {
        number_format_double(text, variable->denominator);
        bytes_printf(&steps, " * %s", text);
        number_format_double(text, variable->numerator);
        bytes_printf(&steps, " / %s", text);
    }
    bytes_put_u8(&steps, '\0');
    bytes_printf(out, " WHEN %s < ", v);
    put_literal(out, variable, words, variable->min);
    bytes_printf(out, " OR %s > ", v);
    put_literal(out, variable, words, variable->max);
    if (variable->type == VARIABLE_INTEGER)
        bytes_printf(out, " OR %s <> floor(%s)", v, v);
    if (!steps.failed)
        bytes_printf(out, " THEN NULL WHEN abs((%s) - round(%s)) > 0.000000001 THEN NULL ELSE round(%s)::%s",
                     (const char *)steps.data, (const char *)steps.data, (const char *)steps.data,
                     words->big);
    out->failed = out->failed || steps.failed;
    bytes_clear(&steps);
}

enum maille_code engine_put_code(struct bytes *out, const struct engine_words *words,
                                 const struct dictionary *dictionary, const struct variable *variable,
                                 const char *v, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    if (!is_coded(variable) && (floor(variable->numerator) != variable->numerator ||
                                floor(variable->denominator) != variable->denominator))
        return maille_fail(
            error, MAILLE_INVALID,
            "expected a resolution of %s that is a decimal, found another; import a file instead",
            variable->name);
    bytes_put_text(out, "CASE WHEN ");
    MAILLE_TRY(put_missing(out, words, dictionary, variable, v, error));
    bytes_printf(out, " THEN %" PRId64, engine_code_least(variable) - 1);
    if (is_coded(variable))
        put_levels(out, variable, v);
    else
        put_steps(out, words, variable, v);
    bytes_put_text(out, " END");
    code = bytes_check(out, error);
out:
    return code;
}

void engine_put_said(struct bytes *out, const struct engine_words *words, const struct variable *variable,
                     const char *code)
{
    char text[32];
    bytes_printf(out, "CASE WHEN %s < %" PRId64 " THEN '' ELSE '%s=' || ", code, engine_code_least(variable),
                 variable->name);
    if (variable->type == VARIABLE_CATEGORY) {
        bytes_printf(out, "CASE %s", code);
        for (size_t l = 0; l < variable->n_levels; l++) {
            bytes_printf(out, " WHEN %zu THEN ", l);
            engine_put_quoted(out, variable->levels[l], '\'');
        }
        bytes_put_text(out, " END");
    } else if (variable->type == VARIABLE_BOOLEAN) {
        bytes_printf(out, "%s::%s", code, words->text);
    } else { /* the value, not its number of steps, which another resolution would change */
        number_format_double(text, variable->numerator);
        bytes_printf(out, "trim_scale(%s * '%s'::%s", code, text, words->decimal);
        number_format_double(text, variable->denominator);
        bytes_printf(out, " / %s)::%s", text, words->text);
    }
    bytes_put_text(out, " || chr(31) END");
}

const char *engine_code_type(const struct engine_words *words, const struct variable *variable)
{
    double least, greatest;
    cell_range(variable, &least, &greatest);
    least--; /* stands for missing */
    return least >= INT16_MIN && greatest <= INT16_MAX   ? words->small
           : least >= INT32_MIN && greatest <= INT32_MAX ? words->integer
                                                         : words->big;
}

void engine_put_expected(struct bytes *out, const struct variable *variable)
{
    char least[32], greatest[32], step[32];
    if (variable->type == VARIABLE_CATEGORY) {
        bytes_put_text(out, "a level of the dictionary");
        return;
    }
    if (variable->type == VARIABLE_BOOLEAN) {
        bytes_put_text(out, "0, 1, true or false");
        return;
    }
    if (variable->type == VARIABLE_DATE) {
        number_format_date(least, (int32_t)variable->min);
        number_format_date(greatest, (int32_t)variable->max);
    } else {
        number_format_double(least, variable->min);
        number_format_double(greatest, variable->max);
    }
    number_format_double(step, variable->resolution);
    bytes_printf(out, "%s from %s to %s in steps of %s",
                 variable->type == VARIABLE_DATE      ? "a date"
                 : variable->type == VARIABLE_INTEGER ? "an integer"
                                                      : "a number",
                 least, greatest, step);
}
