/* A library to preload that makes a program's calls fail, or ends the program, at a chosen call:
 *
 *     MERLON_SHIM='fail:call=fdatasync,nth=3,errno=EIO,path=*.seg,role=log' LD_PRELOAD=shim.so ...
 *
 * Rules stand apart by ';', each ACTION[:KEY=VALUE,...]:
 *
 *     fail   the call is not made; errno=EIO (or ENOSPC, EINTR, EMFILE, ENOMEM, ...)
 *     short  a read, write, recv or send does bytes=N of what it was asked for (default: half)
 *     skip   the call is not made and reports success: a disk that lies
 *     kill   SIGKILL, when=before (default) or after the call; scope=process (default) or group
 *     clock  add=SECONDS to the wall clock
 *     count  nothing: to learn how many calls there are
 *     record writes each call, with its data, to the file that `record=FILE` names (below)
 *     state  file=FILE: the counters, kept over restarts and shared by all processes
 *     file   file=FILE,bytes=N: where `record` writes to (N: room for it, default 256 MiB)
 *
 * call=NAME (see `names`; several with '+'; absent: all), path=PATTERN (fnmatch of the path as it
 * was opened, "socket" for sockets), role=NAME (the process's name as it set it by PR_SET_NAME, or
 * the program's), nth=N (the N-th such call, from 1, the default), every=N, onward (all from then
 * on). Without a state file each process counts for itself. test/faults/shim.py makes rules and
 * reads both files. */
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *const names[CALLS] = {"open", "close", "read", "write", "fsync", "fdatasync",
        "rename", "unlink", "ftruncate", "fallocate", "mkdir", "malloc", "mmap", "socket", "bind",
        "listen", "accept", "connect", "recv", "send", "poll", "fork", "clock"};

enum action { FAIL, SHORT, SKIP, KILL, ADD, COUNT, RECORD, STATE, FILE_OF_RECORD, ACTIONS };
static const char *const actions[ACTIONS] = {
        "fail", "short", "skip", "kill", "clock", "count", "record", "state", "file"};

enum { RULES = 16, PATHS = 1024, NAME_SIZE = 64 };

struct rule {
    enum action action;
    uint64_t calls; /* bits */
    uint64_t nth, every;
    int64_t number; /* bytes=, add= */
    bool onward, after, group;
    int error;
    char path[SHIM_PATH];
    char role[NAME_SIZE];
};

/* In the state file too: 8-byte numbers in this order. */
struct state {
    _Atomic uint64_t calls[CALLS + 1]; /* of each kind, by any process */
    _Atomic uint64_t matched[RULES];   /* calls that a rule concerns */
    _Atomic uint64_t struck[RULES];    /* and at which it acted */
};

/* An entry of the record file; the path and the data stand behind it, filled up to 8 bytes. */
struct entry {
    uint32_t size; /* written last: 0 is an entry that was not finished */
    uint32_t call;
    int32_t process, file;
    int64_t result;
    int64_t number; /* an offset, a length, flags; -1: none */
    uint32_t path_size, data_size;
};

static struct rule rules[RULES];
static size_t rule_count;
static struct state own_state, *state = &own_state;
static char *record_at; /* mapped: 8 bytes for its end, then entries */
static uint64_t record_size;
static char role[NAME_SIZE];
static char paths[PATHS][SHIM_PATH];
static _Atomic bool ready;

/* ---- reading the rules --------------------------------------------------------------------- */

static void die(const char *why, const char *what)
{
    dprintf(2, "shim: %s: %s\n", why, what);
    _exit(127);
}

static void keep(char *to, size_t size, const char *text)
{
    if (strlen(text) >= size) {
        die("too long", text);
    }
    memcpy(to, text, strlen(text) + 1);
}

static int error_number(const char *name)
{
    for (int e = 1; e < 134; e++) {
        const char *known = strerrorname_np(e);
        if (known && strcmp(known, name) == 0) {
            return e;
        }
    }
    die("no such errno", name);
    return 0;
}

static int64_t number_of(const char *text)
{
    char *end;
    errno = 0;
    int64_t value = strtoll(text, &end, 10);
    if (errno || *end || end == text) {
        die("no number", text);
    }
    return value;
}

