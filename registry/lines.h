/* Lines of treatment out of drugs: one versioned set of rules, the same at every site (docs/IMPORT.md). */
#ifndef REGISTRY_LINES_H
#define REGISTRY_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINES_RULES "lines/1"
enum { LINES_GROUPS_MAX = 64, LINES_DOUBLE_DAYS = 14 };

/* A line's class is the first of which it has a drug of every group. */
struct line_class {
    const char *name;
    uint64_t groups; /* bit g: group g is wanted */
};

struct line_rules {
    const int8_t *group; /* per drug: its group; −1: of no line */
    size_t n_drugs;
    const struct line_class *classes; /* one at least for each group alone, so that each line has one */
    size_t n_classes;
    int64_t together; /* days behind the begin of a line within which a drug belongs to it */
};

/* One drug of one patient, in days; end: the last day, where it is known. */
struct drug_record {
    uint32_t drug;
    int64_t begin, end;
    bool has_end;
};

/* end: the begin of the next; the last line has none. */
struct line {
    int64_t begin, end;
    bool has_end;
    size_t class;
};

/* What lines_make works in: `courses` has room for n, `last` and `of_line` for n_drugs of the rules. */
struct line_room {
    struct course {
        uint32_t drug;
        int64_t begin, last, until; /* days: first and last begin, and until when it is known to go on */
    } * courses;
    size_t *last, *of_line;
};

/* The lines of one patient by lines/1 into `lines` (room for n); how many. Sorts the records, which may come
 * in any order: equal sets give equal lines. */
size_t lines_make(struct line *lines, struct drug_record *records, size_t n, const struct line_rules *rules,
                  const struct line_room *room);

#endif
