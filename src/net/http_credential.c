#include "net/http_credential.h"

#include "base/base64.h"
#include "base/buf.h"

/* "user:password" from base64. */
static enum err read_pair(
        struct slice text, struct arena *arena, struct slice *user, struct slice *password)
{
    struct buf bytes = {0};
    enum err e = base64_read(text, &bytes);
    struct slice pair = {0};
    if (e == OK) {
        pair = arena_copy(arena, buf_slice(&bytes));
        e = pair.at ? OK : ERR_MEMORY;
    }
    buf_fini(&bytes);
    TRY(e);
    size_t colon = slice_find_byte(pair, ':');
    if (colon == pair.size) {
        return ERR_SYNTAX;
    }
    *user = slice_of(pair.at, colon);
    *password = slice_from(pair, colon + 1);
    return OK;
}

enum err http_credential_read(struct slice header, struct arena *arena, struct http_credential *out)
{
    struct slice rest = slice_trim(header), user;
    struct http_credential found = {0};
    if (rest.size > HTTP_CREDENTIAL_LIMIT) {
        return ERR_SYNTAX;
    }
    struct slice scheme = slice_cut(&rest, ' ');
    rest = slice_trim(rest);
    bool key = slice_equal_nocase(scheme, SLICE("ApiKey"));
    bool plain = slice_equal_nocase(scheme, SLICE("Bearer")) ||
                 slice_equal_nocase(scheme, SLICE("Splunk")) ||
                 (key && slice_starts(rest, SLICE("merlon_")));
    if (plain) {
        found.token = rest;
    } else if (key) {
        TRY(read_pair(rest, arena, &found.id, &found.token));
        if (found.id.size == 0) {
            return ERR_SYNTAX;
        }
    } else if (slice_equal_nocase(scheme, SLICE("Basic"))) {
        TRY(read_pair(rest, arena, &user, &found.token));
    }
    if (found.token.size == 0) {
        return ERR_SYNTAX;
    }
    *out = found;
    return OK;
}
