/* sandbox: the process gives up what it will not need, before it reads a byte of an input.
 *
 *     TRY(sandbox_seal(inputs, NULL, diag));      // once, before any thread is made
 *
 * Afterwards (and for all threads made later) it can read the inputs and write what is open
 * already; it cannot execute, make a socket, open another file or open one for writing:
 * - seccomp: a list of what is allowed; all else fails with EPERM. Opening is for reading only.
 * - Landlock, where the kernel has it: only the inputs' paths, for reading.
 * Without Landlock all inputs are opened first and opening is forbidden; where there are too many
 * for that, opening for reading stays allowed.
 *
 * `test` (the environment variable MERLON_SANDBOX_TEST, for tests of the seal) is a list with
 * commas: exec, connect, write:FILE, open:FILE try just that behind the seal and report on stderr
 * how it was refused; no-landlock pretends that the kernel has none. */
#pragma once

#include "base/diag.h"
#include "base/err.h"
#include "source/inputs.h"

enum err sandbox_seal(struct inputs *inputs, const char *test, struct diag *diag) MUST_CHECK;

/* The seal of a process of `merlon serve` (serve.h), which has what it needs and no more:
 * - listen: the sockets that it was given, and connections that come by them; no file;
 * - log: files below the directories, for reading and writing; no socket;
 * - judge: files below the directories, for reading alone;
 * - api: its listening socket and connections that come by it; files below the directories, for
 *   reading;
 * - rules: files below the directories, for reading and writing;
 * - check: nothing but its memory and what is open;
 * - files: files below the directories, for reading; what it has open it may write;
 * - drop: files below the directories, for reading, writing and moving;
 * - output: connections that it makes, by IP alone; files below the directories, for reading, and
 *   below the first of them for writing; it listens to nobody;
 * - archive: files below the directories, for reading, and below the first of them for writing;
 * - kafka: connections that it makes; single files, for reading.
 * `directories` ends with NULL, `test` is as above, but for no-landlock. */
enum sandbox_role {
    SANDBOX_LISTEN,
    SANDBOX_LOG,
    SANDBOX_JUDGE,
    SANDBOX_API,
    SANDBOX_RULES,
    SANDBOX_CHECK,
    SANDBOX_FILES,
    SANDBOX_DROP,
    SANDBOX_OUTPUT,
    SANDBOX_ARCHIVE,
    SANDBOX_KAFKA,
};
enum { SANDBOX_DIRECTORIES = 8 };
enum err sandbox_enter(enum sandbox_role role, const char *const *directories, const char *test,
        struct diag *diag) MUST_CHECK;
/* The same with any number of directories, each with a NUL behind it. */
struct sandbox_places {
    const struct slice *at;
    size_t count;
    size_t writable; /* of the first so many: written to as well, where the role has such */
};
enum err sandbox_enter_places(enum sandbox_role role, const struct sandbox_places *places,
        const char *test, struct diag *diag) MUST_CHECK;