static uint64_t calls_of(char *text)
{
    uint64_t found = 0;
    for (char *word; (word = strsep(&text, "+"));) {
        size_t i = 0;
        while (i < CALLS && strcmp(names[i], word) != 0) {
            i++;
        }
        if (i == CALLS) {
            die("no such call", word);
        }
        found |= UINT64_C(1) << i;
    }
    return found;
}

static void *map_file(const char *path, size_t size)
{
    int file = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    struct stat found;
    if (file < 0 || fstat(file, &found) != 0 ||
            ((size_t)found.st_size < size && syscall(SYS_ftruncate, file, size) != 0)) {
        die("cannot make", path);
    }
    long at = syscall(SYS_mmap, NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0L);
    if (at == -1) {
        die("cannot map", path);
    }
    syscall(SYS_close, file);
    return (void *)at; // NOLINT
}

static void set(struct rule *rule, const char *key, char *value)
{
    if (strcmp(key, "call") == 0) {
        rule->calls = calls_of(value);
    } else if (strcmp(key, "path") == 0 || strcmp(key, "file") == 0) {
        keep(rule->path, sizeof rule->path, value);
    } else if (strcmp(key, "role") == 0) {
        keep(rule->role, sizeof rule->role, value);
    } else if (strcmp(key, "nth") == 0) {
        rule->nth = (uint64_t)number_of(value);
    } else if (strcmp(key, "every") == 0) {
        rule->every = (uint64_t)number_of(value);
    } else if (strcmp(key, "bytes") == 0 || strcmp(key, "add") == 0) {
        rule->number = number_of(value);
    } else if (strcmp(key, "errno") == 0) {
        rule->error = error_number(value);
    } else if (strcmp(key, "when") == 0) {
        rule->after = strcmp(value, "after") == 0;
    } else if (strcmp(key, "scope") == 0) {
        rule->group = strcmp(value, "group") == 0;
    } else {
        die("no such key", key);
    }
}

static void take_rule(char *text)
{
    char *word = strsep(&text, ":");
    struct rule rule = {.nth = 1, .error = EIO, .calls = UINT64_MAX, .action = 0};
    while (rule.action < ACTIONS && strcmp(actions[rule.action], word) != 0) {
        rule.action++;
    }
    if (rule.action == ACTIONS) {
        die("no such action", word);
    }
    rule.onward = rule.action == COUNT || rule.action == RECORD;
    for (char *pair; (pair = strsep(&text, ","));) {
        char *key = strsep(&pair, "=");
        if (strcmp(key, "onward") == 0) {
            rule.onward = true;
        } else if (pair) {
            set(&rule, key, pair);
        } else {
            die("expected KEY=VALUE", key);
        }
    }
    if (rule.action == STATE) {
        state = map_file(rule.path, sizeof *state);
    } else if (rule.action == FILE_OF_RECORD) {
        record_size = rule.number ? (uint64_t)rule.number : 256U << 20;
        record_at = map_file(rule.path, record_size);
    } else if (rule_count == RULES) {
        die("too many rules", word);
    } else {
        rules[rule_count++] = rule;
    }
}

__attribute__((constructor)) static void begin(void)
{
    const char *given = getenv("MERLON_SHIM");
    static char text[4096];
    snprintf(role, sizeof role, "%.*s", NAME_SIZE - 1, program_invocation_short_name);
    if (!given) {
        return;
    }
    keep(text, sizeof text, given);
    char *rest = text;
    for (char *rule; (rule = strsep(&rest, ";"));) {
        if (*rule) {
            take_rule(rule);
        }
    }
    atomic_store(&ready, true);
}

/* ---- deciding ------------------------------------------------------------------------------ */

/* Not by the library: a sealed process may be forbidden to signal, and must not go on. */
static void end_it(bool group)
{
    syscall(SYS_kill, group ? 0 : getpid(), SIGKILL);
    syscall(SYS_exit_group, 137);
}

static bool concerns(const struct rule *rule, enum call call, const char *path)
{
    if (!(rule->calls >> call & 1) || (rule->role[0] && strcmp(rule->role, role) != 0)) {
        return false;
    }
    return !rule->path[0] || (path && fnmatch(rule->path, path, 0) == 0);
}

