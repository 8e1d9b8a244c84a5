#include "query/formula.h"

#include <math.h>

#include "base/test.h"
#include "query/fixture.h"

static const char dictionary_text[] =
    "dictionary: t\nversion: 1\nkey: pid\nvariables:\n"
    "  - { name: a, type: integer, min: 0, max: 9 }\n"
    "  - { name: b, type: integer, min: 0, max: 9 }\n"
    "  - { name: c, type: integer, min: 0, max: 9 }\n"
    "  - { name: d, type: integer, min: 0, max: 9 }\n"
    "  - { name: y, type: integer, min: -5, max: 9 }\n"
    "  - { name: nodes, type: integer, min: 0, max: 60 }\n"
    "  - { name: pgr, type: real, min: 0, max: 6000, resolution: 1 }\n"
    "  - { name: size, type: category, levels: [\"<=20\", \"20-50\", \">50\"] }\n"
    "  - { name: status, type: category, levels: [alive, cancer, other] }\n"
    "  - { name: grade, type: integer, min: 1, max: 3 }\n"
    "  - { name: flag01, type: integer, min: 0, max: 1 }\n"
    "  - { name: chemo, type: boolean }\n"
    "  - { name: death, type: boolean }\n"
    "  - { name: dtime, type: duration, units: days, min: 0, max: 9000 }\n"
    "  - { name: entry, type: duration, units: days, min: 0, max: 9000 }\n"
    "  - { name: months, type: duration, units: months, min: 0, max: 300 }\n"
    "  - { name: dx, type: date, min: 1970-01-01, max: 2030-12-31 }\n";

static int setup(void **state)
{
    struct fixture *f = fixture_open(state, dictionary_text);
    struct maille_error error = {0};
    f->derived[0].name = "node_group";
    assert_ok(expression_parse(&f->derived[0].expression, f->arena, &f->scope,
                               "cut(nodes, c(-Inf, 1, 4, 10, Inf), right = FALSE)", &error),
              &error);
    f->derived[1].name = "dead";
    assert_ok(expression_parse(&f->derived[1].expression, f->arena, &f->scope,
                               "status in {\"cancer\", \"other\"}", &error),
              &error);
    f->scope.derived = f->derived;
    f->scope.n_derived = 2;
    return 0;
}

static const struct formula *parsed(struct fixture *f, const char *text)
{
    struct maille_error error = {0};
    const struct formula *formula = NULL;
    if (formula_parse(&formula, f->arena, &f->scope, text, &error) != MAILLE_OK)
        fail_msg("%s: %s", text, error.sentence);
    return formula;
}

