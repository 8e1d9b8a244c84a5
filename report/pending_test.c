/* What an officer is asked, in French and as JSON: her own words stay as they are. */
#include "report/pending.h"

#include <string.h>

#include "base/test.h"

static const char text[] =
    "maille pending 1\nquery: ab\nresearcher: alice\ntitle: rows by number: a test\n"
    "caps: at most 5 rounds of 10 bytes\nanalyses: 1\n\n"
    "os (km) of everyone\n    first round, 16 bytes, tally 00:\n"
    "        rows by chemo where complete(dtime, death): 2 whole numbers\n"
    "    near in words, as this site sees it (the sites' pooled patients decide):\n"
    "        \"everyone\" is near \"age >= 18 && er known\" of study old (bob, 2026-01-02)\n"
    "        and 3 more such groups\n"
    "cox (cox) of age >= 18\n    refused by this site's policy: methods\n"
    "\nthe study as it was signed:\nstudy: s\ntitle: rows by number: a test\n\n";

static void french(void **state)
{
    struct bytes out = {0};
    struct arena *arena = arena_new();
    (void)state;
    assert_non_null(arena);
    report_pending_text(&out, text, LANGUAGE_FR, arena);
    bytes_put_u8(&out, '\0');
    assert_string_equal(
        (char *)out.data,
        "requête : ab\nchercheur : alice\ntitre : rows by number: a test\n"
        "limites : au plus 5 tours de 10 octets\nanalyses : 1\n\n"
        "os (km) de tous les patients\n    premier tour, 16 octets, empreinte du calcul 00:\n"
        "        lignes par chemo où renseigné(dtime, death): 2 nombres entiers\n"
        "    proche par les mots, vu de ce site (les patients réunis des sites en décident) :\n"
        "        \"tous les patients\" est proche de \"age >= 18 && er connu\" de l'étude old (bob, "
        "2026-01-02)\n"
        "        et 3 autres groupes de ce genre\n"
        "cox (cox) de age >= 18\n    refusée par la politique de ce site : methods\n"
        "\nl'étude telle qu'elle a été signée :\nstudy: s\ntitle: rows by number: a test\n\n");
    out.length = 0;
    report_pending_text(&out, text, LANGUAGE_EN, arena);
    assert_int_equal(out.length, strlen(text));
    assert_memory_equal(out.data, text, out.length);
    bytes_clear(&out);
    arena_free(arena);
}

static void json(void **state)
{
    struct bytes out = {0};
    struct json_put put = {.out = &out};
    struct arena *arena = arena_new();
    (void)state;
    assert_non_null(arena);
    report_pending_json(&put, text, arena);
    bytes_put_u8(&out, '\0');
    assert_string_equal(
        (char *)out.data,
        "{\"query\": \"ab\", \"researcher\": \"alice\", \"title\": \"rows by number: a test\", \"caps\": "
        "\"at "
        "most 5 rounds of 10 bytes\", \"analyses\": [{\"analysis\": \"os (km) of everyone\", \"asked\": "
        "[\"first "
        "round, 16 bytes, tally 00:\", \"rows by chemo where complete(dtime, death): 2 whole numbers\"], "
        "\"near\": "
        "[\"\\\"everyone\\\" is near \\\"age >= 18 && er known\\\" of study old (bob, 2026-01-02)\", \"and 3 "
        "more such "
        "groups\"]}, "
        "{\"analysis\": \"cox (cox) of age >= 18\", \"asked\": [\"refused by this site's policy: "
        "methods\"], \"near\": []}], "
        "\"study_file\": \"study: s\\ntitle: rows by number: a test\\n\\n\"}");
    bytes_clear(&out);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(french), cmocka_unit_test(json)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
