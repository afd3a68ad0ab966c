#include "decode/weberror.h"

#include <string.h>

#include "decode/fields.h"
#include "decode/linewise.h"
#include "decode/web.h"

enum {
    TIMESTAMP,
    MODULE,
    LEVEL,
    PID,
    TID,
    CONNECTION,
    CLIENT,
    PORT,
    MESSAGE,
    HOST,
    REFERER,
};
static const char *const names[] = {
        [TIMESTAMP] = "timestamp",
        [MODULE] = "module",
        [LEVEL] = "level",
        [PID] = "pid",
        [TID] = "tid",
        [CONNECTION] = "connection",
        [CLIENT] = "c-ip",
        [PORT] = "c-port",
        [MESSAGE] = "message",
        [HOST] = "cs-host",
        [REFERER] = "cs-referer",
};

static void put(struct fields_sink *sink, size_t name, struct slice text)
{
    if (text.size > 0) {
        fields_put(sink, name, text);
    }
}

/* ---- Apache ---------------------------------------------------------------------------------- */

/* The text in brackets at the front of *rest, which is then behind them and a blank. */
static bool take_brackets(struct slice *rest, struct slice *inside)
{
    if (rest->size == 0 || *rest->at != '[') {
        return false;
    }
    size_t end = slice_find_byte(*rest, ']');
    if (end == rest->size) {
        return false;
    }
    *inside = slice_of(rest->at + 1, end - 1);
    *rest = slice_from(*rest, end + 1);
    if (rest->size > 0 && *rest->at == ' ') {
        *rest = slice_from(*rest, 1);
    }
    return true;
}

enum { TIME_ROOM = 40, TIME_LEAST = 24 };

/* "Thu Feb 29 11:47:27.072780 2024": to `to`, as 2024-02-29T11:47:27.072780; 0: it is none. */
static size_t make_time(struct slice t, char *to)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    if (t.size < TIME_LEAST || t.size > TIME_ROOM - 4 || t.at[3] != ' ' || t.at[7] != ' ' ||
            t.at[10] != ' ' || t.at[13] != ':' || t.at[16] != ':' || t.at[t.size - 5] != ' ') {
        return 0;
    }
    int month = 0;
    while (month < 12 && memcmp(months + (ptrdiff_t)month * 3, t.at + 4, 3) != 0) {
        month++;
    }
    if (month == 12) {
        return 0;
    }
    size_t clock = t.size - 5 - 11;
    memcpy(to, t.at + t.size - 4, 4);
    to[4] = to[7] = '-';
    to[5] = month >= 9 ? '1' : '0';
    to[6] = (char)('0' + (month + 1) % 10);
    to[8] = t.at[8] == ' ' ? '0' : t.at[8];
    to[9] = t.at[9];
    to[10] = 'T';
    memcpy(to + 11, t.at + 11, clock);
    return 11 + clock;
}

static bool is_level(struct slice s)
{
    static const char *const levels[] = {"emerg", "alert", "crit", "error", "warn", "notice",
            "info", "debug", "trace1", "trace2", "trace3", "trace4", "trace5", "trace6", "trace7",
            "trace8"};
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        if (slice_equal(s, slice_text(levels[i]))) {
            return true;
        }
    }
    return false;
}

struct apache {
    struct slice time; /* empty: syslog has it */
    struct slice module, level, rest;
};

/* "[time] [module:level] rest", "[level] rest". */
static bool apache_front(struct slice line, struct apache *out)
{
    struct apache a = {.rest = line};
    struct slice inside;
    char scratch[TIME_ROOM];
    if (!take_brackets(&a.rest, &inside)) {
        return false;
    }
    if (make_time(inside, scratch) > 0) {
        a.time = inside;
        if (!take_brackets(&a.rest, &inside)) {
            return false;
        }
    }
    size_t colon = slice_find_byte(inside, ':');
    if (colon < inside.size) {
        a.module = slice_of(inside.at, colon);
        inside = slice_from(inside, colon + 1);
    }
    a.level = inside;
    *out = a;
    return is_level(inside);
}

static bool is_apache(struct slice line)
{
    struct apache a;
    return apache_front(line, &a) && a.time.size > 0;
}

/* Where the port begins in "192.0.2.1:5753", "[2001:db8::1]:5753", "2001:db8::1:5753" (Apache
 * writes no brackets); the size: there is none. */
static size_t find_port(struct slice client)
{
    size_t at = client.size;
    while (at > 0 && slice_is_digit(client.at[at - 1])) {
        at--;
    }
    if (at == client.size || at < 3 || client.at[at - 1] != ':') {
        return client.size;
    }
    struct slice before = slice_of(client.at, at - 1);
    bool bracket = before.at[before.size - 1] == ']';
    bool version4 = slice_find_byte(before, '.') < before.size;
    return bracket || version4 || web_is_address(before) ? at : client.size;
}