/* attr(terms(…), "term.labels") and "intercept" of R 4.2.2. */
static void terms_are_those_of_R(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *text, *labels;
    } cases[] = {
        {"y ~ a*b-a", "1 | b | a:b"},
        {"y ~ a+b:a+a:b", "1 | a | a:b"},
        {"y ~ (a+b)*c", "1 | a | b | c | a:c | b:c"},
        {"y ~ a-1", "0 | a"},
        {"y ~ 0+a", "0 | a"},
        {"y ~ a+0+1", "1 | a"},
        {"y ~ a-1+1", "1 | a"},
        {"y ~ a+1-1", "0 | a"},
        {"y ~ a - 0", "1 | a"},
        {"y ~ -1 + a", "0 | a"},
        {"y ~ 1", "1"},
        {"y ~ b:a+a+b", "1 | a | b | b:a"},
        {"y ~ (a+b+c)-b", "1 | a | c"},
        {"y ~ a:(b+c)", "1 | a:b | a:c"},
        {"y ~ (a+b):(c+d)", "1 | a:c | a:d | b:c | b:d"},
        {"y ~ a*b*c-a:b:c", "1 | a | b | c | a:b | a:c | b:c"},
        {"y ~ b+a+c:b:a+b:a", "1 | b | a | b:a | b:a:c"},
        {"y ~ a:a + a + a", "1 | a"},
        {"y ~ I(a)-I(a)", "1"},
        {"y ~ a - (b + a)", "1"},
        {"y ~ log( a+1 )+I( a ^2 )+I(-a)+I((a+1)*2)+I(a*-2)",
         "1 | log(a + 1) | I(a^2) | I(-a) | I((a + 1) * 2) | I(a * -2)"},
        {"y ~ a+ I(a/2-b*3)", "1 | a | I(a/2 - b * 3)"},
        {"y~I(a^2+1.50)+ I(a-1e5)+I(a*100000)+I(a*123456)+I(a*1e-7)+I(0.1*a)+I(a*0.0001)",
         "1 | I(a^2 + 1.5) | I(a - 1e+05) | I(a * 1e+05) | I(a * 123456) | I(a * 1e-07) | I(0.1 * a) | I(a * "
         "1e-04)"},
        {"y ~ cut(nodes,c(1,4),right=F)+cut(nodes, breaks=c(1,4))+cut(nodes,c(-1,2.5))",
         "1 | cut(nodes, c(1, 4), right = F) | cut(nodes, breaks = c(1, 4)) | cut(nodes, c(-1, 2.5))"},
        {"y ~ b + factor( grade )+log(pgr + 1)*b", "1 | b | factor(grade) | log(pgr + 1) | b:log(pgr + 1)"},
        {"y ~ log(a + 1)+log( a+1 )", "1 | log(a + 1)"},
        {"y~I(-(a+b))+I(-a^2)+I((-a)^2)+ I(a-(b-c))+I(((a)))",
         "1 | I(-(a + b)) | I(-a^2) | I((-a)^2) | I(a - (b - c)) | I(((a)))"},
        {"y ~ a*size + I(a^2) + cut(nodes,c(1,4,10),right=FALSE) + chemo:a + strata(grade) + "
         "offset(log(pgr+1))",
         "1 | a | size | I(a^2) | cut(nodes, c(1, 4, 10), right = FALSE) | a:size | a:chemo"},
        {"y ~ I(a > 5) + I(size == \"20-50\")", "1 | I(a > 5) | I(size == \"20-50\")"},
        {"~ a + b", "1 | a | b"},
        {"y ~ (a + b + c)^2", "1 | a | b | c | a:b | a:c | b:c"},
        {"y ~ (a + b:c + d)^2", "1 | a | d | a:d | b:c | a:b:c | b:c:d"},
        {"y ~ (a*b + c)^3 - a:b:c", "1 | a | b | c | a:b | a:c | b:c"},
        {"y ~ a^2 + b", "1 | a | b"},
        {"y ~ poly(a,2,raw=TRUE) + relevel(size, ref = \">50\")",
         "1 | poly(a, 2, raw = TRUE) | relevel(size, ref = \">50\")"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct formula *formula = parsed(f, cases[i].text);
        const char *labels = formula->intercept ? "1" : "0";
        for (size_t t = 0; t < formula->n_terms; t++)
            labels = arena_printf(f->arena, "%s | %s", labels, formula->terms[t].label);
        assert_string_equal(labels, cases[i].labels);
    }
}

