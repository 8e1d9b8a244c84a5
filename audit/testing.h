/* What the tests of the log share: a folder of their own, a clock that they turn, entries to write. */
#ifndef AUDIT_TESTING_H
#define AUDIT_TESTING_H

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/verify.h"
#include "base/file.h"
#include "base/test.h"

enum { TESTING_START_S = 1795000000 }; /* 2026-11-18T12:26:40Z */

struct testing {
    char folder[512], path[544];
    int64_t now_ms;
    struct secret_keys *keys;
};

static inline int64_t testing_now(void *clock)
{
    return ((struct testing *)clock)->now_ms;
}

static inline void testing_empty(const char *folder)
{
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
        char path[1024];
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        unlink(path);
    }
    if (dir != NULL)
        closedir(dir);
}

static inline void testing_copy(const char *from, const char *to)
{
    struct bytes content = {0};
    char path[1024], other[1024];
    struct maille_error error = {0};
    assert_ok(file_folder_make(to, 0700, &error), &error);
    testing_empty(to);
    DIR *dir = opendir(from);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", from, entry->d_name);
        snprintf(other, sizeof other, "%s/%s", to, entry->d_name);
        assert_ok(file_read(&content, path, 1 << 28, &error), &error);
        assert_ok(file_write_atomic(other, content.data, content.length, 0600, &error), &error);
    }
    closedir(dir);
    bytes_clear(&content);
}

static inline void testing_begin(struct testing *testing, const char *name, bool with_keys)
{
    struct maille_error error = {0};
    *testing = (struct testing){.now_ms = INT64_C(1000) * TESTING_START_S};
    test_path(testing->folder, name);
    snprintf(testing->path, sizeof testing->path, "%s/messages.log", testing->folder);
    testing_empty(testing->folder);
    if (with_keys)
        assert_ok(secret_keys_new(&testing->keys, KEY_SITE, "alpha", &error), &error);
}

static inline void testing_end(struct testing *testing)
{
    secret_keys_free(testing->keys);
    testing_empty(testing->folder);
    rmdir(testing->folder);
}

static inline struct audit_options testing_options(struct testing *testing, const char *party)
{
    return (struct audit_options){.folder = testing->folder,
                                  .party = party,
                                  .keys = testing->keys,
                                  .now_ms = testing_now,
                                  .clock = testing};
}

static inline struct audit_log *testing_open(struct testing *testing)
{
    struct audit_options options = testing_options(testing, "alpha");
    struct audit_log *log = NULL;
    struct maille_error error = {0};
    assert_ok(audit_open_with(&log, &options, NULL, &error), &error);
    return log;
}

/* Entry i of a test; its strings are the next call's. */
static inline struct audit_entry testing_entry(size_t i)
{
    static uint8_t qid[32];
    static char detail[64];
    struct audit_entry entry = {.direction = (enum audit_direction)(i % 3),
                                .message = i % 3 == AUDIT_NOTE ? "start" : "masked",
                                .peer = i % 3 == AUDIT_NOTE ? "" : "coordinator",
                                .qid = i % 2 ? qid : NULL,
                                .bytes = 1000 + i,
                                .detail = detail};
    memset(qid, (int)i, sizeof qid);
    snprintf(detail, sizeof detail, "round %zu attempt 1: os (km) 1,234 numbers", i);
    hash_bytes(&entry.hash, detail, strlen(detail));
    return entry;
}

/* n entries, one second apart, one sync for each `batch` of them. */
static inline void testing_append(struct testing *testing, struct audit_log *log, size_t first, size_t n,
                                  size_t batch)
{
    struct maille_error error = {0};
    for (size_t i = first; i < first + n; i++) {
        struct audit_entry entry = testing_entry(i);
        testing->now_ms += 1000;
        assert_ok(audit_append(log, &entry, &error), &error);
        if ((i - first + 1) % batch == 0 || i + 1 == first + n)
            assert_ok(audit_sync(log, &error), &error);
    }
}

static inline int testing_start(void **state)
{
    (void)state;
    return crypto_start(NULL) == MAILLE_OK ? 0 : 1;
}

#endif
