/* What is said while a query runs: a line that is drawn again and again on a terminal, sentences for people,
 * or one JSON line an event for programs (docs/CLI.md). */
#include <string.h>

#include "agent/private.h"
#include "base/json.h"

static void put_line(FILE *to, struct bytes *line)
{
    bytes_put_u8(line, '\n');
    if (!line->failed) {
        fwrite(line->data, 1, line->length, to);
        fflush(to);
    }
}

void agent_say(const struct agent *agent, const char *format, ...)
{
    char sentence[MAILLE_SENTENCE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    if (agent->options.events != NULL) {
        struct bytes line = {0};
        struct json_put event = {.out = &line};
        json_put_object(&event, NULL);
        json_put_text(&event, "event", "note");
        json_put_text(&event, "text", sentence);
        json_put_end(&event);
        put_line(agent->options.events, &line);
        bytes_clear(&line);
    }
    if (agent->options.words == NULL)
        return;
    if (agent->options.progress != NULL)
        fputs("\r\033[K", agent->options.progress);
    fprintf(agent->options.words, "maille: %s\n", sentence);
}

/* The n-th party that the query waits for, or NULL; *officer: its officer has it. */
static const char *waiting_name(const struct agent *agent, size_t n, bool *officer)
{
    *officer = false;
    if (agent->stage != STAGE_ASKED)
        return n < agent->n_waiting ? agent_site_name(agent, agent->waiting[n]) : NULL;
    for (size_t s = 0; s < agent->n_sites; s++) {
        const struct agent_site *site = &agent->sites[s];
        if (site->has_ready && site->ready != READY_HELD)
            continue;
        *officer = site->has_ready;
        if (n-- == 0)
            return site->site->name;
    }
    return NULL;
}

const char *agent_waiting_names(const struct agent *agent, char *out, size_t size)
{
    size_t used = 0;
    const char *name;
    bool officer;
    out[0] = '\0';
    for (size_t n = 0; used < size && (name = waiting_name(agent, n, &officer)) != NULL; n++)
        used += (size_t)snprintf(out + used, size - used, "%s%s%s", used > 0 ? ", " : "", name,
                                 officer ? " (its officer)" : "");
    return used > 0 ? out : "the coordinator";
}

static size_t n_ready(const struct agent *agent)
{
    size_t ready = 0;
    for (size_t s = 0; s < agent->n_sites; s++)
        ready += agent->sites[s].has_ready && agent->sites[s].ready == READY_READY;
    return ready;
}

static void draw(const struct agent *agent)
{
    char names[256];
    FILE *to = agent->options.progress;
    if (agent->stage == STAGE_ASKED || agent->stage == STAGE_CALLED)
        fprintf(to, "\r\033[K%zu of %zu sites ready, waiting for %.100s", n_ready(agent), agent->n_sites,
                agent_waiting_names(agent, names, sizeof names));
    else if (agent->stage == STAGE_ROUND && agent->at.shape.which != 0)
        fprintf(to,
                "\r\033[K%zu sites count heads, for themselves alone, to judge what may be told (%u of "
                "%u)%s%.100s",
                agent->n_roster, agent->at.round, agent_values_from(agent) - 1,
                agent->n_waiting > 0 ? ", waiting for " : "",
                agent->n_waiting > 0 ? agent_waiting_names(agent, names, sizeof names) : "");
    else if (agent->stage == STAGE_ROUND)
        fprintf(to, "\r\033[K%zu sites, round %u, %.1f MB of masked sums%s%.100s", agent->n_roster,
                agent->at.round, (double)agent->status.bytes / 1e6,
                agent->n_waiting > 0 ? ", waiting for " : "",
                agent->n_waiting > 0 ? agent_waiting_names(agent, names, sizeof names) : "");
    fflush(to);
}

/* Where the query stands; said again only when it has changed. */
static void tell(struct agent *agent)
{
    struct bytes line = {0};
    struct json_put event = {.out = &line};
    const char *name;
    bool officer;
    json_put_object(&event, NULL);
    if (agent->stage == STAGE_ROUND) {
        const bool heads = agent->at.shape.which != 0;
        json_put_text(&event, "event", heads ? "heads" : "round");
        json_put_integer(&event, "round", agent->at.round);
        json_put_integer(&event, "sites", (int64_t)agent->n_roster);
        json_put_integer(&event, "bytes", (int64_t)agent->status.bytes);
    } else {
        json_put_text(&event, "event", "waiting");
        json_put_integer(&event, "ready", (int64_t)n_ready(agent));
        json_put_integer(&event, "sites", (int64_t)agent->n_sites);
    }
    json_put_list(&event, "for");
    for (size_t n = 0; (name = waiting_name(agent, n, &officer)) != NULL; n++) {
        json_put_object(&event, NULL);
        json_put_text(&event, "party", name);
        json_put_boolean(&event, "officer", officer);
        json_put_end(&event);
    }
    json_put_end(&event);
    json_put_end(&event);
    if (line.length != agent->told.length || memcmp(line.data, agent->told.data, line.length) != 0) {
        if (bytes_copy(&agent->told, line.data, line.length) == MAILLE_OK)
            put_line(agent->options.events, &line);
    }
    bytes_clear(&line);
}

void agent_progress(struct agent *agent)
{
    if (agent->options.progress != NULL)
        draw(agent);
    if (agent->options.events != NULL && agent->stage <= STAGE_ROUND)
        tell(agent);
}

void agent_progress_end(const struct agent *agent)
{
    if (agent->options.progress != NULL)
        fputs("\r\033[K", agent->options.progress);
}
