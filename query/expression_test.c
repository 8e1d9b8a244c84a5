#include "query/expression.h"

#include <math.h>

#include "base/test.h"
#include "query/expression_bounds.h"
#include "query/fixture.h"

static const char dictionary_text[] =
    "dictionary: t\nversion: 1\nkey: pid\nvariables:\n"
    "  - { name: age, type: integer, min: 0, max: 120 }\n"
    "  - { name: year, type: integer, min: 1970, max: 2000 }\n"
    "  - { name: size, type: category, levels: [\"<=20\", \"20-50\", \">50\"] }\n"
    "  - { name: grade, type: category, levels: [\"2\", \"3\"] }\n"
    "  - { name: igrade, type: integer, min: 1, max: 3 }\n"
    "  - { name: nodes, type: integer, min: 0, max: 60 }\n"
    "  - { name: pgr, type: real, min: 0, max: 6000, resolution: 0.5 }\n"
    "  - { name: conc, type: real, min: 0, max: 50, resolution: 0.1 }\n"
    "  - { name: temp, type: real, min: -40, max: 50, resolution: 0.25 }\n"
    "  - { name: chemo, type: boolean }\n"
    "  - { name: hormon, type: boolean }\n"
    "  - { name: tstart, type: duration, units: days, min: 0, max: 9000 }\n"
    "  - { name: tstop, type: duration, units: days, min: 0, max: 9000 }\n"
    "  - { name: dx, type: date, min: 1970-01-01, max: 2030-12-31 }\n"
    "  - { name: seen, type: date, min: 1980-01-01, max: 2030-12-31 }\n"
    "  - { name: born, type: date, min: 1900-01-01, max: 1969-12-31 }\n"
    "order: [born, dx]\n";

static int setup(void **state)
{
    fixture_open(state, dictionary_text);
    return 0;
}

static const char *const op_names[] = {[OP_NEGATE] = "neg",
                                       [OP_ADD] = "+",
                                       [OP_SUBTRACT] = "-",
                                       [OP_MULTIPLY] = "*",
                                       [OP_DIVIDE] = "/",
                                       [OP_POWER] = "^",
                                       [OP_LOG] = "log",
                                       [OP_SQRT] = "sqrt",
                                       [OP_EXP] = "exp",
                                       [OP_NOT] = "not",
                                       [OP_AND] = "and",
                                       [OP_OR] = "or",
                                       [OP_EQ] = "=",
                                       [OP_NE] = "!=",
                                       [OP_LT] = "<",
                                       [OP_LE] = "<=",
                                       [OP_GT] = ">",
                                       [OP_GE] = ">=",
                                       [OP_IN_LEVELS] = "in",
                                       [OP_IS_MISSING] = "missing",
                                       [OP_CUT] = "cut",
                                       [OP_NUMBER_OF] = "number",
                                       [OP_MIN] = "min",
                                       [OP_MAX] = "max",
                                       [OP_SELECT] = "select",
                                       [OP_RECODE] = "recode",
                                       [OP_INTERVAL] = "interval",
                                       [OP_CALENDAR] = "calendar"};

/* A tree as text: (and (>= age 18) (in size 1 0 1)). */
static const char *show(const struct fixture *f, const struct expression *e)
{
    if (e->op == OP_CONSTANT)
        return e->kind == EXPRESSION_BOOLEAN ? "true" : arena_printf(f->arena, "%.15g", e->value);
    if (e->op == OP_VARIABLE)
        return f->dictionary->variables[e->variable].name;
    const char *text = arena_printf(f->arena, "(%s", op_names[e->op]);
    for (size_t i = 0; i < e->n_args; i++)
        text = arena_printf(f->arena, "%s %s", text, show(f, e->args[i]));
    for (size_t i = 0; i < e->n_table; i++)
        text = arena_printf(f->arena, "%s %g", text, e->table[i]);
    if (e->op == OP_POWER)
        text = arena_printf(f->arena, "%s %d", text, (int)e->integer);
    return arena_printf(f->arena, "%s)", text);
}

