/* The style that the report has too. */
#include "cli/web/pages.h"

#include "cli/audit_page.h"
#include "report/figures/canvas.h"
#include "report/page.h"

void cli_web_report_css(const struct web_request *request, struct web_reply *reply)
{
    struct bytes css = {0};
    bytes_put_text(&css, page_css);
    bytes_put_text(&css, canvas_css);
    if (request->role == WEB_OFFICER)
        bytes_put_text(&css, audit_page_css);
    bytes_put_text(&css, "@media screen and (prefers-color-scheme:dark){");
    bytes_put_text(&css, page_css_dark);
    bytes_put_text(&css, canvas_css_dark);
    bytes_put_text(&css, "}");
    web_reply_all(reply, 200, DOOR_CSS, NULL, &css);
    bytes_clear(&css);
}
