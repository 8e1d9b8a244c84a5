/* The sentences in which a log is said not to be sound, in French: one row for each that audit/verify.c,
 * audit/state.c, audit/store.c and cli/audit_receipt.c can say (tests/fault_words.py holds the table to
 * them). An asterisk stands for what a sentence names: a number, a party, a file, a time. */
#include <string.h>

#include "cli/audit_health.h"

enum { NAMED_MAX = 8 };

static const char *const sentences[][2] = {
    {"entry * was altered: it is not what was signed in epoch *",
     "l'entrée * a été altérée : elle n'est pas ce qui a été signé dans l'époque *"},
    {"one of entries * to * was altered: they are not what was signed in epoch *",
     "une des entrées * à * a été altérée : elles ne sont pas ce qui a été signé dans l'époque *"},
    {"expected the first record of a log, found entry *: what stood before is missing",
     "attendu le premier enregistrement d'un journal, trouvé l'entrée * : ce qui précédait manque"},
    {"entry 1, the first key of the log, was altered",
     "l'entrée 1, la première clé du journal, a été altérée"},
    {"the first key of the log is not signed by the identity that it names",
     "la première clé du journal n'est pas signée par l'identité qu'elle nomme"},
    {"the seal of epoch * (entry *) is signed with another key than the one that was certified for it",
     "le scellé de l'époque * (entrée *) est signé avec une autre clé que celle certifiée pour lui"},
    {"entry *, the seal of epoch *, was altered or is signed with another key than the epoch's",
     "l'entrée *, le scellé de l'époque *, a été altérée ou est signée avec une autre clé que celle de "
     "l'époque"},
    {"entry *, the seal of epoch *, was altered", "l'entrée *, le scellé de l'époque *, a été altérée"},
    {"the seal of epoch * speaks of * entries of epoch *, found * entries before it",
     "le scellé de l'époque * parle de * entrées de l'époque *, trouvé * entrées avant lui"},
    {"one of the signatures between the entries of epoch * was altered or removed",
     "une des signatures entre les entrées de l'époque * a été altérée ou retirée"},
    {"entry * is of *, before the entry above it: it was altered",
     "l'entrée * est du *, avant l'entrée qui la précède : elle a été altérée"},
    {"entry * speaks of a gap in the middle of epoch *",
     "l'entrée * parle d'une interruption au milieu de l'époque *"},
    {"entry * is of *, after the end of epoch *, and neither a seal nor a gap stands between",
     "l'entrée * est du *, après la fin de l'époque *, et ni scellé ni interruption ne les sépare"},
    {"the seal of epoch * is missing: entry * should be it",
     "le scellé de l'époque * manque : ce devrait être l'entrée *"},
    {"expected entry *, found entry * in its place", "attendu l'entrée *, trouvé l'entrée * à sa place"},
    {"entry * is of epoch * and stands in epoch *, which has no seal",
     "l'entrée * est de l'époque * et se trouve dans l'époque *, qui n'a pas de scellé"},
    {"entry * was altered: it is no entry", "l'entrée * a été altérée : ce n'est pas une entrée"},
    {"entry * begins the log a second time", "l'entrée * commence le journal une seconde fois"},
    {"expected the first record of a log, found a signature: what stood before is missing",
     "attendu le premier enregistrement d'un journal, trouvé une signature : ce qui précédait manque"},
    {"the signature that stands after entry * was altered", "la signature qui suit l'entrée * a été altérée"},
    {"expected the signature over * entries, found one over *: entries before it were removed or added",
     "attendu la signature de * entrées, trouvé celle de * : des entrées ont été retirées ou ajoutées avant "
     "elle"},
    {"signature * is missing before the one that stands after entry *",
     "la signature * manque avant celle qui suit l'entrée *"},
    {"the signature after entry * or the one before it was altered",
     "la signature qui suit l'entrée *, ou celle d'avant, a été altérée"},
    {"the signature after entry * was altered, or one of the entries before it",
     "la signature qui suit l'entrée * a été altérée, ou une des entrées avant elle"},
    {"the record of what was pruned (file base) was altered",
     "la trace de ce qui a été supprimé (fichier base) a été altérée"},
    {"the record of what was pruned (file base) is not signed by the identity that it names",
     "la trace de ce qui a été supprimé (fichier base) n'est pas signée par l'identité qu'elle nomme"},
    {"the roster has nobody of the name *", "la liste du réseau n'a personne du nom de *"},
    {"nobody has signed the first key of this log: the roster's key of * cannot be compared",
     "personne n'a signé la première clé de ce journal : la clé de * dans la liste ne peut pas être "
     "comparée"},
    {"the first key of this log is signed by another identity than the roster's *",
     "la première clé de ce journal est signée par une autre identité que celle de la liste pour *"},
    {"messages.log was altered at byte *: signed entries stand behind it",
     "messages.log a été altéré à l'octet * : des entrées signées se trouvent derrière"},
    {"the end of the log, epoch * with its last entry of *, was never sealed, and it is now *: it was cut "
     "there, "
     "or the program was killed and not started again (if the folder was copied while the program ran, say "
     "when: "
     "--taken)",
     "la fin du journal, époque * avec sa dernière entrée du *, n'a jamais été scellée, et on est le * : "
     "elle a été "
     "coupée là, ou le programme a été tué et pas redémarré (si le dossier a été copié pendant qu'il "
     "tournait, "
     "dites quand : --taken)"},
    {"the end was cut: * has seen * entries of this log (its entry *), found *",
     "la fin a été coupée : * a vu * entrées de ce journal (son entrée *), trouvé *"},
    {"split view: the first * entries are not those that * was shown (its entry *)",
     "deux journaux : les * premières entrées ne sont pas celles qui ont été montrées à * (son entrée *)"},
    {"entry * stands in the place of entry *, which comes later: the order was changed, or an entry stands "
     "twice",
     "l'entrée * est à la place de l'entrée *, qui vient plus loin : l'ordre a été changé, ou une entrée est "
     "en "
     "double"},
    {"entry * was altered: it says that it is entry *",
     "l'entrée * a été altérée : elle dit être l'entrée *"},
    {"the seal of epoch * is signed with the key of epoch *: the log was written again up to there",
     "le scellé de l'époque * est signé avec la clé de l'époque * : le journal a été réécrit jusque-là"},
    {"expected a log in *, found none", "attendu un journal dans *, trouvé aucun"},
    {"entries 1 to * were removed, and no entry says that they were pruned",
     "les entrées 1 à * ont été retirées, et aucune entrée ne dit qu'elles ont été supprimées"},
    {"expected the file with entry *, found *, which begins with entry *: what stood between was removed",
     "attendu le fichier avec l'entrée *, trouvé *, qui commence à l'entrée * : ce qui était entre a été "
     "retiré"},
    {"*: expected a log of maille, version 2, found something else; where a later program has written it, "
     "install "
     "that one again (docs/UPGRADE.md)",
     "* : attendu un journal de maille, version 2, trouvé autre chose ; si un programme plus récent l'a "
     "écrit, "
     "réinstallez celui-là (docs/UPGRADE.md)"},
    {"* ends without a seal: it was cut, or was never sealed",
     "* finit sans scellé : il a été coupé, ou n'a jamais été scellé"},
    {"expected * in *, found none: it was removed", "attendu * dans *, trouvé aucun : il a été retiré"},
    {"* was altered: from byte * on it is not what was written",
     "* a été altéré : à partir de l'octet * ce n'est pas ce qui a été écrit"},
    {"entries * and * send two vectors for one round: the masks of one were used twice",
     "les entrées * et * envoient deux vecteurs pour un tour : les masques de l'un ont servi deux fois"},
    {"the receipt in entry * is not signed by the coordinator of the roster",
     "le reçu de l'entrée * n'est pas signé par le coordinateur de la liste"},
    {"the receipt in entry * is not for the vector of entry *: the coordinator got something else",
     "le reçu de l'entrée * n'est pas celui du vecteur de l'entrée * : le coordinateur a reçu autre chose"},
    {"* entries up to * UTC, signed as the network * says",
     "* entrées jusqu'au * UTC, signées comme le dit le réseau *"},
    {"* entries up to * UTC; whose they are was compared with no network",
     "* entrées jusqu'au * UTC ; leur auteur n'a été comparé à aucun réseau"},
    {"expected the log of *, whose earlier copy was given with --since, found another, or one whose first * "
     "entries "
     "were pruned",
     "attendu le journal de *, dont une copie antérieure a été donnée par --since, trouvé un autre, ou un "
     "dont les * "
     "premières entrées ont été supprimées"},
};

