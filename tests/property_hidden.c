/* No word of a group that head counts have hidden may be anything but 0: every method of methods_all, every
 * round, and every cell in turn.
 *
 * What a word is of is found out without asking the method: the rows of the hidden cell are taken out of the
 * table, and the same round is tallied again. A group whose words are now 0 and were not was of hidden rows
 * alone. */
#include "disclosure/gate.h"
#include "stats/guard.h"
#include "tally/members.h"
#include "tests/property.h"

enum { ROUNDS_MAX = 25, CELLS_MAX = 12, ROWS_BEFORE = 60 };

/* One analysis over one table. */
struct hiding {
    struct arena *arena;
    const char *method;
    const struct study *study; /* of one analysis */
    struct columns *table;
    const struct cells *cells;
    size_t n_rows;
    int64_t *counts[TALLY_BLOCKS_MAX]; /* of each cell */
    bool named[TALLY_BLOCKS_MAX];      /* by a guard, in some round */
    int64_t suppressed;                /* numbers of the result of the last run that are null */
    uint8_t **kept;
};

/* A cell that is hidden, and rows of which nothing may be seen: up to two sets. */
struct hidden {
    size_t block, cell, n_sets;
    bool *rows[2];
};

static enum maille_code note_rows(void *context, size_t which, size_t block, size_t first,
                                  const uint8_t *counts, size_t n, struct maille_error *error)
{
    bool *rows = context;
    (void)which;
    (void)block;
    (void)error;
    for (size_t r = 0; r < n; r++)
        rows[first + r] = rows[first + r] || counts[r] == 1;
    return MAILLE_OK;
}

/* Rows of the groups from `first` to before `end` of a block. */
static bool *rows_of(const struct hiding *h, const struct tally_spec *all, size_t b, size_t first, size_t end)
{
    struct maille_error error = {0};
    const struct tally_block *of = &all->blocks[b];
    const struct expression *filter = of->filter;
    if (of->group != NULL) {
        double *member = arena_array(h->arena, of->group->n_levels, sizeof *member);
        for (size_t i = first; i < end; i++)
            member[i] = 1;
        filter = expression_and(h->arena, of->filter, expression_in_levels(h->arena, of->group, member));
    }
    bool *rows = arena_array(h->arena, h->n_rows + 1, sizeof *rows);
    if (tally_members(&filter, 1, &all->survival, h->table, note_rows, rows, &error) != MAILLE_OK)
        fail_msg("%s", error.sentence);
    return rows;
}

/* Of each cell, over some rows. */
static void counts_of(int64_t **counts, const struct hiding *h, struct columns *table)
{
    struct maille_error error = {0};
    struct tally tally = {0};
    size_t bytes;
    struct tally_extent *extents = arena_array(h->arena, TALLY_BLOCKS_MAX, sizeof *extents);
    assert_int_equal(tally_layout(extents, &bytes, &h->cells->spec, &error), MAILLE_OK);
    if (tally_run(&tally, &h->cells->spec, table, NULL, &error) != MAILLE_OK)
        fail_msg("%s", error.sentence);
    for (size_t b = 0; b < h->cells->spec.n_blocks; b++) {
        counts[b] = arena_array(h->arena, extents[b].count, sizeof *counts[b]);
        for (size_t i = 0; i < extents[b].count; i++)
            counts[b][i] = tally_count(tally.words.data, &extents[b], i);
    }
    tally_clear(&tally);
}

static size_t n_cells(const struct hiding *h, size_t b)
{
    return tally_block_groups(&h->cells->spec.blocks[b]);
}

static void count_cells(struct hiding *h)
{
    counts_of(h->counts, h, h->table);
    h->kept = arena_array(h->arena, h->cells->spec.n_blocks, sizeof *h->kept);
    for (size_t b = 0; b < h->cells->spec.n_blocks; b++)
        h->kept[b] = arena_array(h->arena, n_cells(h, b), 1);
}

