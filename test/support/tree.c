#include "support/tree.h"

struct input {
    struct arena *arena;
    const char *at;
    const char *end;
};

static void skip_blanks(struct input *in)
{
    while (in->at < in->end && memchr(" \t\r\n", *in->at, 4)) {
        in->at++;
    }
}

size_t tree_encode(uint32_t code, char *to)
{
    if (code >= 0xD800 && code < 0xE000) {
        code = 0xFFFD;
    }
    if (code < 0x80) {
        to[0] = (char)code;
        return 1;
    }
    size_t size = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = size - 1; i > 0; i--) {
        to[i] = (char)(0x80 | (code & 0x3F));
        code >>= 6;
    }
    to[0] = (char)((0xF00 >> size) | code);
    return size;
}

static int hex_value(const char *at)
{
    int value = 0;
    for (int i = 0; i < 4; i++) {
        const char *digits = "0123456789abcdef";
        const char *d =
                at[i] ? strchr(digits, at[i] >= 'A' && at[i] <= 'F' ? at[i] + 32 : at[i]) : NULL;
        if (!d) {
            return -1;
        }
        value = value * 16 + (int)(d - digits);
    }
    return value;
}

/* The code point of \uXXXX (or of two that are a pair) at in->at, behind the backslash. */
static enum err read_unicode(struct input *in, uint32_t *code)
{
    int high = in->end - in->at >= 5 ? hex_value(in->at + 1) : -1;
    if (high < 0) {
        return ERR_SYNTAX;
    }
    in->at += 5;
    *code = (uint32_t)high;
    if (high >= 0xD800 && high < 0xDC00 && in->end - in->at >= 6 && memcmp(in->at, "\\u", 2) == 0) {
        int low = hex_value(in->at + 2);
        if (low >= 0xDC00 && low < 0xE000) {
            *code = 0x10000 + (((uint32_t)high & 0x3FF) << 10) + ((uint32_t)low & 0x3FF);
            in->at += 6;
        }
    }
    return OK;
}

static enum err read_escape(struct input *in, char *to, size_t *size)
{
    if (in->at == in->end) {
        return ERR_SYNTAX;
    }
    if (*in->at == 'u') {
        uint32_t code = 0;
        TRY(read_unicode(in, &code));
        *size += tree_encode(code, to + *size);
        return OK;
    }
    const char *names = "\"\\/bfnrt";
    const char *found = *in->at ? strchr(names, *in->at) : NULL;
    if (!found) {
        return ERR_SYNTAX;
    }
    to[(*size)++] = "\"\\/\b\f\n\r\t"[found - names];
    in->at++;
    return OK;
}

static enum err read_string(struct input *in, struct slice *out)
{
    const char *start = ++in->at;
    while (in->at < in->end && *in->at != '"') {
        in->at += *in->at == '\\' ? 2 : 1;
    }
    if (in->at >= in->end) {
        return ERR_SYNTAX;
    }
    struct slice raw = slice_of(start, (size_t)(in->at - start));
    if (slice_find_byte(raw, '\\') == raw.size) {
        in->at++;
        *out = raw;
        return OK;
    }
    const char *end = in->at;
    char *to = arena_alloc(in->arena, raw.size + 1, 1);
    size_t size = 0;
    if (!to) {
        return ERR_MEMORY;
    }
    for (in->at = start; in->at < end;) {
        char c = *in->at++;
        if (c == '\\') {
            TRY(read_escape(in, to, &size));
        } else {
            to[size++] = c;
        }
    }
    in->at = end + 1;
    *out = slice_of(to, size);
    return OK;
}

static enum err read_word(struct input *in, struct tree *tree)
{
    static const struct {
        const char *word;
        enum tree_kind kind;
    } words[] = {{"null", TREE_NULL}, {"true", TREE_BOOL}, {"false", TREE_BOOL}};
    const char *start = in->at;
    while (in->at < in->end && (*in->at == '+' || *in->at == '-' || *in->at == '.' ||
                                       (*in->at >= '0' && *in->at <= '9') ||
                                       ((*in->at | 32) >= 'a' && (*in->at | 32) <= 'z'))) {
        in->at++;
    }
    tree->text = slice_of(start, (size_t)(in->at - start));
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (slice_equal(tree->text, slice_text(words[i].word))) {
            tree->kind = words[i].kind;
            return OK;
        }
    }
    tree->kind = TREE_NUMBER;
    bool number = tree->text.size && (*start == '-' || (*start >= '0' && *start <= '9'));
    return number ? OK : ERR_SYNTAX;
}

