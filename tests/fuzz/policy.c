/* disclosure/policy.h: a site's policy, and the floor of the network under it. */
#include "disclosure/policy.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct policy *policy, *floor, *effective, *again;
    struct maille_error error = {0};
    struct bytes text = {0};
    struct arena *arena = arena_new();
    if (arena == NULL)
        fuzz_fail("memory");
    if (policy_parse(&floor, arena, "floor", "policy: strict\n", 15, NULL) != MAILLE_OK)
        fuzz_fail("a floor");
    if (policy_parse(&policy, arena, "policy", (const char *)data, size, &error) != MAILLE_OK) {
        if (error.sentence[0] == '\0')
            fuzz_fail("a sentence with an error");
        goto out;
    }
    /* A site may tighten the floor, never loosen it; what it tells others can be read back. */
    if (policy_with_floor(&effective, arena, policy, floor) != MAILLE_OK ||
        effective->min_cell < floor->min_cell || effective->min_patients < floor->min_patients ||
        effective->min_sites < floor->min_sites)
        fuzz_fail("a policy at least as strict as its floor");
    policy_write(&text, effective);
    if (policy_parse(&again, arena, "floor", (const char *)text.data, text.length, &error) != MAILLE_OK ||
        again->min_cell < effective->min_cell || effective->min_cell < again->min_cell)
        fuzz_fail("a policy that can be read back");
out:
    bytes_clear(&text);
    arena_free(arena);
    return 0;
}
