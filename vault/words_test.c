/* What a round's blocks are called, for every method there is. */
#include "base/test.h"

#include "base/file.h"
#include "vault/log.h"

static const char *read_file(struct arena *arena, const char *path, size_t *length)
{
    struct bytes bytes = {0};
    struct maille_error error = {0};
    assert_ok(file_read(&bytes, path, 1 << 20, &error), &error);
    const char *text = arena_strndup(arena, (const char *)bytes.data, bytes.length);
    *length = bytes.length;
    bytes_clear(&bytes);
    return text;
}

static size_t parts_of(const char *text)
{
    size_t n = text[0] != '\0';
    for (const char *c = text; *c != '\0'; c++)
        n += *c == '|';
    return n;
}

/* Every block of the first round of every method: where it stands, and names that are as many as its numbers.
 */
static void every_method_has_words(void **state)
{
    (void)state;
    struct maille_error error = {0};
    struct arena *arena = arena_new();
    const struct dictionary *dictionary;
    const struct study *study;
    const struct audit_released *released;
    struct round_plan plan = {0};
    size_t length, n_methods, numbers = 0, named = 0;
    const char *text = read_file(arena, "examples/rotterdam/dictionary.yaml", &length);
    assert_ok(dictionary_parse(&dictionary, arena, "dictionary", text, length, &error), &error);
    text = read_file(arena, "examples/rotterdam/all-methods.yaml", &length);
    const struct query_method *methods = methods_declared(&n_methods);
    assert_ok(study_parse(&study, arena, dictionary, methods, n_methods, "study", text, length, &error),
              &error);
    bool *open = arena_array(arena, study->n_analyses, sizeof *open);
    struct vector *thetas = arena_array(arena, study->n_analyses, sizeof *thetas);
    for (size_t k = 0; k < study->n_analyses; k++)
        open[k] = true;
    assert_ok(round_plan(&plan, study, open, thetas, NULL, 0, &error), &error);
    size_t n = vault_words(&released, arena, study, &plan);
    assert_true(n > study->n_analyses);
    for (size_t i = 0; i < n; i++) {
        const struct audit_released *block = &released[i];
        size_t groups = parts_of(block->groups), values = parts_of(block->values);
        assert_true(block->offset + block->numbers * block->width <= plan.bytes);
        assert_true(i == 0 || block->offset >=
                                  released[i - 1].offset + released[i - 1].numbers * released[i - 1].width);
        assert_true(block->what[0] != '\0');
        if (groups > 0 && values > 0 && groups * values != block->numbers)
            fail_msg("%s: %s: %zu groups (%s) of %zu values (%s), expected %llu numbers", block->analysis,
                     block->what, groups, block->groups, values, block->values,
                     (unsigned long long)block->numbers);
        numbers += (size_t)block->numbers;
        named += groups > 0 && values > 0;
    }
    assert_true(numbers > 1000 && named > 20);
    round_plan_clear(&plan);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_method_has_words)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
