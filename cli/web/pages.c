#include "cli/web/pages.h"

#include <stddef.h>

#include "web/words.h"

enum { READ = 0, POST = 1 };

const struct web_page cli_web_pages[] = {
    {"/", READ, WEB_RESEARCHER, cli_web_studies, WEB_studies},
    {"/study", READ, WEB_RESEARCHER, cli_web_study, WEB_new_study},
    {"/variables", READ, WEB_RESEARCHER, cli_web_variables, WEB_variables},
    {"/variables.json", READ, WEB_RESEARCHER, cli_web_variables_json, WEB_NO_WORD},
    {"/schema.json", READ, WEB_RESEARCHER, cli_web_schema, WEB_NO_WORD},
    {"/check", POST, WEB_RESEARCHER, cli_web_check, WEB_NO_WORD},
    {"/ask", POST, WEB_RESEARCHER, cli_web_ask, WEB_NO_WORD},
    {"/answer", READ, WEB_RESEARCHER, cli_web_answer, WEB_NO_WORD},
    {"/events", READ, WEB_RESEARCHER, cli_web_events, WEB_NO_WORD},
    {"/cancel", POST, WEB_RESEARCHER, cli_web_cancel, WEB_NO_WORD},
    {"/resume", POST, WEB_RESEARCHER, cli_web_resume, WEB_NO_WORD},
    {"/download", READ, WEB_RESEARCHER, cli_web_download, WEB_NO_WORD},
    {"/", READ, WEB_OFFICER, cli_web_questions, WEB_to_decide},
    {"/question", READ, WEB_OFFICER, cli_web_question, WEB_NO_WORD},
    {"/withdraw", READ, WEB_OFFICER, cli_web_withdraw, WEB_NO_WORD},
    {"/decide", POST, WEB_OFFICER, cli_web_decide, WEB_NO_WORD},
    {"/record", READ, WEB_OFFICER, cli_web_record, WEB_happened},
    {"/record-study", READ, WEB_OFFICER, cli_web_record_study, WEB_NO_WORD},
    {"/register", READ, WEB_OFFICER, cli_web_register, WEB_NO_WORD},
    {"/report.css", READ, WEB_RESEARCHER | WEB_OFFICER, cli_web_report_css, WEB_NO_WORD},
    {NULL, READ, 0, NULL, WEB_NO_WORD}};