static void put_client(struct fields_sink *sink, struct slice client)
{
    client = slice_trim(client);
    size_t port = find_port(client);
    if (port < client.size) {
        put(sink, PORT, slice_from(client, port));
        client = slice_trim(slice_of(client.at, port - 1));
    }
    if (client.size > 2 && client.at[0] == '[') {
        client = slice_of(client.at + 1, client.size - 2);
    }
    put(sink, CLIENT, client);
}

/* "[pid 12:tid 7]" */
static void put_process(struct fields_sink *sink, struct slice inside)
{
    struct slice tid = inside;
    struct slice pid = slice_cut(&tid, ':');
    put(sink, PID, slice_from(pid, 4));
    if (slice_starts(tid, SLICE("tid "))) {
        put(sink, TID, slice_from(tid, 4));
    }
}

/* ModSecurity: Warning. ... [id "960015"] [msg "..."] */
static void put_tags(struct fields_sink *sink, struct slice message)
{
    for (size_t at = 0; at < message.size; at++) {
        at += slice_find_byte(slice_from(message, at), '[');
        if (at == message.size) {
            return;
        }
        struct slice rest = slice_from(message, at + 1);
        struct slice name = slice_cut(&rest, ' ');
        size_t end = slice_find(rest, SLICE("\"]"));
        bool plain = name.size > 0 && name.size <= 16 && slice_find_byte(name, '"') == name.size;
        if (plain && rest.size > 1 && *rest.at == '"' && end != SIZE_MAX && end > 0) {
            fields_named(sink, name, slice_of(rest.at + 1, end - 1));
            at = (size_t)(rest.at - message.at) + end;
        }
    }
}

static void put_message(struct fields_sink *sink, struct slice message)
{
    static const struct slice mark = {", referer: ", 11};
    struct slice tail = message;
    for (size_t at = slice_find(tail, mark); at != SIZE_MAX; at = slice_find(tail, mark)) {
        tail = slice_from(tail, at + mark.size);
    }
    put(sink, MESSAGE, message);
    if (tail.at != message.at) {
        put(sink, REFERER, tail);
    }
    if (slice_starts(message, SLICE("ModSecurity:"))) {
        put_tags(sink, message);
    }
}

static enum err parse_apache(
        void *context, struct slice text, struct fields_sink *sink, struct diag *diag)
{
    struct apache a;
    struct slice inside, rest;
    bool client = false;
    (void)context;
    if (!apache_front(text, &a)) {
        return diag_say(diag, ERR_SYNTAX, "no line of Apache's error log");
    }
    if (a.time.size > 0) {
        char *to = arena_alloc(sink->scratch, TIME_ROOM, 1);
        if (!to) {
            return diag_say(diag, ERR_MEMORY, "no memory for a time");
        }
        fields_made(sink, TIMESTAMP, slice_of(to, make_time(a.time, to)));
    }
    put(sink, MODULE, a.module);
    put(sink, LEVEL, a.level);
    for (rest = a.rest; take_brackets(&rest, &inside); a.rest = rest) {
        if (slice_starts(inside, SLICE("pid "))) {
            put_process(sink, inside);
        } else if (slice_starts(inside, SLICE("client "))) {
            if (!client) {
                put_client(sink, slice_from(inside, 7));
            }
            client = true;
        } else {
            break;
        }
    }
    /* "(70014)End of file found: [client 192.0.2.1:42114] AH01991: ..." */
    size_t late = client ? SIZE_MAX : slice_find(a.rest, SLICE(": [client "));
    if (late != SIZE_MAX) {
        rest = slice_from(a.rest, late + 2);
        if (take_brackets(&rest, &inside)) {
            put_client(sink, slice_from(inside, 7));
        }
    }
    put_message(sink, a.rest);
    return OK;
}

static const struct fields_form apache_form = FIELDS_FORM("apache-error", names, parse_apache);

/* ---- nginx ----------------------------------------------------------------------------------- */

struct nginx {
    struct slice time, level, pid, tid, connection, message;
};

static struct slice take_digits(struct slice *rest)
{
    size_t size = 0;
    while (size < rest->size && slice_is_digit(rest->at[size])) {
        size++;
    }
    struct slice digits = slice_of(rest->at, size);
    *rest = slice_from(*rest, size);
    return digits;
}

