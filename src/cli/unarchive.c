#include "cli/unarchive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/files.h"
#include "packs/extract.h"
#include "source/inputs.h"

/* What the child sends: files, then an end or an error. */
enum { SENT_FILE = 'F', SENT_END = 'Z', SENT_ERROR = 'E' };
struct sent {
    uint64_t kind;
    uint64_t a; /* file: size of its path; end: others; error: enum err */
    uint64_t b; /* file: size of its bytes; end: links; error: size of its words */
};
#define SENT_MOST                                                                                  \
    (CONTENT_BYTES + ((size_t)CONTENT_FILES * (CONTENT_PATH_BYTES + sizeof(struct sent))))

/* ---- the child ------------------------------------------------------------------------------- */

static bool send(int to, struct slice bytes)
{
    while (bytes.size > 0) {
        ssize_t n = write(to, bytes.at, bytes.size);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        size_t done = n > 0 ? (size_t)n : 0;
        bytes = slice_of(bytes.at + done, bytes.size - done);
    }
    return true;
}

static bool send_head(int to, uint64_t kind, uint64_t a, uint64_t b)
{
    struct sent sent = {kind, a, b};
    return send(to, slice_of((const char *)&sent, sizeof sent));
}

static enum err unpack(
        const char *path, const struct verb_app *app, struct content *content, struct diag *diag)
{
    struct buf bytes = {0};
    struct inputs *nothing;
    TRY(files_read(path, EXTRACT_PACKED, &bytes, diag));
    TRY(inputs_new(&nothing));
    TRY(inputs_finish(nothing));
    TRY(app->seal(nothing, diag));
    if (!extract_recognise(buf_slice(&bytes))) {
        return diag_say(diag, ERR_UNSUPPORTED,
                "neither a folder, nor a rule file (.yml), nor an "
                "archive (tar, tar.gz, tar.zst, zip)");
    }
    return extract_archive(buf_slice(&bytes), content, diag);
}

/* Does not return: what it owns ends with it. */
static _Noreturn void child(const char *path, const struct verb_app *app, int to)
{
    struct content content;
    struct diag diag = {0};
    content_init(&content);
    enum err e = unpack(path, app, &content, &diag);
    bool good = true;
    for (size_t i = 0; e == OK && i < content.count && good; i++) {
        const struct content_file *f = &content.files[i];
        good = send_head(to, SENT_FILE, f->path.size, f->bytes.size) && send(to, f->path) &&
               send(to, f->bytes);
    }
    if (e != OK) {
        struct slice words = slice_text(diag.words[0] ? diag.words : err_name(e));
        good = send_head(to, SENT_ERROR, (uint64_t)e, words.size) && send(to, words);
    } else {
        good = good && send_head(to, SENT_END, content.others, content.links);
    }
    _exit(good ? 0 : 1);
}

/* ---- the parent ------------------------------------------------------------------------------ */

static enum err receive(int from, struct buf *out, struct diag *diag)
{
    enum { PIECE = 1 << 20 };
    for (;;) {
        char *at = buf_reserve(out, PIECE);
        if (!at || out->size > SENT_MOST) {
            return diag_say(diag, ERR_MEMORY, "no memory for the rules");
        }
        ssize_t n = read(from, at, PIECE);
        if (n == 0) {
            return OK;
        }
        if (n < 0 && errno != EINTR) {
            return diag_say(diag, ERR_IO, "%s", strerror(errno));
        }
        out->size += n > 0 ? (size_t)n : 0;
    }
}

static bool take(struct slice *rest, uint64_t size, struct slice *out)
{
    if (size > rest->size) {
        return false;
    }
    *out = slice_of(rest->at, (size_t)size);
    *rest = slice_of(rest->at + size, rest->size - (size_t)size);
    return true;
}

static enum err take_all(struct slice rest, struct content *content, struct diag *diag)
{
    for (;;) {
        struct slice head, path, bytes;
        struct sent sent;
        if (!take(&rest, sizeof sent, &head)) {
            return diag_say(diag, ERR_IO, "what unpacks the archive ended too soon");
        }
        memcpy(&sent, head.at, sizeof sent);
        if (sent.kind == SENT_END) {
            content->others = sent.a;
            content->links = sent.b;
            return OK;
        }
        if (sent.kind == SENT_ERROR && take(&rest, sent.b, &bytes)) {
            bool known = sent.a > OK && sent.a <= ERR_USAGE;
            return diag_say(diag, known ? (enum err)sent.a : ERR_SYNTAX, "%.*s", SLICE_ARG(bytes));
        }
        if (sent.kind != SENT_FILE || !take(&rest, sent.a, &path) || !take(&rest, sent.b, &bytes)) {
            return diag_say(diag, ERR_IO, "what unpacks the archive ended too soon");
        }
        TRY(content_add(content, path, bytes, diag));
    }
}

static enum err wait_for(pid_t pid, struct diag *diag)
{
    int status;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            return diag_say(diag, ERR_IO, "%s", strerror(errno));
        }
    }
    if (WIFSIGNALED(status)) {
        return diag_say(
                diag, ERR_SYNTAX, "what unpacks the archive died of signal %d", WTERMSIG(status));
    }
    return OK;
}

enum err unarchive_read(
        const char *path, const struct verb_app *app, struct content *content, struct diag *diag)
{
    int ends[2];
    struct buf sent = {0};
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return diag_say(diag, ERR_IO, "%s", strerror(errno));
    }
    fflush(NULL); /* nothing that waits is written twice */
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        child(path, app, ends[1]);
    }
    close(ends[1]);
    enum err e =
            pid < 0 ? diag_say(diag, ERR_IO, "%s", strerror(errno)) : receive(ends[0], &sent, diag);
    close(ends[0]);
    if (pid > 0) {
        enum err died = wait_for(pid, e == OK ? diag : NULL);
        e = e == OK ? died : e;
    }
    e = e == OK ? take_all(buf_slice(&sent), content, diag) : e;
    buf_fini(&sent);
    return e;
}
