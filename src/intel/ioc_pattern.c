#include "intel/ioc_pattern.h"

enum token { END, OPEN, CLOSE, LEFT, RIGHT, COMMA, TEXT, WORD, SIGN, WRONG };

struct pattern {
    struct ioc_load *load;
    const struct ioc *ioc;
    struct slice rest;
    struct slice at; /* the token as written; of a text the inside of its quotes */
    struct buf text;
    struct diag *diag;
    const char *wrong; /* what the pattern has, and we do not */
};

/* ---- words ------------------------------------------------------------------------------------
 */

static bool is_word(char c)
{
    return slice_is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' || c == '-' ||
           c == ':' || c == '.' || c == '*' || c == '+';
}

/* Behind a text whose inside begins at `at`; 0: it does not end. */
static size_t text_end(struct slice s, size_t at)
{
    while (at < s.size && s.at[at] != '\'') {
        at += s.at[at] == '\\' ? 2 : 1;
    }
    return at < s.size ? at + 1 : 0;
}

/* A path: file:hashes.'SHA-256', email-message:to_refs[*].value. */
static size_t word_end(struct slice s)
{
    size_t at = 0;
    while (at < s.size) {
        if (s.at[at] == '\'') {
            at = text_end(s, at + 1);
            if (at == 0) {
                return 0;
            }
        } else if (s.at[at] == '[' && at + 1 < s.size &&
                   (s.at[at + 1] == '*' || slice_is_digit(s.at[at + 1]))) {
            at += slice_find_byte(slice_from(s, at), ']') + 1;
        } else if (is_word(s.at[at])) {
            at++;
        } else {
            break;
        }
    }
    return at > s.size ? 0 : at;
}

static enum token take(struct pattern *p, enum token token, size_t size)
{
    p->at = slice_of(p->rest.at, size);
    p->rest = slice_from(p->rest, size);
    return token;
}

static enum token next(struct pattern *p)
{
    static const char marks[] = "[](),"
                                "=<>!";
    p->rest = slice_trim(p->rest);
    p->at = (struct slice){0};
    if (p->rest.size == 0) {
        return END;
    }
    const char *mark = memchr(marks, p->rest.at[0], sizeof marks - 1);
    if (mark && mark - marks < 5) {
        return take(p, (enum token)(OPEN + (mark - marks)), 1);
    }
    if (mark) {
        return take(p, SIGN, p->rest.size > 1 && p->rest.at[1] == '=' ? 2 : 1);
    }
    if (p->rest.at[0] == '\'') {
        size_t end = text_end(p->rest, 1);
        if (end == 0) {
            return WRONG;
        }
        take(p, TEXT, end);
        p->at = slice_of(p->at.at + 1, end - 2);
        return TEXT;
    }
    size_t end = word_end(p->rest);
    return end > 0 ? take(p, WORD, end) : WRONG;
}

static bool is(const struct pattern *p, const char *word)
{
    return slice_equal(p->at, slice_text(word));
}

/* ---- comparisons ------------------------------------------------------------------------------
 */

static uint8_t kind_of(struct slice path)
{
    static const struct {
        const char *path;
        uint8_t kind;
    } paths[] = {
            {"ipv4-addr:value", OBSERVABLE_ADDRESS},
            {"ipv6-addr:value", OBSERVABLE_ADDRESS},
            {"domain-name:value", OBSERVABLE_DOMAIN},
            {"url:value", OBSERVABLE_URL},
            {"email-addr:value", OBSERVABLE_EMAIL},
            {"email-message:from_ref.value", OBSERVABLE_EMAIL},
            {"email-message:sender_ref.value", OBSERVABLE_EMAIL},
            {"email-message:to_refs[*].value", OBSERVABLE_EMAIL},
            {"email-message:cc_refs[*].value", OBSERVABLE_EMAIL},
            {"user-account:account_login", OBSERVABLE_ACCOUNT},
            {"user-account:user_id", OBSERVABLE_ACCOUNT},
            {"network-traffic:src_ref.value", IOC_GUESS},
            {"network-traffic:dst_ref.value", IOC_GUESS},
    };
    static const char *const hashes[] = {"MD5", "'MD5'", "SHA1", "'SHA1'", "'SHA-1'", "SHA256",
            "'SHA256'", "'SHA-256'", "SHA512", "'SHA512'", "'SHA-512'"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        if (slice_equal(path, slice_text(paths[i].path))) {
            return paths[i].kind;
        }
    }
    size_t at = slice_find(path, SLICE("hashes."));
    struct slice hash = at == SIZE_MAX ? SLICE("") : slice_from(path, at + 7);
    for (size_t i = 0; i < sizeof hashes / sizeof *hashes; i++) {
        if (slice_equal_nocase(hash, slice_text(hashes[i]))) {
            return OBSERVABLE_HASH;
        }
    }
    return IOC_OTHER;
}

