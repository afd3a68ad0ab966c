#include "decode/dnslog.h"

#include <string.h>

#include "decode/web.h"

/* The word at the front of *rest, which is then behind it and the blanks. */
static struct slice word(struct slice *rest)
{
    if (rest->size == 0) {
        return *rest;
    }
    struct slice w = slice_cut(rest, ' ');
    while (rest->size > 0 && *rest->at == ' ') {
        *rest = slice_from(*rest, 1);
    }
    return w;
}

/* Passes over `front`; false: it is not there. */
static bool pass(struct slice *rest, struct slice front)
{
    if (!slice_starts(*rest, front)) {
        return false;
    }
    *rest = slice_from(*rest, front.size);
    return true;
}

static bool is_digits(struct slice s)
{
    for (size_t i = 0; i < s.size; i++) {
        if (!slice_is_digit(s.at[i])) {
            return false;
        }
    }
    return s.size > 0;
}

static void put(struct fields_sink *sink, struct slice name, struct slice text)
{
    if (text.size > 0) {
        fields_named(sink, name, text);
    }
}

/* A domain name, without the last dot. */
static void put_domain(struct fields_sink *sink, struct slice name, struct slice domain)
{
    if (domain.size > 1 && domain.at[domain.size - 1] == '.') {
        domain.size--;
    }
    put(sink, name, domain);
}

static void put_query(struct fields_sink *sink, struct slice domain)
{
    put_domain(sink, SLICE("query"), domain);
}

static void put_action(struct fields_sink *sink, struct slice action)
{
    fields_named_made(sink, SLICE("action"), action);
}

static bool is_class(struct slice s)
{
    return slice_equal(s, SLICE("IN")) || slice_equal(s, SLICE("CH")) ||
           slice_equal(s, SLICE("HS")) || slice_equal(s, SLICE("NONE")) ||
           slice_starts(s, SLICE("CLASS"));
}

/* An address and a port divided by `mark`. */
static void put_peer(
        struct fields_sink *sink, struct slice peer, char mark, struct slice ip, struct slice port)
{
    size_t at = slice_find_byte(peer, mark);
    put(sink, ip, slice_of(peer.at, at));
    if (at < peer.size) {
        put(sink, port, slice_from(peer, at + 1));
    }
}

/* name/type/class, name/class/type, name/type, name/class */
static void put_triple(struct fields_sink *sink, struct slice triple)
{
    struct slice domain = slice_cut(&triple, '/');
    put_query(sink, domain);
    for (int i = 0; i < 2 && triple.size > 0; i++) {
        struct slice part = slice_cut(&triple, '/');
        put(sink, is_class(part) ? SLICE("class") : SLICE("record_type"), part);
    }
}

/* ---- BIND ------------------------------------------------------------------------------------ */

/* The logging categories of BIND 9.18 ("logging" statement of its reference manual), and of older
 * ones. */
static const char *const categories[] = {"client", "cname", "config", "database", "default",
        "delegation-only", "dispatch", "dnssec", "dnstap", "edns-disabled", "general",
        "lame-servers", "network", "notify", "nsid", "queries", "query-errors", "rate-limit",
        "resolver", "responses", "rpz", "rpz-passthru", "security", "serve-stale", "spill",
        "trust-anchor-telemetry", "unmatched", "update", "update-security", "xfer-in", "xfer-out",
        "zoneload"};

static bool is_category(struct slice s)
{
    for (size_t i = 0; i < sizeof categories / sizeof *categories; i++) {
        if (slice_equal(s, slice_text(categories[i]))) {
            return true;
        }
    }
    return false;
}

static bool is_severity(struct slice s)
{
    return slice_equal(s, SLICE("info")) || slice_equal(s, SLICE("notice")) ||
           slice_equal(s, SLICE("warning")) || slice_equal(s, SLICE("error")) ||
           slice_equal(s, SLICE("critical")) || slice_starts(s, SLICE("debug "));
}

/* "word: " in front, if `is` says so. */
static bool take_front(struct slice *text, bool (*is)(struct slice s), struct slice *out)
{
    size_t colon = slice_find(slice_of(text->at, text->size < 64 ? text->size : 64), SLICE(": "));
    if (colon == SIZE_MAX || !is(slice_of(text->at, colon))) {
        return false;
    }
    *out = slice_of(text->at, colon);
    *text = slice_from(*text, colon + 2);
    return true;
}

