/* Her own earlier questions, where one is refused. Internal to agent/. */
#ifndef AGENT_EARLIER_H
#define AGENT_EARLIER_H

#include "agent/private.h"
#include "report/report.h"

/* Per analysis of the study: of those that are refused under `few` and have no offer the nearest cohort of
 * her questions on this machine that were answered under the same registration and dictionary; {NULL} where
 * there is none. In arena.
 */
const struct report_earlier *agent_earlier(const struct agent *agent, struct arena *arena);

#endif
