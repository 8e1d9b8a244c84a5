#include "tests/attacks/sets.h"

#include <jansson.h>
#include <math.h>

#include "base/test.h"
#include "registry/import.h"

enum { SITES = 5, PATIENTS_LEAST = 40, PATIENTS_RANGE = 120 };

/* --- patients --- */

static void put_text(struct bytes *out, const char *text)
{
    bytes_put(out, text, strlen(text));
}

static const char *dictionary_text(struct arena *arena)
{
    const char *wards = "w0";
    for (size_t w = 1; w < SETS_IN_NETWORK; w++)
        wards = arena_printf(arena, "%s, w%zu", wards, w);
    return arena_printf(arena,
                        "dictionary: toy\nversion: 1\nkey: id\nmissing: [\"\"]\nvariables:\n"
                        "  - { name: w, type: category, levels: [%s] }\n  - { name: a, type: category, "
                        "levels: [a1, a2, a3] }\n"
                        "  - { name: b, type: category, levels: [b1, b2, b3] }\n"
                        "  - { name: c, type: category, levels: [c1, c2, c3, c4] }\n  - { name: f, type: "
                        "category, levels: [f1, f2] }\n"
                        "  - { name: y, type: integer, min: 0, max: 99 }\n"
                        "  - { name: time, type: duration, units: days, min: 0, max: 900 }\n  - { name: "
                        "event, type: boolean }\n",
                        wards);
}

/* A level, the first ones more often. */
static size_t skewed(struct chance *chance, size_t n_levels)
{
    size_t level = 0;
    while (level + 1 < n_levels && chance_below(chance, 100) < 45)
        level++;
    return level;
}

/* A ward's patients, dealt to the sites: lines of their CSV files. */
static void deal_ward(struct bytes csv[SITES], struct set *set, size_t ward, struct chance *chance)
{
    char line[128];
    for (size_t i = 0, n = PATIENTS_LEAST + chance_below(chance, PATIENTS_RANGE); i < n; i++) {
        size_t levels[ATTRIBUTES], kind = 0;
        for (size_t a = ATTRIBUTES; a-- > 0;) {
            levels[a] = skewed(chance, attributes[a].n_levels);
            kind = kind * attributes[a].n_levels + levels[a];
        }
        set->patients[kind]++;
        snprintf(line, sizeof line, "p%zu.%zu,w%zu,a%zu,b%zu,c%zu,f%zu,%zu,%zu,%s\n", ward, i, ward,
                 levels[0] + 1, levels[1] + 1, levels[2] + 1, levels[3] + 1, chance_below(chance, 100),
                 1 + chance_below(chance, 900), chance_below(chance, 2) ? "TRUE" : "FALSE");
        put_text(&csv[chance_below(chance, SITES)], line);
    }
}

static struct columns *table_of(const struct dictionary *dictionary, const struct bytes *csv)
{
    struct maille_error error = {0};
    struct import_report report = {0};
    struct columns *table = NULL;
    char path[512];
    test_path(path, "ward.csv");
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(csv->data, 1, csv->length, file), csv->length);
    assert_int_equal(fclose(file), 0);
    assert_ok(import_csv(&table, &report, dictionary, path, NULL, &error), &error);
    import_report_clear(&report);
    return table;
}

/* --- what is asked --- */

static void analysis_any(struct set_analysis *analysis, struct chance *chance, struct arena *arena,
                         size_t ward, enum sets_of of, const char *name, const struct condition *condition)
{
    struct condition *arm = arena_alloc(arena, sizeof *arm);
    const char *cohort = arena_printf(arena, "w == \"w%zu\"", ward);
    bool by_arm = of != SETS_COHORTS && chance_below(chance, 3) != 0;
    *arm = *condition;
    memset(analysis, 0, sizeof *analysis);
    for (size_t kind = 0; kind < KINDS; kind++)
        analysis->cohort.has[kind] = by_arm || condition->group.has[kind];
    if (!by_arm)
        cohort = arena_printf(arena, "%s && (%s)", cohort, condition->text);
    static const char *const attribute[] = {"a", "b", "c", "f"};
    const char *by = attribute[chance_below(chance, ATTRIBUTES)];
    if (by_arm) {
        analysis->arm = arm;
        analysis->derived = arena_printf(arena, "  %s: %s\n", name, condition->text);
    }
    const char *first = by_arm ? name : by,
               *second = by_arm ? by : attribute[(size_t)(strchr("abcf", *by) - "abcf" + 1) % ATTRIBUTES];
    if (of == SETS_COHORTS) {
        analysis->text = arena_printf(arena, "method: count, cohort: '%s'", cohort);
        return;
    }
    switch (chance_below(chance, of == SETS_TABLES ? 2 : 6)) {
    case 0:
        analysis->text =
            arena_printf(arena, "method: count, by: [%s, %s], cohort: '%s'", first, second, cohort);
        break;
    case 1:
        analysis->text =
            arena_printf(arena, "method: crosstab, variables: [%s, %s], cohort: '%s'", first, second, cohort);
        break;
    case 2:
        analysis->text =
            arena_printf(arena, "method: describe, variables: [y], by: %s, cohort: '%s'", first, cohort);
        break;
    case 3:
        analysis->text = arena_printf(arena, "method: km, formula: \"Surv(time, event) ~ %s\", cohort: '%s'",
                                      first, cohort);
        break;
    default:
        analysis->text = arena_printf(arena, "method: count, by: [%s], cohort: '%s'", first, cohort);
    }
}

