/* A query from manifest to end. */
#include <stdlib.h>

#include "proto/codec.h"
#include "query/yaml.h"

enum { FLOOR_MAX = 16 * 1024, ROUNDS_MAX = 4096, ACCEPT_ENVELOPE_MAX = 1281 * 1024 };

static void manifest_pack(Maille__Wire__Manifest *out, const struct message_manifest *in, struct arena *arena)
{
    out->protocol = in->protocol;
    out->qid = codec_encode_bytes(in->qid, QID_BYTES);
    out->researcher = codec_encode_string(in->researcher);
    out->rk = codec_encode_bytes(in->rk, PUBLIC_BYTES);
    out->study = codec_encode_view(in->study);
    out->n_methods = in->n_methods;
    out->methods = arena_array(arena, in->n_methods, sizeof *out->methods);
    for (size_t i = 0; i < in->n_methods; i++) {
        out->methods[i] = arena_alloc(arena, sizeof *out->methods[i]);
        maille__wire__method__init(out->methods[i]);
        out->methods[i]->name = codec_encode_string(in->methods[i].name);
        out->methods[i]->version = in->methods[i].version;
    }
    out->n_sites = in->n_sites;
    out->sites = codec_encode_list(in->sites);
    out->bytes_max = in->bytes_max;
    out->rounds_max = in->rounds_max;
    out->n_min = in->n_min;
    out->directory_version = in->directory_version;
    out->directory_hash = codec_encode_bytes(in->directory_hash.b, HASH_BYTES);
    out->dictionary_hash = codec_encode_bytes(in->dictionary_hash.b, HASH_BYTES);
    out->created_ms = in->created_ms;
    out->expires_ms = in->expires_ms;
    out->mode = (uint32_t)in->mode;
}

static void manifest_unpack(struct decoder *d, struct message_manifest *out, const Maille__Wire__Manifest *in)
{
    out->protocol = codec_decode_u32(d, "protocol", in->protocol, 1, PROTOCOL_VERSION);
    codec_decode_fixed(d, "qid", out->qid, QID_BYTES, in->qid);
    out->researcher = codec_decode_name(d, "researcher", in->researcher);
    codec_decode_fixed(d, "rk", out->rk, PUBLIC_BYTES, in->rk);
    out->study = codec_decode_view(d, "study", in->study, 1, YAML_BYTES_MAX);
    if (codec_decode_count(d, "methods", in->n_methods, 1, MESSAGE_ANALYSES_MAX)) {
        struct message_method *methods = arena_array(d->arena, in->n_methods, sizeof *methods);
        for (size_t i = 0; i < in->n_methods; i++) {
            methods[i].name = codec_decode_word(d, "methods.name", in->methods[i]->name, 1);
            methods[i].version = in->methods[i]->version;
        }
        out->n_methods = in->n_methods;
        out->methods = methods;
    }
    out->sites =
        codec_decode_ascending(d, "sites", &out->n_sites, in->sites, in->n_sites, 1, MESSAGE_SITES_MAX, 1);
    out->bytes_max = codec_decode_u64(d, "bytes_max", in->bytes_max, 1, (uint64_t)1 << 40);
    out->rounds_max = codec_decode_u32(d, "rounds_max", in->rounds_max, 1, ROUNDS_MAX);
    out->n_min = codec_decode_u32(d, "n_min", in->n_min, 1, MESSAGE_SITES_MAX);
    out->directory_version = in->directory_version;
    codec_decode_fixed(d, "directory_hash", out->directory_hash.b, HASH_BYTES, in->directory_hash);
    codec_decode_fixed(d, "dictionary_hash", out->dictionary_hash.b, HASH_BYTES, in->dictionary_hash);
    out->created_ms = codec_decode_time(d, "created_ms", in->created_ms);
    out->expires_ms = codec_decode_time(d, "expires_ms", in->expires_ms);
    /* One of before there were modes is read, so that it can be refused. */
    out->mode = (enum query_mode)codec_decode_u32(
        d, "mode", in->mode, out->protocol == PROTOCOL_VERSION ? MODE_AGENT : 0, MODE_CIRCLE);
}
CODEC(manifest, Maille__Wire__Manifest, maille__wire__manifest, codec_limit(MESSAGE_MANIFEST))

