/* Time and the wire: one row of messages on their way, one virtual clock, a die. */
#include "tests/network/private.h"

enum { LATENCY_MS = 20, PERMILLE = 1000 };

/* The link's digest with one message more: what was said to whom, and when. MAILLE_PLAY_TRACE: a line of each
 * into that file. */
static void trace(struct digest *link, const struct play *play, const struct flight *flight)
{
    const char *path = getenv("MAILLE_PLAY_TRACE");
    FILE *file = path != NULL ? fopen(path, "a") : NULL;
    struct bytes record = {0};
    bytes_put(&record, link->b, HASH_BYTES);
    bytes_put_u64(&record, (uint64_t)play->now_ms);
    bytes_put_block(&record, flight->envelope.data, flight->envelope.length);
    bytes_put_u8(&record, flight->has_frame);
    bytes_put_block(&record, flight->frame.data, flight->frame.length);
    hash_kdf(link, NULL, "link", record.data, record.length);
    bytes_clear(&record);
    if (file == NULL)
        return;
    fprintf(file, "%lld %s %s %s %zu %zu %02x%02x%02x%02x\n", (long long)play->now_ms,
            play->parties[flight->from].name, play->parties[flight->to].name,
            message_rule((uint32_t)flight->kind)->name, flight->envelope.length, flight->frame.length,
            link->b[0], link->b[1], link->b[2], link->b[3]);
    fclose(file);
}

static bool rolls(struct play *play, unsigned permille)
{
    return permille > 0 && seeded_below(&play->dice, PERMILLE) < permille;
}

/* Puts copies of it on their way, after what the same link carries already unless it may be reordered. */
static void put_flight(struct play *play, const struct flight *flight, int64_t *until_ms)
{
    const int64_t latency_ms = play->options.latency_ms != 0 ? play->options.latency_ms : LATENCY_MS;
    struct flight altered = *flight;
    if (play->options.alter != NULL) {
        altered.envelope = altered.frame = (struct bytes){0};
        assert_int_equal(bytes_copy(&altered.envelope, flight->envelope.data, flight->envelope.length),
                         MAILLE_OK);
        assert_int_equal(bytes_copy(&altered.frame, flight->frame.data, flight->frame.length), MAILLE_OK);
        play->options.alter(play->options.context, play, &altered);
        flight = &altered;
    }
    unsigned copies = play->options.fate != NULL ? play->options.fate(play->options.context, flight) : 1;
    if (rolls(play, play->options.lost_permille))
        copies = 0;
    else if (rolls(play, play->options.twice_permille))
        copies = 2;
    for (; copies > 0; copies--) {
        if (play->n_flights == play->flights_room) {
            play->flights_room = play->flights_room == 0 ? 64 : 2 * play->flights_room;
            play->flights = realloc(play->flights, play->flights_room * sizeof *play->flights);
            assert_non_null(play->flights);
        }
        struct flight *put = &play->flights[play->n_flights++];
        *put = *flight;
        put->envelope = put->frame = (struct bytes){0};
        assert_int_equal(bytes_copy(&put->envelope, flight->envelope.data, flight->envelope.length),
                         MAILLE_OK);
        assert_int_equal(bytes_copy(&put->frame, flight->frame.data, flight->frame.length), MAILLE_OK);
        put->order = ++play->order;
        put->due_ms = play->now_ms + 1 + (int64_t)seeded_below(&play->dice, (uint64_t)latency_ms);
        if (!play->options.reorder && put->due_ms < *until_ms)
            put->due_ms = *until_ms;
        *until_ms = put->due_ms;
    }
    if (play->options.alter != NULL) {
        bytes_clear(&altered.envelope);
        bytes_clear(&altered.frame);
    }
}

void carry_outbox(struct party *from, struct message_outbox *outbox)
{
    struct play *play = from->play;
    for (size_t i = 0; i < outbox->n; i++) {
        const struct message_outgoing *out = &outbox->messages[i];
        const struct flight flight = {.from = from->number,
                                      .to = PLAY_COORDINATOR,
                                      .kind = out->kind,
                                      .envelope = out->envelope,
                                      .frame = out->frame,
                                      .has_frame = out->has_frame,
                                      .connection = from->connection};
        from->count[out->kind]++;
        trace(&from->said, play, &flight);
        put_flight(play, &flight, &from->said_until_ms);
    }
    message_outbox_clear(outbox);
}

