#include "event/observable.h"

#include <string.h>

enum {
    HOST = 1,   /* a byte of a host name */
    HEX = 2,    /* 0-9 A-F a-f */
    QUAD = 4,   /* 0-9 and the dot */
    DOT = 8,    /* the dot */
    SIX = 16,   /* of an IPv6 address */
    LOCAL = 32, /* before an @ */
    URL = 64,   /* RFC 3986, and [ ] of addresses */
    WIDE = 128, /* 0x80 and above: a name that is not ASCII, or any text */
};

enum { QUAD_BYTES_LEAST = 7, QUAD_BYTES_MOST = 15, SIX_BYTES_MOST = 45, SCHEME_BYTES = 32 };

#define D_ (HOST | HEX | QUAD | SIX | LOCAL | URL)
#define H_ (HOST | HEX | SIX | LOCAL | URL)
#define L_ (HOST | LOCAL | URL)
#define W_ (HOST | LOCAL | URL | WIDE)
#define W8_ W_, W_, W_, W_, W_, W_, W_, W_
#define W32_ W8_, W8_, W8_, W8_

static const uint8_t classes[256] = {
        /* clang-format off */
        ['!'] = URL, ['#'] = URL, ['$'] = URL, ['%'] = LOCAL | URL, ['&'] = URL, ['\''] = URL,
        ['('] = URL, [')'] = URL, ['*'] = URL, ['+'] = LOCAL | URL, [','] = URL, ['-'] = L_,
        ['.'] = HOST | QUAD | DOT | SIX | LOCAL | URL, ['/'] = URL,
        ['0'] = D_, D_, D_, D_, D_, D_, D_, D_, D_, D_, [':'] = SIX | URL, [';'] = URL,
        ['='] = URL, ['?'] = URL, ['@'] = URL,
        ['A'] = H_, H_, H_, H_, H_, H_, ['G'] = L_, L_, L_, L_, L_, L_, L_, L_, L_, L_, L_, L_, L_,
        L_, L_, L_, L_, L_, L_, L_, ['['] = URL, [']'] = URL, ['_'] = L_,
        ['a'] = H_, H_, H_, H_, H_, H_, ['g'] = L_, L_, L_, L_, L_, L_, L_, L_, L_, L_, L_, L_, L_,
        L_, L_, L_, L_, L_, L_, L_, ['~'] = URL,
        [0x80] = W32_, W32_, W32_, W32_,
        /* clang-format on */
};

#undef D_
#undef H_
#undef L_
#undef W_
#undef W8_
#undef W32_

static inline uint8_t class_of(const struct observable_scan *s, size_t at)
{
    return at < s->text.size ? classes[(unsigned char)s->text.at[at]] : 0;
}

static inline char byte_at(const struct observable_scan *s, size_t at)
{
    return at < s->text.size ? s->text.at[at] : 0;
}

static inline char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static inline bool is_alnum(char c)
{
    return slice_is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z');
}

static inline bool wanted(const struct observable_scan *s, enum observable_kind kind)
{
    return s->wants >> kind & 1;
}

/* The key stands in s->key. */
static void give(struct observable_scan *s, enum observable_kind kind, size_t key_size,
        size_t start, size_t end)
{
    const struct observable it = {.kind = kind,
            .key = slice_of(s->key, key_size),
            .given = slice_of(s->text.at + start, end - start)};
    s->done = !s->take(s->context, &it);
}

static bool is_escape_letter(char c)
{
    return c != 0 && strchr("bfnrt", c) != NULL;
}

/* May the byte at `at` be the letter of an escape, and what stands behind it a word of its own? */
static bool is_escaped(const struct observable_scan *s, size_t at)
{
    return s->escaped && at > 0 && s->text.at[at - 1] == '\\' && is_escape_letter(byte_at(s, at));
}

/* ---- addresses --------------------------------------------------------------------------------
 */

static void take_address(struct observable_scan *s, size_t start, size_t end)
{
    unsigned char bytes[16];
    size_t size = observable_address(slice_of(s->text.at + start, end - start), bytes);
    if (size > 0 && !s->done) {
        memcpy(s->key, bytes, size);
        give(s, OBSERVABLE_ADDRESS, size, start, end);
    }
}

