#include "decode/message.h"

#include <string.h>

#include "decode/auditd_parse.h"
#include "decode/dnslog.h"
#include "decode/message_auth.h"
#include "decode/message_cef.h"
#include "decode/message_json.h"
#include "decode/message_leef.h"
#include "decode/message_pairs.h"
#include "decode/message_sshd.h"

const char *const message_names[MESSAGE_NAME_COUNT] = {
#define MESSAGE_NAME(id, text) [MESSAGE_##id] = (text),
        MESSAGE_NAMES(MESSAGE_NAME)
#undef MESSAGE_NAME
};

/* ---- names that a message gives -------------------------------------------------------------- */

bool message_reserved(struct slice name)
{
    /* The header's names that say when, where and by whom; no others begin so. */
    static const uint8_t names[] = {
            MESSAGE_TIMESTAMP, MESSAGE_HOST, MESSAGE_FACILITY, MESSAGE_PROGRAM, MESSAGE_PID};
    if (name.size < 3 || name.size > 9 || !strchr("thfp", *name.at)) {
        return false;
    }
    for (size_t i = 0; i < sizeof names; i++) {
        if (slice_equal(name, slice_text(message_names[names[i]]))) {
            return true;
        }
    }
    return false;
}

void message_named(struct fields_sink *sink, struct slice name, const struct value *value)
{
    static const char prefix[] = "data.";
    if (name.size > 0 && message_reserved(name)) {
        char *made = arena_alloc(sink->scratch, sizeof prefix - 1 + name.size, 1);
        if (!made) {
            return;
        }
        memcpy(made, prefix, sizeof prefix - 1);
        memcpy(made + sizeof prefix - 1, name.at, name.size);
        name = slice_of(made, sizeof prefix - 1 + name.size);
    }
    fields_named_value(sink, name, value);
}

void message_named_text(struct fields_sink *sink, struct slice name, struct slice text)
{
    struct value value = {.text = text, .kind = VALUE_STRING};
    message_named(sink, name, &value);
}

void message_named_made(struct fields_sink *sink, struct slice name, struct slice text)
{
    fields_remember(sink, text);
    message_named_text(sink, name, text);
}

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
}

bool message_pair_name(struct slice *text, struct slice *name)
{
    enum { LONGEST = 128 };
    size_t start = 0;
    while (start < text->size && (text->at[start] == ' ' || text->at[start] == '\t')) {
        start++;
    }
    size_t end = start;
    while (end < text->size && end - start <= LONGEST && is_name_byte(text->at[end])) {
        end++;
    }
    if (end == start || end == text->size || text->at[end] != '=') {
        return false;
    }
    *name = slice_of(text->at + start, end - start);
    *text = slice_of(text->at + end + 1, text->size - end - 1);
    return true;
}

/* ---- sentences ------------------------------------------------------------------------------- */

/* Where `size` bytes of `what` stand first (or last) in a text; SIZE_MAX: nowhere. */
static size_t place_of(struct slice text, const char *what, size_t size, bool last)
{
    if (!last) {
        return slice_find(text, slice_of(what, size));
    }
    for (size_t i = text.size < size ? 0 : text.size - size + 1; i > 0; i--) {
        if (memcmp(text.at + i - 1, what, size) == 0) {
            return i - 1;
        }
    }
    return SIZE_MAX;
}

/* The part in front of the literal at `next`, which ends where another part or the sentence does.
 * false: the literal does not follow. */
static bool take_part(struct slice *text, const char *next, bool any, struct slice *part)
{
    size_t size = 0, place;
    while ((unsigned char)next[size] > MESSAGE_MORE) {
        size++;
    }
    if (size > 0) {
        place = place_of(*text, next, size, any);
    } else if (*next == MESSAGE_MORE && !any) {
        place = slice_find_byte(*text, ' ');
    } else {
        place = text->size;
    }
    if (place == SIZE_MAX) {
        return false;
    }
    *part = slice_of(text->at, place);
    *text = slice_of(text->at + place, text->size - place);
    return any || (place > 0 && !memchr(part->at, ' ', place));
}

static bool fits(const struct message_sentence *s, struct slice text, struct slice *parts)
{
    const char *p = s->text;
    for (;;) {
        while ((unsigned char)*p > MESSAGE_MORE) {
            if (text.size == 0 || *text.at != *p) {
                return false;
            }
            text = slice_of(text.at + 1, text.size - 1);
            p++;
        }
        if (*p == '\0') {
            return text.size == 0;
        }
        if (*p == MESSAGE_MORE) {
            return true;
        }
        int part = *p++ - 1;
        if (!take_part(&text, p, s->parts[part] & MESSAGE_ANY, &parts[part])) {
            return false;
        }
    }
}

