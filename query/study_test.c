#include "query/study.h"

#include <math.h>

#include "base/file.h"
#include "base/number.h"
#include "base/test.h"
#include "query/fixture.h"

/* A catalogue with every kind of key; the real one is in stats/. */
static const struct query_key describe_keys[] = {
    {.name = "variables", .kind = KEY_VARIABLES, .required = true, .n_min = 1, .n_max = 8}};
static const struct query_key table1_keys[] = {
    {.name = "variables", .kind = KEY_VARIABLES, .required = true, .n_min = 1, .n_max = 8},
    {.name = "smd", .kind = KEY_FLAG},
    {.name = "p", .kind = KEY_FLAG}};
static const struct query_key quantile_keys[] = {
    {.name = "variable", .kind = KEY_VARIABLE, .required = true},
    {.name = "probs", .kind = KEY_NUMBERS, .required = true, .min = 0, .max = 1, .n_min = 1, .n_max = 3}};
static const struct query_key histogram_keys[] = {
    {.name = "variable", .kind = KEY_VARIABLE, .required = true},
    {.name = "breaks", .kind = KEY_NUMBERS, .min = -1e6, .max = 1e6},
    {.name = "width", .kind = KEY_NUMBER, .min = 0, .max = 1e6}};
static const struct query_key crosstab_keys[] = {
    {.name = "variables", .kind = KEY_VARIABLES, .required = true, .n_min = 2, .n_max = 4}};
static const struct query_key glm_keys[] = {
    {.name = "formula", .kind = KEY_FORMULA, .required = true},
    {.name = "family", .kind = KEY_CHOICE, .choices = "gaussian|binomial|poisson", .required = true}};
static const struct query_key km_keys[] = {
    {.name = "formula", .kind = KEY_FORMULA, .required = true},
    {.name = "conf_type", .kind = KEY_CHOICE, .choices = "log|log-log|plain"},
    {.name = "tau", .kind = KEY_NUMBER, .min = 0, .max = 1e6, .fallback = -1},
    {.name = "reverse", .kind = KEY_FLAG}};
static const struct query_key logrank_keys[] = {{.name = "formula", .kind = KEY_FORMULA, .required = true},
                                                {.name = "rho", .kind = KEY_NUMBER, .min = 0, .max = 1},
                                                {.name = "trend", .kind = KEY_FLAG}};
static const struct query_key cox_keys[] = {
    {.name = "formula", .kind = KEY_FORMULA, .required = true},
    {.name = "ties", .kind = KEY_CHOICE, .choices = "efron|breslow"},
    {.name = "robust", .kind = KEY_FLAG, .fallback = 1},
    {.name = "zph", .kind = KEY_FLAG_OR_CHOICES, .choices = "km|identity"},
    {.name = "baseline", .kind = KEY_FLAG}};
static const struct query_key meta_keys[] = {
    {.name = "model", .kind = KEY_MODEL, .required = true, .choices = "glm|cox"},
    {.name = "term", .kind = KEY_TEXT}};

#define KEYS(list) .keys = list, .n_keys = sizeof list / sizeof *list
static const struct query_method methods[] = {
    {.name = "count", .takes_by = true},
    {.name = "describe", KEYS(describe_keys), .takes_by = true, .takes_weights = true},
    {.name = "quantile", KEYS(quantile_keys), .takes_by = true},
    {.name = "histogram", KEYS(histogram_keys), .takes_by = true},
    {.name = "crosstab", KEYS(crosstab_keys)},
    {.name = "table1", KEYS(table1_keys), .takes_by = true},
    {.name = "glm", KEYS(glm_keys), .takes_weights = true, .is_model = true},
    {.name = "km", KEYS(km_keys), .takes_weights = true, .takes_landmark = true, .is_model = true},
    {.name = "logrank", KEYS(logrank_keys), .is_model = true},
    {.name = "cox", KEYS(cox_keys), .takes_weights = true, .takes_landmark = true, .is_model = true},
    {.name = "meta", KEYS(meta_keys), .is_model = true}};
enum { N_METHODS = sizeof methods / sizeof *methods };

static const char dictionary_text[] =
    "dictionary: t\nversion: 1\nkey: pid\nvariables:\n"
    "  - { name: age, type: integer, min: 0, max: 120 }\n"
    "  - { name: year, type: integer, min: 1970, max: 2000 }\n"
    "  - { name: size, type: category, levels: [\"<=20\", \"20-50\", \">50\"] }\n"
    "  - { name: nodes, type: integer, min: 0, max: 60 }\n"
    "  - { name: pgr, type: real, min: -1, max: 6000, resolution: 1 }\n"
    "  - { name: w, type: real, min: 0, max: 10, resolution: 0.01 }\n"
    "  - { name: chemo, type: boolean }\n"
    "  - { name: dtime, type: duration, units: days, min: 0, max: 9000 }\n"
    "  - { name: death, type: boolean }\n";

#define HEAD                                                                                                 \
    "study: first\ndictionary: t@1\npurpose: research\nlegal_basis: MR-004\nexpires: 2027-12-31\ngrid: "     \
    "month\n"

static int setup(void **state)
{
    fixture_open(state, dictionary_text);
    return 0;
}

static enum maille_code parse(struct fixture *f, const struct study **study, const char *text,
                              struct maille_error *error)
{
    return study_parse(study, f->arena, f->dictionary, methods, N_METHODS, "s.yaml", text, strlen(text),
                       error);
}