static void set_any(struct set *set, struct chance *chance, struct arena *arena, size_t ward, enum sets_of of,
                    size_t n_studies)
{
    struct condition condition = condition_any(chance, arena), before;
    set->n_studies = n_studies;
    for (size_t s = 0; s < set->n_studies; s++) {
        set->n_analyses[s] = of == SETS_COHORTS ? 1 : 1 + chance_below(chance, SETS_ANALYSES_MAX);
        for (size_t k = 0; k < set->n_analyses[s]; k++) {
            analysis_any(&set->analyses[s][k], chance, arena, ward, of,
                         arena_printf(arena, "g%zu%zu%zu", ward, s, k), &condition);
            before = condition;
            condition = chance_below(chance, 2) == 0 ? condition_near(chance, arena, &before)
                                                     : condition_any(chance, arena);
        }
    }
}

/* --- what is shown --- */

/* The number is that of the patients whom the enemy takes it for: else he reads the answer wrongly. */
static void show(struct set *set, const struct group *group, double n, const char *words)
{
    size_t there = 0;
    for (size_t kind = 0; kind < KINDS; kind++)
        there += group->has[kind] ? set->patients[kind] : 0;
    if ((double)there != n)
        fail_msg("%s: expected %zu patients, found %.0f", words, there, n);
    for (size_t i = 0; i < set->n_shown; i++)
        if (memcmp(&set->shown[i].group, group, sizeof *group) == 0)
            return;
    if (set->n_shown < COMBINE_GROUPS_MAX)
        set->shown[set->n_shown++] = (struct shown_group){.group = *group, .n = n, .words = words};
}

/* The group of one level, TRUE or a1, within another. */
static struct group level_of(const struct set_analysis *analysis, const struct group *within,
                             const char *level, size_t length)
{
    if (length == 4 && strncmp(level, "TRUE", 4) == 0)
        return group_of_condition(within, analysis->arm, true);
    if (length == 5 && strncmp(level, "FALSE", 5) == 0)
        return group_of_condition(within, analysis->arm, false);
    assert_int_equal(length, 2);
    return group_of_level(within, (size_t)(strchr("abcf", level[0]) - "abcf"), (size_t)(level[1] - '1'));
}

/* "TRUE,a1" */
static struct group levels_of(const struct set_analysis *analysis, const char *text)
{
    struct group group = analysis->cohort;
    while (*text != '\0') {
        const size_t length = strcspn(text, ",");
        group = level_of(analysis, &group, text, length);
        text += length + (text[length] == ',');
    }
    return group;
}

static void show_level(struct set *set, const struct set_analysis *analysis, const char *level,
                       const json_t *n, const char *words)
{
    if (level == NULL || !json_is_number(n))
        return;
    struct group group = levels_of(analysis, level);
    show(set, &group, json_number_value(n), words);
}

static void show_crosstab(struct set *set, const struct set_analysis *analysis, const json_t *result,
                          const char *words)
{
    const json_t *levels = json_object_get(result, "levels"), *counts = json_object_get(result, "counts");
    for (size_t i = 0; i < json_array_size(counts); i++)
        for (size_t j = 0; j < json_array_size(json_array_get(counts, i)); j++) {
            char level[32];
            snprintf(level, sizeof level, "%s,%s",
                     json_string_value(json_array_get(json_array_get(levels, 0), i)),
                     json_string_value(json_array_get(json_array_get(levels, 1), j)));
            show_level(set, analysis, level, json_array_get(json_array_get(counts, i), j), words);
        }
}

/* Every number of patients in an answer: who stands behind it. The n of an answer in which something is
 * hidden is that of the cells that are shown. */
static void show_answer(struct set *set, const struct set_analysis *analysis, const json_t *answer,
                        const char *words)
{
    const json_t *result = json_object_get(answer, "result"), *n = json_object_get(answer, "n"), *row;
    size_t i;
    set->asked++;
    if (strcmp(json_string_value(json_object_get(answer, "status")), "ok") != 0)
        return;
    set->answered++;
    if (json_is_number(n) && json_integer_value(json_object_get(answer, "suppressed")) == 0)
        show(set, &analysis->cohort, json_number_value(n), words);
    json_array_foreach(json_object_get(result, "groups"), i, row) show_level(
        set, analysis, json_string_value(json_object_get(row, "level")), json_object_get(row, "n"), words);
    if (json_is_object(json_array_get(json_object_get(result, "variables"), 0)))
        json_array_foreach(json_object_get(result, "variables"), i, row)
            show_level(set, analysis, json_string_value(json_object_get(row, "level")),
                       json_object_get(row, "n"), words);
    if (json_object_get(result, "counts") != NULL)
        show_crosstab(set, analysis, result, words);
    json_array_foreach(json_object_get(result, "curves"), i, row)
    {
        const char *stratum = json_string_value(json_object_get(row, "stratum"));
        if (stratum != NULL && strchr(stratum, '=') != NULL) /* everybody is at risk in the first step */
            show_level(set, analysis, strchr(stratum, '=') + 1,
                       json_array_get(json_object_get(row, "n_risk"), 0), words);
    }
}

