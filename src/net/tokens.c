#include "net/tokens.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/files.h"
#include "base/json_text.h"
#include "base/memory.h"
#include "base/time.h"

enum { ID_BYTES = 8, SECRET_BYTES = 32, DEPTH = 4 };

struct tokens {
    struct tokens_row *rows;
    size_t count;
    size_t room;
};

enum err tokens_new(struct tokens **out)
{
    struct tokens *tokens = memory_alloc(sizeof *tokens);
    if (!tokens) {
        return ERR_MEMORY;
    }
    *out = tokens;
    return OK;
}

void tokens_free(struct tokens *tokens)
{
    if (tokens) {
        memory_free(tokens->rows);
        memory_free(tokens);
    }
}

size_t tokens_size(const struct tokens *tokens)
{
    return tokens->count;
}

const struct tokens_row *tokens_at(const struct tokens *tokens, size_t i)
{
    return &tokens->rows[i];
}

static void sum_of(struct slice text, unsigned char out[DIGEST_SIZE])
{
    struct digest digest;
    digest_init(&digest);
    digest_add(&digest, text);
    digest_bytes(&digest, out);
}

/* Takes the same time whatever differs. */
static unsigned differ(const unsigned char *a, const unsigned char *b)
{
    unsigned bits = 0;
    for (size_t i = 0; i < DIGEST_SIZE; i++) {
        bits |= (unsigned)(a[i] ^ b[i]);
    }
    return bits;
}

enum tokens_verdict tokens_find(const struct tokens *tokens, struct slice text, int64_t now_ns,
        struct authorize_actor *actor)
{
    unsigned char sum[DIGEST_SIZE];
    const struct tokens_row *found = NULL;
    sum_of(text, sum);
    for (size_t i = 0; i < tokens->count; i++) {
        found = differ(sum, tokens->rows[i].sum) ? found : &tokens->rows[i];
    }
    if (!found) {
        return TOKENS_UNKNOWN;
    }
    if (found->revoked_ns) {
        return TOKENS_REVOKED;
    }
    if (found->expires_ns && now_ns >= found->expires_ns) {
        return TOKENS_EXPIRED;
    }
    *actor = found->actor;
    return TOKENS_VALID;
}

/* ---- changing ---------------------------------------------------------------------------------
 */

static bool put_text(char *to, struct slice text)
{
    if (text.size >= AUTHORIZE_NAME || memchr(text.size ? text.at : "", 0, text.size)) {
        return false;
    }
    memcpy(to, text.size ? text.at : "", text.size);
    to[text.size] = '\0';
    return true;
}

static struct tokens_row *add_row(struct tokens *tokens, struct diag *diag, enum err *e)
{
    if (tokens->count == TOKENS_LIMIT) {
        *e = diag_say(diag, ERR_LIMIT, "there are %d tokens, and no more may be", TOKENS_LIMIT);
        return NULL;
    }
    if (!memory_grow(&tokens->rows, &tokens->room, tokens->count + 1, sizeof *tokens->rows)) {
        *e = diag_say(diag, ERR_MEMORY, "no memory for a token");
        return NULL;
    }
    struct tokens_row *row = &tokens->rows[tokens->count];
    *row = (struct tokens_row){0};
    return row;
}

static enum err fill(struct tokens_row *row, const struct tokens_wish *wish, struct diag *diag)
{
    if (wish->name.size == 0 || !put_text(row->actor.name, wish->name)) {
        return diag_say(
                diag, ERR_USAGE, "a token needs a name of 1 to %d bytes", AUTHORIZE_NAME - 1);
    }
    if (!authorize_tenant_valid(wish->tenant) || !put_text(row->actor.tenant, wish->tenant)) {
        return diag_say(diag, ERR_USAGE, "no tenant's path: '%.*s'", SLICE_ARG(wish->tenant));
    }
    if (!put_text(row->actor.input, wish->input)) {
        return diag_say(diag, ERR_USAGE, "an input's name is too long");
    }
    if (wish->role >= AUTHORIZE_ROLES) {
        return diag_say(diag, ERR_USAGE, "no such role");
    }
    row->actor.role = wish->role;
    row->expires_ns = wish->expires_ns;
    return OK;
}

