#include "app/sandbox.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What the seal consists of, as reported to its tests. */
struct seal {
    int landlock;     /* version of the kernel's interface; 0: none */
    bool opening;     /* opening for reading is allowed */
    bool writing;     /* for writing as well */
    bool connecting;  /* sockets may be made, for IP alone */
    const int *calls; /* further ones, besides those that all may make */
    size_t call_count;
};

/* ---- Landlock ------------------------------------------------------------------------------- */

/* Landlock has no wrappers in libc. All that the header of the oldest supported system names;
 * newer kernels know more, older ones less: see landlock_rights. */
#define RIGHTS_1                                                                                   \
    (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE |   \
            LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_REMOVE_DIR |                          \
            LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR |                        \
            LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |                            \
            LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |                          \
            LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM)

/* By version of the interface: 2 adds REFER (bit 13), 3 TRUNCATE (14), 5 IOCTL_DEV (15). */
static uint64_t landlock_rights(int version)
{
    uint64_t rights = RIGHTS_1;
    rights |= version >= 2 ? (uint64_t)1 << 13 : 0;
    rights |= version >= 3 ? (uint64_t)1 << 14 : 0;
    rights |= version >= 5 ? (uint64_t)1 << 15 : 0;
    return rights;
}

static int landlock_version(void)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return version > 0 ? (int)version : 0;
}

static enum err allow_root(int rules, const char *path, uint64_t rights, struct diag *diag)
{
    struct landlock_path_beneath_attr beneath = {.allowed_access = rights};
    beneath.parent_fd = open(path, O_PATH | O_CLOEXEC);
    if (beneath.parent_fd < 0) {
        /* Gone since it was listed: opening it later fails and is named then. */
        return OK;
    }
    struct stat status;
    if (fstat(beneath.parent_fd, &status) == 0 && !S_ISDIR(status.st_mode)) {
        beneath.allowed_access &= LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE;
    }
    long added = syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
    close(beneath.parent_fd);
    if (added != 0) {
        return diag_say(diag, ERR_IO, "Landlock refuses a rule for %s: %s", path, strerror(errno));
    }
    return OK;
}

/* What may be done below each of some paths; nothing may be done elsewhere. */
struct roots {
    const struct slice *at; /* each with a NUL behind it */
    size_t count;
    uint64_t rights; /* as the oldest version has them */
    size_t writable; /* the first so many have these instead: */
    uint64_t writes;
};

static enum err use_landlock(const struct roots *roots, int version, struct diag *diag)
{
    struct landlock_ruleset_attr attr = {.handled_access_fs = landlock_rights(version)};
    long rules = syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
    if (rules < 0) {
        return diag_say(diag, ERR_IO, "Landlock: %s", strerror(errno));
    }
    enum err e = OK;
    for (size_t i = 0; i < roots->count && e == OK; i++) {
        uint64_t granted = i < roots->writable ? roots->writes : roots->rights;
        e = allow_root((int)rules, roots->at[i].at, granted & attr.handled_access_fs, diag);
    }
    if (e == OK && syscall(SYS_landlock_restrict_self, rules, 0) != 0) {
        e = diag_say(diag, ERR_IO, "Landlock: %s", strerror(errno));
    }
    close((int)rules);
    return e;
}

/* ---- seccomp -------------------------------------------------------------------------------- */

/* What reading, computing, threads and writing need. Opening, mapping and threads have conditions
 * of their own below. */
static const int allowed[] = {SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(close),
        SCMP_SYS(lseek), SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(fadvise64), SCMP_SYS(poll),
        SCMP_SYS(ppoll), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk),
        SCMP_SYS(futex), SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity),
        SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(gettid), SCMP_SYS(getpid),
        SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
        SCMP_SYS(restart_syscall), SCMP_SYS(tgkill), SCMP_SYS(clock_gettime),
        SCMP_SYS(clock_nanosleep), SCMP_SYS(gettimeofday), SCMP_SYS(nanosleep), SCMP_SYS(getrandom),
        SCMP_SYS(exit), SCMP_SYS(exit_group)};

#define OPEN_WRITES (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND | (O_TMPFILE & ~O_DIRECTORY))

