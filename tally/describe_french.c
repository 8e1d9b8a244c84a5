/* The words of tally/describe.c in French: phrase by phrase, in the order in which they are looked for, since
 * what may stand inside another comes after it. */
#include <string.h>

#include "tally/describe.h"

static const char *const phrases[][2] = {
    {"    first round, ", "    premier tour, "},
    {" bytes, tally ", " octets, empreinte du calcul "},
    {"    refused by this site's policy: ", "    refusée par la politique de ce site : "},
    {"    cannot be asked: ", "    ne peut pas être demandée : "},
    {"    cannot be counted here: ", "    ne peut pas être comptée ici : "},
    {"    would be refused: ", "    serait refusée : "},
    {"    near in words: no group that was answered here before",
     "    proche par les mots : aucun groupe auquel il a été répondu ici"},
    {"    near in words, as this site sees it (the sites' pooled patients decide):",
     "    proche par les mots, vu de ce site (les patients réunis des sites en décident) :"},
    {" more such groups", " autres groupes de ce genre"},
    {"        and ", "        et "},
    {" is near \"", " est proche de \""},
    {"\" of study ", "\" de l'étude "},
    {"\"everyone\"", "\"tous les patients\""},
    {"followed up as the analysis says", "suivi comme le dit l'analyse"},
    {" of everyone", " de tous les patients"},
    {" whole numbers", " nombres entiers"},
    {" whole number", " nombre entier"},
    {" groups, the others are left out)", " groupes, les autres sont laissés)"},
    {" parts, the others are left out)", " parties, les autres sont laissées)"},
    {"sums over the patients at risk, inside the site", "sommes sur les patients à risque, au sein du site"},
    {" numbers", " nombres"},
    {" number", " nombre"},
    {"patients where ", "patients où "},
    {"partial likelihood inside the site, its gradient and information",
     "vraisemblance partielle au sein du site, son gradient et son information"},
    {"comparable pairs inside the site", "paires comparables au sein du site"},
    {"squared score residuals per cluster inside the site",
     "résidus du score au carré, par grappe, au sein du site"},
    {"squared score residuals per patient inside the site",
     "résidus du score au carré, par patient, au sein du site"},
    {"squared score residuals inside the site", "résidus du score au carré au sein du site"},
    {"products of each patient's own sums", "produits des sommes de chaque patient"},
    {"products of the site's own sums", "produits des sommes du site"},
    {"squared score of the site", "score du site au carré"},
    {"log-rank sums inside the site", "sommes du test du log-rank au sein du site"},
    {"entry time on the grid", "temps d'entrée sur la grille"},
    {"exit time on the grid", "temps de sortie sur la grille"},
    {"sums of products of ", "sommes de produits de "},
    {"the site's own fit: ", "ajustement du site : "},
    {"linear predictor", "prédicteur linéaire"},
    {" in strata of ", " en strates de "},
    {", weighted by ", ", pondérées par "},
    {" in steps of ", " par pas de "},
    {" cells are hidden", " cellules masquées"},
    {"sums of products", "sommes de produits"},
    {"1 where it does", "1 si oui"},
    {"entry in step ", "entrée au pas "},
    {"1 where it has", "1 si oui"},
    {"exit in step ", "sortie au pas "},
    {" where known", " si connu"},
    {"censored", "censuré"},
    {"rows of ", "lignes de "},
    {"rows by ", "lignes par "},
    {"sums of ", "sommes de "},
    {"sum of ", "somme de "},
    {" cut at {", " coupé à {"},
    {" terms (", " termes ("},
    {" term (", " terme ("},
    {"rows", "lignes"},
    {" known", " connu"},
    {" from ", " à partir de "},
    {"event", "événement"},
    {" in {", " parmi {"},
    {" is ", " est "},
    {" where ", " où "},
    {"complete(", "renseigné("},
    {"is_missing(", "manquant("},
    {" by ", " par "},
    {" of ", " de "},
    {" to ", " au "},
};

const char *tally_words_replace(struct arena *arena, const char *text, const char *from, const char *to)
{
    const char *done = "", *found;
    for (; (found = strstr(text, from)) != NULL; text = found + strlen(from))
        done = arena_printf(arena, "%s%.*s%s", done, (int)(found - text), text, to);
    return done[0] == '\0' ? text : arena_printf(arena, "%s%s", done, text);
}

const char *tally_words_french(struct arena *arena, const char *text)
{
    for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++)
        text = tally_words_replace(arena, text, phrases[i][0], phrases[i][1]);
    return text;
}
