#include "registry/lines.h"

#include "registry/testing.h"

/* Drugs a and b are endocrine, k a CDK4/6 inhibitor, c and d chemotherapy, h anti-HER2; x is of no line. */
static const char drugs[] = "abkcdhx";
static const int8_t group[] = {0, 0, 1, 2, 2, 3, -1};
static const struct line_class classes[] = {{"HER2", 8}, {"ET+CDK", 3}, {"chemo", 4}, {"CDK", 2}, {"ET", 1}};

/* "c0-60 a10": c from day 0 to day 60, a from day 10, its end unknown. */
static size_t read_records(struct drug_record *records, const char *text)
{
    size_t n = 0;
    while (*text != '\0') {
        char *end;
        struct drug_record *record = &records[n++];
        *record = (struct drug_record){.drug = (uint32_t)(strchr(drugs, *text) - drugs)};
        record->begin = strtol(text + 1, &end, 10);
        record->has_end = *end == '-';
        if (record->has_end)
            record->end = strtol(end + 1, &end, 10);
        text = *end == ' ' ? end + 1 : end;
    }
    return n;
}

static void check(const char *text, const char *expected, int64_t together, bool reversed)
{
    struct drug_record records[32];
    struct line lines[32];
    struct course courses[32];
    size_t last[7], of_line[7], n = read_records(records, text), written = 0;
    char found[500] = "";
    const struct line_rules rules = {group, 7, classes, 5, together};
    const struct line_room room = {courses, last, of_line};
    for (size_t i = 0; reversed && i < n / 2; i++) {
        const struct drug_record swapped = records[i];
        records[i] = records[n - 1 - i];
        records[n - 1 - i] = swapped;
    }
    n = lines_make(lines, records, n, &rules, &room);
    for (size_t l = 0; l < n; l++) {
        char end[24] = "";
        if (lines[l].has_end)
            snprintf(end, sizeof end, "%lld", (long long)lines[l].end);
        written +=
            (size_t)snprintf(found + written, sizeof found - written, "%s%lld-%s %s", l == 0 ? "" : ", ",
                             (long long)lines[l].begin, end, classes[lines[l].class].name);
    }
    if (strcmp(found, expected) != 0)
        fail_msg("%s: expected \"%s\", found \"%s\"", text, expected, found);
}

/* Worked by hand; each also with the records the other way round. */
static void lines_are_as_worked_by_hand(void **state)
{
    static const struct {
        const char *what, *drugs, *lines;
        int64_t together;
    } cases[] = {
        {"no drug", "", "", 0},
        {"a drug of no line", "x0-10", "", 0},
        {"one drug", "a0", "0- ET", 0},
        {"a combination, begun on one day", "a0 k0", "0- ET+CDK", 0},
        {"a drug added while the first goes on", "a0-300 k100-300", "0-100 ET, 100- ET+CDK", 0},
        {"a drug added, the first without an end: it ended with its line", "a0 k100", "0-100 ET, 100- CDK",
         0},
        {"a drug replaced", "a0-100 c110-200", "0-110 ET, 110- chemo", 0},
        {"replaced on the day of the last dose", "a0-100 c100-200", "0-100 ET, 100- chemo", 0},
        {"one drug of two stopped: none", "c0-60 h0-300", "0- HER2", 0},
        {"A+B+C to A+B: none", "a0-300 k0-300 c0-60", "0- ET+CDK", 0},
        {"A+B to A+C: one", "a0-300 k0-100 c100-300", "0-100 ET+CDK, 100- chemo", 0},
        {"maintenance: A+B, A alone, then another", "c0-90 h0-400 a400-500", "0-400 HER2, 400- ET", 0},
        {"a pause, however long: none", "c0-60 c260-300", "0- chemo", 0},
        {"a pause in which another drug came: two more", "c0-60 a100-200 c260-300",
         "0-100 chemo, 100-260 ET, 260- chemo", 0},
        {"doubles of one drug within 14 days are one", "a0 a14 k5", "0-5 ET, 5- ET+CDK", 0},
        {"15 days are not: it comes back, to a line of another", "a0 a15 k5", "0-5 ET, 5-15 CDK, 15- ET", 0},
        {"doubles on one day", "c0 c0-21 c0", "0- chemo", 0},
        {"cycles of three weeks", "c0-0 c21-21 c42-42 c63-63", "0- chemo", 0},
        {"the next of its group is another drug", "c0-60 d60-120", "0-60 chemo, 60- chemo", 0},
        {"two replaced by two on one day", "a0-50 k0-50 c50 h50", "0-50 ET+CDK, 50- HER2", 0},
        {"a drug that goes on through three lines", "h0-500 c0-100 d100-200 a200-500",
         "0-100 HER2, 100-200 HER2, 200- HER2", 0},
        {"a drug of no line among others", "a0-100 x50-60 c100", "0-100 ET, 100- chemo", 0},
        {"a drug three days later is one more", "c0-90 h3-90", "0-3 chemo, 3- HER2", 0},
        {"together: it belongs to the line", "c0-90 h3-90", "0- HER2", 28},
        {"together: the last day of 28", "c0-90 h28-90", "0- HER2", 28},
        {"together: a day past it", "c0-90 h29-90", "0-29 chemo, 29- HER2", 28},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check(cases[i].drugs, cases[i].lines, cases[i].together, false);
        check(cases[i].drugs, cases[i].lines, cases[i].together, true);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(lines_are_as_worked_by_hand)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