static const struct study *parsed(struct fixture *f, const char *text)
{
    struct maille_error error = {0};
    const struct study *study = NULL;
    assert_ok(parse(f, &study, text, &error), &error);
    return study;
}

static void a_whole_study(void **state)
{
    struct fixture *f = *state;
    static const char text[] =
        "study: rotterdam-first-look\ndictionary: t@1\ntitle: Survival after cancer\npurpose: research\n"
        "legal_basis: MR-004 # in every log entry\nprotocol: HDH-0000\nexpires: 2027-12-31\nsites: [lyon, "
        "paris-1]\n"
        "cohort: age >= 18 && year >= 1980\ngrid: quarter\nmissing: study\n"
        "derive:\n"
        "  node_group: cut(nodes, c(-Inf, 1, 4, 10, Inf), right = FALSE)\n"
        "  many: node_group == \"[10, Inf)\" && age < 50\n"
        "analyses:\n"
        "  - { id: n, method: count, by: [size, many] }\n"
        "  - { id: t1, method: describe, variables: [age, size, node_group], by: chemo, weights: w }\n"
        "  - { id: q, method: quantile, variable: age, probs: [0.25, 0.5, 0.75], cohort: chemo, conf_level: "
        "0.9 }\n"
        "  - { id: km_1, method: km, formula: \"Surv(dtime, death) ~ chemo\", conf_type: log-log, reverse: "
        "true }\n"
        "  - { id: cox, method: cox, formula: \"Surv(dtime, death) ~ age + size + many\", zph: [identity] }\n"
        "  - { id: lm, method: glm, family: poisson, formula: \"nodes ~ age\" }\n"
        "  - { id: ps, method: cox, formula: \"Surv(dtime, death) ~ chemo\",\n"
        "      weights: { iptw: \"chemo ~ age + size\", estimand: ate, stabilised: true, truncate: [0.01, "
        "0.99] } }\n"
        "  - { id: z, method: cox, formula: \"Surv(dtime, death) ~ chemo\", zph: true, robust: false }\n"
        "  - { id: m, method: meta, model: { method: glm, formula: \"death ~ age\", family: binomial },\n"
        "      term: \"log(nodes + 1)\" }\n";
    const struct study *s = parsed(f, text);
    assert_string_equal(s->id, "rotterdam-first-look");
    assert_string_equal(s->dictionary_name, "t");
    assert_int_equal(s->dictionary_version, 1);
    assert_string_equal(s->title, "Survival after cancer");
    assert_string_equal(s->legal_basis, "MR-004");
    assert_string_equal(s->protocol, "HDH-0000");
    int32_t day = 0;
    assert_true(number_parse_date("2027-12-31", 10, &day));
    assert_int_equal(s->expires, day);
    assert_false(s->all_sites);
    assert_int_equal(s->n_sites, 2);
    assert_string_equal(s->sites[1], "paris-1");
    assert_int_equal(s->grid, GRID_QUARTER);
    assert_int_equal(s->missing, MISSING_STUDY);
    assert_int_equal(s->n_derived, 2);
    assert_int_equal(s->n_analyses, 9);
    assert_int_equal(s->text_length, strlen(text));
    assert_memory_equal(s->text, text, strlen(text));
    assert_string_equal(s->file, "s.yaml");

    const struct analysis *a = &s->analyses[0];
    assert_int_equal(a->n_by, 2);
    assert_string_equal(a->by_names[1], "many");
    assert_int_equal(a->by[1]->op, OP_BOOLEAN_CODE);
    assert_int_equal(a->line, 16);
    assert_ptr_equal(a->study, s);
    a = &s->analyses[1];
    const struct query_value *v = analysis_value(a, "variables");
    assert_true(v->present);
    assert_int_equal(v->n, 3);
    assert_string_equal(v->names[2], "node_group");
    assert_int_equal(v->expressions[2]->n_levels, 4);
    assert_string_equal(a->weights_name, "w");
    assert_true(a->conf_level == 0.95);
    a = &s->analyses[2];
    assert_int_equal(a->index, 2);
    assert_int_equal(a->cohort->op, OP_AND);
    assert_ptr_equal(a->cohort->args[0], s->analyses[0].cohort);
    assert_int_equal(a->cohort->args[1]->op, OP_VARIABLE);
    assert_true(a->conf_level == 0.9);
    assert_true(analysis_value(a, "probs")->numbers[1] == 0.5);
    a = &s->analyses[3];
    assert_int_equal(analysis_value(a, "conf_type")->choice, 1);
    assert_true(analysis_flag(a, "reverse"));
    assert_true(analysis_number(a, "tau") == -1);
    assert_false(analysis_value(a, "tau")->present);
    a = &s->analyses[4];
    assert_int_equal(analysis_value(a, "zph")->choice, 2);
    assert_int_equal(analysis_value(a, "ties")->choice, 0);
    assert_true(analysis_flag(a, "robust"));
    assert_int_equal(analysis_value(a, "formula")->formula->n_terms, 3);
    assert_int_equal(analysis_value(&s->analyses[5], "family")->choice, 2);
    assert_non_null(s->analyses[6].propensity);
    assert_true(s->analyses[6].propensity->stabilised && !s->analyses[6].propensity->att);
    assert_true(s->analyses[6].propensity->truncated && s->analyses[6].propensity->high == 0.99);
    assert_int_equal(s->analyses[6].propensity->formula->n_terms, 2);
    assert_null(s->analyses[6].weights);
    assert_int_equal(analysis_value(&s->analyses[7], "zph")->choice, 1);
    assert_false(analysis_flag(&s->analyses[7], "robust"));
    assert_string_equal(analysis_value(&s->analyses[8], "model")->model->method, "glm");
    assert_int_equal(analysis_value(analysis_value(&s->analyses[8], "model")->model, "family")->choice, 1);
    assert_string_equal(analysis_value(&s->analyses[8], "term")->names[0], "log(nodes + 1)");
}

