#include "report/pending.h"

#include <string.h>

#include "tally/describe.h"

static const char study_mark[] = "the study as it was signed:", near_mark[] = "    near in words";

/* The next line without its end; NULL: there is no more. */
static const char *next_line(const char **at, struct arena *arena)
{
    if (**at == '\0')
        return NULL;
    const size_t length = strcspn(*at, "\n");
    const char *line = arena_strndup(arena, *at, length);
    *at += length + ((*at)[length] == '\n');
    return line;
}

static const char *const keys[][2] = {{"query", "requête"},
                                      {"site", "site"},
                                      {"researcher", "chercheur"},
                                      {"key", "clé"},
                                      {"study", "étude"},
                                      {"title", "titre"},
                                      {"purpose", "finalité"},
                                      {"legal_basis", "base légale"},
                                      {"protocol", "protocole"},
                                      {"registration", "enregistrée sous le titre"},
                                      {"summary_for_patients", "résumé pour les patients"},
                                      {"asked", "demandée le"},
                                      {"expires", "expire le"},
                                      {"manifest", "empreinte de la demande"},
                                      {"snapshot", "instantané"},
                                      {"policy", "politique"},
                                      {"build", "programme"},
                                      {"caps", "limites"},
                                      {"sites", "sites"},
                                      {"signatures", "signatures"},
                                      {"not_compared", "non comparés"},
                                      {"analyses", "analyses"}};

static const char *head_french(struct arena *arena, const char *line)
{
    const size_t length = strcspn(line, ":");
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strlen(keys[i][0]) == length && strncmp(line, keys[i][0], length) == 0) {
            const char *value = line + length;
            if (strcmp(keys[i][0], "caps") == 0)
                value = tally_words_replace(
                    arena,
                    tally_words_replace(arena, tally_words_replace(arena, value, ": at most ", ": au plus "),
                                        " rounds of ", " tours de "),
                    " bytes", " octets");
            if (strcmp(keys[i][0], "signatures") == 0)
                value =
                    tally_words_replace(arena, value, ", of different persons", ", de personnes différentes");
            if (strcmp(keys[i][0], "not_compared") == 0)
                value = tally_words_replace(
                    arena, value, ": groups of before this version, or of another dictionary",
                    ": des groupes d'avant cette version, ou d'un autre dictionnaire");
            return arena_printf(arena, "%s %s", keys[i][1], value);
        }
    return line;
}

void report_pending_text(struct bytes *out, const char *text, enum language language, struct arena *arena)
{
    const char *line;
    bool head = true;
    if (language != LANGUAGE_FR) {
        bytes_put_text(out, text);
        return;
    }
    bool first = true;
    for (const char *at = text; (line = next_line(&at, arena)) != NULL; first = false) {
        if (strcmp(line, study_mark) == 0) {
            bytes_printf(out, "l'étude telle qu'elle a été signée :\n%s", at);
            return;
        }
        head = head && line[0] != '\0';
        if (!first) /* "maille pending 1" */
            bytes_printf(out, "%s\n", head ? head_french(arena, line) : tally_words_french(arena, line));
    }
}

/* An analysis in JSON: what is asked of it, then what is near. */
struct putting {
    struct json_put *put;
    bool open, near;
};

static void begin_near(struct putting *putting)
{
    json_put_end(putting->put);
    json_put_list(putting->put, "near");
    putting->near = true;
}

static void end_analysis(struct putting *putting)
{
    if (!putting->open)
        return;
    if (!putting->near)
        begin_near(putting);
    json_put_end(putting->put);
    json_put_end(putting->put);
    putting->open = putting->near = false;
}

static void put_line(struct putting *putting, const char *line)
{
    if (line[0] != ' ') { /* "cox (cox) of age >= 18" */
        end_analysis(putting);
        json_put_object(putting->put, NULL);
        json_put_text(putting->put, "analysis", line);
        json_put_list(putting->put, "asked");
        putting->open = true;
    } else if (putting->open && strncmp(line, near_mark, strlen(near_mark)) == 0) {
        begin_near(putting);
    } else if (putting->open) {
        json_put_text(putting->put, NULL, line + strspn(line, " "));
    }
}

void report_pending_json(struct json_put *put, const char *text, struct arena *arena)
{
    const char *line, *at = text;
    struct putting putting = {.put = put};
    json_put_object(put, NULL);
    (void)next_line(&at, arena);
    while ((line = next_line(&at, arena)) != NULL && line[0] != '\0') {
        const size_t length = strcspn(line, ":");
        if (line[length] == ':' && strncmp(line, "analyses", length) != 0)
            json_put_text(put, arena_strndup(arena, line, length),
                          line + length + 1 + (line[length + 1] == ' '));
    }
    json_put_list(put, "analyses");
    while ((line = next_line(&at, arena)) != NULL && strcmp(line, study_mark) != 0)
        if (line[0] != '\0')
            put_line(&putting, line);
    end_analysis(&putting);
    json_put_end(put);
    json_put_text(put, "study_file", at);
    json_put_end(put);
}
