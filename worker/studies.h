/* The last studies of a site in one line each, for its IT: what `serve` tells its operator, kept. The message
 * log is the evidence; this is a convenience, which names studies, researchers and rules, and no number of
 * patients. */
#ifndef WORKER_STUDIES_H
#define WORKER_STUDIES_H

enum { STUDIES_KEPT = 50 };

/* Adds a line to DIR/state/studies, of which the newest STUDIES_KEPT stay. What cannot be written is left
 * out. */
void studies_note(const char *dir, const char *line);

#endif
