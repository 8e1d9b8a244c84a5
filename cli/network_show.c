#include "cli/network.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "crypto/safety.h"

static void print_party(const char *role, const char *name, const char *more, enum key_role key_role,
                        const struct public_keys *keys)
{
    char safety[2 * SAFETY_BYTES];
    safety_numbers(safety, key_role, keys);
    printf("  %-11s  %-20s  %s%s%s\n", role, name, safety, more[0] ? "  " : "", more);
}

static void print_list(const char *const *names, size_t n, const char *none)
{
    for (size_t i = 0; i < n; i++)
        printf("%s%s", i > 0 ? ", " : "", names[i]);
    printf("%s", n == 0 ? none : "");
}

/* Beside those of the dictionary. */
static void print_cuts(const struct registration *r)
{
    for (size_t i = 0; i < r->n_cuts; i++) {
        printf("%s%s at ", i == 0 ? "\n    cuts: " : "; ", r->cuts[i].name);
        print_list(r->cuts[i].texts, r->cuts[i].n, "");
    }
}

static void print_budget(const char *what, int64_t budget)
{
    if (budget != REGISTRATION_NO_BUDGET)
        printf("; at most %" PRId64 " %s", budget, what);
}

static void print_registration(const struct registration *r)
{
    char begin[16], end[16], opinion[16];
    number_format_date(begin, r->begin);
    number_format_date(end, r->end);
    number_format_date(opinion, r->opinion_date);
    printf("  %s  %s\n    %s, %s to %s; ", r->id, r->title, r->closed ? "closed" : "open", begin, end);
    print_list(r->researchers, r->n_researchers, "nobody");
    printf("; ");
    print_list(r->purposes, r->n_purposes, "");
    printf("; %s\n    %s: ", r->legal_basis, r->dictionary);
    print_list(r->variables, r->n_variables, "all variables");
    print_budget("tables", r->budget_tables);
    print_budget("models", r->budget_models);
    if (r->openings > 0)
        printf("; opened again %" PRIu32 "x", r->openings);
    if (r->epoch != REGISTRATION_ANY_EPOCH)
        printf("; in epoch %" PRId64 " alone", r->epoch);
    print_cuts(r);
    for (size_t i = 0; i < r->n_linked; i++)
        printf("%s%s", i == 0 ? "\n    linked to " : ", ", r->linked[i]);
    printf("\n    ethics: %s%s%s%s; patients are told: %s\n    \"",
           r->opinion != NULL ? r->opinion : "none named", r->opinion != NULL ? " (" : "",
           r->opinion != NULL ? opinion : "", r->opinion != NULL ? ")" : "", r->notice);
    for (const char *c = r->summary; *c != '\0'; c++)
        printf(*c == '\n' ? "\n     " : "%c", *c);
    printf("\"\n");
}

static void print_registrations(const struct registrations *registrations)
{
    static const char *const words[] = {
        [REGISTRATION_NONE] = "not begun: sites ask for none; begin with maille network register",
        [REGISTRATION_ANY] = "any: whatever a study names"};
    if (registrations->rule != REGISTRATION_LISTED)
        printf("registered %s\n", words[registrations->rule]);
    else
        printf("registered %zu%s\n", registrations->n,
               registrations->n == 0 ? ": every study is refused" : "");
    for (size_t i = 0; i < registrations->n; i++)
        print_registration(&registrations->list[i]);
}

void network_print(const struct directory *d)
{
    char hash[2 * HASH_BYTES + 1], number[32];
    bytes_to_hex(hash, d->hash.b, HASH_BYTES);
    printf("network  %s, version %" PRIu64 ", hash %.16s\n", d->network, d->version, hash);
    printf("meet at  %s\n", d->coordinator.endpoint);
    printf("purposes ");
    for (size_t i = 0; i < d->n_purposes; i++)
        printf("%s%s", i > 0 ? ", " : "", d->purposes[i]);
    printf("%s\n", d->n_purposes == 0 ? "any" : "");
    if (d->epoch.number > 0) {
        printf("epoch    %" PRIu32 ":", d->epoch.number);
        for (size_t i = 0; i < d->epoch.n_sites; i++)
            printf("%s %s", i > 0 ? "," : "", directory_site(d, d->epoch.sites[i])->name);
        printf("\n");
    }
    printf("floor    %s\n", d->floor == NULL ? "none" : d->floor);
    if (d->cohorts.list != NULL) {
        printf("cohorts  everybody, always\n");
        for (size_t i = 0; i < d->cohorts.n; i++)
            printf("         %s of %s: %s\n", d->cohorts.list[i].cohort.name, d->cohorts.list[i].dictionary,
                   d->cohorts.list[i].cohort.expression);
    }
    print_registrations(&d->registrations);
    printf("\n  %-11s  %-20s  safety number (identity, then transport or box)\n", "role", "name");
    print_party("coordinator", d->coordinator.name, "", KEY_COORDINATOR, &d->coordinator.keys);
    for (size_t i = 0; i < d->n_sites; i++) {
        const struct directory_site *site = &d->sites[i];
        snprintf(number, sizeof number, "site %" PRIu32, site->id);
        print_party(number, site->name, site->legal_entity, KEY_SITE, &site->keys);
        if (site->has_dpo) {
            struct public_keys dpo = {0};
            memcpy(dpo.identity, site->dpo_identity, PUBLIC_BYTES);
            memcpy(dpo.box, site->dpo_box, PUBLIC_BYTES);
            print_party("  its dpo", "", "", KEY_DPO, &dpo);
        }
    }
    for (size_t i = 0; i < d->n_researchers; i++)
        print_party("researcher", d->researchers[i].name, "", KEY_RESEARCHER, &d->researchers[i].keys);
    for (size_t i = 0; i < d->n_authorities; i++) {
        struct public_keys keys = {0};
        memcpy(keys.identity, d->authorities[i].identity, PUBLIC_BYTES);
        print_party("authority", d->authorities[i].name,
                    directory_signed_by(d, d->authorities[i].name, d->authorities[i].identity) ? "signed"
                                                                                               : "not signed",
                    KEY_AUTHORITY, &keys);
    }
    printf("\nsignatures: %zu valid, %" PRIu32 " needed: %s\n", d->n_valid, d->quorum,
           d->n_valid >= d->quorum ? "accepted by every party" : "not in force; run: maille network sign");
}
