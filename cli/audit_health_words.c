/* What is said of a log's health, in both languages. */
#include <inttypes.h>
#include <stdio.h>

#include "cli/audit_book.h"
#include "cli/audit_health.h"

static const char *s_of(uint64_t n)
{
    return n == 1 ? "" : "s";
}

enum audit_light audit_health_light(const struct audit_health *health)
{
    const struct audit_report *report = &health->report;
    const bool doubt = !report->certified || !health->compared || report->witnessed == 0 ||
                       health->unlisted > 0 || report->after > 0;
    return !health->sound ? LIGHT_RED : doubt ? LIGHT_AMBER : LIGHT_GREEN;
}

const char *audit_fault_word(enum audit_fault fault, enum language language)
{
    static const char *const french[] = {
        [AUDIT_SOUND] = "intact",
        [AUDIT_ALTERED] = "altéré",
        [AUDIT_REMOVED] = "retiré",
        [AUDIT_REORDERED] = "déplacé",
        [AUDIT_SEAL_MISSING] = "scellé manquant",
        [AUDIT_RESEALED] = "rescellé",
        [AUDIT_UNSEALED] = "non scellé",
        [AUDIT_CUT] = "coupé",
        [AUDIT_SPLIT_VIEW] = "double journal",
        [AUDIT_STRANGER] = "clé étrangère",
    };
    return language == LANGUAGE_FR ? french[fault] : audit_fault_name(fault);
}

const char *audit_fault_advice(enum audit_fault fault, enum language language)
{
    static const char *const advice[][LANGUAGES] = {
        [AUDIT_SOUND] = {"", ""},
        [AUDIT_ALTERED] =
            {"bytes of an entry, a seal or a signature are not what was written: keep the folder, "
             "ask for the backup, tell the network",
             "des octets d'une entrée, d'un scellé ou d'une signature ne sont pas ce qui a été écrit : "
             "gardez le dossier, demandez la sauvegarde, prévenez le réseau"},
        [AUDIT_REMOVED] =
            {"entries or files are missing: keep the folder, ask for the backup, tell the network",
             "des entrées ou des fichiers manquent : gardez le dossier, demandez la sauvegarde, "
             "prévenez le réseau"},
        [AUDIT_REORDERED] =
            {"entries stand in another order, or twice: keep the folder, ask for the backup, tell "
             "the network",
             "des entrées sont dans un autre ordre, ou en double : gardez le dossier, demandez la "
             "sauvegarde, prévenez le réseau"},
        [AUDIT_SEAL_MISSING] =
            {"a quarter of an hour has no seal, and no gap explains it: keep the folder, ask for "
             "the backup, tell the network",
             "un quart d'heure n'a pas de scellé, et aucune interruption ne l'explique : gardez le "
             "dossier, demandez la sauvegarde, prévenez le réseau"},
        [AUDIT_RESEALED] =
            {"a seal was made later, with a key that came after it: somebody wrote the past again; "
             "tell the network at once",
             "un scellé a été fait après coup, avec une clé venue plus tard : quelqu'un a réécrit le "
             "passé ; prévenez le réseau aussitôt"},
        [AUDIT_UNSEALED] =
            {"the end was never sealed: it was cut, or the program was killed; if the copy was made "
             "while the program ran, say when with --taken",
             "la fin n'a jamais été scellée : elle a été coupée, ou le programme a été tué ; si la copie "
             "a été faite pendant qu'il tournait, dites quand avec --taken"},
        [AUDIT_CUT] = {"a witness has seen entries that are no longer there: tell the network at once",
                       "un témoin a vu des entrées qui n'y sont plus : prévenez le réseau aussitôt"},
        [AUDIT_SPLIT_VIEW] = {"a witness was shown another log than you: tell the network at once",
                              "un témoin a vu un autre journal que vous : prévenez le réseau aussitôt"},
        [AUDIT_STRANGER] =
            {"the log's first key is not signed by the party that network.yaml names: is it the right "
             "folder, the right file?",
             "la première clé du journal n'est pas signée par la partie que nomme network.yaml : est-ce "
             "le bon dossier, le bon fichier ?"},
    };
    return advice[fault][language];
}

const char *audit_health_since(struct arena *arena, const struct audit_health *health, enum language language)
{
    return arena_printf(
        arena,
        language == LANGUAGE_FR
            ? "prolonge votre copie antérieure, qui finissait à l'entrée %llu ; %llu entrées depuis"
            : "goes on from your earlier copy, which ended at entry %llu; %llu entries since",
        (unsigned long long)health->earlier,
        (unsigned long long)(health->report.head.size - health->earlier));
}

static const char *words_fr(struct arena *arena, const struct audit_health *health, const char *first,
                            const char *last)
{
    const struct audit_report *report = &health->report;
    const char *text =
        arena_printf(arena, "intact : %" PRIu64 " entrées (dont %" PRIu64 " scellé%s), du %s au %s UTC",
                     report->head.size, report->seals, s_of(report->seals), first, last);
    if (report->pruned > 0)
        text =
            arena_printf(arena, "%s ; les %" PRIu64 " premières ont été supprimées, comme le dit le journal",
                         text, report->pruned);
    if (report->gaps > 0)
        text = arena_printf(arena, "%s ; %" PRIu64 " interruption%s, %.1f heures en tout", text, report->gaps,
                            s_of(report->gaps), (double)report->gap_ms / 3600000);
    if (report->open > 0)
        text = arena_printf(arena, "%s ; %" PRIu64 " pas encore scellées", text, report->open);
    if (report->witnessed > 0)
        text = arena_printf(arena,
                            "%s ; conforme à %zu tête%s gardée%s par d'autres, jusqu'à l'entrée %" PRIu64
                            " sur %" PRIu64,
                            text, report->witnessed, s_of(report->witnessed), s_of(report->witnessed),
                            report->seen.size, report->head.size);
    if (health->receipts > 0)
        text = arena_printf(arena, "%s ; %zu vecteurs sur %zu ont leur reçu", text, health->receipts,
                            health->sent);
    if (health->programs && health->judged > 0 && health->unlisted == 0)
        text = arena_printf(
            arena, "%s ; les %" PRIu64 " décisions ont toutes été prises par des programmes de la liste",
            text, health->judged);
    return text;
}

