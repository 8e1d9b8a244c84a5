/* Who is there: hello, directory, catalogues, status and lists. */
#include "base/number.h"
#include "proto/codec.h"
#include "proto/directory.h"
#include "query/yaml.h"

enum { BUILD_MAX = 128, STUDY_NAME_MAX = 64, BAND_MAX = 32, LISTED_MAX = 1000, WIRE_MAX = 1000 };

static const char wire_mark[] = " wire ";

static void hello_pack(Maille__Wire__Hello *out, const struct message_hello *in, struct arena *arena)
{
    out->name = codec_encode_string(in->name);
    out->build = in->wire <= 1
                     ? codec_encode_string(in->build)
                     : arena_printf(arena, "%s%s%u", in->build == NULL ? "" : in->build, wire_mark, in->wire);
    out->directory_version = in->directory_version;
}

/* The number behind the mark, which ends the text; 1 where there is none. *length: of what stands before it.
 */
static uint32_t hello_wire(const char *build, size_t *length)
{
    const char *mark = strstr(build, wire_mark);
    uint64_t wire;
    *length = strlen(build);
    if (mark == NULL ||
        !number_parse_u64(mark + sizeof wire_mark - 1, strlen(mark + sizeof wire_mark - 1), &wire) ||
        wire <= 1 || wire > WIRE_MAX)
        return 1;
    *length = (size_t)(mark - build);
    return (uint32_t)wire;
}

static void hello_unpack(struct decoder *d, struct message_hello *out, const Maille__Wire__Hello *in)
{
    out->name = codec_decode_name(d, "name", in->name);
    out->build = codec_decode_text(d, "build", in->build, BUILD_MAX);
    out->directory_version = in->directory_version;
    size_t length = 0;
    if (d->code != MAILLE_OK)
        return;
    out->wire = hello_wire(out->build, &length);
    out->build = arena_strndup(d->arena, out->build, length);
}
CODEC(hello, Maille__Wire__Hello, maille__wire__hello, codec_limit(MESSAGE_HELLO))

static void welcome_pack(Maille__Wire__Welcome *out, const struct message_welcome *in, struct arena *arena)
{
    (void)arena;
    out->directory_version = in->directory_version;
    out->directory_hash = codec_encode_bytes(in->directory_hash.b, HASH_BYTES);
    out->utc_ms = in->utc_ms;
    out->log_seen = in->log_seen;
    out->wire = in->wire <= 1 ? 0 : in->wire;
}

static void welcome_unpack(struct decoder *d, struct message_welcome *out, const Maille__Wire__Welcome *in)
{
    out->directory_version = in->directory_version;
    codec_decode_fixed(d, "directory_hash", out->directory_hash.b, HASH_BYTES, in->directory_hash);
    out->utc_ms = codec_decode_time(d, "utc_ms", in->utc_ms);
    out->log_seen = in->log_seen;
    out->wire = in->wire == 0 ? 1 : codec_decode_u32(d, "wire", in->wire, 2, WIRE_MAX);
}
CODEC(welcome, Maille__Wire__Welcome, maille__wire__welcome, codec_limit(MESSAGE_WELCOME))

static void directory_pack(Maille__Wire__Directory *out, const struct message_directory *in,
                           struct arena *arena)
{
    (void)arena;
    out->text = codec_encode_view(in->text);
}

static void directory_unpack(struct decoder *d, struct message_directory *out,
                             const Maille__Wire__Directory *in)
{
    out->text = codec_decode_view(d, "text", in->text, 1, DIRECTORY_BYTES_MAX);
}
CODEC(directory, Maille__Wire__Directory, maille__wire__directory, codec_limit(MESSAGE_DIRECTORY))

