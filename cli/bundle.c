/* maille bundle: a study as evidence, written and verified. */
#include "cli/bundle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/evidence.h"
#include "base/clock.h"
#include "base/file.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "cli/session.h"
#include "cli/sums.h"

#define MESSAGES "messages/"
#define SEALED ".sealed" /* behind the name of a message: its frame */
#define QUESTION_KEY "question.key"
#define LABEL "bundle" /* of the signature */

static const char readme[] =
    "A study that a network of hospitals answered, as evidence.\n"
    "\n"
    "    maille bundle verify FILE.tar           is it whole, and as it was signed? Needs no network\n"
    "    sha256sum -c SHA256SUMS                 the same of the files alone, without maille\n"
    "\n"
    "study.yaml, dictionary.yaml and network.yaml are what the question was asked with, messages/ what "
    "researcher,\n"
    "sites and coordinator signed to one another, result.json and report.html what came out of it.\n"
    "ro-crate-metadata.json describes all of them (RO-Crate 1.1). SHA256SUMS.signature is the researcher's, "
    "whose\n"
    "key stands in network.yaml, which the network's authorities signed: compare their keys with what you "
    "know.\n"
    "No patient, and no number of one site, is in here.\n";

/* --- the parts of a bundle --- */

/* The researcher's signature as the file has it, in the arena. */
static const char *signature_text(struct arena *arena, const char *researcher,
                                  const uint8_t identity[PUBLIC_BYTES],
                                  const uint8_t signature[SIGNATURE_BYTES])
{
    char identity_hex[2 * PUBLIC_BYTES + 1], signature_hex[2 * SIGNATURE_BYTES + 1];
    bytes_to_hex(identity_hex, identity, PUBLIC_BYTES);
    bytes_to_hex(signature_hex, signature, SIGNATURE_BYTES);
    return arena_printf(arena, "maille bundle 1\nresearcher %s\nidentity %s\nsignature %s\n", researcher,
                        identity_hex, signature_hex);
}

/* --- verifying --- */

/* The signature under SHA256SUMS, by the researcher of the directory who asked. */
static enum maille_code check_signature(const struct bundle_facts *facts, struct arena *arena,
                                        const struct archive_file *sums, const struct archive_file *file,
                                        struct maille_error *error)
{
    const char *name = facts->manifest.researcher;
    const struct directory_researcher *researcher = directory_researcher(facts->directory, name);
    const size_t digits = 2 * (size_t)SIGNATURE_BYTES;
    uint8_t signature[SIGNATURE_BYTES];
    bool holds = researcher != NULL && file->length > digits + 1;
    if (holds) {
        const char *hex = arena_strndup(arena, (const char *)file->data + file->length - digits - 1, digits);
        holds = bytes_from_hex(signature, SIGNATURE_BYTES, hex);
    }
    if (holds) {
        const char *text = signature_text(arena, name, researcher->keys.identity, signature);
        holds = file->length == strlen(text) && memcmp(file->data, text, file->length) == 0 &&
                identity_verify(signature, researcher->keys.identity, LABEL, sums->data, sums->length);
    }
    return holds
               ? MAILLE_OK
               : maille_fail(error, MAILLE_SIGNATURE,
                             "expected the signature of %s, who asked, under " SUMS ", found none that holds",
                             name);
}