bool dnslog_bind_front(struct slice *text, struct slice *category, struct slice *severity)
{
    bool named = take_front(text, is_category, category);
    return take_front(text, is_severity, severity) || named;
}

/* Resource records divided by semicolons: "a.example. 0 IN A 192.0.2.7; ..." */
static void put_records(struct fields_sink *sink, struct slice rest)
{
    while (rest.size > 0) {
        struct slice record = slice_trim(slice_cut(&rest, ';'));
        struct slice part = word(&record);
        while (record.size > 0 && !is_digits(part)) {
            part = word(&record); /* the owner, in which blanks may stand */
        }
        part = word(&record);
        if (is_class(part)) {
            part = word(&record);
        }
        put_domain(sink, SLICE("answer"), record);
        if (record.size > 0) {
            put(sink, SLICE("answer_type"), part);
        }
    }
}

/* "a.example IN AAAA +E(0) (192.0.2.53)", "a.example IN A + (192.0.2.53) -> NOERROR ...",
 * "a.example IN A response: NXDOMAIN + ..." */
static void put_question(struct fields_sink *sink, struct slice rest)
{
    put_query(sink, word(&rest));
    put(sink, SLICE("class"), word(&rest));
    put(sink, SLICE("record_type"), word(&rest));
    if (pass(&rest, SLICE("response: "))) {
        put(sink, SLICE("rcode"), word(&rest));
    }
    put(sink, SLICE("flags"), word(&rest));
    if (rest.size > 2 && *rest.at == '(') {
        struct slice server = word(&rest);
        put(sink, SLICE("dst_ip"), slice_of(server.at + 1, server.size > 2 ? server.size - 2 : 0));
    }
    if (pass(&rest, SLICE("-> "))) {
        put(sink, SLICE("rcode"), word(&rest));
    }
    put_records(sink, rest);
}

/* "query (cache) 'a/ANY/IN' denied", "query failed (SERVFAIL) for a/IN/A at query.c:1",
 * "rpz QNAME NXDOMAIN rewrite a/A/IN via b" */
static void put_other(struct fields_sink *sink, struct slice rest)
{
    size_t quote = slice_find_byte(rest, '\'');
    size_t failed = slice_find(rest, SLICE(" failed ("));
    size_t rewrite = slice_find(rest, SLICE(" rewrite "));
    if (slice_starts(rest, SLICE("rpz ")) && rewrite != SIZE_MAX && rewrite >= 4) {
        struct slice policy = slice_of(rest.at + 4, rewrite - 4),
                     after = slice_from(rest, rewrite + 9);
        put_action(sink, SLICE("rpz"));
        put(sink, SLICE("trigger"), word(&policy));
        put(sink, SLICE("policy"), policy);
        put_triple(sink, word(&after));
    } else if (failed != SIZE_MAX) {
        struct slice after = slice_from(rest, failed + 9);
        put_action(sink, SLICE("failed"));
        put(sink, SLICE("rcode"), slice_cut(&after, ')'));
        if (pass(&after, SLICE(" for "))) {
            put_triple(sink, word(&after));
        }
    } else if (quote < rest.size && slice_ends(slice_trim(rest), SLICE("denied"))) {
        struct slice after = slice_from(rest, quote + 1);
        put_action(sink, SLICE("denied"));
        put_triple(sink, slice_cut(&after, '\''));
    } else if (slice_ends(slice_trim(rest), SLICE("denied"))) {
        put_action(sink, SLICE("denied"));
    }
}

/* "client @0x7f62 192.0.2.1#555 (a.example): view x: query: ..." */
static bool put_client(struct fields_sink *sink, struct slice rest)
{
    struct slice peer, view;
    if (!pass(&rest, SLICE("client "))) {
        return false;
    }
    if (rest.size > 0 && *rest.at == '@') {
        (void)word(&rest);
    }
    size_t end = slice_find(rest, SLICE(": "));
    if (end == SIZE_MAX) {
        return false;
    }
    peer = slice_of(rest.at, end);
    rest = slice_from(rest, end + 2);
    put_peer(sink, word(&peer), '#', SLICE("src_ip"), SLICE("src_port"));
    if (pass(&rest, SLICE("view "))) {
        view = slice_cut(&rest, ':');
        put(sink, SLICE("view"), view);
        rest = slice_trim(rest);
    }
    if (slice_starts(rest, SLICE("UDP: ")) || slice_starts(rest, SLICE("TCP: "))) {
        put(sink, SLICE("protocol"), slice_of(rest.at, 3));
        rest = slice_from(rest, 5);
    }
    if (pass(&rest, SLICE("query: "))) {
        put_action(sink, SLICE("query"));
        put_question(sink, rest);
    } else if (pass(&rest, SLICE("answer: ")) || pass(&rest, SLICE("response: "))) {
        put_action(sink, SLICE("answer"));
        put_question(sink, rest);
    } else {
        put_other(sink, rest);
    }
    return true;
}