static void defaults(void **state)
{
    struct fixture *f = *state;
    const struct study *s =
        parsed(f, "study: x\ndictionary: t@1\npurpose: p\nlegal_basis: l\nexpires: 2030-01-01\n"
                  "analyses:\n  - { id: n, method: count }\n");
    assert_true(s->all_sites);
    assert_int_equal(s->n_sites, 0);
    assert_int_equal(s->grid, GRID_MONTH);
    assert_int_equal(s->missing, MISSING_ANALYSIS);
    assert_string_equal(s->title, "");
    assert_null(s->analyses[0].cohort);
    assert_int_equal(s->analyses[0].n_by, 0);
    assert_true(parsed(f, HEAD "sites: all\nanalyses: [{ id: n, method: count }]\n")->all_sites);
}

/* It is the same question as the condition and the time written out, to a byte. */
static void a_landmark(void **state)
{
    struct fixture *f = *state;
    const struct study *s = parsed(
        f, HEAD "cohort: age >= 18\nanalyses:\n"
                "  - { id: l, method: km, formula: \"Surv(dtime, death) ~ chemo\", landmark: 365 }\n"
                "  - { id: w, method: km, formula: \"Surv(pmax(dtime - 365, 0), death) ~ chemo\", cohort: "
                "dtime > 365 }\n");
    const struct analysis *a = &s->analyses[0];
    const struct formula *formula = analysis_value(a, "formula")->formula;
    struct bytes own = {0}, written = {0};
    struct time_axis axis;
    struct maille_error error = {0};
    assert_true(formula->stop->low == 0 && formula->stop->high == 9000 - 365);
    assert_int_equal(formula->written->op, OP_VARIABLE);
    assert_string_equal(formula->units, "days");
    assert_ok(analysis_time_axis(&axis, a, formula, &error), &error);
    assert_true(axis.has_unit && axis.width == 30.4375);
    assert_string_equal(analysis_value(&s->analyses[1], "formula")->formula->units,
                        "days"); /* the grid holds */
    analysis_serialise(&own, f->arena, a);
    analysis_serialise(&written, f->arena, &s->analyses[1]);
    assert_int_equal(own.length, written.length);
    assert_memory_equal(own.data, written.data, own.length);
    bytes_clear(&own);
    bytes_clear(&written);
}

