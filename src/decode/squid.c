#include "decode/squid.h"

#include "decode/fields.h"
#include "decode/linewise.h"
#include "decode/web.h"

enum {
    TIMESTAMP,
    ELAPSED,
    CLIENT,
    ACTION,
    STATUS,
    BYTES,
    METHOD,
    URI,
    STEM,
    QUERY,
    EXTENSION,
    HOST,
    PORT,
    DNS,
    USER,
    HIERARCHY,
    PEER_IP,
    PEER,
    MIME,
    REFERER,
    AGENT,
    REST,
};
static const char *const names[] = {
        [TIMESTAMP] = "timestamp",
        [ELAPSED] = "time-taken",
        [CLIENT] = "c-ip",
        [ACTION] = "s-action",
        [STATUS] = "sc-status",
        [BYTES] = "sc-bytes",
        [METHOD] = "cs-method",
        [URI] = "c-uri",
        [STEM] = "c-uri-stem",
        [QUERY] = "c-uri-query",
        [EXTENSION] = "c-uri-extension",
        [HOST] = "cs-host",
        [PORT] = "cs-uri-port",
        [DNS] = "r-dns",
        [USER] = "cs-username",
        [HIERARCHY] = "s-hierarchy",
        [PEER_IP] = "dst_ip",
        [PEER] = "s-supplier-name",
        [MIME] = "cs-content-type",
        [REFERER] = "cs-referer",
        [AGENT] = "c-useragent",
        [REST] = "rest",
};

/* The words that every line has, and the MIME type that most have. */
enum { W_TIME, W_ELAPSED, W_CLIENT, W_RESULT, W_BYTES, W_METHOD, W_URI, W_USER, W_PEER, WORDS };

static bool is_dash(struct slice s)
{
    return s.size == 1 && s.at[0] == '-';
}

static struct slice word(struct slice *rest)
{
    while (rest->size > 0 && *rest->at == ' ') {
        rest->at++;
        rest->size--;
    }
    return slice_cut(rest, ' ');
}

/* Digits with one dot among them. */
static bool is_time(struct slice s)
{
    size_t dots = 0;
    for (size_t i = 0; i < s.size; i++) {
        dots += s.at[i] == '.';
        if (!slice_is_digit(s.at[i]) && s.at[i] != '.') {
            return false;
        }
    }
    return s.size > 8 && dots == 1 && slice_is_digit(s.at[0]);
}

static bool is_number(struct slice s)
{
    size_t minus = s.size > 1 && s.at[0] == '-'; /* elapsed may be */
    for (size_t i = minus; i < s.size; i++) {
        if (!slice_is_digit(s.at[i])) {
            return false;
        }
    }
    return s.size > minus;
}

/* Cuts the line into words; *rest is what follows. false: it is none of Squid's. */
static bool cut_words(struct slice line, struct slice *words, struct slice *rest)
{
    *rest = line;
    for (size_t i = 0; i < WORDS; i++) {
        words[i] = word(rest);
    }
    size_t slash = slice_find_byte(words[W_RESULT], '/');
    return words[W_PEER].size > 0 && is_time(words[W_TIME]) && is_number(words[W_ELAPSED]) &&
           slash > 0 && slash < words[W_RESULT].size && is_number(words[W_BYTES]) &&
           slice_find_byte(words[W_PEER], '/') < words[W_PEER].size;
}

static void put(struct fields_sink *sink, size_t name, struct slice text)
{
    if (text.size > 0 && !is_dash(text)) {
        fields_put(sink, name, text);
    }
}

static void put_uri(struct fields_sink *sink, struct slice uri)
{
    struct web_target t = web_target(uri);
    put(sink, URI, uri);
    put(sink, STEM, t.path);
    put(sink, QUERY, t.query);
    put(sink, EXTENSION, t.extension);
    put(sink, HOST, t.host);
    put(sink, PORT, t.port);
    if (!web_is_address(t.host)) {
        put(sink, DNS, t.host);
    }
}

static void put_peer(struct fields_sink *sink, struct slice peer)
{
    put(sink, HIERARCHY, slice_cut(&peer, '/'));
    put(sink, web_is_address(peer) ? PEER_IP : PEER, peer);
}

/* In quotes; an agent that was not sent is an empty one, which Sigma's rules ask for as ''. */
static enum err put_quoted(struct fields_sink *sink, size_t name, struct slice *rest)
{
    bool made;
    struct slice quoted = web_quoted(rest);
    if (is_dash(quoted)) {
        if (name == AGENT) {
            fields_put(sink, name, slice_of(quoted.at, 0));
        }
        return OK;
    }
    struct slice text = web_unescape(sink->scratch, quoted, &made);
    if (!text.at) {
        return ERR_MEMORY;
    }
    if (made) {
        fields_made(sink, name, text);
    } else {
        fields_put(sink, name, text);
    }
    return OK;
}

static enum err parse(void *context, struct slice text, struct fields_sink *sink, struct diag *diag)
{
    struct slice words[WORDS], rest;
    (void)context;
    if (!cut_words(text, words, &rest)) {
        return diag_say(diag, ERR_SYNTAX, "no line of Squid's access log");
    }
    struct slice status = words[W_RESULT];
    struct slice action = slice_cut(&status, '/');
    put(sink, TIMESTAMP, words[W_TIME]);
    put(sink, ELAPSED, words[W_ELAPSED]);
    put(sink, CLIENT, words[W_CLIENT]);
    put(sink, ACTION, action);
    put(sink, STATUS, status);
    put(sink, BYTES, words[W_BYTES]);
    put(sink, METHOD, words[W_METHOD]);
    put_uri(sink, words[W_URI]);
    put(sink, USER, words[W_USER]);
    put_peer(sink, words[W_PEER]);
    put(sink, MIME, word(&rest));
    rest = slice_trim(rest);
    if (rest.size > 1 && *rest.at == '"') {
        TRY(put_quoted(sink, REFERER, &rest));
    }
    if (rest.size > 1 && *rest.at == '"') {
        TRY(put_quoted(sink, AGENT, &rest));
    }
    put(sink, REST, rest);
    return OK;
}

static const struct fields_form form = FIELDS_FORM("squid", names, parse);

/* ---- decoder --------------------------------------------------------------------------------- */

static bool is_squid(struct slice line)
{
    struct slice words[WORDS], rest;
    return cut_words(line, words, &rest);
}

static int recognise(struct slice head, bool whole)
{
    return linewise_sure(head, whole, is_squid);
}

static const struct linewise kind = {.forms = {&form}};

static enum err reader_new(
        const struct paths *paths, const struct decode_limits *limits, struct reader **out)
{
    return linewise_new(&kind, paths, limits, out);
}

const struct decoder squid_decoder = {
        .name = "squid",
        .about = "Squid's native access log",
        .recognise = recognise,
        .reader_new = reader_new,
        LINEWISE_CALLS,
};
