#include "tests/silence/replay.h"

#include <unistd.h>

#include "audit/log.h"
#include "base/file.h"
#include "tests/network/durable.h"
#include "worker/snapshots.h"

struct happening {
    int64_t at_ms;
    bool is_message;
    struct flight flight;
};

/* --- record --- */

void recording_begin(struct recording *recording, const struct play *play, size_t party)
{
    const struct party *site = &play->parties[party];
    *recording = (struct recording){.party = party, .snapshot = site->registry->snapshots};
    snprintf(recording->disk, sizeof recording->disk, "%s.recorded", site->folder);
    snprintf(recording->snapshots, sizeof recording->snapshots, "%s.snapshots", site->folder);
    recording->on = true;
}

static void keep(struct recording *recording, const struct play *play, const struct flight *flight)
{
    if (recording->n == recording->room) {
        recording->room = recording->room == 0 ? 64 : 2 * recording->room;
        recording->list = realloc(recording->list, recording->room * sizeof *recording->list);
        assert_non_null(recording->list);
    }
    struct happening *one = &recording->list[recording->n++];
    *one = (struct happening){.at_ms = play_elapsed_ms(play), .is_message = flight != NULL};
    if (flight == NULL)
        return;
    one->flight = *flight;
    one->flight.envelope = one->flight.frame = (struct bytes){0};
    assert_int_equal(bytes_copy(&one->flight.envelope, flight->envelope.data, flight->envelope.length),
                     MAILLE_OK);
    assert_int_equal(bytes_copy(&one->flight.frame, flight->frame.data, flight->frame.length), MAILLE_OK);
}

void recording_entered(struct recording *recording, const struct play *play, size_t party,
                       const struct flight *flight)
{
    if (!recording->on || recording->over || party != recording->party)
        return;
    if (recording->n == 0) {
        if (play_vault(play, party) != NULL) /* it still runs */
            return;
        recording->play = *play;
        recording->dice = play->parties[party].dice;
        durable_copy(play_folder(play, party), recording->disk);
    }
    if (flight != NULL && (flight->kind == MESSAGE_CUSTODY || flight->kind == MESSAGE_SUM))
        recording->over = true;
    else
        keep(recording, play, flight);
}

void recording_clear(struct recording *recording)
{
    for (size_t i = 0; i < recording->n; i++) {
        bytes_clear(&recording->list[i].flight.envelope);
        bytes_clear(&recording->list[i].flight.frame);
    }
    free(recording->list);
    *recording = (struct recording){0};
}

/* --- replay --- */

/* A network in which nobody is but the site: what it says is noted and goes nowhere. */
struct alone {
    struct play play;
    struct data_source patients; /* with the recorded facts of its newest snapshot in the place of its own */
    struct digest hash;
    uint32_t snapshot;
    struct transcript *transcript;
    struct bytes masked; /* the last envelope of M4 */
};

static enum maille_code recorded_facts(void *context, struct data_facts *facts, uint32_t number,
                                       struct arena *arena, struct maille_error *error)
{
    struct alone *alone = context;
    enum maille_code code = alone->patients.facts(alone->patients.context, facts, number, arena, error);
    if (code == MAILLE_OK && facts->number == alone->snapshot)
        facts->hash = alone->hash;
    return code;
}

static enum maille_code its_cells(void *context, struct data_cells *cells, uint32_t number,
                                  const struct study *study, struct maille_error *error)
{
    const struct data_source *source = &((struct alone *)context)->patients;
    return source->cells(source->context, cells, number, study, error);
}

static enum maille_code its_round(void *context, struct data_round *round, uint32_t number,
                                  const struct study *study, const bool *open, const struct vector *thetas,
                                  const struct bytes *plan, struct maille_error *error)
{
    const struct data_source *source = &((struct alone *)context)->patients;
    return source->round(source->context, round, number, study, open, thetas, plan, error);
}

static enum maille_code its_members(void *context, struct data_members *members, uint32_t number,
                                    const struct study *study, size_t analysis, bool persons,
                                    struct maille_error *error)
{
    const struct data_source *source = &((struct alone *)context)->patients;
    return source->members(source->context, members, number, study, analysis, persons, error);
}

static unsigned note(void *context, const struct flight *flight)
{
    struct alone *alone = context;
    transcript_note(alone->transcript, &alone->play, flight);
    if (flight->kind == MESSAGE_MASKED) {
        alone->masked.length = 0;
        assert_int_equal(bytes_copy(&alone->masked, flight->envelope.data, flight->envelope.length),
                         MAILLE_OK);
    }
    return 0;
}