static void the_grammar_is_that_of_R(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *text, *tree;
    } cases[] = {
        {"age >= 18 && year >= 1980", "(and (>= age 18) (>= year 1980))"},
        {"age >= 18 & year >= 1980 | chemo", "(or (and (>= age 18) (>= year 1980)) chemo)"},
        {"chemo || hormon && age < 50", "(or chemo (and hormon (< age 50)))"},
        {"!age < 50", "(not (< age 50))"},
        {"!chemo && hormon", "(and (not chemo) hormon)"},
        {"!(chemo && hormon)", "(not (and chemo hormon))"},
        {"1 + age * 2 - year / 4", "(- (+ 1 (* age 2)) (/ year 4))"},
        {"(1 + age) * 2", "(* (+ 1 age) 2)"},
        {"age - year - 1", "(- (- age year) 1)"},
        {"-age^2", "(neg (^ age 2))"},
        {"(-age)^2", "(^ (neg age) 2)"},
        {"year^-1", "(^ year -1)"},
        {"age * -2", "(* age -2)"},
        {"-5 < temp", "(> temp -5)"},
        {"18 <= age", "(>= age 18)"},
        {"age + 1 in {3, 4}", "(or (= (+ age 1) 3) (= (+ age 1) 4))"},
        {"size in {\"<=20\", \">50\"}", "(in size 1 0 1)"},
        {"size %in% c(\"<=20\")", "(and (not (missing size)) (in size 1 0 0))"},
        {"size == \"20-50\"", "(in size 0 1 0)"},
        {"\"20-50\" != size", "(not (in size 0 1 0))"},
        {"grade == 3", "(in grade 0 1)"},
        {"grade == 3.0", "(in grade 0 1)"},
        {"grade == \"3\"", "(in grade 0 1)"},
        {"grade %in% c(2, 3)", "(and (not (missing grade)) (in grade 1 1))"},
        {"igrade == 3", "(= igrade 3)"},
        {"igrade < 3", "(< igrade 3)"},
        {"dx >= \"1980-01-01\"", "(>= dx 3652)"},
        {"\"1980-01-01\" > dx", "(< dx 3652)"},
        {"dx in {\"1970-01-02\"}", "(= dx 1)"},
        {"chemo", "chemo"},
        {"chemo == TRUE", "chemo"},
        {"chemo == true", "chemo"},
        {"chemo == 1", "chemo"},
        {"chemo != 0", "chemo"},
        {"chemo == FALSE", "(not chemo)"},
        {"0 == chemo", "(not chemo)"},
        {"chemo != hormon", "(!= (number chemo) (number hormon))"},
        {"is_missing(size) || is.na(age)", "(or (missing size) (missing age))"},
        {"log(nodes + 1) > 2", "(> (log (+ nodes 1)) 2)"},
        {"sqrt(age) + exp(temp)", "(+ (sqrt age) (exp temp))"},
        {"age + chemo", "(+ age (number chemo))"},
        {"cut(nodes, c(1, 4, 10), right = FALSE) == \"[1,4)\"", "(in (cut nodes 1 4 10) 1 0)"},
        {"cut(nodes, breaks = c(10, -Inf, 4, Inf))", "(cut nodes -inf 4 10 inf)"},
        {"cut(right = FALSE, c(3, 9), x = nodes, open = TRUE)", "(cut nodes -inf 3 9 inf)"},
        {"abs(temp)", "(max temp (neg temp))"},
        {"pmin(age, nodes, 20)", "(min (min age nodes) 20)"},
        {"pmax(0, temp)", "(max 0 temp)"},
        {"ifelse(chemo, age, 0)", "(select chemo age 0)"},
        {"ifelse(age > 50, chemo, hormon)", "(= (select (> age 50) (number chemo) (number hormon)) 1)"},
        {"age^0.5", "(sqrt age)"},
        {"age^1.5", "(* (^ age 1) (sqrt age))"},
        {"(age + 1)^-0.5", "(sqrt (/ 1 (+ age 1)))"},
        {"(age + 1)^(1/3)", "(exp (* 0.333333333333333 (log (+ age 1))))"},
        {"relevel(size, ref = \">50\") == \">50\"", "(in (recode size 1 2 0) 1 0 0)"},
        {"factor(size, levels = c(\"20-50\", \">50\"), labels = c(\"some\", \"some\"))",
         "(recode size -1 0 0)"},
        {"factor(grade, labels = c(\"low\", \"high\")) == \"high\"", "(in (recode grade 0 1) 0 1)"},
        {"days(dx, seen)", "(interval dx seen)"},
        {"year(dx) >= 1980", "(>= (calendar dx) 1980)"},
        {"TRUE", "true"},
        {"1e2 < age", "(> age 100)"},
        {".5 < conc", "(> conc 0.5)"},
        {"  age\n  > 3", "(> age 3)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct maille_error error = {0};
        const struct expression *e = NULL;
        if (expression_parse(&e, f->arena, &f->scope, cases[i].text, &error) != MAILLE_OK)
            fail_msg("%s: %s", cases[i].text, error.sentence);
        assert_string_equal(show(f, e), cases[i].tree);
    }
}

