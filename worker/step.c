#include "worker/step.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/heap.h"
#include "crypto/harden.h"
#include "worker/channel.h"

enum { STEP_REQUEST = 40, STEP_DONE = 41, STEP_ERROR = 42, STEP_END = STDIN_FILENO };
static const char role[] = "--step";
static const size_t record_max = TALLY_BYTES_MAX + 4 * (size_t)RUN_BYTES_MAX;

/* --- in the process --- */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif

/* From now on nothing can be opened, sent elsewhere, started or asked of the kernel; whatever tries ends the
 * process. A sanitizer needs more than that, and is in no program that sees a patient. */
static enum maille_code confine(struct maille_error *error)
{
    const struct rlimit none = {0, 0};
    if (setrlimit(RLIMIT_NOFILE, &none) != 0 || setrlimit(RLIMIT_FSIZE, &none) != 0)
        return maille_fail_errno(error, "cannot give up files");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return maille_fail_errno(error, "cannot give up privileges");
#if !defined(SANITIZED) && defined(__x86_64__)
#define LET(call)                                                                                            \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_##call, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
    static struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        LET(sendto), /* on the one socket there is: none can be opened */
        LET(recvfrom),
        LET(poll),
        LET(brk),
        LET(mmap), /* without a descriptor there is memory alone to map */
        LET(munmap),
        LET(mremap),
        LET(mprotect),
        LET(madvise),
        LET(futex),
        LET(rt_sigreturn),
        LET(rt_sigprocmask),
        LET(clock_gettime),
        LET(gettid),
        LET(getpid),
        LET(tgkill), /* abort() */
        LET(exit),
        LET(exit_group),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
#undef LET
    const struct sock_fprog program = {.len = sizeof rules / sizeof *rules, .filter = rules};
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0)
        return maille_fail_errno(error, "cannot give up system calls");
#endif
    return MAILLE_OK;
}

bool step_role(int argc, char *const *argv)
{
    return argc == 2 && strcmp(argv[1], role) == 0;
}

int step_serve(int end)
{
    enum maille_code code = MAILLE_OK;
    struct maille_error error = {0};
    struct record record = {0};
    struct bytes run = {0}, body = {0};
    heap_keep();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NAME, "maille-step");
    MAILLE_TRY(crypto_harden(&error));
    MAILLE_TRY(confine(&error));
    MAILLE_TRY(channel_receive(end, &record, record_max, &error));
    code = step_answer(&run, record.body.data, record.body.length, &error);
    if (code == MAILLE_OK) {
        code = channel_send(end, STEP_DONE, run.data, run.length, &error);
        goto out;
    }
    bytes_put_u32(&body, (uint32_t)code);
    bytes_put_string(&body, error.sentence);
    code = channel_send(end, STEP_ERROR, body.data, body.length, &error);
out:
    bytes_wipe(&record.body);
    bytes_wipe(&run);
    bytes_clear(&body);
    _exit(code == MAILLE_OK ? 0 : 1);
}

/* --- in the vault --- */

/* Everything between fork and exec: no memory is taken, nothing is locked. */
static void become(const char *program, int end)
{
    char *const argv[] = {(char *)(uintptr_t) "maille-step", (char *)(uintptr_t)role, NULL};
    char *const environment[] = {NULL};
    sigset_t none;
    sigemptyset(&none);
    signal(SIGTERM, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (dup2(end, STEP_END) != STEP_END || syscall(SYS_close_range, STEP_END + 1, ~0U, 0) != 0)
        _exit(1);
    execve(program, argv, environment);
    _exit(1);
}

static enum maille_code answer_read(struct bytes *run, struct record *record, struct maille_error *error)
{
    struct reader reader = reader_of(record->body.data, record->body.length);
    if (record->kind == STEP_DONE) {
        bytes_wipe(run);
        *run = record->body;
        record->body = (struct bytes){0};
        return MAILLE_OK;
    }
    const uint32_t code = reader_u32(&reader);
    size_t length = 0;
    const uint8_t *sentence = reader_block(&reader, MAILLE_SENTENCE_MAX - 1, &length);
    if (record->kind != STEP_ERROR || sentence == NULL || !reader_done(&reader) || code == MAILLE_OK)
        return maille_fail(error, MAILLE_IO,
                           "expected an answer of the process that steps, found other bytes");
    return maille_fail(error,
                       code == MAILLE_CORRUPT || code == MAILLE_MEMORY ? (enum maille_code)code : MAILLE_IO,
                       "the process that steps: %.*s", (int)length, (const char *)sentence);
}

static enum maille_code over(void *context, struct bytes *run, const struct step_request *request,
                             struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const char *program = context;
    int ends[2] = {-1, -1}, status = 0;
    struct bytes bytes = {0};
    struct record record = {0};
    pid_t pid = -1;
    step_request_write(&bytes, request);
    MAILLE_TRY(bytes_check(&bytes, error));
    MAILLE_TRY(channel_pair(ends, error));
    pid = fork();
    if (pid == 0)
        become(program, ends[1]);
    if (pid < 0) {
        code = maille_fail_errno(error, "cannot start the process that steps");
        goto out;
    }
    close(ends[1]);
    ends[1] = -1;
    code = channel_send(ends[0], STEP_REQUEST, bytes.data, bytes.length, error);
    if (code == MAILLE_OK)
        code = channel_receive(ends[0], &record, record_max, error);
    if (code == MAILLE_OK)
        code = answer_read(run, &record, error);
    else
        code = maille_fail(
            error, MAILLE_IO,
            "expected the process that steps to answer, found that it ended; the step is tried again");
out:
    for (size_t i = 0; i < 2; i++)
        if (ends[i] >= 0)
            close(ends[i]);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    bytes_wipe(&bytes);
    bytes_wipe(&record.body);
    return code;
}

struct step_source step_over(const char *program)
{
    return (struct step_source){.context = (void *)(uintptr_t)program, .step = over};
}
