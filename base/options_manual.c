/* Completion for shells and the manual page of a program, from the same rows as its --help. A program with
 * subcommands writes the beginning and the end, and asks each of them for its part: by the words
 * --completion bash, --completion zsh and --man, which its own --help does not list. */
#include "base/options_manual.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* What completes the value of an option, or a word without one. */
enum value_kind { VALUE_FILE, VALUE_FOLDER, VALUE_CHOICE, VALUE_OTHER };

/* "svg|pdf|png" and "json" are what to write; DIR and D are folders; N, S and TIME are neither. */
static enum value_kind value_kind(const char *argument)
{
    static const char *const others[] = {"N",      "S",    "ID",      "NAME", "SITE", "TIME", "COLUMN",
                                         "[SITE]", "HOST", "ADDRESS", "URL",  "DATE", "TEXT"};
    if (argument == NULL || argument[0] == '\0')
        return VALUE_OTHER;
    if (strspn(argument, "abcdefghijklmnopqrstuvwxyz-|") == strlen(argument))
        return VALUE_CHOICE;
    if (strcmp(argument, "D") == 0 || strcmp(argument, "DIR") == 0)
        return VALUE_FOLDER;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcmp(others[i], argument) == 0)
            return VALUE_OTHER;
    return VALUE_FILE;
}

/* --- bash --- */

/* "a|b" → "a b". */
static void put_choices(const char *choices)
{
    for (; *choices != '\0'; choices++)
        putchar(*choices == '|' ? ' ' : *choices);
}

static void bash_options(const struct option_usage *usage, const struct option_row *rows)
{
    printf("    '%s')\n        flags='--help", usage->program);
    for (const struct option_row *row = rows; row->name != NULL; row++)
        printf(" --%s", row->name);
    printf("'\n        values='");
    for (const struct option_row *row = rows; row->name != NULL; row++)
        if (row->kind != OPTION_FLAG)
            printf(" --%s:%s", row->name,
                   value_kind(row->argument) == VALUE_CHOICE   ? row->argument
                   : value_kind(row->argument) == VALUE_FOLDER ? "/"
                   : value_kind(row->argument) == VALUE_OTHER  ? "?"
                                                               : "");
    printf("'\n");
    if (value_kind(usage->positional) == VALUE_CHOICE) {
        printf("        commands='");
        put_choices(usage->positional);
        printf("'\n");
    }
    printf("        ;;\n");
}

static const char bash_end[] = //
    "    esac\n"
    "}\n"
    "_@F() {\n"
    "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
    "    local at=@P word commands flags values i\n"
    "    _@F_at \"$at\"\n"
    "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
    "        [[ -z $values && \" $commands \" == *\" ${COMP_WORDS[i]} \"* ]] || break\n"
    "        at=\"$at ${COMP_WORDS[i]}\"\n"
    "        _@F_at \"$at\"\n"
    "    done\n"
    "    COMPREPLY=()\n"
    "    for word in $values; do\n"
    "        [[ ${word%:*} == \"$prev\" ]] || continue\n"
    "        case ${word#*:} in\n"
    "        '') COMPREPLY=($(compgen -f -- \"$cur\")) ;;\n"
    "        /) COMPREPLY=($(compgen -d -- \"$cur\")) ;;\n"
    "        \\?) ;;\n"
    "        *) word=${word#*:}; COMPREPLY=($(compgen -W \"${word//|/ }\" -- \"$cur\")) ;;\n"
    "        esac\n"
    "        return\n"
    "    done\n"
    "    if [[ $cur == -* ]]; then\n"
    "        COMPREPLY=($(compgen -W \"$flags\" -- \"$cur\"))\n"
    "    elif [[ -n $commands ]]; then\n"
    "        COMPREPLY=($(compgen -W \"$commands\" -- \"$cur\"))\n"
    "    else\n"
    "        COMPREPLY=($(compgen -f -- \"$cur\"))\n"
    "    fi\n"
    "}\n"
    "complete -o filenames -F _@F @P\n";

/* --- zsh --- */