static void ready_pack(Maille__Wire__Ready *out, const struct message_ready *in, struct arena *arena)
{
    out->qid = codec_encode_bytes(in->qid, QID_BYTES);
    out->site = in->site;
    out->state = (uint32_t)in->state;
    out->rule = codec_encode_string(in->rule);
    out->n_findings = in->n_findings;
    out->findings = codec_encode_findings(arena, in->findings, in->n_findings);
}

static void ready_unpack(struct decoder *d, struct message_ready *out, const Maille__Wire__Ready *in)
{
    codec_decode_fixed(d, "qid", out->qid, QID_BYTES, in->qid);
    out->site = codec_decode_u32(d, "site", in->site, 1, UINT32_MAX);
    out->state = (enum ready_state)codec_decode_u32(d, "state", in->state, READY_READY, READY_REFUSED);
    out->rule = codec_decode_word(d, "rule", in->rule, out->state == READY_REFUSED ? 1 : 0);
    out->findings = codec_decode_findings(d, &out->n_findings, in->findings, in->n_findings);
}
CODEC(ready, Maille__Wire__Ready, maille__wire__ready, codec_limit(MESSAGE_READY))

static void call_pack(Maille__Wire__Call *out, const struct message_call *in, struct arena *arena)
{
    (void)arena;
    out->qid = codec_encode_bytes(in->qid, QID_BYTES);
    out->n_sites = in->n_sites;
    out->sites = codec_encode_list(in->sites);
}

static void call_unpack(struct decoder *d, struct message_call *out, const Maille__Wire__Call *in)
{
    codec_decode_fixed(d, "qid", out->qid, QID_BYTES, in->qid);
    out->sites =
        codec_decode_ascending(d, "sites", &out->n_sites, in->sites, in->n_sites, 1, MESSAGE_SITES_MAX, 1);
}
CODEC(call, Maille__Wire__Call, maille__wire__call, codec_limit(MESSAGE_CALL))

/* A bitmap without zero bytes at its end, not empty. */
static struct byte_view decode_bits(struct decoder *d, const char *field, ProtobufCBinaryData in, size_t max)
{
    const struct byte_view bits = codec_decode_view(d, field, in, 1, max);
    if (d->code == MAILLE_OK && bits.data[bits.length - 1] == 0)
        decoder_refuse(d, field, "a bitmap that ends with its last bit");
    return bits;
}