static bool can_be_hidden(enum cell_rule rule)
{
    return rule == CELL_TABLE || rule == CELL_MISSING || rule == CELL_AT_RISK || rule == CELL_MERGE;
}

/* The head counts without some rows. */
static int64_t **counts_without(const struct hiding *h, const bool *hidden)
{
    struct maille_error error = {0};
    struct columns *others = NULL;
    bool *keep = arena_array(h->arena, h->n_rows + 1, sizeof *keep);
    for (size_t r = 0; r < h->n_rows; r++)
        keep[r] = !hidden[r];
    assert_int_equal(columns_subset(&others, h->table, keep, &error), MAILLE_OK);
    int64_t **counts = arena_array(h->arena, h->cells->spec.n_blocks, sizeof *counts);
    counts_of(counts, h, others);
    columns_free(others);
    return counts;
}

/* Is somebody in these cells, and nobody who is not hidden? */
static bool is_within(const int64_t *all, const int64_t *others, size_t n)
{
    int64_t any = 0, seen = 0;
    for (size_t i = 0; i < n; i++) {
        any += all[i];
        seen += others[i];
    }
    return any > 0 && seen == 0;
}

/* Bins that are of hidden rows alone are joined with others, as too few would be: with the next from the
 * left, the last with those before it. */
static void join_within(uint8_t *kept, const int64_t *all, const int64_t *others, size_t n)
{
    size_t first = 0, last_seen = 0;
    for (size_t i = 0; i + 1 < n; i++) {
        last_seen = others[i] > 0 ? i : last_seen;
        kept[i] = !is_within(all + first, others + first, i + 1 - first);
        first = kept[i] != 0 ? i + 1 : first;
    }
    if (is_within(all + first, others + first, n - first))
        memset(kept + last_seen, 0, n - 1 - last_seen);
}

/* Where a cell of a table, or how many miss something, is hidden so is what is of its rows alone, since those
 * are no more. False where that would refuse the analysis. */
static bool hide_within(struct hiding *h, const bool *hidden)
{
    int64_t **others = counts_without(h, hidden);
    for (size_t b = 0; b < h->cells->spec.n_blocks; b++) {
        const enum cell_rule rule = h->cells->rules[b];
        const size_t bins = h->cells->n_bins[b] > 0 ? h->cells->n_bins[b] : 1;
        for (size_t i = 0; rule != CELL_ENTERING && i < n_cells(h, b); i += bins) {
            if (!is_within(h->counts[b] + i, others[b] + i, bins)) {
                if (rule == CELL_MERGE)
                    join_within(h->kept[b] + i, h->counts[b] + i, others[b] + i, bins);
                continue;
            }
            if (!can_be_hidden(rule))
                return false;
            memset(h->kept[b] + i, 0, bins);
            h->kept[b][i + bins - 1] = rule == CELL_MERGE;
        }
    }
    return true;
}

/* Everything is kept but this cell; of a curve all that follow as well. */
static void hide_cell(struct hiding *h, size_t block, size_t cell)
{
    const enum cell_rule rule = h->cells->rules[block];
    const size_t n_bins = h->cells->n_bins[block];
    for (size_t b = 0; b < h->cells->spec.n_blocks; b++)
        memset(h->kept[b], 1, n_cells(h, b));
    h->kept[block][cell] = 0;
    for (size_t i = cell; rule == CELL_AT_RISK && (i % n_bins != 0 || i == cell); i++)
        h->kept[block][i] = 0;
}

/* The same, with what is of its rows alone; false where there is no such plan. */
static bool hide(struct hiding *h, const struct hidden *hidden)
{
    const enum cell_rule rule = h->cells->rules[hidden->block];
    hide_cell(h, hidden->block, hidden->cell);
    return (rule != CELL_TABLE && rule != CELL_MISSING) || hide_within(h, hidden->rows[0]);
}

