/* Entries that say how a question was judged, by which policy, and by whom. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "vault/spool.h"
#include "vault/private.h"

enum { NOTED_BYTES_MAX = 4096 };

static void count_cohort(struct vault *vault, const struct analysis *analysis, const struct tally *words)
{
    struct arena *arena = arena_new();
    struct maille_error ignored;
    size_t bytes;
    if (arena == NULL)
        return;
    struct cells *cells = arena_alloc(arena, sizeof *cells);
    struct tally_extent *extents = arena_array(arena, TALLY_BLOCKS_MAX, sizeof *extents);
    if (method_cells(analysis, arena, cells, &ignored) == MAILLE_OK &&
        tally_layout(extents, &bytes, &cells->spec, &ignored) == MAILLE_OK && words->words.length == bytes)
        for (size_t b = 0; b < cells->spec.n_blocks; b++)
            if (cells->rules[b] == CELL_COHORT) {
                int64_t patients = tally_count(words->words.data, &extents[b], 0);
                vault->cohort = patients > vault->cohort ? patients : vault->cohort;
            }
    arena_free(arena);
}

void vault_log_counts(struct vault *vault, const struct study *study, const struct data_cells *cells)
{
    vault->cohort = -1;
    for (size_t k = 0; k < study->n_analyses; k++)
        if (cells->failures[k].rule[0] == '\0')
            count_cohort(vault, &study->analyses[k], &cells->words[k]);
}

/* Which patients were asked about, without saying who: the snapshot, and the cohorts as the study writes
 * them. */
static const uint8_t *cohort_fingerprint(struct arena *arena, const struct query *query,
                                         const struct study *study)
{
    struct bytes bytes = {0};
    struct digest *made = arena_alloc(arena, sizeof *made);
    if (study == NULL)
        return NULL;
    bytes_put(&bytes, query->snapshot_hash.b, HASH_BYTES);
    for (size_t k = 0; k < study->n_analyses; k++) {
        bytes_put_u8(&bytes, study->analyses[k].cohort != NULL);
        if (study->analyses[k].cohort != NULL)
            expression_serialise(&bytes, study->analyses[k].cohort);
    }
    if (!bytes.failed)
        hash_kdf(made, NULL, "cohort", bytes.data, bytes.length);
    bool failed = bytes.failed;
    bytes_clear(&bytes);
    return failed ? NULL : made->b;
}

/* Public data need no band. */
static const char *cohort_band(struct arena *arena, const struct vault *vault)
{
    if (vault->cohort < 0)
        return NULL;
    if (strcmp(vault->policy->preset, "open") == 0)
        return arena_printf(arena, "%" PRId64, vault->cohort);
    return vault_patients_band((uint64_t)vault->cohort);
}

void vault_log_put_cohort(struct audit_entry *entry, struct vault *vault, const struct query *query,
                          struct arena *arena)
{
    entry->cohort = cohort_fingerprint(arena, query, query->study);
    entry->cohort_band = cohort_band(arena, vault);
    vault->cohort = -1;
}

enum maille_code vault_log_judged(struct vault *vault, enum message_kind kind, const struct bytes *envelope,
                                  const struct vault_judged *judged, struct maille_error *error)
{
    struct audit_entry entry;
    struct arena *arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory for an entry of the log");
    vault_log_entry_out(&entry, vault, kind, judged->query->qid, envelope, NULL, 0);
    entry.detail = judged->words;
    entry.decision = judged->decision;
    vault_log_put_cohort(&entry, vault, judged->query, arena);
    entry.policy_hash = vault->policy_hash.b;
    entry.n_rules =
        vault_rules(&entry.rules, arena, judged->policy != NULL ? judged->policy : vault->policy, judged);
    entry.build = vault->build;
    if (judged->header != NULL) {
        entry.psi = judged->psi->b;
        entry.round = judged->header->round;
        entry.attempt = judged->header->attempt;
        entry.n_members = judged->header->n_members;
        entry.members = judged->header->members;
    }
    enum maille_code code = vault_log_append(vault, &entry, true, error);
    if (code == MAILLE_OK && judged->plan == NULL)
        vault_tell_judged(vault, judged);
    arena_free(arena);
    return code;
}

enum maille_code vault_log_joined(struct vault *vault, const struct query *query,
                                  const struct maille_error *why, struct maille_error *error)
{
    struct audit_entry entry = {.direction = AUDIT_NOTE,
                                .message = "joined",
                                .peer = vault->self->name,
                                .qid = query->qid,
                                .detail = "",
                                .policy_hash = vault->policy_hash.b,
                                .build = vault->build};
    struct arena *arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory for an entry of the log");
    entry.n_rules = vault_rules_roster(&entry.rules, arena, vault->policy, why);
    enum maille_code code = vault_log_append(vault, &entry, true, error);
    arena_free(arena);
    return code;
}

