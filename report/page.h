/* What the files of a page share: the report, and the officer's page (cli/audit_page.c). */
#ifndef REPORT_PAGE_H
#define REPORT_PAGE_H

#include "report/html.h"
#include "report/labels.h"

/* The style of the page: screen and paper, light and dark, down to 360 pixels. */
extern const char *const page_css;
extern const char *const page_css_dark; /* inside @media (prefers-color-scheme:dark) */

/* page.c: all of a report but its head: what stands in <main> of a page of somebody else. */
void page_report(struct html *h, const struct report *report, struct arena *arena);

/* page_section.c: one analysis: figures, tables, notes. */
void page_section(struct html *h, const struct report *report, const struct report_analysis *analysis,
                  struct arena *arena);
/* What an analysis is called: "os: Kaplan–Meier" → method_name. */
const char *page_method_name(const char *method);

/* page_methods.c: how each method of the report was computed, with its source and R's function. */
void page_methods(struct html *h, const struct report *report);
/* What to do about a refusal; NULL where nothing general can be said. */
const char *page_advice(const char *rule);

/* page_table1.c: a description by group, laid out as gtsummary does, with the medians and standardised mean
 * differences that other analyses of the study have for the same groups and cohort. False where the analysis
 * is no description. */
bool page_table1(struct html *h, const struct report *report, const struct report_analysis *analysis,
                 struct arena *arena);

/* page_table.c: a section under its heading; the caller closes it. id: letters, digits, -, unique in the
 * page. */
void page_section_open(struct html *h, const char *id, const char *heading);
/* A table with a name for who cannot see what stands above it, which scrolls sideways where it must. */
void page_table_open(struct html *h, const char *name);
void page_table_close(struct html *h);
/* A cell that heads others; scope: "col" or "row". class: NULL for none. */
void page_header(struct html *h, const char *scope, const char *class, const char *text);
/* A number that is withheld: hatched, and said to who cannot see it. */
void page_withheld(struct html *h);

#endif