static void accept_pack(Maille__Wire__Accept *out, const struct message_accept *in, struct arena *arena)
{
    out->qid = codec_encode_bytes(in->qid, QID_BYTES);
    out->manifest_hash = codec_encode_bytes(in->manifest_hash.b, HASH_BYTES);
    out->site = in->site;
    out->ek = codec_encode_bytes(in->ek, PUBLIC_BYTES);
    out->snapshot = in->snapshot;
    out->snapshot_hash = codec_encode_bytes(in->snapshot_hash.b, HASH_BYTES);
    out->floor = codec_encode_view(in->floor);
    out->own_totals = in->own_totals;
    out->n_ledger = in->n_ledger;
    out->ledger = arena_array(arena, in->n_ledger, sizeof *out->ledger);
    for (size_t i = 0; i < in->n_ledger; i++) {
        out->ledger[i] = arena_alloc(arena, sizeof *out->ledger[i]);
        maille__wire__ledger_entry__init(out->ledger[i]);
        out->ledger[i]->id = codec_encode_bytes(in->ledger[i].id, LEDGER_ID_BYTES);
        out->ledger[i]->shown = codec_encode_view(in->ledger[i].shown);
        out->ledger[i]->roster = codec_encode_view(in->ledger[i].roster);
        out->ledger[i]->moved = in->ledger[i].moved;
        out->ledger[i]->families = codec_encode_view(in->ledger[i].families);
    }
    out->head = codec_encode_head(arena, &in->head);
    out->arithmetic = in->arithmetic;
    out->n_forms = in->n_forms;
    out->forms = arena_array(arena, in->n_forms, sizeof *out->forms);
    for (size_t i = 0; i < in->n_forms; i++) {
        out->forms[i] = arena_alloc(arena, sizeof *out->forms[i]);
        maille__wire__ledger_form__init(out->forms[i]);
        out->forms[i]->id = codec_encode_bytes(in->forms[i].id, LEDGER_ID_BYTES);
        out->forms[i]->analysis = in->forms[i].analysis;
        out->forms[i]->form = codec_encode_view(in->forms[i].form);
    }
    out->n_stored = in->n_stored;
    out->stored = arena_array(arena, in->n_stored, sizeof *out->stored);
    for (size_t i = 0; i < in->n_stored; i++) {
        out->stored[i] = arena_alloc(arena, sizeof *out->stored[i]);
        maille__wire__stored_result__init(out->stored[i]);
        out->stored[i]->id = codec_encode_bytes(in->stored[i].id, LEDGER_ID_BYTES);
        out->stored[i]->analysis = in->stored[i].analysis;
        out->stored[i]->members = codec_encode_bytes(in->stored[i].members, LEDGER_ID_BYTES);
        out->stored[i]->moved = in->stored[i].moved;
        out->stored[i]->asked_ms = in->stored[i].asked_ms;
    }
}

static int compare_forms(const void *a, const void *b)
{
    const struct message_ledger_form *x = a, *y = b;
    const int order = memcmp(x->id, y->id, LEDGER_ID_BYTES);
    return order != 0 ? order : (x->analysis > y->analysis) - (x->analysis < y->analysis);
}

static void forms_unpack(struct decoder *d, struct message_accept *out, const Maille__Wire__Accept *in)
{
    size_t bytes = 0;
    if (!codec_decode_count(d, "forms", in->n_forms, 0, LEDGER_FORMS_MAX))
        return;
    struct message_ledger_form *forms = arena_array(d->arena, in->n_forms, sizeof *forms);
    for (size_t i = 0; i < in->n_forms; i++) {
        codec_decode_fixed(d, "forms.id", forms[i].id, LEDGER_ID_BYTES, in->forms[i]->id);
        forms[i].analysis =
            codec_decode_u32(d, "forms.analysis", in->forms[i]->analysis, 0, MESSAGE_ANALYSES_MAX - 1);
        forms[i].form = codec_decode_view(d, "forms.form", in->forms[i]->form, 1, LEDGER_FORM_BYTES_MAX);
        bytes += forms[i].form.length;
        if (d->code == MAILLE_OK && i > 0 && compare_forms(&forms[i - 1], &forms[i]) >= 0)
            decoder_refuse(d, "forms", "forms in ascending order");
        if (d->code == MAILLE_OK && bytes > LEDGER_FORMS_BYTES_MAX)
            decoder_refuse(d, "forms", "fewer bytes of forms");
    }
    out->n_forms = in->n_forms;
    out->forms = forms;
}

static void stored_unpack(struct decoder *d, struct message_accept *out, const Maille__Wire__Accept *in)
{
    if (!codec_decode_count(d, "stored", in->n_stored, 0, MESSAGE_ANALYSES_MAX))
        return;
    struct message_stored *stored = arena_array(d->arena, in->n_stored, sizeof *stored);
    for (size_t i = 0; i < in->n_stored; i++) {
        const Maille__Wire__StoredResult *from = in->stored[i];
        codec_decode_fixed(d, "stored.id", stored[i].id, LEDGER_ID_BYTES, from->id);
        stored[i].analysis =
            codec_decode_u32(d, "stored.analysis", from->analysis, 0, MESSAGE_ANALYSES_MAX - 1);
        codec_decode_fixed(d, "stored.members", stored[i].members, LEDGER_ID_BYTES, from->members);
        stored[i].moved = codec_decode_u32(d, "stored.moved", from->moved, 0, 1) != 0;
        stored[i].asked_ms = codec_decode_time(d, "stored.asked_ms", from->asked_ms);
        if (d->code == MAILLE_OK && i > 0 && stored[i - 1].analysis >= stored[i].analysis)
            decoder_refuse(d, "stored.analysis", "analyses in ascending order");
    }
    out->n_stored = in->n_stored;
    out->stored = stored;
}

