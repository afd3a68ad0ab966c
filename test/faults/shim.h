/* shim: what the wrappers of calls share (shim.c has the rules that decide, and says what they
 * are).
 *
 *     int fsync(int file)
 *     {
 *         CALL(FSYNC, shim_path(file), REAL(fsync)(file), .file = file);
 *     }
 */
#pragma once

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

enum call {
    OPEN,
    CLOSE,
    READ,
    WRITE,
    FSYNC,
    FDATASYNC,
    RENAME,
    UNLINK,
    TRUNCATE,
    ALLOCATE,
    MKDIR,
    MALLOC,
    MMAP,
    SOCKET,
    BIND,
    LISTEN,
    ACCEPT,
    CONNECT,
    RECV,
    SEND,
    POLL,
    FORK,
    CLOCK,
    CALLS,
};
enum { SHIM_PATH = 240 };

/* What becomes of a call. */
struct fate {
    enum call call;
    const char *path;
    bool over; /* it is not made: `value` and errno are its result */
    bool shorter, after, group, record;
    long value;
    int64_t bytes;
};

/* What a wrapper knows of its call, for the record. */
struct told {
    int file;
    int64_t number;
    const struct iovec *data;
    int pieces;
};

struct fate shim_fate(enum call call, const char *path);
/* How much of `size` a call is made for. */
size_t shim_cut(const struct fate *fate, size_t size);
/* What is left to do behind a call. */
long shim_after(const struct fate *fate, long result, const struct told *told);
/* The path that a file was opened by; "". */
const char *shim_path(int file);
long shim_name(long file, const char *path);
/* The process names itself. */
void shim_set_role(const char *name);

/* The next library's function; pedantry has no way to write this conversion. */
#define REAL(name)                                                                                 \
    (__extension__({                                                                               \
        static void *slot;                                                                         \
        if (!slot) {                                                                               \
            slot = dlsym(RTLD_NEXT, #name);                                                        \
        }                                                                                          \
        (__typeof__(&(name)))slot;                                                                 \
    }))

/* The body of a wrapper: the call, unless its fate is another. */
#define CALL(kind, path, made, ...)                                                                \
    struct fate fate = shim_fate(kind, path);                                                      \
    struct told told = {__VA_ARGS__};                                                              \
    return (__typeof__(made))(fate.over ? shim_after(&fate, fate.value, &told)                     \
                                        : shim_after(&fate, (long)(made), &told))