/* --- a network --- */

/* Study number s of SETS_AT_ONCE sets, from set w on, as one: nobody is in two of them. "": none has one. */
static const char *study_text(const struct sets *sets, size_t w, size_t s)
{
    const char *text = "";
    for (size_t i = w; i < w + SETS_AT_ONCE && i < SETS_IN_NETWORK; i++)
        for (size_t k = 0; s < sets->sets[i].n_studies && k < sets->sets[i].n_analyses[s]; k++)
            text = arena_printf(sets->arena, "%s  - { id: x%zu-%zu, %s }\n", text, i, k,
                                sets->sets[i].analyses[s][k].text);
    return text;
}

static const char *head_text(const struct sets *sets)
{
    const char *text =
        "study: set\ndictionary: toy@1\ntitle: a set\npurpose: research\nlegal_basis: MR-004\nprotocol: P-1\n"
        "expires: 2099-12-31\nsites: all\ngrid: month\nmissing: analysis\nderive:\n  g: w == \"w0\"\n";
    for (size_t w = 0; w < SETS_IN_NETWORK; w++)
        for (size_t s = 0; s < sets->sets[w].n_studies; s++)
            for (size_t k = 0; k < sets->sets[w].n_analyses[s]; k++)
                if (sets->sets[w].analyses[s][k].derived != NULL)
                    text = arena_printf(sets->arena, "%s%s", text, sets->sets[w].analyses[s][k].derived);
    return arena_printf(sets->arena, "%sanalyses:\n", text);
}

static void read_answers(struct sets *sets, struct play *play, size_t s)
{
    struct bytes json = {0};
    play_result(&json, play);
    json_t *root = json_loadb((const char *)json.data, json.length, 0, NULL), *answer;
    assert_non_null(root);
    size_t i;
    json_array_foreach(json_object_get(root, "analyses"), i, answer)
    {
        size_t w, k;
        const char *id = json_string_value(json_object_get(answer, "id"));
        assert_int_equal(sscanf(id, "x%zu-%zu", &w, &k), 2);
        const struct set_analysis *analysis = &sets->sets[w].analyses[s][k];
        show_answer(&sets->sets[w], analysis, answer,
                    arena_printf(sets->arena, "study %zu: %s%s", s + 1, analysis->text,
                                 analysis->derived == NULL
                                     ? ""
                                     : arena_printf(sets->arena, ", %s", analysis->derived)));
    }
    json_decref(root);
    bytes_clear(&json);
}

void sets_run(struct sets *sets, uint64_t seed, enum sets_of of, size_t n_studies, const char *policy)
{
    struct maille_error error = {0};
    struct chance chance = {.state = seed};
    struct bytes csv[SITES] = {{0}};
    struct columns *parts[SITES];
    const struct dictionary *dictionary = NULL;
    *sets = (struct sets){.arena = arena_new()};
    const char *text = dictionary_text(sets->arena);
    assert_ok(dictionary_parse(&dictionary, sets->arena, "dictionary.yaml", text, strlen(text), &error),
              &error);
    for (size_t i = 0; i < SITES; i++)
        put_text(&csv[i], "id,w,a,b,c,f,y,time,event\n");
    for (size_t w = 0; w < SETS_IN_NETWORK; w++) {
        deal_ward(csv, &sets->sets[w], w, &chance);
        set_any(&sets->sets[w], &chance, sets->arena, w, of, n_studies);
    }
    for (size_t i = 0; i < SITES; i++) {
        parts[i] = table_of(dictionary, &csv[i]);
        bytes_clear(&csv[i]);
    }
    struct play *play = play_new(&(struct play_options){.seed = seed,
                                                        .n_sites = SITES,
                                                        .parts = parts,
                                                        .policy = policy,
                                                        .head = head_text(sets),
                                                        .study = study_text(sets, 0, 0)});
    for (size_t w = 0; w < SETS_IN_NETWORK; w += SETS_AT_ONCE)
        for (size_t s = 0; s < SETS_STUDIES_MAX; s++) {
            const char *study = study_text(sets, w, s);
            if (*study == '\0')
                continue;
            if (w > 0 || s > 0)
                play_ask(play, study);
            if (play_run(play, TESTING_LIMIT_MS, &error) != MAILLE_OK)
                fail_msg("sets %llu: %s", (unsigned long long)seed, error.sentence);
            read_answers(sets, play, s);
        }
    play_free(play);
}

void sets_clear(struct sets *sets)
{
    arena_free(sets->arena);
}