static void catalogue_pack(Maille__Wire__Catalogue *out, const struct message_catalogue *in,
                           struct arena *arena)
{
    (void)arena;
    out->site = codec_encode_string(in->site);
    out->snapshot = in->snapshot;
    out->snapshot_hash = codec_encode_bytes(in->snapshot_hash.b, HASH_BYTES);
    out->dictionary = codec_encode_string(in->dictionary);
    out->dictionary_version = in->dictionary_version;
    out->dictionary_hash = codec_encode_bytes(in->dictionary_hash.b, HASH_BYTES);
    out->dictionary_text = codec_encode_view(in->dictionary_text);
    out->patients_band = codec_encode_string(in->patients_band);
    out->policy = codec_encode_string(in->policy);
}

static void catalogue_unpack(struct decoder *d, struct message_catalogue *out,
                             const Maille__Wire__Catalogue *in)
{
    out->site = codec_decode_name(d, "site", in->site);
    out->snapshot = in->snapshot;
    codec_decode_fixed(d, "snapshot_hash", out->snapshot_hash.b, HASH_BYTES, in->snapshot_hash);
    out->dictionary = codec_decode_text(d, "dictionary", in->dictionary, STUDY_NAME_MAX);
    out->dictionary_version = in->dictionary_version;
    codec_decode_fixed(d, "dictionary_hash", out->dictionary_hash.b, HASH_BYTES, in->dictionary_hash);
    out->dictionary_text = codec_decode_view(d, "dictionary_text", in->dictionary_text, 0, YAML_BYTES_MAX);
    out->patients_band = codec_decode_text(d, "patients_band", in->patients_band, BAND_MAX);
    out->policy = codec_decode_word(d, "policy", in->policy, 0);
}
CODEC(catalogue, Maille__Wire__Catalogue, maille__wire__catalogue, codec_limit(MESSAGE_CATALOGUE))

static void catalogues_pack(Maille__Wire__Catalogues *out, const struct message_catalogues *in,
                            struct arena *arena)
{
    out->n_envelopes = in->n;
    out->envelopes = codec_encode_views(arena, in->envelopes, in->n);
}

static void catalogues_unpack(struct decoder *d, struct message_catalogues *out,
                              const Maille__Wire__Catalogues *in)
{
    out->envelopes = codec_decode_views(d, "envelopes", &out->n, in->envelopes, in->n_envelopes,
                                        MESSAGE_SITES_MAX, MESSAGE_BODY_MAX);
}
CODEC(catalogues, Maille__Wire__Catalogues, maille__wire__catalogues, codec_limit(MESSAGE_CATALOGUES))

static void status_pack(Maille__Wire__Status *out, const struct message_status *in, struct arena *arena)
{
    out->qid = codec_encode_bytes(in->qid, QID_BYTES);
    out->phase = (uint32_t)in->phase;
    out->round = in->round;
    out->attempt = in->attempt;
    out->bytes = in->bytes;
    out->n_waiting = in->n_waiting;
    out->waiting = codec_encode_list(in->waiting);
    out->n_connected = in->n_connected;
    out->connected = codec_encode_list(in->connected);
    out->n_other = in->n_other;
    out->other = arena_array(arena, in->n_other + 1, sizeof *out->other);
    for (size_t i = 0; i < in->n_other; i++) {
        out->other[i] = arena_alloc(arena, sizeof *out->other[i]);
        maille__wire__wire_site__init(out->other[i]);
        out->other[i]->site = in->other[i].site;
        out->other[i]->wire = in->other[i].wire;
    }
}

static void status_unpack(struct decoder *d, struct message_status *out, const Maille__Wire__Status *in)
{
    codec_decode_fixed(d, "qid", out->qid, QID_BYTES, in->qid);
    out->phase = (enum query_phase)codec_decode_u32(d, "phase", in->phase, PHASE_UNKNOWN, PHASE_EXPIRED);
    out->round = in->round;
    out->attempt = in->attempt;
    out->bytes = in->bytes;
    out->waiting = codec_decode_ascending(d, "waiting", &out->n_waiting, in->waiting, in->n_waiting, 0,
                                          MESSAGE_SITES_MAX, 1);
    out->connected = codec_decode_ascending(d, "connected", &out->n_connected, in->connected, in->n_connected,
                                            0, MESSAGE_SITES_MAX, 1);
    if (!codec_decode_count(d, "other", in->n_other, 0, MESSAGE_SITES_MAX))
        return;
    struct message_wire_site *other = arena_array(d->arena, in->n_other + 1, sizeof *other);
    for (size_t i = 0; i < in->n_other; i++) {
        other[i].site = codec_decode_u32(d, "other.site", in->other[i]->site,
                                         i == 0 ? 1 : other[i - 1].site + 1, UINT32_MAX);
        other[i].wire = codec_decode_u32(d, "other.wire", in->other[i]->wire, 1, WIRE_MAX);
    }
    out->n_other = in->n_other;
    out->other = other;
}
CODEC(status, Maille__Wire__Status, maille__wire__status, codec_limit(MESSAGE_STATUS))