enum maille_code vault_log_decision(struct vault *vault, const struct query *query,
                                    const struct decision *decision, const char *word,
                                    const uint8_t identity[PUBLIC_BYTES], const struct bytes *signed_file,
                                    struct maille_error *error)
{
    struct audit_entry entry = {.direction = AUDIT_NOTE,
                                .message = "approval",
                                .peer = vault->self->name,
                                .qid = query->qid,
                                .bytes = signed_file->length,
                                .detail = decision->reason,
                                .decision = word,
                                .policy_hash = vault->policy_hash.b,
                                .approver = decision->by,
                                .approver_key = identity,
                                .approver_signature = decision->signature,
                                .build = vault->build,
                                .envelope = {signed_file->data, signed_file->length}};
    hash_bytes(&entry.hash, signed_file->data, signed_file->length);
    return vault_log_append(vault, &entry, true, error);
}

/* --- what was in force before --- */

/* Whether a fact is another than at the last note of it; a file of state/ keeps its hash. */
static bool is_news(const struct vault *vault, char path[PATH_MAX], const char *name,
                    const struct digest *fact, char before[2 * HASH_BYTES + 1])
{
    struct bytes kept = {0};
    struct maille_error ignored;
    struct digest hash;
    bool same = false;
    before[0] = '\0';
    if (file_path_join(path, PATH_MAX, vault->state_folder, name, &ignored) != MAILLE_OK)
        return false;
    if (file_exists(path) && file_read(&kept, path, NOTED_BYTES_MAX, &ignored) == MAILLE_OK &&
        kept.length == HASH_BYTES) {
        memcpy(hash.b, kept.data, HASH_BYTES);
        bytes_to_hex(before, hash.b, HASH_BYTES);
        same = digest_equal(&hash, fact);
    }
    bytes_clear(&kept);
    return !same;
}

/* A text that is in force, where it is another than the last that was noted. entry: all but direction, peer,
 * build and text. file: of state/. */
static enum maille_code note_text(struct vault *vault, struct audit_entry entry, const char *file,
                                  const struct digest *hash, const void *text, size_t length,
                                  struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char path[PATH_MAX], before[2 * HASH_BYTES + 1];
    if (!is_news(vault, path, file, hash, before))
        return MAILLE_OK;
    entry.direction = AUDIT_NOTE;
    entry.peer = vault->self->name;
    entry.build = vault->build;
    entry.envelope = (struct audit_blob){text, length};
    entry.detail = before[0] == '\0'
                       ? arena_printf(vault->arena, "%s: the first", entry.detail)
                       : arena_printf(vault->arena, "%s, instead of %.16s…", entry.detail, before);
    MAILLE_TRY(vault_log_append(vault, &entry, true, error));
    MAILLE_TRY(file_write_atomic(path, hash->b, HASH_BYTES, 0600, error));
out:
    return code;
}

static enum maille_code note_duties(struct vault *vault, struct maille_error *error)
{
    struct digest hash;
    const size_t length = strlen(vault->options.duties);
    hash_kdf(&hash, NULL, "duties", vault->options.duties, length);
    return note_text(vault,
                     (struct audit_entry){.message = "duties",
                                          .detail = "what the register of processing says of this site"},
                     "noted-duties", &hash, vault->options.duties, length, error);
}

enum maille_code vault_log_start(struct vault *vault, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes policy = {0};
    policy_write(&policy, vault->policy);
    MAILLE_TRY(bytes_check(&policy, error));
    hash_kdf(&vault->policy_hash, NULL, "policy", policy.data, policy.length);
    const char *text = arena_printf(vault->arena, "maille %s, directory version %llu, policy %s",
                                    MAILLE_VERSION, (unsigned long long)vault->directory->version,
                                    policy_title(vault->arena, vault->policy));
    const struct audit_entry entry = {.direction = AUDIT_NOTE,
                                      .message = "start",
                                      .peer = vault->self->name,
                                      .detail = text,
                                      .policy_hash = vault->policy_hash.b,
                                      .build = vault->build};
    MAILLE_TRY(vault_log_append(vault, &entry, true, error));
    MAILLE_TRY(note_text(vault,
                         (struct audit_entry){.message = "policy",
                                              .policy_hash = vault->policy_hash.b,
                                              .detail = policy_title(vault->arena, vault->policy)},
                         "noted-policy", &vault->policy_hash, policy.data, policy.length, error));
    if (vault->options.duties != NULL)
        MAILLE_TRY(note_duties(vault, error));
out:
    bytes_clear(&policy);
    return code;
}

enum maille_code vault_log_snapshot(struct vault *vault, const struct data_facts *facts,
                                    struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char path[PATH_MAX], before[2 * HASH_BYTES + 1], detail[512];
    snprintf(detail, sizeof detail, "snapshot %u%s, %s patients%s%s", facts->number,
             facts->is_public ? " (public)" : "", vault_patients_band(facts->patients),
             facts->exclusions[0] != '\0' ? ", without " : "", facts->exclusions);
    const struct audit_entry entry = {.direction = AUDIT_NOTE,
                                      .message = "snapshot",
                                      .peer = vault->self->name,
                                      .hash = facts->hash,
                                      .detail = detail,
                                      .build = vault->build};
    if (!is_news(vault, path, "noted-snapshot", &facts->hash, before))
        return MAILLE_OK;
    MAILLE_TRY(vault_log_append(vault, &entry, true, error));
    MAILLE_TRY(file_write_atomic(path, facts->hash.b, HASH_BYTES, 0600, error));
out:
    return code;
}
