/* One thing that is wrong in a text, taken apart for other programs: editors, clients, a page. */
#ifndef BASE_FINDING_H
#define BASE_FINDING_H

#include "base/arena.h"
#include "base/json.h"

/* Lines and columns count from 1, columns in characters; 0 where the sentence names no place. end: the column
 * after the last character that is wrong, on the same line. hint and found are NULL where there is none. */
struct finding {
    const char *file;
    int line, column, end;
    const char *expected, *found, *hint; /* expected: the whole sentence where it has no "expected …" */
    const char *sentence;                /* as people read it, with its place */
};

/* Takes a sentence "file:line:column: expected X, found Y; hint" apart (CONTRIBUTING.md: errors). A hint is
 * what follows the last "; " outside quotes. text (length bytes; NULL: not at hand) is the content of `file`:
 * `end` is then found in it. Everything lives in arena. */
void finding_of_sentence(struct finding *finding, struct arena *arena, const char *sentence, const char *text,
                         size_t length);

/* One object with the keys file, line, column, end, expected, found, hint, sentence. */
void finding_put(struct json_put *put, const struct finding *finding);

#endif