static void bad_studies_are_refused(void **state)
{
    struct fixture *f = *state;
#define ONE(analysis) HEAD "analyses:\n  - { " analysis " }\n"
#define DERIVE(lines) HEAD "derive:\n" lines "analyses: [{ id: n, method: count }]\n"
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        {"x\n", "s.yaml:1:1: expected a study"},
        {"dictionary: t@1\n", "s.yaml:1:1: expected the key `study`"},
        {"study: x\n", "s.yaml:1:1: expected the key `dictionary`"},
        {"study: a b\n", "s.yaml:1:8: expected the name of the study of 1 to 64 letters"},
        {"study: x\ndictionary: t\n",
         "s.yaml:2:13: expected the dictionary as name@version, e.g. rotterdam@1, found `t`"},
        {"study: x\ndictionary: t@one\n", "expected the dictionary as name@version"},
        {"study: x\ndictionary: t@2\n", "s.yaml:2:13: expected the network's dictionary t@1, found t@2"},
        {"study: x\ndictionary: other@1\n", "expected the network's dictionary t@1, found other@1"},
        {"study: x\ndictionary: t@1\n", "expected the key `purpose`"},
        {"study: x\ndictionary: t@1\npurpose: p\n", "expected the key `legal_basis`"},
        {"study: x\ndictionary: t@1\npurpose: \"\"\n",
         "s.yaml:3:10: expected `purpose` as one line of 1 to 500"},
        {"study: x\ndictionary: t@1\npurpose: p\nlegal_basis: l\n", "expected the key `expires`"},
        {"study: x\ndictionary: t@1\npurpose: p\nlegal_basis: l\nexpires: soon\n",
         "s.yaml:5:10: expected `expires` as a date YYYY-MM-DD, found `soon`"},
        {HEAD, "expected the key `analyses`"},
        {HEAD "analises: []\n",
         "s.yaml:7:1: expected a known key, found `analises`; did you mean `analyses`?"},
        {HEAD "sites: some\n", "s.yaml:7:8: expected `sites` as all, or as a list"},
        {HEAD "sites: []\n", "expected `sites` as all"},
        {HEAD "sites: [a, b, a]\n", "s.yaml:7:15: expected each site once, found `a` again"},
        {HEAD "sites: [a, \"b c\"]\n", "s.yaml:7:12: expected the name of a site"},
        {HEAD "missing: never\n", "s.yaml:7:10: expected `missing` to be analysis or study, found `never`"},
        {"study: x\ndictionary: t@1\npurpose: p\nlegal_basis: l\nexpires: 2030-01-01\ngrid: hour\n",
         "s.yaml:6:7: expected `grid` to be one of day, week, month, quarter, year, found `hour`"},
        {HEAD "cohort: age >= eighteen\n", "s.yaml:7:16: expected a variable"},
        {HEAD "cohort: \"age >= eighteen\"\n", "s.yaml:7:17: expected a variable"},
        {HEAD "cohort: |\n  age >= 18\n  && agee\n", "s.yaml:9:6: expected a variable"},
        {HEAD "cohort: age\n", "s.yaml:7:9: expected a condition as the cohort, found a number"},
        {HEAD "cohort: size\n", "expected a condition as the cohort, found a category"},
        {HEAD "cohort: [age]\n", "s.yaml:7:9: expected a text, found a list"},
        {HEAD "derive: age\n", "s.yaml:7:9: expected `derive` as at most 512 lines"},
        {DERIVE("  age: year + 1\n"),
         "s.yaml:8:3: expected a new name, found `age`, which the dictionary has"},
        {DERIVE("  pid: year + 1\n"), "expected a new name, found `pid`"},
        {DERIVE("  site: year + 1\n"), "s.yaml:8:3: expected a name of letters"},
        {DERIVE("  a-b: year + 1\n"), "expected a name of letters"},
        {DERIVE("  x: z + 1\n  z: year\n"),
         "s.yaml:8:6: expected a variable of the dictionary `t`, found `z`"},
        {DERIVE("  x: age >\n"), "s.yaml:8:11: expected a name"},
        {HEAD "analyses: []\n", "s.yaml:7:11: expected `analyses` as a list of 1 to 256"},
        {HEAD "analyses: [x]\n", "s.yaml:7:12: expected an analysis as"},
        {ONE("method: count"), "s.yaml:8:5: expected the `id` of the analysis"},
        {ONE("id: a.b, method: count"), "s.yaml:8:11: expected an id of 1 to 40 letters"},
        {ONE("id: x"), "s.yaml:8:5: expected the `method` of the analysis `x`"},
        {ONE("id: x, method: count, landmark: 30"),
         "s.yaml:8:39: expected no `landmark` in an analysis by count"},
        {ONE("id: x, method: km, formula: \"Surv(dtime, death) ~ 1\", landmark: 0"),
         "expected `landmark` above 0, found 0"},
        {ONE("id: x, method: km, formula: \"Surv(dtime, death) ~ 1\", landmark: 9000"),
         "expected a landmark before the latest time that there can be, 9000, found 9000"},
        {ONE("id: x, method: km, formula: \"Surv(dtime, dtime, death) ~ 1\", landmark: 30"),
         "expected Surv(time, event) beside `landmark`, found a start"},
        {ONE("id: x, method: cox, formula: \"nodes ~ age\", landmark: 30"),
         "expected Surv(time, event) in the formula beside `landmark`"},
        {ONE("id: x, method: coks"), "s.yaml:8:22: expected a method, found `coks`; did you mean `cox`?"},
        {ONE("id: x, method: forest"), "expected one of the methods count, describe"},
        {ONE("id: x, method: count, id: y"), "expected each key once, found `id` again"},
        {HEAD "analyses:\n  - { id: x, method: count }\n  - { id: x, method: count }\n",
         "s.yaml:9:11: expected each id once, found `x` again (first on line 8)"},
        {ONE("id: x, method: count, variables: [age]"), "s.yaml:8:29: expected one of the keys id, method"},
        {ONE("id: x, method: describe, variable: [age]"), "did you mean `variables`?"},
        {ONE("id: x, method: describe"),
         "s.yaml:8:5: expected the key `variables` in an analysis by describe"},
        {ONE("id: x, method: describe, variables: age"),
         "s.yaml:8:43: expected `variables` as a list in brackets"},
        {ONE("id: x, method: describe, variables: []"), "expected 1 to 8 in `variables`, found 0"},
        {ONE("id: x, method: crosstab, variables: [age]"),
         "s.yaml:8:43: expected 2 to 4 in `variables`, found 1"},
        {ONE("id: x, method: describe, variables: [age, agee]"),
         "s.yaml:8:49: expected a variable of the dictionary"},
        {ONE("id: x, method: describe, variables: [age, age]"), "expected each variable of `variables` once"},
        {ONE("id: x, method: describe, variables: [age + 1]"),
         "expected the name of a variable, found `age + 1`"},
        {ONE("id: x, method: describe, variables: [site]"), "it is legal only inside strata() and cluster()"},
        {ONE("id: x, method: describe, variables: [pid]"), "found the key `pid`"},
        {ONE("id: x, method: describe, variables: [age], by: site"),
         "s.yaml:8:54: expected a variable in `by`, found `site`"},
        {ONE("id: x, method: count, by: pgr"),
         "s.yaml:8:33: expected a category, a boolean or a whole number"},
        {ONE("id: x, method: count, by: [chemo, chemo]"), "expected each variable of `by` once"},
        {ONE("id: x, method: count, by: [size, chemo, death, age, nodes]"), "a list of 1 to 4 variables"},
        {ONE("id: x, method: crosstab, variables: [size, chemo], by: death"),
         "expected no `by` in an analysis by crosstab"},
        {ONE("id: x, method: count, weights: w"),
         "s.yaml:8:38: expected no `weights` in an analysis by count"},
        {ONE("id: x, method: describe, variables: [age], weights: size"),
         "expected a number as `weights`, found the category"},
        {ONE("id: x, method: describe, variables: [age], weights: pgr"),
         "expected weights from 0 up, found that `pgr` can be -1"},
        {ONE("id: x, method: describe, variables: [age], weights: { ipw: \"chemo ~ age\" }"),
         "did you mean `iptw`?"},
        {ONE("id: x, method: describe, variables: [age], weights: { estimand: ate }"), "expected `iptw:"},
        {ONE("id: x, method: describe, variables: [age], weights: { iptw: \"chemo ~ nobody\" }"), "nobody"},
        {ONE("id: x, method: describe, variables: [age], weights: { iptw: \"chemo ~ age\", estimand: atc }"),
         "ate or att, found `atc`"},
        {ONE("id: x, method: describe, variables: [age], weights: { iptw: \"chemo ~ age\", truncate: [0.9] "
             "}"),
         "two quantiles"},
        {ONE("id: x, method: describe, variables: [age], weights: { iptw: \"chemo ~ age\", truncate: [0.9, "
             "0.1] }"),
         "to ascend"},
        {ONE("id: x, method: describe, variables: [age], weights: { iptw: \"chemo ~ age\", estimand: att, "
             "stabilised: true }"),
         "estimand ate"},
        {ONE("id: x, method: count, conf_level: 1"), "s.yaml:8:41: expected `conf_level` between 0 and 1"},
        {ONE("id: x, method: count, conf_level: 95"), "expected a number from 0 to 1, found 95"},
        {ONE("id: x, method: count, cohort: nodes"), "s.yaml:8:37: expected a condition as the cohort"},
        {ONE("id: x, method: quantile, variable: age, probs: [0.5, 2]"),
         "s.yaml:8:60: expected a number from 0 to 1, found 2"},
        {ONE("id: x, method: quantile, variable: age, probs: [a]"), "expected a number, found a"},
        {ONE("id: x, method: quantile, variable: [age], probs: [0.5]"), "expected a text, found a list"},
        {ONE("id: x, method: glm, formula: \"age ~ year\", family: gamma"),
         "s.yaml:8:58: expected `family` to be one of gaussian|binomial|poisson, found `gamma`"},
        {ONE("id: x, method: glm, formula: \"age ~ year\", family: \"\""), "expected `family` to be one of"},
        {ONE("id: x, method: glm, formula: \"age ~ yaer\", family: poisson"),
         "s.yaml:8:43: expected a variable of the dictionary `t`, found `yaer`; did you mean `year`?"},
        {ONE("id: x, method: glm, formula: \"age ~ site\", family: poisson"), "it is legal only inside"},
        {ONE("id: x, method: km, formula: \"Surv(dtime, death) ~ 1\", reverse: yes"),
         "expected true or false, found yes"},
        {ONE("id: x, method: cox, formula: \"Surv(dtime, death) ~ age\", zph: maybe"),
         "expected `zph` to be true, false or a list of km|identity"},
        {ONE("id: x, method: cox, formula: \"Surv(dtime, death) ~ age\", zph: [log]"),
         "expected `zph` to be one of km|identity, found `log`"},
        {ONE("id: x, method: meta, model: glm"), "expected `model` as a map"},
        {ONE("id: x, method: meta, model: { formula: age ~ size }"), "expected `model` as a map `{ method: "},
        {ONE("id: x, method: meta, model: { method: km, formula: age ~ size }"),
         "expected `method` to be one of glm|cox"},
        {ONE("id: x, method: meta, model: { method: glm }"),
         "expected the key `formula` in an analysis by glm"},
        {ONE("id: x, method: meta, model: { method: cox, formula: age ~ size, family: x }"), "expected"},
        {ONE("id: x, method: meta, model: { method: cox, formula: age ~ size }, term: [age]"),
         "expected a text"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct maille_error error = {0};
        const struct study *study = NULL;
        enum maille_code code = parse(f, &study, cases[i].text, &error);
        if (code != MAILLE_INVALID || strstr(error.sentence, cases[i].sentence) == NULL)
            fail_msg("expected \"%s\" in \"%s\" of\n%s", cases[i].sentence, error.sentence, cases[i].text);
        assert_null(study);
    }
}