enum maille_code carry_outgoing(void *context, const struct outgoing *out, bool *sent,
                                struct maille_error *error)
{
    struct party *from = context;
    struct play *play = from->play;
    (void)error;
    *sent = from->crashed; /* what it had to say is lost */
    for (size_t i = 0; i < play->n; i++) {
        struct party *to = &play->parties[i];
        if (from->crashed || i == PLAY_COORDINATOR || strcmp(to->name, out->peer) != 0 || !to->up ||
            !to->known || (out->address != 0 && out->address != to->connection))
            continue;
        const struct flight flight = {.from = PLAY_COORDINATOR,
                                      .to = i,
                                      .kind = out->parcel->kind,
                                      .envelope = out->parcel->envelope,
                                      .frame = out->parcel->frame,
                                      .has_frame = out->parcel->has_frame,
                                      .connection = to->connection};
        from->count[flight.kind]++;
        trace(&to->told, play, &flight);
        put_flight(play, &flight, &to->told_until_ms);
        *sent = true;
    }
    return MAILLE_OK;
}

void carry_connect(struct party *party)
{
    party->connection = ++party->play->connections;
    party->known = false;
}

/* Hands over one message, unless its connection is gone. */
static void deliver(struct play *play, struct flight *flight)
{
    struct party *from = &play->parties[flight->from], *to = &play->parties[flight->to];
    struct party *peer = flight->from == PLAY_COORDINATOR ? to : from;
    if (to->up && flight->connection == peer->connection) {
        if (flight->to == PLAY_COORDINATOR)
            peer->known = true;
        party_hear(to, flight);
    }
    bytes_clear(&flight->envelope);
    bytes_clear(&flight->frame);
}

/* The next that is due by now. */
static bool take_flight(struct flight *flight, struct play *play)
{
    size_t next = play->n_flights;
    for (size_t i = 0; i < play->n_flights; i++) {
        const struct flight *one = &play->flights[i], *best = &play->flights[next];
        if (one->due_ms <= play->now_ms && (next == play->n_flights || one->due_ms < best->due_ms ||
                                            (one->due_ms == best->due_ms && one->order < best->order)))
            next = i;
    }
    if (next == play->n_flights)
        return false;
    *flight = play->flights[next];
    play->flights[next] = play->flights[--play->n_flights];
    return true;
}

static int64_t next_ms(const struct play *play)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < play->n_flights; i++)
        if (play->flights[i].due_ms < next)
            next = play->flights[i].due_ms;
    for (size_t i = 0; i < play->n; i++)
        if (play->parties[i].wake_ms < next)
            next = play->parties[i].wake_ms;
    return next;
}

/* What is due next happens, if it is due by then; else the time is end_ms. */
static bool go_on(struct play *play, int64_t end_ms)
{
    struct party *coordinator = &play->parties[PLAY_COORDINATOR];
    struct flight flight;
    const int64_t next = next_ms(play);
    if (next > end_ms) {
        play->now_ms = end_ms;
        return false;
    }
    if (next > play->now_ms)
        play->now_ms = next;
    while (take_flight(&flight, play))
        deliver(play, &flight);
    if (coordinator->up && play->coordinator_spoke)
        party_settle(coordinator);
    for (size_t i = 0; i < play->n; i++) {
        struct party *party = &play->parties[i];
        if (party->wake_ms > play->now_ms)
            continue;
        if (party->up)
            party_wake(party);
        else
            party_start(party);
    }
    return true;
}

enum maille_code play_run(struct play *play, int64_t limit_ms, struct maille_error *error)
{
    const int64_t end_ms = play->now_ms + limit_ms;
    struct party *agent = &play->parties[PLAY_AGENT];
    if (!agent->up)
        party_start(agent);
    while (play->ended == MAILLE_OK && !(agent->up && agent_over(agent->agent)))
        if (!go_on(play, end_ms))
            return maille_fail(error, MAILLE_TIMEOUT, "expected the play to end within %lld s",
                               (long long)(limit_ms / 1000));
    if (play->ended != MAILLE_OK && error != NULL)
        *error = play->error;
    return play->ended;
}

void play_wait(struct play *play, int64_t ms)
{
    const int64_t end_ms = play->now_ms + ms;
    while (go_on(play, end_ms))
        ;
}

int64_t play_elapsed_ms(const struct play *play)
{
    return play->now_ms;
}

struct digest play_link(const struct play *play, size_t from, size_t to)
{
    return from == PLAY_COORDINATOR ? play->parties[to].told : play->parties[from].said;
}

size_t play_said(const struct play *play, size_t from, enum message_kind kind)
{
    return play->parties[from].count[kind];
}
