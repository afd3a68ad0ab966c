#include "decode/syslog_head.h"

#include <string.h>

/* What is left of the line. */
struct rest {
    const char *at, *end;
};

static size_t left(const struct rest *r)
{
    return (size_t)(r->end - r->at);
}

static char byte_at(const struct rest *r, size_t i)
{
    return i < left(r) ? r->at[i] : '\0';
}

static void skip_blanks(struct rest *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t')) {
        r->at++;
    }
}

/* The bytes up to a blank, or all. */
static struct slice word(const struct rest *r)
{
    const char *blank = memchr(r->at, ' ', left(r));
    return slice_of(r->at, blank ? (size_t)(blank - r->at) : left(r));
}

static struct slice all(const struct rest *r)
{
    return slice_of(r->at, left(r));
}

/* ---- PRI ------------------------------------------------------------------------------------- */

/* RFC 6587 section 3.4.1: the message's length, when a PRI follows it. */
static void skip_length(struct rest *r)
{
    size_t i = 0;
    while (i < 10 && slice_is_digit(byte_at(r, i))) {
        i++;
    }
    if (i > 0 && byte_at(r, i) == ' ' && byte_at(r, i + 1) == '<' &&
            slice_is_digit(byte_at(r, i + 2))) {
        r->at += i + 1;
    }
}

/* <0> to <191>; other numbers of one to three digits are no PRI but still not the message's. */
static void take_pri(struct rest *r, struct syslog_head *head)
{
    int value = 0;
    size_t i = 1;
    while (i <= 3 && slice_is_digit(byte_at(r, i))) {
        value = value * 10 + (r->at[i++] - '0');
    }
    if (byte_at(r, 0) == '<' && i > 1 && byte_at(r, i) == '>') {
        head->pri = value <= 191 ? value : -1;
        r->at += i + 1;
    }
}

/* ---- structured data (RFC 5424 section 6.3) -------------------------------------------------- */

static bool is_name_byte(char c)
{
    return c > ' ' && c < 0x7F && c != '=' && c != ']' && c != '"';
}

/* An SD-NAME. The RFC allows 32 bytes. */
static bool take_name(struct rest *r)
{
    const char *start = r->at;
    while (r->at < r->end && is_name_byte(*r->at)) {
        r->at++;
    }
    return r->at > start && r->at - start <= 32;
}

/* Behind the opening quote, to behind the closing one. */
static bool take_quoted(struct rest *r)
{
    for (; r->at < r->end; r->at++) {
        if (*r->at == '"') {
            r->at++;
            return true;
        }
        if (*r->at == ']') {
            return false;
        }
        if (*r->at == '\\' && ++r->at == r->end) {
            return false;
        }
    }
    return false;
}

/* Behind the bracket, to behind the closing one. */
static bool take_element(struct rest *r)
{
    if (!take_name(r)) {
        return false;
    }
    while (byte_at(r, 0) == ' ') {
        r->at++;
        if (!take_name(r) || byte_at(r, 0) != '=' || byte_at(r, 1) != '"') {
            return false;
        }
        r->at += 2;
        if (!take_quoted(r)) {
            return false;
        }
    }
    if (byte_at(r, 0) != ']') {
        return false;
    }
    r->at++;
    return true;
}

bool syslog_head_element(struct slice *data, struct slice *id, struct slice *params)
{
    if (data->size == 0 || *data->at != '[') {
        return false;
    }
    struct rest r = {data->at + 1, data->at + data->size};
    const char *start = r.at;
    if (!take_name(&r)) {
        return false;
    }
    *id = slice_of(start, (size_t)(r.at - start));
    start = r.at;
    r.at = id->at;
    if (!take_element(&r)) {
        return false;
    }
    *params = slice_of(start, (size_t)(r.at - 1 - start));
    *data = all(&r);
    return true;
}

bool syslog_head_param(struct slice *params, struct slice *name, struct slice *value)
{
    if (params->size < 5) {
        return false;
    }
    struct rest r = {params->at + 1, params->at + params->size}; /* behind the blank */
    const char *start = r.at;
    if (!take_name(&r)) {
        return false;
    }
    *name = slice_of(start, (size_t)(r.at - start));
    r.at += 2;
    start = r.at;
    if (!take_quoted(&r)) {
        return false;
    }
    *value = slice_of(start, (size_t)(r.at - 1 - start));
    *params = all(&r);
    return true;
}

/* An SD-ID must not come twice in a message (section 6.3.2). */
static bool ids_differ(struct slice data)
{
    enum { COMPARED = 16 };
    struct slice ids[COMPARED], params;
    size_t count = 0;
    while (count < COMPARED && syslog_head_element(&data, &ids[count], &params)) {
        for (size_t i = 0; i < count; i++) {
            if (slice_equal(ids[i], ids[count])) {
                return false;
            }
        }
        count++;
    }
    return true;
}