/* Digits and dots between bytes that end them, in a run that holds more than those. */
static void take_quads(struct observable_scan *s, size_t start, size_t end)
{
    for (size_t at = start; at < end;) {
        size_t from = at;
        while (at < end && class_of(s, at) & QUAD) {
            at++;
        }
        size_t to = at;
        while (to > from && s->text.at[to - 1] == '.') {
            to--;
        }
        char next = at < end ? s->text.at[at] : '-',
             before = from > start ? s->text.at[from - 1] : '-';
        if (to - from >= QUAD_BYTES_LEAST && (before == '-' || before == '_') &&
                (to < at ? at == end : next == '-' || next == '_')) {
            take_address(s, from, to);
        }
        at += at < end;
    }
}

/* What may be an IPv6 address; true: it is one. */
static bool take_six(struct observable_scan *s, size_t start, size_t end)
{
    unsigned char bytes[16];
    while (end > start &&
            (s->text.at[end - 1] == '.' || (end - start > 1 && s->text.at[end - 1] == ':' &&
                                                   s->text.at[end - 2] != ':'))) {
        end--;
    }
    if (end - start < 3 || end - start > SIX_BYTES_MOST ||
            observable_address(slice_of(s->text.at + start, end - start), bytes) == 0) {
        return false;
    }
    s->six_start = start;
    s->six_end = end;
    take_address(s, start, end);
    return true;
}

/* The bytes around `at` that an address can have; false: a name goes on behind them. */
static bool six_run(struct observable_scan *s, size_t at, size_t *start, size_t *end)
{
    *start = *end = at;
    while (*start > s->six_seen && class_of(s, *start - 1) & SIX) {
        (*start)--;
    }
    while (class_of(s, *end) & SIX) {
        (*end)++;
    }
    s->six_seen = *end;
    return !(class_of(s, *end) & HOST);
}

/* Its colons and digits are around `at`. Most of what looks like one is a time of day. */
static void take_sixes(struct observable_scan *s, size_t at)
{
    size_t start, end;
    if (!six_run(s, at, &start, &end)) {
        return;
    }
    bool inside = start > 0 && class_of(s, start - 1) & HOST;
    bool letter = inside && is_escaped(s, start - 1);
    bool found = (!inside || letter) && take_six(s, start, end);
    if (found && !s->escaped) {
        return;
    }
    if (is_escaped(s, start)) {
        take_six(s, start + 1, end);
    }
    /* Words before a colon that are no part of it. */
    size_t colon = start + slice_find_byte(slice_of(s->text.at + start, end - start), ':');
    bool word = inside || colon == start || s->escaped;
    if (word && colon < end && byte_at(s, colon + 1) != ':') {
        take_six(s, colon + 1, end);
    }
}

/* ---- names ------------------------------------------------------------------------------------
 */

/* Writes a host name in lower case; its size without the dot at its end, or 0: it is none. */
static size_t write_host(char *to, struct slice text)
{
    size_t size = text.size, label = 0, labels = 1;
    size -= size > 0 && text.at[size - 1] == '.';
    if (size < 3 || size > OBSERVABLE_HOST_BYTES) {
        return 0;
    }
    for (size_t i = 0; i < size; i++) {
        to[i] = lower(text.at[i]);
        if (to[i] == '.') {
            if (label == 0) {
                return 0;
            }
            label = 0;
            labels++;
        } else {
            label++;
        }
    }
    /* The last label is a top level domain: no number, and no part of a file's version. */
    return labels > 1 && label > 1 && !slice_is_digit(to[size - label]) && to[size - 1] != '-'
                   ? size
                   : 0;
}

uint32_t observable_top(struct slice name)
{
    uint32_t hash = 0;
    for (size_t at = name.size; at > 0 && name.at[at - 1] != '.'; at--) {
        hash = (hash ^ (uint32_t)(name.at[at - 1] | 0x20)) * 0x01000193u;
    }
    return (hash ^ hash >> 12) % OBSERVABLE_TOPS;
}

static bool has_top(const struct observable_scan *s, size_t start, size_t end)
{
    if (!s->tops) {
        return true;
    }
    uint32_t top = observable_top(slice_of(s->text.at + start, end - start));
    return s->tops[top >> 6] >> (top & 63) & 1;
}

