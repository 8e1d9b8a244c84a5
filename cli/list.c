/* maille list, status, cancel, catalogue: short talks with the coordinator. */
#include "cli/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/options.h"
#include "cli/run.h"
#include "cli/talk.h"
#include "cli/session.h"
#include "proto/message.h"
#include "wire/wire.h"

static enum maille_code ask_list(struct message_list *list, struct arena *arena,
                                 const struct cli_access *access, int64_t timeout_ms,
                                 struct maille_error *error)
{
    const struct bytes nothing = {0};
    struct envelope answer;
    enum maille_code code =
        cli_talk(&answer, arena, access, MESSAGE_LIST_REQUEST, &nothing, MESSAGE_LIST, timeout_ms, error);
    return code == MAILLE_OK ? message_list_decode(list, arena, answer.body, answer.body_length, error)
                             : code;
}

static enum maille_code do_list(struct arena *arena, const struct cli_access *access, const char *unused,
                                int64_t timeout_ms, struct maille_error *error)
{
    struct message_list list;
    enum maille_code code = ask_list(&list, arena, access, timeout_ms, error);
    (void)unused;
    if (code != MAILLE_OK)
        return code;
    printf("%-64s  %-20s  %-10s  %5s  %s\n", "query", "asked (UTC)", "state", "round", "study");
    for (size_t q = 0; q < list.n; q++) {
        char id[2 * QID_BYTES + 1], when[32];
        bytes_to_hex(id, list.queries[q].qid, QID_BYTES);
        clock_format(when, list.queries[q].created_ms);
        printf("%-64s  %.19s   %-10s  %5u  %s\n", id, when, query_phase_name(list.queries[q].phase),
               list.queries[q].round, list.queries[q].study);
    }
    return MAILLE_OK;
}

/* The one query of the coordinator's list whose id begins so. */
static enum maille_code find_query(uint8_t qid[QID_BYTES], struct arena *arena,
                                   const struct cli_access *access, const char *id, int64_t timeout_ms,
                                   struct maille_error *error)
{
    struct message_list list;
    size_t found = 0;
    enum maille_code code = ask_list(&list, arena, access, timeout_ms, error);
    if (code != MAILLE_OK)
        return code;
    for (size_t q = 0; q < list.n; q++) {
        char hex[2 * QID_BYTES + 1];
        bytes_to_hex(hex, list.queries[q].qid, QID_BYTES);
        if (id[0] != '\0' && strncmp(hex, id, strlen(id)) == 0) {
            memcpy(qid, list.queries[q].qid, QID_BYTES);
            found++;
        }
    }
    if (found == 1)
        return MAILLE_OK;
    return maille_fail(
        error, MAILLE_INVALID,
        found == 0 ? "expected a query of yours, found none whose id begins with \"%s\"; see maille list"
                   : "expected one query, found several whose id begins with \"%s\"; write more of it",
        id);
}

static enum maille_code do_status(struct arena *arena, const struct cli_access *access, const char *id,
                                  int64_t timeout_ms, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct message_resume resume;
    struct message_status status;
    struct envelope answer;
    struct bytes body = {0};
    char hex[2 * QID_BYTES + 1];
    MAILLE_TRY(find_query(resume.qid, arena, access, id, timeout_ms, error));
    MAILLE_TRY(message_resume_encode(&body, &resume, error));
    MAILLE_TRY(cli_talk(&answer, arena, access, MESSAGE_RESUME, &body, MESSAGE_STATUS, timeout_ms, error));
    MAILLE_TRY(message_status_decode(&status, arena, answer.body, answer.body_length, error));
    bytes_to_hex(hex, status.qid, QID_BYTES);
    printf("query      %s\nstate      %s\nround      %u, attempt %u\nreceived   %llu bytes of masked sums\n",
           hex, query_phase_name(status.phase), status.round, status.attempt,
           (unsigned long long)status.bytes);
    for (int list = 0; list < 2; list++) {
        const uint32_t *sites = list == 0 ? status.waiting : status.connected;
        size_t n = list == 0 ? status.n_waiting : status.n_connected;
        printf("%-10s ", list == 0 ? "waiting" : "connected");
        for (size_t s = 0; s < n; s++) {
            const struct directory_site *site = directory_site(access->directory, sites[s]);
            printf("%s%s", s > 0 ? ", " : "", site != NULL ? site->name : "?");
        }
        printf("%s\n", n == 0 ? "nobody" : "");
    }
    for (size_t s = 0; s < status.n_other; s++) {
        const struct directory_site *site = directory_site(access->directory, status.other[s].site);
        const uint32_t wire = status.other[s].wire;
        printf("other wire %s speaks version %u, the network version %d: %s needs %s\n",
               site != NULL ? site->name : "?", wire, PROTOCOL_VERSION,
               wire < PROTOCOL_VERSION ? "it" : "the network",
               message_wire_install(wire < PROTOCOL_VERSION ? PROTOCOL_VERSION : wire));
    }
out:
    bytes_clear(&body);
    return code;
}

static enum maille_code do_cancel(struct arena *arena, const struct cli_access *access, const char *id,
                                  int64_t timeout_ms, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct message_cancel cancel = {.rule = "cancelled"};
    struct message_status status;
    struct envelope answer;
    struct bytes body = {0};
    MAILLE_TRY(find_query(cancel.qid, arena, access, id, timeout_ms, error));
    MAILLE_TRY(message_cancel_encode(&body, &cancel, error));
    MAILLE_TRY(cli_talk(&answer, arena, access, MESSAGE_CANCEL, &body, MESSAGE_STATUS, timeout_ms, error));
    MAILLE_TRY(message_status_decode(&status, arena, answer.body, answer.body_length, error));
    printf("%s\n", query_phase_name(status.phase));
out:
    bytes_clear(&body);
    return code;
}

