/* token_store: DATA/tokens.jsonl under a lock, so that of two changes at once neither is lost.
 *
 *     struct token_store store;
 *     TRY(token_store_open(&store, data, TOKEN_STORE_WRITE, diag));
 *     ... store.tokens ...
 *     e = token_store_save(&store, diag);
 *     token_store_close(&store);
 *
 * The lock is on the directory itself, and leaves no file behind. */
#pragma once

#include <stdint.h>

#include "cli/data.h"
#include "net/tokens.h"

enum token_store_mode { TOKEN_STORE_READ, TOKEN_STORE_WRITE };

struct token_store {
    int folder;
    struct tokens *tokens;
    int64_t now_ns;
    char path[DATA_PATH];
};

/* Waits for whoever changes it. `data` as for data_directory. ERR_IO: no such directory. */
enum err token_store_open(struct token_store *store, const char *data, enum token_store_mode mode,
        struct diag *diag) MUST_CHECK;
enum err token_store_save(struct token_store *store, struct diag *diag) MUST_CHECK;
void token_store_close(struct token_store *store);
