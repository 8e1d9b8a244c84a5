#include "base/options.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/display.h"
#include "base/number.h"
#include "base/options_manual.h"

void options_put_default(const struct option_row *row, void (*put)(const char *text))
{
    char text[128] = "";
    if (row->required)
        snprintf(text, sizeof text, " (required)");
    else if (row->kind == OPTION_STRING && *(const char **)row->target != NULL)
        snprintf(text, sizeof text, " (default %s)", *(const char **)row->target);
    else if (row->kind == OPTION_UNSIGNED && *(uint64_t *)row->target >= row->min)
        snprintf(text, sizeof text, " (default %llu)", (unsigned long long)*(uint64_t *)row->target);
    else if (row->kind == OPTION_DURATION && *(int64_t *)row->target > 0)
        snprintf(text, sizeof text, " (default %llds)", (long long)(*(int64_t *)row->target / 1000));
    put(text);
}

static void put_plain(const char *text)
{
    fputs(text, stdout);
}

void options_help(const struct option_usage *usage, const struct option_row *rows)
{
    printf("usage: %s%s%s%s\n\n%s\n", usage->program, rows[0].name ? " [options]" : "",
           usage->positional[0] ? " " : "", usage->positional, usage->sentence);
    printf("\noptions:\n");
    for (; rows->name != NULL; rows++) {
        char left[64];
        snprintf(left, sizeof left, "--%s%s%s", rows->name, rows->argument ? " " : "",
                 rows->argument ? rows->argument : "");
        printf("  %-26s %s", left, rows->sentence);
        options_put_default(rows, put_plain);
        printf("\n");
    }
    printf("  %-26s %s\n", "--help", "this text");
}

static enum maille_code option_store(const struct option_usage *usage, const struct option_row *row,
                                     const char *value, struct maille_error *error)
{
    uint64_t number;
    switch (row->kind) {
    case OPTION_FLAG:
        *(bool *)row->target = true;
        return MAILLE_OK;
    case OPTION_STRING:
        *(const char **)row->target = value;
        return MAILLE_OK;
    case OPTION_UNSIGNED:
        if (!number_parse_u64(value, strlen(value), &number) || number < row->min || number > row->max)
            return maille_fail(
                error, MAILLE_INVALID, "expected --%s from %llu to %llu, found \"%s\"; see %s --help",
                row->name, (unsigned long long)row->min, (unsigned long long)row->max, value, usage->program);
        *(uint64_t *)row->target = number;
        return MAILLE_OK;
    case OPTION_DURATION:
        if (!number_parse_duration_ms(value, row->target))
            return maille_fail(error, MAILLE_INVALID,
                               "expected --%s as a time such as 30s, 10m or 2h, found \"%s\"; see %s --help",
                               row->name, value, usage->program);
        return MAILLE_OK;
    }
    return MAILLE_INTERNAL;
}

