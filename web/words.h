/* Every word of the page, in English and French, in one table. A row: its name, then the two texts. Rows of
 * JS also go to the page's scripts (web_layout_open): %s in them is filled in there. */
#ifndef WEB_WORDS_H
#define WEB_WORDS_H

#include "base/language.h"

/* clang-format off */
#define WEB_WORDS(W, JS) \
    W(studies, "Studies", "Études") \
    W(new_study, "New study", "Nouvelle étude") \
    W(variables, "Variables", "Variables") \
    W(researcher, "Researcher", "Chercheuse, chercheur") \
    W(officer, "Data protection officer", "Délégué à la protection des données") \
    W(site_it, "Site IT", "Informatique du site") \
    W(skip, "To the content", "Aller au contenu") \
    W(language, "Français", "English") \
    W(no_studies, "No study was asked from here yet.", "Aucune étude n’a encore été posée d’ici.") \
    W(studies_lead, "What you have asked the network %s, the newest first.", \
      "Ce que vous avez demandé au réseau %s, le plus récent d’abord.") \
    W(number, "No.", "Nº") \
    W(title, "Title", "Titre") \
    W(asked, "Asked (UTC)", "Posée (UTC)") \
    W(state, "State", "État") \
    JS(state_running, "running", "en cours") \
    JS(state_done, "answered", "répondue") \
    JS(state_stopped, "stopped", "arrêtée") \
    W(variables_lead, "What the sites of the network publish. Values stay with them.", \
      "Ce que publient les sites du réseau. Les valeurs restent chez eux.") \
    W(sites, "Sites", "Sites") \
    W(site, "Site", "Site") \
    W(snapshot, "Snapshot", "Instantané") \
    W(patients, "Patients", "Patients") \
    W(dictionary, "Dictionary", "Dictionnaire") \
    W(policy, "Policy", "Politique") \
    W(variable, "Variable", "Variable") \
    W(label, "Label", "Libellé") \
    W(type, "Type", "Type") \
    W(units, "Unit", "Unité") \
    W(levels, "Levels or range", "Modalités ou étendue") \
    JS(filter, "Filter", "Filtrer") \
    JS(show_more, "Show more (%s not drawn)", "Afficher plus (%s non affichées)") \
    W(unsigned_site, "not signed by a site of this network", "non signé par un site de ce réseau") \
    W(study_lead, "Nothing is sent before you press Ask. What stands below the text is what every site would do.", \
      "Rien n’est envoyé avant que vous n’appuyiez sur Poser. Sous le texte, ce que chaque site ferait.") \
    W(study_text, "Study (YAML)", "Étude (YAML)") \
    W(ask, "Ask the network", "Poser au réseau") \
    JS(checking, "Checking …", "Vérification …") \
    JS(valid, "The study can be asked.", "L’étude peut être posée.") \
    JS(faults, "%s to mend before it can be asked", "%s à corriger avant de poser l’étude") \
    JS(line, "line %s", "ligne %s") \
    W(by_form, "Add an analysis by a form", "Ajouter une analyse par un formulaire") \
    JS(method, "Method", "Méthode") \
    JS(optional, "optional", "facultatif") \
    JS(more_keys, "More keys", "Autres clés") \
    JS(add_analysis, "Add to the study", "Ajouter à l’étude") \
    W(reproduce, "The same in R and Python", "La même chose en R et en Python") \
    W(reproduce_lead, "With this study’s text in study.yaml. The totals are whole numbers: the same patients give the same result.", \
      "Avec le texte de cette étude dans study.yaml. Les totaux sont des entiers : les mêmes patients donnent le même résultat.") \
    W(before, "Before anything is sent", "Avant tout envoi") \
    JS(adds_up, "Every site will add up", "Chaque site additionnera") \
    JS(of_cohort, "of %s", "pour %s") \
    JS(each_bytes, "%s bytes from each site, masked", "%s octets par site, masqués") \
    JS(held, "Waits for each site’s officer", "Attend la décision du délégué de chaque site") \
    JS(free, "No public rule holds or refuses it", "Aucune règle publique ne la retient ni ne la refuse") \
    JS(rounds_later, "Later rounds depend on totals; each is shown in the log of every site.", \
       "Les tours suivants dépendent des totaux ; chacun figure au journal de chaque site.") \
    W(needs_script, "Writing and asking a study needs the page’s own script. Reading works without.", \
      "Écrire et poser une étude demande le script de la page. La lecture s’en passe.") \
    W(progress, "Progress", "Avancement") \
    JS(waiting_for, "Waiting for %s", "En attente de %s") \
    JS(their_officer, "%s (its officer)", "%s (son délégué)") \
    JS(ready, "%s of %s sites ready", "%s sites prêts sur %s") \
    JS(heads, "%s sites count heads for themselves alone, to judge what may be told (round %s)", \
       "%s sites comptent les effectifs entre eux seuls, pour juger ce qui peut être dit (tour %s)") \
    JS(round, "%s sites, round %s, %s MB of masked sums", "%s sites, tour %s, %s Mo de sommes masquées") \
    JS(asked_now, "Asked: query %s", "Posée : requête %s") \
    JS(ended, "Ended", "Terminée") \
    JS(no_answer, "The page’s server does not answer. Is maille web still running?", \
       "Le serveur de la page ne répond pas. maille web tourne-t-il encore ?") \
    W(cancel, "End the query", "Mettre fin à la requête") \
    W(resume, "Go on", "Reprendre") \
    W(downloads, "Downloads", "Téléchargements") \
    W(everything, "Everything (tar)", "Tout (tar)") \
    W(evidence, "Signed bundle (evidence)", "Archive signée (preuve)") \
    W(result_file, "Result (JSON)", "Résultat (JSON)") \
    W(report_file, "Report (HTML)", "Rapport (HTML)") \
    W(tables, "Tables", "Tableaux") \
    W(figures, "Figures", "Figures") \
    W(again, "New study from this one", "Nouvelle étude à partir de celle-ci") \
    JS(copy, "Copy the table", "Copier le tableau") \
    JS(copied, "Copied", "Copié") \
    W(study_as_asked, "The study as it was asked", "L’étude telle que posée") \
    W(site_state, "State", "État") \
    W(snapshots, "Snapshots", "Instantanés") \
    W(imports, "Import", "Import") \
    W(objections, "Objections", "Oppositions") \
    W(well, "This site is well.", "Ce site va bien.") \
    W(unwell, "Something is to be looked at:", "À regarder :") \
    W(figure, "Figure", "Mesure") \
    W(value, "Value", "Valeur") \
    W(meaning, "Meaning", "Sens") \
    W(rows, "Rows", "Lignes") \
    W(imported, "Imported (UTC)", "Importé (UTC)") \
    W(newest, "newest", "le plus récent") \
    W(roll_back, "Roll back to it", "Y revenir") \
    W(last_studies, "Last studies", "Dernières études") \
    W(waiting_studies, "Studies that wait for a person", "Études qui attendent une personne") \
    W(no_snapshot, "Nothing was imported yet.", "Rien n’a encore été importé.") \
    W(import_lead, "Files in %s. A check writes nothing; an import makes the next snapshot, or nothing where a cell is bad.", \
      "Fichiers de %s. Une vérification n’écrit rien ; un import fait l’instantané suivant, ou rien si une cellule est mauvaise.") \
    W(no_file, "No file is there. Start with --imports DIR, the folder of exports, and --dictionary FILE.", \
      "Aucun fichier. Démarrez avec --imports DOSSIER, le dossier des exports, et --dictionary FICHIER.") \
    W(file, "File", "Fichier") \
    W(check_file, "Check", "Vérifier") \
    W(import_file, "Import", "Importer") \
    W(report, "Report", "Compte rendu") \
    JS(working, "At work …", "En cours …") \
    JS(sure_rollback, "Make a new snapshot with the rows of snapshot %s?", "Faire un nouvel instantané avec les lignes de l’instantané %s ?") \
    JS(done, "Done.", "Fait.") \
    JS(not_done, "Nothing was written.", "Rien n’a été écrit.") \
    W(to_decide, "To decide", "À décider") \
    W(happened, "What happened", "Ce qui s’est passé") \
    W(decide_lead, "Studies that wait for you at %s. Nothing here was counted; nothing here shows a patient.", \
      "Études qui attendent votre décision à %s. Rien ici n’a été compté ; rien ici ne montre un patient.") \
    W(nothing_waits, "Nothing waits for you.", "Rien n’attend votre décision.") \
    W(study, "Study", "Étude") \
    W(who_asks, "Researcher", "Qui demande") \
    W(purpose, "Purpose", "Finalité") \
    W(waits, "waits", "en attente") \
    W(decided, "decided", "décidée") \
    W(first_signed, "one of two signatures", "une signature sur deux") \
    W(withdraw_lead, "You sign that this study ends at the site, whatever was decided before: nothing more of it leaves.", \
      "Vous signez que cette étude prend fin sur le site, quoi qu’il ait été décidé avant : rien de plus n’en sort.") \
    W(your_decision, "Your decision", "Votre décision") \
    W(reason, "Reason, one line, for the log and the register", "Motif, une ligne, pour le journal et le registre") \
    W(approve, "Approve", "Approuver") \
    W(deny, "Deny", "Refuser") \
    W(withdraw, "Withdraw: the study ends", "Retirer : l’étude prend fin") \
    JS(reason_wanted, "A refusal and a withdrawal need a reason.", "Un refus et un retrait demandent un motif.") \
    JS(decision_taken, "Signed and handed to the site.", "Signé et remis au site.") \
    JS(decision_file, "Signed: bring the file to the site’s IT.", "Signé : portez le fichier à l’informatique du site.") \
    W(decision_signed, "You sign what is asked here, byte for byte, with your key.", \
      "Vous signez ce qui est demandé ici, octet par octet, avec votre clé.") \
    W(sums_and_near, "What would be added up, and what is near", "Ce qui serait additionné, et ce qui en est proche") \
    W(refused, "What you asked for was not done", "Ce que vous avez demandé n’a pas été fait") \
    W(footer, "Served by maille %s on this machine alone.", "Servi par maille %s sur cette machine seulement.")
/* clang-format on */

enum web_word {
    WEB_NO_WORD,
#define WEB_NAME(name, en, fr) WEB_##name,
    WEB_WORDS(WEB_NAME, WEB_NAME)
#undef WEB_NAME
        WEB_WORDS_N
};

const char *web_word(enum language language, enum web_word word);
/* The n-th word that scripts use, and its name there; NULL past the last. */
const char *web_script_word(enum language language, unsigned n, const char **name);

#endif