static int allow_some(scmp_filter_ctx filter, const struct seal *seal)
{
    int e = 0;
    if (seal->writing) {
        e = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 0);
    } else if (seal->opening) {
        e = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
                SCMP_A2(SCMP_CMP_MASKED_EQ, OPEN_WRITES, 0));
    }
    if (seal->connecting) {
        e = e ? e
              : seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
                        SCMP_A0(SCMP_CMP_EQ, AF_INET, 0));
        e = e ? e
              : seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
                        SCMP_A0(SCMP_CMP_EQ, AF_INET6, 0));
    }
    /* Memory may never become code. */
    e = e ? e
          : seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
                    SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    e = e ? e
          : seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
                    SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    /* Threads of this process, no other process. clone3's flags lie in memory, where a filter
     * cannot look: libc falls back to clone when it is not there. */
    e = e ? e
          : seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                    SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
    return e ? e : seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
}

static enum err use_seccomp(const struct seal *seal, struct diag *diag)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (!filter) {
        return diag_say(diag, ERR_MEMORY, "no memory for seccomp");
    }
    int e = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a tree: cheap to walk */
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed && e == 0; i++) {
        e = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
    }
    for (size_t i = 0; i < seal->call_count && e == 0; i++) {
        e = seccomp_rule_add(filter, SCMP_ACT_ALLOW, seal->calls[i], 0);
    }
    e = e ? e : allow_some(filter, seal);
    e = e ? e : seccomp_load(filter);
    seccomp_release(filter);
    return e ? diag_say(diag, ERR_IO, "seccomp: %s", strerror(-e)) : OK;
}

/* ---- the test of the seal ------------------------------------------------------------------- */

static void report(const char *what, long result)
{
    if (result < 0) {
        fprintf(stderr, "sandbox: %s: refused: %s\n", what, strerrorname_np(errno));
    } else {
        fprintf(stderr, "sandbox: %s: POSSIBLE\n", what);
    }
}

static void try_exec(const char *argument)
{
    (void)argument;
    char *const argv[] = {(char[]){"true"}, NULL};
    report("exec", execve("/bin/true", argv, argv + 1));
}

static void try_connect(const char *argument)
{
    (void)argument;
    int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s < 0) {
        report("connect (socket)", s);
        return;
    }
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    report("connect", connect(s, (struct sockaddr *)&to, sizeof to));
    close(s);
}

static void try_open(const char *path)
{
    report("open", open(path, O_RDONLY | O_CLOEXEC));
}

static void try_write(const char *path)
{
    report("write", open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static const struct {
    const char *name;
    void (*attempt)(const char *argument);
} attempts[] = {
        {"exec", try_exec}, {"connect", try_connect}, {"open:", try_open}, {"write:", try_write}};

static void try_one(struct slice word)
{
    char argument[512];
    for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++) {
        struct slice name = slice_text(attempts[i].name);
        if (slice_starts(word, name)) {
            snprintf(argument, sizeof argument, "%.*s",
                    SLICE_ARG(slice_of(word.at + name.size, word.size - name.size)));
            attempts[i].attempt(argument);
        }
    }
}

static void try_all(const char *test)
{
    struct slice words = slice_text(test);
    while (words.size > 0) {
        try_one(slice_cut(&words, ','));
    }
}

static void run_test(const char *test, const struct seal *seal)
{
    if (seal->landlock > 0) {
        fprintf(stderr, "sandbox: seccomp, Landlock\n");
    } else {
        fprintf(stderr, "sandbox: seccomp; no Landlock: %s\n",
                seal->opening ? "opening for reading stays possible (too many inputs)"
                              : "inputs opened first, opening forbidden");
    }
    try_all(test);
}

/* ---- both ----------------------------------------------------------------------------------- */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
        __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

enum err sandbox_seal(struct inputs *inputs, const char *test, struct diag *diag)
{
    struct seal seal = {0};
    if (SANITIZED) { /* the sanitizers' run time opens, clones and traces */
        return OK;
    }
    if (!test || !strstr(test, "no-landlock")) {
        seal.landlock = landlock_version();
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return diag_say(diag, ERR_IO, "no_new_privs: %s", strerror(errno));
    }
    if (seal.landlock > 0) {
        seal.opening = true;
        const struct roots roots = {.at = inputs->roots,
                .count = inputs->root_count,
                .rights = LANDLOCK_ACCESS_FS_READ_FILE};
        TRY(use_landlock(&roots, seal.landlock, diag));
    } else {
        seal.opening = !inputs_open_all(inputs);
    }
    TRY(use_seccomp(&seal, diag));
    if (test && *test) {
        run_test(test, &seal);
    }
    return OK;
}

/* ---- the processes of a centre ----------------------------------------------------------------
 */

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Sockets that are there, and connections that come by them; none that it makes. */
static const int listen_calls[] = {SCMP_SYS(accept4), SCMP_SYS(recvmmsg), SCMP_SYS(recvmsg),
        SCMP_SYS(recvfrom), SCMP_SYS(sendto), SCMP_SYS(sendmsg), SCMP_SYS(shutdown),
        SCMP_SYS(getsockopt), SCMP_SYS(setsockopt), SCMP_SYS(getsockname), SCMP_SYS(getpeername),
        SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_create1),
        SCMP_SYS(eventfd2), SCMP_SYS(pipe2), SCMP_SYS(fcntl), SCMP_SYS(dup), SCMP_SYS(getuid),
        SCMP_SYS(prlimit64)};
