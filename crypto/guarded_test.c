/* Guarded memory and the process around it. */
#include "crypto/guarded.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "crypto/harden.h"
#include "crypto/hash.h"

static void test_open_and_close(void **state)
{
    (void)state;
    struct guarded *guarded = guarded_new(100);
    assert_non_null(guarded);
    const uint8_t *zero = guarded_open(guarded);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(zero[i], 0);
    guarded_close(guarded);
    memcpy(guarded_change(guarded), "secret", 6);
    guarded_close(guarded);
    assert_memory_equal(guarded_open(guarded), "secret", 6);
    guarded_close(guarded);
    guarded_free(guarded);
    guarded_free(NULL);
}

enum access { ACCESS_IDLE_READ, ACCESS_READONLY_WRITE, ACCESS_AFTER_FREE, ACCESS_OPEN_READ };

/* True when a child that touches the memory dies of it (a signal, or the sanitizer that caught the signal).
 */
static bool access_kills(enum access access)
{
    struct guarded *guarded = guarded_new(64);
    assert_non_null(guarded);
    const volatile uint8_t *memory = guarded_open(guarded);
    guarded_close(guarded);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (freopen("/dev/null", "w", stderr) == NULL)
            _exit(0);
        signal(SIGSEGV, SIG_DFL);
        uint8_t seen = 0;
        if (access == ACCESS_OPEN_READ)
            guarded_open(guarded);
        if (access == ACCESS_READONLY_WRITE)
            *(volatile uint8_t *)(uintptr_t)guarded_open(guarded) = 1;
        else {
            if (access == ACCESS_AFTER_FREE)
                guarded_free(guarded);
            seen = memory[0];
        }
        _exit(seen);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    guarded_free(guarded);
    return !(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void test_no_access(void **state)
{
    (void)state;
    assert_true(access_kills(ACCESS_IDLE_READ));
    assert_true(access_kills(ACCESS_READONLY_WRITE));
    assert_true(access_kills(ACCESS_AFTER_FREE));
    assert_false(access_kills(ACCESS_OPEN_READ));
}

static void test_harden(void **state)
{
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct rlimit limit = {1, 1};
        bool good = crypto_harden(NULL) == MAILLE_OK && prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 &&
                    getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_cur == 0 && limit.rlim_max == 0;
        _exit(good ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static int start(void **state)
{
    (void)state;
    return crypto_start(NULL) == MAILLE_OK ? 0 : 1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_open_and_close),
        cmocka_unit_test(test_no_access),
        cmocka_unit_test(test_harden),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