enum err tokens_add(struct tokens *tokens, const struct tokens_wish *wish, int64_t now_ns,
        char text[TOKENS_TEXT], struct diag *diag)
{
    unsigned char random[ID_BYTES + SECRET_BYTES];
    enum err e = OK;
    struct tokens_row *row = add_row(tokens, diag, &e);
    if (!row) {
        return e;
    }
    TRY(fill(row, wish, diag));
    if (getrandom(random, sizeof random, 0) != sizeof random) {
        return diag_say(diag, ERR_IO, "the system gives no random bytes: %s", strerror(errno));
    }
    struct buf out = {0};
    buf_add(&out, SLICE("merlon_"));
    base64_add_url(&out, slice_of((const char *)random + ID_BYTES, SECRET_BYTES));
    if (out.failed || out.size != TOKENS_TEXT - 1) {
        buf_fini(&out);
        return diag_say(diag, ERR_MEMORY, "no memory for a token");
    }
    sum_of(buf_slice(&out), row->sum);
    memcpy(text, out.at, out.size);
    text[out.size] = '\0';
    memset(out.at, 0, out.size);
    buf_fini(&out);
    for (size_t i = 0; i < ID_BYTES; i++) {
        snprintf(row->actor.id + 2 * i, 3, "%02x", random[i]);
    }
    row->created_ns = now_ns;
    tokens->count++;
    return OK;
}

enum err tokens_revoke(struct tokens *tokens, struct slice id, int64_t now_ns)
{
    for (size_t i = 0; i < tokens->count; i++) {
        struct tokens_row *row = &tokens->rows[i];
        if (slice_equal(slice_text(row->actor.id), id)) {
            row->revoked_ns = row->revoked_ns ? row->revoked_ns : now_ns;
            return OK;
        }
    }
    return ERR_NOT_FOUND;
}

/* ---- reading ----------------------------------------------------------------------------------
 */

/* A member's text into room of AUTHORIZE_NAME bytes; absent: empty. */
static bool read_text(struct slice line, const char *key, char *to)
{
    struct slice value = json_text_get(line, slice_text(key));
    struct buf text = {.cap = AUTHORIZE_NAME};
    if (value.at && !json_text_is_string(value)) {
        return false;
    }
    json_text_add(&text, value.at ? value : SLICE("\"\""));
    bool fits = !text.failed && put_text(to, buf_slice(&text));
    buf_fini(&text);
    return fits;
}

static bool read_time(struct slice line, const char *key, int64_t *ns)
{
    char text[AUTHORIZE_NAME];
    if (!read_text(line, key, text)) {
        return false;
    }
    return text[0] == '\0' || time_parse(slice_text(text), ns);
}

static bool read_sum(struct slice line, unsigned char *sum)
{
    char text[AUTHORIZE_NAME];
    if (!read_text(line, "sha256", text) || strlen(text) != DIGEST_SIZE * 2) {
        return false;
    }
    for (size_t i = 0; i < DIGEST_SIZE * 2; i++) {
        const char *digits = "0123456789abcdef", *hit = strchr(digits, text[i]);
        if (!hit) {
            return false;
        }
        sum[i / 2] = (unsigned char)(sum[i / 2] << 4 | (hit - digits));
    }
    return true;
}

/* The name of what is wrong with it, or NULL. */
static const char *read_row(struct slice line, struct tokens_row *row)
{
    char role[AUTHORIZE_NAME];
    if (!read_text(line, "id", row->actor.id) || !row->actor.id[0]) {
        return "id";
    }
    if (!read_text(line, "name", row->actor.name)) {
        return "name";
    }
    if (!read_text(line, "tenant", row->actor.tenant) || !json_text_get(line, SLICE("tenant")).at ||
            !authorize_tenant_valid(slice_text(row->actor.tenant))) {
        return "tenant";
    }
    if (!read_text(line, "input", row->actor.input)) {
        return "input";
    }
    row->actor.role = AUTHORIZE_ROLES;
    if (read_text(line, "role", role)) {
        row->actor.role = authorize_role_find(slice_text(role));
    }
    if (row->actor.role == AUTHORIZE_ROLES) {
        return "role";
    }
    if (!read_sum(line, row->sum)) {
        return "sha256";
    }
    bool times = read_time(line, "created", &row->created_ns) &&
                 read_time(line, "expires", &row->expires_ns) &&
                 read_time(line, "revoked", &row->revoked_ns);
    return times ? NULL : "created, expires or revoked";
}

static enum err read_line(
        struct tokens *tokens, struct slice line, uint32_t number, struct diag *diag)
{
    if (json_text_check_whole(line, DEPTH, NULL) != OK || !json_text_is_object(line)) {
        return diag_set(diag, ERR_SYNTAX, number, 1, "expected a JSON object");
    }
    enum err e = OK;
    struct tokens_row *row = add_row(tokens, diag, &e);
    if (!row) {
        return e;
    }
    const char *wrong = read_row(line, row);
    if (wrong) {
        return diag_set(diag, ERR_SYNTAX, number, 1, "a token without a valid %s", wrong);
    }
    tokens->count++;
    return OK;
}

