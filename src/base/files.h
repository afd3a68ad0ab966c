/* files: whole files read with a limit, and directories walked in a stable order.
 *
 *     struct buf text = {0};
 *     TRY(files_read("rules/a.yml", 16 << 20, &text, diag));
 *
 *     static const char *const suffixes[] = {".yml", ".yaml", NULL};
 *     struct files_list list = {0};
 *     TRY(files_walk(&arena, "rules", suffixes, &list, diag));   // list.paths, in byte order
 *
 * No recursion. Symbolic links to files are followed, links to directories only where they are the
 * path itself, so that no walk is endless. Names that begin with a dot are left out. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"

enum { FILES_DEPTH = 100, FILES_COUNT = 10000000 };

/* A directory below the path that could not be read: the walk goes on without it. */
struct files_refusal {
    const char *path;
    const char *reason; /* the system's words */
};

struct files_list {
    const char **paths; /* in the arena; in the order of files_compare */
    size_t count;
    struct files_refusal *refusals;
    size_t refusal_count;
    bool is_directory; /* the path walked was one; else paths holds just itself */
};

/* Replaces the content of `out`. ERR_LIMIT when the file is larger than `limit` bytes (read no
 * further than that), ERR_IO with the words of the system. */
enum err files_read(const char *path, size_t limit, struct buf *out, struct diag *diag) MUST_CHECK;
/* Paths of the regular files below `path` whose names end as one of `suffixes` (NULL: all;
 * ended by NULL; without regard to ASCII case). Any other kind of path gives just itself. Fails
 * only where `path` itself cannot be read. */
enum err files_walk(struct arena *arena, const char *path, const char *const *suffixes,
        struct files_list *out, struct diag *diag) MUST_CHECK;
/* The order of paths: that of their bytes, as `LC_ALL=C sort` has it. */
int files_compare(const char *a, const char *b);