/* The valid study, cut anywhere and with any one byte changed, is read or refused; nothing crashes (with ASan
 * too). */
static void damaged_studies_end_in_a_sentence(void **state)
{
    (void)state;
    static const char text[] =
        HEAD "cohort: age >= 18 && size in {\"<=20\"}\nderive: { g: \"cut(nodes, c(1, 4))\" }\n"
             "analyses:\n  - { id: x, method: cox, formula: \"Surv(dtime, death) ~ age*size + g + I(age^2) + "
             "strata(site)\", by: chemo, zph: [km], weights: { iptw: \"chemo ~ age\" } }\n";
    static const char bytes[] = {'\0', '\n', '"', '{', ']', '(', '-', '~', '&', ' ', '9', (char)0xff};
    for (size_t i = 0; i < strlen(text); i++) {
        for (size_t k = 0; k <= sizeof bytes; k++) {
            struct fixture *f = NULL;
            struct maille_error error = {0};
            const struct study *study = NULL;
            char copy[sizeof text];
            size_t length = k == 0 ? i : strlen(text);
            memcpy(copy, text, sizeof text);
            if (k > 0)
                copy[i] = bytes[k - 1];
            assert_int_equal(setup((void **)&f), 0);
            enum maille_code code = study_parse(&study, f->arena, f->dictionary, methods, N_METHODS, "s.yaml",
                                                copy, length, &error);
            assert_true(code == MAILLE_OK || code == MAILLE_INVALID);
            assert_true((study != NULL) == (code == MAILLE_OK));
            if (code != MAILLE_OK && strncmp(error.sentence, "s.yaml:", 7) != 0)
                fail_msg("no place in \"%s\"", error.sentence);
            teardown((void **)&f);
        }
    }
}

