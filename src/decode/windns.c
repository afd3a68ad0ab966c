#include "decode/windns.h"

#include <string.h>

#include "decode/fields.h"
#include "decode/linewise.h"
#include "decode/web.h"

enum {
    TIMESTAMP,
    THREAD,
    PACKET,
    PROTOCOL,
    DIRECTION,
    SOURCE,
    DESTINATION,
    XID,
    ACTION,
    OPCODE,
    FLAGS_HEX,
    FLAGS,
    RCODE,
    TYPE,
    QUERY,
    MESSAGE,
};
static const char *const names[] = {
        [TIMESTAMP] = "timestamp",
        [THREAD] = "thread",
        [PACKET] = "packet",
        [PROTOCOL] = "protocol",
        [DIRECTION] = "direction",
        [SOURCE] = "src_ip",
        [DESTINATION] = "dst_ip",
        [XID] = "xid",
        [ACTION] = "action",
        [OPCODE] = "opcode",
        [FLAGS_HEX] = "flags_hex",
        [FLAGS] = "flags",
        [RCODE] = "rcode",
        [TYPE] = "record_type",
        [QUERY] = "query",
        [MESSAGE] = "message",
};

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

/* ---- time ------------------------------------------------------------------------------------ */

/* The next number of *text; what is no digit in front is passed over. -1: none. */
static int number(struct slice *text)
{
    int value = 0;
    while (text->size > 0 && !slice_is_digit(*text->at)) {
        *text = slice_from(*text, 1);
    }
    if (text->size == 0) {
        return -1;
    }
    while (text->size > 0 && slice_is_digit(*text->at) && value < 100000000) {
        value = value * 10 + (*text->at - '0');
        *text = slice_from(*text, 1);
    }
    return value;
}

struct moment {
    int year, month, day, hour, minute, second;
};

/* 6/5/2013, 05.06.2013, 2013-06-05, 20130605 */
static bool take_date(struct slice date, bool month_first, struct moment *m)
{
    if (date.size == 8 && slice_find_byte(date, '/') == 8 && slice_find_byte(date, '.') == 8) {
        int all = number(&date);
        *m = (struct moment){.year = all / 10000, .month = all / 100 % 100, .day = all % 100};
        return all > 0;
    }
    bool dots = slice_find_byte(date, '.') < date.size;
    int a = number(&date), b = number(&date), c = number(&date);
    if (a > 31) {
        *m = (struct moment){.year = a, .month = b, .day = c};
    } else if ((month_first && !dots && a <= 12) || b > 12) {
        *m = (struct moment){.year = c, .month = a, .day = b};
    } else {
        *m = (struct moment){.year = c, .month = b, .day = a};
    }
    return a >= 0 && b >= 0 && c >= 0;
}

/* 10:00:32 */
static bool take_clock(struct slice clock, struct moment *m)
{
    if (clock.size < 7 || clock.size > 8) {
        return false;
    }
    m->hour = number(&clock);
    m->minute = number(&clock);
    m->second = number(&clock);
    return m->hour >= 0 && m->minute >= 0 && m->second >= 0;
}

/* Date and time at the front of *rest; false: there are none. */
static bool take_moment(struct slice *rest, struct moment *m)
{
    struct slice after = *rest;
    struct slice date = word(&after), clock = word(&after);
    struct slice again = after;
    struct slice half = word(&again);
    bool pm = slice_equal_nocase(half, SLICE("PM"));
    bool am = slice_equal_nocase(half, SLICE("AM"));
    if (date.size < 8 || date.size > 10 || !slice_is_digit(date.at[0]) ||
            !take_date(date, am || pm, m) || !take_clock(clock, m)) {
        return false;
    }
    if (pm && m->hour < 12) {
        m->hour += 12;
    } else if (am && m->hour == 12) {
        m->hour = 0;
    }
    *rest = am || pm ? again : after;
    return true;
}

static void two_digits(char *to, int value)
{
    to[0] = (char)('0' + value / 10 % 10);
    to[1] = (char)('0' + value % 10);
}

enum { TIME_SIZE = 19 };

static bool put_moment(struct fields_sink *sink, const struct moment *m)
{
    char *to = arena_alloc(sink->scratch, TIME_SIZE, 1);
    if (!to) {
        return false;
    }
    memcpy(to, "0000-00-00T00:00:00", TIME_SIZE);
    two_digits(to, m->year / 100);
    two_digits(to + 2, m->year % 100);
    two_digits(to + 5, m->month);
    two_digits(to + 8, m->day);
    two_digits(to + 11, m->hour);
    two_digits(to + 14, m->minute);
    two_digits(to + 17, m->second);
    fields_made(sink, TIMESTAMP, slice_of(to, TIME_SIZE));
    return true;
}

/* ---- a packet -------------------------------------------------------------------------------- */

struct packet {
    struct moment moment;
    struct slice thread, id, protocol, direction, peer, xid;
    struct slice opcode, flags_hex, flags, rcode, type, name;
    bool response;
};