/* Is any number of a group not 0? */
static bool is_there(const struct tally *tally, const struct tally_extent *extent, size_t group,
                     size_t n_groups)
{
    const size_t n = extent->count / n_groups;
    for (size_t i = group * n; i < (group + 1) * n; i++)
        if (tally_fixed(tally->words.data, extent, i) != 0)
            return true;
    return false;
}

/* Do joined bins of another variable guard a block, and not these? */
static bool is_of_others(const struct hiding *h, const struct guard *guard, size_t merged)
{
    bool others = false;
    for (; guard != NULL; guard = guard->also) {
        if (guard->block == merged)
            return false;
        others = others || (guard_is_counted(guard) && h->cells->rules[guard->block] == CELL_MERGE);
    }
    return others;
}

/* Of joined steps only what is counted by them is hidden: a few who left on one day may all have come on
 * another, and a few of one age may all be of one size. */
static bool is_of(const struct hiding *h, const struct hidden *hidden, const bool *rows,
                  const struct tally_spec *spec, size_t block, size_t group)
{
    return h->cells->rules[hidden->block] != CELL_MERGE ||
           (!is_of_others(h, spec->blocks[block].guard, hidden->block) &&
            memcmp(rows, rows_of(h, spec, block, group, group + 1), h->n_rows) == 0);
}

/* The round once more without those rows: nothing that was there may be gone. */
static void compare_without(const struct hiding *h, const struct hidden *hidden, const bool *rows,
                            const struct round_plan *plan, const struct tally *all, unsigned round)
{
    struct maille_error error = {0};
    struct columns *others = NULL;
    struct tally rest = {0};
    bool *keep = arena_array(h->arena, h->n_rows + 1, sizeof *keep);
    for (size_t r = 0; r < h->n_rows; r++)
        keep[r] = !rows[r];
    assert_int_equal(columns_subset(&others, h->table, keep, &error), MAILLE_OK);
    const struct tally_spec *spec = plan->analyses[0].spec;
    if (tally_run(&rest, spec, others, NULL, &error) != MAILLE_OK)
        fail_msg("%s", error.sentence);
    for (size_t b = 0; b < spec->n_blocks; b++) {
        const struct tally_extent *extent = &plan->analyses[0].extents[b];
        const size_t n_groups = tally_block_parts(&spec->blocks[b]);
        for (size_t g = 0; g < n_groups; g++)
            if (is_there(all, extent, g, n_groups) && !is_there(&rest, extent, g, n_groups) &&
                is_of(h, hidden, rows, spec, b, g))
                fail_msg("%s %s, round %u: cell %zu of head counts %zu is hidden, but group %zu of block %zu "
                         "is of its rows alone and not 0: which guards does the block name?",
                         h->method, h->study->analyses[0].id, round, hidden->cell, hidden->block, g, b);
    }
    tally_clear(&rest);
    columns_free(others);
}

static void note_guards(struct hiding *h, const struct tally_spec *spec)
{
    for (size_t b = 0; b < spec->n_blocks; b++)
        for (const struct guard *guard = spec->blocks[b].guard; guard != NULL; guard = guard->also)
            if (guard_is_counted(guard))
                h->named[guard->block] = true;
}