/* Is it this call's turn? */
static bool strikes(size_t i)
{
    const struct rule *rule = &rules[i];
    uint64_t n = atomic_fetch_add(&state->matched[i], 1) + 1;
    bool turn = rule->every ? n % rule->every == 0 : rule->onward ? n >= rule->nth : n == rule->nth;
    if (turn) {
        atomic_fetch_add(&state->struck[i], 1);
    }
    return turn;
}

static void apply(const struct rule *rule, struct fate *fate)
{
    if (rule->action == FAIL) {
        fate->over = true;
        fate->value = -1;
        errno = rule->error;
    } else if (rule->action == SKIP) {
        fate->over = true;
        fate->value = 0;
    } else if (rule->action == SHORT) {
        fate->shorter = true;
        fate->bytes = rule->number;
    } else if (rule->action == KILL && !rule->after) {
        end_it(rule->group);
    } else if (rule->action == KILL) {
        fate->after = true;
        fate->group = rule->group;
    } else if (rule->action == RECORD) {
        fate->record = record_at != NULL;
    } else if (rule->action == ADD) {
        fate->bytes += rule->number;
    }
}

struct fate shim_fate(enum call call, const char *path)
{
    struct fate fate = {.call = call, .path = path ? path : ""};
    if (!atomic_load_explicit(&ready, memory_order_relaxed)) {
        return fate;
    }
    int before = errno;
    bool failed = false;
    atomic_fetch_add(&state->calls[call], 1);
    for (size_t i = 0; i < rule_count; i++) {
        if (concerns(&rules[i], call, path) && strikes(i)) {
            apply(&rules[i], &fate);
            failed |= rules[i].action == FAIL;
        }
    }
    if (!failed) {
        errno = before;
    }
    return fate;
}

size_t shim_cut(const struct fate *fate, size_t size)
{
    if (!fate->shorter || size < 2) {
        return size;
    }
    return fate->bytes > 0 && (size_t)fate->bytes < size ? (size_t)fate->bytes : size / 2;
}

/* ---- recording ----------------------------------------------------------------------------- */

static void write_entry(const struct fate *fate, const struct told *told, long result)
{
    size_t limit = fate->call == WRITE ? (result > 0 ? (size_t)result : 0) : SIZE_MAX, data = 0;
    for (int i = 0; i < told->pieces; i++) {
        data += told->data[i].iov_len;
    }
    data = data < limit ? data : limit;
    struct entry entry = {.call = fate->call,
            .process = getpid(),
            .file = told->file,
            .result = result,
            .number = told->number,
            .path_size = (uint32_t)strlen(fate->path),
            .data_size = (uint32_t)data};
    uint64_t size = (sizeof entry + entry.path_size + data + 7) & ~(uint64_t)7;
    uint64_t at = atomic_fetch_add((_Atomic uint64_t *)(void *)record_at, size) + 8;
    if (at + size > record_size) {
        die("no room to record", fate->path);
    }
    char *to = record_at + at;
    memcpy(to, &entry, sizeof entry);
    memcpy(to + sizeof entry, fate->path, entry.path_size);
    char *end = to + sizeof entry + entry.path_size;
    for (int i = 0; i < told->pieces && data > 0; i++) {
        size_t part = told->data[i].iov_len < data ? told->data[i].iov_len : data;
        memcpy(end, told->data[i].iov_base, part);
        end += part;
        data -= part;
    }
    atomic_store((_Atomic uint32_t *)(void *)to, (uint32_t)size);
}

long shim_after(const struct fate *fate, long result, const struct told *told)
{
    int failure = errno;
    if (fate->record) {
        write_entry(fate, told, result);
    }
    if (fate->after) {
        end_it(fate->group);
    }
    errno = failure;
    return result;
}

void shim_set_role(const char *name)
{
    if (syscall(SYS_gettid) == getpid()) { /* a thread's name is not the process's */
        snprintf(role, sizeof role, "%.15s", name);
    }
}

const char *shim_path(int file)
{
    return file >= 0 && file < PATHS ? paths[file] : "";
}

long shim_name(long file, const char *path)
{
    if (file >= 0 && file < PATHS && path != paths[file]) {
        snprintf(paths[file], SHIM_PATH, "%s", path);
    }
    return file;
}
