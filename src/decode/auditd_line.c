#include "decode/auditd_line.h"

#include <string.h>

enum { ENVELOPE = 512 }; /* the first bytes of a line, in which its record begins */

#define SEPARATOR '\x1d'

/* Types that the kernel writes as numbers when no auditd runs: linux/audit.h. */
static const struct {
    struct slice number, name;
} types[] = {
        {{"1100", 4}, {"USER_AUTH", 9}},
        {{"1101", 4}, {"USER_ACCT", 9}},
        {{"1103", 4}, {"CRED_ACQ", 8}},
        {{"1104", 4}, {"CRED_DISP", 9}},
        {{"1105", 4}, {"USER_START", 10}},
        {{"1106", 4}, {"USER_END", 8}},
        {{"1107", 4}, {"USER_AVC", 8}},
        {{"1112", 4}, {"USER_LOGIN", 10}},
        {{"1113", 4}, {"USER_LOGOUT", 11}},
        {{"1114", 4}, {"ADD_USER", 8}},
        {{"1115", 4}, {"DEL_USER", 8}},
        {{"1116", 4}, {"ADD_GROUP", 9}},
        {{"1117", 4}, {"DEL_GROUP", 9}},
        {{"1123", 4}, {"USER_CMD", 8}},
        {{"1127", 4}, {"SYSTEM_BOOT", 11}},
        {{"1128", 4}, {"SYSTEM_SHUTDOWN", 15}},
        {{"1130", 4}, {"SERVICE_START", 13}},
        {{"1131", 4}, {"SERVICE_STOP", 12}},
        {{"1300", 4}, {"SYSCALL", 7}},
        {{"1302", 4}, {"PATH", 4}},
        {{"1305", 4}, {"CONFIG_CHANGE", 13}},
        {{"1306", 4}, {"SOCKADDR", 8}},
        {{"1307", 4}, {"CWD", 3}},
        {{"1309", 4}, {"EXECVE", 6}},
        {{"1320", 4}, {"EOE", 3}},
        {{"1323", 4}, {"MMAP", 4}},
        {{"1325", 4}, {"NETFILTER_CFG", 13}},
        {{"1326", 4}, {"SECCOMP", 7}},
        {{"1327", 4}, {"PROCTITLE", 9}},
        {{"1334", 4}, {"BPF", 3}},
        {{"1400", 4}, {"AVC", 3}},
        {{"1403", 4}, {"MAC_POLICY_LOAD", 15}},
        {{"1404", 4}, {"MAC_STATUS", 10}},
        {{"1700", 4}, {"ANOM_PROMISCUOUS", 16}},
        {{"1701", 4}, {"ANOM_ABEND", 10}},
};

static struct slice named(struct slice type)
{
    if (type.size == 4 && type.at[0] == '1') {
        for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
            if (slice_equal(types[i].number, type)) {
                return types[i].name;
            }
        }
    }
    return type;
}

/* The next word of *rest, which is then behind it and its blanks. */
static struct slice word(struct slice *rest)
{
    struct slice w = slice_cut(rest, ' ');
    while (rest->size > 0 && *rest->at == ' ') {
        rest->at++;
        rest->size--;
    }
    return w;
}

/* The host of a syslog envelope: "Nov 22 18:40:36 HOST", "2021-10-20T13:39:12Z HOST", both also
 * behind "<13>" or "<13>1 ". */
static struct slice envelope_host(struct slice envelope)
{
    if (envelope.size > 0 && *envelope.at == '<') {
        (void)slice_cut(&envelope, '>');
        if (slice_starts(envelope, SLICE("1 "))) {
            envelope = slice_of(envelope.at + 2, envelope.size - 2);
        }
    }
    int before = envelope.size > 0 && slice_is_digit(*envelope.at) ? 1 : 3;
    for (int i = 0; i < before; i++) {
        (void)word(&envelope);
    }
    struct slice host = word(&envelope);
    /* a tag: there was no host */
    return host.size > 0 && host.at[host.size - 1] == ':' ? (struct slice){0} : host;
}

/* "1493129355.852:624"; returns the bytes up to the closing parenthesis, 0: it is none. */
static size_t stamp_size(const char *at, const char *end)
{
    const char *p = at;
    int dots = 0, colons = 0;
    while (p < end && (slice_is_digit(*p) || *p == '.' || *p == ':')) {
        dots += *p == '.';
        colons += *p == ':';
        p++;
    }
    bool whole = p < end && *p == ')' && p > at && slice_is_digit(*at) && slice_is_digit(p[-1]);
    return whole && dots == 1 && colons == 1 ? (size_t)(p - at) : 0;
}

