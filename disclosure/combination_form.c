#include "disclosure/combination_form.h"

#include <string.h>

#include "disclosure/lattice.h"

struct writer {
    struct bytes *out;
    struct arena *arena;
    const struct tally_survival *survival;
    const struct dictionary *dictionary;
    form_hash *hash;
};

static uint8_t code_of(int32_t code)
{
    return code < 0 ? FORM_MISSING : code != 0;
}

/* What a condition over one variable is, run by run of its values. presence: whether it is there at all. */
static void put_ranges(const struct writer *writer, const struct expression *e, uint32_t v, bool presence)
{
    const struct variable *variable = &writer->dictionary->variables[v];
    struct lattice lattice;
    lattice_make(&lattice, writer->arena, variable, &e, 1);
    int32_t *codes = arena_array(writer->arena, lattice.n, sizeof *codes);
    lattice_code(codes, &lattice, e);
    for (size_t i = 0; i < lattice.n && presence; i++)
        codes[i] = codes[i] >= 0;
    bytes_put_u8(writer->out, FORM_RANGES);
    bytes_put_string(writer->out, variable->name);
    bytes_put_u8(writer->out, code_of(codes[0]));
    bytes_put_f64(writer->out, lattice.n > 1 ? lattice.values[1] : 0);
    uint32_t runs = 0;
    for (size_t i = 1; i < lattice.n; i++)
        runs += i + 1 == lattice.n || code_of(codes[i]) != code_of(codes[i + 1]);
    bytes_put_u32(writer->out, runs);
    for (size_t i = 1; i < lattice.n; i++)
        if (i + 1 == lattice.n || code_of(codes[i]) != code_of(codes[i + 1])) {
            bytes_put_f64(writer->out, lattice.values[i]);
            bytes_put_u8(writer->out, code_of(codes[i]));
        }
}

static bool follows_up(const struct expression *e)
{
    bool found = expression_op_follows_up(e->op);
    for (size_t i = 0; i < e->n_args; i++)
        found = found || follows_up(e->args[i]);
    return found;
}

/* What cannot be followed from its variables: equal ones are one condition, by their canonical bytes. */
static void put_whole(const struct writer *writer, const struct expression *e, bool presence)
{
    struct bytes text = {0};
    uint8_t hash[FORM_HASH_BYTES] = {0};
    bytes_put_u8(&text, presence);
    expression_serialise(&text, e);
    if (follows_up(e)) {
        struct tally_spec *spec = arena_alloc(writer->arena, sizeof *spec);
        spec->survival = *writer->survival;
        tally_spec_serialise(&text, spec);
    }
    if (text.failed)
        writer->out->failed = true;
    else
        writer->hash(hash, text.data, text.length);
    bytes_put_u8(writer->out, FORM_WHOLE);
    bytes_put(writer->out, hash, sizeof hash);
    bytes_clear(&text);
}

static void put_present(const struct writer *writer, const struct expression *e)
{
    uint32_t v;
    bool constant;
    if (lattice_reads(&v, &constant, e)) {
        if (constant)
            bytes_put_u8(writer->out, FORM_TRUE);
        else
            put_ranges(writer, e, v, true);
        return;
    }
    if (!lattice_knows(e) || expression_is_partial(e)) {
        put_whole(writer, e, true);
        return;
    }
    bool *used = arena_array(writer->arena, writer->dictionary->n_variables + 1, sizeof *used);
    uint32_t n = 0;
    expression_variables(e, used);
    for (size_t i = 0; i < writer->dictionary->n_variables; i++)
        n += used[i];
    bytes_put_u8(writer->out, FORM_AND);
    bytes_put_u32(writer->out, n);
    for (uint32_t i = 0; i < writer->dictionary->n_variables; i++)
        if (used[i])
            put_ranges(writer, expression_variable(writer->arena, writer->dictionary, i), i, true);
}

static void put_condition(const struct writer *writer, const struct expression *e)
{
    uint32_t v;
    bool constant;
    int32_t code = 0;
    while (e->op == OP_BOOLEAN_CODE)
        e = e->args[0];
    if (lattice_reads(&v, &constant, e)) {
        if (!constant) {
            put_ranges(writer, e, v, false);
            return;
        }
        lattice_code(&code, &(struct lattice){.n = 1}, e);
        if (code != 1) /* false or missing: nobody counts either way */
            bytes_put_u8(writer->out, FORM_NOT);
        bytes_put_u8(writer->out, FORM_TRUE);
    } else if (e->op == OP_AND || e->op == OP_OR) {
        bytes_put_u8(writer->out, e->op == OP_AND ? FORM_AND : FORM_OR);
        bytes_put_u32(writer->out, (uint32_t)e->n_args);
        for (size_t i = 0; i < e->n_args; i++)
            put_condition(writer, e->args[i]);
    } else if (e->op == OP_NOT) {
        bytes_put_u8(writer->out, FORM_NOT);
        put_condition(writer, e->args[0]);
    } else if (e->op == OP_COMPLETE) {
        bytes_put_u8(writer->out, FORM_AND);
        bytes_put_u32(writer->out, (uint32_t)e->n_args);
        for (size_t i = 0; i < e->n_args; i++)
            put_present(writer, e->args[i]);
    } else if (e->op == OP_IS_MISSING) {
        bytes_put_u8(writer->out, FORM_NOT);
        put_present(writer, e->args[0]);
    } else {
        put_whole(writer, e, false);
    }
}

enum maille_code combination_form(struct bytes *out, const struct tally_block *block,
                                  const struct tally_survival *survival, const struct dictionary *dictionary,
                                  form_hash *hash, struct maille_error *error)
{
    const struct writer writer = {out, arena_new(), survival, dictionary, hash};
    if (writer.arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory for the words of a group");
    bytes_put_u8(out, FORM_AND);
    bytes_put_u32(out, 2);
    if (block->filter != NULL)
        put_condition(&writer, block->filter);
    else
        bytes_put_u8(out, FORM_TRUE);
    if (block->group != NULL)
        put_present(&writer, block->group);
    else
        bytes_put_u8(out, FORM_TRUE);
    arena_free(writer.arena);
    return bytes_check(out, error);
}