/* Inside single quotes of a shell, and with what zsh's _arguments and _describe would take for syntax. */
static void put_zsh(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            printf("'\\''");
        else if (*text == '\n')
            putchar(' ');
        else {
            if (strchr(":[]\\", *text) != NULL)
                putchar('\\');
            putchar(*text);
        }
    }
}

static void put_zsh_value(const char *argument)
{
    const enum value_kind kind = value_kind(argument);
    put_zsh(argument);
    putchar(':');
    if (kind == VALUE_CHOICE) {
        putchar('(');
        put_choices(argument);
        putchar(')');
    } else if (kind != VALUE_OTHER) {
        printf(kind == VALUE_FOLDER ? "_files -/" : "_files");
    }
}

static void zsh_options(const struct option_usage *usage, const struct option_row *rows)
{
    printf("    '%s')\n        options=('--help[this text]'", usage->program);
    for (const struct option_row *row = rows; row->name != NULL; row++) {
        printf(" \\\n            '--%s[", row->name);
        put_zsh(row->sentence);
        putchar(']');
        if (row->kind != OPTION_FLAG) {
            putchar(':');
            put_zsh_value(row->argument == NULL ? "VALUE" : row->argument);
        }
        putchar('\'');
    }
    if (usage->max_positional > 0) {
        printf(" \\\n            '%s:", usage->max_positional > 1 ? "*" : "1");
        put_zsh_value(usage->positional);
        putchar('\'');
    }
    printf(")\n        ;;\n");
}

static const char zsh_end[] = //
    "    esac\n"
    "}\n"
    "_@F() {\n"
    "    local at=@P\n"
    "    local -i depth=1\n"
    "    local -a commands options\n"
    "    _@F_at $at\n"
    "    while ((depth + 1 < CURRENT && ${commands[(I)${words[depth + 1]}:*]})); do\n"
    "        at=\"$at ${words[++depth]}\"\n"
    "        _@F_at $at\n"
    "    done\n"
    "    words=(\"${(@)words[depth,-1]}\")\n"
    "    ((CURRENT -= depth - 1))\n"
    "    if (($#commands)); then _describe command commands; else _arguments \"${options[@]}\"; fi\n"
    "}\n"
    "if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _@F \"$@\"; else compdef _@F @P; fi\n";

/* --- the manual --- */

/* Text that roff prints as it is. */
static void put_roff(const char *text)
{
    bool at_start = true;
    for (; *text != '\0'; text++) {
        if (at_start && (*text == '.' || *text == '\''))
            printf("\\&");
        if (*text == '-')
            printf("\\-");
        else if (*text == '\\')
            printf("\\e");
        else
            putchar(*text);
        at_start = *text == '\n';
    }
}

static void man_options(const struct option_usage *usage, const struct option_row *rows)
{
    printf(".SS ");
    put_roff(usage->program);
    printf("\n.B ");
    put_roff(usage->program);
    printf("\n%s", rows[0].name != NULL ? "[options]\n" : "");
    if (usage->positional[0] != '\0') {
        put_roff(usage->positional);
        putchar('\n');
    }
    printf(".PP\n");
    put_roff(usage->sentence);
    putchar('\n');
    for (const struct option_row *row = rows; row->name != NULL; row++) {
        printf(".TP\n.B \\-\\-");
        put_roff(row->name);
        if (row->argument != NULL) {
            putchar(' ');
            put_roff(row->argument);
        }
        putchar('\n');
        put_roff(row->sentence);
        options_put_default(row, put_roff);
        putchar('\n');
    }
}

static void put_upper(const char *text)
{
    for (; *text != '\0'; text++)
        putchar(toupper((unsigned char)*text));
}

static const char man_end[] = //
    ".SH EXIT STATUS\n"
    ".TP\n0\nDone; of a study: every analysis has its result.\n"
    ".TP\n1\nA rule refused or a computation failed; a result file is written all the same, and says of "
    "each\n"
    "analysis what became of it. Also: the disk, memory, an internal error.\n"
    ".TP\n2\nWrong usage, or a file that is not what it should be.\n"
    ".TP\n3\nThe network or a party did not answer in time.\n"
    ".TP\n130\nInterrupted.\n";

