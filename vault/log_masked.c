/* The entry of a masked vector: with its clear numbers and the seeds of its masks, sealed for the data
 * protection officer alone. */
#include <inttypes.h>
#include <stdio.h>

#include "audit/vector.h"
#include "vault/private.h"

/* "1,234" */
static void put_thousands(char out[32], uint64_t number)
{
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%" PRIu64, number), used = 0;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            out[used++] = ',';
        out[used++] = digits[i];
    }
    out[used] = '\0';
}

/* One line: which round, which analyses, how many numbers. */
static const char *left_words(struct arena *arena, const struct vault_left *left)
{
    char count[32];
    const struct study *study = left->query->study;
    const char *text =
        arena_printf(arena, "round %u attempt %u, masked among %zu sites:", left->header->round,
                     left->header->attempt, left->header->n_members);
    const char *before = "";
    for (size_t i = 0; left->plan != NULL && i < left->header->n_analyses; i++) {
        size_t k = left->header->analyses[i], numbers = 0;
        if (!left->plan->analyses[k].open) /* it waits for a later round */
            continue;
        for (size_t block = 0; block < left->plan->analyses[k].spec->n_blocks; block++)
            numbers += left->plan->analyses[k].extents[block].count;
        put_thousands(count, numbers);
        text = arena_printf(arena, "%s%s %s (%s) %s number%s", text, before, study->analyses[k].id,
                            study->analyses[k].method, count, numbers == 1 ? "" : "s");
        before = ",";
    }
    return text;
}

enum maille_code vault_log_masked(struct vault *vault, const struct bytes *envelope, const void *frame,
                                  size_t frame_length, const struct vault_left *left,
                                  struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct arena *arena = arena_new();
    struct bytes clear = {0}, seeds = {0};
    struct digest clear_hash;
    struct audit_entry entry;
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory for an entry of the log");
    vault_log_entry_out(&entry, vault, MESSAGE_MASKED, left->query->qid, envelope, frame, frame_length);
    entry.detail = left->words != NULL ? left->words : left_words(arena, left);
    entry.psi = left->psi->b;
    entry.round = left->header->round;
    entry.attempt = left->header->attempt;
    entry.n_members = left->header->n_members;
    entry.members = left->header->members;
    entry.vector = left->vector->b;
    entry.vector_bytes = left->vector_bytes;
    entry.policy_hash = vault->policy_hash.b;
    entry.build = vault->build;
    vault_log_put_cohort(&entry, vault, left->query, arena);
    entry.n_rules = vault_rules_left(&entry.rules, arena, vault->policy, left);
    if (left->which != 0)
        entry.n_released = vault_words_threshold(&entry.released, arena, left->threshold, left->which);
    else if (left->plan != NULL) {
        entry.n_released = vault_words(&entry.released, arena, left->query->study, left->plan);
    }
    const struct officer *officer = vault_officer(vault);
    if (officer != NULL) { /* else nobody could open them */
        MAILLE_TRY(audit_seal_clear(&clear, &clear_hash, officer->box, left->release, error));
        MAILLE_TRY(audit_seal_seeds(&seeds, officer->box, left->query->secrets, left->mask_psi,
                                    left->header->members, left->header->n_members, error));
        entry.clear = (struct audit_blob){clear.data, clear.length};
        entry.clear_hash = clear_hash.b;
        entry.seeds = (struct audit_blob){seeds.data, seeds.length};
    }
    MAILLE_TRY(vault_log_append(vault, &entry, true, error));
out:
    bytes_clear(&clear);
    bytes_clear(&seeds);
    arena_free(arena);
    return code;
}