static void factors_are_typed(void **state)
{
    struct fixture *f = *state;
    const struct formula *m = parsed(f, "death ~ a + size*chemo + factor(grade) + node_group + I(a^2)");
    assert_int_equal(m->kind, RESPONSE_EXPRESSION);
    assert_int_equal(m->response->kind, EXPRESSION_BOOLEAN);
    assert_string_equal(m->response_label, "death");
    assert_int_equal(m->n_factors, 6);
    assert_int_equal(m->factors[0].expression->kind, EXPRESSION_NUMBER);
    assert_int_equal(m->factors[1].expression->kind, EXPRESSION_CODE);
    assert_int_equal(m->factors[2].expression->kind, EXPRESSION_BOOLEAN);
    assert_string_equal(m->factors[3].label, "factor(grade)");
    assert_int_equal(m->factors[3].expression->op, OP_CODE_OF);
    assert_string_equal(m->factors[3].expression->levels[2], "3");
    assert_string_equal(m->factors[4].label, "node_group");
    assert_string_equal(m->factors[4].expression->levels[1], "[1,4)");
    assert_true(m->factors[5].expression->high == 81);
    assert_int_equal(m->n_terms, 7);
    assert_true(m->terms[6].factors == 6); /* size:chemo */
    assert_string_equal(m->text, "death ~ a + size*chemo + factor(grade) + node_group + I(a^2)");

    m = parsed(f, "I(y > 3) ~ a + offset(log(pgr + 1)) + offset(b)");
    assert_string_equal(m->response_label, "I(y > 3)");
    assert_int_equal(m->offset->op, OP_ADD);
    assert_int_equal(m->n_factors, 1);
    m = parsed(f, "~ 1");
    assert_int_equal(m->kind, RESPONSE_NONE);
    assert_null(m->offset);
}

static void survival_responses(void **state)
{
    struct fixture *f = *state;
    const struct formula *m =
        parsed(f, "Surv(dtime, death) ~ chemo + strata(size, grade) + strata(size) + cluster(grade)");
    assert_int_equal(m->kind, RESPONSE_SURVIVAL);
    assert_null(m->start);
    assert_null(m->response);
    assert_string_equal(m->units, "days");
    assert_string_equal(m->response_label, "Surv(dtime, death)");
    assert_int_equal(m->event->kind, EXPRESSION_BOOLEAN);
    assert_int_equal(m->n_terms, 1);
    assert_int_equal(m->n_strata, 2);
    assert_string_equal(m->strata[1].label, "grade");
    assert_int_equal(m->strata[1].expression->kind, EXPRESSION_CODE);
    assert_false(m->strata_site);
    assert_true(m->has_cluster);
    assert_false(m->cluster_site);
    assert_int_equal(m->cluster.expression->n_levels, 3);
    const struct expression *list[FORMULA_FACTORS_MAX + 16];
    assert_int_equal(formula_expressions(m, list), 6);
    bool used[32] = {false};
    size_t n = 0;
    formula_variables(m, used);
    for (size_t i = 0; i < f->dictionary->n_variables; i++)
        n += used[i];
    assert_int_equal(n, 5);

    m = parsed(f, "Surv(entry, dtime, status) ~ 1 + strata(site) + cluster(site)");
    assert_non_null(m->start);
    assert_int_equal(m->event->kind, EXPRESSION_CODE);
    assert_string_equal(m->event->levels[0], "alive");
    assert_true(m->strata_site && m->cluster_site && m->has_cluster);
    assert_int_equal(m->n_strata, 0);
    assert_null(m->cluster.expression);
    m = parsed(f, "Surv(entry, dtime, death) ~ chemo + cluster(patient)"); /* neither is a variable */
    assert_true(m->has_cluster && m->cluster_patient && m->cluster.expression == NULL);
    m = parsed(f, "Surv(entry, dtime, death) ~ chemo + cluster(pid)");
    assert_true(m->has_cluster && m->cluster_patient && m->cluster.expression == NULL);

    assert_int_equal(parsed(f, "Surv(months, dead) ~ chemo")->event->op, OP_IN_LEVELS);
    assert_string_equal(parsed(f, "Surv(months, dead) ~ chemo")->units, "months");
    assert_int_equal(parsed(f, "Surv(dtime, status == \"cancer\") ~ 1")->event->kind, EXPRESSION_BOOLEAN);
    assert_int_equal(parsed(f, "Surv(dtime, death == 1) ~ 1")->event->op, OP_VARIABLE);
    assert_int_equal(parsed(f, "Surv(dtime, grade == 3) ~ 1")->event->op, OP_EQ);
    assert_int_equal(parsed(f, "Surv(dtime, flag01) ~ 1")->event->op, OP_EQ);
    assert_string_equal(parsed(f, "Surv(dtime / 30, death) ~ 1")->units, "");
    assert_string_equal(parsed(f, "Surv(dtime + 1, death) ~ 1")->units, "days");
}

