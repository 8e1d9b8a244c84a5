/* What a site asks its officer (vault/approval.c writes it, maille-worker pending shows it, maille officer
 * review too), in French and for programs. What she signs is the text itself, byte for byte. */
#ifndef REPORT_PENDING_H
#define REPORT_PENDING_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/json.h"
#include "base/language.h"

/* Appends it in a language; English is the text as it is. The study, its title and names stay as they were
 * signed. */
void report_pending_text(struct bytes *out, const char *text, enum language language, struct arena *arena);
/* One object: a key for each of its first lines, `analyses` (of each `asked`, in lines, and
 * `near`: which earlier groups are near it in words), `study_file`. */
void report_pending_json(struct json_put *put, const char *text, struct arena *arena);
#endif