/* What may stand behind a sentence. */
static const char *const behind[][2] = {
    {", and nobody has signed them", ", et personne ne les a signées"},
    {"; or the log and the earlier copy were exchanged",
     " ; ou le journal et la copie antérieure ont été échangés"},
    {" (the log notes that the network's authorities accepted a loss; --network FILE says whether they did)",
     " (le journal note que les autorités du réseau ont accepté une perte ; --network FICHIER dit si c'est "
     "vrai)"},
    {" (the log notes that the network's authorities accepted a loss; this directory does not say so: take "
     "the "
     "newest)",
     " (le journal note que les autorités du réseau ont accepté une perte ; cet annuaire ne le dit pas : "
     "prenez le "
     "plus récent)"},
};

struct named {
    const char *at[NAMED_MAX];
    size_t length[NAMED_MAX], n;
    const char *rest;
};

/* Whether the text begins as the pattern says. What an asterisk stands for is as short as it can be; one at
 * the end stands for a word. */
static bool matches(struct named *named, const char *pattern, const char *text)
{
    named->n = 0;
    while (*pattern != '\0') {
        const size_t plain = strcspn(pattern, "*");
        if (strncmp(text, pattern, plain) != 0)
            return false;
        pattern += plain;
        text += plain;
        if (*pattern != '*')
            continue;
        char next[256];
        const size_t follows = strcspn(++pattern, "*");
        if (named->n == NAMED_MAX || follows >= sizeof next)
            return false;
        memcpy(next, pattern, follows);
        next[follows] = '\0';
        const char *end = follows > 0 ? strstr(text, next) : text + strcspn(text, " ;");
        if (end == NULL)
            return false;
        named->at[named->n] = text;
        named->length[named->n++] = (size_t)(end - text);
        text = end;
    }
    named->rest = text;
    return true;
}

