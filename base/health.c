#include "base/health.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"

enum { TEXTFILE_MODE = 0644 }; /* node_exporter reads it as another user */

void health_problem(struct health *health, enum maille_code code, const char *english, const char *french,
                    ...)
{
    va_list arguments;
    if (health->code == MAILLE_OK)
        health->code = code;
    if (health->n == HEALTH_PROBLEMS_MAX)
        return;
    va_start(arguments, french);
    vsnprintf(health->problems[health->n++], sizeof health->problems[0],
              health->language == LANGUAGE_FR ? french : english, arguments);
    va_end(arguments);
}

static enum maille_code show_prometheus(const struct health *health, const char *path,
                                        const struct health_figures *figures, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes text = {0};
    char head[256];
    const int used =
        snprintf(head, sizeof head,
                 "# HELP %s_healthy 1 where status finds nothing wrong\n# TYPE %s_healthy gauge\n"
                 "%s_healthy %d\n",
                 figures->program, figures->program, figures->program, health->code == MAILLE_OK);
    bytes_put(&text, head, (size_t)used);
    figures_prometheus(&text, figures->program, figures->rows, figures->n, figures->values);
    MAILLE_TRY(bytes_check(&text, error));
    if (strcmp(path, "-") != 0)
        code = file_write_atomic(path, text.data, text.length, TEXTFILE_MODE, error);
    else if (fwrite(text.data, 1, text.length, stdout) != text.length)
        code = maille_fail_errno(error, "cannot write to standard output");
out:
    bytes_clear(&text);
    return code;
}

static enum maille_code show_json(const struct health *health, const struct health_figures *figures,
                                  struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes text = {0};
    struct json_put put = {.out = &text, .lines = true};
    json_put_object(&put, NULL);
    json_put_boolean(&put, "healthy", health->code == MAILLE_OK);
    json_put_list(&put, "problems");
    for (size_t i = 0; i < health->n; i++)
        json_put_text(&put, NULL, health->problems[i]);
    json_put_end(&put);
    json_put_object(&put, "figures");
    figures_json(&put, figures->rows, figures->n, figures->values);
    json_put_end(&put);
    if (figures->more != NULL)
        MAILLE_TRY(figures->more(figures->context, &put, error));
    json_put_end(&put);
    bytes_put_text(&text, "\n");
    MAILLE_TRY(bytes_check(&text, error));
    if (fwrite(text.data, 1, text.length, stdout) != text.length)
        code = maille_fail_errno(error, "cannot write to standard output");
out:
    bytes_clear(&text);
    return code;
}

enum maille_code health_language(struct health *health, const struct health_asked *asked,
                                 struct maille_error *error)
{
    const bool for_programs = asked->json || asked->prometheus != NULL;
    const enum maille_code code = language_choose(&health->language, asked->lang, error);
    if (for_programs)
        health->language = LANGUAGE_EN;
    return code;
}

enum maille_code health_show(const struct health *health, const struct health_asked *asked,
                             const struct health_figures *figures, struct maille_error *error)
{
    static const char *const verdicts[LANGUAGES][2] = {{"not well:", "well"},
                                                       {"à regarder :", "tout va bien"}};
    enum maille_code code = MAILLE_OK;
    if (asked->json)
        MAILLE_TRY(show_json(health, figures, error));
    if (asked->prometheus != NULL)
        MAILLE_TRY(show_prometheus(health, asked->prometheus, figures, error));
    if (asked->json || asked->prometheus != NULL)
        goto out;
    if (figures->more != NULL)
        MAILLE_TRY(figures->more(figures->context, NULL, error));
    figures_print(figures->rows, figures->n, figures->values, clock_utc_ms(), health->language);
    printf("%s\n", verdicts[health->language][health->n == 0]);
    for (size_t i = 0; i < health->n; i++)
        printf("  %s\n", health->problems[i]);
out:
    return code;
}