static void errors_point_at_the_place(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        {"agee > 3",
         "s.yaml:7:9: expected a variable of the dictionary `t`, found `agee`; did you mean `age`?"},
        {"age > 3 && siz == \"a\"", "s.yaml:7:20: expected a variable"},
        {"xyzzy", "s.yaml:7:9: expected a variable of the dictionary `t`, found `xyzzy`"},
        {"pid == 3", "s.yaml:7:9: expected a variable, found the key `pid`"},
        {"site == \"a\"", "it is legal only inside strata() and cluster()"},
        {"size == \"20-5\"",
         "s.yaml:7:17: expected one of the levels \"<=20\", \"20-50\", \">50\", found \"20-5\"; did you "
         "mean \"20-50\"?"},
        {"size in {\"<=20\", \"huge\"}", "s.yaml:7:26: expected one of the levels"},
        {"grade == 4", "s.yaml:7:18: expected one of the levels \"2\", \"3\", found 4"},
        {"size < \"20-50\"", "s.yaml:7:14: expected == or != or in {…} with a category, found `<`"},
        {"grade >= 2", "its levels have an order of display, not of size"},
        {"size == grade", "s.yaml:7:17: expected a level in double quotes"},
        {"age == size", "expected two values of one kind, found a number and a category"},
        {"age == \"old\"", "s.yaml:7:16: expected a number, found `\"old\"`"},
        {"age == chemo", "found a number and a boolean"},
        {"chemo == 2", "expected TRUE, FALSE, 1 or 0"},
        {"chemo == \"yes\"", "expected a variable or a number, found the text"},
        {"chemo > 0", "expected == or != with a boolean, found `>`"},
        {"chemo in {1}", "expected a category or a number before `in`, found a boolean"},
        {"dx > 3652", "s.yaml:7:14: expected a date as \"YYYY-MM-DD\""},
        {"dx > \"1980-02-30\"", "expected a date as"},
        {"size + 1", "s.yaml:7:9: expected a number, found the category `size`"},
        {"age && chemo", "s.yaml:7:9: expected a boolean beside `&&`, found a number"},
        {"!size", "s.yaml:7:10: expected a boolean beside `!`, found a category"},
        {"chemo || dx", "found a date"},
        {"age = 3", "s.yaml:7:13: expected an operator, found `=`; a comparison is written =="},
        {"size = \"a\"", "a comparison is written =="},
        {"1 < age < 3", "s.yaml:7:17: expected one comparison at a time, found a second `<`"},
        {"age >", "s.yaml:7:14: expected a name, a number, a text or `(`, found the end"},
        {"", "s.yaml:7:9: expected a name"},
        {"(age > 3", "s.yaml:7:17: expected `)` for the parenthesis of column 9, found the end"},
        {"age > 3)", "s.yaml:7:16: expected an operator or the end, found `)`"},
        {"age 3", "s.yaml:7:13: expected an operator or the end, found `3`"},
        {"age >> 3", "expected a name, a number, a text or `(`, found `>`"},
        {"age > 3 and chemo", "s.yaml:7:17: expected an operator or the end, found `and`"},
        {"age > 12x", "s.yaml:7:15: expected a number, found `12x`"},
        {"age > 1.2.3", "expected a number, found `1.2.3`"},
        {"age > 1e999", "expected a number, found `1e999`"},
        {"size == '20-50'", "s.yaml:7:17: expected texts in double quotes"},
        {"size == \"20", "s.yaml:7:17: expected a closing \""},
        {"age @ 3", "s.yaml:7:13: expected a name, a number, a text or an operator, found `@`"},
        {"age é 3", "found `é`"},
        {"age\n + siz", "s.yaml:8:12: expected a variable"},
        {"log(temp - 60)", "s.yaml:7:9: expected the logarithm of something above 0"},
        {"log(conc * conc)", "s.yaml:7:9: expected the logarithm of something above 0, found an argument "
                             "that can be as low as 0"},
        {"log(sqrt(age))", "add a constant, e.g. log(x + 1)"},
        {"age / (conc * conc)",
         "s.yaml:7:13: expected a divisor that is never 0, found one between 0 and 2500"},
        {"age / 0", "s.yaml:7:13: expected a divisor that is never 0"},
        {"exp(exp(age))", "s.yaml:7:9: expected an expression whose values stay bounded"},
        {"temp^1.5", "s.yaml:7:13: expected something from 0 up under a power that is no whole number, found "
                     "that `temp` can "
                     "be -40"},
        {"age^17", "expected an exponent from -16 to 16"},
        {"age^year", "s.yaml:7:13: expected an exponent from -16 to 16, found `year`"},
        {"ifelse(age, 1, 0)", "s.yaml:7:16: expected a condition in ifelse(), found a number"},
        {"ifelse(chemo, \"a\", \"b\")", "found the text \"a\"; make groups with cut("},
        {"ifelse(chemo, 1)", "expected `no` of ifelse(), found none"},
        {"pmin(age)", "expected pmin() of two numbers or more, found 1"},
        {"pmin(age, 3, na.rm = TRUE)", "expected numbers in pmin(), found the option `na.rm`"},
        {"relevel(size, \"50\")", "expected a level of `size`, found \"50\"; did you mean \">50\"?"},
        {"factor(size, levels = c(\">50\", \">50\"))", "expected each level once"},
        {"factor(size, labels = c(\"a\"))", "expected a label for each of 3 levels, found 1"},
        {"days(dx, age)", "s.yaml:7:18: expected a date of the dictionary in days(), found `age`"},
        {"days(dx, seen + 1)", "expected a date of the dictionary in days(), found `seen + 1`"},
        {"days(seen, born)",
         "expected a second date that can be after the first, found that `born` never is"},
        {"month(3)", "expected a date of the dictionary in month(), found `3`"},
        {"days(dx, until = seen)", "expected an argument of days(), found `until =`"},
        {"sqrt(-1 - age)", "expected the root of something from 0 up"},
        {"logg(age)", "did you mean `log`?"},
        {"frobnicate(age)", "expected one of the functions log, sqrt, exp, abs, pmin, pmax, ifelse, cut, "
                            "factor, relevel, days, months, "
                            "year, month, is_missing, is.na, found `frobnicate`"},
        {"strata(age)", "it stands in formulas only"},
        {"log(age, 2)", "s.yaml:7:18: expected 1 argument of log() at most, found 2"},
        {"is_missing()", "expected `x` of is_missing(), found none"},
        {"cut(age)", "s.yaml:7:9: expected `breaks` of cut(), found none"},
        {"cut(age, 5)", "s.yaml:7:18: expected the breaks of cut() as a list of numbers such as c(0, 4, 10)"},
        {"cut(age, c(3))", "expected two breaks of cut() or more, found 1"},
        {"cut(age, c())", "expected a list of numbers"},
        {"cut(age, c(1, 1))", "expected each break of cut() once, found 1 again"},
        {"cut(age, c(3, 9, Inf), open = TRUE)", "expected each break of cut() once, found inf again"},
        {"cut(age, c(1, year))", "s.yaml:7:23: expected a number in c(…), found `year`"},
        {"cut(age, c(1), right = 3)", "s.yaml:7:32: expected right = TRUE or right = FALSE"},
        {"cut(age, c(1, 3, 5), labels = 3)", "expected 2 labels for 3 breaks, found 1"},
        {"cut(age, c(1, 3), label = 3)", "found `label =`; did you mean `labels`?"},
        {"cut(size, c(1, 2))", "expected a number, found the category `size`"},
        {"age in {}", "s.yaml:7:16: expected a set of 1 to 4096 values such as {\"a\", \"b\"} after `in`"},
        {"age in 3", "expected a set"},
        {"age %in% year", "such as c(\"a\", \"b\") after `%in%`"},
        {"{1, 2}", "expected an expression, found `{`"},
        {"\"text\"", "a text is compared with =="},
        {"age ~ year", "found `~`, which stands in formulas only"},
        {"age:year", "found `:`, which stands in formulas only"},
        {"age == NA", "expected a value, found NA; write is_missing(x)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct maille_error error = {0};
        const struct expression *e = NULL;
        enum maille_code code = expression_parse(&e, f->arena, &f->scope, cases[i].text, &error);
        if (code != MAILLE_INVALID || strstr(error.sentence, cases[i].sentence) == NULL)
            fail_msg("%s: expected \"%s\" in \"%s\"", cases[i].text, cases[i].sentence, error.sentence);
        assert_null(e);
    }
}