static void put_sentence(
        struct fields_sink *sink, const struct message_sentence *s, const struct slice *parts)
{
    if (s->action) {
        fields_made(sink, MESSAGE_ACTION, slice_text(s->action));
    }
    if (s->outcome) {
        fields_made(sink, MESSAGE_OUTCOME, slice_text(s->outcome));
    }
    for (int i = 0; i < MESSAGE_PARTS; i++) {
        int name = s->parts[i] & ~MESSAGE_ANY;
        if (parts[i].at && name != MESSAGE_NOTHING) {
            fields_put(sink, (size_t)name, parts[i]);
        }
    }
}

bool message_match(struct fields_sink *sink, struct slice text,
        const struct message_sentence *sentences, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct slice parts[MESSAGE_PARTS];
        if (text.size == 0 || *sentences[i].text != *text.at) {
            if ((unsigned char)*sentences[i].text > MESSAGE_MORE) {
                continue;
            }
        }
        memset(parts, 0, sizeof parts);
        if (fits(&sentences[i], text, parts)) {
            put_sentence(sink, &sentences[i], parts);
            return true;
        }
    }
    return false;
}

/* ---- by program ------------------------------------------------------------------------------ */

/* Sorted by name; a program with a path is looked up by the path's last part, and one with a dash
 * of several (`postfix/smtpd`) by its first. */
static const struct program {
    const char *name;
    message_parser *parse;
} programs[] = {
        {"CRON", message_auth_cron},
        {"anacron", message_auth_cron},
        {"audisp-syslog", auditd_parse_message},
        {"audispd", auditd_parse_message},
        {"audit", auditd_parse_message},
        {"auditd", auditd_parse_message},
        {"chage", message_auth_accounts},
        {"chfn", message_auth_accounts},
        {"chsh", message_auth_accounts},
        {"cron", message_auth_cron},
        {"crond", message_auth_cron},
        {"crontab", message_auth_cron},
        {"dnsmasq", dnslog_dnsmasq},
        {"gpasswd", message_auth_accounts},
        {"groupadd", message_auth_accounts},
        {"groupdel", message_auth_accounts},
        {"groupmod", message_auth_accounts},
        {"kernel", message_pairs_kernel},
        {"named", dnslog_bind},
        {"passwd", message_auth_accounts},
        {"postfix", message_pairs_postfix},
        {"sshd", message_sshd},
        {"sshd-auth", message_sshd},
        {"sshd-session", message_sshd},
        {"su", message_auth_su},
        {"sudo", message_auth_sudo},
        {"systemd", message_auth_systemd},
        {"systemd-logind", message_auth_systemd},
        {"unbound", dnslog_unbound},
        {"useradd", message_auth_accounts},
        {"userdel", message_auth_accounts},
        {"usermod", message_auth_accounts},
};

static message_parser *parser_of(struct slice name)
{
    size_t low = 0, high = sizeof programs / sizeof *programs;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = slice_compare(slice_text(programs[middle].name), name);
        if (order == 0) {
            return programs[middle].parse;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

static message_parser *find_parser(struct slice program)
{
    const char *slash = program.size ? memrchr(program.at, '/', program.size) : NULL;
    if (!slash) {
        return parser_of(program);
    }
    if (slice_starts(program, SLICE("postfix/"))) {
        return message_pairs_postfix;
    }
    size_t path = (size_t)(slash + 1 - program.at);
    return parser_of(slice_of(program.at + path, program.size - path));
}

/* rsyslog: "message repeated 3 times: [ Failed password for ...]". */
static struct slice unwrap_repeated(struct fields_sink *sink, struct slice text)
{
    static const struct message_sentence sentences[] = {
            {"message repeated \1 times: [\2]", {MESSAGE_REPEATED, MESSAGE_NOTHING | MESSAGE_ANY},
                    NULL, NULL},
            {"last message repeated \1 times\7", {MESSAGE_REPEATED}, NULL, NULL},
    };
    if (text.size < 20 || (*text.at != 'm' && *text.at != 'l') ||
            !message_match(sink, text, sentences, 2)) {
        return text;
    }
    size_t open = slice_find_byte(text, '[');
    return *text.at == 'l' ? text : slice_trim(slice_of(text.at + open + 1, text.size - open - 2));
}

/* Solaris: "[ID 800047 auth.info] Failed password for ...". */
static struct slice skip_solaris_id(struct slice text)
{
    size_t close;
    if (!slice_starts(text, SLICE("[ID ")) || (close = slice_find_byte(text, ']')) == text.size) {
        return text;
    }
    return slice_trim(slice_of(text.at + close + 1, text.size - close - 1));
}

/* A payload of any program. */
static void read_payload(struct fields_sink *sink, struct slice text)
{
    if (message_cef(sink, text) || message_leef(sink, text) || message_json(sink, text)) {
        return;
    }
    (void)message_pairs(sink, text);
}

void message_read(struct fields_sink *sink, struct slice program, struct slice text)
{
    text = skip_solaris_id(unwrap_repeated(sink, text));
    if (text.size == 0) {
        return;
    }
    if (program.size > 0) {
        message_parser *parse = find_parser(program);
        if (parse && parse(sink, program, text)) {
            return;
        }
        if (message_auth_pam(sink, program, text)) {
            return;
        }
    }
    read_payload(sink, text);
}