static void accept_unpack(struct decoder *d, struct message_accept *out, const Maille__Wire__Accept *in)
{
    codec_decode_fixed(d, "qid", out->qid, QID_BYTES, in->qid);
    codec_decode_fixed(d, "manifest_hash", out->manifest_hash.b, HASH_BYTES, in->manifest_hash);
    out->site = codec_decode_u32(d, "site", in->site, 1, UINT32_MAX);
    codec_decode_fixed(d, "ek", out->ek, PUBLIC_BYTES, in->ek);
    out->snapshot = in->snapshot;
    codec_decode_fixed(d, "snapshot_hash", out->snapshot_hash.b, HASH_BYTES, in->snapshot_hash);
    out->floor = codec_decode_view(d, "floor", in->floor, 0, FLOOR_MAX);
    out->own_totals = codec_decode_u32(d, "own_totals", in->own_totals, 0, 2);
    if (codec_decode_count(d, "ledger", in->n_ledger, 0, LEDGER_ENTRIES_MAX)) {
        struct message_ledger_entry *ledger = arena_array(d->arena, in->n_ledger, sizeof *ledger);
        for (size_t i = 0; i < in->n_ledger; i++) {
            codec_decode_fixed(d, "ledger.id", ledger[i].id, LEDGER_ID_BYTES, in->ledger[i]->id);
            ledger[i].shown = decode_bits(d, "ledger.shown", in->ledger[i]->shown, LEDGER_SHOWN_MAX);
            ledger[i].roster = decode_bits(d, "ledger.roster", in->ledger[i]->roster, LEDGER_ROSTER_MAX);
            ledger[i].families =
                codec_decode_view(d, "ledger.families", in->ledger[i]->families, 0, LEDGER_FAMILIES_MAX);
            ledger[i].moved = in->ledger[i]->moved != 0;
            if (in->ledger[i]->moved > 1)
                decoder_refuse(d, "ledger.moved", "0 or 1");
            if (d->code == MAILLE_OK && i > 0 && memcmp(ledger[i - 1].id, ledger[i].id, LEDGER_ID_BYTES) >= 0)
                decoder_refuse(d, "ledger.id", "ids in ascending order");
        }
        out->n_ledger = in->n_ledger;
        out->ledger = ledger;
    }
    out->head = codec_decode_head(d, in->head);
    out->arithmetic = in->arithmetic;
    forms_unpack(d, out, in);
    stored_unpack(d, out, in);
}
CODEC(accept, Maille__Wire__Accept, maille__wire__accept, codec_limit(MESSAGE_ACCEPT))

enum maille_code message_rho(struct digest *rho, const struct digest *manifest_hash,
                             const struct byte_view *accepts, size_t n, struct maille_error *error)
{
    struct bytes all = {0};
    bytes_put(&all, manifest_hash->b, HASH_BYTES);
    for (size_t i = 0; i < n; i++)
        bytes_put_block(&all, accepts[i].data, accepts[i].length);
    enum maille_code code = bytes_check(&all, error);
    if (code == MAILLE_OK)
        hash_kdf(rho, NULL, "roster", all.data, all.length);
    bytes_clear(&all);
    return code;
}

