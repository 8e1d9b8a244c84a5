#include "web/assets.h"

#include <string.h>

/* WEB_PAGE_FOLDER: web/page; WEB_CODEMIRROR_FOLDER: Debian's libjs-codemirror (web/CMakeLists.txt). */
#define ASSET(name, file)                                                                                    \
    __asm__(".section .rodata\n.balign 16\nasset_" #name ":\n.incbin \"" file "\"\nasset_" #name             \
            "_end:\n.byte 0\n.previous\n");                                                                  \
    extern const uint8_t asset_##name[], asset_##name##_end[]

ASSET(style, WEB_PAGE_FOLDER "/web.css");
ASSET(icon, WEB_PAGE_FOLDER "/icon.svg");
ASSET(base, WEB_PAGE_FOLDER "/base.js");
ASSET(form, WEB_PAGE_FOLDER "/form.js");
ASSET(editor, WEB_PAGE_FOLDER "/editor.js");
ASSET(codemirror, WEB_CODEMIRROR_FOLDER "/lib/codemirror.js");
ASSET(codemirror_style, WEB_CODEMIRROR_FOLDER "/lib/codemirror.css");
ASSET(codemirror_yaml, WEB_CODEMIRROR_FOLDER "/mode/yaml/yaml.js");
ASSET(codemirror_hint, WEB_CODEMIRROR_FOLDER "/addon/hint/show-hint.js");
ASSET(codemirror_hint_style, WEB_CODEMIRROR_FOLDER "/addon/hint/show-hint.css");
ASSET(study, WEB_PAGE_FOLDER "/study.js");
ASSET(run, WEB_PAGE_FOLDER "/run.js");

ASSET(site, WEB_PAGE_FOLDER "/site.js");
ASSET(decide, WEB_PAGE_FOLDER "/decide.js");

#define JS "text/javascript; charset=utf-8"
#define CSS "text/css; charset=utf-8"

static const struct web_asset assets[] = {
    {"/page/web.css", CSS, asset_style, asset_style_end},
    {"/page/icon.svg", "image/svg+xml", asset_icon, asset_icon_end},
    {"/page/base.js", JS, asset_base, asset_base_end},
    {"/page/form.js", JS, asset_form, asset_form_end},
    {"/page/editor.js", JS, asset_editor, asset_editor_end},
    {"/codemirror/codemirror.js", JS, asset_codemirror, asset_codemirror_end},
    {"/codemirror/codemirror.css", CSS, asset_codemirror_style, asset_codemirror_style_end},
    {"/codemirror/yaml.js", JS, asset_codemirror_yaml, asset_codemirror_yaml_end},
    {"/codemirror/show-hint.js", JS, asset_codemirror_hint, asset_codemirror_hint_end},
    {"/codemirror/show-hint.css", CSS, asset_codemirror_hint_style, asset_codemirror_hint_style_end},
    {"/page/study.js", JS, asset_study, asset_study_end},
    {"/page/decide.js", JS, asset_decide, asset_decide_end},
    {"/page/site.js", JS, asset_site, asset_site_end},
    {"/page/run.js", JS, asset_run, asset_run_end},
};

const struct web_asset *web_asset_find(const char *path)
{
    for (size_t i = 0; i < sizeof assets / sizeof *assets; i++)
        if (strcmp(assets[i].path, path) == 0)
            return &assets[i];
    return NULL;
}
