#include "intel/ioc_load.h"

#include <stdarg.h>
#include <stdio.h>

void ioc_load_refuse(struct ioc_load *load, uint32_t line, const char *format, ...)
{
    char words[IOC_WORDS];
    va_list list;
    va_start(list, format);
    vsnprintf(words, sizeof words, format, list);
    va_end(list);
    load->refused++;
    load->say(load->context, load->file, line, words);
}

void ioc_load_fini(struct ioc_load *load)
{
    buf_fini(&load->text);
    buf_fini(&load->other);
}

/* ---- kinds ------------------------------------------------------------------------------------
 */

static const struct {
    struct slice name;
    uint8_t kind;
} kinds[] = {
        {{"ip", 2}, OBSERVABLE_ADDRESS},
        {{"ipv4", 4}, OBSERVABLE_ADDRESS},
        {{"ipv6", 4}, OBSERVABLE_ADDRESS},
        {{"ip4", 3}, OBSERVABLE_ADDRESS},
        {{"ip6", 3}, OBSERVABLE_ADDRESS},
        {{"ipv4-addr", 9}, OBSERVABLE_ADDRESS},
        {{"ipv6-addr", 9}, OBSERVABLE_ADDRESS},
        {{"ip-src", 6}, OBSERVABLE_ADDRESS},
        {{"ip-dst", 6}, OBSERVABLE_ADDRESS},
        {{"ip:port", 7}, OBSERVABLE_ADDRESS},
        {{"cidr", 4}, OBSERVABLE_ADDRESS},
        {{"address", 7}, OBSERVABLE_ADDRESS},
        {{"domain", 6}, OBSERVABLE_DOMAIN},
        {{"domain-name", 11}, OBSERVABLE_DOMAIN},
        {{"hostname", 8}, OBSERVABLE_DOMAIN},
        {{"host", 4}, OBSERVABLE_DOMAIN},
        {{"fqdn", 4}, OBSERVABLE_DOMAIN},
        {{"url", 3}, OBSERVABLE_URL},
        {{"uri", 3}, OBSERVABLE_URL},
        {{"link", 4}, OBSERVABLE_URL},
        {{"hash", 4}, OBSERVABLE_HASH},
        {{"md5", 3}, OBSERVABLE_HASH},
        {{"sha1", 4}, OBSERVABLE_HASH},
        {{"sha-1", 5}, OBSERVABLE_HASH},
        {{"sha256", 6}, OBSERVABLE_HASH},
        {{"sha-256", 7}, OBSERVABLE_HASH},
        {{"sha512", 6}, OBSERVABLE_HASH},
        {{"sha-512", 7}, OBSERVABLE_HASH},
        {{"md5_hash", 8}, OBSERVABLE_HASH},
        {{"sha1_hash", 9}, OBSERVABLE_HASH},
        {{"sha256_hash", 11}, OBSERVABLE_HASH},
        {{"imphash", 7}, OBSERVABLE_HASH},
        {{"filehash-md5", 12}, OBSERVABLE_HASH},
        {{"filehash-sha1", 13}, OBSERVABLE_HASH},
        {{"filehash-sha256", 15}, OBSERVABLE_HASH},
        {{"email", 5}, OBSERVABLE_EMAIL},
        {{"e-mail", 6}, OBSERVABLE_EMAIL},
        {{"email-addr", 10}, OBSERVABLE_EMAIL},
        {{"email-src", 9}, OBSERVABLE_EMAIL},
        {{"email-dst", 9}, OBSERVABLE_EMAIL},
        {{"email-reply-to", 14}, OBSERVABLE_EMAIL},
        {{"account", 7}, OBSERVABLE_ACCOUNT},
        {{"user", 4}, OBSERVABLE_ACCOUNT},
        {{"username", 8}, OBSERVABLE_ACCOUNT},
        {{"user-account", 12}, OBSERVABLE_ACCOUNT},
};

uint8_t ioc_load_kind(struct slice name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (slice_equal_nocase(kinds[i].name, name)) {
            return kinds[i].kind;
        }
    }
    return IOC_OTHER;
}

static bool is_hash(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        char c = (char)(text.at[i] | 0x20);
        if (!slice_is_digit(text.at[i]) && !(c >= 'a' && c <= 'f')) {
            return false;
        }
    }
    return text.size == 32 || text.size == 40 || text.size == 64 || text.size == 128;
}

