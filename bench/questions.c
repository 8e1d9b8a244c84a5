#include "bench/questions.h"

#include "bench/bench.h"
#include "bench/dataset.h"

static const struct row {
    const char *name, *what;
    enum dataset_variable group;
    size_t n_terms;
    enum dataset_variable terms[QUESTION_TERMS];
} rows[QUESTIONS] = {
    {"n_by_centre", "n by 18 centres, cohort", DATASET_CENTRE, 0, {0}},
    {"n_by_subtype", "n by 4 subtypes, cohort", DATASET_SUBTYPE, 0, {0}},
    {"months_by_centre", "n and sum of months by 18 centres, cohort", DATASET_CENTRE, 1, {DATASET_MONTHS}},
    {"months_by_subtype", "n and sum of months by 4 subtypes, cohort", DATASET_SUBTYPE, 1, {DATASET_MONTHS}},
    {"four_by_centre",
     "n and sums of age, months, pgr, size by 18 centres, cohort",
     DATASET_CENTRE,
     4,
     {DATASET_AGE, DATASET_MONTHS, DATASET_PGR, DATASET_SIZE}},
    {"four_by_subtype",
     "n and sums of age, months, pgr, size by 4 subtypes, cohort",
     DATASET_SUBTYPE,
     4,
     {DATASET_AGE, DATASET_MONTHS, DATASET_PGR, DATASET_SIZE}},
};

static void reads(struct question *question, enum dataset_variable variable)
{
    for (size_t k = 0; k < question->n_variables; k++)
        if (question->variables[k] == (uint32_t)variable)
            return;
    question->variables[question->n_variables++] = (uint32_t)variable;
}

void questions_make(struct question questions[QUESTIONS], struct arena *arena,
                    const struct dictionary *dictionary)
{
    const struct expression *v[DATASET_VARIABLES];
    for (uint32_t k = 0; k < DATASET_VARIABLES; k++)
        v[k] = expression_variable(arena, dictionary, k);
    const struct expression *cohort =
        expression_and(arena, expression_binary(arena, OP_GE, v[DATASET_AGE], expression_constant(arena, 30)),
                       expression_binary(arena, OP_LT, v[DATASET_PGR], expression_constant(arena, 5000)));
    for (size_t q = 0; q < QUESTIONS; q++) {
        struct question *made = &questions[q];
        *made = (struct question){.name = rows[q].name, .what = rows[q].what};
        reads(made, DATASET_AGE);
        reads(made, DATASET_PGR);
        reads(made, rows[q].group);
        made->spec = arena_array(arena, 1, sizeof *made->spec);
        struct tally_block *counts = tally_spec_add(made->spec);
        *counts = (struct tally_block){.filter = cohort, .group = v[rows[q].group]};
        if (rows[q].n_terms == 0)
            continue;
        const struct expression **terms = arena_array(arena, rows[q].n_terms, sizeof *terms);
        for (size_t k = 0; k < rows[q].n_terms; k++) {
            double middle, half;
            struct maille_error error = {0};
            const struct expression *x = v[rows[q].terms[k]];
            bench_must(expression_unit_scale(&middle, &half, x, "term", &error), &error);
            terms[k] = expression_scale(arena, x, middle, half);
            reads(made, rows[q].terms[k]);
        }
        *tally_spec_add(made->spec) = (struct tally_block){.filter = cohort,
                                                           .group = v[rows[q].group],
                                                           .order = 1,
                                                           .terms = terms,
                                                           .n_terms = rows[q].n_terms};
    }
}

size_t question_row_bytes(const struct question *question, struct columns *columns)
{
    static const size_t sizes[] = {[STORE_INT8] = 1, [STORE_INT16] = 2, [STORE_INT32] = 4, [STORE_INT64] = 8};
    struct column_scratch scratch = {0};
    struct column_block block;
    size_t bytes = 0;
    for (size_t k = 0; k < question->n_variables; k++) {
        bench_must(columns_block(&block, columns, &scratch, question->variables[k], 0, NULL), NULL);
        bytes += sizes[block.storage];
    }
    column_scratch_clear(&scratch);
    return bytes;
}

double question_seconds(const struct question *question, struct columns *columns, unsigned threads)
{
    struct maille_error error = {0};
    struct tally tally = {0};
    struct tally_options options = {.threads = threads};
    double start = bench_now();
    bench_must(tally_run(&tally, question->spec, columns, &options, &error), &error);
    double took = bench_now() - start;
    tally_clear(&tally);
    return took;
}