enum err tokens_parse(struct slice text, struct tokens **out, struct diag *diag)
{
    struct tokens *tokens;
    if (tokens_new(&tokens) != OK) {
        return diag_say(diag, ERR_MEMORY, "no memory for tokens");
    }
    enum err e = OK;
    for (uint32_t number = 1; text.size > 0 && e == OK; number++) {
        struct slice line = slice_trim(slice_cut(&text, '\n'));
        e = line.size ? read_line(tokens, line, number, diag) : OK;
    }
    if (e != OK) {
        tokens_free(tokens);
        return e;
    }
    *out = tokens;
    return OK;
}

enum err tokens_read(const char *path, struct tokens **out, struct diag *diag)
{
    struct buf text = {0};
    if (access(path, F_OK) != 0 && errno == ENOENT) {
        return tokens_new(out);
    }
    enum err e = files_read(path, TOKENS_FILE, &text, diag);
    if (e == OK) {
        e = tokens_parse(buf_slice(&text), out, diag);
    }
    buf_fini(&text);
    return e;
}

/* ---- writing ----------------------------------------------------------------------------------
 */

static void add_text(struct buf *out, const char *key, const char *text)
{
    if (text[0] || strcmp(key, "tenant") == 0) {
        buf_format(out, ",\"%s\":\"", key);
        buf_json(out, slice_text(text));
        buf_byte(out, '"');
    }
}

static void add_time(struct buf *out, const char *key, int64_t ns)
{
    if (ns) {
        buf_format(out, ",\"%s\":\"", key);
        time_format(out, ns);
        buf_byte(out, '"');
    }
}

static void add_line(struct buf *out, const struct tokens_row *row)
{
    buf_add(out, SLICE("{\"id\":\""));
    buf_json(out, slice_text(row->actor.id));
    buf_byte(out, '"');
    add_text(out, "name", row->actor.name);
    add_text(out, "tenant", row->actor.tenant);
    add_text(out, "role", authorize_role_name(row->actor.role));
    add_text(out, "input", row->actor.input);
    buf_add(out, SLICE(",\"sha256\":\""));
    for (size_t i = 0; i < DIGEST_SIZE; i++) {
        buf_format(out, "%02x", row->sum[i]);
    }
    buf_byte(out, '"');
    add_time(out, "created", row->created_ns);
    add_time(out, "expires", row->expires_ns);
    add_time(out, "revoked", row->revoked_ns);
    buf_add(out, SLICE("}\n"));
}

static bool write_all(int fd, struct slice bytes)
{
    while (bytes.size > 0) {
        ssize_t n = write(fd, bytes.at, bytes.size);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        bytes = slice_from(bytes, (size_t)n);
    }
    return true;
}

/* What root writes belongs to the directory's owner, as whom the centre runs. */
static bool hand_over(int fd, const char *folder)
{
    struct stat owner;
    return geteuid() != 0 ||
           (stat(folder, &owner) == 0 && fchown(fd, owner.st_uid, owner.st_gid) == 0);
}

static bool write_aside(const char *path, const char *folder, struct slice bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool written = fd >= 0 && hand_over(fd, folder) && write_all(fd, bytes) && fsync(fd) == 0;
    return (fd < 0 || close(fd) == 0) && written;
}

static bool sync_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool synced = fd >= 0 && fsync(fd) == 0;
    return (fd < 0 || close(fd) == 0) && synced;
}

/* Beside the file, synced; then renamed over it, and the directory synced. */
static enum err replace(const char *path, struct slice bytes, struct diag *diag)
{
    char aside[4096], folder[4096];
    const char *slash = strrchr(path, '/');
    int size = slash ? (int)(slash - path) + (slash == path) : 1;
    int a = snprintf(aside, sizeof aside, "%s.new", path);
    int f = snprintf(folder, sizeof folder, "%.*s", size, slash ? path : ".");
    if (a < 0 || a >= (int)sizeof aside || f < 0 || f >= (int)sizeof folder) {
        return diag_say(diag, ERR_USAGE, "the path is too long");
    }
    if (!write_aside(aside, folder, bytes) || rename(aside, path) != 0) {
        return diag_say(diag, ERR_IO, "%s: %s", aside, strerror(errno));
    }
    return sync_folder(folder) ? OK : diag_say(diag, ERR_IO, "%s: %s", folder, strerror(errno));
}

enum err tokens_write(const struct tokens *tokens, const char *path, struct diag *diag)
{
    struct buf out = {0};
    for (size_t i = 0; i < tokens->count; i++) {
        add_line(&out, &tokens->rows[i]);
    }
    enum err e = out.failed ? diag_say(diag, ERR_MEMORY, "no memory to write tokens")
                            : replace(path, buf_slice(&out), diag);
    buf_fini(&out);
    return e;
}