static bool is_address(struct slice text)
{
    unsigned char bytes[16];
    return observable_address(slice_cut(&text, '/'), bytes) > 0;
}

/* Without the port behind it: 192.0.2.1:443, [2001:db8::1]:443, evil.example:443. */
static struct slice without_port(struct slice text)
{
    size_t colon = slice_find_byte(text, ':'), at = colon + 1;
    if (text.size > 0 && text.at[0] == '[') {
        size_t end = slice_find_byte(text, ']');
        bool closed = end + 1 == text.size || (end + 1 < text.size && text.at[end + 1] == ':');
        return closed ? slice_of(text.at + 1, end - 1) : text;
    }
    while (at < text.size && slice_is_digit(text.at[at])) {
        at++;
    }
    return colon < text.size && at == text.size && at - colon > 1 && at - colon <= 6
                   ? slice_of(text.at, colon)
                   : text;
}

static uint8_t guess(struct slice text)
{
    if (slice_find(text, SLICE("://")) != SIZE_MAX) {
        return OBSERVABLE_URL;
    }
    if (is_address(text) || is_address(without_port(text))) {
        return OBSERVABLE_ADDRESS;
    }
    if (slice_find_byte(text, '/') < text.size) {
        return OBSERVABLE_URL;
    }
    if (slice_find_byte(text, '@') < text.size) {
        return OBSERVABLE_EMAIL;
    }
    return is_hash(text) ? OBSERVABLE_HASH : OBSERVABLE_DOMAIN;
}

/* ---- defanged texts ---------------------------------------------------------------------------
 */

static const struct {
    struct slice from, to;
} defanged[] = {
        {{"[.]", 3}, {".", 1}},
        {{"(.)", 3}, {".", 1}},
        {{"{.}", 3}, {".", 1}},
        {{"[dot]", 5}, {".", 1}},
        {{"(dot)", 5}, {".", 1}},
        {{"{dot}", 5}, {".", 1}},
        {{"[.", 2}, {".", 1}},
        {{"\\.", 2}, {".", 1}},
        {{"[:]", 3}, {":", 1}},
        {{"[://]", 5}, {"://", 3}},
        {{"[:/]/", 5}, {"://", 3}},
        {{"[/]", 3}, {"/", 1}},
        {{"[at]", 4}, {"@", 1}},
        {{"(at)", 4}, {"@", 1}},
        {{"{at}", 4}, {"@", 1}},
        {{"[@]", 3}, {"@", 1}},
        {{"(@)", 3}, {"@", 1}},
        {{"[http]", 6}, {"http", 4}},
        {{"[https]", 7}, {"https", 5}},
};

static const struct {
    struct slice from, to;
} schemes[] = {
        {{"hxxp", 4}, {"http", 4}},
        {{"hxxps", 5}, {"https", 5}},
        {{"h**p", 4}, {"http", 4}},
        {{"h**ps", 5}, {"https", 5}},
        {{"hXXp", 4}, {"http", 4}},
        {{"fxp", 3}, {"ftp", 3}},
};

static bool starts_nocase(struct slice text, struct slice with)
{
    return text.size >= with.size && slice_equal_nocase(slice_of(text.at, with.size), with);
}

/* A mark is made whole: what is written for it goes to `out`; its size, 0: it is none. */
static size_t refang_mark(struct slice text, struct buf *out)
{
    for (size_t i = 0; i < sizeof defanged / sizeof *defanged; i++) {
        if (starts_nocase(text, defanged[i].from)) {
            buf_add(out, defanged[i].to);
            return defanged[i].from.size;
        }
    }
    return 0;
}

static struct slice refang(struct slice text, struct buf *out)
{
    if (is_address(without_port(text))) {
        return text; /* what is in brackets is no mark */
    }
    buf_clear(out);
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        size_t size = schemes[i].from.size;
        if (starts_nocase(text, schemes[i].from) && text.size > size &&
                (text.at[size] == ':' || text.at[size] == '[')) {
            buf_add(out, schemes[i].to);
            text = slice_from(text, size);
            break;
        }
    }
    while (text.size > 0) {
        bool mark = memchr("[({\\", text.at[0], 4) != NULL;
        size_t size = mark ? refang_mark(text, out) : 0;
        if (size == 0) {
            buf_byte(out, text.at[0]);
            size = 1;
        }
        text = slice_from(text, size);
    }
    return buf_slice(out);
}

