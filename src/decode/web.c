#include "decode/web.h"

/* host, host:port, [address]:port */
static void take_authority(struct slice authority, struct web_target *t)
{
    size_t user = slice_find_byte(authority, '@');
    if (user < authority.size) {
        authority = slice_from(authority, user + 1);
    }
    t->host = authority;
    if (authority.size > 0 && authority.at[0] == '[') {
        size_t end = slice_find_byte(authority, ']');
        if (end == authority.size) {
            return;
        }
        t->host = slice_of(authority.at + 1, end - 1);
        if (end + 1 < authority.size && authority.at[end + 1] == ':') {
            t->port = slice_from(authority, end + 2);
        }
        return;
    }
    size_t colon = slice_find_byte(authority, ':');
    if (colon < authority.size) {
        t->host.size = colon;
        t->port = slice_from(authority, colon + 1);
    }
}

static void take_path(struct slice path, struct web_target *t)
{
    size_t mark = slice_find_byte(path, '?');
    t->has_query = mark < path.size;
    if (t->has_query) {
        t->query = slice_from(path, mark + 1);
        path.size = mark;
    }
    t->path = path;
    size_t at = path.size;
    while (at > 0 && path.at[at - 1] != '.' && path.at[at - 1] != '/') {
        at--;
    }
    if (at > 0 && path.at[at - 1] == '.') {
        t->extension = slice_from(path, at);
    }
}

/* "host:port" and nothing else. */
static bool is_authority(struct slice target)
{
    size_t digits = 0;
    while (digits < target.size && slice_is_digit(target.at[target.size - 1 - digits])) {
        digits++;
    }
    return digits > 0 && digits + 1 < target.size && target.at[target.size - 1 - digits] == ':' &&
           slice_find_byte(target, '/') == target.size;
}

struct web_target web_target(struct slice target)
{
    struct web_target t = {0};
    size_t scheme =
            target.size > 0 && target.at[0] != '/' ? slice_find(target, SLICE("://")) : SIZE_MAX;
    if (scheme != SIZE_MAX && scheme < slice_find_byte(target, '?')) {
        t.scheme = slice_of(target.at, scheme);
        struct slice rest = slice_from(target, scheme + 3);
        size_t end = 0;
        while (end < rest.size && rest.at[end] != '/' && rest.at[end] != '?') {
            end++;
        }
        take_authority(slice_of(rest.at, end), &t);
        take_path(slice_from(rest, end), &t);
    } else if (is_authority(target)) {
        take_authority(target, &t);
    } else {
        take_path(target, &t);
    }
    return t;
}

/* ---- text in quotes -------------------------------------------------------------------------- */

static int nibble(char c)
{
    return slice_is_digit(c)      ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* What the escape at the front of `s` stands for, -1: nothing; its size. */
static int escape(struct slice s, size_t *size)
{
    static const char letters[] = "\"\\bnrtv", bytes[] = "\"\\\b\n\r\t\v";
    *size = 2;
    if (s.size < 2) {
        return -1;
    }
    if (s.at[1] == 'x' && s.size >= 4 && nibble(s.at[2]) >= 0 && nibble(s.at[3]) >= 0) {
        *size = 4;
        return nibble(s.at[2]) << 4 | nibble(s.at[3]);
    }
    for (size_t i = 0; i < sizeof letters - 1; i++) {
        if (letters[i] == s.at[1]) {
            return (unsigned char)bytes[i];
        }
    }
    return -1;
}

struct slice web_unescape(struct arena *arena, struct slice text, bool *made)
{
    size_t at = slice_find_byte(text, '\\');
    *made = at < text.size;
    if (!*made) {
        return text;
    }
    char *to = arena_alloc(arena, text.size, 1);
    if (!to) {
        return (struct slice){0};
    }
    memcpy(to, text.at, at);
    size_t size = at;
    while (at < text.size) {
        size_t escaped = 1;
        int byte = text.at[at] == '\\' ? escape(slice_from(text, at), &escaped) : -1;
        if (byte < 0) {
            to[size++] = text.at[at++];
        } else {
            to[size++] = (char)byte;
            at += escaped;
        }
    }
    return slice_of(to, size);
}

struct slice web_quoted(struct slice *rest)
{
    struct slice all = slice_from(*rest, 1);
    size_t at = 0;
    for (;; at++) {
        at += slice_find_byte(slice_from(all, at), '"');
        if (at == all.size) {
            *rest = slice_from(all, at);
            return all;
        }
        size_t slashes = 0;
        while (slashes < at && all.at[at - 1 - slashes] == '\\') {
            slashes++;
        }
        bool ends = at + 1 == all.size || all.at[at + 1] == ' ' || all.at[at + 1] == '\t';
        if (slashes % 2 == 0 && ends) {
            break;
        }
    }
    *rest = slice_from(all, at + 1 < all.size ? at + 2 : all.size);
    all.size = at;
    return all;
}

bool web_is_address(struct slice text)
{
    size_t dots = 0, colons = 0;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.at[i];
        dots += c == '.';
        colons += c == ':';
        if (!slice_is_digit(c) && c != '.' && c != ':' && nibble(c) < 0) {
            return false;
        }
        if (!slice_is_digit(c) && nibble(c) >= 0 && dots > 0) {
            return false;
        }
    }
    return text.size > 0 && ((dots == 3 && colons == 0) || colons > 1);
}
