/* One round: header, start, masked vectors, close, reveal, sum. */
#include "proto/codec.h"

enum {
    HEADER_MAX = 16 * 1024, /* 1024 members, 256 analyses, five hashes */
    SEALED_MAX = 256,       /* a key of 32 bytes, sealed */
    REVEAL_ENVELOPE_MAX = 21 * 1024,
    MASKED_ENVELOPE_MAX = 49 * 1024,
    TAKEN_ENVELOPE_MAX = 1024,
    PULL_SEGMENTS_MAX = 16, /* the credit of one pull */
    PULL_LEAVES_MAX = SEGMENT_BYTES / HASH_BYTES
};
/* A site's number; one more is still a number, so that "ascending" can be checked against the one before. */
static const uint32_t site_max = UINT32_MAX - 1;
static const uint64_t vector_max = (uint64_t)1 << 40; /* bytes; the manifest's bytes_max is what counts */

static void round_header_pack(Maille__Wire__RoundHeader *out, const struct message_round_header *in,
                              struct arena *arena)
{
    (void)arena;
    out->rho = codec_encode_bytes(in->rho.b, HASH_BYTES);
    out->round = in->round;
    out->attempt = in->attempt;
    out->n_members = in->n_members;
    out->members = codec_encode_list(in->members);
    out->n_analyses = in->n_analyses;
    out->analyses = codec_encode_list(in->analyses);
    out->theta_hash = codec_encode_bytes(in->theta_hash.b, HASH_BYTES);
    out->previous_hash = codec_encode_bytes(in->previous_hash.b, HASH_BYTES);
    out->layout_hash = codec_encode_bytes(in->layout_hash.b, HASH_BYTES);
    out->plan_hash = codec_encode_bytes(in->plan_hash.b, HASH_BYTES);
    out->length = in->length;
    out->result_to = (uint32_t)in->result_to;
}

static void round_header_unpack(struct decoder *d, struct message_round_header *out,
                                const Maille__Wire__RoundHeader *in)
{
    codec_decode_fixed(d, "rho", out->rho.b, HASH_BYTES, in->rho);
    out->round = codec_decode_u32(d, "round", in->round, 1, UINT32_MAX);
    out->attempt = codec_decode_u32(d, "attempt", in->attempt, 1, UINT32_MAX);
    out->members = codec_decode_ascending(d, "members", &out->n_members, in->members, in->n_members, 1,
                                          MESSAGE_SITES_MAX, 1);
    out->analyses = codec_decode_ascending(d, "analyses", &out->n_analyses, in->analyses, in->n_analyses, 1,
                                           MESSAGE_ANALYSES_MAX, 0);
    if (out->n_analyses > 0 && out->analyses[out->n_analyses - 1] >= MESSAGE_ANALYSES_MAX)
        decoder_refuse(d, "analyses", "numbers of analyses");
    codec_decode_fixed(d, "theta_hash", out->theta_hash.b, HASH_BYTES, in->theta_hash);
    codec_decode_fixed(d, "previous_hash", out->previous_hash.b, HASH_BYTES, in->previous_hash);
    codec_decode_fixed(d, "layout_hash", out->layout_hash.b, HASH_BYTES, in->layout_hash);
    codec_decode_fixed(d, "plan_hash", out->plan_hash.b, HASH_BYTES, in->plan_hash);
    out->length = codec_decode_u64(d, "length", in->length, 0, vector_max);
    out->result_to = (enum result_to)codec_decode_u32(d, "result_to", in->result_to, RESULT_TO_ANALYST,
                                                      RESULT_TO_CUSTODIANS);
}
CODEC(round_header, Maille__Wire__RoundHeader, maille__wire__round_header, HEADER_MAX)

static Maille__Wire__SealedKey **encode_keys(struct arena *arena, const struct message_sealed_key *keys,
                                             size_t n)
{
    Maille__Wire__SealedKey **out = arena_array(arena, n, sizeof(Maille__Wire__SealedKey *));
    for (size_t i = 0; i < n; i++) {
        out[i] = arena_alloc(arena, sizeof *out[i]);
        maille__wire__sealed_key__init(out[i]);
        out[i]->site = keys[i].site;
        out[i]->sealed = codec_encode_view(keys[i].sealed);
    }
    return out;
}

