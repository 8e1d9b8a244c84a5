/* disclosure/policy.h: a site's policy, and the floor of the network under it. */
#include "disclosure/policy.h"
#include "tests/fuzz/fuzz.h"

/* What a new site starts from can be read, and so can the table of keys. */
static void templates(struct arena *arena)
{
    static const char *const presets[] = {"open", "standard", "strict"};
    static bool done;
    const struct policy *policy;
    struct maille_error error = {0};
    struct bytes text = {0};
    for (size_t i = 0; !done && i < sizeof presets / sizeof *presets; i++) {
        text.length = 0;
        if (policy_template(&text, presets[i], &error) != MAILLE_OK ||
            policy_parse(&policy, arena, "template", (const char *)text.data, text.length, &error) !=
                MAILLE_OK)
            fuzz_fail("a template that can be read");
    }
    if (policy_template(&text, "none of them", &error) == MAILLE_OK)
        fuzz_fail("no template of another name");
    policy_manual(&text);
    bytes_clear(&text);
    done = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char floor_text[] =
        "policy: strict\nmin_events: 20\nmethods: [km, cox]\npurposes: [research]\n"
        "approval: { default: hold, methods: { km: auto } }\n";
    const struct policy *policy, *floor, *effective, *again;
    struct maille_error error = {0};
    struct bytes text = {0};
    struct arena *arena = arena_new();
    if (arena == NULL)
        fuzz_fail("memory");
    if (policy_parse(&floor, arena, "floor", floor_text, sizeof floor_text - 1, NULL) != MAILLE_OK)
        fuzz_fail("a floor");
    templates(arena);
    /* Any policy, with a floor or alone, can be told to others. */
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
    policy_write(&text, policy);
    if (policy_parse(&again, arena, "alone", (const char *)text.data, text.length, &error) != MAILLE_OK)
        fuzz_fail("a policy without a floor that can be read back");
    text.length = 0;
    policy_write(&text, effective);
    if (policy_parse(&again, arena, "floor", (const char *)text.data, text.length, &error) != MAILLE_OK ||
        again->min_cell < effective->min_cell || effective->min_cell < again->min_cell)
        fuzz_fail("a policy that can be read back");
out:
    bytes_clear(&text);
    arena_free(arena);
    return 0;
}