static void the_head_alone(void **state)
{
    struct fixture *f = *state;
    struct maille_error error = {0};
    const char *name = NULL;
    int64_t version = 0;
    static const char text[] = "study: x\ndictionary: rotterdam@12\nnonsense: true\n";
    assert_ok(study_dictionary(&name, &version, f->arena, "s.yaml", text, strlen(text), &error), &error);
    assert_string_equal(name, "rotterdam");
    assert_int_equal(version, 12);
    assert_fails(study_dictionary(&name, &version, f->arena, "s.yaml", "a: 1\n", 5, &error), MAILLE_INVALID,
                 &error, "s.yaml:1:1: expected the key `dictionary`");
    assert_fails(study_dictionary(&name, &version, f->arena, "s.yaml", "dictionary: @1\n", 15, &error),
                 MAILLE_INVALID, &error, "s.yaml:1:13: expected");
}

static void used_by_complete(const struct fixture *f, const struct expression *e, const char *expected)
{
    bool used[16] = {false};
    const char *names = "";
    assert_int_equal(e->op, OP_COMPLETE);
    expression_variables(e, used);
    for (size_t i = 0; i < f->dictionary->n_variables; i++)
        if (used[i])
            names = arena_printf(f->arena, "%s%s ", names, f->dictionary->variables[i].name);
    assert_string_equal(names, expected);
}

static void complete_rows(void **state)
{
    struct fixture *f = *state;
#define ANALYSES                                                                                             \
    "derive: { g: \"cut(nodes, c(1, 4))\" }\nanalyses:\n"                                                    \
    "  - { id: c, method: cox, formula: \"Surv(dtime, death) ~ age + strata(g)\", weights: w }\n"            \
    "  - { id: d, method: describe, variables: [year, pgr], by: chemo }\n"                                   \
    "  - { id: g, method: glm, family: binomial, formula: \"death ~ size + offset(year)\" }\n"
    const struct study *s = parsed(f, HEAD ANALYSES);
    used_by_complete(f, analysis_complete(&s->analyses[0], f->arena, NULL, 0), "age nodes w dtime death ");
    used_by_complete(f, analysis_complete(&s->analyses[1], f->arena, NULL, 0), "chemo ");
    const struct query_value *v = analysis_value(&s->analyses[1], "variables");
    used_by_complete(f, analysis_complete(&s->analyses[1], f->arena, v->expressions, v->n),
                     "year pgr chemo ");
    used_by_complete(f, analysis_complete(&s->analyses[2], f->arena, NULL, 0), "year size death ");
    s = parsed(f, HEAD "missing: study\n" ANALYSES);
    used_by_complete(f, analysis_complete(&s->analyses[0], f->arena, NULL, 0),
                     "age year size nodes w dtime death ");
    used_by_complete(f, analysis_complete(&s->analyses[2], f->arena, NULL, 0),
                     "age year size nodes w dtime death ");
    used_by_complete(f, analysis_complete(&s->analyses[1], f->arena, NULL, 0), "chemo ");
    s = parsed(
        f, HEAD
        "missing: study\nanalyses:\n"
        "  - { id: m, method: meta, model: { method: cox, formula: \"Surv(dtime, death) ~ age\" }, cohort: "
        "chemo }\n"
        "  - { id: g, method: glm, family: binomial, formula: \"death ~ size\" }\n");
    const struct query_value *model = analysis_value(&s->analyses[0], "model");
    assert_string_equal(model->model->method, "cox");
    assert_string_equal(model->model->declared->name, "cox");
    assert_ptr_equal(model->model->cohort, s->analyses[0].cohort);
    assert_int_equal(analysis_value(model->model, "ties")->choice, 0); /* defaults are the method's */
    used_by_complete(f, analysis_complete(model->model, f->arena, NULL, 0), "age size dtime death ");
    used_by_complete(f, analysis_complete(&s->analyses[1], f->arena, NULL, 0), "age size dtime death ");
    s = parsed(f, HEAD "analyses: [{ id: n, method: count }]\n");
    assert_int_equal(analysis_complete(&s->analyses[0], f->arena, NULL, 0)->n_args, 0);
}

