#include "packs/store_text.h"

static const char first_line[] = "merlon pack 1";

void store_text_write(const struct store_pack *pack, const struct content *content, struct buf *out)
{
    const struct slice lines[][2] = {{SLICE("name "), pack->name}, {SLICE("source "), pack->source},
            {SLICE("added "), pack->added},
            {SLICE("digest "), slice_of(content->digest, DIGEST_HEX - 1)}};
    buf_format(out, "%s\n", first_line);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        buf_add(out, lines[i][0]);
        buf_add(out, lines[i][1]);
        buf_byte(out, '\n');
    }
    buf_format(out, "files %zu\n", content->count);
    for (size_t i = 0; i < content->count; i++) {
        const struct content_file *f = &content->files[i];
        buf_format(out, "%s %zu ", f->hash, f->bytes.size);
        buf_add(out, f->path);
        buf_byte(out, '\n');
    }
    buf_byte(out, '\n');
    for (size_t i = 0; i < content->count; i++) {
        buf_add(out, content->files[i].bytes);
    }
}

struct text {
    struct slice rest;
    struct diag *diag;
};

static enum err changed(struct text *t, const char *what)
{
    return diag_say(t->diag, ERR_SYNTAX, "changed on disk: %s", what);
}

/* The value of the next line, which begins with `key`. */
static enum err read_line(struct text *t, const char *key, struct slice *value)
{
    size_t end = slice_find_byte(t->rest, '\n');
    struct slice line = slice_of(t->rest.at, end);
    if (end == t->rest.size || !slice_starts(line, slice_text(key))) {
        return changed(t, "its head is not that of a pack");
    }
    size_t size = strlen(key);
    *value = slice_of(line.at + size, line.size - size);
    t->rest = slice_of(t->rest.at + end + 1, t->rest.size - end - 1);
    return OK;
}

static bool parse_number(struct slice text, uint64_t most, uint64_t *out)
{
    uint64_t n = 0;
    if (text.size == 0 || text.size > 19) {
        return false;
    }
    for (size_t i = 0; i < text.size; i++) {
        if (text.at[i] < '0' || text.at[i] > '9') {
            return false;
        }
        n = n * 10 + (uint64_t)(text.at[i] - '0');
    }
    *out = n;
    return n <= most;
}

struct head {
    struct slice name, source, added, digest;
    struct slice list; /* the lines of files */
    uint64_t files;
};

static enum err read_head(struct text *t, struct head *head)
{
    struct slice count, nothing;
    TRY(read_line(t, first_line, &nothing));
    TRY(read_line(t, "name ", &head->name));
    TRY(read_line(t, "source ", &head->source));
    TRY(read_line(t, "added ", &head->added));
    TRY(read_line(t, "digest ", &head->digest));
    TRY(read_line(t, "files ", &count));
    if (nothing.size > 0 || head->digest.size != DIGEST_HEX - 1 ||
            !parse_number(count, CONTENT_FILES, &head->files)) {
        return changed(t, "its head is not that of a pack");
    }
    head->list = t->rest;
    for (uint64_t i = 0; i < head->files; i++) {
        TRY(read_line(t, "", &nothing));
    }
    TRY(read_line(t, "", &nothing));
    return nothing.size == 0 ? OK : changed(t, "its list of files has no end");
}

/* The next file of the list, and its bytes. */
static enum err read_file(struct text *t, struct slice *list, struct content *content)
{
    uint64_t size;
    struct slice line = slice_cut(list, '\n');
    struct slice hash = slice_cut(&line, ' ');
    if (!parse_number(slice_cut(&line, ' '), CONTENT_FILE_BYTES, &size)) {
        return changed(t, "its list of files");
    }
    if (size > t->rest.size) {
        return changed(t, "it ends before its files do");
    }
    if (content->count > 0 && slice_compare(content->files[content->count - 1].path, line) >= 0) {
        return changed(t, "its list of files is not in order");
    }
    struct slice bytes = slice_of(t->rest.at, (size_t)size);
    struct digest digest;
    char hex[DIGEST_HEX];
    digest_init(&digest);
    digest_add(&digest, bytes);
    digest_hex(&digest, hex);
    if (!slice_equal(hash, slice_of(hex, DIGEST_HEX - 1))) {
        return diag_say(t->diag, ERR_SYNTAX, "changed on disk: %.*s", SLICE_ARG(line));
    }
    t->rest = slice_of(t->rest.at + size, t->rest.size - (size_t)size);
    return content_add(content, line, bytes, t->diag);
}

enum err store_text_read(struct slice bytes, struct slice name, struct store_pack *pack,
        struct content *content, struct diag *diag)
{
    struct text t = {bytes, diag};
    struct head head;
    TRY(read_head(&t, &head));
    if (!slice_equal(head.name, name)) {
        return changed(&t, "it has the name of another");
    }
    for (uint64_t i = 0; i < head.files; i++) {
        TRY(read_file(&t, &head.list, content));
    }
    if (t.rest.size > 0) {
        return changed(&t, "there is more behind its files");
    }
    TRY(content_finish(content, diag));
    if (!slice_equal(head.digest, slice_of(content->digest, DIGEST_HEX - 1))) {
        return changed(&t, "its files do not give its digest");
    }
    struct store_pack out = {.name = arena_copy(&content->arena, head.name),
            .source = arena_copy(&content->arena, head.source),
            .added = arena_copy(&content->arena, head.added)};
    if (!out.name.at || !out.source.at || !out.added.at) {
        return diag_say(diag, ERR_MEMORY, "no memory for the pack");
    }
    memcpy(out.digest, content->digest, sizeof out.digest);
    *pack = out;
    return OK;
}