static void take_domain(struct observable_scan *s, size_t start, size_t end)
{
    while (end > start && s->text.at[end - 1] == '.') {
        end--; /* the name's own, or a sentence's */
    }
    while (start < end && (s->text.at[start] == '.' || s->text.at[start] == '-')) {
        start++;
    }
    if (s->done || !has_top(s, start, end)) {
        return;
    }
    size_t size = write_host(s->key, slice_of(s->text.at + start, end - start));
    if (size > 0) {
        give(s, OBSERVABLE_DOMAIN, size, start, end);
    }
}

/* What stands before and behind the @, which is at `at`. */
static void take_email(struct observable_scan *s, size_t start, size_t at, size_t end)
{
    while (end > at && (s->text.at[end - 1] == '.' || s->text.at[end - 1] == '-')) {
        end--;
    }
    size_t local = at - start;
    if (s->done || local == 0 || local > OBSERVABLE_LOCAL_BYTES || s->text.at[start] == '.') {
        return;
    }
    size_t host = write_host(s->key + local + 1, slice_of(s->text.at + at + 1, end - at - 1));
    if (host == 0) {
        return;
    }
    for (size_t i = 0; i < local; i++) {
        s->key[i] = lower(s->text.at[start + i]);
    }
    s->key[local] = '@';
    give(s, OBSERVABLE_EMAIL, local + 1 + host, start, end);
}

/* The run [host, end) stands behind an @. Few addresses have other bytes before the @ than names
 * have; those that RFC 5322 section 3.2.3 allows besides are tried, too. */
static void take_emails(struct observable_scan *s, size_t host, size_t end)
{
    size_t at = host - 1, start = at,
           most = at > OBSERVABLE_LOCAL_BYTES + 1 ? at - OBSERVABLE_LOCAL_BYTES - 1 : 0;
    while (start > most && class_of(s, start - 1) & LOCAL) {
        start--;
    }
    take_email(s, start, at, end);
    if (is_escaped(s, start)) {
        take_email(s, start + 1, at, end);
    }
    size_t other = start;
    while (other > most && (class_of(s, other - 1) & LOCAL ||
                                   (s->text.at[other - 1] != 0 &&
                                           strchr("!#$&'*/=?^`{|}~", s->text.at[other - 1])))) {
        other--;
    }
    if (other < start) {
        take_email(s, other, at, end);
    }
    if (other < start && is_escaped(s, other)) {
        take_email(s, other + 1, at, end);
    }
}

/* ---- hashes -----------------------------------------------------------------------------------
 */

enum { OTHER = 0x80 };
#define O4 OTHER, OTHER, OTHER, OTHER
#define O16 O4, O4, O4, O4
#define LETTERS OTHER, 10, 11, 12, 13, 14, 15, OTHER, O4, O4
static const uint8_t digit_values[256] = {O16, O16, O16, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, OTHER, OTHER,
        O4, LETTERS, O16, LETTERS, O16, O16, O16, O16, O16, O16, O16, O16, O16};
#undef O4
#undef O16
#undef LETTERS

static void take_hash(struct observable_scan *s, size_t start, size_t end)
{
    size_t digits = end - start;
    bool known = digits == 32 || digits == 40 || digits == 64 || digits == OBSERVABLE_HASH_DIGITS;
    if (!known || s->done) {
        return;
    }
    const unsigned char *at = (const unsigned char *)s->text.at + start;
    uint8_t other = 0;
    for (size_t i = 0; i < digits / 2; i++) {
        uint8_t high = digit_values[at[2 * i]], low = digit_values[at[2 * i + 1]];
        other |= high | low;
        s->key[i] = (char)(high << 4 | low);
    }
    if (other & OTHER) {
        return;
    }
    give(s, OBSERVABLE_HASH, digits / 2, start, end);
}

/* 16 digits begin at `at`. */
static void take_hashes(struct observable_scan *s, size_t at)
{
    size_t start = at, end = at;
    while (start > s->hash_seen && is_alnum(s->text.at[start - 1])) {
        start--;
    }
    while (end < s->text.size && is_alnum(s->text.at[end])) {
        end++;
    }
    s->hash_seen = end;
    take_hash(s, start, end);
    if (is_escaped(s, start)) {
        take_hash(s, start + 1, end);
    }
}

/* ---- URLs -------------------------------------------------------------------------------------
 */

struct url {
    struct slice scheme, user, host, port, rest;
};