static void bounds_and_steps(void **state)
{
    struct fixture *f = *state;
    const double slack = 1e-11;
    static const struct {
        const char *text;
        double low, high, step;
    } cases[] = {
        {"age", 0, 120, 1},
        {"-age", -120, 0, 1},
        {"age + year", 1970, 2120, 1},
        {"age - year", -2000, -1850, 1},
        {"age * 2", 0, 240, 2},
        {"age * -2", -240, 0, 2},
        {"age * temp", -4800, 6000, 0.25},
        {"pgr - age", -120, 6000, 0.5},
        {"temp + 0.125", -39.875, 50.125, 0.125},
        {"age / 4", 0, 30, 0.25},
        {"age^2", 0, 14400, 1},
        {"temp^2", 0, 2500, 0.0625},
        {"temp^3", -64000, 125000, 0.015625},
        {"year^-1", 1.0 / 2000, 1.0 / 1970, 0},
        {"age / year", 0, 120.0 / 1970, 0},
        {"age / nodes", 0, 120, 0},   /* nodes is 1 or more where it is not 0 */
        {"age / temp", -480, 480, 0}, /* 0.25 away from 0 on both sides */
        {"log(year)", 7.585788821732034, 7.600902459542082, 0},
        {"log(nodes + 1)", 0, 4.110873864173311, 0},
        {"log(tstop)", 0, 9.104979856318357, 0},
        {"log(tstop - tstart)", 0, 9.104979856318357, 0},
        {"log(2 * tstop)", 0.6931471805599453, 9.798127036878302, 0},
        {"log(pgr)", -0.6931471805599453, 8.699514748210191, 0},
        {"log(tstop / 365.25)", -5.900582050630809, 3.2043978056875475, 0},
        {"log(nodes - 0.5)", -0.6931471805599453, 4.085976312551584, 0},
        {"sqrt(year - 2000)", 0, 0, 0},
        {"sqrt(age)", 0, 10.954451150103322, 0},
        {"exp(temp / 10)", 0.01831563888873418, 148.4131591025766, 0},
        {"age + chemo", 0, 121, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct maille_error error = {0};
        const struct expression *e = NULL;
        assert_ok(expression_parse(&e, f->arena, &f->scope, cases[i].text, &error), &error);
        bool good = fabs(e->low - cases[i].low) <= slack * fmax(1, fabs(e->low)) &&
                    fabs(e->high - cases[i].high) <= slack * fmax(1, fabs(e->high)) &&
                    e->step == cases[i].step;
        if (!good)
            fail_msg("%s: [%.17g, %.17g] step %.17g", cases[i].text, e->low, e->high, e->step);
        /* Outwards of libm's value, never inwards. */
        if (e->op == OP_LOG || e->op == OP_EXP)
            assert_true(e->low <= cases[i].low && e->high >= cases[i].high);
    }
}

static void decimal_steps_survive_one_difference(void **state)
{
    struct fixture *f = *state;
    struct maille_error error = {0};
    const struct expression *e = NULL;
    /* 0.3 − 0.1 is a little less than 0.2: the bound lies below every difference that is not 0. */
    assert_ok(expression_parse(&e, f->arena, &f->scope, "log(conc - 0.2)", &error), &error);
    for (int i = 3; i <= 500; i++)
        assert_true(log(i / 10.0 - 0.2) >= e->low);
    assert_true(e->low > log(0.0999));
    /* 0.1 + 0.2 − 0.3 is 5.6e-17, so three of them have no step. */
    assert_fails(expression_parse(&e, f->arena, &f->scope, "log(conc - conc + 0.1 - conc)", &error),
                 MAILLE_INVALID, &error, "expected the logarithm of something above 0");
}

static void elementary_functions_of_bounds(void **state)
{
    (void)state;
    for (double x = 1e-9; x < 1e9; x *= 1.37)
        assert_true(fabs(expression_bounds_log(x) - log(x)) <= 3e-14 * fmax(1e-3, fabs(log(x))));
    for (double x = -740; x < 709; x += 0.731)
        if (x > -700)
            assert_true(fabs(expression_bounds_exp(x) - exp(x)) <= 3e-14 * exp(x));
    assert_true(expression_bounds_log(1) == 0);
    assert_true(expression_bounds_exp(0) == 1);
    assert_true(isinf(expression_bounds_exp(711)));
    assert_true(expression_bounds_exp(-1000) == 0);
}

static void cuts_have_the_labels_of_R(void **state)
{
    struct fixture *f = *state;
    /* levels(cut(x, c(-Inf, …, Inf), right = …)) of R 4.2.2 */
    static const struct {
        const char *text;
        const char *labels[6];
    } cases[] = {
        {"cut(nodes, c(1, 4, 10), right = FALSE, open = TRUE)", {"[-Inf,1)", "[1,4)", "[4,10)", "[10, Inf)"}},
        {"cut(nodes, c(1, 4, 10), open = TRUE)", {"(-Inf,1]", "(1,4]", "(4,10]", "(10, Inf]"}},
        {"cut(nodes, c(0.12345, 0.12346, 1e6, 1234567), open = TRUE)",
         {"(-Inf,0.12345]", "(0.12345,0.12346]", "(0.12346,1e+06]", "(1e+06,1.2346e+06]",
          "(1.2346e+06, Inf]"}},
        {"cut(nodes, c(0.5, 1.25), right = FALSE, open = TRUE)", {"[-Inf,0.5)", "[0.5,1.25)", "[1.25, Inf)"}},
        {"cut(nodes, c(1000, 10000, 100000), right = F, open = TRUE)",
         {"[-Inf,1e+03)", "[1e+03,1e+04)", "[1e+04,1e+05)", "[1e+05, Inf)"}},
        {"cut(nodes, c(-0.001, 0.00001), right = false, open = TRUE)",
         {"[-Inf,-0.001)", "[-0.001,1e-05)", "[1e-05, Inf)"}},
        {"cut(nodes, c(100000, 100001), right = FALSE, open = TRUE)",
         {"[-Inf,100000)", "[100000,100001)", "[100001, Inf)"}},
        {"cut(nodes, c(0.30000000000000004, 0.3), open = TRUE)", {"Range_1", "Range_2", "Range_3"}},
        {"cut(nodes, c(50), open = TRUE)", {"(-Inf,50]", "(50, Inf]"}},
        {"cut(nodes, c(1, 4, 10))", {"(1,4]", "(4,10]"}},
        {"cut(nodes, c(1, 4, 10), include.lowest = TRUE)", {"[1,4]", "(4,10]"}},
        {"cut(nodes, c(1, 4, 10), include.lowest = TRUE, right = FALSE)", {"[1,4)", "[4,10]"}},
        {"cut(nodes, c(-Inf, 1, 4, Inf), include.lowest = TRUE, right = FALSE)",
         {"[-Inf,1)", "[1,4)", "[4, Inf]"}},
        {"cut(nodes, c(-Inf, 1, Inf), labels = c(\"none\", \"some\"))", {"none", "some"}},
        {"relevel(size, \">50\")", {">50", "<=20", "20-50"}},
        {"factor(size, levels = c(\">50\", \"20-50\", \"<=20\"), labels = c(\"a\", \"b\", \"a\"))",
         {"a", "b"}},
        {"factor(igrade, levels = c(3, 1))", {"3", "1"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct maille_error error = {0};
        const struct expression *e = NULL;
        size_t n = 0;
        assert_ok(expression_parse(&e, f->arena, &f->scope, cases[i].text, &error), &error);
        for (; n < 6 && cases[i].labels[n] != NULL; n++)
            assert_string_equal(e->levels[n], cases[i].labels[n]);
        assert_int_equal(e->n_levels, n);
        assert_int_equal(e->kind, EXPRESSION_CODE);
    }
}

static void dates_are_bounded_by_the_dictionary(void **state)
{
    struct fixture *f = *state;
    struct maille_error error = {0};
    static const struct {
        const char *text;
        double low, high;
        bool partial;
    } cases[] = {
        {"days(dx, seen)", 0, 22279, true},       /* 1970-01-01 to 2030-12-31 */
        {"days(born, dx)", 1, 47846, false},      /* 1969-12-31 to 1970-01-01; the dictionary's order */
        {"days(born, seen)", 3653, 47846, false}, /* can never be negative */
        {"months(seen, dx)", 0, 18627 / 30.4375, true},
        {"year(born)", 1900, 1969, false},
        {"month(seen)", 1, 12, false},
        {"abs(temp)", 0, 50, false},
        {"abs(temp - 60)", 10, 100, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct expression *e = NULL;
        assert_ok(expression_parse(&e, f->arena, &f->scope, cases[i].text, &error), &error);
        if (e->low != cases[i].low || e->high != cases[i].high)
            fail_msg("%s: expected %g to %g, found %g to %g", cases[i].text, cases[i].low, cases[i].high,
                     e->low, e->high);
        assert_int_equal(expression_is_partial(e), cases[i].partial);
    }
}

/* What leaves out values that are there is judged like a cell of a table (stats/groups.c). */
static void partial_expressions(void **state)
{
    struct fixture *f = *state;
    struct maille_error error = {0};
    static const struct {
        const char *text;
        bool partial;
    } cases[] = {
        {"cut(age, c(0, 40, 120))", true}, /* 0 itself */
        {"cut(age, c(0, 40, 120), include.lowest = TRUE)", false},
        {"cut(age, c(0, 40, 120), right = FALSE)", true},
        {"cut(age, c(0, 40, Inf), right = FALSE)", false},
        {"cut(age, c(-Inf, 40, Inf))", false},
        {"factor(size, levels = c(\">50\"))", true},
        {"relevel(size, \">50\")", false},
        {"is_missing(cut(age, c(3, 4)))", true},
        /* the rows without pgr that miss this are those with chemo */
        {"is_missing(chemo & pgr > 10)", true},
        {"is_missing(chemo | pgr > 10)", true},
        {"is_missing(ifelse(chemo, pgr > 10, TRUE))", true},
        {"is_missing(ifelse(chemo, pgr, 0) + 1)", true},
        {"is_missing(age > 40 & age <= 60)", false},
        {"is_missing(ifelse(age > 60, age, 60))", false},
        {"is_missing(pgr + nodes)", false},
        {"chemo & is_missing(pgr)", false}, /* a cohort's condition: its cells are counted */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct expression *e = NULL;
        assert_ok(expression_parse(&e, f->arena, &f->scope, cases[i].text, &error), &error);
        if (expression_is_partial(e) != cases[i].partial)
            fail_msg("%s: partial expected to be %d", cases[i].text, cases[i].partial);
    }
}

static void codes(void **state)
{
    struct fixture *f = *state;
    struct maille_error error = {0};
    const struct dictionary *d = f->dictionary;
    const struct expression *code = NULL;
    const struct expression *igrade =
        expression_variable(f->arena, d, (uint32_t)dictionary_find(d, "igrade"));
    const struct expression *chemo = expression_variable(f->arena, d, (uint32_t)dictionary_find(d, "chemo"));
    const struct expression *size = expression_variable(f->arena, d, (uint32_t)dictionary_find(d, "size"));
    const struct expression *pgr = expression_variable(f->arena, d, (uint32_t)dictionary_find(d, "pgr"));

    assert_ok(expression_as_code(&code, f->arena, igrade, &error), &error);
    assert_int_equal(code->op, OP_CODE_OF);
    assert_int_equal(code->n_levels, 3);
    assert_string_equal(code->levels[2], "3");
    assert_true(code->value == 1);
    assert_ok(expression_as_code(&code, f->arena, size, &error), &error);
    assert_ptr_equal(code, size);
    assert_fails(expression_as_code(&code, f->arena, pgr, &error), MAILLE_INVALID, &error,
                 "cut it with cut(x, c(…))");
    assert_ok(expression_as_code(&code, f->arena, chemo, &error), &error);
    assert_string_equal(code->levels[1], "TRUE");

    const struct expression *both[] = {size, code};
    const struct expression *cross = expression_cross(f->arena, both, 2);
    assert_int_equal(cross->n_levels, 6);
    assert_int_equal(cross->n_nodes, 4);
    assert_int_equal(cross->depth, 3);
    assert_ptr_equal(expression_cross(f->arena, both, 1), size);
    const struct expression *one = expression_indicator(f->arena, size, 2);
    assert_true(one->low == 0 && one->high == 1 && one->step == 1 && one->integer == 2);
    static const double table[] = {0.5, -2, 7};
    const struct expression *lookup = expression_lookup(f->arena, table, 3, size);
    assert_true(lookup->low == -2 && lookup->high == 7);
    assert_ptr_equal(expression_and(f->arena, NULL, chemo), chemo);
    assert_ptr_equal(expression_and(f->arena, chemo, NULL), chemo);

    bool used[16] = {false};
    expression_variables(cross, used);
    for (size_t i = 0; i < d->n_variables; i++)
        assert_int_equal(used[i],
                         (int)i == dictionary_find(d, "size") || (int)i == dictionary_find(d, "chemo"));
}

/* Bit rule 3: |(x − m)/h| ≤ 1, h a power of two. */
static void scales_cover_the_range(void **state)
{
    struct fixture *f = *state;
    struct maille_error error = {0};
    static const struct {
        const char *text;
        double middle, half;
    } cases[] = {{"age", 60, 64},       {"year", 1985, 16},          {"temp", 5, 64},
                 {"nodes - 30", 0, 32}, {"sqrt(year - 2000)", 0, 1}, {"nodes / 60 * 64", 32, 32}};
    double middle = -1, half = -1;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct expression *e = NULL;
        assert_ok(expression_parse(&e, f->arena, &f->scope, cases[i].text, &error), &error);
        assert_ok(expression_unit_scale(&middle, &half, e, cases[i].text, &error), &error);
        assert_true(middle == cases[i].middle && half == cases[i].half);
        const struct expression *scaled = expression_scale(f->arena, e, middle, half);
        assert_true(scaled->low >= -1 && scaled->high <= 1);
    }
    const struct expression *wild = expression_unary(f->arena, OP_EXP, expression_constant(f->arena, 1000));
    assert_fails(expression_unit_scale(&middle, &half, wild, "x", &error), MAILLE_FAILED, &error,
                 "expected a bounded expression");
}

static void equal_trees_have_equal_bytes(void **state)
{
    struct fixture *f = *state;
    struct maille_error error = {0};
    static const char *const texts[] = {
        "age > 3",          "  age>3.0 ",      "age > 4",           "age >= 3",
        "year > 3",         "3 > age",         "cut(age, c(3, 4))", "cut(age, c(3, 4), right = FALSE)",
        "size == \"<=20\"", "size == \">50\"", "age^2 > 3",         "age^3 > 3"};
    enum { N = sizeof texts / sizeof *texts };
    struct bytes bytes[N] = {{0}};
    for (size_t i = 0; i < N; i++) {
        const struct expression *e = NULL;
        assert_ok(expression_parse(&e, f->arena, &f->scope, texts[i], &error), &error);
        expression_serialise(&bytes[i], e);
        assert_ok(bytes_check(&bytes[i], &error), &error);
        for (size_t k = 0; k < i; k++) {
            bool equal = bytes[i].length == bytes[k].length &&
                         memcmp(bytes[i].data, bytes[k].data, bytes[i].length) == 0;
            assert_int_equal(equal, i == 1 && k == 0);
        }
    }
    for (size_t i = 0; i < N; i++)
        bytes_clear(&bytes[i]);
}

/* A study that wants to exhaust memory or the stack ends in a sentence. */
static void hostile_texts_end_in_a_sentence(void **state)
{
    struct fixture *f = *state;
    struct maille_error error = {0};
    const struct expression *e = NULL;
    static const struct {
        const char *unit, *sentence;
    } cases[] = {{"(", "levels of nesting"},
                 {"!", "levels of nesting"},
                 {"-", "levels of nesting"},
                 {"log(", "levels of nesting"},
                 {"{", "levels of nesting"},
                 {"age^", "levels of nesting"},
                 {"age+", "operations inside each other"},
                 {"chemo&&", "operations inside each other"}};
    char text[20000];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t length = strlen(cases[i].unit), n = 0;
        for (size_t k = 0; k < 300; k++, n += length)
            memcpy(text + n, cases[i].unit, length);
        snprintf(text + n, sizeof text - n, "%s", strcmp(cases[i].unit, "chemo&&") == 0 ? "chemo" : "age");
        assert_fails(expression_parse(&e, f->arena, &f->scope, text, &error), MAILLE_INVALID, &error,
                     cases[i].sentence);
    }
    memset(text, '(', 10000);
    text[10000] = '\0';
    assert_fails(expression_parse(&e, f->arena, &f->scope, text, &error), MAILLE_INVALID, &error,
                 "levels of nesting");
    memset(text, ' ', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_fails(expression_parse(&e, f->arena, &f->scope, text, &error), MAILLE_INVALID, &error,
                 "at most 16384 characters");
    size_t n = 0;
    for (int k = 0; k < 1000; k++)
        n += (size_t)sprintf(text + n, "age+");
    sprintf(text + n, "age");
    assert_fails(expression_parse(&e, f->arena, &f->scope, text, &error), MAILLE_INVALID, &error,
                 "operators in a row");
    /* A derived variable that doubles itself. */
    f->scope.derived = f->derived;
    f->scope.n_derived = 1;
    f->derived[0].name = "d";
    assert_ok(expression_parse(&e, f->arena,
                               &(struct expression_scope){.dictionary = f->dictionary, .file = "s.yaml"},
                               "age", &error),
              &error);
    enum maille_code code = MAILLE_OK;
    int doublings = 0;
    for (; code == MAILLE_OK && doublings < 40; doublings++) {
        f->derived[0].expression = e;
        code = expression_parse(&e, f->arena, &f->scope, "d/2 + d/2", &error);
    }
    assert_int_equal(code, MAILLE_INVALID);
    assert_int_equal(doublings, 12);
    assert_non_null(strstr(error.sentence, "at most 20000 operations"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_grammar_is_that_of_R, setup, teardown),
        cmocka_unit_test_setup_teardown(errors_point_at_the_place, setup, teardown),
        cmocka_unit_test_setup_teardown(bounds_and_steps, setup, teardown),
        cmocka_unit_test_setup_teardown(decimal_steps_survive_one_difference, setup, teardown),
        cmocka_unit_test(elementary_functions_of_bounds),
        cmocka_unit_test_setup_teardown(cuts_have_the_labels_of_R, setup, teardown),
        cmocka_unit_test_setup_teardown(dates_are_bounded_by_the_dictionary, setup, teardown),
        cmocka_unit_test_setup_teardown(partial_expressions, setup, teardown),
        cmocka_unit_test_setup_teardown(codes, setup, teardown),
        cmocka_unit_test_setup_teardown(scales_cover_the_range, setup, teardown),
        cmocka_unit_test_setup_teardown(equal_trees_have_equal_bytes, setup, teardown),
        cmocka_unit_test_setup_teardown(hostile_texts_end_in_a_sentence, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
