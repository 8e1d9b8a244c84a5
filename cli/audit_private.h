/* What the files of maille audit share. */
#ifndef CLI_AUDIT_PRIVATE_H
#define CLI_AUDIT_PRIVATE_H

#include "cli/audit_book.h"

enum { AUDIT_LOGS_MAX = 1024 };

/* Subcommands; each returns the exit status. */
int audit_show(int argc, char **argv);
int audit_verify_logs(int argc, char **argv);
int audit_export(int argc, char **argv);
int audit_replay_logs(int argc, char **argv);
int audit_record(int argc, char **argv);
int audit_public(int argc, char **argv);
int audit_breach(int argc, char **argv);
int audit_accesses(int argc, char **argv);
int audit_archive(int argc, char **argv);
int audit_page(int argc, char **argv);

/* audit_export.c: register, releases and access of logs into a folder; prints what each log is worth, and the
 * paths. */
struct audit_over;
enum maille_code audit_export_write(struct audit_over *over, struct maille_error *error) MAILLE_CHECKED;

/* What audit show prints of one query. all: every number, however many. */
void audit_show_rules(struct arena *arena, const struct book_query *query, enum language language);
void audit_show_left(struct arena *arena, const struct book_query *query, enum language language, bool all);
/* Of a sealed box that a key does not open. Its bytes are those that were written: the log is sound. */
extern const char audit_not_your_key[];
/* The parts of "a|b|c", in arena. Returns their number. */
size_t audit_split(const char ***list, struct arena *arena, const char *text);
/* Text and spaces up to a width in characters, not bytes; at least one space. */
void audit_cell(const char *text, int width);

/* A string of JSON (RFC 8259 §7), quotes and all. (json_string is a name of jansson's, which report/ links.)
 */
void audit_json_text(FILE *out, const char *text);

#endif