/* What stands before "audit(": [envelope] [node=N] type=T [msg=] */
static bool parse_front(struct slice front, struct auditd_line *out)
{
    if (slice_ends(front, SLICE("msg="))) {
        front.size -= 4;
    }
    if (front.size < 7 || front.at[front.size - 1] != ' ') {
        return false;
    }
    front.size--;
    const char *type = front.at + front.size;
    while (type > front.at && type[-1] != ' ') {
        type--;
    }
    struct slice last = slice_of(type, (size_t)(front.at + front.size - type));
    if (!slice_starts(last, SLICE("type=")) || last.size == 5) {
        return false;
    }
    out->type = named(slice_of(last.at + 5, last.size - 5));
    out->numbered = out->type.at != last.at + 5;
    front.size = (size_t)(type - front.at);
    out->enveloped = front.size > 0;
    out->node = (struct slice){0};
    if (!out->enveloped) {
        return true;
    }
    size_t node = slice_find(front, SLICE("node="));
    if (node != SIZE_MAX && (node == 0 || front.at[node - 1] == ' ')) {
        struct slice rest = slice_of(front.at + node + 5, front.size - node - 5);
        out->node = word(&rest);
    } else {
        out->node = envelope_host(front);
    }
    return true;
}

/* Where the event's stamp begins; NULL: nowhere. */
static const char *find_stamp(struct slice line)
{
    if (slice_starts(line, SLICE("type="))) {
        const char *blank = memchr(line.at, ' ', line.size < 64 ? line.size : 64);
        size_t left = blank ? (size_t)(line.at + line.size - blank) : 0;
        return left > 11 && memcmp(blank, " msg=audit(", 11) == 0 ? blank + 11 : NULL;
    }
    size_t at = slice_find(
            slice_of(line.at, line.size < ENVELOPE ? line.size : ENVELOPE), SLICE("audit("));
    return at == SIZE_MAX ? NULL : line.at + at + 6;
}

bool auditd_line_parse(struct slice line, struct auditd_line *out)
{
    const char *end = line.at + line.size;
    const char *stamp = find_stamp(line);
    size_t size = stamp ? stamp_size(stamp, end) : 0;
    if (size == 0 || !parse_front(slice_of(line.at, (size_t)(stamp - 6 - line.at)), out)) {
        return false;
    }
    const char *body = stamp + size + 1;
    body += body < end && *body == ':';
    out->stamp = slice_of(stamp, size);
    out->body = slice_of(body, (size_t)(end - body));
    return true;
}

/* ---- fields ---------------------------------------------------------------------------------- */

static void add_part(struct auditd_fields *f, struct slice text, bool enriched)
{
    if (f->count < AUDITD_PARTS && text.size > 0) {
        f->enriched[f->count] = enriched;
        f->parts[f->count++] = text;
    }
}

struct auditd_fields auditd_line_fields(const struct auditd_line *line)
{
    struct auditd_fields f = {.avc = slice_equal(line->type, SLICE("AVC")) ||
                                     slice_equal(line->type, SLICE("USER_AVC"))};
    struct slice body = line->body, more = {0};
    const char *gs = memchr(body.at, SEPARATOR, body.size);
    /* rsyslog writes it so */
    size_t escaped = gs || !line->enveloped ? SIZE_MAX : slice_find(body, SLICE("#035"));
    if (gs) {
        more = slice_of(gs + 1, (size_t)(body.at + body.size - gs - 1));
        body.size = (size_t)(gs - body.at);
    } else if (escaped != SIZE_MAX && escaped + 4 < body.size && body.at[escaped + 4] >= 'A' &&
               body.at[escaped + 4] <= 'Z') {
        more = slice_of(body.at + escaped + 4, body.size - escaped - 4);
        body.size = escaped;
    }
    add_part(&f, body, false);
    add_part(&f, more, true);
    return f;
}

static void drop(struct slice *rest, size_t bytes)
{
    rest->at += bytes;
    rest->size -= bytes;
}