/* ---- adding -----------------------------------------------------------------------------------
 */

static enum err add_one(struct ioc_load *load, const struct indicator *it, struct diag *diag)
{
    struct diag why = {0};
    enum err e = indicators_add(load->set, it, &why);
    if (e == ERR_SYNTAX) {
        ioc_load_refuse(load, it->line, "%s", why.words);
        return OK;
    }
    if (e != OK) {
        return diag_say(diag, e, "%s", why.words);
    }
    load->added++;
    return OK;
}

/* A URL without a scheme is one of either. */
static enum err add_bare_url(struct ioc_load *load, struct indicator *it, struct diag *diag)
{
    static const struct slice ways[] = {{"http://", 7}, {"https://", 8}};
    struct slice bare = it->text;
    uint64_t refused = load->refused;
    for (size_t i = 0; i < 2 && load->refused == refused; i++) {
        buf_clear(&load->other);
        buf_add(&load->other, ways[i]);
        buf_add(&load->other, bare);
        it->text = buf_slice(&load->other);
        TRY(load->other.failed ? ERR_MEMORY : add_one(load, it, diag));
    }
    load->added -= load->refused == refused;
    return OK;
}

enum err ioc_load_add(struct ioc_load *load, const struct ioc *ioc, struct diag *diag)
{
    struct slice text = slice_trim(ioc->text);
    struct indicator it = {.kind = ioc->kind,
            .given = text,
            .label = ioc->label,
            .file = load->file,
            .line = ioc->line,
            .valid_until = ioc->valid_until};
    if (text.size == 0 || text.size > IOC_TEXT_BYTES) {
        ioc_load_refuse(load, ioc->line, text.size ? "too long" : "no value");
        return OK;
    }
    text = ioc->kind == OBSERVABLE_ACCOUNT ? text : refang(text, &load->text);
    if (load->text.failed) {
        return diag_say(diag, ERR_MEMORY, "no memory for indicators");
    }
    if (it.kind == IOC_GUESS) {
        it.kind = guess(text);
    }
    if ((it.kind == OBSERVABLE_ADDRESS && !is_address(text)) || it.kind == OBSERVABLE_DOMAIN) {
        text = without_port(text);
    }
    it.text = text;
    if (it.kind == OBSERVABLE_URL && slice_find(text, SLICE("://")) == SIZE_MAX) {
        return add_bare_url(load, &it, diag);
    }
    return add_one(load, &it, diag);
}

/* Ports are not compared, and a file's name is not looked for: what stands beside it is. */
static bool is_beside(struct slice type)
{
    return slice_equal_nocase(type, SLICE("port")) || slice_equal_nocase(type, SLICE("filename"));
}

enum err ioc_load_add_typed(
        struct ioc_load *load, struct slice type, const struct ioc *ioc, struct diag *diag)
{
    struct slice types = type, values = ioc->text;
    if (slice_find_byte(type, '|') == type.size) {
        struct ioc one = *ioc;
        one.kind = ioc_load_kind(type);
        if (one.kind == IOC_OTHER) {
            ioc_load_refuse(load, ioc->line, "type '%.*s' is not looked for", SLICE_ARG(type));
            return OK;
        }
        return ioc_load_add(load, &one, diag);
    }
    uint64_t before = load->added + load->refused;
    while (types.size > 0) {
        struct ioc part = *ioc;
        struct slice name = slice_cut(&types, '|');
        part.text = slice_cut(&values, '|');
        part.kind = ioc_load_kind(name);
        if (part.kind != IOC_OTHER) {
            TRY(ioc_load_add(load, &part, diag));
        } else if (!is_beside(name)) {
            ioc_load_refuse(load, ioc->line, "type '%.*s' is not looked for", SLICE_ARG(type));
            return OK;
        }
    }
    if (load->added + load->refused == before) {
        ioc_load_refuse(load, ioc->line, "type '%.*s' is not looked for", SLICE_ARG(type));
    }
    return OK;
}