static enum maille_code do_catalogue(struct arena *arena, const struct cli_access *access, const char *unused,
                                     int64_t timeout_ms, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct bytes nothing = {0};
    struct message_catalogues catalogues;
    struct envelope answer;
    const struct dictionary *dictionary = NULL;
    (void)unused;
    MAILLE_TRY(cli_talk(&answer, arena, access, MESSAGE_CATALOGUE_REQUEST, &nothing, MESSAGE_CATALOGUES,
                        timeout_ms, error));
    MAILLE_TRY(message_catalogues_decode(&catalogues, arena, answer.body, answer.body_length, error));
    printf("%-24s %8s  %-12s %-20s %s\n", "site", "snapshot", "patients", "dictionary", "policy");
    for (size_t c = 0; c < catalogues.n; c++) {
        struct envelope inner;
        struct message_catalogue site;
        struct maille_error ignored;
        MAILLE_TRY(envelope_decode(&inner, arena, catalogues.envelopes[c].data,
                                   catalogues.envelopes[c].length, error));
        const struct directory_site *known = directory_site_named(access->directory, inner.from);
        if (inner.kind != MESSAGE_CATALOGUE || known == NULL ||
            !envelope_verified(&inner, known->keys.identity) ||
            message_catalogue_decode(&site, arena, inner.body, inner.body_length, &ignored) != MAILLE_OK) {
            printf("%-24s (not signed by a site of this network)\n", inner.from);
            continue;
        }
        printf("%-24s %8u  %-12s %s@%lld%*s %s\n", known->name, site.snapshot, site.patients_band,
               site.dictionary, (long long)site.dictionary_version,
               (int)(strlen(site.dictionary) < 17 ? 17 - strlen(site.dictionary) : 0), "", site.policy);
        if (dictionary == NULL && site.dictionary_text.length > 0 &&
            dictionary_parse(&dictionary, arena, "catalogue", (const char *)site.dictionary_text.data,
                             site.dictionary_text.length, &ignored) != MAILLE_OK)
            dictionary = NULL;
    }
    if (dictionary == NULL)
        goto out;
    printf("\n%s@%lld\n", dictionary->name, (long long)dictionary->version);
    for (size_t v = 0; v < dictionary->n_variables; v++) {
        const struct variable *variable = &dictionary->variables[v];
        printf("  %-16s %-9s %-10s %s", variable->name, variable_type_name(variable->type), variable->units,
               variable->label);
        if (variable->type == VARIABLE_CATEGORY)
            for (size_t l = 0; l < variable->n_levels; l++)
                printf("%s%s", l == 0 ? ": " : ", ", variable->levels[l]);
        printf("\n");
    }
out:
    return code;
}

typedef enum maille_code short_talk(struct arena *arena, const struct cli_access *access, const char *id,
                                    int64_t timeout_ms, struct maille_error *error);

static int run_talk(int argc, char **argv, const struct option_usage *usage, short_talk *talk_about)
{
    struct cli_access access = {0};
    struct cli_remembered remembered[CLI_SESSION_ACCESS];
    int64_t timeout = 10000;
    const char *id = NULL;
    bool done = false;
    size_t n;
    struct option_row rows[CLI_ACCESS_ROWS + 2] = {
        [CLI_ACCESS_ROWS] = {.name = "timeout",
                             .kind = OPTION_DURATION,
                             .target = &timeout,
                             .argument = "TIME",
                             .sentence = "give up after this time"},
        {.name = NULL},
    };
    cli_access_rows(rows, &access, false);
    cli_session_access(remembered, &access);
    struct maille_error error = {0};
    struct arena *arena = arena_new();
    enum maille_code code = arena == NULL ? maille_fail(&error, MAILLE_MEMORY, "expected memory, found none")
                                          : options_parse(usage, rows, argc, argv, &id, &n, &done, &error);
    if (code != MAILLE_OK || done)
        goto out;
    MAILLE_TRY(cli_session_read(&access, remembered, CLI_SESSION_ACCESS, id, usage->program, arena, &error));
    MAILLE_TRY(cli_access(&access, arena, &error));
    MAILLE_TRY(talk_about(arena, &access, id, timeout, &error));
out:
    secret_keys_free(access.keys);
    arena_free(arena);
    return code == MAILLE_OK ? 0 : options_program_fail(usage->program, &error);
}

/* For the help of commands that take an id. */
#define SESSION "\nThe network and the key are those that it was asked with, where no option names others."

int cli_list(int argc, char **argv)
{
    const struct option_usage usage = {
        "maille list", "",
        "Lists your queries at the coordinator. The network and the key are those of the last question\nthat "
        "was asked on this machine, where no option names others.",
        0, 0};
    return run_talk(argc, argv, &usage, do_list);
}

int cli_status(int argc, char **argv)
{
    const struct option_usage usage = {"maille status", "ID",
                                       "Shows where a query stands and whom it waits for." SESSION, 1, 1};
    return run_talk(argc, argv, &usage, do_status);
}

int cli_cancel(int argc, char **argv)
{
    const struct option_usage usage = {"maille cancel", "ID", "Ends a query; sites erase its keys." SESSION,
                                       1, 1};
    return run_talk(argc, argv, &usage, do_cancel);
}

int cli_catalogue(int argc, char **argv)
{
    const struct option_usage usage = {
        "maille catalogue", "",
        "Shows what the sites publish: snapshots, sizes in bands, variables. The network and the key "
        "are\nthose of the last question that was asked on this machine, where no option names others.",
        0, 0};
    return run_talk(argc, argv, &usage, do_catalogue);
}