static void start_pack(Maille__Wire__Start *out, const struct message_start *in, struct arena *arena)
{
    out->qid = codec_encode_bytes(in->qid, QID_BYTES);
    out->header = codec_encode_view(in->header);
    out->n_keys = in->n_keys;
    out->keys = encode_keys(arena, in->keys, in->n_keys);
    out->n_runs = in->n_runs;
    out->runs = arena_array(arena, in->n_runs, sizeof *out->runs);
    for (size_t i = 0; i < in->n_runs; i++) {
        out->runs[i] = arena_alloc(arena, sizeof *out->runs[i]);
        maille__wire__run__init(out->runs[i]);
        out->runs[i]->bytes = in->runs[i].bytes;
        out->runs[i]->width = in->runs[i].width;
    }
}

static const struct message_sealed_key *decode_keys(struct decoder *d, size_t *n,
                                                    Maille__Wire__SealedKey *const *in, size_t n_in)
{
    if (!codec_decode_count(d, "keys", n_in, 0, MESSAGE_SITES_MAX))
        return NULL;
    struct message_sealed_key *keys = arena_array(d->arena, n_in, sizeof *keys);
    for (size_t i = 0; i < n_in; i++) {
        keys[i].site =
            codec_decode_u32(d, "keys.site", in[i]->site, i == 0 ? 1 : keys[i - 1].site + 1, site_max);
        keys[i].sealed = codec_decode_view(d, "keys.sealed", in[i]->sealed, SEAL_OVERHEAD, SEALED_MAX);
    }
    *n = n_in;
    return keys;
}

/* That they are whole words, aligned, and cover the vector is checked with the header (open.c). */
static const struct word_run *decode_runs(struct decoder *d, size_t *n, Maille__Wire__Run *const *in,
                                          size_t n_in)
{
    if (!codec_decode_count(d, "runs", n_in, 0, MESSAGE_RUNS_MAX))
        return NULL;
    struct word_run *runs = arena_array(d->arena, n_in, sizeof *runs);
    for (size_t i = 0; i < n_in; i++) {
        runs[i].width = in[i]->width;
        runs[i].bytes = codec_decode_u64(d, "runs.bytes", in[i]->bytes, 1, vector_max);
    }
    *n = n_in;
    return runs;
}

static void start_unpack(struct decoder *d, struct message_start *out, const Maille__Wire__Start *in)
{
    codec_decode_fixed(d, "qid", out->qid, QID_BYTES, in->qid);
    out->header = codec_decode_view(d, "header", in->header, 1, HEADER_MAX);
    out->keys = decode_keys(d, &out->n_keys, in->keys, in->n_keys);
    out->runs = decode_runs(d, &out->n_runs, in->runs, in->n_runs);
}
CODEC(start, Maille__Wire__Start, maille__wire__start, codec_limit(MESSAGE_START))

static void refuse_pack(Maille__Wire__Refuse *out, const struct message_refuse *in, struct arena *arena)
{
    out->qid = codec_encode_bytes(in->qid, QID_BYTES);
    out->psi = codec_encode_bytes(in->psi.b, HASH_BYTES);
    out->site = in->site;
    out->n_findings = in->n_findings;
    out->findings = codec_encode_findings(arena, in->findings, in->n_findings);
}

static void refuse_unpack(struct decoder *d, struct message_refuse *out, const Maille__Wire__Refuse *in)
{
    codec_decode_fixed(d, "qid", out->qid, QID_BYTES, in->qid);
    codec_decode_fixed(d, "psi", out->psi.b, HASH_BYTES, in->psi);
    out->site = codec_decode_u32(d, "site", in->site, 1, UINT32_MAX);
    out->findings = codec_decode_findings(d, &out->n_findings, in->findings, in->n_findings);
    codec_decode_count(d, "findings", out->n_findings, 1, MESSAGE_ANALYSES_MAX);
}
CODEC(refuse, Maille__Wire__Refuse, maille__wire__refuse, codec_limit(MESSAGE_REFUSE))

