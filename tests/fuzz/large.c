#include "tests/fuzz/large.h"

#include <stdio.h>
#include <string.h>

#define STUDY                                                                                                \
    "study: s\ndictionary: rotterdam@1\ntitle: t\npurpose: research\nlegal_basis: MR-004\nprotocol: P\n"     \
    "expires: 2099-12-31\ngrid: month\nmissing: study\n"
#define ONE_ANALYSIS "analyses:\n  - { id: a, method: count, by: [chemo] }\n"
#define DIRECTORY                                                                                            \
    "network: toy\nversion: 1\nquorum: 1\nauthorities:\n  - { name: a, identity: " KEY                       \
    " }\nnext_site: 99999\n"                                                                                 \
    "coordinator: { name: c, endpoint: \"tcp://127.0.0.1:1\", identity: " KEY ", transport: " KEY " }\n"
#define KEY "c69b7a12535df2749e64737208c84b02e3166fb4143f29c22af2a6ef7eb375ff"

/* `again` is repeated, `times` times where that is a limit of the door, and a %zu in it counts. */
static const struct large {
    const char *name, *head, *again, *tail;
    size_t times; /* 0: until the text is full */
} larges[] = {
    {"literal scalars in a list", "", "- |\n", "", 0},
    {"literal scalars in a study", STUDY "literal:\n", "  - |\n", "", 0},
    {"folded scalars of a word", "a:\n", "  - >\n    b\n", "", 0},
    {"blank lines in a literal", "a: |\n", "\n", "  b\n", 0},
    {"blanks in a literal", "a: |\n", "  \n", "  b\n", 0},
    {"carriage returns", "", "- |\r", "", 0},
    {"literal scalars and carriage returns", "", "- |\r\n", "", 0},
    {"comments", "", "# c\n", "a: b\n", 0},
    {"flow lists", "a: [", "[", "", 0},
    {"flow maps", "a: ", "{", "", 0},
    {"values of a flow list", "a: [", "1,", "1]\n", 0},
    {"pairs of a flow map", "a: {", "k%zu: 1,", "}\n", 0},
    {"question marks", "", "? ", "a\n", 0},
    {"dashes", "", "- ", "a\n", 0},
    {"keys", "", "key%zu: 1\n", "", 0},
    {"maps of many keys", "", "k%zu: 1\n", "", 1000},
    {"plain words", "a: ", "word ", "\n", 0},
    {"lines of a plain scalar", "a: b\n", " b\n", "", 0},
    {"quotes within quotes", "a: '", "''", "'\n", 0},
    {"escapes", "a: \"", "\\t", "\"\n", 0},
    {"escapes that do not end", "a: \"", "\\t", "", 0},
    {"bytes that are not text", "", "\xff", "", 0},
    {"two-byte letters", "a: ", "\xc3\xa9", "\n", 0},
    {"separators of lines", "a: |\n", "  \xe2\x80\xa8", "\n", 0},
    {"anchors", "", "- &a b\n", "", 0},
    {"aliases", "", "- *a\n", "", 0},
    {"directives", "", "%%TAG !e! tag:e.org,2000:\n", "---\na: b\n", 0},
    {"documents", "", "---\n", "", 0},
    {"one conjunction", STUDY "cohort: age >= 1", " && age >= 1", "\n" ONE_ANALYSIS, 590},
    {"brackets", STUDY "cohort: ", "(", "\n" ONE_ANALYSIS, 0},
    {"negations", STUDY "cohort: ", "!", "age >= 1\n" ONE_ANALYSIS, 0},
    {"derived columns", STUDY "derive:\n", "  d%zu: age + %zu\n", ONE_ANALYSIS, 500},
    {"derived columns of one another", STUDY "derive:\n  d0: age\n", "  e%zu: d0 + 1\n", ONE_ANALYSIS, 500},
    {"analyses", STUDY "analyses:\n", "  - { id: a%zu, method: count, by: [chemo] }\n", "", 256},
    {"terms", STUDY "analyses:\n  - { id: a, method: cox, formula: \"Surv(dtime, death) ~ age", " + age",
     "\" }\n", 250},
    {"breaks", STUDY "derive:\n  d: cut(age, c(0", ", %zu", "), right = FALSE)\n" ONE_ANALYSIS, 900},
    {"sites", STUDY "sites: [", "s%zu, ", "s]\n" ONE_ANALYSIS, 4000},
    {"variables", "dictionary: d\nversion: 1\nkey: p\nvariables:\n",
     "  - { name: v%zu, type: integer, min: 0, max: 9 }\n", "", 4000},
    {"levels",
     "dictionary: d\nversion: 1\nkey: p\nvariables:\n  - name: v\n    type: category\n    levels: [",
     "l%zu, ", "m]\n", 4000},
    {"denied variables", "policy: strict\nvariables: { deny: [", "v%zu, ", "v] }\n", 1000},
    {"held methods", "policy: strict\napproval: { default: auto, purposes: { p: hold", ", p%zu: hold",
     " } }\n", 4000},
    {"hospitals", DIRECTORY "sites:\n",
     "  - { id: %zu, name: s%zu, legal_entity: x, identity: " KEY ", transport: " KEY " }\n", "", 1000},
    {"purposes", DIRECTORY "purposes: [", "p%zu, ", "p]\n", 4000},
    {"signatures", DIRECTORY, "# maille-signature: a " KEY KEY "\n", "", 64},
    {"lines of a log", "", "1 2026-01-01T00:00:00.000Z ready x\n", "", 0},
    {"pairs in JSON", "{", "\"k%zu\":1,", "\"k\":1}", 0},
    {"lists in JSON", "", "[", "", 0},
    {"cells of a table", "patient", ",a%zu", "\n", 0},
    {"records of a table", "patient,age\n", "p%zu,1\n", "", 0},
    {"quotes of a table", "patient,age\n", "\"\"\"\"", "\n", 0},
};

const size_t large_n = sizeof larges / sizeof *larges;

/* Appends text, each %zu in it written as number, each %% as %. */
static void put_numbered(struct bytes *out, const char *text, size_t number)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%zu", number);
    for (; *text != '\0'; text++) {
        if (strncmp(text, "%zu", 3) == 0) {
            bytes_put_text(out, digits);
            text += 2;
        } else {
            bytes_put_u8(out, (uint8_t)*text);
            text += strncmp(text, "%%", 2) == 0;
        }
    }
}

const char *large_text(struct bytes *out, size_t i)
{
    const struct large *large = &larges[i];
    const size_t room = LARGE_BYTES - strlen(large->tail) - strlen(large->again) - 48;
    bytes_put_text(out, large->head);
    for (size_t n = 0; out->length < room && (large->times == 0 || n < large->times); n++)
        put_numbered(out, large->again, n);
    bytes_put_text(out, large->tail);
    return large->name;
}