/* Takes apart what stands behind "://" (RFC 3986 section 3.2). */
static bool split_url(struct slice text, struct url *url)
{
    size_t end = 0;
    while (end < text.size && !strchr("/?#", text.at[end])) {
        end++;
    }
    struct slice authority = slice_of(text.at, end), rest = slice_from(text, end);
    rest.size = slice_find_byte(rest, '#');
    for (size_t at = authority.size; at > 0; at--) {
        if (authority.at[at - 1] == '@') {
            url->user = slice_of(authority.at, at);
            authority = slice_from(authority, at);
            break;
        }
    }
    size_t host = authority.size;
    if (authority.size > 0 && authority.at[0] == '[') {
        host = slice_find_byte(authority, ']');
        host += host < authority.size;
    } else {
        host = slice_find_byte(authority, ':');
    }
    url->host = slice_of(authority.at, host);
    url->port = slice_from(authority, host);
    url->rest = rest;
    return host > 0 && (url->port.size == 0 || url->port.at[0] == ':');
}

static size_t write_lower(char *to, struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        to[i] = lower(text.at[i]);
    }
    return text.size;
}

static size_t write_exact(char *to, struct slice text)
{
    if (text.size > 0) {
        memcpy(to, text.at, text.size);
    }
    return text.size;
}

static bool is_own_port(struct slice scheme, struct slice port)
{
    static const struct {
        struct slice scheme, port;
    } own[] = {{{"http", 4}, {":80", 3}}, {{"https", 5}, {":443", 4}}, {{"ftp", 3}, {":21", 3}},
            {{"ws", 2}, {":80", 3}}, {{"wss", 3}, {":443", 4}}};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        if (slice_equal(own[i].scheme, scheme) && slice_equal(own[i].port, port)) {
            return true;
        }
    }
    return port.size <= 1;
}

/* `colon`: behind the scheme. */
static void take_url(struct observable_scan *s, size_t start, size_t colon, size_t end)
{
    struct url url = {.scheme = slice_of(s->text.at + start, colon - start)};
    if (s->done || end - start > OBSERVABLE_URL_BYTES || end - colon <= 3 ||
            !split_url(slice_of(s->text.at + colon + 3, end - colon - 3), &url)) {
        return;
    }
    size_t size = write_lower(s->key, url.scheme);
    struct slice scheme = slice_of(s->key, size);
    size += write_exact(s->key + size, SLICE("://"));
    size += write_exact(s->key + size, url.user);
    size += write_lower(s->key + size, url.host);
    size -= url.host.size > 1 && s->key[size - 1] == '.';
    size += is_own_port(scheme, url.port) ? 0 : write_exact(s->key + size, url.port);
    if (url.rest.size == 0 || url.rest.at[0] != '/') {
        s->key[size++] = '/';
    }
    size += write_exact(s->key + size, url.rest);
    give(s, OBSERVABLE_URL, size, start, end);
}

/* Where the bytes of URLs end that begin here; a URL may hold others. false: too many. */
static bool url_run(struct observable_scan *s, size_t colon)
{
    if (colon < s->url_seen) {
        return ++s->urls <= OBSERVABLE_URLS_INSIDE;
    }
    s->urls = 0;
    s->url_seen = colon + 3;
    while (class_of(s, s->url_seen) & URL) {
        s->url_seen++;
    }
    return true;
}

/* A scheme ends at `colon`. Marks behind a URL may be its own or the sentence's. */
static void take_urls(struct observable_scan *s, size_t colon)
{
    size_t start = colon, end;
    for (size_t i = colon; i > 0 && colon - i < SCHEME_BYTES && is_alnum(s->text.at[i - 1]); i--) {
        start = slice_is_digit(s->text.at[i - 1]) ? start : i - 1;
    }
    if (start == colon || !url_run(s, colon)) {
        return;
    }
    end = s->url_seen;
    size_t bare = end;
    while (bare > colon + 3 && strchr(".,;:!?')]*", s->text.at[bare - 1])) {
        bare--;
    }
    for (size_t i = 0; i < 2; i++) {
        take_url(s, start, colon, end);
        if (bare < end) {
            take_url(s, start, colon, bare);
        }
        if (!is_escaped(s, start)) {
            return;
        }
        do { /* with the letter, and without it */
            start++;
        } while (slice_is_digit(s->text.at[start]));
    }
}

/* ---- runs -------------------------------------------------------------------------------------
 */

