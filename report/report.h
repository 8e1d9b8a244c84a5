/* What a study brought: one struct, made from a run or read back from its JSON, and written as JSON, CSV, a
 * page or a table in a terminal (docs/RESULT.md). */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include <stdio.h>

#include "stats/round.h"

/* The door for result files that are read back. */
enum { REPORT_BYTES_MAX = 256 * 1024 * 1024, REPORT_DEPTH_MAX = 12 };

struct report_snapshot {
    const char *site;
    int64_t number;
    const char *hash; /* hexadecimal */
};

struct report_log_head {
    const char *party;
    int64_t size;     /* entries of its log */
    const char *root; /* hexadecimal */
};

/* An analysis that was answered before. */
struct report_earlier {
    const char *cohort; /* as a study says it ("everybody": none); NULL: there is none */
    const char *study, *analysis;
};

/* What the run itself does not know. Borrowed; must outlive the report. All but query may be absent (0 or
 * NULL): a run without a network. */
struct report_facts {
    const char *query;  /* its id, hexadecimal */
    int64_t n_sites;    /* the roster that answered */
    const char *date;   /* "2026-11-23T15:50:00Z": when the last round ended */
    int64_t elapsed_ms; /* from the question to its end; 0: unknown */
    int64_t wire;       /* version of the protocol between the parties; 0: none */
    const char
        *mode; /* "agent": the researcher opened the totals; "circle": the sites did, and sealed results */
    bool synthetic;              /* made-up patients: every output says so */
    const struct result *roster; /* {asked, answered, missing: [{site, since, reason}]} */
    const struct result *policy; /* the strictest of the sites' settings, key by key */
    int64_t rounds, bytes;       /* that each site answered, and its masked sums in them; 0: none */
    const struct report_snapshot *snapshots;
    size_t n_snapshots;
    const struct report_log_head *log_heads;
    size_t n_log_heads;
    const struct report_earlier *earlier; /* of each analysis; NULL: none has any */
};

struct report_analysis {
    const char *id, *method;
    enum analysis_status status; /* OK, REFUSED or FAILED; OPEN: the run was broken off */
    const char *rule, *reason;   /* rule: REFUSED; reason: REFUSED, FAILED; else NULL */
    const char *offer; /* REFUSED: the cohort that may be asked instead ("everybody": none); else NULL */
    struct report_earlier earlier; /* REFUSED: of her own that may be asked again instead */
    int64_t n, n_missing, n_event; /* −1: null */
    const struct result *warnings, *dropped_levels, *aliased; /* lists of strings */
    int64_t suppressed;
    bool grid_merged;
    const struct result *asked;  /* its text in the study (report/asked.h); NULL in files of older programs */
    const struct result *frame;  /* factors and levels of its formula; NULL without one */
    const struct result *result; /* object; NULL unless OK */
};

/* Everything lives in the arena that it was made in, or is borrowed from run and facts. */
struct report {
    const char *maille, *study, *query, *grid;
    bool synthetic; /* made-up patients */
    /* What makes the file stand alone; NULL or 0 in files of older programs. */
    const char *title, *purpose, *legal_basis, *protocol, *expires, *cohort, *missing, *text, *date;
    const char *mode;
    int64_t elapsed_ms, wire, rounds, bytes;
    const struct result *derive, *dictionary, *roster, *policy;
    int64_t n_sites;
    const struct report_snapshot *snapshots;
    size_t n_snapshots;
    const struct report_log_head *log_heads;
    size_t n_log_heads;
    const struct report_analysis *analyses;
    size_t n_analyses;
};

/* What every output of made-up patients says. */
#define REPORT_SYNTHETIC "Synthetic data: made up, no patient"

/* From a run; run and facts must outlive the report. */
void report_of_run(struct report *report, struct arena *arena, const struct study_run *run,
                   const struct report_facts *facts);

/* From the bytes of a result file. name stands for it in errors. MAILLE_INVALID when it is not one: what was
 * expected, where. */
enum maille_code report_read(struct report *report, struct arena *arena, const char *name, const void *bytes,
                             size_t length, struct maille_error *error) MAILLE_CHECKED;

/* The result file: keys in the order of docs/RESULT.md, numbers with 17 significant digits, UTF-8, a newline
 * at its end. Appends to out. */
enum maille_code report_json(struct bytes *out, const struct report *report,
                             struct maille_error *error) MAILLE_CHECKED;

/* One page that needs nothing else: no script, no picture, no font from elsewhere. Appends to out. */
enum maille_code report_html(struct bytes *out, const struct report *report,
                             struct maille_error *error) MAILLE_CHECKED;

/* FOLDER/<id>.<part>.csv for every part of every analysis that is OK (RFC 4180, LF, UTF-8; null is empty;
 * numbers as short as they read back). The folder is made. n_files (may be NULL): how many. */
enum maille_code report_csv(const struct report *report, const char *folder, size_t *n_files,
                            struct maille_error *error) MAILLE_CHECKED;

/* The main tables in columns, rounded for reading, no wider than width where they can be; long tables are cut
 * and say so. No colour, and no control character. */
enum { REPORT_TERMINAL_WIDTH = 80 };
void report_terminal(FILE *to, const struct report *report, int width);

#endif