enum maille_code options_parse(const struct option_usage *usage, const struct option_row *rows, int argc,
                               char **argv, const char **positional, size_t *n_positional, bool *done,
                               struct maille_error *error)
{
    bool only_positional = false;
    uint64_t seen = 0; /* one bit a row: a table has fewer than 64 */
    size_t n = 0;
    *done = options_manual_kind(argc, argv) != MANUAL_NONE;
    if (*done) {
        options_manual_command(options_manual_kind(argc, argv), usage, rows);
        return MAILLE_OK;
    }
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (only_positional || word[0] != '-' || word[1] == '\0') {
            if (n == usage->max_positional)
                return maille_fail(error, MAILLE_INVALID,
                                   "expected no further argument, found \"%s\"; see %s --help", word,
                                   usage->program);
            positional[n++] = word;
            continue;
        }
        if (strcmp(word, "--") == 0) {
            only_positional = true;
            continue;
        }
        if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
            options_help(usage, rows);
            *done = true;
            return MAILLE_OK;
        }
        const struct option_row *row = NULL;
        const char *value = NULL;
        size_t length = strcspn(word, "=");
        for (const struct option_row *r = rows; r->name != NULL; r++)
            if (strncmp(word, "--", 2) == 0 && strlen(r->name) == length - 2 &&
                strncmp(word + 2, r->name, length - 2) == 0)
                row = r;
        if (row == NULL)
            return maille_fail(error, MAILLE_INVALID, "expected an option of %s, found \"%s\"; see %s --help",
                               usage->program, word, usage->program);
        if (word[length] == '=')
            value = word + length + 1;
        if (row->kind == OPTION_FLAG && value != NULL)
            return maille_fail(error, MAILLE_INVALID,
                               "expected --%s without a value, found \"%s\"; see %s --help", row->name, word,
                               usage->program);
        if (row->kind != OPTION_FLAG && value == NULL) {
            if (i + 1 >= argc)
                return maille_fail(error, MAILLE_INVALID,
                                   "expected a value after --%s, found nothing; see %s --help", row->name,
                                   usage->program);
            value = argv[++i];
        }
        enum maille_code code = option_store(usage, row, value, error);
        if (code != MAILLE_OK)
            return code;
        seen |= (uint64_t)1 << (row - rows);
    }
    for (const struct option_row *row = rows; row->name != NULL; row++)
        if (row->required && (seen >> (row - rows) & 1) == 0)
            return maille_fail(error, MAILLE_INVALID, "expected --%s %s, found nothing; see %s --help",
                               row->name, row->argument ? row->argument : "", usage->program);
    if (n < usage->min_positional)
        return maille_fail(error, MAILLE_INVALID, "expected %s, found %s; see %s --help", usage->positional,
                           n == 0 ? "nothing" : "too few arguments", usage->program);
    *n_positional = n;
    return MAILLE_OK;
}

static int run_subcommand(const char *program, const char *sentence, const struct subcommand *table, int argc,
                          char **argv)
{
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        FILE *to = argc < 2 ? stderr : stdout;
        fprintf(to, "usage: %s COMMAND [options]\n\n%s\n\ncommands:\n", program, sentence);
        for (const struct subcommand *row = table; row->name != NULL; row++)
            fprintf(to, "  %-12s %s\n", row->name, row->sentence);
        fprintf(to, "\n%s COMMAND --help says more; %s --version [--json] prints the version.\n", program,
                program);
        return argc < 2 ? 2 : 0;
    }
    if (strcmp(argv[1], "--version") == 0) {
        if (argc > 2 && strcmp(argv[2], "--json") == 0)
            printf("{\"program\": \"%s\", \"version\": \"%s\", \"interface\": %d}\n", program, MAILLE_VERSION,
                   MAILLE_INTERFACE);
        else
            printf("%s %s\n", program, MAILLE_VERSION);
        return 0;
    }
    const enum manual manual = options_manual_kind(argc, argv);
    if (manual != MANUAL_NONE)
        return options_manual_program(manual, program, sentence, table, argc, argv);
    for (const struct subcommand *row = table; row->name != NULL; row++)
        if (strcmp(argv[1], row->name) == 0)
            return row->run(argc - 1, argv + 1);
    fprintf(stderr, "%s: expected a command, found \"%s\"; see %s --help\n", program, argv[1], program);
    return 2;
}

int options_program_fail(const char *program, const struct maille_error *error)
{
    fprintf(stderr, "%s: %s\n", program, error->sentence);
    return maille_exit_status(error->code);
}

int options_subcommands_run(const char *program, const char *sentence, const struct subcommand *table,
                            int argc, char **argv)
{
    struct maille_error error = {0};
    const bool outermost = display_guard();
    /* A peer that is gone and a file that may not grow are errors that are returned and said, not signals
     * that end the program. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    const int status = run_subcommand(program, sentence, table, argc, argv);
    if (outermost && display_finish(&error) != MAILLE_OK) {
        const int failed = options_program_fail(program, &error);
        return status == 0 ? failed : status;
    }
    return status;
}