/* --- both --- */

/* "maille-worker policy" → "maille_worker_policy": the name of a shell function. */
static const char *function_of(char out[64], const char *program)
{
    snprintf(out, 64, "%s", program);
    for (char *c = out; *c != '\0'; c++)
        if (!isalnum((unsigned char)*c))
            *c = '_';
    return out;
}

enum manual options_manual_kind(int argc, char *const *argv)
{
    if (argc == 2 && strcmp(argv[1], "--man") == 0)
        return MANUAL_PAGE;
    if (argc != 3 || strcmp(argv[1], "--completion") != 0)
        return MANUAL_NONE;
    return strcmp(argv[2], "bash") == 0  ? MANUAL_BASH
           : strcmp(argv[2], "zsh") == 0 ? MANUAL_ZSH
                                         : MANUAL_NONE;
}

void options_manual_command(enum manual kind, const struct option_usage *usage, const struct option_row *rows)
{
    if (kind == MANUAL_BASH)
        bash_options(usage, rows);
    else if (kind == MANUAL_ZSH)
        zsh_options(usage, rows);
    else if (kind == MANUAL_PAGE)
        man_options(usage, rows);
}

static void put_names(const struct subcommand *table)
{
    for (const struct subcommand *row = table; row->name != NULL; row++)
        printf("%s%s", row == table ? "" : " ", row->name);
}

/* The part of a program's, or of a group's, own. */
static void begin(enum manual kind, bool outermost, const char *program, const char *sentence,
                  const struct subcommand *table)
{
    char function[64];
    function_of(function, program);
    switch (kind) {
    case MANUAL_BASH:
        if (outermost)
            printf("# bash completion for %s, made by %s --completion bash\n"
                   "_%s_at() {\n    commands= flags= values=\n    case $1 in\n",
                   program, program, function);
        printf("    '%s')\n        commands='", program);
        put_names(table);
        printf("'\n        flags='--help%s'\n        ;;\n", outermost ? " --version" : "");
        break;
    case MANUAL_ZSH:
        if (outermost)
            printf("#compdef %s\n# made by %s --completion zsh\n_%s_at() {\n    commands=() options=()\n    "
                   "case $1 in\n",
                   program, program, function);
        printf("    '%s')\n        commands=(", program);
        for (const struct subcommand *row = table; row->name != NULL; row++) {
            printf(" \\\n            '%s:", row->name);
            put_zsh(row->sentence);
            putchar('\'');
        }
        printf(")\n        ;;\n");
        break;
    case MANUAL_PAGE:
        if (!outermost)
            return;
        printf(".TH ");
        put_upper(program);
        printf(" 1 2026-11-28 \"maille %s\" \"User Commands\"\n.SH NAME\n", MAILLE_VERSION);
        put_roff(program);
        printf(" \\- ");
        put_roff(sentence);
        printf("\n.SH SYNOPSIS\n.B ");
        put_roff(program);
        printf("\nCOMMAND [options]\n.SH COMMANDS\n");
        break;
    case MANUAL_NONE:
        break;
    }
}

int options_manual_program(enum manual kind, const char *program, const char *sentence,
                           const struct subcommand *table, int argc, char **argv)
{
    const bool outermost = strchr(program, ' ') == NULL;
    char function[64];
    begin(kind, outermost, program, sentence, table);
    for (const struct subcommand *row = table; row->name != NULL; row++) {
        char *words[4] = {(char *)(uintptr_t)row->name, argv[1], argc > 2 ? argv[2] : NULL, NULL};
        int status = row->run(argc, words);
        if (status != 0)
            return status;
    }
    if (!outermost)
        return 0;
    function_of(function, program);
    const char *end = kind == MANUAL_BASH ? bash_end : kind == MANUAL_ZSH ? zsh_end : man_end;
    for (; *end != '\0'; end++) /* @F: the function's name; @P: the program's */
        if (end[0] == '@' && (end[1] == 'F' || end[1] == 'P'))
            fputs(*++end == 'F' ? function : program, stdout);
        else
            putchar(*end);
    return 0;
}