enum maille_code message_members(uint8_t name[LEDGER_ID_BYTES], const uint32_t *sites, size_t n,
                                 struct maille_error *error)
{
    struct bytes all = {0};
    struct digest hash;
    for (size_t i = 0; i < n; i++)
        bytes_put_u32(&all, sites[i]);
    enum maille_code code = bytes_check(&all, error);
    if (code == MAILLE_OK) {
        hash_kdf(&hash, NULL, "members", all.data, all.length);
        memcpy(name, hash.b, LEDGER_ID_BYTES);
    }
    bytes_clear(&all);
    return code;
}

bool message_bit(struct byte_view bits, size_t n)
{
    return n / 8 < bits.length && (bits.data[n / 8] >> n % 8 & 1) != 0;
}

size_t message_bits(struct byte_view bits)
{
    size_t n = 0;
    for (size_t i = 0; i < bits.length; i++)
        n += (size_t)__builtin_popcount(bits.data[i]);
    return n;
}

static int compare_entries(const void *a, const void *b)
{
    const struct message_ledger_entry *x = a, *y = b;
    return memcmp(x->id, y->id, LEDGER_ID_BYTES);
}

static struct byte_view bits_or(struct byte_view a, struct byte_view b, struct arena *arena)
{
    const struct byte_view *longer = a.length > b.length ? &a : &b, *shorter = longer == &a ? &b : &a;
    uint8_t *made = arena_alloc(arena, longer->length + 1);
    memcpy(made, longer->data, longer->length);
    for (size_t i = 0; i < shorter->length; i++)
        made[i] |= shorter->data[i];
    return (struct byte_view){made, longer->length};
}

static struct byte_view greater(struct byte_view a, struct byte_view b)
{
    if (a.length != b.length)
        return a.length > b.length ? a : b;
    return a.length > 0 && memcmp(a.data, b.data, a.length) < 0 ? b : a;
}

/* How many members an entry's roster has. */
static size_t here(const struct message_ledger_entry *entry, const uint32_t *members, size_t n)
{
    size_t found = 0;
    for (size_t m = 0; m < n; m++)
        found += message_bit(entry->roster, members[m]);
    return found;
}

bool message_ledger_gone(const struct message_ledger_entry *entry, const uint32_t *members, size_t n)
{
    return here(entry, members, n) < message_bits(entry->roster);
}

bool message_ledger_other(const struct message_ledger_entry *entry, const uint32_t *members, size_t n)
{
    return entry->moved || here(entry, members, n) < n || message_ledger_gone(entry, members, n);
}

size_t message_ledger_union(struct message_ledger_entry **entries, struct arena *arena,
                            const struct message_accept *accepts, size_t n)
{
    size_t all = 0, kept = 0;
    for (size_t i = 0; i < n; i++)
        all += accepts[i].n_ledger;
    struct message_ledger_entry *list = arena_array(arena, all + 1, sizeof *list);
    struct message_ledger_entry *made = arena_array(arena, all + 1, sizeof *made);
    for (size_t i = 0, at = 0; i < n; at += accepts[i++].n_ledger)
        if (accepts[i].n_ledger > 0)
            memcpy(list + at, accepts[i].ledger, accepts[i].n_ledger * sizeof *list);
    qsort(list, all, sizeof *list, compare_entries);
    for (size_t first = 0, end; first < all; first = end, kept++) {
        size_t asked = 0;
        made[kept] = list[first];
        for (end = first + 1; end < all && compare_entries(&list[first], &list[end]) == 0; end++) {
            made[kept].shown = bits_or(made[kept].shown, list[end].shown, arena);
            made[kept].roster = bits_or(made[kept].roster, list[end].roster, arena);
            made[kept].families = greater(made[kept].families, list[end].families);
            made[kept].moved = made[kept].moved || list[end].moved;
        }
        for (size_t i = 0; i < n; i++)
            asked += message_bit(made[kept].roster, accepts[i].site);
        made[kept].lost = end - first < asked;
        made[kept].moved = made[kept].moved || made[kept].lost;
    }
    *entries = made;
    return kept;
}

