/* ro-crate-metadata.json: what a bundle holds, in the words of RO-Crate 1.1 (https://w3id.org/ro/crate/1.1)
 * and schema.org. Everything in it is said by another file of the bundle; it is there for programs of others.
 */
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "cli/bundle.h"
#include "crypto/tree_hash.h"

/* The crate as it is written: its entities follow one another in one list. */
struct crate {
    struct json_put put;
    struct arena *arena;
    const struct bundle_facts *facts;
    const struct archive_file *files;
    size_t n_files, skip; /* skip: letters of the folder's name and its slash */
    const char *asked;    /* when; ISO 8601 */
};

/* "sha256:…" of these bytes, in the arena. */
static const char *sha256(const struct crate *crate, const void *data, size_t length)
{
    struct digest hash;
    char hex[2 * HASH_BYTES + 1];
    tree_sha256(&hash, data, length);
    bytes_to_hex(hex, hash.b, HASH_BYTES);
    return arena_strdup(crate->arena, hex);
}

static void begin(struct crate *crate, const char *id, const char *type)
{
    json_put_object(&crate->put, NULL);
    json_put_text(&crate->put, "@id", id);
    json_put_text(&crate->put, "@type", type);
}

static void text(struct crate *crate, const char *name, const char *value)
{
    if (value != NULL && value[0] != '\0')
        json_put_text(&crate->put, name, value);
}

static void end(struct crate *crate)
{
    json_put_end(&crate->put);
}

/* A key whose value is another entity; name NULL: one of a list. */
static void refer(struct crate *crate, const char *name, const char *id)
{
    json_put_object(&crate->put, name);
    json_put_text(&crate->put, "@id", id);
    json_put_end(&crate->put);
}

static void property(struct crate *crate, const char *id, const char *name, const char *value)
{
    begin(crate, id, "PropertyValue");
    text(crate, "name", name);
    text(crate, "value", value);
    end(crate);
}

/* The id of what belongs to a site: "#policy-3". */
static const char *of_site(const struct crate *crate, const char *what, const struct bundle_site *site)
{
    return arena_printf(crate->arena, "#%s-%u", what, site->site->id);
}

static const char *of_method(const struct crate *crate, size_t m)
{
    return arena_printf(crate->arena, "#method-%s", crate->facts->manifest.methods[m].name);
}

/* The whole bundle. */
static void put_root(struct crate *crate)
{
    const struct bundle_facts *facts = crate->facts;
    begin(crate, "./", "Dataset");
    text(crate, "identifier", facts->id);
    text(crate, "name", facts->heading.title);
    text(crate, "description",
         facts->report.synthetic
             ? REPORT_SYNTHETIC
             : "A federated study as evidence: what was asked, who answered, what came out");
    text(crate, "datePublished", facts->report.date != NULL ? facts->report.date : crate->asked);
    refer(crate, "author", "#researcher");
    refer(crate, "mentions", "#question");
    json_put_list(&crate->put, "hasPart");
    for (size_t f = 0; f < crate->n_files; f++)
        refer(crate, NULL, crate->files[f].name + crate->skip);
    end(crate);
    end(crate);
}

static void put_files(struct crate *crate)
{
    static const struct {
        const char *name, *format, *what;
    } known[] = {
        {"README.txt", "text/plain", "What this bundle is, and how it is verified"},
        {"dictionary.yaml", "application/yaml", "The data dictionary that the study was written for"},
        {"network.yaml", "application/yaml", "The directory of the network, signed by its authorities"},
        {"question.key", "application/octet-stream", "The key that the sites sealed their results to"},
        {"report.html", "text/html", "The result as a page"},
        {"result.json", "application/json", "The result, number by number"},
        {"study.yaml", "application/yaml", "The study as the researcher signed it"},
    };
    for (size_t f = 0; f < crate->n_files; f++) {
        const struct archive_file *file = &crate->files[f];
        const char *name = file->name + crate->skip, *format = "application/octet-stream";
        const char *what = "A signed message between the parties";
        for (size_t k = 0; k < sizeof known / sizeof *known; k++)
            if (strcmp(known[k].name, name) == 0) {
                format = known[k].format;
                what = known[k].what;
            }
        if (strlen(name) > 7 && strcmp(name + strlen(name) - 7, ".sealed") == 0)
            what = "A site's results, sealed to question.key and signed in the message of this name";
        begin(crate, name, "File");
        text(crate, "name", what);
        text(crate, "encodingFormat", format);
        json_put_integer(&crate->put, "contentSize", (int64_t)file->length);
        text(crate, "sha256", sha256(crate, file->data, file->length));
        end(crate);
    }
}

