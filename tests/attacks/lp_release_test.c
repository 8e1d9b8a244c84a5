/* Random studies over random registries go through both threshold rounds; then an attacker takes everything
 * that is released and a linear program (lp.h), and must not bound any cell that was suppressed for its own
 * sake more tightly than min_cell.
 *
 * MAILLE_STUDIES: how many (200 unless set). MAILLE_FIRST_STUDY: the first one's number, to see one alone. */
#include "disclosure/testing.h"

#include <math.h>
#include <time.h>

#include "tests/attacks/lp.h"

/* --- chance --- */

static uint64_t chance_state;

static uint64_t chance_bits(void)
{
    uint64_t z = chance_state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* 0 … n − 1 */
static size_t chance(size_t n)
{
    return (size_t)(chance_bits() >> 11) % n;
}

static double uniform(void)
{
    return (double)(chance_bits() >> 11) * 0x1p-53;
}

/* --- a registry --- */

/* Categories a and b, booleans f and event, an integer x; time stands for all times. hi and lo number the
 * atoms. */
struct shape {
    size_t levels_a, levels_b, values_x;
    double missing; /* share of each */
    double rare;    /* how much rarer each level is than the one before */
};

static void dictionary_text(struct bytes *out, const struct shape *shape)
{
    char text[1024];
    int n = snprintf(
        text, sizeof text,
        "dictionary: toy\nversion: 1\nkey: id\nmissing: [\"\"]\nvariables:\n"
        "  - { name: a, type: category, levels: [%s] }\n  - { name: b, type: category, levels: [%s] }\n"
        "  - { name: f, type: boolean }\n  - { name: x, type: integer, min: 0, max: %zu }\n"
        "  - { name: time, type: duration, units: days, min: 0, max: 900 }\n  - { name: event, type: boolean "
        "}\n"
        "  - { name: hi, type: integer, min: 0, max: 99 }\n  - { name: lo, type: integer, min: 0, max: 99 "
        "}\n",
        (const char *[]){"a1, a2", "a1, a2, a3", "a1, a2, a3, a4"}[shape->levels_a - 2],
        (const char *[]){"b1, b2", "b1, b2, b3"}[shape->levels_b - 2], shape->values_x - 1);
    bytes_put(out, text, (size_t)n);
}

/* A level, the first ones more often; −1: missing. */
static int level(const struct shape *shape, size_t n)
{
    if (uniform() < shape->missing)
        return -1;
    double u = uniform() * (1 - pow(shape->rare, (double)n)) / (1 - shape->rare), mass = 1;
    size_t i = 0;
    for (; i + 1 < n && u > mass; i++) {
        u -= mass;
        mass *= shape->rare;
    }
    return (int)i;
}

static void row_text(struct bytes *out, size_t id, int a, int b, int f, int x, int time, int event,
                     size_t atom)
{
    static const char *const words[] = {"", "FALSE", "TRUE"};
    char text[128], number_x[16] = "", number_time[16] = "", level_a[8] = "", level_b[8] = "";
    if (a >= 0)
        snprintf(level_a, sizeof level_a, "a%d", a + 1);
    if (b >= 0)
        snprintf(level_b, sizeof level_b, "b%d", b + 1);
    if (x >= 0)
        snprintf(number_x, sizeof number_x, "%d", x);
    if (time >= 0)
        snprintf(number_time, sizeof number_time, "%d", time);
    int n = snprintf(text, sizeof text, "p%zu,%s,%s,%s,%s,%s,%s,%zu,%zu\n", id, level_a, level_b,
                     words[f + 1], number_x, number_time, words[event + 1], atom / 100, atom % 100);
    bytes_put(out, text, (size_t)n);
}

static const char header[] = "id,a,b,f,x,time,event,hi,lo\n";

/* One patient of every kind: the attacker's atoms. Whether somebody has a time is one more attribute; which,
 * is none. */
static size_t atoms_text(struct bytes *out, const struct shape *shape)
{
    size_t n = 0;
    bytes_put(out, header, sizeof header - 1);
    for (int a = -1; a < (int)shape->levels_a; a++)
        for (int b = -1; b < (int)shape->levels_b; b++)
            for (int f = -1; f < 2; f++)
                for (int x = -1; x < (int)shape->values_x; x++)
                    for (int event = -1; event < 2; event++)
                        for (int timed = 0; timed < 2; timed++) {
                            row_text(out, n, a, b, f, x, timed ? 300 : -1, event, n);
                            n++;
                        }
    return n;
}

static void registry_text(struct bytes *out, const struct shape *shape, size_t patients)
{
    bytes_put(out, header, sizeof header - 1);
    for (size_t i = 0; i < patients; i++) {
        int a = level(shape, shape->levels_a), b = level(shape, shape->levels_b);
        int time = uniform() < shape->missing ? -1 : 1 + (int)chance(900);
        row_text(out, i, a, b, level(shape, 2), level(shape, shape->values_x), time, level(shape, 2), 0);
    }
}

/* --- a study --- */

static const char *grouping(void)
{
    static const char *const all[] = {"a", "b", "f", "x", "g", "h", "low", "event"};
    return all[chance(sizeof all / sizeof *all)];
}

static const char *cohort(void)
{
    static const char *const all[] = {"f",
                                      "!f",
                                      "a == \\\"a1\\\"",
                                      "a != \\\"a1\\\"",
                                      "x >= 2",
                                      "x < 2",
                                      "x >= 1 && f",
                                      "b == \\\"b1\\\" && !f",
                                      "f || x > 1",
                                      "!(f && a == \\\"a1\\\")",
                                      "x + 1 > 2",
                                      "is_missing(x) || x < 3"};
    return all[chance(sizeof all / sizeof *all)];
}

/* n different groupings as a list. */
static const char *groupings(struct arena *arena, size_t n)
{
    const char *text = grouping();
    for (size_t i = 1; i < n; i++) {
        const char *more = grouping();
        if (strstr(text, more) == NULL)
            text = arena_printf(arena, "%s, %s", text, more);
    }
    return text;
}

static const char *analysis_text(struct arena *arena, size_t i)
{
    const char *only = chance(3) == 0 ? arena_printf(arena, ", cohort: \"%s\"", cohort()) : "";
    const char *by = chance(2) == 0 ? arena_printf(arena, ", by: %s", grouping()) : "";
    switch (chance(7)) {
    case 0:
    case 1:
        return arena_printf(arena, "  - { id: i%zu, method: count, variables: [%s]%s%s }\n", i,
                            groupings(arena, 1 + chance(2)), by, only);
    case 2:
        return arena_printf(arena, "  - { id: i%zu, method: crosstab, variables: [%s, %s]%s }\n", i,
                            chance(2) ? "a" : "g", chance(2) ? "b" : "f", only);
    case 3:
        return arena_printf(arena, "  - { id: i%zu, method: describe, variables: [%s]%s%s }\n", i,
                            groupings(arena, 1 + chance(3)), by, only);
    case 4:
        return arena_printf(arena, "  - { id: i%zu, method: km, formula: \"Surv(time, event) ~ %s\"%s }\n", i,
                            (const char *[]){"a", "b", "f", "low"}[chance(4)], only);
    case 5:
        return arena_printf(arena, "  - { id: i%zu, method: quantile, variable: x, probs: [0.5]%s%s }\n", i,
                            by, only);
    default:
        return arena_printf(
            arena, "  - { id: i%zu, method: cox, formula: \"Surv(time, event) ~ %s\", ties: breslow%s }\n", i,
            (const char *[]){"a", "b + f", "f", "x"}[chance(4)], only);
    }
}

/* outside: groups that leave some out, of whom other analyses count everybody. */
static const struct study *study_any(const struct roster *roster, bool outside)
{
    const char *list = "";
    /* Groups of everybody, or of some: what lies outside is a group too, of which nothing is to be learnt. */
    const char *groups = chance(2) ? arena_printf(roster->arena, "c(-Inf, %zu, 2.5, Inf)", 1 + chance(2))
                                   : (const char *[]){"c(-Inf, 0, 1)", "c(-Inf, 1, 2)"}[chance(2)];
    const char *head = arena_printf(roster->arena,
                                    "grid: month\nmissing: %s\nderive:\n  g: cut(x, %s)\n  h: "
                                    "cut(x, c(-Inf, 1, 3, Inf), right = FALSE)\n  low: x < 2\n",
                                    chance(2) ? "study" : "analysis", groups);
    if (outside)
        return roster_study(
            roster,
            "grid: month\nderive:\n  g: cut(x, c(-Inf, 0, 1))\n  z: factor(a, levels = c(\"a1\", \"a2\"))\n",
            chance(2)
                ? "  - { id: all, method: count }\n  - { id: g, method: count, variables: [g] }\n"
                : "  - { id: all, method: count, variables: [f] }\n  - { id: z, method: crosstab, variables: "
                  "[z, f] }\n");
    for (size_t i = 0, n = 1 + chance(6); i < n; i++)
        list = arena_printf(roster->arena, "%s%s", list, analysis_text(roster->arena, i));
    return roster_study(roster, head, list);
}

/* --- the attack --- */

/* How often each kind of patient counts in each number of a block, by the tally itself: the block's groups
 * are crossed with the atom. */
static void block_atoms(double *counts, const struct tally_spec *spec, size_t block,
                        const struct roster *roster, struct columns *atoms, size_t n_atoms, size_t n_cells)
{
    struct maille_error error = {0};
    struct tally_spec only = {.survival = spec->survival, .blocks = {spec->blocks[block]}, .n_blocks = 1};
    const struct expression *parts[3] = {NULL, NULL, only.blocks[0].group};
    for (size_t i = 0; i < 2; i++)
        assert_ok(expression_as_code(&parts[i], roster->arena,
                                     expression_variable(
                                         roster->arena, roster->dictionary,
                                         (uint32_t)dictionary_find(roster->dictionary, i == 0 ? "hi" : "lo")),
                                     &error),
                  &error);
    only.blocks[0].group = expression_cross(roster->arena, parts, parts[2] == NULL ? 2 : 3);
    struct tally words = {0};
    struct tally_extent extents[TALLY_BLOCKS_MAX];
    size_t bytes;
    assert_ok(tally_layout(extents, &bytes, &only, &error), &error);
    assert_ok(tally_run(&words, &only, atoms, &(struct tally_options){.threads = 1}, &error), &error);
    for (size_t atom = 0; atom < n_atoms; atom++)
        for (size_t cell = 0; cell < n_cells; cell++)
            counts[cell * n_atoms + atom] =
                (double)tally_count(words.words.data, &extents[0], atom * n_cells + cell);
    tally_clear(&words);
}

struct attacker {
    struct attack attack;
    bool *secret; /* [number]: suppressed for its own sake */
};

static void number_put(struct attacker *attacker, const double *counts, double value, bool released,
                       bool secret)
{
    struct attack *attack = &attacker->attack;
    size_t i = attack->n_numbers++;
    memcpy(attack->counts + i * attack->n_atoms, counts, attack->n_atoms * sizeof *counts);
    attack->values[i] = value;
    attack->released[i] = released;
    attacker->secret[i] = secret;
}

/* Pooled patients of each cell of a block: counted over the whole registry at once. */
static void block_pooled(double *pooled, const struct threshold_analysis *analysis, size_t b,
                         const struct roster *roster)
{
    struct maille_error error = {0};
    struct tally words = {0};
    assert_ok(
        tally_run(&words, &analysis->cells->spec, roster->all, &(struct tally_options){.threads = 1}, &error),
        &error);
    for (size_t i = 0; i < analysis->blocks[b].n_cells; i++)
        pooled[i] = (double)tally_count(words.words.data, &analysis->extents[b], i);
    tally_clear(&words);
}

/* The most patients of a cell that one site has, and how many sites have some. */
static void block_sites(double *largest, double *sites, const struct threshold_analysis *analysis, size_t b,
                        const struct roster *roster)
{
    struct maille_error error = {0};
    for (size_t s = 0; s < roster->n_sites; s++) {
        struct tally words = {0};
        assert_ok(tally_run(&words, &analysis->cells->spec, roster->sites[s],
                            &(struct tally_options){.threads = 1}, &error),
                  &error);
        for (size_t i = 0; i < analysis->blocks[b].n_cells; i++) {
            double n = (double)tally_count(words.words.data, &analysis->extents[b], i);
            largest[i] = fmax(largest[i], n);
            sites[i] += n > 0;
        }
        tally_clear(&words);
    }
}

/* Everything that a block releases, and what it hides. */
static void block_attack(struct attacker *attacker, const struct rounds *rounds, size_t k, size_t b,
                         const struct roster *roster, struct columns *atoms, bool tables)
{
    const struct threshold_analysis *analysis = &rounds->threshold.analyses[k];
    const struct threshold_block *block = &analysis->blocks[b];
    const uint8_t *kept = rounds->plan.analyses[k].surviving.kept[b];
    const size_t n_atoms = attacker->attack.n_atoms, n = block->n_cells;
    double *counts = calloc(n * n_atoms + 1, sizeof *counts), *pooled = calloc(3 * n + 1, sizeof *pooled);
    double *sum = calloc(n_atoms + 1, sizeof *sum);
    assert_true(counts != NULL && pooled != NULL && sum != NULL);
    block_atoms(counts, &analysis->cells->spec, b, roster, atoms, n_atoms, n);
    block_pooled(pooled, analysis, b, roster);
    block_sites(pooled + n, pooled + 2 * n, analysis, b, roster);
    const struct policy *policy = rounds->policy;
    /* Of an analysis with tables, n and events are worked out from the cells that are shown. Its n the
     * attacker has from another query over the same cohort; under a local rule, which judges no sums, he has
     * not. */
    bool released = block->rule == CELL_PATIENTS || (block->rule == CELL_EVENTS && !(tables && n == 1)) ||
                    (block->rule == CELL_COHORT && (!tables || rounds->threshold.scope == CELL_SCOPE_TOTAL));
    bool hideable = block->rule == CELL_TABLE || block->rule == CELL_MISSING || block->rule == CELL_OUTSIDE;
    for (size_t i = 0; i < n && hideable; i++) {
        bool few =
            pooled[i] > 0 && (pooled[i] < policy->min_cell || pooled[2 * n + i] < policy->min_contributors ||
                              pooled[n + i] > policy->max_site_share * pooled[i]);
        /* A local rule lets pass what each site lets pass, and asks for nothing pooled. */
        if (few && rounds->threshold.scope == CELL_SCOPE_TOTAL)
            assert_int_equal(kept[i], 0);
        number_put(attacker, counts + i * n_atoms, pooled[i], kept[i] != 0,
                   few && !kept[i] && block->rule != CELL_MISSING);
    }
    for (size_t i = 0; i < n && released; i++)
        number_put(attacker, counts + i * n_atoms, pooled[i], true, false);
    /* Bins of time tell how many their groups hold; merged bins of a variable each how many it holds. */
    bool shown = block->groups == THRESHOLD_ABSENT, by_group = block->rule == CELL_AT_RISK ||
                                                               analysis->cells->is_model ||
                                                               analysis->cells->axis.days > 0;
    for (size_t group = 0;
         group < block->n_groups && (block->rule == CELL_AT_RISK || block->rule == CELL_MERGE); group++) {
        double all = 0;
        if (!shown && !rounds->plan.analyses[k].surviving.kept[block->groups][group])
            continue;
        memset(sum, 0, n_atoms * sizeof *sum);
        for (size_t bin = 0; bin < block->n_bins; bin++) {
            size_t i = group * block->n_bins + bin;
            all += pooled[i];
            for (size_t atom = 0; atom < n_atoms; atom++)
                sum[atom] += counts[i * n_atoms + atom];
            if (by_group ? bin + 1 < block->n_bins : !kept[i])
                continue;
            if (block->rule == CELL_MERGE || kept[group * block->n_bins])
                number_put(attacker, sum, all, true, false);
            memset(sum, 0, n_atoms * sizeof *sum);
            all = 0;
        }
    }
    free(counts);
    free(pooled);
    free(sum);
}

struct found {
    size_t studies, with_secrets, secrets, refused, analyses, complements;
    double narrowest; /* width / min_cell */
    double plan_seconds, plan_longest;
};

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void attack_plan(struct found *found, const struct rounds *rounds, const struct roster *roster,
                        struct columns *atoms, size_t n_atoms, uint64_t number)
{
    enum { NUMBERS_MAX = 2000 };
    struct attacker attacker = {.attack = {.n_atoms = n_atoms}};
    attacker.attack.counts = calloc(NUMBERS_MAX * n_atoms, sizeof *attacker.attack.counts);
    attacker.attack.values = calloc(NUMBERS_MAX, sizeof *attacker.attack.values);
    attacker.attack.released = calloc(NUMBERS_MAX, sizeof *attacker.attack.released);
    attacker.secret = calloc(NUMBERS_MAX, sizeof *attacker.secret);
    assert_true(attacker.attack.counts != NULL && attacker.attack.values != NULL &&
                attacker.attack.released != NULL && attacker.secret != NULL);
    for (size_t k = 0; k < rounds->plan.n; k++) {
        bool tables = false;
        found->analyses++;
        found->refused += rounds->plan.analyses[k].rule[0] != '\0';
        if (rounds->plan.analyses[k].rule[0] != '\0')
            continue;
        size_t n_blocks = rounds->threshold.analyses[k].cells->spec.n_blocks;
        for (size_t b = 0; b < n_blocks; b++)
            tables = tables || rounds->threshold.analyses[k].blocks[b].rule == CELL_TABLE;
        for (size_t b = 0; b < n_blocks; b++)
            block_attack(&attacker, rounds, k, b, roster, atoms, tables);
    }
    assert_true(attacker.attack.n_numbers <= NUMBERS_MAX);
    size_t secrets = 0;
    for (size_t i = 0; i < attacker.attack.n_numbers; i++) {
        double low = 0, high = 0;
        found->complements += !attacker.attack.released[i] && !attacker.secret[i];
        if (!attacker.secret[i])
            continue;
        secrets++;
        if (!attack_bounds(&low, &high, &attacker.attack, i))
            fail_msg("study %llu: expected a release that patients can have given",
                     (unsigned long long)number);
        found->narrowest = fmin(found->narrowest, (high - low) / rounds->policy->min_cell);
        if (!(high - low >= rounds->policy->min_cell - 1e-6))
            fail_msg("study %llu: a cell of %g is known to be %g to %g:\n%s", (unsigned long long)number,
                     attacker.attack.values[i], low, high, rounds->threshold.study->text);
    }
    found->secrets += secrets;
    found->with_secrets += secrets > 0;
    found->studies++;
    free(attacker.attack.counts);
    free(attacker.attack.values);
    free(attacker.attack.released);
    free(attacker.secret);
}

static void attack_study(struct found *found, uint64_t number, bool outside)
{
    struct maille_error error = {0};
    struct bytes dictionary = {0}, csv = {0}, kinds = {0};
    struct roster roster;
    struct rounds rounds;
    size_t site_of[512];
    chance_state = number;
    struct shape shape = {.levels_a = 2 + chance(3), .levels_b = 2 + chance(2), .values_x = 3 + chance(3)};
    shape.missing = (double[]){0, 0.02, 0.1}[chance(3)];
    shape.rare = 0.15 + 0.6 * uniform();
    size_t patients = 30 + chance(471), n_sites = chance(6) == 0 ? 3 + chance(2) : 5 + chance(14);
    for (size_t i = 0; i < patients; i++)
        site_of[i] = chance(3) == 0 ? chance(n_sites) : (size_t)((double)n_sites * uniform() * uniform());
    dictionary_text(&dictionary, &shape);
    bytes_put_u8(&dictionary, 0);
    registry_text(&csv, &shape, patients);
    roster_init(&roster, (const char *)dictionary.data, (const char *)csv.data, csv.length, site_of, n_sites);
    size_t n_atoms = atoms_text(&kinds, &shape);
    struct columns *atoms = roster_table(roster.dictionary, (const char *)kinds.data, kinds.length);
    const struct policy *policy = roster_policy(
        &roster,
        arena_printf(
            roster.arena,
            "policy: standard\nmin_cell: %zu\nmin_contributors: %zu\nmax_site_share: %s\nmin_events: 2\n",
            3 + chance(9), 1 + chance(3), chance(2) ? "0.85" : "1"));
    const struct study *study = study_any(&roster, outside);
    double start = seconds();
    assert_ok(rounds_run(&rounds, &roster, study, policy, NULL, NULL, 0, &error), &error);
    (void)start;
    attack_plan(found, &rounds, &roster, atoms, n_atoms, number);
    struct plan again = {0};
    start = seconds();
    assert_ok(
        plan_make(&again, &rounds.threshold, rounds.first.data, rounds.second.data, policy, n_sites, &error),
        &error);
    double took = seconds() - start;
    found->plan_seconds += took;
    found->plan_longest = fmax(found->plan_longest, took);
    plan_clear(&again);
    rounds_clear(&rounds);
    columns_free(atoms);
    roster_clear(&roster);
    bytes_clear(&dictionary);
    bytes_clear(&csv);
    bytes_clear(&kinds);
}

static uint64_t setting(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

static void test_release(void **state)
{
    (void)state;
    struct found found = {.narrowest = INFINITY};
    uint64_t first = setting("MAILLE_FIRST_STUDY", 1), n = setting("MAILLE_STUDIES", 200);
    double start = seconds();
    for (uint64_t i = first; i < first + n; i++)
        attack_study(&found, i, false);
    print_message("%zu studies, %zu with suppressed cells (%zu cells, %zu more to protect them), %zu of %zu "
                  "analyses refused; narrowest "
                  "bounds %.3f min_cell apart; plan %.2f ms on average, %.0f ms at most; %.0f s in all\n",
                  found.studies, found.with_secrets, found.secrets, found.complements, found.refused,
                  found.analyses, found.narrowest, 1e3 * found.plan_seconds / (double)found.studies,
                  1e3 * found.plan_longest, seconds() - start);
    if (n >= 100) /* the attack was made on something */
        assert_true(found.with_secrets > n / 10 && found.complements > n / 10 &&
                    found.refused < found.analyses);
}

/* Rows that a cut or a recoding leaves out, against a count of everybody. */
static void test_outside(void **state)
{
    (void)state;
    struct found found = {.narrowest = INFINITY};
    for (uint64_t i = 1; i <= 100; i++)
        attack_study(&found, i, true);
    assert_true(found.refused > 0);
}

/* A table 1 of ordinary size, with rare levels: how long its plan takes. */
static void test_table_one(void **state)
{
    (void)state;
    enum { VARIABLES = 12, PATIENTS = 3000, SITES = 6 };
    const struct shape shape = {.missing = 0.02, .rare = 0.3};
    static size_t site_of[PATIENTS];
    struct bytes dictionary = {0}, csv = {0};
    struct maille_error error = {0};
    struct roster roster;
    struct rounds rounds;
    struct plan plan = {0};
    char text[128];
    const char *head = "dictionary: toy\nversion: 1\nkey: id\nmissing: [\"\"]\nvariables:\n";
    chance_state = 1;
    bytes_put(&dictionary, head, strlen(head));
    for (int v = 0; v <= VARIABLES; v++) {
        snprintf(text, sizeof text, "  - { name: v%d, type: category, levels: [a, b, c, d, e] }\n", v);
        bytes_put(&dictionary, text, strlen(text));
        snprintf(text, sizeof text, "%sv%d%s", v == 0 ? "id," : ",", v, v == VARIABLES ? "\n" : "");
        bytes_put(&csv, text, strlen(text));
    }
    bytes_put_u8(&dictionary, 0);
    for (size_t i = 0; i < PATIENTS; i++) {
        site_of[i] = chance(SITES);
        snprintf(text, sizeof text, "p%zu", i);
        bytes_put(&csv, text, strlen(text));
        for (int v = 0; v <= VARIABLES; v++) {
            static const char *const words[] = {",", ",a", ",b", ",c", ",d", ",e"};
            const char *word = words[level(&shape, v == 0 ? 3 : 5) + 1];
            bytes_put(&csv, word, strlen(word));
        }
        bytes_put(&csv, "\n", 1);
    }
    roster_init(&roster, (const char *)dictionary.data, (const char *)csv.data, csv.length, site_of, SITES);
    const struct study *study = roster_study(&roster, "",
                                             "  - { id: t, method: describe, variables: [v1, v2, v3, v4, v5, "
                                             "v6, v7, v8, v9, v10, v11, v12], by: v0 }\n");
    assert_ok(rounds_run(&rounds, &roster, study, roster_policy(&roster, "policy: standard\n"), NULL, NULL, 0,
                         &error),
              &error);
    double start = seconds();
    assert_ok(plan_make(&plan, &rounds.threshold, rounds.first.data, rounds.second.data, rounds.policy, SITES,
                        &error),
              &error);
    print_message("table 1 of %d variables by arm: %zu cells hidden, plan in %.1f ms\n", VARIABLES,
                  plan.analyses[0].n_suppressed, 1e3 * (seconds() - start));
    assert_string_equal(plan.analyses[0].rule, "");
    assert_true(plan.analyses[0].n_suppressed >= VARIABLES);
    plan_clear(&plan);
    rounds_clear(&rounds);
    roster_clear(&roster);
    bytes_clear(&dictionary);
    bytes_clear(&csv);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_release), cmocka_unit_test(test_outside),
                                       cmocka_unit_test(test_table_one)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
