/* A study against the registration that it names (proto/registration.h): public facts alone. */
#include "vault/private.h"

enum maille_code vault_check_registration(const struct vault *vault, const struct query *query,
                                          struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const char *faults[REGISTRATION_FAULTS_MAX];
    struct arena *arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory to look at a registration");
    const struct registration *registration = registration_find(vault->directory, query->study->protocol);
    if (registration_faults(faults, arena, vault->directory, query->study, query->manifest.researcher,
                            vault_now_ms(vault)) > 0)
        code = maille_refuse(error, "protocol", "%s", faults[0]);
    else if (registration != NULL && query->manifest.expires_ms > registration_end_ms(registration))
        code = maille_refuse(error, "protocol",
                             "expected a question that ends with the registration %s, found one that lives "
                             "longer",
                             registration->id);
    arena_free(arena);
    return code;
}
