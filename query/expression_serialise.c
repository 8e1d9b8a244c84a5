#include "query/expression.h"

/* What a node is, without where it was written and without what follows from its arguments. Level names are
 * not part of it: they are the dictionary's, whose hash is signed with the study. */
void expression_serialise(struct bytes *out, const struct expression *e)
{
    bytes_put_u8(out, (uint8_t)e->op);
    bytes_put_u8(out, (uint8_t)e->kind);
    bytes_put_u8(out, e->flag);
    bytes_put_u32(out, e->n_levels);
    bytes_put_u32(out, e->variable);
    bytes_put_u64(out, (uint64_t)e->integer);
    bytes_put_f64(out, e->value);
    bytes_put_f64(out, e->value2);
    bytes_put_u64(out, e->n_table);
    for (size_t i = 0; i < e->n_table; i++)
        bytes_put_f64(out, e->table[i]);
    bytes_put_u64(out, e->n_args);
    for (size_t i = 0; i < e->n_args; i++)
        expression_serialise(out, e->args[i]);
}