enum maille_code bundle_verify(struct bundle_facts *facts, size_t *n_files, struct arena *arena,
                               const char *name, const struct bytes *bundle, const struct directory *known,
                               struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    static const char *const needed[] = {"study.yaml", "dictionary.yaml", "network.yaml", "result.json",
                                         SUMS,         SUMS_SIGNATURE};
    enum { STUDY, DICTIONARY, NETWORK, RESULT, SUM, SIGNED, NEEDED };
    const struct archive_file *files, *found[NEEDED];
    struct bundle_input input = {0};
    struct bundle_facts made;
    size_t n;
    MAILLE_TRY(archive_read(&files, &n, arena, name, bundle->data, bundle->length, error));
    const size_t skip = sums_folder(files, n);
    for (size_t i = 0; i < NEEDED; i++) {
        found[i] = sums_file(files, n, skip, needed[i]);
        if (skip == 0 || found[i] == NULL) {
            code =
                maille_fail(error, MAILLE_INVALID,
                            "expected a bundle, one folder with %s in it, found none in %s", needed[i], name);
            goto out;
        }
    }
    MAILLE_TRY(sums_check(files, n, skip, error));
    struct byte_view *messages = arena_array(arena, n, sizeof *messages),
                     *frames = arena_array(arena, n, sizeof *frames);
    for (size_t f = 0; f < n; f++) {
        const struct byte_view bytes = {files[f].data, files[f].length};
        const size_t before =
            f == 0 ? 0 : strlen(files[f - 1].name); /* of the message that this is the frame of */
        if (strncmp(files[f].name + skip, MESSAGES, strlen(MESSAGES)) != 0)
            continue;
        if (input.n_messages > 0 && strncmp(files[f].name, files[f - 1].name, before) == 0 &&
            strcmp(files[f].name + before, SEALED) == 0)
            frames[input.n_messages - 1] = bytes;
        else
            messages[input.n_messages++] = bytes;
    }
    const struct archive_file *key = sums_file(files, n, skip, QUESTION_KEY);
    if (key != NULL)
        input.question_key = (struct byte_view){key->data, key->length};
    const struct archive_file *page = sums_file(files, n, skip, "report.html");
    if (page != NULL)
        input.page = (struct byte_view){page->data, page->length};
    input.messages = messages;
    input.frames = frames;
    input.study = (struct byte_view){found[STUDY]->data, found[STUDY]->length};
    input.dictionary = (struct byte_view){found[DICTIONARY]->data, found[DICTIONARY]->length};
    input.network = (struct byte_view){found[NETWORK]->data, found[NETWORK]->length};
    input.result = (struct byte_view){found[RESULT]->data, found[RESULT]->length};
    MAILLE_TRY(bundle_check(&made, arena, &input, error));
    MAILLE_TRY(check_signature(&made, arena, found[SUM], found[SIGNED], error));
    if (known != NULL)
        MAILLE_TRY(cli_check_known(made.directory, known, error));
    *facts = made;
    *n_files = n;
out:
    return code;
}

static void print_names(const char *title, const char *text)
{
    printf("%-11s %s\n", title, text != NULL && text[0] != '\0' ? text : "none");
}

static void print_facts(const struct bundle_facts *facts, size_t n_files, bool known)
{
    const struct directory *directory = facts->directory;
    char asked[32];
    size_t n_heads = 0, n_proved = 0;
    clock_format(asked, facts->manifest.created_ms);
    printf("%-11s %s: %s\n", "study", facts->heading.id, facts->heading.title);
    print_names("purpose", facts->heading.purpose);
    print_names("protocol", facts->heading.protocol);
    printf("%-11s %s on %s\n", "asked by", facts->manifest.researcher, asked);
    print_names("ended", facts->report.date);
    printf("%-11s %s, version %llu, signed by", "network", directory->network,
           (unsigned long long)directory->version);
    for (size_t a = 0; a < directory->n_authorities; a++) {
        char hex[2 * PUBLIC_BYTES + 1];
        bytes_to_hex(hex, directory->authorities[a].identity, PUBLIC_BYTES);
        if (directory_signed_by(directory, directory->authorities[a].name,
                                directory->authorities[a].identity))
            printf("\n%-11s %s %s", "", directory->authorities[a].name, hex);
    }
    printf("\n%-11s %s\n", "",
           known ? "as the directory that you named trusts them"
                 : "compare these keys with what you know, or name --network");
    for (size_t s = 0; s < facts->n_sites; s++)
        printf("%-11s %s, snapshot %u\n", s == 0 ? "sites" : "", facts->sites[s].site->name,
               facts->sites[s].accept.snapshot);
    for (size_t l = 0; l < facts->n_logs; l++) {
        n_heads += facts->logs[l].n_heads - (facts->logs[l].n_heads > 0);
        n_proved += facts->logs[l].n_proved;
    }
    printf("%-11s %zu rounds closed; %zu of %zu later log heads come with the proof that they go on from the "
           "one "
           "before\n",
           "messages", facts->n_rounds, n_proved, n_heads);
    if (facts->manifest.mode == MODE_CIRCLE)
        printf("%-11s the numbers of %zu analyses, each signed alike by at least %zu of %zu sites\n",
               "results", facts->n_signed, facts->n_agreed, facts->n_sites);
    else
        printf("%-11s as the researcher computed them from sums that the sites masked (public data)\n",
               "results");
    printf("%-11s report.html %s\n", "page",
           facts->page_same
               ? "is what this program makes of result.json"
               : "is not what this program makes of result.json, which is what was checked: make it "
                 "anew with maille report");
    printf("%-11s maille %s, protocol %u\n", "software", facts->report.maille, facts->manifest.protocol);
    printf("%zu files, every byte as %s signed it\n", n_files, facts->manifest.researcher);
}

