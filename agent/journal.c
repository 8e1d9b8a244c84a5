/* The agent's journal: ~/.local/state/maille/QID/journal (or $XDG_STATE_HOME), 0600. A row of records, each
 * LE64 length and a secretbox under a key of the researcher's own. Replaying it gives the state back: the
 * totals of completed rounds are kept, and stepping them again gives the same θ and the same results. A
 * record that was cut by a crash is the last and is dropped: nothing that follows it was sent. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "agent/private.h"

enum { RECORD_MAX = 512 * 1024 * 1024 };

static enum maille_code state_folder(char out[PATH_MAX], struct maille_error *error)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    int length;
    if (state != NULL && state[0] == '/')
        length = snprintf(out, PATH_MAX, "%s/maille", state);
    else if (home != NULL && home[0] == '/')
        length = snprintf(out, PATH_MAX, "%s/.local/state/maille", home);
    else
        return maille_fail(
            error, MAILLE_INVALID,
            "expected HOME or XDG_STATE_HOME to name a folder for the query's state, found neither%s",
            home != NULL ? " (HOME is not the path of a folder)" : "");
    if (length >= PATH_MAX)
        return maille_fail(error, MAILLE_INVALID, "expected a shorter path for the query's state");
    return MAILLE_OK;
}

static enum maille_code journal_path(char out[PATH_MAX], const char *id, bool make,
                                     struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char folder[PATH_MAX], query[PATH_MAX];
    MAILLE_TRY(state_folder(folder, error));
    MAILLE_TRY(file_path_join(query, sizeof query, folder, id, error));
    if (make)
        MAILLE_TRY(file_folder_make(query, 0700, error));
    MAILLE_TRY(file_path_join(out, PATH_MAX, query, "journal", error));
out:
    return code;
}

/* Two agents of one query would sign two different starts for one round. The lock goes with the descriptor.
 */
static enum maille_code journal_lock(const struct agent *agent, struct maille_error *error)
{
    bool taken = false;
    enum maille_code code = file_lock(&taken, agent->journal, "the query's journal", error);
    if (code != MAILLE_OK || taken)
        return code;
    return maille_fail(error, MAILLE_INVALID,
                       "expected nobody else to be at query %.8s, found another maille that has it open; "
                       "stop that one first",
                       agent->id);
}

enum maille_code agent_journal_create(struct agent *agent, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char path[PATH_MAX], folder[PATH_MAX], query[PATH_MAX];
    MAILLE_TRY(journal_path(path, agent->id, true, error));
    agent->journal = open(path, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
    if (agent->journal < 0) {
        code = maille_fail_errno(error, "cannot create %s", path);
        goto out;
    }
    MAILLE_TRY(journal_lock(agent, error));
    MAILLE_TRY(state_folder(folder, error)); /* its names are durable before its records are relied on */
    MAILLE_TRY(file_path_join(query, sizeof query, folder, agent->id, error));
    MAILLE_TRY(file_sync_folder(query, error));
    MAILLE_TRY(file_sync_folder(folder, error));
out:
    return code;
}

/* The one folder whose name begins with id. */
static enum maille_code find_query(char out[2 * QID_BYTES + 1], const char *id, struct maille_error *error)
{
    char folder[PATH_MAX];
    enum maille_code code = state_folder(folder, error);
    size_t found = 0;
    if (code != MAILLE_OK)
        return code;
    DIR *entries = opendir(folder);
    for (struct dirent *entry; entries != NULL && (entry = readdir(entries)) != NULL;)
        if (strlen(entry->d_name) == 2 * QID_BYTES && strlen(id) > 0 &&
            strncmp(entry->d_name, id, strlen(id)) == 0) {
            memcpy(out, entry->d_name, 2 * QID_BYTES + 1);
            found++;
        }
    if (entries != NULL)
        closedir(entries);
    if (found == 1)
        return MAILLE_OK;
    return maille_fail(
        error, MAILLE_INVALID,
        found == 0
            ? "expected a query that was asked on this machine, found none whose id begins with \"%s\" in %s"
            : "expected one query, found several whose id begins with \"%s\" in %s; write more of it",
        id, folder);
}

enum maille_code agent_journal_open(struct agent *agent, const char *id, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char path[PATH_MAX];
    MAILLE_TRY(find_query(agent->id, id, error));
    if (!bytes_from_hex(agent->qid, QID_BYTES, agent->id)) {
        code = maille_fail(error, MAILLE_INVALID, "expected a query's id, found the folder %s", agent->id);
        goto out;
    }
    MAILLE_TRY(journal_path(path, agent->id, false, error));
    MAILLE_TRY(file_check_private(path, error));
    agent->journal = open(path, O_RDWR | O_APPEND | O_CLOEXEC);
    if (agent->journal < 0)
        code = maille_fail_errno(error, "cannot open %s", path);
    else
        code = journal_lock(agent, error);
out:
    return code;
}

void agent_journal_close(struct agent *agent)
{
    if (agent->journal >= 0)
        close(agent->journal);
    agent->journal = -1;
}

enum maille_code agent_journal_append(struct agent *agent, enum journal_kind kind, const struct bytes *record,
                                      struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes plain = {0}, sealed = {0}, framed = {0};
    bytes_put_u8(&plain, (uint8_t)kind);
    bytes_put(&plain, record->data, record->length);
    MAILLE_TRY(bytes_check(&plain, error));
    MAILLE_TRY(seal_secretbox(&sealed, agent->journal_key.b, plain.data, plain.length));
    bytes_put_block(&framed, sealed.data, sealed.length);
    MAILLE_TRY(bytes_check(&framed, error));
    MAILLE_TRY(file_write_all(agent->journal, framed.data, framed.length, error));
    if (fdatasync(agent->journal) != 0)
        code = maille_fail_errno(error, "cannot write the query's state to disk");
out:
    bytes_wipe(&plain);
    bytes_clear(&sealed);
    bytes_clear(&framed);
    return code;
}

enum maille_code agent_journal_replay(struct agent *agent, journal_each *each, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes all = {0}, plain = {0};
    char path[PATH_MAX];
    MAILLE_TRY(journal_path(path, agent->id, false, error));
    MAILLE_TRY(file_read(&all, path, (size_t)RECORD_MAX * 8, error));
    struct reader reader = reader_of(all.data, all.length);
    while (reader_left(&reader) > 0) {
        size_t length, before = (size_t)(reader.next - all.data);
        const bool sized = reader_left(&reader) >= sizeof(uint64_t);
        const uint64_t claimed = sized ? le64_load(reader.next) : 0;
        const uint8_t *sealed = reader_block(&reader, RECORD_MAX, &length);
        if (sealed == NULL && claimed > RECORD_MAX) {
            code = maille_fail(error, MAILLE_CORRUPT,
                               "expected a record of query %.8s in %s, found other bytes", agent->id, path);
            goto out;
        }
        if (sealed == NULL) { /* cut at the end: never followed by a message */
            if (ftruncate(agent->journal, (off_t)before) != 0)
                code = maille_fail_errno(error, "cannot shorten %s", path);
            break;
        }
        bytes_wipe(&plain);
        if (seal_secretbox_open(&plain, agent->journal_key.b, sealed, length, error) != MAILLE_OK ||
            plain.length == 0) {
            code = maille_fail(error, MAILLE_SIGNATURE,
                               "expected the state of query %.8s to open with this key, found another key or "
                               "altered bytes in %s",
                               agent->id, path);
            goto out;
        }
        struct reader record = reader_of(plain.data + 1, plain.length - 1);
        MAILLE_TRY(each(agent, (enum journal_kind)plain.data[0], &record, error));
    }
out:
    bytes_clear(&all);
    bytes_wipe(&plain);
    return code;
}

static enum maille_code session_path(char out[PATH_MAX], const char *id, struct maille_error *error)
{
    char folder[PATH_MAX], query[PATH_MAX];
    enum maille_code code = state_folder(folder, error);
    if (code == MAILLE_OK)
        code = file_path_join(query, sizeof query, folder, id, error);
    return code == MAILLE_OK ? file_path_join(out, PATH_MAX, query, "session", error) : code;
}

enum maille_code agent_session_write(const struct agent *agent, const struct bytes *session,
                                     struct maille_error *error)
{
    char path[PATH_MAX];
    enum maille_code code = session_path(path, agent->id, error);
    return code == MAILLE_OK ? file_write_atomic(path, session->data, session->length, 0600, error) : code;
}

static bool is_newer(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec > b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec > b->tv_nsec);
}