/* A study of one analysis to its end, or as far as it comes: has it a result? hidden NULL: nothing is. */
static bool run_hidden(struct hiding *h, const struct hidden *hidden)
{
    struct maille_error error = {0};
    struct study_run run = {0};
    struct round_plan plan = {0};
    const struct surviving surviving = {.n_blocks = h->cells->spec.n_blocks,
                                        .kept = (const uint8_t *const *)h->kept},
                           *one = &surviving;
    const struct verdict passed = {{0}, {0}, {0}};
    assert_int_equal(study_run_init(&run, h->study, &error), MAILLE_OK);
    study_run_survive(&run, &one);
    for (unsigned round = 1; study_run_open(&run) && round <= ROUNDS_MAX; round++) {
        struct tally tally = {0};
        struct release *release = NULL;
        size_t length;
        assert_int_equal(study_run_plan(&run, &plan, &error), MAILLE_OK);
        if (!plan.analyses[0].open)
            break;
        note_guards(h, plan.analyses[0].spec);
        if (tally_run(&tally, plan.analyses[0].spec, h->table, NULL, &error) != MAILLE_OK)
            fail_msg("%s", error.sentence);
        for (size_t i = 0; hidden != NULL && i < hidden->n_sets; i++)
            compare_without(h, hidden, hidden->rows[i], &plan, &tally, round);
        (void)bytes_reserve(&tally.words, plan.bytes - tally.words.length); /* no veto */
        if (gate_release(&release, &plan, &one, &passed, NULL, &tally, &error) != MAILLE_OK)
            fail_msg("%s %s: %s", h->method, h->study->analyses[0].id, error.sentence);
        study_run_step(&run, &plan, release_words(release, &length), 1);
        release_free(release);
        round_plan_clear(&plan);
    }
    if (run.states[0].status == ANALYSIS_FAILED && strstr(run.states[0].reason, "guard") != NULL)
        fail_msg("%s %s: %s", h->method, h->study->analyses[0].id, run.states[0].reason);
    const bool ended = run.states[0].status == ANALYSIS_OK;
    h->suppressed = run.states[0].outcome.suppressed;
    round_plan_clear(&plan);
    study_run_clear(&run);
    return ended;
}

/* Cells that can be hidden: with somebody; bins with somebody in the next, or with many who left before. */
static bool may_hide(const struct hiding *h, size_t b, size_t cell)
{
    const size_t bins = h->cells->n_bins[b];
    const int64_t *counts = h->counts[b];
    int64_t before = 0, after = 0;
    switch (h->cells->rules[b]) {
    case CELL_MERGE:
        return (cell + 1) % bins != 0 && counts[cell] > 0 && counts[cell + 1] > 0;
    case CELL_AT_RISK:
        for (size_t i = cell - cell % bins; i < cell; i++)
            before += counts[i];
        for (size_t i = cell; i % bins != 0 || i == cell; i++)
            after += counts[i];
        return before >= ROWS_BEFORE && after > 0;
    default:
        return counts[cell] > 0;
    }
}

/* Head counts that guard no block hide numbers of the result, as the rows of a target trial do: where one of
 * them is hidden a number more must be null. */
static void must_suppress(struct hiding *h, size_t b, size_t cell, int64_t before)
{
    if (!run_hidden(h, NULL) || h->suppressed <= before)
        fail_msg("%s %s: cell %zu of head counts %zu is hidden, no block names them as its guard, and no "
                 "number of the result is null for it",
                 h->method, h->study->analyses[0].id, cell, b);
}

static bool hide_one(struct hiding *h, size_t b, size_t cell)
{
    const size_t bins = h->cells->n_bins[b];
    const enum cell_rule rule = h->cells->rules[b];
    struct hidden hidden = {.block = b, .cell = cell, .n_sets = rule == CELL_MERGE ? 2 : 1};
    hidden.rows[0] =
        rows_of(h, &h->cells->spec, b, cell, rule == CELL_AT_RISK ? cell - cell % bins + bins : cell + 1);
    if (rule == CELL_MERGE) /* the next bin is shown with this one, and not without it */
        hidden.rows[1] = rows_of(h, &h->cells->spec, b, cell + 1, cell + 2);
    if (!hide(h, &hidden))
        return false;
    (void)run_hidden(h, &hidden);
    return true;
}

