/* The expressions by which an engine makes codes of a relation's columns. Private to this room. */
#ifndef REGISTRY_ENGINE_CODES_H
#define REGISTRY_ENGINE_CODES_H

#include "query/dictionary.h"
#include "registry/engine.h"

#include "base/bytes.h"

/* A column as it is copied out of the relation: a decimal, a text without the spaces around it, or a day.
 * false: a column of this kind cannot hold the variable. */
bool engine_put_copied(struct bytes *out, const struct engine_words *words, const struct variable *variable,
                       const struct engine_column *column);

/* The least code that may stand there; one below it means that the value is missing. */
int64_t engine_code_least(const struct variable *variable);

/* The code of v (the copied column's name): a whole number, one below the least where the value is missing,
 * NULL where it is no value of the dictionary. Errors: MAILLE_MEMORY, MAILLE_INVALID (a resolution that is no
 * decimal). */
enum maille_code engine_put_code(struct bytes *out, const struct engine_words *words,
                                 const struct dictionary *dictionary, const struct variable *variable,
                                 const char *v, struct maille_error *error) MAILLE_CHECKED;

/* What a code says, as a text that no other order, resolution or version of the dictionary changes: name and
 * value. */
void engine_put_said(struct bytes *out, const struct engine_words *words, const struct variable *variable,
                     const char *code);

/* The type that holds a variable's codes. */
const char *engine_code_type(const struct engine_words *words, const struct variable *variable);

/* "an integer from 0 to 120", for the report. */
void engine_put_expected(struct bytes *out, const struct variable *variable);

#endif