/* A run of bytes of host names, with dots in it, that are all of the classes `all`. */
static void take_run(struct observable_scan *s, size_t start, size_t end, uint8_t all)
{
    bool in_six = !s->escaped && start >= s->six_start && start < s->six_end;
    if (!in_six && s->run_dots >= 3 && wanted(s, OBSERVABLE_ADDRESS)) {
        take_quads(s, start, end);
    }
    bool named = !(all & QUAD) && !(byte_at(s, end) == '@' && class_of(s, end + 1) & HOST);
    if (named && wanted(s, OBSERVABLE_DOMAIN)) {
        take_domain(s, start, end);
    }
    if (start > 1 && s->text.at[start - 1] == '@' && wanted(s, OBSERVABLE_EMAIL)) {
        take_emails(s, start, end);
    }
}

/* Marks of Unicode stand between words, not in names: U+2000 to U+207F, U+3000 to U+303F. */
static bool is_mark(const struct observable_scan *s, size_t at, size_t end)
{
    const unsigned char *b = (const unsigned char *)s->text.at + at;
    return end - at >= 3 &&
           ((b[0] == 0xE2 && (b[1] == 0x80 || b[1] == 0x81)) || (b[0] == 0xE3 && b[1] == 0x80));
}

static void take_wide(struct observable_scan *s, size_t start, size_t end)
{
    size_t from = start;
    for (size_t at = start; at < end;) {
        bool mark = is_mark(s, at, end);
        if (mark && at > from) {
            take_run(s, from, at, 0);
        }
        at += mark ? 3 : 1;
        from = mark ? at : from;
    }
    if (end > from) {
        take_run(s, from, end, 0);
    }
}

/* The run that has the dot at `dot`. */
static void take_dot(struct observable_scan *s, size_t dot)
{
    uint8_t any = 0, all = 0xff, class;
    size_t start = dot, end = dot, dots = 0;
    if (dot < s->run_seen || dot == 0 || !(class_of(s, dot - 1) & HOST) ||
            !(class_of(s, dot + 1) & HOST)) {
        return;
    }
    while (start > s->run_seen && (class = class_of(s, start - 1)) & HOST) {
        any |= class;
        all &= class;
        dots += (class & DOT) != 0;
        start--;
    }
    while ((class = class_of(s, end)) & HOST) {
        any |= class;
        all &= class;
        dots += (class & DOT) != 0;
        end++;
    }
    s->run_seen = end;
    s->run_dots = dots;
    if (any & WIDE) {
        take_wide(s, start, end);
    } else {
        take_run(s, start, end, all);
    }
    if (is_escaped(s, start)) {
        take_wide(s, start + 1, end);
    }
}

/* ---- marks ------------------------------------------------------------------------------------
 */

/* What is kept from one block for the next. */
struct before {
    uint64_t hexes, colons, slashes; /* in their place, before bit 0 */
    int edges;                       /* colons behind digits */
};

/* Colons that an IPv6 address can have: two in a row, or six with digits before them in two
 * blocks. */
static uint64_t six_marks(const struct observable_marks *m, struct before *before)
{
    uint64_t pairs = m->colons & (m->colons << 1 | before->colons >> 63);
    uint64_t edges = m->colons & (m->hexes << 1 | before->hexes >> 63);
    int count = 0;
    for (uint64_t rest = edges; rest; rest &= rest - 1) {
        count++;
    }
    bool many = count + before->edges >= 6;
    before->edges = count;
    return many ? pairs | edges : pairs;
}

/* Second slashes of "://". */
static uint64_t url_marks(const struct observable_marks *m, const struct before *before)
{
    uint64_t slashes = m->slashes << 1 | before->slashes >> 63;
    uint64_t colons = m->colons << 2 | before->colons >> 62;
    return m->slashes & slashes & colons;
}

/* Quarters of which each byte is a digit: no 32 digits are without one. */
static uint64_t hash_marks(const struct observable_marks *m)
{
    uint64_t t = m->hexes;
    t &= t >> 1;
    t &= t >> 2;
    t &= t >> 4;
    t &= t >> 8;
    return t & 0x0001000100010001u;
}