static void masked_pack(Maille__Wire__Masked *out, const struct message_masked *in, struct arena *arena)
{
    out->qid = codec_encode_bytes(in->qid, QID_BYTES);
    out->psi = codec_encode_bytes(in->psi.b, HASH_BYTES);
    out->site = in->site;
    out->vector_hash = codec_encode_bytes(in->share.vector.b, HASH_BYTES);
    out->length = in->share.length;
    out->commit = codec_encode_bytes(in->share.commit.b, HASH_BYTES);
    out->n_tags = in->share.n_tags;
    out->tags = arena_array(arena, in->share.n_tags, sizeof *out->tags);
    for (size_t i = 0; i < in->share.n_tags; i++) {
        out->tags[i] = arena_alloc(arena, sizeof *out->tags[i]);
        maille__wire__tag__init(out->tags[i]);
        out->tags[i]->site = in->share.tags[i].site;
        out->tags[i]->tag = codec_encode_bytes(in->share.tags[i].tag, TAG_BYTES);
    }
    out->head = codec_encode_head(arena, &in->head);
}

static void masked_unpack(struct decoder *d, struct message_masked *out, const Maille__Wire__Masked *in)
{
    codec_decode_fixed(d, "qid", out->qid, QID_BYTES, in->qid);
    codec_decode_fixed(d, "psi", out->psi.b, HASH_BYTES, in->psi);
    out->site = codec_decode_u32(d, "site", in->site, 1, UINT32_MAX);
    codec_decode_fixed(d, "vector_hash", out->share.vector.b, HASH_BYTES, in->vector_hash);
    out->share.length = codec_decode_u64(d, "length", in->length, 0, vector_max);
    codec_decode_fixed(d, "commit", out->share.commit.b, HASH_BYTES, in->commit);
    if (codec_decode_count(d, "tags", in->n_tags, 0, MESSAGE_SITES_MAX)) {
        for (size_t i = 0; i < in->n_tags; i++) {
            uint32_t least = i == 0 ? 1 : out->share.tags[i - 1].site + 1;
            out->share.tags[i].site = codec_decode_u32(d, "tags.site", in->tags[i]->site, least, site_max);
            codec_decode_fixed(d, "tags.tag", out->share.tags[i].tag, TAG_BYTES, in->tags[i]->tag);
        }
        out->share.n_tags = in->n_tags;
    }
    out->head = codec_decode_head(d, in->head);
}
CODEC(masked, Maille__Wire__Masked, maille__wire__masked, codec_limit(MESSAGE_MASKED))

static void pull_pack(Maille__Wire__Pull *out, const struct message_pull *in, struct arena *arena)
{
    (void)arena;
    out->qid = codec_encode_bytes(in->qid, QID_BYTES);
    out->psi = codec_encode_bytes(in->psi.b, HASH_BYTES);
    out->source = in->source;
    out->what = (uint32_t)in->what;
    out->first = in->first;
    out->count = in->count;
}

static void pull_unpack(struct decoder *d, struct message_pull *out, const Maille__Wire__Pull *in)
{
    codec_decode_fixed(d, "qid", out->qid, QID_BYTES, in->qid);
    codec_decode_fixed(d, "psi", out->psi.b, HASH_BYTES, in->psi);
    out->source = in->source;
    out->what = (enum pull_what)codec_decode_u32(d, "what", in->what, PULL_SEGMENTS, PULL_LEAVES);
    out->first = codec_decode_u64(d, "first", in->first, 0, vector_max / SEGMENT_BYTES);
    out->count = codec_decode_u32(d, "count", in->count, 1,
                                  out->what == PULL_LEAVES ? PULL_LEAVES_MAX : PULL_SEGMENTS_MAX);
}
CODEC(pull, Maille__Wire__Pull, maille__wire__pull, codec_limit(MESSAGE_PULL))

static void segment_pack(Maille__Wire__Segment *out, const struct message_segment *in, struct arena *arena)
{
    (void)arena;
    out->qid = codec_encode_bytes(in->qid, QID_BYTES);
    out->psi = codec_encode_bytes(in->psi.b, HASH_BYTES);
    out->source = in->source;
    out->what = (uint32_t)in->what;
    out->index = in->index;
}

