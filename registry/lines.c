#include "registry/lines.h"

#include <stdlib.h>
#include <string.h>

static int by_day(const void *a, const void *b)
{
    const struct drug_record *x = a, *y = b;
    if (x->begin != y->begin)
        return (x->begin > y->begin) - (x->begin < y->begin);
    return (x->drug > y->drug) - (x->drug < y->drug);
}

/* Records of one drug that go on, or come again within 14 days of the last, are one course. */
static size_t make_courses(const struct line_room *room, struct drug_record *records, size_t n,
                           const struct line_rules *rules)
{
    size_t made = 0;
    qsort(records, n, sizeof *records, by_day);
    memset(room->last, 0, rules->n_drugs * sizeof *room->last); /* 0: none yet */
    for (size_t i = 0; i < n; i++) {
        const struct drug_record *record = &records[i];
        const int64_t until = record->has_end ? record->end : record->begin;
        if (rules->group[record->drug] < 0)
            continue;
        const size_t before = room->last[record->drug];
        struct course *course = before == 0 ? NULL : &room->courses[before - 1];
        if (course != NULL &&
            (record->begin <= course->last + LINES_DOUBLE_DAYS || record->begin <= course->until)) {
            course->last = record->begin;
            course->until = until > course->until ? until : course->until;
            continue;
        }
        room->courses[made] = (struct course){record->drug, record->begin, record->begin, until};
        room->last[record->drug] = ++made;
    }
    return made;
}

static size_t class_of(uint64_t groups, const struct line_rules *rules)
{
    size_t c = 0;
    while (c + 1 < rules->n_classes && (rules->classes[c].groups & ~groups) != 0)
        c++;
    return c;
}

size_t lines_make(struct line *lines, struct drug_record *records, size_t n, const struct line_rules *rules,
                  const struct line_room *room)
{
    const size_t courses = make_courses(room, records, n, rules);
    size_t made = 0;
    uint64_t groups = 0; /* of the line */
    memset(room->of_line, 0, rules->n_drugs * sizeof *room->of_line);
    for (size_t first = 0, end; first < courses; first = end) {
        const int64_t day = room->courses[first].begin;
        bool is_new = false;
        for (end = first; end < courses && room->courses[end].begin == day; end++)
            is_new = is_new || made == 0 || room->of_line[room->courses[end].drug] != made;
        if (!is_new)
            continue;
        if (made == 0 || day > lines[made - 1].begin + rules->together) {
            if (made > 0) {
                lines[made - 1].end = day;
                lines[made - 1].has_end = true;
                lines[made - 1].class = class_of(groups, rules);
            }
            lines[made++] = (struct line){.begin = day};
            groups = 0;
            for (size_t k = 0; k < first; k++) { /* drugs of the line before that go on */
                const struct course *course = &room->courses[k];
                if (room->of_line[course->drug] == made - 1 && (course->until > day || course->last >= day)) {
                    room->of_line[course->drug] = made;
                    groups |= UINT64_C(1) << rules->group[course->drug];
                }
            }
        }
        for (size_t k = first; k < end; k++) {
            room->of_line[room->courses[k].drug] = made;
            groups |= UINT64_C(1) << rules->group[room->courses[k].drug];
        }
    }
    if (made > 0)
        lines[made - 1].class = class_of(groups, rules);
    return made;
}