static void take_block(struct observable_scan *s, size_t at, const struct observable_marks *m,
        struct before *before)
{
    uint64_t six = wanted(s, OBSERVABLE_ADDRESS) ? six_marks(m, before) : 0;
    uint64_t url = wanted(s, OBSERVABLE_URL) ? url_marks(m, before) : 0;
    uint64_t hash = wanted(s, OBSERVABLE_HASH) ? hash_marks(m) : 0;
    uint64_t dots =
            s->wants & (1u << OBSERVABLE_ADDRESS | 1u << OBSERVABLE_DOMAIN | 1u << OBSERVABLE_EMAIL)
                    ? m->dots
                    : 0;
    before->hexes = m->hexes;
    before->colons = m->colons;
    before->slashes = m->slashes;
    for (; six && !s->done; six &= six - 1) {
        size_t colon = at + (size_t)__builtin_ctzll(six);
        if (colon >= s->six_seen) {
            take_sixes(s, colon);
        }
    }
    for (; url && !s->done; url &= url - 1) {
        take_urls(s, at + (size_t)__builtin_ctzll(url) - 2);
    }
    for (; hash && !s->done; hash &= hash - 1) {
        size_t digit = at + (size_t)__builtin_ctzll(hash);
        if (digit >= s->hash_seen) {
            take_hashes(s, digit);
        }
    }
    for (; dots && !s->done; dots &= dots - 1) {
        take_dot(s, at + (size_t)__builtin_ctzll(dots));
    }
}

void observable_scan(struct observable_scan *scan, struct slice text)
{
    struct before before = {0};
    struct observable_marks marks;
    size_t at = 0;
    scan->text = text;
    scan->six_seen = scan->six_start = scan->six_end = 0;
    scan->run_seen = scan->hash_seen = scan->url_seen = 0;
    scan->done = false;
    if (!scan->marks) {
        scan->marks = observable_marks_best();
    }
    for (; at + OBSERVABLE_MARKS_BYTES <= text.size && !scan->done; at += OBSERVABLE_MARKS_BYTES) {
        scan->marks(text.at + at, &marks);
        take_block(scan, at, &marks, &before);
    }
    if (at < text.size && !scan->done) {
        char rest[OBSERVABLE_MARKS_BYTES] = {0};
        memcpy(rest, text.at + at, text.size - at);
        scan->marks(rest, &marks);
        take_block(scan, at, &marks, &before);
    }
}

/* ---- one alone --------------------------------------------------------------------------------
 */

struct whole {
    enum observable_kind kind;
    struct slice text;
    size_t key;
};

static bool take_whole(void *context, const struct observable *it)
{
    struct whole *whole = context;
    if (it->kind == whole->kind && it->given.at == whole->text.at &&
            it->given.size == whole->text.size) {
        whole->key = it->key.size;
        return false;
    }
    return true;
}

bool observable_key(struct observable_scan *scan, enum observable_kind kind, struct slice text,
        struct slice *key)
{
    struct whole whole = {kind, text, 0};
    struct slice named = text;
    if (kind == OBSERVABLE_DOMAIN && text.size > 0 && text.at[text.size - 1] == '.') {
        whole.text.size--;
    }
    scan->wants = 1u << kind;
    scan->tops = NULL;
    scan->escaped = false;
    scan->take = take_whole;
    scan->context = &whole;
    observable_scan(scan, named);
    *key = slice_of(scan->key, whole.key);
    return whole.key > 0;
}

bool observable_account(struct observable_scan *scan, struct slice text, struct slice *key)
{
    if (text.size == 0 || text.size > OBSERVABLE_HOST_BYTES) {
        return false;
    }
    *key = slice_of(scan->key, write_lower(scan->key, text));
    return true;
}

static bool holds_nocase(struct slice text, struct slice word)
{
    for (size_t at = 0; at + word.size <= text.size; at++) {
        if (slice_equal_nocase(slice_of(text.at + at, word.size), word)) {
            return true;
        }
    }
    return false;
}

bool observable_path_of_account(struct slice path)
{
    static const struct slice words[] = {
            {"user", 4}, {"account", 7}, {"login", 5}, {"logon", 5}, {"principal", 9}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (holds_nocase(path, words[i])) {
            return true;
        }
    }
    return false;
}

const char *observable_name(enum observable_kind kind)
{
    static const char *const names[OBSERVABLE_KINDS] = {
            [OBSERVABLE_ADDRESS] = "address",
            [OBSERVABLE_DOMAIN] = "domain",
            [OBSERVABLE_URL] = "url",
            [OBSERVABLE_HASH] = "hash",
            [OBSERVABLE_EMAIL] = "email",
            [OBSERVABLE_ACCOUNT] = "account",
    };
    return names[kind];
}