/* "-" or elements, and then a blank or the end. */
static bool take_data(struct rest *r, struct slice *data)
{
    struct rest look = *r;
    if (byte_at(&look, 0) == '-') {
        look.at++;
    } else {
        while (byte_at(&look, 0) == '[') {
            look.at++;
            if (!take_element(&look)) {
                return false;
            }
        }
        *data = slice_of(r->at, (size_t)(look.at - r->at));
    }
    if (look.at == r->at || (look.at < look.end && *look.at != ' ') || !ids_differ(*data)) {
        *data = (struct slice){0};
        return false;
    }
    *r = look;
    return true;
}

/* ---- RFC 5424 -------------------------------------------------------------------------------- */

/* The header's fields; each ends with a blank. */
enum { LONGEST_HOST = 255, LONGEST_APP = 48, LONGEST_PROC = 128, LONGEST_MSGID = 32 };

/* A word of 1 to `most` printable bytes and the blank behind it; "-" is none. *strict is cleared
 * where the RFC would not have it. */
static bool take_field(struct rest *r, size_t most, struct slice *field, bool *strict)
{
    struct slice text = word(r);
    if (text.size == 0) {
        return false;
    }
    *strict &= text.size <= most;
    for (size_t i = 0; i < text.size; i++) {
        *strict &= text.at[i] > ' ' && text.at[i] < 0x7F;
    }
    *field = text.size == 1 && *text.at == '-' ? (struct slice){0} : text;
    r->at += text.size;
    if (r->at < r->end) {
        r->at++;
        return true;
    }
    *strict = false;
    return false;
}

/* Section 6.2.3: RFC 3339 with T, a zone, and at most six digits of fraction. */
static bool is_strict_time(const struct syslog_time *t, size_t size)
{
    int64_t ns;
    return t->iso && t->year && size == t->text.size && t->text.at[10] == 'T' && t->second < 60 &&
           t->fraction % 1000 == 0 && time_parse(t->text, &ns);
}

static bool take_time(struct rest *r, struct syslog_time *t, bool *strict)
{
    if (byte_at(r, 0) == '-' && byte_at(r, 1) == ' ') {
        r->at += 2;
        return true;
    }
    struct slice text = word(r);
    size_t size = syslog_time_read(text, t);
    if (size != text.size || !t->year || byte_at(r, size) != ' ') {
        return false;
    }
    *strict &= is_strict_time(t, size);
    r->at += size + 1;
    return true;
}

/* What stands between the header and the end: structured data, then a message. */
static void take_rest(struct rest *r, struct syslog_head *head, bool strict, struct slice version)
{
    if (take_data(r, &head->data)) {
        head->version = strict ? version : (struct slice){0};
        r->at += r->at < r->end;
        if (slice_starts(all(r), SLICE("\xEF\xBB\xBF"))) { /* section 6.4: MSG-UTF8 */
            r->at += 3;
        }
    }
    skip_blanks(r); /* rsyslog's template puts one there */
    head->message = all(r);
}

/* Behind the PRI. false: it is not RFC 5424, nor something near it. */
static bool read_5424(struct rest r, struct syslog_head *head)
{
    size_t digits = 0;
    bool strict = true;
    while (digits < 3 && slice_is_digit(byte_at(&r, digits))) {
        digits++;
    }
    struct slice version = slice_of(r.at, digits);
    if (digits == 0 || *r.at == '0' || byte_at(&r, digits) != ' ') {
        return false;
    }
    struct syslog_head h = *head; /* here: most lines have no version */
    /* Without a PRI, or where it is of another version, a time is needed to be sure. */
    bool known = head->pri >= 0;
    r.at += digits + 1;
    if ((!known && byte_at(&r, 0) == '-') || !take_time(&r, &h.time, &strict)) {
        return false;
    }
    strict &= known;
    if (!take_field(&r, LONGEST_HOST, &h.host, &strict) ||
            !take_field(&r, LONGEST_APP, &h.program, &strict) ||
            !take_field(&r, LONGEST_PROC, &h.pid, &strict) ||
            !take_field(&r, LONGEST_MSGID, &h.msgid, &strict)) {
        return false;
    }
    take_rest(&r, &h, strict, version);
    *head = h;
    return true;
}

/* ---- RFC 3164 and what is written under its name --------------------------------------------- */

/* "364241: " or "*" or "." in front of the time: Cisco's sequence number and doubt. */
static void skip_before_time(struct rest *r)
{
    size_t i = 0;
    skip_blanks(r);
    while (i < 12 && slice_is_digit(byte_at(r, i))) {
        i++;
    }
    if (i > 0 && byte_at(r, i) == ':' && byte_at(r, i + 1) == ' ') {
        r->at += i + 1;
    } else if (byte_at(r, 0) == ':') {
        r->at++;
    }
    skip_blanks(r);
    char next = byte_at(r, 1);
    if ((byte_at(r, 0) == '*' || byte_at(r, 0) == '.') && next >= 'A' && next <= 'Z') {
        r->at++;
    }
}