/* "[0001   D   NOERROR]": hexadecimal, letters, the code. */
static bool take_flags(struct slice *rest, struct packet *p)
{
    if (rest->size == 0 || *rest->at != '[') {
        return false;
    }
    *rest = slice_from(*rest, 1);
    struct slice inside = slice_cut(rest, ']');
    p->flags_hex = word(&inside);
    inside = slice_trim(inside);
    const char *blank = inside.size ? memrchr(inside.at, ' ', inside.size) : NULL;
    size_t code = blank ? (size_t)(blank + 1 - inside.at) : 0;
    p->rcode = slice_from(inside, code);
    p->flags = slice_trim(slice_of(inside.at, code));
    *rest = slice_trim(*rest);
    return p->flags_hex.size > 0;
}

static bool parse_packet(struct slice line, struct packet *p)
{
    struct slice rest = slice_trim(line);
    *p = (struct packet){0};
    if (!take_moment(&rest, &p->moment)) {
        return false;
    }
    p->thread = word(&rest);
    if (!slice_equal(word(&rest), SLICE("PACKET"))) {
        return false;
    }
    p->id = word(&rest);
    p->protocol = word(&rest);
    if (!slice_equal(p->protocol, SLICE("UDP")) && !slice_equal(p->protocol, SLICE("TCP"))) {
        return false;
    }
    p->direction = word(&rest);
    p->peer = word(&rest);
    p->xid = word(&rest);
    struct slice after = rest;
    p->response = slice_equal(word(&after), SLICE("R"));
    if (p->response) {
        rest = after;
    }
    if (rest.size > 0 && *rest.at != '[') {
        p->opcode = word(&rest);
    }
    if (!take_flags(&rest, p)) {
        return false;
    }
    p->type = word(&rest);
    p->name = rest;
    return true;
}

/* "(3)www(7)example(0)": www.example. A name in another shape stays as it is. */
static bool put_name(struct fields_sink *sink, struct slice name)
{
    struct slice rest = name;
    size_t size = 0;
    if (name.size == 0) {
        return true;
    }
    char *to = arena_alloc(sink->scratch, name.size, 1);
    if (!to) {
        return false;
    }
    while (rest.size > 0 && *rest.at == '(') {
        struct slice after = rest;
        int length = number(&after);
        if (length <= 0 || after.size < (size_t)length + 1 || *after.at != ')') {
            break;
        }
        if (size > 0) {
            to[size++] = '.';
        }
        memcpy(to + size, after.at + 1, (size_t)length);
        size += (size_t)length;
        rest = slice_from(after, (size_t)length + 1);
    }
    if (slice_equal(rest, SLICE("(0)"))) {
        fields_made(sink, QUERY, size > 0 ? slice_of(to, size) : SLICE("."));
    } else {
        fields_put(sink, QUERY, name);
    }
    return true;
}

static void put(struct fields_sink *sink, size_t name, struct slice text)
{
    if (text.size > 0) {
        fields_put(sink, name, text);
    }
}

static enum err parse(void *context, struct slice text, struct fields_sink *sink, struct diag *diag)
{
    struct packet p;
    (void)context;
    if (!parse_packet(text, &p)) {
        fields_put(sink, MESSAGE, text);
        return OK;
    }
    bool received = slice_equal(p.direction, SLICE("Rcv"));
    bool room = put_moment(sink, &p.moment);
    put(sink, THREAD, p.thread);
    put(sink, PACKET, p.id);
    put(sink, PROTOCOL, p.protocol);
    put(sink, DIRECTION, p.direction);
    put(sink, received ? SOURCE : DESTINATION, p.peer);
    put(sink, XID, p.xid);
    fields_made(sink, ACTION, p.response ? SLICE("reply") : SLICE("query"));
    put(sink, OPCODE, p.opcode);
    put(sink, FLAGS_HEX, p.flags_hex);
    put(sink, FLAGS, p.flags);
    put(sink, RCODE, p.rcode);
    put(sink, TYPE, p.type);
    if (!put_name(sink, p.name) || !room) {
        return diag_say(diag, ERR_MEMORY, "no memory for a packet's texts");
    }
    return OK;
}

static const struct fields_form form = FIELDS_FORM("windows-dns", names, parse);

/* ---- decoder --------------------------------------------------------------------------------- */

static bool is_packet(struct slice line)
{
    struct packet p;
    return parse_packet(line, &p);
}

/* The file begins with what its columns mean. */
static int recognise(struct slice head, bool whole)
{
    struct slice front = slice_of(head.at, head.size < 256 ? head.size : 256);
    if (slice_find(front, SLICE("DNS Server log file creation at")) != SIZE_MAX) {
        return 95;
    }
    return linewise_sure(head, whole, is_packet);
}

static const struct linewise kind = {.forms = {&form}};

static enum err reader_new(
        const struct paths *paths, const struct decode_limits *limits, struct reader **out)
{
    return linewise_new(&kind, paths, limits, out);
}

const struct decoder windns_decoder = {
        .name = "windows-dns",
        .about = "the debug log of Windows' DNS server",
        .recognise = recognise,
        .reader_new = reader_new,
        LINEWISE_CALLS,
};
