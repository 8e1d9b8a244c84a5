#include "disclosure/near.h"

#include <string.h>

#include "query/words.h"

enum { NEAR_CONDITIONS_MAX = 4096, NEAR_BLOCK_MAX = 1 << 20 };

/* --- a part, to be read --- */

/* In brackets where it would read otherwise beside others. */
static void put_words(struct bytes *out, const struct part_condition *condition, bool alone,
                      const struct dictionary *dictionary)
{
    const bool present = condition->kind == PART_PRESENT,
               brackets = present ? condition->e->op != OP_VARIABLE : condition->e->op == OP_OR && !alone;
    bytes_put_text(out, brackets ? "(" : "");
    expression_words(out, condition->e, dictionary);
    bytes_put_text(out, brackets ? ")" : "");
    bytes_put_text(out, present ? " known" : "");
}

void near_words(struct bytes *out, const struct part *part, const struct dictionary *dictionary)
{
    const char *between = "";
    if (part->n_conditions == 0)
        bytes_put_text(out, "everyone");
    for (size_t i = 0; i < part->n_conditions; i++) {
        const struct part_condition *own = &part->conditions[i];
        bytes_put_text(out, between);
        between = " && ";
        if (own->kind == PART_FOLLOW_UP)
            bytes_put_text(out, "followed up as the analysis says");
        else
            put_words(out, own, part->n_conditions == 1, dictionary);
    }
}

/* --- as bytes: of each condition u8 kind, LE32 variables, block of what is looked at, block of levels --- */

/* "e is true" as levels of something: of a category, or of the two of a BOOLEAN. */
static void write_levels(struct bytes *out, const struct expression *e)
{
    struct bytes code = {0}, members = {0};
    if (e->op == OP_IN_LEVELS) {
        expression_serialise(&code, e->args[0]);
        for (size_t level = 0; level < e->n_table; level++) {
            if (level % 8 == 0)
                bytes_put_u8(&members, 0);
            if (e->table[level] != 0.0 && !members.failed)
                members.data[level / 8] |= (uint8_t)(1u << level % 8);
        }
    } else {
        const bool no = e->op == OP_NOT;
        expression_serialise(&code, no ? e->args[0] : e);
        bytes_put_u8(&members, no ? 1 : 2);
    }
    bytes_put_block(out, code.data, code.length);
    bytes_put_block(out, members.data, members.length);
    out->failed = out->failed || code.failed || members.failed;
    bytes_clear(&code);
    bytes_clear(&members);
}

void near_write(struct bytes *out, const struct part *part)
{
    for (size_t i = 0; i < part->n_conditions; i++) {
        const struct part_condition *own = &part->conditions[i];
        bytes_put_u8(out, (uint8_t)own->kind);
        bytes_put_u32(out, own->variables);
        if (own->kind == PART_TRUE) {
            write_levels(out, own->e);
        } else {
            bytes_put_block(out, own->key.data, own->key.length);
            bytes_put_block(out, "", 0);
        }
    }
}

static struct byte_view read_block(struct reader *reader)
{
    struct byte_view block = {0};
    block.data = reader_block(reader, NEAR_BLOCK_MAX, &block.length);
    return block;
}

bool near_read(struct near_group *group, struct byte_view bytes, struct arena *arena)
{
    struct reader reader = reader_of(bytes.data, bytes.length);
    struct near_condition *list = NULL;
    size_t n = 0;
    for (int pass = 0; pass < 2; pass++) {
        reader = reader_of(bytes.data, bytes.length);
        for (n = 0; reader_left(&reader) > 0 && !reader.bad && n < NEAR_CONDITIONS_MAX; n++) {
            struct near_condition one = {.kind = reader_u8(&reader)};
            one.variables = reader_u32(&reader);
            one.code = read_block(&reader);
            one.members = read_block(&reader);
            if (pass == 1)
                list[n] = one;
        }
        if (!reader_done(&reader))
            return false;
        if (pass == 0)
            list = arena_array(arena, n + 1, sizeof *list);
    }
    *group = (struct near_group){n, list};
    return true;
}

bool near_group_of(struct near_group *group, const struct part *part, struct arena *arena)
{
    struct bytes bytes = {0};
    near_write(&bytes, part);
    const bool whole = !bytes.failed;
    const char *kept = arena_strndup(arena, bytes.length > 0 ? (const char *)bytes.data : "", bytes.length);
    const struct byte_view view = {(const uint8_t *)kept, bytes.length};
    bytes_clear(&bytes);
    return whole && near_read(group, view, arena);
}

/* --- comparing --- */

static bool same_condition(const struct near_condition *a, const struct near_condition *b)
{
    return a->kind == b->kind && byte_view_equal(a->code, b->code) && byte_view_equal(a->members, b->members);
}

/* Two choices of levels of one thing of which no level is in both: nobody is in both groups. */
static bool apart(const struct near_condition *a, const struct near_condition *b)
{
    if (a->kind != PART_TRUE || b->kind != PART_TRUE || !byte_view_equal(a->code, b->code))
        return false;
    for (size_t i = 0; i < a->members.length && i < b->members.length; i++)
        if ((a->members.data[i] & b->members.data[i]) != 0)
            return false;
    return true;
}

/* What a has and b has not: how often that a value is known, and of the others how many, and one of them. */
struct more {
    size_t known, other;
    const struct near_condition *one;
};

static struct more more_of(const struct near_group *a, const struct near_group *b)
{
    struct more more = {0};
    for (size_t i = 0; i < a->n; i++) {
        bool there = false;
        for (size_t j = 0; j < b->n && !there; j++)
            there = same_condition(&a->list[i], &b->list[j]);
        if (there)
            continue;
        if (a->list[i].kind == PART_PRESENT) {
            more.known++;
        } else {
            more.other++;
            more.one = &a->list[i];
        }
    }
    return more;
}

size_t near_distance(const struct near_group *a, const struct near_group *b)
{
    const struct more left = more_of(a, b), right = more_of(b, a);
    const size_t known = left.known + right.known;
    if (left.other > 1 || right.other > 1)
        return NEAR_FAR;
    if (left.other == 1 && right.other == 1 &&
        (left.one->variables != right.one->variables || apart(left.one, right.one)))
        return NEAR_FAR;
    return known + (left.other + right.other > 0 ? 1 : 0);
}