static void list_pack(Maille__Wire__List *out, const struct message_list *in, struct arena *arena)
{
    out->n_queries = in->n;
    out->queries = arena_array(arena, in->n, sizeof *out->queries);
    for (size_t i = 0; i < in->n; i++) {
        Maille__Wire__Listed *listed = out->queries[i] = arena_alloc(arena, sizeof *listed);
        maille__wire__listed__init(listed);
        listed->qid = codec_encode_bytes(in->queries[i].qid, QID_BYTES);
        listed->study = codec_encode_string(in->queries[i].study);
        listed->phase = (uint32_t)in->queries[i].phase;
        listed->round = in->queries[i].round;
        listed->created_ms = in->queries[i].created_ms;
    }
}

static void list_unpack(struct decoder *d, struct message_list *out, const Maille__Wire__List *in)
{
    if (!codec_decode_count(d, "queries", in->n_queries, 0, LISTED_MAX))
        return;
    struct message_listed *queries = arena_array(d->arena, in->n_queries, sizeof *queries);
    for (size_t i = 0; i < in->n_queries; i++) {
        const Maille__Wire__Listed *listed = in->queries[i];
        codec_decode_fixed(d, "queries.qid", queries[i].qid, QID_BYTES, listed->qid);
        queries[i].study = codec_decode_text(d, "queries.study", listed->study, STUDY_NAME_MAX);
        queries[i].phase = (enum query_phase)codec_decode_u32(d, "queries.phase", listed->phase,
                                                              PHASE_UNKNOWN, PHASE_EXPIRED);
        queries[i].round = listed->round;
        queries[i].created_ms = codec_decode_time(d, "queries.created_ms", listed->created_ms);
    }
    out->n = in->n_queries;
    out->queries = queries;
}
CODEC(list, Maille__Wire__List, maille__wire__list, codec_limit(MESSAGE_LIST))

static void resume_pack(Maille__Wire__Resume *out, const struct message_resume *in, struct arena *arena)
{
    (void)arena;
    out->qid = codec_encode_bytes(in->qid, QID_BYTES);
}

static void resume_unpack(struct decoder *d, struct message_resume *out, const Maille__Wire__Resume *in)
{
    codec_decode_fixed(d, "qid", out->qid, QID_BYTES, in->qid);
}
CODEC(resume, Maille__Wire__Resume, maille__wire__resume, codec_limit(MESSAGE_RESUME))

static void problem_pack(Maille__Wire__Problem *out, const struct message_problem *in, struct arena *arena)
{
    (void)arena;
    out->qid = codec_encode_bytes(in->qid, QID_BYTES);
    out->code = (uint32_t)in->code;
    out->rule = codec_encode_string(in->rule);
}

static void problem_unpack(struct decoder *d, struct message_problem *out, const Maille__Wire__Problem *in)
{
    codec_decode_fixed(d, "qid", out->qid, QID_BYTES, in->qid);
    out->code = (enum maille_code)codec_decode_u32(d, "code", in->code, MAILLE_REFUSED, MAILLE_INTERNAL);
    out->rule = codec_decode_word(d, "rule", in->rule, 0);
}
CODEC(problem, Maille__Wire__Problem, maille__wire__problem, codec_limit(MESSAGE_PROBLEM))
