/* Private to disclosure/: from the words of groups to classes of patients. */
#ifndef DISCLOSURE_COMBINATION_CLASS_H
#define DISCLOSURE_COMBINATION_CLASS_H

#include "disclosure/combination.h"

/* Fills classes, present, n_classes and whole. */
enum maille_code combination_classes(struct combination *combination, const struct combination_group *groups,
                                     struct maille_error *error) MAILLE_CHECKED;

#endif
