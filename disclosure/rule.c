#include "disclosure/rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct rule *rule_find(const char *code)
{
    for (size_t r = 0; r < rule_n_rows; r++)
        if (strcmp(rule_rows[r].code, code) == 0)
            return &rule_rows[r];
    return NULL;
}

const char *rule_told(const struct rule *rule)
{
    return rule->few ? "few" : rule->code;
}

const char *rule_reason(struct arena *arena, const char *code, enum language language)
{
    static const char *const unknown[LANGUAGES] = {"a rule of a site's policy does not allow it",
                                                   "une règle de la politique d'un site ne le permet pas"};
    static const char *const between[LANGUAGES] = {"; ", " ; "};
    const struct rule *rule = rule_find(code);
    return rule == NULL ? unknown[language]
                        : arena_printf(arena, "%s%s%s", rule->sentence[language], between[language],
                                       rule->remedy[language]);
}

/* "at least " and " patients" of "at least %s patients"; the second is NULL where there is no value. */
static const char *demand_split(const char *demand, size_t *before)
{
    const char *mark = strstr(demand, "%s");
    *before = mark != NULL ? (size_t)(mark - demand) : strlen(demand);
    return mark != NULL ? mark + 2 : NULL;
}

static const char *demand_of(struct arena *arena, const char *demand, const char *value)
{
    size_t before;
    const char *after = demand_split(demand, &before);
    return after == NULL ? demand : arena_printf(arena, "%.*s%s%s", (int)before, demand, value, after);
}

/* A value that is a word, or a number and a word. */
static const char *value_translate(struct arena *arena, const struct rule *rule, const char *value,
                                   enum language language)
{
    char *end;
    (void)strtod(value, &end);
    const size_t number = end > value && *end == ' ' ? (size_t)(end + 1 - value) : 0;
    for (size_t t = 0; rule->terms != NULL && rule->terms[t][LANGUAGE_EN] != NULL; t++)
        if (strcmp(rule->terms[t][LANGUAGE_EN], value + number) == 0)
            return arena_printf(arena, "%.*s%s", (int)number, value, rule->terms[t][language]);
    return value;
}

const char *rule_demand(struct arena *arena, const struct rule *rule, const struct rule_facts *facts,
                        enum language language)
{
    const char *value = rule->value != NULL ? rule->value(facts, arena) : NULL;
    return value == NULL
               ? NULL
               : demand_of(arena, rule->demand[language], value_translate(arena, rule, value, language));
}

const char *rule_translate(struct arena *arena, const struct rule *rule, const char *demand,
                           enum language language)
{
    const char *english = rule->demand[LANGUAGE_EN];
    size_t before, length = strlen(demand);
    const char *after = demand_split(english, &before);
    if (after == NULL)
        return strcmp(demand, english) == 0 ? rule->demand[language] : demand;
    if (length < before + strlen(after) || strncmp(demand, english, before) != 0 ||
        strcmp(demand + length - strlen(after), after) != 0)
        return demand;
    const char *value = arena_strndup(arena, demand + before, length - before - strlen(after));
    return demand_of(arena, rule->demand[language], value_translate(arena, rule, value, language));
}

const char *rule_effect(const struct rule *rule, int cells, enum language language)
{
    static const char *const refused[2][LANGUAGES] = {
        {"else the analysis is refused", "sinon l'analyse est refusée"},
        {"else the study is refused", "sinon l'étude est refusée"}};
    if (rule->effects[0].words[language] == NULL)
        return cells == RULE_EVERYWHERE ? refused[rule->of_study][language] : NULL;
    for (size_t e = 0; e < RULE_EFFECTS && rule->effects[e].words[language] != NULL; e++)
        if (rule->effects[e].cells == cells)
            return rule->effects[e].words[language];
    return NULL;
}

const char *rule_stage_words(enum rule_stage stage, enum language language)
{
    static const char *const words[RULE_STAGES][LANGUAGES] = {
        {"with the question", "à la demande"},
        {"with the sites that take part", "à la liste des sites participants"},
        {"with the pooled head counts", "aux effectifs mis en commun"},
        {"in every round of values", "à chaque tour de valeurs"},
        {"while the query is open", "tant que la requête est ouverte"}};
    size_t s = 0;
    while (s + 1 < RULE_STAGES && (1U << s) != (unsigned)stage)
        s++;
    return words[s][language];
}

/* --- the table for people --- */

/* A sentence of a cell of the table: no sign may end the cell. */
static void put_cell(struct bytes *out, const char *text)
{
    bytes_put_text(out, text);
    bytes_put_text(out, " | ");
}

static void put_stages(struct bytes *out, const struct rule *rule, enum language language)
{
    const char *between = "";
    for (size_t s = 0; s < RULE_STAGES; s++)
        if (rule->stages & 1U << s) {
            bytes_put_text(out, between);
            bytes_put_text(out, rule_stage_words((enum rule_stage)(1U << s), language));
            between = "; ";
        }
    bytes_put_text(out, " | ");
}

static void put_effects(struct bytes *out, const struct rule *rule, enum language language)
{
    if (rule->effects[0].words[language] == NULL)
        bytes_put_text(out, rule_effect(rule, RULE_EVERYWHERE, language));
    for (size_t e = 0; e < RULE_EFFECTS && rule->effects[e].words[language] != NULL; e++) {
        bytes_put_text(out, e > 0 ? "; " : "");
        bytes_put_text(out, rule->effects[e].words[language]);
    }
    bytes_put_text(out, " | ");
}

void rule_manual(struct bytes *out, enum language language)
{
    static const char *const head[LANGUAGES] = {
        "| rule | when | what it asks for | what comes of it | what the researcher reads | what the "
        "researcher can do |\n",
        "| règle | quand | ce qu'elle exige | ce qui s'ensuit | ce que lit le chercheur | ce que le "
        "chercheur peut faire |\n"};
    struct arena *arena = arena_new();
    if (arena == NULL) {
        out->failed = true;
        return;
    }
    bytes_put_text(out, head[language]);
    bytes_put_text(out, "| --- | --- | --- | --- | --- | --- |\n");
    for (size_t r = 0; r < rule_n_rows; r++) {
        const struct rule *rule = &rule_rows[r];
        bytes_put_text(out, "| `");
        bytes_put_text(out, rule->code);
        bytes_put_text(out, "` | ");
        put_stages(out, rule, language);
        put_cell(out, demand_of(arena, rule->demand[language], "*n*"));
        put_effects(out, rule, language);
        put_cell(out, rule->sentence[language]);
        bytes_put_text(out, rule->remedy[language]);
        bytes_put_text(out, " |\n");
    }
    arena_free(arena);
}