/* "lame server resolving 'a/A/IN' (...): 192.0.2.1#53" */
static bool put_resolving(struct fields_sink *sink, struct slice text)
{
    size_t at = slice_find(text, SLICE("resolving '"));
    if (at == SIZE_MAX) {
        return false;
    }
    struct slice rest = slice_from(text, at + 11);
    put_action(sink, SLICE("resolving"));
    put_triple(sink, slice_cut(&rest, '\''));
    const char *blank = rest.size ? memrchr(rest.at, ' ', rest.size) : NULL;
    struct slice peer = blank ? slice_from(rest, (size_t)(blank + 1 - rest.at)) : (struct slice){0};
    if (slice_find_byte(peer, '#') < peer.size) {
        put_peer(sink, peer, '#', SLICE("dst_ip"), SLICE("dst_port"));
    }
    return true;
}

/* "transfer of 'a/IN' from 192.0.2.1#53: ...", "zone a/IN: ..." */
static bool put_zone(struct fields_sink *sink, struct slice text)
{
    if (pass(&text, SLICE("transfer of '"))) {
        struct slice zone = slice_cut(&text, '\'');
        put_action(sink, SLICE("transfer"));
        put(sink, SLICE("zone"), slice_cut(&zone, '/'));
        if (pass(&text, SLICE(" from "))) {
            struct slice peer = slice_cut(&text, ' ');
            peer.size -= peer.size > 0 && peer.at[peer.size - 1] == ':';
            put_peer(sink, peer, '#', SLICE("src_ip"), SLICE("src_port"));
        }
        return true;
    }
    if (!pass(&text, SLICE("zone "))) {
        return false;
    }
    struct slice zone = slice_cut(&text, ' ');
    put(sink, SLICE("zone"), slice_cut(&zone, '/'));
    return true;
}

/* "validating a/A: no valid signature found" */
static bool put_validating(struct fields_sink *sink, struct slice text)
{
    if (pass(&text, SLICE("view "))) {
        put(sink, SLICE("view"), slice_cut(&text, ':'));
        text = slice_trim(text);
    }
    if (!pass(&text, SLICE("validating "))) {
        return false;
    }
    struct slice triple = slice_cut(&text, ' ');
    triple.size -= triple.size > 0 && triple.at[triple.size - 1] == ':';
    put_action(sink, SLICE("validating"));
    put_triple(sink, triple);
    return true;
}

bool dnslog_bind(struct fields_sink *sink, struct slice program, struct slice text)
{
    struct slice category = {0}, severity = {0};
    (void)program;
    bool front = dnslog_bind_front(&text, &category, &severity);
    put(sink, SLICE("category"), category);
    put(sink, SLICE("level"), severity);
    return put_client(sink, text) || put_resolving(sink, text) || put_zone(sink, text) ||
           put_validating(sink, text) || front;
}

/* ---- Unbound --------------------------------------------------------------------------------- */

static bool is_level(struct slice s)
{
    static const char *const levels[] = {
            "info", "query", "reply", "notice", "warning", "error", "debug", "fatal error"};
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        if (slice_equal(s, slice_text(levels[i]))) {
            return true;
        }
    }
    return false;
}

bool dnslog_unbound_front(
        struct slice *text, struct slice *pid, struct slice *tid, struct slice *level)
{
    struct slice rest = *text;
    *pid = *tid = (struct slice){0};
    if (pass(&rest, SLICE("["))) {
        struct slice inside = slice_cut(&rest, ']');
        *pid = slice_cut(&inside, ':');
        *tid = inside;
        if (!is_digits(*pid)) {
            return false;
        }
        rest = rest.size > 0 ? slice_trim(rest) : rest;
    }
    if (!take_front(&rest, is_level, level)) {
        return false;
    }
    *text = rest;
    return true;
}

/* "192.0.2.1@53433" or "192.0.2.1" */
static bool is_client(struct slice s)
{
    return web_is_address(slice_of(s.at, slice_find_byte(s, '@')));
}