/* --- writing --- */

/* The files that are there already, and room for the three that are made of them. */
struct parts {
    struct arena *arena;
    const char *folder;
    struct archive_file *files;
    size_t n;
};

static void add(struct parts *parts, const char *name, const void *data, size_t length)
{
    parts->files[parts->n++] =
        (struct archive_file){arena_printf(parts->arena, "%s/%s", parts->folder, name), data, length};
}

/* Signed parts behind the others: SHA256SUMS and its signature. */
static enum maille_code sign(struct parts *parts, struct bytes *sums, const struct bundle_facts *facts,
                             const struct secret_keys *keys, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    uint8_t signature[SIGNATURE_BYTES];
    qsort(parts->files, parts->n, sizeof *parts->files, sums_by_name);
    sums_put(sums, parts->files, parts->n, strlen(parts->folder) + 1);
    MAILLE_TRY(bytes_check(sums, error));
    MAILLE_TRY(identity_sign(signature, keys, LABEL, sums->data, sums->length, error));
    add(parts, SUMS, sums->data, sums->length);
    const char *text = signature_text(parts->arena, facts->manifest.researcher,
                                      secret_keys_public(keys)->identity, signature);
    add(parts, SUMS_SIGNATURE, text, strlen(text));
    qsort(parts->files, parts->n, sizeof *parts->files, sums_by_name);
out:
    return code;
}

static enum maille_code write_bundle(struct bytes *out, const char **folder, struct arena *arena,
                                     const struct secret_keys *keys, const char *id,
                                     struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct agent_evidence evidence;
    struct bundle_facts facts;
    struct bytes html = {0}, crate = {0}, sums = {0};
    struct message_manifest manifest;
    struct envelope envelope;
    MAILLE_TRY(agent_evidence_read(&evidence, arena, keys, id, error));
    if (evidence.network.length == 0 || evidence.result.length == 0 || evidence.n_messages == 0) {
        code = maille_fail(error, MAILLE_INVALID, "expected a query that has ended, found %.8s, which %s",
                           evidence.id,
                           evidence.network.length == 0 ? "was asked by a maille that kept no evidence"
                                                        : "has no result yet; go on with maille resume");
        goto out;
    }
    MAILLE_TRY(
        envelope_decode(&envelope, arena, evidence.messages[0].data, evidence.messages[0].length, error));
    MAILLE_TRY(message_manifest_decode(&manifest, arena, envelope.body, envelope.body_length, error));
    const bool in_circle = manifest.mode == MODE_CIRCLE; /* else the key would open masks as well */
    const struct bundle_input input = {.network = evidence.network,
                                       .study = manifest.study,
                                       .dictionary = evidence.dictionary,
                                       .result = evidence.result,
                                       .n_messages = evidence.n_messages,
                                       .messages = evidence.messages,
                                       .frames = evidence.frames,
                                       .question_key = {evidence.question_key, in_circle ? KEY_BYTES : 0}};
    MAILLE_TRY(bundle_check(&facts, arena, &input, error));
    *folder = arena_printf(arena, "%s-%.8s", facts.heading.id, facts.id);
    struct parts parts = {.arena = arena,
                          .folder = *folder,
                          .files = arena_array(arena, 2 * evidence.n_messages + 16, sizeof *parts.files)};
    MAILLE_TRY(report_html(&html, &facts.report, error));
    add(&parts, "README.txt", readme, strlen(readme));
    add(&parts, "study.yaml", input.study.data, input.study.length);
    add(&parts, "dictionary.yaml", input.dictionary.data, input.dictionary.length);
    add(&parts, "network.yaml", input.network.data, input.network.length);
    add(&parts, "result.json", input.result.data, input.result.length);
    add(&parts, "report.html", html.data, html.length);
    for (size_t m = 0; m < evidence.n_messages; m++) {
        MAILLE_TRY(
            envelope_decode(&envelope, arena, evidence.messages[m].data, evidence.messages[m].length, error));
        const char *name = arena_printf(arena, MESSAGES "%05zu-%s", m + 1, message_rule(envelope.kind)->name);
        add(&parts, name, evidence.messages[m].data, evidence.messages[m].length);
        if (evidence.frames[m].length > 0)
            add(&parts, arena_printf(arena, "%s" SEALED, name), evidence.frames[m].data,
                evidence.frames[m].length);
    }
    if (in_circle)
        add(&parts, QUESTION_KEY, evidence.question_key, KEY_BYTES);
    bundle_crate(&crate, arena, &facts, parts.files, parts.n, strlen(*folder) + 1);
    MAILLE_TRY(bytes_check(&crate, error));
    add(&parts, "ro-crate-metadata.json", crate.data, crate.length);
    MAILLE_TRY(sign(&parts, &sums, &facts, keys, error));
    MAILLE_TRY(archive_write(out, parts.files, parts.n, error));
out:
    bytes_clear(&html);
    bytes_clear(&crate);
    bytes_clear(&sums);
    crypto_wipe(&evidence, sizeof evidence);
    return code;
}

