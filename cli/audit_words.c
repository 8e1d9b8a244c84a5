/* French and English, side by side. */
#include <string.h>

#include "cli/audit_book.h"
#include "tally/describe.h"

static const char *const words[WORDS][2] = {
    [WORD_QUERY] = {"Query", "Requête"},
    [WORD_ASKED_BY] = {"asked by", "demandée par"},
    [WORD_STUDY] = {"study", "étude"},
    [WORD_PURPOSE] = {"purpose", "finalité"},
    [WORD_LEGAL_BASIS] = {"legal basis", "base légale"},
    [WORD_PROTOCOL] = {"protocol", "protocole"},
    [WORD_REGISTRATION] = {"registered as", "enregistré sous le titre"},
    [WORD_SUMMARY] = {"summary for patients", "résumé pour les patients"},
    [WORD_RECIPIENTS] = {"recipients", "destinataires"},
    [WORD_ASKED_ON] = {"asked on (UTC)", "demandée le (UTC)"},
    [WORD_LAST] = {"last message (UTC)", "dernier message (UTC)"},
    [WORD_PATIENTS] = {"patients", "patients"},
    [WORD_OUTCOME] = {"what became of it", "issue"},
    [WORD_DECIDED_BY] = {"decided by", "décidée par"},
    [WORD_REASON] = {"her reason", "motif"},
    [WORD_SNAPSHOT] = {"snapshot", "instantané"},
    [WORD_STEPS] = {"Step by step (UTC)", "Étape par étape (UTC)"},
    [WORD_THRESHOLD_BYTES] = {"bytes for the sites alone", "octets pour les sites seuls"},
    [WORD_STUDIES] = {"studies", "études"},
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
    [WORD_EVENTS] = {"Other events", "Autres événements"},
    [WORD_EVENT] = {"event", "événement"},
    [WORD_NOT_RECORDED] = {"not recorded", "non consigné"},
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
    [WORD_VARIABLES] = {"variables that were read", "variables lues"},
    [WORD_SAME_BYTES] = {"these numbers, masked again, are the very bytes that were sent",
                         "ces nombres, masqués de nouveau, sont exactement les octets envoyés"},
    [WORD_ALL] = {"all", "toutes"},
    [WORD_MORE_NUMBERS] = {"more numbers (--all shows them)", "nombres de plus (--all les montre)"},
    [WORD_GROUP] = {"group", "groupe"},
    [WORD_PASSED] = {"passed", "respectée"},
    [WORD_NOT_PASSED] = {"refused", "non respectée"},
    [WORD_VETOED] = {"vetoed: noise was sent", "objection : du bruit a été envoyé"},
    [WORD_HELD] = {"held for a person", "en attente d'une personne"},
    [WORD_BUILD] = {"program", "programme"},
    [WORD_AUTOMATIC] = {"no person: the policy answers such questions by itself",
                        "sans intervention humaine : la politique répond d'elle-même à ces questions"},
    [WORD_ASKED] = {"The study, as the researcher signed it", "L'étude, telle que le chercheur l'a signée"},
    [WORD_ENTITLED] = {"may ask", "peut demander"},
    [WORD_IN_DIRECTORY] = {"in the network's directory", "dans l'annuaire du réseau"},
    [WORD_MAY_METHODS] = {"methods allowed", "méthodes autorisées"},
    [WORD_MAY_PURPOSES] = {"purposes allowed", "finalités autorisées"},
    [WORD_DENIED] = {"variables denied", "variables interdites"},
    [WORD_APPROVAL] = {"a person decides", "décision par une personne"},
    [WORD_SITES_ALONE] = {"threshold round: for the sites alone, which judge by the totals what may be "
                          "released; the researcher sees none of it",
                          "tour de seuil : pour les sites seuls, qui jugent par les totaux ce qui peut "
                          "sortir ; le chercheur n'en voit rien"},
    [WORD_YES] = {"yes", "oui"},
    [WORD_NO] = {"no", "non"},
};

