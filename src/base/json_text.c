#include "base/json_text.h"

#include "base/utf8.h"

/* What may come next. */
enum want { WANT_VALUE, WANT_VALUE_OR_CLOSE, WANT_KEY, WANT_KEY_OR_CLOSE, WANT_COMMA_OR_CLOSE };

struct checker {
    struct slice text;
    size_t at;
    uint32_t depth;
    uint32_t limit;
    enum want want;
    uint64_t arrays[JSON_TEXT_DEPTH / 64]; /* a bit a level: an array is open there */
    struct diag *diag;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static enum err fault(const struct checker *c, enum err e, const char *expected)
{
    uint32_t line = 1, column = 1;
    for (size_t i = 0; i < c->at; i++) {
        column = c->text.at[i] == '\n' ? 1 : column + 1;
        line += c->text.at[i] == '\n';
    }
    return diag_set(c->diag, e, line, column, "%s", expected);
}

static void skip_blanks(struct checker *c)
{
    while (c->at < c->text.size && is_blank(c->text.at[c->at])) {
        c->at++;
    }
}

static char peek(const struct checker *c)
{
    return c->at < c->text.size ? c->text.at[c->at] : '\0';
}

static bool is_hex(char ch)
{
    return slice_is_digit(ch) || ((ch | 0x20) >= 'a' && (ch | 0x20) <= 'f');
}

/* At a backslash (section 7). */
static enum err check_escape(struct checker *c)
{
    char kind = c->at + 1 < c->text.size ? c->text.at[c->at + 1] : '\0';
    if (kind == 'u') {
        for (size_t i = 2; i < 6; i++) {
            if (c->at + i >= c->text.size || !is_hex(c->text.at[c->at + i])) {
                return fault(c, ERR_SYNTAX, "expected four hex digits after \\u");
            }
        }
        c->at += 6;
        return OK;
    }
    if (!kind || !strchr("\"\\/bfnrt", kind)) {
        return fault(c, ERR_SYNTAX, "no such escape in a string");
    }
    c->at += 2;
    return OK;
}

static enum err check_string(struct checker *c)
{
    c->at++;
    while (c->at < c->text.size) {
        unsigned char b = (unsigned char)c->text.at[c->at];
        if (b == '"') {
            c->at++;
            return OK;
        }
        if (b == '\\') {
            TRY(check_escape(c));
        } else if (b < 0x20) {
            return fault(c, ERR_SYNTAX, "a control byte in a string");
        } else if (b < 0x80) {
            c->at++;
        } else {
            size_t n = utf8_sequence(c->text.at + c->at, c->text.size - c->at);
            if (n == 0) {
                return fault(c, ERR_SYNTAX, "a string is not UTF-8");
            }
            c->at += n;
        }
    }
    return fault(c, ERR_SYNTAX, "a string does not end");
}

static bool take_digits(struct checker *c)
{
    size_t start = c->at;
    while (slice_is_digit(peek(c))) {
        c->at++;
    }
    return c->at > start;
}

/* Section 6. */
static enum err check_number(struct checker *c)
{
    c->at += peek(c) == '-';
    bool fine = true;
    if (peek(c) == '0') {
        c->at++;
    } else {
        fine = take_digits(c);
    }
    if (fine && peek(c) == '.') {
        c->at++;
        fine = take_digits(c);
    }
    if (fine && (peek(c) | 0x20) == 'e') {
        c->at++;
        c->at += peek(c) == '+' || peek(c) == '-';
        fine = take_digits(c);
    }
    return fine ? OK : fault(c, ERR_SYNTAX, "expected a digit");
}

static enum err check_word(struct checker *c)
{
    static const char *const words[] = {"true", "false", "null"};
    for (size_t i = 0; i < 3; i++) {
        if (slice_starts(slice_from(c->text, c->at), slice_text(words[i]))) {
            c->at += strlen(words[i]);
            return OK;
        }
    }
    return fault(c, ERR_SYNTAX, "expected a value");
}

static bool in_array(const struct checker *c)
{
    uint32_t top = c->depth - 1;
    return c->arrays[top / 64] >> (top % 64) & 1;
}

static enum err open(struct checker *c, bool array)
{
    if (c->depth == c->limit) {
        return fault(c, ERR_LIMIT, "nested too deeply");
    }
    uint64_t bit = (uint64_t)1 << (c->depth % 64), *word = &c->arrays[c->depth / 64];
    *word = array ? *word | bit : *word & ~bit;
    c->depth++;
    c->at++;
    c->want = array ? WANT_VALUE_OR_CLOSE : WANT_KEY_OR_CLOSE;
    return OK;
}

static void close(struct checker *c)
{
    c->depth--;
    c->at++;
    c->want = WANT_COMMA_OR_CLOSE;
}

static enum err check_value(struct checker *c)
{
    char first = peek(c);
    if (first == '{' || first == '[') {
        return open(c, first == '[');
    }
    c->want = WANT_COMMA_OR_CLOSE;
    if (first == '"') {
        return check_string(c);
    }
    return first == '-' || slice_is_digit(first) ? check_number(c) : check_word(c);
}

static enum err check_key(struct checker *c)
{
    if (peek(c) != '"') {
        return fault(c, ERR_SYNTAX, "expected a key in quotes");
    }
    TRY(check_string(c));
    skip_blanks(c);
    if (peek(c) != ':') {
        return fault(c, ERR_SYNTAX, "expected ':' after a key");
    }
    c->at++;
    c->want = WANT_VALUE;
    return OK;
}

/* Inside of something: the next piece. */
static enum err check_piece(struct checker *c)
{
    skip_blanks(c);
    char first = peek(c);
    if (c->want == WANT_VALUE) {
        return check_value(c);
    }
    if (c->want == WANT_KEY) {
        return check_key(c);
    }
    if (first == (in_array(c) ? ']' : '}')) {
        close(c);
        return OK;
    }
    if (c->want == WANT_KEY_OR_CLOSE) {
        return check_key(c);
    }
    if (c->want == WANT_VALUE_OR_CLOSE) {
        return check_value(c);
    }
    if (first != ',') {
        return fault(c, ERR_SYNTAX, in_array(c) ? "expected ',' or ']'" : "expected ',' or '}'");
    }
    c->at++;
    c->want = in_array(c) ? WANT_VALUE : WANT_KEY;
    return OK;
}

enum err json_text_check(struct slice bytes, uint32_t depth, size_t *size, struct diag *diag)
{
    struct checker c = {.text = bytes, .want = WANT_VALUE, .diag = diag};
    c.limit = depth < JSON_TEXT_DEPTH ? depth : JSON_TEXT_DEPTH;
    skip_blanks(&c);
    if (c.at == bytes.size) {
        return ERR_END;
    }
    TRY(check_value(&c));
    while (c.depth > 0) {
        TRY(check_piece(&c));
    }
    *size = c.at;
    return OK;
}

enum err json_text_check_whole(struct slice bytes, uint32_t depth, struct diag *diag)
{
    size_t size;
    enum err e = json_text_check(bytes, depth, &size, diag);
    if (e == ERR_END) {
        return diag_say(diag, ERR_SYNTAX, "expected a value");
    }
    TRY(e);
    struct checker c = {.text = bytes, .at = size, .diag = diag};
    skip_blanks(&c);
    return c.at == bytes.size ? OK : fault(&c, ERR_SYNTAX, "something stands behind the value");
}

/* ---- walking: of what was checked --------------------------------------------------------------
 */

/* Bytes of the value at the front of a text whose first byte is the value's. */
static size_t value_size(struct slice s)
{
    size_t depth = 0, i = 0;
    while (i < s.size) {
        char c = s.at[i];
        if (c == '"') {
            for (i++; i < s.size && s.at[i] != '"'; i++) {
                i += s.at[i] == '\\';
            }
            i++;
        } else if (c == '{' || c == '[') {
            depth++;
            i++;
            continue;
        } else if (c == '}' || c == ']') {
            depth--;
            i++;
        } else if (depth > 0) {
            i++;
            continue;
        } else {
            while (i < s.size && !is_blank(s.at[i]) && !strchr(",]}", s.at[i])) {
                i++;
            }
        }
        if (depth == 0) {
            break;
        }
    }
    return i < s.size ? i : s.size;
}

static void pass(struct slice *rest, char also)
{
    while (rest->size > 0 && (is_blank(rest->at[0]) || rest->at[0] == also)) {
        *rest = slice_from(*rest, 1);
    }
}

static struct slice take_value(struct slice *rest)
{
    size_t n = value_size(*rest);
    struct slice value = slice_of(rest->at, n);
    *rest = slice_from(*rest, n);
    return value;
}

struct json_text_members json_text_open(struct slice value)
{
    struct json_text_members m = {0};
    pass(&value, ' ');
    if (json_text_is_object(value) || json_text_is_array(value)) {
        m.array = json_text_is_array(value);
        m.rest = slice_from(value, 1);
    }
    return m;
}

bool json_text_next(struct json_text_members *m)
{
    pass(&m->rest, ',');
    if (m->rest.size == 0 || m->rest.at[0] == '}' || m->rest.at[0] == ']') {
        return false;
    }
    m->key = (struct slice){0};
    if (!m->array) {
        struct slice key = take_value(&m->rest);
        m->key = key.size >= 2 ? slice_of(key.at + 1, key.size - 2) : key;
        pass(&m->rest, ':');
    }
    m->value = take_value(&m->rest);
    return true;
}

struct slice json_text_get(struct slice object, struct slice key)
{
    struct json_text_members m = json_text_open(object);
    struct slice found = {0};
    while (!m.array && json_text_next(&m)) {
        if (slice_equal(m.key, key)) {
            found = m.value;
        }
    }
    return found;
}

static uint32_t hex4(const char *at)
{
    uint32_t code = 0;
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        code = code << 4 | (uint32_t)(slice_is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return code;
}

/* The \u (or the pair of them) at the front; returns its bytes. */
static size_t add_code(struct buf *out, struct slice s)
{
    if (s.size < 6) {
        return s.size;
    }
    uint32_t code = hex4(s.at + 2);
    size_t used = 6;
    if (code >> 10 == 0x36 && s.size >= 12 && s.at[6] == '\\' && s.at[7] == 'u') {
        uint32_t low = hex4(s.at + 8);
        if (low >> 10 == 0x37) {
            code = 0x10000 + ((code & 0x3FF) << 10 | (low & 0x3FF));
            used = 12;
        }
    }
    char utf8[4];
    buf_add(out, slice_of(utf8, utf8_encode(code, utf8)));
    return used;
}

static size_t add_escape(struct buf *out, struct slice s)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    if (s.size < 2) {
        return s.size;
    }
    if (s.at[1] == 'u') {
        return add_code(out, s);
    }
    const char *hit = strchr(from, s.at[1]);
    buf_byte(out, hit ? to[hit - from] : s.at[1]);
    return 2;
}

void json_text_add(struct buf *out, struct slice value)
{
    if (!json_text_is_string(value) || value.size < 2) {
        buf_add(out, value);
        return;
    }
    struct slice inside = slice_of(value.at + 1, value.size - 2);
    while (inside.size > 0) {
        size_t plain = slice_find_byte(inside, '\\');
        buf_add(out, slice_of(inside.at, plain));
        inside = slice_from(inside, plain);
        if (inside.size > 0) {
            inside = slice_from(inside, add_escape(out, inside));
        }
    }
}