/* --- the command --- */

static enum maille_code verify(struct arena *arena, const char *path, const char *network,
                               struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes bundle = {0};
    struct bundle_facts facts;
    const struct directory *known = NULL;
    size_t n_files;
    if (network != NULL)
        MAILLE_TRY(cli_read_network(&known, arena, network, error));
    MAILLE_TRY(file_read(&bundle, path, BUNDLE_BYTES_MAX, error));
    MAILLE_TRY(bundle_verify(&facts, &n_files, arena, path, &bundle, known, error));
    print_facts(&facts, n_files, known != NULL);
out:
    bytes_clear(&bundle);
    return code;
}

static enum maille_code make(struct arena *arena, struct cli_access *access, const char *id,
                             const char *out_path, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes bundle = {0};
    struct bundle_facts facts;
    struct cli_remembered remembered[CLI_SESSION_ACCESS];
    const char *folder = NULL;
    size_t n_files;
    cli_session_access(remembered, access);
    MAILLE_TRY(cli_session_read(access, remembered, CLI_SESSION_ACCESS, id, "maille bundle", arena, error));
    MAILLE_TRY(cli_read_keys(&access->keys, KEY_RESEARCHER, access->key, access->credential, error));
    MAILLE_TRY(write_bundle(&bundle, &folder, arena, access->keys, id, error));
    /* What is written is what verify takes. */
    MAILLE_TRY(bundle_verify(&facts, &n_files, arena, "the bundle", &bundle, NULL, error));
    if (out_path == NULL)
        out_path = arena_printf(arena, "%s.tar", folder);
    MAILLE_TRY(file_write_atomic(out_path, bundle.data, bundle.length, 0644, error));
    printf("%s: %zu files, %zu bytes; maille bundle verify %s\n", out_path, n_files, bundle.length, out_path);
out:
    bytes_clear(&bundle);
    return code;
}

int cli_bundle(int argc, char **argv)
{
    struct cli_access access = {0};
    const char *words[2] = {NULL, NULL}, *out_path = NULL;
    bool done = false;
    size_t n = 0;
    struct option_row rows[CLI_ACCESS_ROWS + 2] = {
        [CLI_ACCESS_ROWS] = {.name = "out",
                             .kind = OPTION_STRING,
                             .target = &out_path,
                             .argument = "FILE.tar",
                             .sentence = "where the bundle goes; STUDY-ID.tar in this folder if absent"},
        {.name = NULL},
    };
    cli_access_rows(rows, &access, false);
    rows[0].sentence = "with verify: a directory whose authorities you trust";
    const struct option_usage usage = {
        "maille bundle", "ID | verify FILE",
        "Writes all that a query of this machine left as evidence into one signed archive; or verifies\n"
        "such an archive, without a network: every byte of it, and that its parts hang together.",
        1, 2};
    struct maille_error error = {0};
    struct arena *arena = arena_new();
    enum maille_code code = arena == NULL ? maille_fail(&error, MAILLE_MEMORY, "expected memory, found none")
                                          : options_parse(&usage, rows, argc, argv, words, &n, &done, &error);
    if (code != MAILLE_OK || done)
        goto out;
    if (n == 2 && strcmp(words[0], "verify") == 0)
        code = verify(arena, words[1], access.network, &error);
    else if (n == 1 && strcmp(words[0], "verify") != 0)
        code = make(arena, &access, words[0], out_path, &error);
    else
        code = maille_fail(
            &error, MAILLE_INVALID,
            "expected the id of a query, or verify and a file, found \"%s\"; see maille bundle --help",
            words[0]);
out:
    secret_keys_free(access.keys);
    arena_free(arena);
    return code == MAILLE_OK ? 0 : options_program_fail("maille bundle", &error);
}