static const char times_text[] =
    "dictionary: t\nversion: 1\nkey: pid\nvariables:\n"
    "  - { name: d, type: duration, units: days, min: 0, max: 900 }\n"
    "  - { name: coarse, type: duration, units: days, min: 0, max: 900, resolution: 30 }\n"
    "  - { name: fine, type: duration, units: days, min: 0, max: 900, resolution: 0.5 }\n"
    "  - { name: w, type: duration, units: weeks, min: 0, max: 90 }\n"
    "  - { name: m, type: duration, units: months, min: 0, max: 90, resolution: 0.1 }\n"
    "  - { name: y, type: duration, units: years, min: 0, max: 9, resolution: 0.01 }\n"
    "  - { name: r, type: real, min: 0, max: 9, resolution: 0.01 }\n"
    "  - { name: e, type: boolean }\n";

static struct time_axis axis_of(const char *grid, const char *surv)
{
    struct maille_error error = {0};
    const struct dictionary *dictionary = NULL;
    const struct study *study = NULL;
    struct time_axis axis = {0};
    char text[512];
    struct arena *arena = arena_new();
    assert_ok(dictionary_parse(&dictionary, arena, "d.yaml", times_text, strlen(times_text), &error), &error);
    snprintf(text, sizeof text,
             "study: first\ndictionary: t@1\npurpose: research\nlegal_basis: MR-004\nexpires: "
             "2027-12-31\ngrid: %s\n"
             "analyses:\n  - { id: k, method: km, formula: \"Surv(%s, e) ~ 1\" }\n",
             grid, surv);
    assert_ok(
        study_parse(&study, arena, dictionary, methods, N_METHODS, "s.yaml", text, strlen(text), &error),
        &error);
    const struct analysis *a = &study->analyses[0];
    assert_ok(analysis_time_axis(&axis, a, analysis_value(a, "formula")->formula, &error), &error);
    arena_free(arena);
    return axis;
}

static void times_on_the_grid(void **state)
{
    static const struct {
        const char *grid, *surv;
        double lattice, per_bin, days;
        bool has_unit;
    } axes[] = {
        {"day", "d", 1, 1, 1, true},
        {"week", "d", 1, 7, 7, true},
        {"month", "d", 1, 30.4375, 30.4375, true},
        {"quarter", "d", 1, 91.3125, 91.3125, true},
        {"year", "d", 1, 365.25, 365.25, true},
        {"month", "m", 0.1, 10, 30.4375, true},
        {"year", "m", 0.1, 120, 365.25, true},
        {"year", "w", 1, 365.25 / 7, 365.25, true},
        {"day", "m", 0.1, 1, 3.04375, true},   /* coarser than the grid: as it is */
        {"month", "y", 0.01, 1, 3.6525, true}, /* likewise */
        {"year", "y", 0.01, 100, 365.25, true},
        {"week", "coarse", 30, 1, 30, true},
        {"day", "fine", 0.5, 2, 1, true},
        {"day", "fine, d", 0.5, 2, 1, true}, /* entries count too */
        {"month", "d - coarse", 1, 30.4375, 30.4375, true},
        {"month", "m + m + m", 0.1, 10, 30.4375, true}, /* decimals, however often they are added */
        {"month", "d * 31", 31, 1, 1, false},           /* no unit: its own steps */
        {"month", "d / 7", 1.0 / 7, 1, 1, false},
        {"month", "y * 100", 1, 1, 3.6525, false},
        {"month", "fine * 48", 24, 1, 0.5, false}, /* half days show */
        {"month", "r", 0.01, 1, 1, false},
        {"month", "y + r", 0.01, 1, 3.6525, false},
    };
    enum grid_unit grid = GRID_DAY;
    (void)state;
    for (size_t i = 0; i < sizeof axes / sizeof *axes; i++) {
        char surv[64];
        snprintf(surv, sizeof surv, strcmp(axes[i].surv, "d - coarse") == 0 ? "%s + 900" : "%s",
                 axes[i].surv);
        struct time_axis axis = axis_of(axes[i].grid, surv);
        if (axis.has_unit != axes[i].has_unit || fabs(axis.lattice / axes[i].lattice - 1) > 1e-15 ||
            fabs(axis.per_bin / axes[i].per_bin - 1) > 1e-14 || fabs(axis.days / axes[i].days - 1) > 1e-14)
            fail_msg("%s by %s: lattice %.17g, %.17g a bin, %.17g days, unit %d", surv, axes[i].grid,
                     axis.lattice, axis.per_bin, axis.days, axis.has_unit);
    }
    assert_true(analysis_grid_parse(&grid, "quarter"));
    assert_int_equal(grid, GRID_QUARTER);
    assert_string_equal(analysis_grid_name(grid), "quarter");
    assert_false(analysis_grid_parse(&grid, "decade"));
    assert_int_equal(grid, GRID_QUARTER);
}

static void the_example_is_a_study(void **state)
{
    struct fixture *f = *state;
    struct maille_error error = {0};
    struct bytes dictionary_bytes = {0}, bytes = {0};
    const struct dictionary *d = NULL;
    const struct study *s = NULL;
    assert_ok(file_read(&dictionary_bytes, "examples/rotterdam/dictionary.yaml", 1 << 20, &error), &error);
    assert_ok(dictionary_parse(&d, f->arena, "dictionary.yaml", (const char *)dictionary_bytes.data,
                               dictionary_bytes.length, &error),
              &error);
    assert_ok(file_read(&bytes, "examples/rotterdam/study.yaml", 1 << 20, &error), &error);
    assert_ok(study_parse(&s, f->arena, d, methods, N_METHODS, "study.yaml", (const char *)bytes.data,
                          bytes.length, &error),
              &error);
    for (size_t m = 0; m < N_METHODS; m++) {
        bool shown = strcmp(methods[m].name, "meta") == 0;
        for (size_t i = 0; i < s->n_analyses; i++)
            shown = shown || strcmp(s->analyses[i].method, methods[m].name) == 0;
        if (!shown)
            fail_msg("the example shows no %s", methods[m].name);
    }
    bytes_clear(&dictionary_bytes);
    bytes_clear(&bytes);
}

