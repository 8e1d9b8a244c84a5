/* The pages of `maille web`, one file each; pages.c is the table. */
#ifndef CLI_WEB_PAGES_H
#define CLI_WEB_PAGES_H

#include "web/keeper.h"

extern const struct web_page cli_web_pages[];

/* styles.c */
web_function cli_web_report_css;
/* studies.c */
web_function cli_web_studies;
/* variables.c */
web_function cli_web_variables, cli_web_variables_json;
/* study.c */
web_function cli_web_study, cli_web_check, cli_web_schema;
/* asking.c */
web_function cli_web_ask, cli_web_cancel, cli_web_resume, cli_web_events;
/* answer.c */
web_function cli_web_answer, cli_web_download;

/* questions.c: what waits for the officer. */
web_function cli_web_questions, cli_web_question, cli_web_decide, cli_web_withdraw;
/* record.c: what happened, and what it is worth. */
web_function cli_web_record, cli_web_record_study, cli_web_register;

#endif