static void segment_unpack(struct decoder *d, struct message_segment *out, const Maille__Wire__Segment *in)
{
    codec_decode_fixed(d, "qid", out->qid, QID_BYTES, in->qid);
    codec_decode_fixed(d, "psi", out->psi.b, HASH_BYTES, in->psi);
    out->source = in->source;
    out->what = (enum pull_what)codec_decode_u32(d, "what", in->what, PULL_SEGMENTS, PULL_LEAVES);
    out->index = codec_decode_u64(d, "index", in->index, 0, vector_max / SEGMENT_BYTES);
}
CODEC(segment, Maille__Wire__Segment, maille__wire__segment, codec_limit(MESSAGE_SEGMENT))

static void close_pack(Maille__Wire__Close *out, const struct message_close *in, struct arena *arena)
{
    out->qid = codec_encode_bytes(in->qid, QID_BYTES);
    out->psi = codec_encode_bytes(in->psi.b, HASH_BYTES);
    out->n_masked = in->n;
    out->masked = codec_encode_views(arena, in->masked, in->n);
    out->head = codec_encode_head(arena, &in->head);
}

static void close_unpack(struct decoder *d, struct message_close *out, const Maille__Wire__Close *in)
{
    codec_decode_fixed(d, "qid", out->qid, QID_BYTES, in->qid);
    codec_decode_fixed(d, "psi", out->psi.b, HASH_BYTES, in->psi);
    out->masked = codec_decode_views(d, "masked", &out->n, in->masked, in->n_masked, MESSAGE_SITES_MAX,
                                     MASKED_ENVELOPE_MAX);
    out->head = codec_decode_head(d, in->head);
}
CODEC(close, Maille__Wire__Close, maille__wire__close, codec_limit(MESSAGE_CLOSE))

static void reveal_pack(Maille__Wire__Reveal *out, const struct message_reveal *in, struct arena *arena)
{
    out->qid = codec_encode_bytes(in->qid, QID_BYTES);
    out->psi = codec_encode_bytes(in->psi.b, HASH_BYTES);
    out->site = in->site;
    out->sealed = codec_encode_view(in->sealed);
    out->close_hash = codec_encode_bytes(in->close_hash.b, HASH_BYTES);
    out->n_keys = in->n_keys;
    out->keys = encode_keys(arena, in->keys, in->n_keys);
}

static void reveal_unpack(struct decoder *d, struct message_reveal *out, const Maille__Wire__Reveal *in)
{
    codec_decode_fixed(d, "qid", out->qid, QID_BYTES, in->qid);
    codec_decode_fixed(d, "psi", out->psi.b, HASH_BYTES, in->psi);
    out->site = codec_decode_u32(d, "site", in->site, 1, UINT32_MAX);
    out->keys = decode_keys(d, &out->n_keys, in->keys, in->n_keys);
    if (in->n_keys == 0) /* to the analyst, or to every custodian, never to both */
        out->sealed = codec_decode_view(d, "sealed", in->sealed, SEAL_OVERHEAD, SEALED_MAX);
    else
        out->sealed = codec_decode_view(d, "sealed", in->sealed, 0, 0);
    codec_decode_fixed(d, "close_hash", out->close_hash.b, HASH_BYTES, in->close_hash);
}
CODEC(reveal, Maille__Wire__Reveal, maille__wire__reveal, codec_limit(MESSAGE_REVEAL))

static void sum_pack(Maille__Wire__Sum *out, const struct message_sum *in, struct arena *arena)
{
    (void)arena;
    out->qid = codec_encode_bytes(in->qid, QID_BYTES);
    out->psi = codec_encode_bytes(in->psi.b, HASH_BYTES);
    out->sum_hash = codec_encode_bytes(in->sum_hash.b, HASH_BYTES);
    out->length = in->length;
    out->vectors_held = in->vectors_held;
}

static void sum_unpack(struct decoder *d, struct message_sum *out, const Maille__Wire__Sum *in)
{
    codec_decode_fixed(d, "qid", out->qid, QID_BYTES, in->qid);
    codec_decode_fixed(d, "psi", out->psi.b, HASH_BYTES, in->psi);
    codec_decode_fixed(d, "sum_hash", out->sum_hash.b, HASH_BYTES, in->sum_hash);
    out->length = codec_decode_u64(d, "length", in->length, 0, vector_max);
    out->vectors_held = codec_decode_u32(d, "vectors_held", in->vectors_held, 0, 1) == 1;
}
CODEC(sum, Maille__Wire__Sum, maille__wire__sum, codec_limit(MESSAGE_SUM))