static enum err read_value(struct input *in, struct tree *tree, unsigned depth);

/* Members of an object or elements of an array. */
static enum err read_children(struct input *in, struct tree *tree, unsigned depth)
{
    char close = tree->kind == TREE_OBJECT ? '}' : ']';
    struct tree **link = &tree->first;
    in->at++;
    for (skip_blanks(in); in->at < in->end && *in->at != close; skip_blanks(in)) {
        struct tree *child = ARENA_NEW(in->arena, struct tree);
        if (!child) {
            return ERR_MEMORY;
        }
        if (tree->kind == TREE_OBJECT) {
            if (*in->at != '"') {
                return ERR_SYNTAX;
            }
            TRY(read_string(in, &child->key));
            skip_blanks(in);
            if (in->at == in->end || *in->at++ != ':') {
                return ERR_SYNTAX;
            }
        }
        TRY(read_value(in, child, depth + 1));
        *link = child;
        link = &child->next;
        skip_blanks(in);
        if (in->at < in->end && *in->at == ',') {
            in->at++;
        } else if (in->at < in->end && *in->at != close) {
            return ERR_SYNTAX;
        }
    }
    return in->at < in->end ? (in->at++, OK) : ERR_SYNTAX;
}

/* Recursive, for a test reads what we made or chose; bounded by TREE_DEPTH. */
static enum err read_value(struct input *in, struct tree *tree, unsigned depth)
{
    skip_blanks(in);
    if (in->at == in->end) {
        return ERR_SYNTAX;
    }
    if (depth > TREE_DEPTH) {
        return ERR_LIMIT;
    }
    const char *start = in->at;
    enum err e = OK;
    switch (*in->at) {
    case '{':
        tree->kind = TREE_OBJECT;
        e = read_children(in, tree, depth);
        break;
    case '[':
        tree->kind = TREE_ARRAY;
        e = read_children(in, tree, depth);
        break;
    case '"':
        tree->kind = TREE_STRING;
        e = read_string(in, &tree->text);
        break;
    default:
        e = read_word(in, tree);
    }
    tree->source = slice_of(start, (size_t)(in->at - start));
    return e;
}

enum err tree_read(struct arena *arena, struct slice json, struct slice *rest, struct tree **out)
{
    struct input in = {arena, json.at, json.at + json.size};
    struct tree *root = ARENA_NEW(arena, struct tree);
    if (!root) {
        return ERR_MEMORY;
    }
    TRY(read_value(&in, root, 0));
    skip_blanks(&in);
    if (rest) {
        *rest = slice_of(in.at, (size_t)(in.end - in.at));
    } else if (in.at != in.end) {
        return ERR_SYNTAX;
    }
    *out = root;
    return OK;
}

const struct tree *tree_get(const struct tree *object, const char *key)
{
    const struct tree *found = NULL;
    for (const struct tree *t = object ? object->first : NULL; t; t = t->next) {
        if (slice_equal(t->key, slice_text(key))) {
            found = t;
        }
    }
    return found;
}

struct slice tree_text(const struct tree *object, const char *key)
{
    const struct tree *t = tree_get(object, key);
    return t && t->text.at ? t->text : SLICE("");
}

bool tree_is_true(const struct tree *object, const char *key)
{
    return slice_equal(tree_text(object, key), SLICE("true"));
}

uint64_t tree_count(const struct tree *object, const char *key)
{
    struct slice text = tree_text(object, key);
    uint64_t n = 0;
    for (size_t i = 0; i < text.size && text.at[i] >= '0' && text.at[i] <= '9'; i++) {
        n = n * 10 + (uint64_t)(text.at[i] - '0');
    }
    return n;
}