/* The query whose session was written last; "" where none was. */
static enum maille_code newest_query(char out[2 * QID_BYTES + 1], struct maille_error *error)
{
    char folder[PATH_MAX], path[PATH_MAX];
    struct stat status;
    struct timespec newest = {0};
    enum maille_code code = state_folder(folder, error);
    if (code != MAILLE_OK)
        return code;
    out[0] = '\0';
    DIR *entries = opendir(folder);
    for (struct dirent *entry; entries != NULL && (entry = readdir(entries)) != NULL;)
        if (strlen(entry->d_name) == 2 * QID_BYTES && session_path(path, entry->d_name, NULL) == MAILLE_OK &&
            stat(path, &status) == 0 && is_newer(&status.st_mtim, &newest)) {
            newest = status.st_mtim;
            memcpy(out, entry->d_name, 2 * QID_BYTES + 1);
        }
    if (entries != NULL)
        closedir(entries);
    return MAILLE_OK;
}

size_t agent_journal_newest(char ids[AGENT_JOURNALS_MAX][2 * QID_BYTES + 1])
{
    char folder[PATH_MAX], path[PATH_MAX];
    struct timespec times[AGENT_JOURNALS_MAX];
    struct stat status;
    size_t n = 0;
    DIR *entries = state_folder(folder, NULL) == MAILLE_OK ? opendir(folder) : NULL;
    for (struct dirent *entry; entries != NULL && (entry = readdir(entries)) != NULL;) {
        if (strlen(entry->d_name) != 2 * QID_BYTES ||
            journal_path(path, entry->d_name, false, NULL) != MAILLE_OK || stat(path, &status) != 0)
            continue;
        size_t at = n;
        while (at > 0 && is_newer(&status.st_mtim, &times[at - 1]))
            at--;
        if (at == AGENT_JOURNALS_MAX)
            continue;
        n += n < AGENT_JOURNALS_MAX;
        memmove(ids + at + 1, ids + at, (n - at - 1) * sizeof *ids);
        memmove(times + at + 1, times + at, (n - at - 1) * sizeof *times);
        memcpy(ids[at], entry->d_name, sizeof *ids);
        times[at] = status.st_mtim;
    }
    if (entries != NULL)
        closedir(entries);
    return n;
}

enum maille_code agent_session_read(struct bytes *session, const char *id, size_t limit,
                                    struct maille_error *error)
{
    char path[PATH_MAX], whole[2 * QID_BYTES + 1];
    enum maille_code code = id != NULL ? find_query(whole, id, error) : newest_query(whole, error);
    if (code == MAILLE_OK && whole[0] == '\0')
        return MAILLE_OK;
    if (code == MAILLE_OK)
        code = session_path(path, whole, error);
    if (code != MAILLE_OK || !file_exists(path))
        return code;
    code = file_check_private(path, error);
    return code == MAILLE_OK ? file_read(session, path, limit, error) : code;
}