/* The few operations that a spline is built of, as tally/ does them. */
static double value_of(const struct expression *e, double x)
{
    double a = e->n_args > 0 ? value_of(e->args[0], x) : 0, b = e->n_args > 1 ? value_of(e->args[1], x) : 0;
    switch (e->op) {
    case OP_VARIABLE:
        return x;
    case OP_CONSTANT:
        return e->value;
    case OP_SUBTRACT:
        return a - b;
    case OP_DIVIDE:
        return a / b;
    case OP_MIN:
        return fmin(a, b);
    case OP_MAX:
        return fmax(a, b);
    case OP_POWER:
        assert_true(e->integer == 2 || e->integer == 3);
        return e->integer == 2 ? a * a : a * a * a;
    case OP_LINEAR: {
        double sum = 0;
        for (size_t i = 0; i < e->n_args; i++)
            sum += e->table[i] * value_of(e->args[i], x);
        return sum + e->table[e->n_args];
    }
    default:
        fail_msg("an operation that no spline has: %d", (int)e->op);
        return 0;
    }
}

/* library(splines); ns(c(0, 0.5, 3, 7.5, 20, 33, 40, 41, 60), knots = …, Boundary.knots = c(0, 40)) of
 * R 4.2.2 */
static void splines_are_those_of_R(void **state)
{
    struct fixture *f = *state;
    static const double xs[] = {0, 0.5, 3, 7.5, 20, 33, 40, 41, 60};
    static const struct {
        const char *text;
        size_t n;
        double values[9][6];
    } cases[] = {
        {"y ~ ns(nodes, knots = c(3, 10), Boundary.knots = c(0, 40))",
         3,
         {
             {0, 0, 0},
             {-0.040787930344059094, 0.091325683323954202, -0.050433586313228446},
             {-0.1940536165258373, 0.48363641024103671, -0.26708279371519938},
             {-0.068503586337248901, 0.66449894417120725, -0.36171085011195064},
             {0.42793312863175736, 0.40164003674643245, -0.0097533455583700551},
             {0.14472396464504364, 0.34922984232276577, 0.49832096780696522},
             {-0.16424977804084051, 0.36682450429121044, 0.79742527374963001},
             {-0.21041728321988759, 0.36993193252441559, 0.84048535069547203},
             {-1.0875998816217818, 0.42897306895531262, 1.6586268126664692},
         }},
        {"y ~ ns(nodes, knots = 5, Boundary.knots = c(0, 40))",
         2,
         {
             {0, 0},
             {0.027038113200014719, -0.014411993706674519},
             {0.15889254224096888, -0.082942689195183411},
             {0.35446298757888051, -0.16211240289921244},
             {0.55564040815898252, -0.020151074827647886},
             {0.40675445255052306, 0.50633095863972089},
             {0.25795598867924679, 0.86242347270440167},
             {0.23580942874663266, 0.91423497133512921},
             {-0.18497520997303663, 1.898653445318953},
         }},
        {"y ~ ns(nodes, knots = c(1, 2, 4, 8, 20), Boundary.knots = c(0, 40))",
         6,
         {
             {0, 0, 0, 0, 0, 0},
             {0.015625, 0, 0, -0.13688951475639849, 0.35591273836663612, -0.2190232236102376},
             {0.6607142857142857, 0.29298941798941797, 0.0046296296296296294, -0.01230467548372121,
              0.031992156257675153, -0.019687480773953939},
             {0.00074404761904761901, 0.56396226025132279, 0.41668475115740744, 0.01680574901754953,
              0.004688299082149008, -0.0028851071274763125},
             {0, 0, 0.34722222222222221, 0.49795434969853575, 0.17754091300602926, -0.022717484926787233},
             {0, 0, 0.01488715277777778, 0.24793651754952628, 0.33986158214900947, 0.3973147475236864},
             {0, 0, 0, -0.1550387596899224, 0.40310077519379833, 0.75193798449612415},
             {0, 0, 0, -0.21608527131782937, 0.41182170542635643, 0.80426356589147296},
             {0, 0, 0, -1.3759689922480616, 0.57751937984496049, 1.7984496124031013},
         }},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        const struct formula *m = parsed(f, cases[c].text);
        const struct formula_factor *factor = &m->factors[0];
        assert_int_equal(m->n_factors, 1);
        assert_string_equal(m->terms[0].label, cases[c].text + strlen("y ~ "));
        assert_int_equal(factor->n_basis, cases[c].n);
        assert_int_equal(factor->expression->op, OP_VARIABLE);
        for (size_t j = 0; j < cases[c].n; j++) {
            const struct expression *e = factor->basis[j];
            for (size_t i = 0; i < 9; i++)
                if (fabs(value_of(e, xs[i]) - cases[c].values[i][j]) >
                    1e-13 * fmax(1, fabs(cases[c].values[i][j])))
                    fail_msg("%s, column %zu at %g: %.17g", cases[c].text, j + 1, xs[i], value_of(e, xs[i]));
            /* The bounds are close, and never reached: min and max change nothing. */
            double least = 1e9, most = -1e9;
            for (double x = 0; x <= 60; x += 0.01) {
                least = fmin(least, value_of(e, x));
                most = fmax(most, value_of(e, x));
            }
            assert_true(e->low < least && e->high > most);
            assert_true(e->high - e->low < 1.1 * (most - least));
        }
    }
}