static const char *const kinds[][3] = {
    {"gap", "the log was closed", "journal fermé"},
    {"pruned", "old entries removed", "anciennes entrées supprimées"},
    {"start", "program started", "démarrage du programme"},
    {"repaired", "half entry dropped after a crash", "entrée incomplète retirée après une panne"},
    {"import", "data imported", "données importées"},
    {"policy", "policy in force", "politique en vigueur"},
    {"snapshot", "data in force", "données en vigueur"},
    {"stop", "program stopped", "arrêt du programme"},
    {"dropped", "message not accepted", "message non accepté"},
    {"problem", "the coordinator objects", "le coordinateur objecte"},
    {"joined", "sites that take part judged", "liste des sites participants jugée"},
    {"erased", "keys of a query erased", "clés d'une requête effacées"},
    {"approval", "decision of a person", "décision d'une personne"},
    {"officer", "who decides here", "qui décide ici"},
    {"aside", "an earlier log was kept aside", "un journal antérieur a été mis de côté"},
    {"masked", "masked sums", "sommes masquées"},
    {"catalogue", "catalogue published", "catalogue publié"},
    {"refused", "refused", "refusé"},
    {"directory", "directory of the network", "annuaire du réseau"},
    {"lost", "a loss was accepted", "perte acceptée"},
    {"set back", "the log was set back", "journal revenu en arrière"},
    {"pin", "directory pinned", "annuaire épinglé"},
    {"rekeyed", "keys exchanged", "clés échangées"},
    {"duties", "register of processing", "registre des traitements"},
    {"access", "somebody looked", "consultation"},
    {"split view", "a party showed two logs", "une partie a montré deux journaux"},
    {"superseded", "a newer snapshot ended it", "terminée par un instantané plus récent"},
    {"diverged", "sites came to different states", "états différents entre sites"},
    {"custody", "totals could not be opened", "totaux impossibles à ouvrir"},
    {"closed", "ALARM: registration closed", "ALARME : enregistrement fermé"},
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

/* What the log says in words of its own, in the order in which they are looked for: what may stand inside
 * another comes after it. What it says of a tally is tally_words_french's. */
static const char *const phrases[][2] = {
    {"the registration ", "l'enregistrement "},
    {" is closed at this site: ", " est fermé sur ce site : "},
    {" groups were refused or hidden under few, which is what its policy allows (budget.registration_few). "
     "Somebody may be measuring patients with it: look at what was asked before the authority opens it "
     "again ",
     " groupes ont été refusés ou masqués (few), ce que sa politique permet (budget.registration_few). "
     "Quelqu'un s'en sert peut-être pour mesurer des patients : regarder ce qui a été demandé avant que "
     "l'autorité ne le rouvre "},
    {"nobody looked after the log from ", "personne n'a tenu le journal du "},
    {"head counts, for the sites alone", "effectifs, pour les sites seuls"},
    {"the snapshot, the policy or the build is another one",
     "l'instantané, la politique ou le programme a changé"},
    {"expected the signature of this site's data protection officer in ",
     "attendu la signature du délégué à la protection des données de ce site dans "},
    {", beside the officer; appointed by ", ", à côté du délégué ; désigné par "},
    {", as the officer; appointed by ", ", comme délégué ; désigné par "},
    {" decides from ", " décide à partir du "},
    {"expected the signature of another person than the first one's: officer_signatures is 2",
     "attendu la signature d'une autre personne que la première : officer_signatures vaut 2"},
    {", found another's", ", trouvé celle d'un autre"},
    {": none before it is taken from now on", " : plus aucun d'avant n'est accepté"},
    {"the coordinator says: ", "le coordinateur dit : "},
    {" is superseded by ", " est remplacé par l'"},
    {": the query ends", " : la requête prend fin"},
    {" of its directory, ", " de son annuaire, "},
    {" authorities, epoch ", " autorités, époque "},
    {" came to another state than most", " a abouti à un autre état que la plupart"},
    {"the coordinator has seen ", "le coordinateur a vu "},
    {" entries of this log", " entrées de ce journal"},
    {"an entry that a crash cut short was dropped", "une entrée coupée par une panne a été retirée"},
    {", without ", ", sans "},
    {" patients who object", " patients qui s'opposent"},
    {" patient who objects", " patient qui s'oppose"},
    {" objections in force", " oppositions en vigueur"},
    {" objection in force", " opposition en vigueur"},
    {" new, ", " nouvelles, "},
    {" withdrawn, ", " retirées, "},
    {" for a later day", " pour un jour à venir"},
    {" of nobody here", " de personne ici"},
    {"cancelled by the researcher", "annulée par le chercheur"},
    {"the log was not open from ", "le journal n'était pas ouvert du "},
    {"whether this site has any", "si ce site en a"},
    {"pair words, for the sites alone: by how many patients it differs from groups that were shown of other "
     "sites or snapshots",
     "mots de paires, pour les sites seuls : de combien de patients il diffère de groupes publiés d'autres "
     "sites "
     "ou instantanés"},
    {"pair words, for the sites alone: by how many patients it differs from groups that were shown, and from "
     "those of earlier analyses",
     "mots de paires, pour les sites seuls : de combien de patients il diffère de groupes publiés et de ceux "
     "d'analyses précédentes"},
    {"what this site objects to", "ce à quoi ce site s'oppose"},
    {"ended by the researcher", "terminée par le chercheur"},
    {", directory version ", ", annuaire version "},
    {", instead of ", ", au lieu de "},
    {", dictionary ", ", dictionnaire "},
    {": the first", " : la première"},
    {", policy ", ", politique "},
    {" (public)", " (public)"},
    {" are answered as before", " reçoivent la réponse d'avant"},
    {"snapshot ", "instantané "},
};

const char *word_of_text(struct arena *arena, enum language language, const char *text)
{
    if (language != LANGUAGE_FR)
        return text;
    for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++)
        text = tally_words_replace(arena, text, phrases[i][0], phrases[i][1]);
    return tally_words_french(arena, text);
}