/* A study that is wrong, with all that is wrong with it. */
static void read_problems(const struct fixture *f, struct study_problems *problems, const char *text,
                          struct maille_error *error)
{
    const struct study *study = NULL;
    assert_int_equal(study_parse_all(&study, problems, f->arena, f->dictionary, methods,
                                     sizeof methods / sizeof *methods, "s.yaml", text, strlen(text), error),
                     MAILLE_INVALID);
    assert_null(study);
}

/* All that is wrong is said in one go, each error once: not what follows from another. */
static void all_problems_in_one_go(void **state)
{
    struct fixture *f = *state;
    static const char text[] =
        "study: bad\ndictionary: t@1\npurpose: p\nlegal_basis: l\nexpires: 2020-12-31\n"
        "grid: fortnight\nderive:\n  old: agee > 60\n  older: old && age > 80\nanalyses:\n"
        "  - { id: a, method: km, formula: \"Surv(dtime, deth) ~ chemo\" }\n"
        "  - { id: b, method: kmm, formula: \"Surv(dtime, death) ~ chemo\" }\n"
        "  - { id: c, method: cox, formula: \"Surv(dtime, death) ~ older\", conf_level: 3, "
        "robust: maybe }\n"
        "  - { id: c, method: describe, variables: [age] }\n"
        "  - { id: d, method: describe, variables: [age], by: agee }\n";
    static const char *const expected[] = {"expected the key `title`",
                                           "s.yaml:5:10: expected `expires` in the future, found 2020-12-31",
                                           "s.yaml:6:7: expected `grid`",
                                           "s.yaml:8:8: expected a variable",
                                           "s.yaml:11:48: expected a variable",
                                           "s.yaml:12:22: expected a method",
                                           "expected a number from 0 to 1",
                                           "expected true or false",
                                           "s.yaml:15:54: expected a variable"};
    struct study_problems problems = {.today = 20000};
    struct maille_error error = {0};
    read_problems(f, &problems, text, &error);
    for (size_t i = 0; i < problems.n && i < sizeof expected / sizeof *expected; i++)
        if (strstr(problems.sentences[i], expected[i]) == NULL)
            fail_msg("expected \"%s\", found \"%s\"", expected[i], problems.sentences[i]);
    assert_int_equal(problems.n, sizeof expected / sizeof *expected);
    assert_string_equal(error.sentence, problems.sentences[0]);
}

/* A study that says what such an error says is wrong all the same. */
static void words_of_an_error_hide_none(void **state)
{
    struct fixture *f = *state;
    static const char text[] =
        "study: bad\ndictionary: t@1\ntitle: t\npurpose: p\nlegal_basis: l\nexpires: 2099-12-31\n"
        "grid: month\nmissing: which has an error of its own\nanalyses:\n"
        "  - { id: d, method: describe, variables: [age] }\n";
    struct study_problems problems = {0};
    struct maille_error error = {0};
    read_problems(f, &problems, text, &error);
    assert_int_equal(problems.n, 1);
    assert_non_null(strstr(problems.sentences[0], "expected `missing`"));
}

/* An analysis that is wrong by another's error has no formula whose times could begin at a landmark. */
static void what_follows_from_another_is_wrong_too(void **state)
{
    struct fixture *f = *state;
    static const char text[] =
        "study: bad\ndictionary: t@1\ntitle: t\npurpose: p\nlegal_basis: l\nexpires: 2099-12-31\n"
        "grid: month\nderive:\n  old: agee > 60\nanalyses:\n"
        "  - { id: d, method: cox, formula: \"Surv(dtime, death) ~ old\", landmark: 30 }\n";
    struct study_problems problems = {0};
    struct maille_error error = {0};
    read_problems(f, &problems, text, &error);
    assert_int_equal(problems.n, 1);
    assert_non_null(strstr(problems.sentences[0], "s.yaml:9:8: expected a variable"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_problems_in_one_go, setup, teardown),
        cmocka_unit_test_setup_teardown(words_of_an_error_hide_none, setup, teardown),
        cmocka_unit_test_setup_teardown(what_follows_from_another_is_wrong_too, setup, teardown),
        cmocka_unit_test_setup_teardown(a_whole_study, setup, teardown),
        cmocka_unit_test_setup_teardown(defaults, setup, teardown),
        cmocka_unit_test_setup_teardown(a_landmark, setup, teardown),
        cmocka_unit_test_setup_teardown(bad_studies_are_refused, setup, teardown),
        cmocka_unit_test(damaged_studies_end_in_a_sentence),
        cmocka_unit_test_setup_teardown(the_head_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(complete_rows, setup, teardown),
        cmocka_unit_test(times_on_the_grid),
        cmocka_unit_test_setup_teardown(the_example_is_a_study, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
