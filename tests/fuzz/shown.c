/* What sites say in an accept of groups that were answered before: forms (disclosure/combination_form.h),
 * parts (disclosure/near.h), what results have shown (disclosure/shown.h). The first byte says which. */
#include <string.h>

#include "disclosure/combination.h"
#include "disclosure/combination_form.h"
#include "disclosure/near.h"
#include "disclosure/parts.h"
#include "disclosure/shown.h"
#include "tests/fuzz/fuzz.h"

static enum maille_code nothing(void *context, size_t group, const uint64_t *coefficients, bool implied,
                                struct maille_error *error)
{
    size_t *rows = context;
    (void)implied;
    (void)error;
    if (coefficients[group] == 0)
        fuzz_fail("a row in which its group takes part");
    ++*rows;
    return MAILLE_OK;
}

/* Forms one behind the other, each with LE16 length; the last is the question's own. */
static void forms_of(const uint8_t *data, size_t size)
{
    enum { GROUPS_MAX = 48 };
    struct combination_group groups[GROUPS_MAX];
    struct combination combination;
    struct maille_error error = {0};
    size_t n = 0, rows = 0;
    while (size >= 2 && n < GROUPS_MAX) {
        size_t length = (size_t)(data[0] | data[1] << 8);
        data += 2, size -= 2;
        length = length < size ? length : size;
        groups[n++] = (struct combination_group){data, length};
        data += length, size -= length;
    }
    if (n == 0)
        return;
    if (combination_init(&combination, groups, n - 1, n, &error) != MAILLE_OK)
        fuzz_fail("forms of any bytes to be taken");
    if (combination_rows(&combination, nothing, &rows, &error) != MAILLE_OK && error.sentence[0] == '\0')
        fuzz_fail("a sentence with an error");
    combination_clear(&combination);
}

static void near_of(const uint8_t *data, size_t size, struct arena *arena)
{
    struct near_group one, two;
    const size_t half = size / 2;
    const bool first = near_read(&one, (struct byte_view){data, size}, arena);
    if (first && near_distance(&one, &one) != NEAR_SAME)
        fuzz_fail("a group to be the same as itself");
    if (near_read(&one, (struct byte_view){data, half}, arena) &&
        near_read(&two, (struct byte_view){data + half, size - half}, arena) &&
        near_distance(&one, &two) != near_distance(&two, &one))
        fuzz_fail("the same distance both ways");
}

static void shown_of(const uint8_t *data, size_t size, struct arena *arena)
{
    struct shown shown = {0}, again = {0};
    struct maille_error error = {0};
    struct bytes text = {0};
    if (shown_read(&shown, arena, data, size, &error) != MAILLE_OK) {
        if (error.sentence[0] == '\0')
            fuzz_fail("a sentence with an error");
        return;
    }
    shown_write(&text, &shown);
    if (text.length != size || memcmp(text.data, data, size) != 0)
        fuzz_fail("the bytes that were read");
    const struct shown *const lists[] = {&shown, NULL, &again};
    for (size_t i = 0; i < shown.n && i < 16; i++)
        if (shown_of_group(lists, 3, &shown.entries[i], arena) == 0 && shown.entries[i].amount > 0 &&
            shown.n == 1)
            fuzz_fail("the numbers of an entry");
    bytes_clear(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new();
    if (arena == NULL)
        fuzz_fail("memory");
    if (size > 0 && data[0] == 'c')
        forms_of(data + 1, size - 1);
    else if (size > 0 && data[0] == 'n')
        near_of(data + 1, size - 1, arena);
    else if (size > 0)
        shown_of(data + 1, size - 1, arena);
    arena_free(arena);
    return 0;
}
