/* proto/decision.h: what an officer decides or whom she appoints, as somebody puts it into the spool. */
#include <string.h>

#include "proto/decision.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct secret_keys *officer;
    struct decision decision;
    struct appointment appointment;
    struct bytes text = {0}, again = {0};
    struct maille_error error = {0};
    struct arena *arena = arena_new();
    if (arena == NULL || crypto_start(NULL) != MAILLE_OK ||
        (officer == NULL && secret_keys_new(&officer, KEY_DPO, "officer", NULL) != MAILLE_OK))
        fuzz_fail("a key");
    const uint8_t *identity = secret_keys_public(officer)->identity;
    bytes_put(&text, data, size);
    for (int known = 0; known < 2; known++) {
        const enum maille_code code =
            decision_read(&decision, arena, "decision", &text, known ? identity : NULL, &error);
        if (code != MAILLE_OK && error.sentence[0] == '\0')
            fuzz_fail("a sentence with an error");
        if (code == MAILLE_OK && known)
            fuzz_fail("no decision that this officer did not sign");
        if (code == MAILLE_OK &&
            (decision.kind > DECISION_STOP || strlen(decision.reason) > DECISION_REASON_MAX))
            fuzz_fail("a decision within its limits");
        if (appointment_is(&text) &&
            appointment_read(&appointment, arena, "appointment", &text, known ? identity : NULL, &error) ==
                MAILLE_OK &&
            known)
            fuzz_fail("no appointment that this officer did not sign");
    }
    decision_pending_line(arena, &text, "study");
    /* What is written with these words is read again. */
    decision = (struct decision){.kind = size > 0 ? data[0] % 3 : DECISION_DENY,
                                 .by = "officer",
                                 .at = "2026-01-01T00:00:00Z",
                                 .reason = arena_strndup(arena, (const char *)data, size)};
    if (decision_write(&again, &decision, officer, &error) == MAILLE_OK) {
        struct decision read;
        if (decision_read(&read, arena, "again", &again, identity, &error) != MAILLE_OK ||
            strcmp(read.reason, decision.reason) != 0 || read.kind != decision.kind)
            fuzz_fail("the decision that was written");
    }
    bytes_clear(&text);
    bytes_clear(&again);
    arena_free(arena);
    return 0;
}
