#include "cli/token_store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/time.h"

static enum err lock(const char *folder, int *fd, struct diag *diag)
{
    int opened = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (opened < 0) {
        return diag_say(diag, ERR_IO, "%s: %s; is it where merlon serve keeps its data?", folder,
                strerror(errno));
    }
    while (flock(opened, LOCK_EX) != 0) {
        if (errno != EINTR) {
            enum err e = diag_say(diag, ERR_IO, "%s: no lock: %s", folder, strerror(errno));
            close(opened);
            return e;
        }
    }
    *fd = opened;
    return OK;
}

enum err token_store_open(
        struct token_store *store, const char *data, enum token_store_mode mode, struct diag *diag)
{
    struct diag why = {0};
    int folder = -1;
    TRY(data_path(data, "tokens.jsonl", store->path, diag));
    /* What is only read is replaced in one step: no lock is needed. */
    if (mode == TOKEN_STORE_WRITE) {
        TRY(lock(data_directory(data), &folder, diag));
    } else if (access(store->path, R_OK) != 0) {
        return diag_say(diag, ERR_IO, "%s: %s", store->path, strerror(errno));
    }
    enum err e = tokens_read(store->path, &store->tokens, &why);
    if (e != OK) {
        if (folder >= 0) {
            close(folder);
        }
        return e == ERR_SYNTAX ? diag_say(diag, e, "%s:%u: %s", store->path, why.line, why.words)
                               : diag_say(diag, e, "%s", why.words[0] ? why.words : err_name(e));
    }
    store->now_ns = clock_wall_ns();
    store->folder = folder;
    return OK;
}

enum err token_store_save(struct token_store *store, struct diag *diag)
{
    return tokens_write(store->tokens, store->path, diag);
}

void token_store_close(struct token_store *store)
{
    tokens_free(store->tokens);
    if (store->folder >= 0) {
        close(store->folder);
    }
}