/* The text at hand, escapes resolved. */
static enum err add_text(struct pattern *p, struct slice path)
{
    struct ioc ioc = *p->ioc;
    ioc.kind = kind_of(path);
    if (ioc.kind == IOC_OTHER) {
        ioc_load_refuse(p->load, ioc.line, "%.*s is not looked for", SLICE_ARG(path));
        return OK;
    }
    buf_clear(&p->text);
    for (size_t i = 0; i < p->at.size; i++) {
        i += p->at.at[i] == '\\' && i + 1 < p->at.size;
        buf_byte(&p->text, p->at.at[i]);
    }
    ioc.text = buf_slice(&p->text);
    return p->text.failed ? ERR_MEMORY : ioc_load_add(p->load, &ioc, p->diag);
}

static const char *refused(struct pattern *p)
{
    static const char *const words[] = {"AND", "FOLLOWEDBY", "NOT", "LIKE", "MATCHES", "ISSUPERSET",
            "EXISTS", "WITHIN", "START", "REPEATS"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (is(p, words[i])) {
            return words[i];
        }
    }
    return p->at.size > 0 && memchr("!<>", p->at.at[0], 3)
                   ? "an operator that is not =, IN or ISSUBSET"
                   : "a pattern that is not understood";
}

/* What stands behind IN. */
static enum err read_list(struct pattern *p, struct slice path, bool add)
{
    enum token token = next(p);
    while (token == LEFT || token == COMMA) {
        if (next(p) != TEXT) {
            p->wrong = "a list of what is no text";
            return OK;
        }
        TRY(add ? add_text(p, path) : OK);
        token = next(p);
    }
    p->wrong = token == RIGHT ? NULL : "a list that does not end";
    return OK;
}

/* The path is at hand. */
static enum err read_comparison(struct pattern *p, bool add)
{
    struct slice path = p->at;
    enum token token = next(p);
    bool subset = token == WORD && is(p, "ISSUBSET");
    if (token == WORD && is(p, "IN")) {
        return read_list(p, path, add);
    }
    if (!subset && !(token == SIGN && (is(p, "=") || is(p, "==")))) {
        p->wrong = refused(p);
        return OK;
    }
    if (next(p) != TEXT) {
        p->wrong = "a comparison with what is no text";
        return OK;
    }
    return add ? add_text(p, path) : OK;
}

struct around {
    bool open;       /* a bracket is */
    uint32_t rounds; /* round ones that are */
    bool wants;      /* a comparison comes, not what joins two */
};

/* What stands between comparisons; false: it does not belong there. */
static bool fits(const struct pattern *p, enum token token, struct around *around)
{
    bool wanted = around->wants, open = around->open;
    switch (token) {
    case OPEN:
        around->open = true;
        return wanted && !open;
    case CLOSE:
        around->open = false;
        return !wanted && open;
    case LEFT:
        around->rounds++;
        return wanted;
    case RIGHT:
        return !wanted && around->rounds-- > 0;
    default:
        around->wants = true;
        return !wanted && token == WORD && is(p, "OR");
    }
}

/* One way through: first to see whether all of it is understood, then to add what is there. */
static enum err read_once(struct pattern *p, bool add)
{
    struct around around = {.wants = true};
    p->rest = p->ioc->text;
    for (enum token token = next(p); token != END && !p->wrong; token = next(p)) {
        bool path = token == WORD && around.wants && around.open;
        if (path && !is(p, "NOT") && !is(p, "EXISTS")) {
            TRY(read_comparison(p, add));
            around.wants = false;
        } else if (!fits(p, token, &around)) {
            p->wrong = refused(p);
        }
    }
    if (!p->wrong && (around.open || around.rounds > 0 || around.wants)) {
        p->wrong = "a pattern that does not end";
    }
    return OK;
}

enum err ioc_pattern_read(struct ioc_load *load, const struct ioc *ioc, struct diag *diag)
{
    struct pattern p = {.load = load, .ioc = ioc, .diag = diag};
    if (ioc->text.size > IOC_PATTERN_BYTES) {
        ioc_load_refuse(load, ioc->line, "a pattern of more than %d bytes", IOC_PATTERN_BYTES);
        return OK;
    }
    enum err e = read_once(&p, false);
    if (e == OK && p.wrong) {
        ioc_load_refuse(load, ioc->line, "%s is not taken: %.*s", p.wrong,
                SLICE_ARG(slice_of(ioc->text.at, ioc->text.size > 120 ? 120 : ioc->text.size)));
    } else if (e == OK) {
        e = read_once(&p, true);
    }
    buf_fini(&p.text);
    return e;
}
