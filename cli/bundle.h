/* A study as evidence: one archive (base/archive.h) in which everything hangs together, and stays so without
 * a network. Files, in the folder STUDY-ID:
 *
 *     study.yaml dictionary.yaml network.yaml    as they were when the question was asked
 *     messages/00001-manifest …                    signed envelopes, byte for byte (docs/PROTOCOL.md)
 *     messages/00010-result.sealed                 in the circle: what the message sealed, beside it
 *     question.key                               in the circle: opens those, so that each site's numbers are
 * read result.json report.html                    as maille run wrote the first, and what it shows
 *     ro-crate-metadata.json                     what all of these are, for programs of others (RO-Crate 1.1)
 *     README.txt                                 the same in a few lines
 *     SHA256SUMS                                 of all files above; sha256sum -c reads it
 *     SHA256SUMS.signature                       by the researcher */
#ifndef CLI_BUNDLE_H
#define CLI_BUNDLE_H

#include "base/archive.h"
#include "proto/directory.h"
#include "report/report.h"

/* What was asked, answered and signed: all that a bundle must agree with itself about. */
struct bundle_input {
    struct byte_view network, study, dictionary, result;
    size_t n_messages;
    const struct byte_view *messages; /* in the order in which they were sent */
    const struct byte_view *frames;   /* beside each: what was sealed in it; length 0: nothing */
    struct byte_view question_key;    /* raw; length 0: none */
    struct byte_view page;            /* report.html; length 0: none */
};

/* One site of the roster. */
struct bundle_site {
    const struct directory_site *site;
    struct message_accept accept;
};

/* A log as the messages show it: its heads in order, and how many follow from the one before by a proof. */
struct bundle_log {
    const char *party;
    size_t n_heads, n_proved;
    struct audit_head *heads;
};

/* What was found; everything lives in the arena or is borrowed from the input. */
struct bundle_facts {
    const struct directory *directory;
    struct message_manifest manifest;
    struct study_heading heading;
    char id[2 * QID_BYTES + 1];
    size_t n_sites;
    struct bundle_site *sites; /* the roster, ascending by number */
    size_t n_logs;
    struct bundle_log *logs; /* of the roster's sites, then of the coordinator */
    size_t n_rounds;         /* rounds that were closed */
    struct report report;
    /* In the circle: analyses of the result that sites signed, and the fewest sites that signed the same of
     * one. */
    size_t n_signed, n_agreed;
    bool page_same; /* report.html is what this program makes of result.json: another version's may differ */
};

/* Reads and checks all of it: the directory has its quorum; every envelope is signed by whom it names,
 * somebody of the directory; they are of one question, which holds this study and this dictionary and was
 * asked under this directory; the sites accepted this question; each close holds its members' headers of a
 * round that the researcher started; a log's later head follows from the earlier one wherever a message
 * brought the proof; the result is of this question, this study, these snapshots and these log heads.
 * MAILLE_SIGNATURE, MAILLE_INVALID, MAILLE_PROTOCOL: what was expected, and in which file. */
enum maille_code bundle_check(struct bundle_facts *facts, struct arena *arena,
                              const struct bundle_input *input, struct maille_error *error) MAILLE_CHECKED;

/* bundle_answers.c: what sites signed of the result, in the circle. */
struct bundle_answers; /* opaque */
enum maille_code bundle_answers_new(struct bundle_answers **answers, struct arena *arena,
                                    const struct bundle_facts *facts, const struct bundle_input *input,
                                    struct maille_error *error) MAILLE_CHECKED;
void bundle_answers_free(struct bundle_answers *answers);
/* One sealed result: signed by this site, of this round. MAILLE_SIGNATURE: it does not open, or holds other
 * bytes. */
enum maille_code bundle_answers_take(struct bundle_answers *answers, const struct directory_site *site,
                                     const struct message_result *result, const struct byte_view *frame,
                                     struct maille_error *error) MAILLE_CHECKED;
/* Compares with the result file: p-values and limits within 1e-9, all else exactly. Every analysis that has a
 * result must be signed alike by n_min sites of the question, warnings too; so must one without, where a site
 * signed how it ended. MAILLE_SIGNATURE names one that is not. Fills n_signed and n_agreed. */
enum maille_code bundle_answers_compare(struct bundle_answers *answers, struct bundle_facts *facts,
                                        struct maille_error *error) MAILLE_CHECKED;

/* Appends ro-crate-metadata.json for these files, whose names begin with a folder of skip letters. */
void bundle_crate(struct bytes *out, struct arena *arena, const struct bundle_facts *facts,
                  const struct archive_file *files, size_t n, size_t skip);

/* The whole: form, hashes, signature, bundle_check. known: a directory whose authorities the reader trusts,
 * some of whom must have signed that of the bundle, as many as its quorum says; NULL: any. */
enum { BUNDLE_BYTES_MAX = 1024 * 1024 * 1024 };
enum maille_code bundle_verify(struct bundle_facts *facts, size_t *n_files, struct arena *arena,
                               const char *name, const struct bytes *bundle, const struct directory *known,
                               struct maille_error *error) MAILLE_CHECKED;

#endif
