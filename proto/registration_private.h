/* Private to proto/: parts of a registration. */
#ifndef PROTO_REGISTRATION_PRIVATE_H
#define PROTO_REGISTRATION_PRIVATE_H

#include "proto/registration.h"

/* The key `cuts`; node NULL: there is none. MAILLE_INVALID with file:line:column. */
enum maille_code registration_cuts_read(struct registration *registration, struct arena *arena,
                                        const struct yaml_node *node,
                                        struct maille_error *error) MAILLE_CHECKED;
/* As it is read; nothing where there are none. */
void registration_cuts_write(struct bytes *out, const struct registration *registration);

#endif