static void bad_formulas_are_refused(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        {"a + b", "s.yaml:7:11: expected a formula such as y ~ a + b, found no `~`"},
        {"", "s.yaml:7:9: expected a name"},
        {"y ~", "s.yaml:7:12: expected a name, a number, a text or `(`, found the end"},
        {"y ~ a + zz", "s.yaml:7:17: expected a variable of the dictionary `t`, found `zz`"},
        {"y ~ a + chem", "did you mean `chemo`?"},
        {"y ~ node_grup", "did you mean `node_group`?"},
        {"y ~ site",
         "s.yaml:7:13: expected a variable, found `site`: it is legal only inside strata() and cluster()"},
        {"y ~ a + factor(site)", "anywhere else it would release one site's numbers"},
        {"site ~ a", "it is legal only inside strata() and cluster()"},
        {"y ~ I(site == 3)", "it is legal only inside strata() and cluster()"},
        {"y ~ pid", "found the key `pid`"},
        {"y ~ cluster(pid == 3)", "found the key `pid`"},
        {"y ~ a + 2", "s.yaml:7:17: expected a variable or 1 or 0 as a term, found the number 2"},
        {"y ~ a / b", "found `/`"},
        {"y ~ a > 3", "found `>`"},
        {"y ~ a %in% b", "found `%in%`"},
        {"y ~ \"a\"", "expected terms joined by"},
        {"y ~ !chemo", "found `!`"},
        {"y ~ .", "found `.`"},
        {"y ~ a ~ b", "found `~`"},
        {"y ~ a:1", "s.yaml:7:15: expected a variable on both sides of `:`, found `1`"},
        {"y ~ a*offset(b)", "expected a variable on both sides of `*`, found `offset(b)`"},
        {"y ~ a:strata(size)", "it stands as a term of its own"},
        {"y ~ a - strata(size)", "expected a term after `-`, found `strata(size)`"},
        {"y ~ log(size)", "s.yaml:7:17: expected a number, found the category `size`"},
        {"y ~ log(sqrt(a))", "s.yaml:7:13: expected the logarithm of something above 0"},
        {"y ~ I(size^2)", "expected a number, found the category `size`"},
        {"y ~ I(a, b)", "expected I() of one argument, found 2"},
        {"y ~ factor(pgr)",
         "s.yaml:7:20: expected a category, a boolean or a whole number of at most 1000 values"},
        {"y ~ I(ns(a))", "found ns(): it stands in formulas only, as a term of its own"},
        {"y ~ poly(degree = 2)", "expected poly(x, 2) or poly(x, 2, raw = TRUE), found no x"},
        {"y ~ poly(a, 2, raw = 3)", "found something else as raw"},
        {"y ~ poly(a, 9)", "expected a degree of poly() from 1 to 8, found `9`"},
        {"y ~ poly(a, 17, raw = TRUE)", "expected a degree of poly() from 1 to 16, found `17`"},
        {"y ~ (a + b)^a", "expected a whole power from 1 to 64 of terms, such as (a + b)^2, found `a`"},
        {"y ~ (a + b)^0", "expected a whole power"},
        {"y ~ a + y", "s.yaml:7:17: expected the response `y` on the left of ~ only"},
        {"size ~ a", "s.yaml:7:9: expected a number or a boolean as the response, found the category `size`"},
        {"Surv(dtime) ~ a",
         "s.yaml:7:9: expected Surv(time, event) or Surv(start, stop, event), found 1 arguments"},
        {"Surv(dtime, event = death) ~ a", "expected the arguments of Surv() by position, found `event =`"},
        {"Surv(size, death) ~ a",
         "s.yaml:7:14: expected a time in Surv(), a duration or a number, found a category"},
        {"Surv(chemo, death) ~ a", "found a boolean"},
        {"Surv(y, death) ~ a", "s.yaml:7:14: expected a time from 0 up in Surv(), found that `y` can be -5; "
                               "where nobody's is, write pmax(y, 0)"},
        {"Surv(dtime, grade) ~ a",
         "s.yaml:7:21: expected an event in Surv(): a boolean, a comparison such as `grade == 1`"},
        {"Surv(dtime, dx) ~ a", "found a date"},
        {"Surv(months, dtime, death) ~ a",
         "expected start and stop in the same units, found `months` and `days`"},
        {"y ~ Surv(dtime, death)", "found Surv(): it stands in formulas only"},
        {"y ~ strata()", "expected strata(…) of at least one variable"},
        {"y ~ strata(pgr)", "expected a category, a boolean or a whole number"},
        {"y ~ strata(size, shortlabel = TRUE)",
         "expected variables in strata(), found the option `shortlabel`"},
        {"y ~ cluster(size) + cluster(grade)", "expected one cluster(), found a second one"},
        {"y ~ ns(a)",
         "s.yaml:7:13: expected ns(x, df = n), or ns(x, knots = c(…), Boundary.knots = c(lo, hi)) with all "
         "three, found no knots"},
        {"y ~ ns(a, df = 1)", "expected df = a whole number from 2 to 10"},
        {"y ~ ns(a, df = 2.5)", "expected df = a whole number"},
        {"y ~ ns(a, df = 3, Boundary.knots = c(0, 9))", "found no knots"},
        {"y ~ ns(a, df = 3) + ns(pgr, df = 3)", "expected one ns(x, df = n) in a formula, found another"},
        {"y ~ ns(a, knots = c(2, 5))", "found no Boundary.knots"},
        {"y ~ ns(size, knots = 2, Boundary.knots = c(0, 9))", "expected a number, found the category `size`"},
        {"y ~ ns(a, knots = c(5, 2), Boundary.knots = c(0, 9))",
         "expected ascending knots between 0 and 9, found 2 after 5"},
        {"y ~ ns(a, knots = 9, Boundary.knots = c(0, 9))", "found 9 after 0"},
        {"y ~ ns(a, knots = 2, Boundary.knots = c(9, 0))",
         "expected Boundary.knots = c(lo, hi) with lo below hi"},
        {"y ~ ns(a, knots = 2, Boundary.knots = c(0, Inf))", "with lo below hi"},
        {"y ~ ns(a, knots = "
         "c(1,1.1,1.2,1.3,1.4,1.5,1.6,1.7,1.8,1.9,2,2.1,2.2,2.3,2.4,2.5,2.6,2.7,2.8,2.9,3), "
         "Boundary.knots = c(0, 9))",
         "expected at most 20 numbers, found 21"},
        {"y ~ log(ns(a, knots = 2, Boundary.knots = c(0, 9)))", "found ns(): it stands in formulas only"},
        {"y ~ offset(size)", "expected a number, found the category `size`"},
        {"y ~ a + (b", "expected `)` for the parenthesis of column 17"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct maille_error error = {0};
        const struct formula *formula = NULL;
        enum maille_code code = formula_parse(&formula, f->arena, &f->scope, cases[i].text, &error);
        if (code != MAILLE_INVALID || strstr(error.sentence, cases[i].sentence) == NULL)
            fail_msg("%s: expected \"%s\" in \"%s\"", cases[i].text, cases[i].sentence, error.sentence);
        assert_null(formula);
    }
}

