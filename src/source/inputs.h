/* inputs: what a user named to be read, as a list of files in a stable order.
 *
 *     struct inputs *inputs;
 *     TRY(inputs_new(&inputs));
 *     inputs_add(inputs, "logs");            // any number of times; "-" is standard input
 *     TRY(inputs_finish(inputs));
 *     inputs->files[i]                       // by path, each once
 *     inputs->problems[i]                    // what could not be looked at, and why
 *
 * The order is that of the paths' bytes, so the order of arguments never matters. A path that two
 * arguments reach is there once. Directories are walked whole, but links inside them are not
 * followed: a tree of evidence must not lead out of itself. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

enum { INPUTS_LIMIT = 4000000, INPUTS_ARENA = 1 << 30 };

struct input {
    struct slice path;  /* as shown; NUL-terminated; "-" is standard input */
    struct slice real;  /* without links; "" for standard input */
    uint64_t size;      /* bytes; 0 where not known */
    int64_t written_ns; /* last change; of a pipe: now */
    bool named;         /* an argument itself, not found in a directory */
    bool regular;
    int fd; /* open already (standard input, pipes, inputs_open_all), or -1 */
};

struct input_problem {
    struct slice path;
    struct slice reason;
};

struct inputs {
    struct input *files;
    size_t count;
    struct input_problem *problems;
    size_t problem_count;
    struct slice *roots; /* the arguments' real paths: all that must be readable; NUL-terminated */
    size_t root_count;
    uint64_t bytes;             /* sizes of all files that have one */
    bool unknown;               /* some file's size is not known (a pipe) */
    uint64_t links;             /* symbolic links in directories, passed over */
    struct inputs_build *build; /* private */
};

enum err inputs_new(struct inputs **out) MUST_CHECK;
/* Closes what is open. */
void inputs_free(struct inputs *inputs);
/* Whatever the file system refuses becomes a problem; only ERR_MEMORY and ERR_LIMIT return. */
enum err inputs_add(struct inputs *inputs, const char *path) MUST_CHECK;
enum err inputs_finish(struct inputs *inputs) MUST_CHECK;
/* Opens all files now (before openat is forbidden). false: there are more than the process may
 * open; some are open then. */
bool inputs_open_all(struct inputs *inputs);