static int compare_whole_forms(const void *a, const void *b)
{
    const struct message_ledger_form *x = a, *y = b;
    const int order = compare_forms(x, y);
    if (order != 0)
        return order;
    if (x->form.length != y->form.length)
        return x->form.length < y->form.length ? -1 : 1;
    return memcmp(x->form.data, y->form.data, x->form.length);
}

size_t message_forms_union(struct message_ledger_form **forms, struct arena *arena,
                           const struct message_accept *accepts, size_t n)
{
    size_t all = 0, kept = 0;
    for (size_t i = 0; i < n; i++)
        all += accepts[i].n_forms;
    struct message_ledger_form *list = arena_array(arena, all + 1, sizeof *list);
    struct message_ledger_form *made = arena_array(arena, all + 1, sizeof *made);
    for (size_t i = 0, at = 0; i < n; at += accepts[i++].n_forms)
        if (accepts[i].n_forms > 0)
            memcpy(list + at, accepts[i].forms, accepts[i].n_forms * sizeof *list);
    qsort(list, all, sizeof *list, compare_whole_forms);
    for (size_t first = 0, end; first < all; first = end) {
        for (end = first + 1; end < all && compare_whole_forms(&list[first], &list[end]) == 0;)
            end++;
        if (end - first > 1)
            made[kept++] = list[first];
    }
    *forms = made;
    return kept;
}

static void roster_pack(Maille__Wire__Roster *out, const struct message_roster *in, struct arena *arena)
{
    out->qid = codec_encode_bytes(in->qid, QID_BYTES);
    out->n_accepts = in->n;
    out->accepts = codec_encode_views(arena, in->accepts, in->n);
    out->head = codec_encode_head(arena, &in->head);
}

static void roster_unpack(struct decoder *d, struct message_roster *out, const Maille__Wire__Roster *in)
{
    codec_decode_fixed(d, "qid", out->qid, QID_BYTES, in->qid);
    out->accepts = codec_decode_views(d, "accepts", &out->n, in->accepts, in->n_accepts, MESSAGE_SITES_MAX,
                                      ACCEPT_ENVELOPE_MAX);
    out->head = codec_decode_head(d, in->head);
}
CODEC(roster, Maille__Wire__Roster, maille__wire__roster, codec_limit(MESSAGE_ROSTER))

static void end_pack(Maille__Wire__End *out, const struct message_end *in, struct arena *arena)
{
    (void)arena;
    out->qid = codec_encode_bytes(in->qid, QID_BYTES);
}

static void end_unpack(struct decoder *d, struct message_end *out, const Maille__Wire__End *in)
{
    codec_decode_fixed(d, "qid", out->qid, QID_BYTES, in->qid);
}
CODEC(end, Maille__Wire__End, maille__wire__end, codec_limit(MESSAGE_END))

static void log_head_pack(Maille__Wire__LogHead *out, const struct message_log_head *in, struct arena *arena)
{
    out->qid = codec_encode_bytes(in->qid, QID_BYTES);
    out->head = codec_encode_head(arena, &in->head);
}

static void log_head_unpack(struct decoder *d, struct message_log_head *out, const Maille__Wire__LogHead *in)
{
    codec_decode_fixed(d, "qid", out->qid, QID_BYTES, in->qid);
    out->head = codec_decode_head(d, in->head);
}
CODEC(log_head, Maille__Wire__LogHead, maille__wire__log_head, codec_limit(MESSAGE_LOG_HEAD))

static void cancel_pack(Maille__Wire__Cancel *out, const struct message_cancel *in, struct arena *arena)
{
    (void)arena;
    out->qid = codec_encode_bytes(in->qid, QID_BYTES);
    out->rule = codec_encode_string(in->rule);
}

static void cancel_unpack(struct decoder *d, struct message_cancel *out, const Maille__Wire__Cancel *in)
{
    codec_decode_fixed(d, "qid", out->qid, QID_BYTES, in->qid);
    out->rule = codec_decode_word(d, "rule", in->rule, 0);
}
CODEC(cancel, Maille__Wire__Cancel, maille__wire__cancel, codec_limit(MESSAGE_CANCEL))