static void limits(void **state)
{
    struct fixture *f = *state;
    struct maille_error error = {0};
    const struct formula *formula = NULL;
    char text[16384];
    /* 65 different variables of the model frame. */
    size_t n = (size_t)sprintf(text, "y ~ ");
    for (int i = 0; i <= FORMULA_FACTORS_MAX; i++)
        n += (size_t)sprintf(text + n, "%sI(a + %d)", i == 0 ? "" : " + ", i);
    assert_fails(formula_parse(&formula, f->arena, &f->scope, text, &error), MAILLE_INVALID, &error,
                 "expected at most 64 variables in a formula");
    /* 511 interactions. */
    n = (size_t)sprintf(text, "y ~ ");
    for (int i = 0; i < 9; i++)
        n += (size_t)sprintf(text + n, "%sI(a + %d)", i == 0 ? "" : " * ", i);
    assert_fails(formula_parse(&formula, f->arena, &f->scope, text, &error), MAILLE_INVALID, &error,
                 "expected at most 256 terms");
    /* Products of products, which give the same 255 terms again and again. */
    n = (size_t)sprintf(text, "y ~ ");
    for (int k = 0; k < 100; k++) {
        n += (size_t)sprintf(text + n, "%s(", k == 0 ? "" : ":");
        for (int i = 0; i < 8; i++)
            n += (size_t)sprintf(text + n, "%s%s", i == 0 ? "" : "*",
                                 (const char *[]){"a", "b", "c", "d", "nodes", "pgr", "size", "chemo"}[i]);
        n += (size_t)sprintf(text + n, ")");
    }
    assert_fails(formula_parse(&formula, f->arena, &f->scope, text, &error), MAILLE_INVALID, &error,
                 "expected at most 256 terms");
    n = (size_t)sprintf(text, "y ~ ");
    for (int i = 0; i < 2000; i++)
        n += (size_t)sprintf(text + n, "a+");
    sprintf(text + n, "a");
    assert_fails(formula_parse(&formula, f->arena, &f->scope, text, &error), MAILLE_INVALID, &error,
                 "operators in a row");
    /* Nine strata. */
    assert_fails(formula_parse(&formula, f->arena, &f->scope,
                               "y ~ strata(a, b, c, d, size, status, grade, chemo, death)", &error),
                 MAILLE_INVALID, &error, "expected at most 8 variables in strata()");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(terms_are_those_of_R, setup, teardown),
        cmocka_unit_test_setup_teardown(factors_are_typed, setup, teardown),
        cmocka_unit_test_setup_teardown(survival_responses, setup, teardown),
        cmocka_unit_test_setup_teardown(splines_are_those_of_R, setup, teardown),
        cmocka_unit_test_setup_teardown(bad_formulas_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(limits, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
