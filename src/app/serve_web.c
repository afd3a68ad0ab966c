#include "app/serve_web.h"

#include <string.h>

#include "base/files.h"
#include "cli/verb.h"

enum { PEM_LIMIT = 1 << 20, PATH_LIMIT = 4096 };

enum err serve_web_pem(struct slice path, struct buf *out, struct diag *diag)
{
    char name[PATH_LIMIT];
    if (path.size == 0) {
        return OK;
    }
    if (path.size >= sizeof name) {
        return diag_say(diag, ERR_LIMIT, "the path is too long");
    }
    memcpy(name, path.at, path.size);
    name[path.size] = 0;
    TRY(files_read(name, PEM_LIMIT, out, diag));
    buf_byte(out, 0);
    return out->failed ? ERR_MEMORY : OK;
}

bool serve_web_changed(struct serve_web_held *held, const struct serve_shared *shared)
{
    return serve_shared_tokens(shared, &held->generation, &held->text);
}

struct tokens *serve_web_parse(const struct serve_web_held *held)
{
    struct diag diag = {0};
    struct tokens *tokens;
    if (tokens_parse(buf_slice(&held->text), &tokens, &diag) != OK) {
        verb_say("tokens.jsonl:%u: %s: those before stay in use", diag.line, diag.words);
        return NULL;
    }
    return tokens;
}

struct tokens *serve_web_tokens(struct serve_web_held *held, const struct serve_shared *shared)
{
    return serve_web_changed(held, shared) ? serve_web_parse(held) : NULL;
}