static void custody_pack(Maille__Wire__Custody *out, const struct message_custody *in, struct arena *arena)
{
    out->qid = codec_encode_bytes(in->qid, QID_BYTES);
    out->psi = codec_encode_bytes(in->psi.b, HASH_BYTES);
    out->n_reveals = in->n;
    out->reveals = codec_encode_views(arena, in->reveals, in->n);
}

static void custody_unpack(struct decoder *d, struct message_custody *out, const Maille__Wire__Custody *in)
{
    codec_decode_fixed(d, "qid", out->qid, QID_BYTES, in->qid);
    codec_decode_fixed(d, "psi", out->psi.b, HASH_BYTES, in->psi);
    out->reveals = codec_decode_views(d, "reveals", &out->n, in->reveals, in->n_reveals, CUSTODY_MEMBERS_MAX,
                                      REVEAL_ENVELOPE_MAX);
}
CODEC(custody, Maille__Wire__Custody, maille__wire__custody, codec_limit(MESSAGE_CUSTODY))

static void taken_pack(Maille__Wire__Taken *out, const struct message_taken *in, struct arena *arena)
{
    (void)arena;
    out->qid = codec_encode_bytes(in->qid, QID_BYTES);
    out->psi = codec_encode_bytes(in->psi.b, HASH_BYTES);
    out->site = in->site;
    out->tag = codec_encode_bytes(in->tag.b, HASH_BYTES);
}

static void taken_unpack(struct decoder *d, struct message_taken *out, const Maille__Wire__Taken *in)
{
    codec_decode_fixed(d, "qid", out->qid, QID_BYTES, in->qid);
    codec_decode_fixed(d, "psi", out->psi.b, HASH_BYTES, in->psi);
    out->site = codec_decode_u32(d, "site", in->site, 1, UINT32_MAX);
    codec_decode_fixed(d, "tag", out->tag.b, HASH_BYTES, in->tag);
}
CODEC(taken, Maille__Wire__Taken, maille__wire__taken, codec_limit(MESSAGE_TAKEN))

static void agreed_pack(Maille__Wire__Agreed *out, const struct message_agreed *in, struct arena *arena)
{
    out->qid = codec_encode_bytes(in->qid, QID_BYTES);
    out->psi = codec_encode_bytes(in->psi.b, HASH_BYTES);
    out->n_taken = in->n;
    out->taken = codec_encode_views(arena, in->taken, in->n);
}

static void agreed_unpack(struct decoder *d, struct message_agreed *out, const Maille__Wire__Agreed *in)
{
    codec_decode_fixed(d, "qid", out->qid, QID_BYTES, in->qid);
    codec_decode_fixed(d, "psi", out->psi.b, HASH_BYTES, in->psi);
    out->taken = codec_decode_views(d, "taken", &out->n, in->taken, in->n_taken, CUSTODY_MEMBERS_MAX,
                                    TAKEN_ENVELOPE_MAX);
}
CODEC(agreed, Maille__Wire__Agreed, maille__wire__agreed, codec_limit(MESSAGE_AGREED))

static void result_pack(Maille__Wire__Result *out, const struct message_result *in, struct arena *arena)
{
    (void)arena;
    out->qid = codec_encode_bytes(in->qid, QID_BYTES);
    out->psi = codec_encode_bytes(in->psi.b, HASH_BYTES);
    out->site = in->site;
    out->hash = codec_encode_bytes(in->hash.b, HASH_BYTES);
}

static void result_unpack(struct decoder *d, struct message_result *out, const Maille__Wire__Result *in)
{
    codec_decode_fixed(d, "qid", out->qid, QID_BYTES, in->qid);
    codec_decode_fixed(d, "psi", out->psi.b, HASH_BYTES, in->psi);
    out->site = codec_decode_u32(d, "site", in->site, 1, UINT32_MAX);
    codec_decode_fixed(d, "hash", out->hash.b, HASH_BYTES, in->hash);
}
CODEC(result, Maille__Wire__Result, maille__wire__result, codec_limit(MESSAGE_RESULT))