static unsigned hide_all(struct hiding *h)
{
    unsigned n_hidden = 0;
    count_cells(h);
    for (size_t b = 0; b < h->cells->spec.n_blocks; b++)
        memset(h->kept[b], 1, n_cells(h, b));
    const bool ended = run_hidden(h, NULL);
    const int64_t suppressed = h->suppressed;
    for (size_t b = 0; b < h->cells->spec.n_blocks; b++) {
        size_t all = 0;
        for (size_t i = 0; can_be_hidden(h->cells->rules[b]) && i < n_cells(h, b); i++)
            all += may_hide(h, b, i);
        for (size_t i = 0, at = 0; all > 0 && i < n_cells(h, b); i++)
            if (may_hide(h, b, i) && (all <= CELLS_MAX || at++ % (all / CELLS_MAX) == 0))
                n_hidden += hide_one(h, b, i);
        /* How many values are missing may follow from two counts that are shown (CELL_MISSING). */
        if (!ended || !can_be_hidden(h->cells->rules[b]) || h->cells->rules[b] == CELL_MISSING || h->named[b])
            continue;
        for (size_t i = 0; i < n_cells(h, b); i++) {
            if (h->cells->rules[b] == CELL_MERGE && (i + 1) % h->cells->n_bins[b] == 0)
                continue; /* a last bin ends what is joined */
            hide_cell(h, b, i);
            must_suppress(h, b, i, suppressed);
        }
    }
    return n_hidden;
}

/* The rows of patients who have one alone: that of another would change with the rows that are taken out. */
static void only_first_rows(struct columns **table)
{
    struct maille_error error = {0};
    struct columns *first = NULL;
    struct column_scratch scratch = {0};
    struct column_block index;
    const size_t n = columns_rows(*table);
    bool *keep = calloc(n + 1, sizeof *keep);
    assert_non_null(keep);
    assert_int_equal(columns_patient_block(&index, *table, &scratch, 0, &error), MAILLE_OK);
    const int32_t *of = index.values;
    for (size_t r = 0; r < n; r++)
        keep[r] = (r == 0 || of[r - 1] != of[r]) && (r + 1 == n || of[r + 1] != of[r]);
    assert_int_equal(columns_subset(&first, *table, keep, &error), MAILLE_OK);
    column_scratch_clear(&scratch);
    free(keep);
    columns_free(*table);
    *table = first;
}

static void hide_over(size_t n_patients, uint64_t seed)
{
    struct arena *arena = arena_new();
    const struct dictionary *dictionary = make_dictionary(arena);
    struct columns *table = NULL;
    unsigned n_hidden = 0;
    make_table(&table, dictionary, n_patients, seed, false);
    only_first_rows(&table);
    for (size_t i = 0; i < N_PROPERTIES; i++) {
        const struct study *all = make_study(arena, dictionary, properties[i].analyses);
        for (size_t k = 0; k < all->n_analyses; k++) {
            struct maille_error error = {0};
            struct study study = *all;
            struct arena *own = arena_new();
            struct cells *cells = arena_alloc(own, sizeof *cells);
            study.analyses = &all->analyses[k];
            study.n_analyses = 1;
            if (method_cells(&study.analyses[0], own, cells, &error) != MAILLE_OK)
                fail_msg("%s", error.sentence);
            struct hiding hiding = {.arena = own,
                                    .method = properties[i].method,
                                    .study = &study,
                                    .table = table,
                                    .cells = cells,
                                    .n_rows = columns_rows(table)};
            n_hidden += hide_all(&hiding);
            arena_free(own);
        }
    }
    print_message("%zu patients: %u cells hidden in turn\n", n_patients, n_hidden);
    assert_true(n_hidden > 100);
    columns_free(table);
    arena_free(arena);
}

static void test_hidden(void **state)
{
    (void)state;
    hide_over(600, 7);
}

/* Everybody in one arm and nobody with an event: cells that are empty are no secret, and guard nothing. */
static void test_hidden_without_events(void **state)
{
    (void)state;
    hide_over(95, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_hidden),
                                       cmocka_unit_test(test_hidden_without_events)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