/* SELinux's sentence: " denied  { read write } for  pid=..." One of its two fields at a time. */
static bool next_of_avc(struct slice *rest, struct auditd_field *out)
{
    while (rest->size > 0 && *rest->at == ' ') {
        drop(rest, 1);
    }
    struct slice found;
    if (slice_starts(*rest, SLICE("avc:"))) {
        drop(rest, 4);
        while (rest->size > 0 && *rest->at == ' ') {
            drop(rest, 1);
        }
        found = word(rest);
        out->name = SLICE("seresult");
    } else if (rest->size > 0 && *rest->at == '{') {
        drop(rest, 1);
        found = slice_trim(slice_cut(rest, '}'));
        out->name = SLICE("seperms");
    } else {
        return false;
    }
    out->value = found;
    out->quote = AUDITD_BARE;
    return found.size > 0;
}

/* "(hostname=?, addr=?, res=success)": the comma, or the parenthesis, is not part of it. */
static bool ends_list(struct slice value)
{
    char end = value.at[value.size - 1];
    return end == ',' || (end == ')' && slice_find_byte(value, '(') == value.size);
}

/* The value at the front of *rest, which is then behind it. */
static void take_value(struct slice *rest, struct auditd_field *out)
{
    char open = rest->size > 0 ? *rest->at : 0;
    if (open == '"') {
        drop(rest, 1);
        out->value = slice_cut(rest, '"');
        out->quote = AUDITD_QUOTED;
        return;
    }
    if (open == '{' || open == '\'') {
        drop(rest, 1);
        out->value = slice_cut(rest, open == '{' ? '}' : '\'');
        return;
    }
    const char *end = memchr(rest->at, ' ', rest->size);
    size_t size = end ? (size_t)(end - rest->at) : rest->size;
    out->value = slice_of(rest->at, size);
    if (size > 1 && ends_list(out->value)) {
        out->value.size--;
    }
    drop(rest, size);
}

/* A user's message: msg='op=login acct="root"'. An apostrophe in it does not end it. */
static bool take_message(struct auditd_fields *f, struct slice *rest, struct slice name)
{
    if (!slice_equal(name, SLICE("msg")) || rest->size == 0 || *rest->at != '\'') {
        return false;
    }
    const char *end = memrchr(rest->at, '\'', rest->size);
    size_t size = (size_t)(end - rest->at);
    add_part(f,
            size > 0 ? slice_of(rest->at + 1, size - 1) : slice_of(rest->at + 1, rest->size - 1),
            false);
    drop(rest, size > 0 ? size + 1 : rest->size);
    return true;
}

/* A name of at most this many bytes stands before '='. */
enum { NAME_SIZE = 64 };

/* What the kernel wrote as "old auid=" and "new auid=" before it had names of their own. */
static struct slice renamed(struct slice before, struct slice name)
{
    static const struct slice auid = {"auid", 4}, ses = {"ses", 3};
    if (slice_equal(before, SLICE("old"))) {
        return slice_equal(name, auid)  ? SLICE("old-auid")
               : slice_equal(name, ses) ? SLICE("old-ses")
                                        : name;
    }
    return name;
}

/* "name=" in *rest, which is then behind it; words before it are left out. false: there is none,
 * and *rest is empty. */
static bool take_name(struct slice *rest, struct slice *name)
{
    struct slice before = {0};
    while (rest->size > 0) {
        size_t i = 0;
        if (*rest->at == ' ' || *rest->at == ',' || *rest->at == '(') {
            drop(rest, 1);
            continue;
        }
        while (i < rest->size && i < NAME_SIZE && rest->at[i] != '=' && rest->at[i] != ' ') {
            i++;
        }
        *name = slice_of(rest->at, i);
        if (i > 0 && i < rest->size && rest->at[i] == '=') {
            *name = renamed(before, *name);
            drop(rest, i + 1);
            return true;
        }
        before = *name;
        drop(rest, i ? i : 1);
    }
    return false;
}

static bool next_of_part(struct auditd_fields *f, struct slice *rest, struct auditd_field *out)
{
    bool enriched = f->enriched[f->part];
    while (rest->size > 0) {
        if (f->avc && next_of_avc(rest, out)) {
            return true;
        }
        out->quote = AUDITD_BARE;
        if (!take_name(rest, &out->name) || take_message(f, rest, out->name)) {
            continue;
        }
        take_value(rest, out);
        if (!enriched) {
            return true;
        }
        out->quote = AUDITD_ENRICHED;
        if (!slice_equal(out->name, SLICE("SADDR"))) {
            return true;
        }
        add_part(f, out->value, true);
    }
    return false;
}

bool auditd_line_next(struct auditd_fields *fields, struct auditd_field *out)
{
    for (; fields->part < fields->count; fields->part++) {
        if (next_of_part(fields, &fields->parts[fields->part], out)) {
            return true;
        }
    }
    return false;
}