/* A folder of snapshots as the recorded one, but that the newest is of this table. */
static void import(const char *folder, const char *recorded, uint32_t number, const struct columns *table,
                   bool is_public)
{
    struct maille_error error = {0};
    const struct snapshot_entry *entries;
    struct snapshot_entry entry = {
        .number = number, .rows = columns_rows(table), .created = "2026-01-01T00:00:00Z"};
    struct snapshot_facts facts = {
        .number = number, .created = "2026-01-01T00:00:00Z", .is_public = is_public};
    char path[FOLDER_BYTES + SNAPSHOT_NAME_BYTES];
    size_t n;
    struct arena *arena = arena_new();
    if (snapshots_read(&entries, &n, arena, recorded, &error) != MAILLE_OK)
        fail_msg("%s", error.sentence);
    assert_int_equal(n, number);
    durable_remove(folder);
    assert_int_equal(file_folder_make(folder, 0700, NULL), MAILLE_OK);
    for (size_t i = 0; i + 1 < n; i++) /* nobody reads their files */
        assert_int_equal(snapshots_add(folder, &entries[i], NULL), MAILLE_OK);
    assert_int_equal(snapshots_path(path, sizeof path, folder, number, NULL), MAILLE_OK);
    snapshots_salt(facts.salt);
    if (snapshot_write(table, path, &facts, &error) != MAILLE_OK ||
        hash_file(&entry.hash, path, &error) != MAILLE_OK ||
        snapshots_add(folder, &entry, &error) != MAILLE_OK)
        fail_msg("%s", error.sentence);
    arena_free(arena);
}

/* The close as it would have been with the M4 that this site sends now. */
static void mend_close(struct flight *flight, const struct alone *alone, const char *name)
{
    struct envelope envelope, masked;
    struct message_close close;
    struct bytes body = {0};
    struct arena *arena = arena_new();
    assert_int_equal(envelope_decode(&envelope, arena, flight->envelope.data, flight->envelope.length, NULL),
                     MAILLE_OK);
    assert_int_equal(message_close_decode(&close, arena, envelope.body, envelope.body_length, NULL),
                     MAILLE_OK);
    struct byte_view *views = arena_array(arena, close.n, sizeof *views);
    for (size_t i = 0; i < close.n; i++) {
        views[i] = close.masked[i];
        assert_int_equal(envelope_decode(&masked, arena, views[i].data, views[i].length, NULL), MAILLE_OK);
        if (strcmp(masked.from, name) == 0)
            views[i] = (struct byte_view){alone->masked.data, alone->masked.length};
    }
    close.masked = views;
    assert_int_equal(message_close_encode(&body, &close, NULL), MAILLE_OK);
    flight->envelope = (struct bytes){0};
    assert_int_equal(envelope_encode(&flight->envelope, MESSAGE_CLOSE,
                                     play_keys(&alone->play, PLAY_COORDINATOR), envelope.from, &body, NULL),
                     MAILLE_OK);
    bytes_clear(&body);
    arena_free(arena);
}

static void happen(struct alone *alone, const struct recording *recording, size_t i)
{
    const struct happening *one = &recording->list[i];
    struct party *site = &alone->play.parties[recording->party];
    alone->play.now_ms = one->at_ms;
    if (i == 0) {
        party_start(site);
    } else if (!one->is_message) {
        party_wake(site);
    } else if (one->flight.kind == MESSAGE_CLOSE) {
        struct flight mended = one->flight;
        mend_close(&mended, alone, site->name);
        party_hear(site, &mended);
        bytes_clear(&mended.envelope);
    } else {
        party_hear(site, &one->flight);
    }
}

static void count_vetoes(void *context, uint64_t sequence, int64_t utc_ms, const struct audit_entry *entry)
{
    (void)sequence;
    (void)utc_ms;
    for (size_t i = 0; i < entry->n_rules; i++)
        *(size_t *)context += strcmp(entry->rules[i].result, "vetoed") == 0;
}

size_t recording_replay(struct transcript *transcript, const struct recording *recording,
                        struct columns *table)
{
    struct alone alone = {.play = recording->play, .transcript = transcript, .snapshot = recording->snapshot};
    struct party *site = &alone.play.parties[recording->party];
    char folder[FOLDER_BYTES + 16];
    struct data_facts facts;
    size_t vetoes = 0;
    struct arena *arena = arena_new();
    assert_true(recording->over);
    alone.play.options.fate = note;
    alone.play.options.alter = NULL;
    alone.play.options.entered = NULL;
    alone.play.options.context = &alone;
    alone.play.flights = NULL;
    alone.play.n_flights = alone.play.flights_room = 0;
    site->play = &alone.play;
    site->dice = recording->dice;
    site->vault = NULL;
    snprintf(site->folder, sizeof site->folder, "%.490s.replayed", recording->disk);
    durable_copy(recording->disk, site->folder);
    assert_int_equal(site->source.facts(site->source.context, &facts, recording->snapshot, arena, NULL),
                     MAILLE_OK);
    struct data *data = NULL;
    if (table != NULL) {
        struct seeded dice;
        seeded_init(&dice, 0, "import");
        seeded_use(&dice);
        snprintf(folder, sizeof folder, "%s.snapshots", site->folder);
        import(folder, recording->snapshots, recording->snapshot, table, facts.is_public);
        assert_int_equal(data_open(&data, folder, 1, NULL), MAILLE_OK);
        alone.hash = facts.hash;
        alone.patients = data_local(data);
        site->source = (struct data_source){&alone, recorded_facts, its_cells, its_round, its_members};
    }
    for (size_t i = 0; i < recording->n; i++)
        happen(&alone, recording, i);
    vault_free(site->vault);
    data_free(data);
    columns_free(table);
    bytes_clear(&alone.masked);
    assert_int_equal(audit_read(arena_printf(arena, "%s/log", site->folder), count_vetoes, &vetoes, NULL),
                     MAILLE_OK);
    arena_free(arena);
    return vetoes;
}