const char *audit_health_words(struct arena *arena, const struct audit_health *health, enum language language)
{
    const struct audit_report *report = &health->report;
    char first[32], last[32];
    book_time(first, report->first_ms);
    book_time(last, report->last_ms);
    if (language == LANGUAGE_FR)
        return words_fr(arena, health, first, last);
    const char *text =
        arena_printf(arena, "sound: %" PRIu64 " entries (%" PRIu64 " seal%s among them), from %s to %s UTC",
                     report->head.size, report->seals, s_of(report->seals), first, last);
    if (report->pruned > 0)
        text = arena_printf(arena, "%s; the first %" PRIu64 " were pruned, as the log says", text,
                            report->pruned);
    if (report->gaps > 0)
        text = arena_printf(arena, "%s; %" PRIu64 " gap%s, %.1f hours in all", text, report->gaps,
                            s_of(report->gaps), (double)report->gap_ms / 3600000);
    if (report->open > 0)
        text = arena_printf(arena, "%s; %" PRIu64 " not sealed yet", text, report->open);
    if (report->witnessed > 0)
        text = arena_printf(
            arena, "%s; agrees with %zu head%s kept by others, up to entry %" PRIu64 " of %" PRIu64, text,
            report->witnessed, s_of(report->witnessed), report->seen.size, report->head.size);
    if (health->receipts > 0)
        text = arena_printf(arena, "%s; %zu of %zu vectors have their receipt", text, health->receipts,
                            health->sent);
    if (health->programs && health->judged > 0 && health->unlisted == 0)
        text = arena_printf(arena, "%s; all %" PRIu64 " judgements were made by listed programs", text,
                            health->judged);
    return text;
}

size_t audit_health_doubts(const char *doubts[AUDIT_DOUBTS_MAX], struct arena *arena,
                           const struct audit_health *health, enum language language)
{
    const struct audit_report *report = &health->report;
    const bool fr = language == LANGUAGE_FR;
    size_t n = 0;
    if (!health->sound)
        return 0;
    if (!report->certified)
        doubts[n++] = fr ? "personne n'a signé sa première clé : seul le dossier dit de qui est ce journal"
                         : "nobody has signed its first key: whose log it is rests on the folder alone";
    else if (!health->compared)
        doubts[n++] = fr ? "sa première clé n'a été comparée à aucun annuaire : --network FICHIER le fait"
                         : "its first key was compared with no roster: --network FILE does that";
    if (report->before > 0)
        doubts[n++] =
            arena_printf(arena,
                         fr ? "%zu tête%s que d'autres ont gardée%s concerne%s le journal d'avant sa perte, "
                              "que les autorités du "
                              "réseau ont acceptée : demandez aussi ce journal-là, s'il en existe une copie"
                            : "%zu head%s that others kept %s%s of the log before it was lost, which the "
                              "network's authorities "
                              "accepted: ask for that log as well, if there is a copy",
                         report->before, s_of(report->before),
                         fr                    ? s_of(report->before)
                         : report->before == 1 ? "is"
                                               : "are",
                         fr && report->before > 1 ? "nt" : "");
    if (report->after > 0)
        doubts[n++] = arena_printf(arena,
                                   fr ? "%zu tête%s que d'autres ont gardée%s concerne%s un journal "
                                        "recommencé après celui-ci, qui est celui "
                                        "d'avant"
                                      : "%zu head%s that others kept %s%s of a log that began again after "
                                        "this one: this is the one of before",
                                   report->after, s_of(report->after),
                                   fr                   ? s_of(report->after)
                                   : report->after == 1 ? "is"
                                                        : "are",
                                   fr && report->after > 1 ? "nt" : "");
    if (health->former > 0)
        doubts[n++] = arena_printf(arena,
                                   fr ? "%zu reçu%s %s des clés du coordinateur d'avant leur échange : "
                                        "comparez avec le network.yaml d'alors"
                                      : "%zu receipt%s %s the coordinator's keys of before they were "
                                        "exchanged: compare with the network.yaml "
                                        "of then",
                                   health->former, s_of(health->former),
                                   fr ? (health->former == 1 ? "est" : "sont")
                                      : (health->former == 1 ? "is by" : "are by"));
    if (health->unlisted > 0)
        doubts[n++] =
            arena_printf(arena,
                         fr ? "%" PRIu64 " décisions sur %" PRIu64
                              " ont été prises par un programme hors de la liste, la première à "
                              "l'entrée %" PRIu64
                            : "%" PRIu64 " of %" PRIu64
                              " judgements were made by a program that is not listed, the first in entry "
                              "%" PRIu64,
                         health->unlisted, health->judged, health->first_unlisted);
    if (report->witnessed == 0)
        doubts[n++] =
            fr ? "aucun autre journal n'en parle : une fin coupée juste à un scellé ne peut pas se voir "
                 "(--witness JOURNAL)"
               : "nobody else's log speaks of it: an end cut exactly at a seal cannot be seen (--witness "
                 "LOG)";
    return n;
}