static const int log_calls[] = {SCMP_SYS(pread64), SCMP_SYS(pwrite64), SCMP_SYS(fdatasync),
        SCMP_SYS(fsync), SCMP_SYS(ftruncate), SCMP_SYS(fallocate), SCMP_SYS(rename),
        SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(unlink), SCMP_SYS(unlinkat),
        SCMP_SYS(mkdir), SCMP_SYS(mkdirat), SCMP_SYS(getdents64), SCMP_SYS(statfs),
        SCMP_SYS(fstatfs), SCMP_SYS(flock), SCMP_SYS(fcntl)};
static const int rules_calls[] = {SCMP_SYS(pread64), SCMP_SYS(pwrite64), SCMP_SYS(fdatasync),
        SCMP_SYS(fsync), SCMP_SYS(rename), SCMP_SYS(renameat), SCMP_SYS(renameat2),
        SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(mkdir), SCMP_SYS(mkdirat), SCMP_SYS(fcntl)};
static const int judge_calls[] = {SCMP_SYS(pread64), SCMP_SYS(getdents64), SCMP_SYS(fcntl)};
/* What the listener may, without datagrams, and what the judge may. */
static const int api_calls[] = {SCMP_SYS(accept4), SCMP_SYS(recvmsg), SCMP_SYS(recvfrom),
        SCMP_SYS(sendto), SCMP_SYS(sendmsg), SCMP_SYS(shutdown), SCMP_SYS(getsockopt),
        SCMP_SYS(setsockopt), SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(epoll_wait),
        SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_create1), SCMP_SYS(eventfd2),
        SCMP_SYS(pipe2), SCMP_SYS(fcntl), SCMP_SYS(dup), SCMP_SYS(getuid), SCMP_SYS(prlimit64),
        SCMP_SYS(pread64), SCMP_SYS(getdents64)};

/* Names are looked up and files read and watched; of what is open already, its positions are
 * written. */
static const int files_calls[] = {SCMP_SYS(pread64), SCMP_SYS(getdents64), SCMP_SYS(fcntl),
        SCMP_SYS(inotify_init1), SCMP_SYS(inotify_add_watch), SCMP_SYS(pwrite64),
        SCMP_SYS(ftruncate), SCMP_SYS(fdatasync)};

/* Connections to brokers, and names looked up (by netlink, which addresses the machine has). */
static const int kafka_calls[] = {SCMP_SYS(socket), SCMP_SYS(connect), SCMP_SYS(bind),
        SCMP_SYS(recvmsg), SCMP_SYS(recvfrom), SCMP_SYS(sendto), SCMP_SYS(sendmsg),
        SCMP_SYS(sendmmsg), SCMP_SYS(shutdown), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt),
        SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(pipe2), SCMP_SYS(fcntl),
        SCMP_SYS(ioctl), SCMP_SYS(eventfd2), SCMP_SYS(uname), SCMP_SYS(getuid), SCMP_SYS(geteuid),
        SCMP_SYS(prctl), SCMP_SYS(clock_getres), SCMP_SYS(sysinfo), SCMP_SYS(pread64),
        SCMP_SYS(pwrite64), SCMP_SYS(ftruncate), SCMP_SYS(fdatasync)};
static const int drop_calls[] = {SCMP_SYS(pread64), SCMP_SYS(getdents64), SCMP_SYS(fcntl),
        SCMP_SYS(pwrite64), SCMP_SYS(ftruncate), SCMP_SYS(fdatasync), SCMP_SYS(fsync),
        SCMP_SYS(rename), SCMP_SYS(renameat2), SCMP_SYS(unlink), SCMP_SYS(mkdir)};