static const char *fill(struct arena *arena, const char *french, const struct named *named)
{
    const char *made = "";
    size_t used = 0;
    for (const char *at = french; *at != '\0';) {
        const size_t plain = strcspn(at, "*");
        made = arena_printf(arena, "%s%.*s", made, (int)plain, at);
        at += plain;
        if (*at == '*') {
            made = arena_printf(arena, "%s%.*s", made, (int)named->length[used], named->at[used]);
            used++;
            at++;
        }
    }
    return made;
}

static const char *rest_of(struct arena *arena, const char *rest)
{
    for (size_t i = 0; i < sizeof behind / sizeof *behind; i++)
        if (strncmp(rest, behind[i][0], strlen(behind[i][0])) == 0)
            return arena_printf(arena, "%s%s", behind[i][1], rest_of(arena, rest + strlen(behind[i][0])));
    return rest;
}

const char *audit_fault_sentence(struct arena *arena, const char *sentence, enum language language)
{
    /* The folder stands before it, where one was read. */
    const char *colon = strstr(sentence, ": ");
    const char *const begins[] = {sentence, colon != NULL ? colon + 2 : sentence};
    struct named named;
    if (language != LANGUAGE_FR)
        return sentence;
    for (size_t b = 2; b-- > 0;)
        for (size_t i = 0; i < sizeof sentences / sizeof *sentences; i++)
            if (matches(&named, sentences[i][0], begins[b]) &&
                (named.rest[0] == '\0' || strchr(" ;,", named.rest[0]) != NULL))
                return arena_printf(arena, "%.*s%s%s", (int)(begins[b] - sentence), sentence,
                                    fill(arena, sentences[i][1], &named), rest_of(arena, named.rest));
    return sentence;
}