/* "2015/01/08 11:31:23 [" */
static bool has_nginx_time(struct slice line)
{
    static const char shape[] = "0000/00/00 00:00:00 [";
    for (size_t i = 0; i < sizeof shape - 1; i++) {
        if (i >= line.size ||
                (shape[i] == '0' ? !slice_is_digit(line.at[i]) : line.at[i] != shape[i])) {
            return false;
        }
    }
    return true;
}

static bool nginx_front(struct slice line, struct nginx *out)
{
    struct nginx n = {0};
    if (!has_nginx_time(line)) {
        return false;
    }
    n.time = slice_of(line.at, 19);
    struct slice rest = slice_from(line, 20);
    if (!take_brackets(&rest, &n.level)) {
        return false;
    }
    n.pid = take_digits(&rest);
    if (n.pid.size == 0 || rest.size == 0 || (*rest.at != '#' && *rest.at != ':')) {
        return false;
    }
    rest = slice_from(rest, 1);
    n.tid = take_digits(&rest);
    rest = slice_trim(rest.size > 0 && *rest.at == ':' ? slice_from(rest, 1) : rest);
    if (rest.size > 1 && *rest.at == '*') {
        rest = slice_from(rest, 1);
        n.connection = take_digits(&rest);
        rest = slice_trim(rest);
    }
    n.message = rest;
    *out = n;
    return n.tid.size > 0;
}

static bool is_nginx(struct slice line)
{
    struct nginx n;
    return nginx_front(line, &n);
}

/* What stands behind the message: client: 192.0.2.1, request: "GET / HTTP/1.1", host: "a" */
static void put_pairs(struct fields_sink *sink, struct slice rest)
{
    while (rest.size > 0) {
        rest = slice_trim(rest);
        size_t colon = slice_find(rest, SLICE(": "));
        if (colon == SIZE_MAX) {
            return;
        }
        struct slice name = slice_of(rest.at, colon), value;
        rest = slice_from(rest, colon + 2);
        if (rest.size > 0 && *rest.at == '"') {
            rest = slice_from(rest, 1);
            value = slice_cut(&rest, '"');
            (void)slice_cut(&rest, ',');
        } else {
            value = slice_cut(&rest, ',');
        }
        if (slice_equal(name, SLICE("client"))) {
            put_client(sink, value);
        } else if (slice_equal(name, SLICE("host"))) {
            put(sink, HOST, value);
        } else if (slice_equal(name, SLICE("referrer"))) {
            put(sink, REFERER, value);
        } else {
            fields_named(sink, name, value);
        }
    }
}

static enum err parse_nginx(
        void *context, struct slice text, struct fields_sink *sink, struct diag *diag)
{
    struct nginx n;
    (void)context;
    if (!nginx_front(text, &n)) {
        return diag_say(diag, ERR_SYNTAX, "no line of nginx' error log");
    }
    put(sink, TIMESTAMP, n.time);
    put(sink, LEVEL, n.level);
    put(sink, PID, n.pid);
    put(sink, TID, n.tid);
    put(sink, CONNECTION, n.connection);
    size_t pairs = slice_find(n.message, SLICE(", client: "));
    if (pairs == SIZE_MAX) {
        put(sink, MESSAGE, n.message);
        return OK;
    }
    put(sink, MESSAGE, slice_of(n.message.at, pairs));
    put_pairs(sink, slice_from(n.message, pairs + 2));
    return OK;
}

static const struct fields_form nginx_form = FIELDS_FORM("nginx-error", names, parse_nginx);

/* ---- decoders -------------------------------------------------------------------------------- */

static int recognise_apache(struct slice head, bool whole)
{
    return linewise_sure(head, whole, is_apache);
}

static int recognise_nginx(struct slice head, bool whole)
{
    return linewise_sure(head, whole, is_nginx);
}

static const struct linewise apache_kind = {.forms = {&apache_form}};
static const struct linewise nginx_kind = {.forms = {&nginx_form}};

static enum err apache_new(
        const struct paths *paths, const struct decode_limits *limits, struct reader **out)
{
    return linewise_new(&apache_kind, paths, limits, out);
}

static enum err nginx_new(
        const struct paths *paths, const struct decode_limits *limits, struct reader **out)
{
    return linewise_new(&nginx_kind, paths, limits, out);
}

const struct decoder weberror_apache_decoder = {
        .name = "apache-error",
        .about = "Apache's error log",
        .recognise = recognise_apache,
        .reader_new = apache_new,
        LINEWISE_CALLS,
};

const struct decoder weberror_nginx_decoder = {
        .name = "nginx-error",
        .about = "nginx' error log",
        .recognise = recognise_nginx,
        .reader_new = nginx_new,
        LINEWISE_CALLS,
};
