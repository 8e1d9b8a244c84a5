/* worker/channel.h, worker/data.h, vault/step.h: the bytes of one process of a site to another, which may
 * have been taken over. The first byte says which: what `data` answers the vault, what the vault asks of
 * `data`, what is asked of `step`. */
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/fuzz/patients.h"
#include "tests/fuzz/study.h"
#include "vault/step.h"
#include "worker/channel.h"
#include "worker/data.h"
#include "worker/snapshots.h"

static const struct study *the_study(void)
{
    return fuzz_study("tests/fuzz/corpus/study/tiny.yaml");
}

/* An end at which these bytes stand; the process that wrote them says nothing more. Where it still listens,
 * *other is its end; where other is NULL it is gone. */
static int written(int *other, const uint8_t *data, size_t size)
{
    int ends[2];
    if (channel_pair(ends, NULL) != MAILLE_OK || fcntl(ends[1], F_SETFL, O_NONBLOCK) != 0)
        fuzz_fail("a channel");
    if (write(ends[1], data, size) < 0 && size > 0)
        fuzz_fail("bytes in a channel");
    if (other == NULL)
        close(ends[1]);
    else if (shutdown(*other = ends[1], SHUT_WR) != 0)
        fuzz_fail("an end that says nothing more");
    return ends[0];
}

/* Kind, then the body: with the length in front that it has. */
static int framed(int *other, uint32_t kind, const uint8_t *data, size_t size)
{
    struct channel_queue queue = {0};
    struct maille_error error = {0};
    int ends[2];
    if (channel_queue_put(&queue, kind, data, size, &error) != MAILLE_OK)
        fuzz_fail("a record that waits");
    const int end = written(other, queue.pending.data, queue.pending.length);
    /* The same by a queue, whose other end is closed in the middle. */
    if (channel_pair(ends, NULL) != MAILLE_OK || channel_queue_flush(&queue, ends[0], &error) != MAILLE_OK)
        fuzz_fail("a record on its way");
    close(ends[1]);
    if (channel_queue_left(&queue) == 0 && channel_queue_put(&queue, kind, data, size, &error) != MAILLE_OK)
        fuzz_fail("another record that waits");
    if (channel_queue_flush(&queue, ends[0], &error) == MAILLE_OK)
        fuzz_fail("an end that is closed to be seen");
    close(ends[0]);
    channel_queue_clear(&queue);
    return end;
}

static void answers_of(uint8_t which, const uint8_t *data, size_t size)
{
    static const struct vector none[STUDY_ANALYSES_MAX];
    static const bool open[STUDY_ANALYSES_MAX] = {true, true, true, true};
    const struct study *study = the_study();
    struct maille_error error = {0};
    struct data_facts facts;
    struct data_cells cells = {0};
    struct data_round round = {.weigh = which & 64 ? DATA_WEIGH_ALL : DATA_WEIGH_NONE};
    struct data_members members = {0};
    enum maille_code code = MAILLE_OK;
    struct arena *arena = arena_new();
    if (arena == NULL)
        fuzz_fail("memory");
    /* Which is asked, and which is answered: mostly the same. */
    const uint32_t kind = which & 32 ? 10 : 11 + which % 4;
    int vault;
    struct data_remote remote = {.end = framed(&vault, kind, data, size)};
    const struct data_source source = data_over(&remote);
    switch (which % 4) {
    case 0:
        code = source.facts(source.context, &facts, 0, arena, &error);
        break;
    case 1:
        code = source.cells(source.context, &cells, 1, study, &error);
        data_cells_clear(&cells);
        break;
    case 2:
        code = source.round(source.context, &round, 1, study, open, none, NULL, &error);
        data_round_clear(&round);
        break;
    default:
        code = source.members(source.context, &members, 1, study, 0, (which & 64) != 0, &error);
        data_members_clear(&members);
        break;
    }
    if (code != MAILLE_OK && error.sentence[0] == '\0' && kind != 10)
        fuzz_fail("a sentence with an error");
    close(remote.end);
    close(vault);
    arena_free(arena);
}

/* The same file of patients for every input; each may ask anything of it. */
static void requests_of(uint32_t kind, const uint8_t *data, size_t size)
{
    static struct data *patients;
    struct maille_error error = {0};
    if (patients == NULL) {
        struct bytes snapshot = fuzz_snapshot();
        struct snapshot_entry entry = {.number = 1, .rows = 10, .created = "2026-01-01T00:00:00Z"};
        hash_bytes(&entry.hash, snapshot.data, snapshot.length);
        fuzz_put("snapshot-0001.h5", snapshot.data, snapshot.length);
        bytes_clear(&snapshot);
        unlink(fuzz_put("index", NULL, 0));
        if (snapshots_add(fuzz_folder(), &entry, &error) != MAILLE_OK ||
            data_open(&patients, fuzz_folder(), 1, &error) != MAILLE_OK)
            fuzz_fail("a folder with a snapshot");
    }
    const int end = framed(NULL, kind, data, size);
    if (data_serve(patients, end, &error) == MAILLE_OK)
        fuzz_fail("the end of the channel to be seen");
    close(end);
}

static void step_of(const uint8_t *data, size_t size)
{
    struct bytes run = {0};
    struct maille_error error = {0};
    if (step_answer(&run, data, size, &error) != MAILLE_OK && error.sentence[0] == '\0')
        fuzz_fail("a sentence with an error");
    bytes_clear(&run);
}

static void records_of(const uint8_t *data, size_t size)
{
    struct record record = {0};
    struct maille_error error = {0};
    const int end = written(NULL, data, size);
    while (channel_receive(end, &record, 1 << 16, &error) == MAILLE_OK)
        if (record.body.length > 1 << 16)
            fuzz_fail("a record within its limit");
    bytes_wipe(&record.body);
    close(end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (data[0] == 255)
        step_of(data + 1, size - 1);
    else if (data[0] == 254)
        records_of(data + 1, size - 1);
    else if (data[0] >= 128)
        requests_of(1 + (data[0] & 3), data + 1, size - 1);
    else
        answers_of(data[0], data + 1, size - 1);
    return 0;
}