const char *word_of_outcome(enum language language, enum book_outcome outcome)
{
    static const char *const outcomes[OUTCOMES][2] = {
        [OUTCOME_ASKED] = {"asked, not answered yet", "demandée, sans réponse encore"},
        [OUTCOME_ACCEPTED] = {"accepted, has not run", "acceptée, n'a pas tourné"},
        [OUTCOME_HELD] = {"waits for a person", "en attente d'une personne"},
        [OUTCOME_APPROVED] = {"approved, has not run", "approuvée, n'a pas tourné"},
        [OUTCOME_RUNNING] = {"runs", "en cours"},
        [OUTCOME_ANSWERED] = {"answered", "a reçu sa réponse"},
        [OUTCOME_IN_PART] = {"answered in part", "réponse partielle"},
        [OUTCOME_REFUSED] = {"refused", "refusée"},
        [OUTCOME_DENIED] = {"denied by a person", "refusée par une personne"},
        [OUTCOME_STOPPED] = {"stopped by a person", "arrêtée par une personne"},
        [OUTCOME_CANCELLED] = {"ended by this site", "terminée par ce site"},
        [OUTCOME_WITHDRAWN] = {"withdrawn by the researcher", "retirée par le chercheur"},
        [OUTCOME_EXPIRED] = {"expired", "expirée"},
        [OUTCOME_NOTHING] = {"over, nothing left", "terminée, rien n'est sorti"}};
    return outcomes[outcome][language];
}

const char *word_of_step(struct arena *arena, enum language language, const struct book_step *step)
{
    static const char *const steps[STEPS][2] = {
        [STEP_ASKED] = {"asked", "demandée"},
        [STEP_ACCEPTED] = {"judged: the policy lets it be asked", "jugée : la politique la laisse poser"},
        [STEP_REFUSED] = {"refused", "refusée"},
        [STEP_HELD] = {"judged: held for a person", "jugée : attend une personne"},
        [STEP_APPROVED] = {"approved", "approuvée"},
        [STEP_DENIED] = {"denied", "refusée"},
        [STEP_STOPPED] = {"stopped", "arrêtée"},
        [STEP_FIRST] = {"approved as the first of two", "approuvée, première signature de deux"},
        [STEP_VOID] = {"what was asked or approved is void", "ce qui était demandé ou approuvé est caduc"},
        [STEP_NOT_TAKEN] = {"a decision was not taken", "une décision n'a pas été retenue"},
        [STEP_RUN] = {"the sites that take part are fixed", "les sites participants sont fixés"},
        [STEP_LEFT] = {"left", "sorti"},
        [STEP_RESULTS] = {"results to the researcher", "résultats remis au chercheur"},
        [STEP_ENDED] = {"ended by the researcher", "close par le chercheur"},
        [STEP_WITHDRAWN] = {"withdrawn by the researcher", "retirée par le chercheur"},
        [STEP_CANCELLED] = {"ended by this site", "terminée par ce site"},
        [STEP_EXPIRED] = {"expired", "expirée"}};
    static const char *const by[] = {"by", "par"}, *const under[] = {"under the rule", "selon la règle"},
                             *const alone[] = {", for the sites alone (thresholds)",
                                               ", pour les sites seuls (seuils)"};
    static const char *const colon[] = {": ", " : "};
    const char *text = steps[step->kind][language];
    if (step->kind == STEP_LEFT)
        return arena_printf(arena, "%s%s%s %u.%u, %llu %s%s", text, colon[language],
                            word(language, WORD_ROUND), step->round, step->attempt,
                            (unsigned long long)step->bytes, word(language, WORD_BYTES),
                            step->threshold ? alone[language] : "");
    if (step->by[0] != '\0' && step->kind != STEP_ENDED && step->kind != STEP_WITHDRAWN)
        text = arena_printf(arena, "%s %s %s", text, by[language], step->by);
    if (step->analyses[0] != '\0')
        text = arena_printf(arena, "%s%s%s", text, colon[language],
                            language == LANGUAGE_FR ? tally_words_replace(arena, step->analyses,
                                                                          BOOK_ANSWER_OF, " (la réponse du ")
                                                    : step->analyses);
    if (step->rule[0] != '\0')
        text = arena_printf(arena, "%s, %s %s", text, under[language], step->rule);
    if (step->reason[0] != '\0')
        text =
            arena_printf(arena, "%s%s%s", text, colon[language], word_of_text(arena, language, step->reason));
    return text;
}

const char *word_of_result(enum language language, const char *result)
{
    return strcmp(result, "passed") == 0    ? word(language, WORD_PASSED)
           : strcmp(result, "refused") == 0 ? word(language, WORD_NOT_PASSED)
           : strcmp(result, "held") == 0    ? word(language, WORD_HELD)
           : strcmp(result, "vetoed") == 0  ? word(language, WORD_VETOED)
                                            : result;
}