/* Who asked whom, when, with what. */
static void put_question(struct crate *crate)
{
    static const char *const objects[] = {"study.yaml", "dictionary.yaml", "network.yaml"};
    static const char *const properties[] = {"#purpose", "#legal-basis", "#protocol", "#wire"};
    const struct bundle_facts *facts = crate->facts;
    begin(crate, "#question", "CreateAction");
    text(crate, "name", "A question to the sites of a network, and its answer");
    text(crate, "startTime", crate->asked);
    text(crate, "endTime", facts->report.date);
    refer(crate, "agent", "#researcher");
    refer(crate, "instrument", "#maille");
    json_put_list(&crate->put, "object");
    for (size_t i = 0; i < sizeof objects / sizeof *objects; i++)
        refer(crate, NULL, objects[i]);
    for (size_t s = 0; s < facts->n_sites; s++)
        refer(crate, NULL, of_site(crate, "snapshot", &facts->sites[s]));
    end(crate);
    json_put_list(&crate->put, "participant");
    for (size_t s = 0; s < facts->n_sites; s++)
        refer(crate, NULL, of_site(crate, "site", &facts->sites[s]));
    end(crate);
    json_put_list(&crate->put, "result");
    refer(crate, NULL, "result.json");
    refer(crate, NULL, "report.html");
    end(crate);
    json_put_list(&crate->put, "additionalProperty");
    for (size_t i = 0; i < sizeof properties / sizeof *properties; i++)
        refer(crate, NULL, properties[i]);
    for (size_t m = 0; m < facts->manifest.n_methods; m++)
        refer(crate, NULL, of_method(crate, m));
    end(crate);
    end(crate);
}

static void put_parties(struct crate *crate)
{
    const struct bundle_facts *facts = crate->facts;
    begin(crate, "#researcher", "Person");
    text(crate, "name", facts->manifest.researcher);
    end(crate);
    for (size_t s = 0; s < facts->n_sites; s++) {
        const struct bundle_site *site = &facts->sites[s];
        const struct message_accept *accept = &site->accept;
        char hash[2 * HASH_BYTES + 1];
        bytes_to_hex(hash, accept->snapshot_hash.b, HASH_BYTES);
        begin(crate, of_site(crate, "site", site), "Organization");
        text(crate, "name", site->site->name);
        text(crate, "legalName", site->site->legal_entity);
        refer(crate, "additionalProperty", of_site(crate, "policy", site));
        end(crate);
        begin(crate, of_site(crate, "snapshot", site), "Dataset"); /* which stays at the site */
        text(crate, "name", arena_printf(crate->arena, "Frozen data of %s", site->site->name));
        text(crate, "version", arena_printf(crate->arena, "%u", accept->snapshot));
        text(crate, "identifier", arena_printf(crate->arena, "blake2b-256:%s", hash));
        end(crate);
        begin(crate, of_site(crate, "policy", site), "PropertyValue");
        text(crate, "name", "The disclosure policy that it judged by");
        text(crate, "value",
             arena_strndup(crate->arena, (const char *)accept->floor.data, accept->floor.length));
        text(
            crate, "identifier",
            arena_printf(crate->arena, "sha256:%s", sha256(crate, accept->floor.data, accept->floor.length)));
        end(crate);
    }
}

static void put_software(struct crate *crate)
{
    const struct message_manifest *manifest = &crate->facts->manifest;
    begin(crate, "#maille", "SoftwareApplication");
    text(crate, "name", "maille");
    text(crate, "version", crate->facts->report.maille);
    end(crate);
    property(crate, "#wire", "Version of the protocol between the parties",
             arena_printf(crate->arena, "%u", manifest->protocol));
    for (size_t m = 0; m < manifest->n_methods; m++)
        property(crate, of_method(crate, m),
                 arena_printf(crate->arena, "Version of the method %s", manifest->methods[m].name),
                 arena_printf(crate->arena, "%u", manifest->methods[m].version));
}

void bundle_crate(struct bytes *out, struct arena *arena, const struct bundle_facts *facts,
                  const struct archive_file *files, size_t n, size_t skip)
{
    char asked[32];
    struct crate crate = {{.out = out, .lines = true}, arena, facts, files, n, skip, asked};
    clock_format(asked, facts->manifest.created_ms);
    json_put_object(&crate.put, NULL);
    json_put_text(&crate.put, "@context", "https://w3id.org/ro/crate/1.1/context");
    json_put_list(&crate.put, "@graph");
    begin(&crate, "ro-crate-metadata.json", "CreativeWork");
    refer(&crate, "conformsTo", "https://w3id.org/ro/crate/1.1");
    refer(&crate, "about", "./");
    end(&crate);
    put_root(&crate);
    put_files(&crate);
    put_question(&crate);
    put_parties(&crate);
    put_software(&crate);
    property(&crate, "#purpose", "Purpose", facts->heading.purpose);
    property(&crate, "#legal-basis", "Legal basis", facts->heading.legal_basis);
    property(&crate, "#protocol", "Reference of the registered protocol", facts->heading.protocol);
    end(&crate);
    end(&crate);
    bytes_put_u8(out, '\n');
}