#define NAME(literal)                                                                              \
    {                                                                                              \
        (literal), sizeof(literal) - 1                                                             \
    }
static const struct {
    struct slice name;
    int8_t code;
} facilities[] = {{NAME("kern"), 0}, {NAME("user"), 1}, {NAME("mail"), 2}, {NAME("daemon"), 3},
        {NAME("auth"), 4}, {NAME("security"), 4}, {NAME("syslog"), 5}, {NAME("lpr"), 6},
        {NAME("news"), 7}, {NAME("uucp"), 8}, {NAME("cron"), 9}, {NAME("authpriv"), 10},
        {NAME("ftp"), 11}, {NAME("ntp"), 12}, {NAME("audit"), 13}, {NAME("local0"), 16},
        {NAME("local1"), 17}, {NAME("local2"), 18}, {NAME("local3"), 19}, {NAME("local4"), 20},
        {NAME("local5"), 21}, {NAME("local6"), 22}, {NAME("local7"), 23}},
  severities[] = {{NAME("emerg"), 0}, {NAME("panic"), 0}, {NAME("alert"), 1}, {NAME("crit"), 2},
          {NAME("critical"), 2}, {NAME("err"), 3}, {NAME("error"), 3}, {NAME("warning"), 4},
          {NAME("warn"), 4}, {NAME("notice"), 5}, {NAME("info"), 6}, {NAME("debug"), 7}};

static int facility_code(struct slice name)
{
    for (size_t i = 0; i < sizeof facilities / sizeof *facilities; i++) {
        if (slice_equal(name, facilities[i].name)) {
            return facilities[i].code;
        }
    }
    return -1;
}

static int severity_code(struct slice name)
{
    for (size_t i = 0; i < sizeof severities / sizeof *severities; i++) {
        if (slice_equal(name, severities[i].name)) {
            return severities[i].code;
        }
    }
    return -1;
}

/* "auth.info" as a PRI, or -1. */
static int level_of(struct slice text)
{
    struct slice facility = slice_cut(&text, '.');
    int f = facility_code(facility), s = severity_code(text);
    return f < 0 || s < 0 ? -1 : f * 8 + s;
}

/* "auth.info " or "<auth.info> " in front of the host. */
static void take_level(struct rest *r, struct syslog_head *head)
{
    struct slice w = word(r);
    struct slice name = w;
    if (w.size < 8 || w.size > 18 || !memchr(w.at, '.', w.size)) {
        return;
    }
    if (*w.at == '<' && w.at[w.size - 1] == '>') {
        name = slice_of(w.at + 1, w.size - 2);
    }
    int pri = level_of(name);
    if (pri >= 0) {
        head->pri = head->pri < 0 ? pri : head->pri;
        r->at += w.size;
        skip_blanks(r);
    }
}

/* Bytes that programs' names have: letters, digits, "-_./@+%#*", and all beyond ASCII. */
static bool is_tag_byte(char c)
{
    static const uint64_t low[2] = {0x03FFEC2800000000u, 0x07FFFFFE87FFFFFFu};
    unsigned char byte = (unsigned char)c;
    return byte >= 0x80 || (low[byte >> 6] >> (byte & 63) & 1);
}

enum { LONGEST_TAG = 128 };

/* [pid] at bytes `at` on; `at` is then behind it. false: brackets that hold no pid. */
static bool take_pid(struct slice text, size_t *at, struct slice *pid)
{
    if (*at == text.size || text.at[*at] != '[') {
        return true;
    }
    struct slice rest = slice_of(text.at + *at + 1, text.size - *at - 1);
    size_t close = 0; /* pids are short */
    while (close < rest.size && rest.at[close] != ']' && rest.at[close] != ' ') {
        close++;
    }
    if (close == rest.size || rest.at[close] == ' ') {
        return false;
    }
    *pid = slice_of(rest.at, close);
    *at += close + 2;
    return true;
}

/* Whether what stands behind a tag ends it: a colon and then a blank, or nothing; with a pid in
 * front a colon alone or a blank. */
static bool ends_tag(const struct rest *r, size_t at, bool pid)
{
    char c = byte_at(r, at), next = byte_at(r, at + 1);
    if (c == ':') {
        return pid || next == ' ' || next == '\0' || next == '[';
    }
    return pid && (at == left(r) || c == ' ');
}

/* program[pid]: or program: or program[pid] at the front; what stands in parentheses behind the
 * name is a module: `su(pam_unix)`. false: there is no such tag. */