/* "192.0.2.1 a.example. A IN [NOERROR 0.000 1 45]", after at most two words of a local zone. */
static bool put_unbound_query(struct fields_sink *sink, struct slice rest, bool reply)
{
    struct slice words[8] = {0};
    size_t count = 0, at = 0;
    while (rest.size > 0 && count < 8) {
        words[count++] = word(&rest);
    }
    while (at < 3 && at < count && !is_client(words[at])) {
        at++;
    }
    if (at == 3 || at + 3 >= count || !is_class(words[at + 3])) {
        return false;
    }
    bool answered = at == 0 && count > 4;
    put_action(sink, at > 0 ? SLICE("local") : reply || answered ? SLICE("reply") : SLICE("query"));
    put(sink, SLICE("policy"), at > 0 ? words[at - 1] : (struct slice){0});
    put_peer(sink, words[at], '@', SLICE("src_ip"), SLICE("src_port"));
    put_query(sink, words[at + 1]);
    put(sink, SLICE("record_type"), words[at + 2]);
    put(sink, SLICE("class"), words[at + 3]);
    if (answered) {
        put(sink, SLICE("rcode"), words[4]);
        put(sink, SLICE("duration"), words[5]);
        put(sink, SLICE("cached"), words[6]);
        put(sink, SLICE("bytes"), words[7]);
    }
    return true;
}

bool dnslog_unbound(struct fields_sink *sink, struct slice program, struct slice text)
{
    struct slice pid, tid, level = {0};
    (void)program;
    if (!dnslog_unbound_front(&text, &pid, &tid, &level)) {
        return false;
    }
    put(sink, SLICE("tid"), tid);
    put(sink, SLICE("level"), level);
    (void)put_unbound_query(sink, text, slice_equal(level, SLICE("reply")));
    return true;
}

/* ---- dnsmasq --------------------------------------------------------------------------------- */

/* With log-queries=extra: "21745 192.0.2.1/59490 " in front. */
static void put_serial(struct fields_sink *sink, struct slice *rest)
{
    struct slice after = *rest;
    struct slice serial = word(&after);
    if (!is_digits(serial)) {
        return;
    }
    struct slice peer = word(&after);
    size_t slash = slice_find_byte(peer, '/');
    if (!web_is_address(slice_of(peer.at, slash)) && !slice_equal(peer, SLICE("*"))) {
        return;
    }
    put(sink, SLICE("serial"), serial);
    if (slash < peer.size) {
        put_peer(sink, peer, '/', SLICE("src_ip"), SLICE("src_port"));
    }
    *rest = after;
}

/* "reply a.example is 192.0.2.7": what answers, and what its action is called. */
static const struct {
    struct slice word, action;
} answers[] = {{{"reply", 5}, {"reply", 5}}, {{"cached", 6}, {"cached", 6}},
        {{"config", 6}, {"config", 6}}, {{"DHCP", 4}, {"dhcp", 4}},
        {{"validation", 10}, {"validation", 10}}, {{"cached-stale", 12}, {"cached", 6}}};

static bool put_answer(struct fields_sink *sink, struct slice first, struct slice rest)
{
    struct slice action = {0};
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        action = slice_equal(answers[i].word, first) ? answers[i].action : action;
    }
    if (action.size == 0 && first.size > 0 && *first.at == '/') {
        action = SLICE("hosts"); /* the file that had it */
    }
    struct slice domain = word(&rest);
    if (action.size == 0 || !pass(&rest, SLICE("is "))) {
        return false;
    }
    put_action(sink, action);
    put_query(sink, domain);
    put(sink, SLICE("answer"), rest);
    return true;
}

bool dnslog_dnsmasq(struct fields_sink *sink, struct slice program, struct slice text)
{
    (void)program;
    struct slice rest = text;
    put_serial(sink, &rest);
    bool client = rest.at != text.at; /* it was in front */
    struct slice first = word(&rest), type = first;
    if (pass(&type, SLICE("query["))) {
        put_action(sink, SLICE("query"));
        put(sink, SLICE("record_type"), slice_cut(&type, ']'));
        put_query(sink, word(&rest));
        if (!client && pass(&rest, SLICE("from "))) {
            put(sink, SLICE("src_ip"), rest);
        }
        return true;
    }
    if (slice_equal(first, SLICE("forwarded"))) {
        put_action(sink, SLICE("forwarded"));
        put_query(sink, word(&rest));
        if (pass(&rest, SLICE("to "))) {
            put(sink, SLICE("dst_ip"), rest);
        }
        return true;
    }
    return put_answer(sink, first, rest) || client;
}
