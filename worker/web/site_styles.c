/* The style that the report has too; figures are not drawn inside a hospital. */
#include "worker/web/pages.h"

#include "report/page.h"

void site_report_css(const struct web_request *request, struct web_reply *reply)
{
    struct bytes css = {0};
    (void)request;
    bytes_put_text(&css, page_css);
    bytes_put_text(&css, "@media screen and (prefers-color-scheme:dark){");
    bytes_put_text(&css, page_css_dark);
    bytes_put_text(&css, "}");
    web_reply_all(reply, 200, DOOR_CSS, NULL, &css);
    bytes_clear(&css);
}
