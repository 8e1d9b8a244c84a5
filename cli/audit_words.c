/* French and English, side by side. */
#include <stdlib.h>
#include <string.h>

#include "cli/audit_book.h"

static const char *const words[WORDS][2] = {
    [WORD_QUERY] = {"Query", "Requête"},
    [WORD_ASKED_BY] = {"asked by", "demandée par"},
    [WORD_STUDY] = {"study", "étude"},
    [WORD_PURPOSE] = {"purpose", "finalité"},
    [WORD_LEGAL_BASIS] = {"legal basis", "base légale"},
    [WORD_PROTOCOL] = {"protocol", "protocole"},
    [WORD_RECIPIENTS] = {"recipients", "destinataires"},
    [WORD_ASKED_ON] = {"asked on (UTC)", "demandée le (UTC)"},
    [WORD_LAST] = {"last message (UTC)", "dernier message (UTC)"},
    [WORD_PATIENTS] = {"patients", "patients"},
    [WORD_DECISION] = {"decision", "décision"},
    [WORD_APPROVED_BY] = {"approved by", "approuvée par"},
    [WORD_POLICY] = {"policy (hash)", "politique (empreinte)"},
    [WORD_RULES] = {"Rules that were evaluated", "Règles évaluées"},
    [WORD_RULE] = {"rule", "règle"},
    [WORD_ANALYSIS] = {"analysis", "analyse"},
    [WORD_RESULT] = {"result", "résultat"},
    [WORD_DEMANDED] = {"value", "valeur"},
    [WORD_LEFT] = {"What left this site (masked sums; no patient)",
                   "Ce qui est sorti de ce site (sommes masquées ; aucun patient)"},
    [WORD_NOTHING_LEFT] = {"Nothing left this site.", "Rien n'est sorti de ce site."},
    [WORD_ENTRY] = {"entry", "entrée"},
    [WORD_WHEN] = {"when (UTC)", "quand (UTC)"},
    [WORD_ROUND] = {"round", "tour"},
    [WORD_SITES] = {"sites", "sites"},
    [WORD_BYTES] = {"bytes", "octets"},
    [WORD_WHAT] = {"what", "contenu"},
    [WORD_NUMBERS] = {"numbers", "nombres"},
    [WORD_REFUSED] = {"Refused", "Refusé"},
    [WORD_EVENTS] = {"Other events", "Autres événements"},
    [WORD_EVENT] = {"event", "événement"},
    [WORD_NOT_RECORDED] = {"not recorded", "non consigné"},
    [WORD_SOUND] = {"every entry is as it was signed, each follows from the one before",
                    "chaque entrée est telle qu'elle a été signée et suit la précédente"},
    [WORD_END] = {"ended", "terminée"},
    [WORD_NO_QUERY] = {"no query in this log", "aucune requête dans ce journal"},
    [WORD_KEY] = {"key", "clé"},
    [WORD_REPLAY] = {"replayed", "rejoué"},
    [WORD_FIRST_USE] = {"first use (UTC)", "premier usage (UTC)"},
    [WORD_LAST_USE] = {"last use (UTC)", "dernier usage (UTC)"},
    [WORD_QUERIES] = {"queries", "requêtes"},
    [WORD_REFUSALS] = {"refusals", "refus"},
    [WORD_SITE] = {"party", "partie"},
    [WORD_VECTOR] = {"vector (hash)", "vecteur (empreinte)"},
    [WORD_SUBJECTS] = {"data subjects", "personnes concernées"},
    [WORD_SUBJECTS_ARE] = {"patients of the site's registry", "patients du registre du site"},
    [WORD_DATA] = {"what was processed", "données traitées"},
    [WORD_DATA_ARE] = {"sums over groups of patients; no patient's record left the site",
                       "sommes sur des groupes de patients ; aucun dossier n'a quitté le site"},
    [WORD_SECURITY] = {"safeguards", "mesures de sécurité"},
    [WORD_SECURITY_IS] =
        {"disclosure control at the site; sums masked among sites; signed log",
         "contrôle de divulgation sur le site ; sommes masquées entre sites ; journal signé"},
    [WORD_RETENTION] = {"kept", "conservation"},
    [WORD_RETENTION_IS] = {"entries of this log: 12 months unless the site chose 6 to 36",
                           "entrées du journal : 12 mois sauf choix du site de 6 à 36"},
    [WORD_METHOD] = {"method", "méthode"},
};

static const char *const kinds[][3] = {
    {"gap", "the log was closed", "journal fermé"},
    {"pruned", "old entries removed", "anciennes entrées supprimées"},
    {"start", "program started", "démarrage du programme"},
    {"repaired", "half entry dropped after a crash", "entrée incomplète retirée après une panne"},
    {"import", "data imported", "données importées"},
    {"policy", "policy changed", "changement de politique"},
    {"catalogue", "catalogue published", "catalogue publié"},
    {"refused", "refused", "refusé"},
    {"directory", "directory of the network", "annuaire du réseau"},
    {"split view", "a party showed two logs", "une partie a montré deux journaux"},
};

const char *word(enum language language, enum word which)
{
    return words[which][language];
}

const char *word_of_kind(enum language language, const char *kind)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i][0], kind) == 0)
            return kinds[i][1 + language];
    return kind;
}

enum maille_code language_choose(enum language *language, const char *option, struct maille_error *error)
{
    static const char *const variables[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
    if (option != NULL) {
        if (strcmp(option, "fr") != 0 && strcmp(option, "en") != 0)
            return maille_fail(error, MAILLE_INVALID, "expected --lang fr or en, found \"%s\"", option);
        *language = option[0] == 'f' ? LANGUAGE_FR : LANGUAGE_EN;
        return MAILLE_OK;
    }
    *language = LANGUAGE_EN;
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        const char *value = getenv(variables[i]);
        if (value == NULL || value[0] == '\0')
            continue;
        *language = strncmp(value, "fr", 2) == 0 ? LANGUAGE_FR : LANGUAGE_EN;
        break;
    }
    return MAILLE_OK;
}