/* Connections out, no listening: there is no bind. */
static const int output_calls[] = {SCMP_SYS(connect), SCMP_SYS(recvmsg), SCMP_SYS(recvfrom),
        SCMP_SYS(sendto), SCMP_SYS(sendmsg), SCMP_SYS(shutdown), SCMP_SYS(getsockopt),
        SCMP_SYS(setsockopt), SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(fcntl),
        SCMP_SYS(pread64), SCMP_SYS(pwrite64), SCMP_SYS(getdents64), SCMP_SYS(fdatasync),
        SCMP_SYS(fsync), SCMP_SYS(ftruncate), SCMP_SYS(rename), SCMP_SYS(renameat),
        SCMP_SYS(renameat2), SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(getuid),
        SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid)};

#define READS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITES                                                                                     \
    (READS | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE |                      \
            LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR | (uint64_t)1 << 14)

static const struct {
    const char *name;
    struct seal seal;
    uint64_t rights, writes;
} roles[] = {
        [SANDBOX_LISTEN] = {"listen", {.calls = listen_calls, .call_count = COUNT(listen_calls)}, 0,
                0},
        [SANDBOX_LOG] = {"log",
                {.calls = log_calls,
                        .call_count = COUNT(log_calls),
                        .opening = true,
                        .writing = true},
                WRITES, 0},
        [SANDBOX_JUDGE] = {"judge",
                {.calls = judge_calls, .call_count = COUNT(judge_calls), .opening = true}, READS,
                0},
        [SANDBOX_API] = {"api",
                {.calls = api_calls, .call_count = COUNT(api_calls), .opening = true}, READS, 0},
        [SANDBOX_RULES] = {"rules",
                {.calls = rules_calls,
                        .call_count = COUNT(rules_calls),
                        .opening = true,
                        .writing = true},
                WRITES, 0},
        [SANDBOX_CHECK] = {"check", {0}, 0, 0},
        [SANDBOX_KAFKA] = {"kafka",
                {.calls = kafka_calls, .call_count = COUNT(kafka_calls), .opening = true},
                LANDLOCK_ACCESS_FS_READ_FILE, 0},
        [SANDBOX_DROP] = {"drop",
                {.calls = drop_calls,
                        .call_count = COUNT(drop_calls),
                        .opening = true,
                        .writing = true},
                WRITES | (uint64_t)1 << 13 /* from folder to folder */, 0},
        [SANDBOX_FILES] = {"files",
                {.calls = files_calls, .call_count = COUNT(files_calls), .opening = true}, READS,
                0},
        [SANDBOX_ARCHIVE] = {"archive",
                {.calls = log_calls,
                        .call_count = COUNT(log_calls),
                        .opening = true,
                        .writing = true},
                READS, WRITES},
        [SANDBOX_OUTPUT] = {"output",
                {.calls = output_calls,
                        .call_count = COUNT(output_calls),
                        .opening = true,
                        .writing = true,
                        .connecting = true},
                READS, WRITES},
};

enum err sandbox_enter_places(enum sandbox_role role, const struct sandbox_places *places,
        const char *test, struct diag *diag)
{
    struct seal seal = roles[role].seal;
    const struct roots roots = {
            places->at, places->count, roles[role].rights, places->writable, roles[role].writes};
    if (SANITIZED) {
        return OK;
    }
    seal.landlock = landlock_version();
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return diag_say(diag, ERR_IO, "no_new_privs: %s", strerror(errno));
    }
    if (seal.landlock > 0) {
        TRY(use_landlock(&roots, seal.landlock, diag));
    }
    TRY(use_seccomp(&seal, diag));
    if (test && *test) {
        fprintf(stderr, "sandbox: %s: %s\n", roles[role].name,
                seal.landlock > 0 ? "seccomp, Landlock" : "seccomp; no Landlock");
        try_all(test);
    }
    return OK;
}

enum err sandbox_enter(
        enum sandbox_role role, const char *const *directories, const char *test, struct diag *diag)
{
    struct slice at[SANDBOX_DIRECTORIES];
    struct sandbox_places places = {.at = at};
    while (directories[places.count] && places.count < SANDBOX_DIRECTORIES) {
        at[places.count] = slice_text(directories[places.count]);
        places.count++;
    }
    return sandbox_enter_places(role, &places, test, diag);
}