static bool take_tag(struct rest *r, struct syslog_head *head)
{
    struct slice text = slice_of(r->at, left(r) < LONGEST_TAG ? left(r) : LONGEST_TAG);
    struct slice pid = {0}, module = {0};
    size_t i = 0;
    while (i < text.size && is_tag_byte(text.at[i])) {
        i++;
    }
    struct slice program = slice_of(text.at, i);
    if (i > 0 && i < text.size && text.at[i] == '(') {
        size_t close = slice_find_byte(text, ')');
        if (close < text.size) {
            module = slice_of(text.at + i + 1, close - i - 1);
            i = close + 1;
        }
    }
    if (!take_pid(text, &i, &pid) || !ends_tag(r, i, pid.at != NULL) ||
            (program.size == 0 && (!pid.at || byte_at(r, i) != ':'))) {
        return false;
    }
    head->program = program;
    head->module = module;
    head->pid = pid;
    r->at += i + (byte_at(r, i) == ':');
    return true;
}

/* A host in front of the tag or message. The word before " :" is one (Cisco). */
static bool take_host(struct rest *r, struct syslog_head *head)
{
    size_t size = 0, most = left(r) < LONGEST_HOST ? left(r) : LONGEST_HOST;
    while (size < most && r->at[size] != ' ') {
        char c = r->at[size++];
        if (c == '=' || c == '|' || c == '[' || c == '{') {
            return false;
        }
    }
    struct slice w = slice_of(r->at, size);
    if (size == 0 || byte_at(r, size) != ' ' || w.at[size - 1] == ':' || *w.at == '%') {
        return false;
    }
    head->host = w;
    r->at += w.size;
    skip_blanks(r);
    return true;
}

/* "notice apmd[1]:": F5 puts the severity in front of the program. */
static void skip_severity(struct rest *r)
{
    struct slice w = word(r);
    int code = w.size <= 8 ? severity_code(w) : -1;
    struct rest behind = {w.at + w.size, r->end};
    struct syslog_head tag = {0};
    if (code < 0) {
        return;
    }
    skip_blanks(&behind);
    if (take_tag(&behind, &tag)) {
        r->at = w.at + w.size;
        skip_blanks(r);
    }
}

/* "darktrace {": a name without a colon in front of JSON. */
static void take_name_of_json(struct rest *r, struct syslog_head *head)
{
    struct slice w = word(r);
    bool name = w.size > 0 && w.size < LONGEST_TAG && byte_at(r, w.size + 1) == '{';
    for (size_t i = 0; name && i < w.size; i++) {
        name = is_tag_byte(w.at[i]);
    }
    if (name) {
        head->program = w;
        r->at += w.size;
    }
}

/* A program that something stands in front of, or nothing behind. */
static void take_unusual(struct rest *r, struct syslog_head *head)
{
    if (byte_at(r, 0) == ':' && byte_at(r, 1) == ' ') {
        r->at++;
        skip_blanks(r);
    } else if (head->host.size > 0) {
        skip_severity(r);
    }
    if (!take_tag(r, head)) {
        take_name_of_json(r, head);
    }
}

/* Mnemonics are programs to Cisco: "%ASA-6-302013". */
static void take_message(struct rest *r, struct syslog_head *head)
{
    skip_blanks(r);
    if (head->program.size == 0 && !take_tag(r, head)) {
        take_unusual(r, head);
    }
    skip_blanks(r);
    head->message = all(r);
}

static void read_3164(struct rest r, struct syslog_time_memory *memory, struct syslog_head *head)
{
    const char *start = r.at;
    skip_before_time(&r);
    size_t size = syslog_time_recall(memory, all(&r), &head->time);
    if (size == 0) {
        r.at = start;
        skip_blanks(&r);
        /* With a PRI a tag may follow at once (journald's and libc's datagrams). */
        if (head->pri >= 0) {
            take_tag(&r, head);
        }
        skip_blanks(&r);
        head->message = all(&r);
        return;
    }
    r.at += size;
    skip_blanks(&r);
    take_level(&r, head);
    struct rest tagged = r;
    if (!take_tag(&tagged, head)) {
        take_host(&r, head);
    } else {
        r = tagged;
    }
    take_message(&r, head);
}

/* One by one: of the whole gcc makes a `rep stos`, which is slow to start. */
static void clear(struct syslog_head *head)
{
    static const struct slice none = {0};
    head->pri = -1;
    head->version = head->host = head->program = head->module = none;
    head->pid = head->msgid = head->data = head->message = none;
    head->time = (struct syslog_time){0};
}

void syslog_head_read(
        struct slice line, struct syslog_time_memory *memory, struct syslog_head *head)
{
    struct rest r = {line.at, line.at + line.size};
    clear(head);
    skip_length(&r);
    take_pri(&r, head);
    if (!read_5424(r, head)) {
        read_3164(r, memory, head);
    }
}
