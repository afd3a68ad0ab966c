#include "decode/message.h"

#include <assert.h>
#include <string.h>

#include "decode/auditd_parse.h"
#include "decode/dnslog.h"
#include "decode/message_auth.h"
#include "decode/message_cef.h"
#include "decode/message_json.h"
#include "decode/message_leef.h"
#include "decode/message_pairs.h"
#include "decode/message_sshd.h"
#include "decode/message_sysmon.h"

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
    char c = name.size < 3 || name.size > 9 ? '\0' : *name.at;
    if (c != 't' && c != 'h' && c != 'f' && c != 'p') {
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

/* Letters, digits, "_-.". */
static bool is_name_byte(char c)
{
    static const uint64_t bytes[4] = {0x03FF600000000000u, 0x07FFFFFE87FFFFFEu};
    unsigned char byte = (unsigned char)c;
    return bytes[byte >> 6] >> (byte & 63) & 1;
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

/* The literal at the front of a sentence's rest stands at a text's front: its size, or SIZE_MAX. */
static inline size_t literal_at(const char *sentence, struct slice text)
{
    size_t i = 0;
    for (; (unsigned char)sentence[i] > MESSAGE_MORE; i++) {
        if (i == text.size || text.at[i] != sentence[i]) {
            return SIZE_MAX;
        }
    }
    return i;
}

/* The last place before `before` where the literal stands; SIZE_MAX: nowhere. */
static size_t last_place(struct slice text, size_t before, const char *literal)
{
    if ((unsigned char)*literal <= MESSAGE_MORE) {
        return before > text.size ? text.size : SIZE_MAX;
    }
    for (size_t i = before > text.size ? text.size : before; i > 0; i--) {
        struct slice rest = slice_of(text.at + i - 1, text.size - i + 1);
        if (*rest.at == *literal && literal_at(literal, rest) != SIZE_MAX) {
            return i - 1;
        }
    }
    return SIZE_MAX;
}

/* Part `part` ends at `place`; the text goes on there. */
static void end_part(struct slice *text, struct slice *part, size_t place)
{
    *part = slice_of(text->at, place);
    *text = slice_of(text->at + place, text->size - place);
}

/* The part without blanks in front of what the sentence says next. */
static bool take_part(struct slice *text, const char *next, struct slice *part)
{
    bool literal = (unsigned char)*next > MESSAGE_MORE;
    size_t i = 0;
    for (; i < text->size; i++) {
        struct slice rest = slice_of(text->at + i, text->size - i);
        if (literal && *rest.at == *next && literal_at(next, rest) != SIZE_MAX) {
            break;
        }
        if (*rest.at == ' ') {
            if (literal || *next != MESSAGE_MORE) {
                return false;
            }
            break;
        }
    }
    if (i == 0 || (i == text->size && literal)) {
        return false;
    }
    end_part(text, part, i);
    return true;
}

/* A part of any bytes that may end earlier, if what follows does not fit. */
struct choice {
    const char *next; /* the sentence behind it; NULL: there is none */
    struct slice text;
    int part;
    size_t before; /* the place where it ended, to be tried next to the left of */
};

enum { CHOICES = 16 }; /* places that are tried */

/* Ends the choice's part at the next place further left. */
static bool choose(struct choice *c, const char **sentence, struct slice *text, struct slice *parts)
{
    size_t place = last_place(c->text, c->before, c->next);
    if (place == SIZE_MAX) {
        return false;
    }
    c->before = place;
    *sentence = c->next;
    *text = c->text;
    end_part(text, &parts[c->part], place);
    return true;
}

/* To the next part, end or \7 of the sentence. */
static inline bool take_literal(const char **sentence, struct slice *text)
{
    size_t size = literal_at(*sentence, *text);
    if (size == SIZE_MAX) {
        return false;
    }
    *sentence += size;
    *text = slice_of(text->at + size, text->size - size);
    return **sentence != '\0' || text->size == 0;
}

/* The text stands behind the first `front` bytes of the sentence. */
static bool fits(
        const struct message_sentence *s, size_t front, struct slice text, struct slice *parts)
{
    const char *p = s->text + front;
    struct choice choice = {0};
    for (int tries = 0; tries < CHOICES;) {
        bool good = take_literal(&p, &text);
        if (good && (*p == '\0' || *p == MESSAGE_MORE)) {
            return true;
        }
        if (good) {
            int part = *p++ - 1;
            if (s->parts[part] & MESSAGE_ANY) {
                choice = (struct choice){p, text, part, text.size + 1};
                good = choose(&choice, &p, &text, parts);
            } else {
                good = take_part(&text, p, &parts[part]);
            }
        }
        if (!good) {
            tries++;
            if (!choice.next || !choose(&choice, &p, &text, parts)) {
                return false;
            }
        }
    }
    return false;
}

static void put_sentence(
        struct fields_sink *sink, const struct message_sentence *s, const struct slice *parts)
{
    if (s->action.size > 0) {
        fields_made(sink, MESSAGE_ACTION, s->action);
    }
    if (s->outcome.size > 0) {
        fields_made(sink, MESSAGE_OUTCOME, s->outcome);
    }
    for (int i = 0; i < MESSAGE_PARTS; i++) {
        int name = s->parts[i] & ~MESSAGE_ANY;
        if (parts[i].at && name != MESSAGE_NOTHING) {
            fields_put(sink, (size_t)name, parts[i]);
        }
    }
}

/* The first sentence of those sorted by first byte that begins with `byte` or a later one. */
static size_t first_of(const struct message_sentence *sentences, size_t count, unsigned char byte)
{
    size_t low = 0;
    while (count > 0) {
        size_t half = count / 2;
        if ((unsigned char)*sentences[low + half].text < byte) {
            low += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return low;
}

void message_settle(struct message_sentence *sentences, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        const char *a = sentences[i - 1].text, *b = sentences[i].text;
        uint8_t n = 0;
        while (n < UINT8_MAX && (unsigned char)a[n] > MESSAGE_MORE && a[n] == b[n]) {
            n++;
        }
        sentences[i].parts[MESSAGE_SHARED] = n;
    }
}

void message_settle_late(struct message_sentence *sentences, size_t count)
{
    message_settle(sentences, count);
    for (size_t i = 0; i < count; i++) {
        for (int p = 0; p < MESSAGE_PARTS && sentences[i].parts[p]; p++) {
            int name = sentences[i].parts[p] & ~MESSAGE_ANY;
            assert(name == MESSAGE_NOTHING ||
                    (name >= MESSAGE_SENTENCES && name < MESSAGE_SENTENCES_END));
        }
    }
}

/* Does the text begin with the sentence's plain bytes? *same: how many the sentence before has in
 * common with the text, and then this one. */
static inline bool begins(const struct message_sentence *s, struct slice text, size_t *same)
{
    size_t i = s->parts[MESSAGE_SHARED];
    if (i > *same) {
        return false; /* the byte that did not fit is here too */
    }
    while ((unsigned char)s->text[i] > MESSAGE_MORE && i < text.size && text.at[i] == s->text[i]) {
        i++;
    }
    *same = i;
    return (unsigned char)s->text[i] <= MESSAGE_MORE;
}

/* The sentences from `at` on that begin with what it begins with. */
static bool match_from(struct fields_sink *sink, struct slice text,
        const struct message_sentence *at, const struct message_sentence *end)
{
    size_t same = 0;
    for (char byte = at < end ? *at->text : '\0'; at < end && *at->text == byte; at++) {
        struct slice parts[MESSAGE_PARTS];
        if (!begins(at, text, &same)) {
            continue;
        }
        memset(parts, 0, sizeof parts);
        if (fits(at, same, slice_of(text.at + same, text.size - same), parts)) {
            put_sentence(sink, at, parts);
            return true;
        }
    }
    return false;
}

bool message_match(struct fields_sink *sink, struct slice text,
        const struct message_sentence *sentences, size_t count)
{
    const struct message_sentence *end = sentences + count;
    if (text.size > 0 && (unsigned char)*text.at > MESSAGE_MORE) {
        size_t first = first_of(sentences, count, (unsigned char)*text.at);
        if (first < count && *sentences[first].text == *text.at &&
                match_from(sink, text, sentences + first, end)) {
            return true;
        }
    }
    return (unsigned char)*sentences->text <= MESSAGE_MORE &&
           match_from(sink, text, sentences, end);
}

/* Does a rule name something that the sentences beginning as `at` does could give? */
static bool is_wanted(const struct fields_sink *sink, const struct message_sentence *at,
        const struct message_sentence *end)
{
    const struct path_edge *const *edges = sink->reader->edges;
    for (char byte = at < end ? *at->text : '\0'; at < end && *at->text == byte; at++) {
        for (int i = 0; i < MESSAGE_PARTS && at->parts[i]; i++) {
            int name = at->parts[i] & ~MESSAGE_ANY;
            if (name != MESSAGE_NOTHING && edges[name]) {
                return true;
            }
        }
    }
    return edges[MESSAGE_ACTION] || edges[MESSAGE_OUTCOME];
}

void message_match_wanted(struct fields_sink *sink, struct slice text,
        const struct message_sentence *sentences, size_t count, struct slice constants)
{
    const struct message_sentence *end = sentences + count;
    unsigned char byte = text.size > 0 ? (unsigned char)*text.at : 0;
    bool wanted =
            !sink->event || is_wanted(sink, sentences + first_of(sentences, count, byte), end);
    if (!wanted && (unsigned char)*sentences->text <= MESSAGE_MORE) {
        wanted = is_wanted(sink, sentences, end);
    }
    if (wanted) {
        (void)message_match(sink, text, sentences, count);
    } else {
        fields_remember(sink, constants);
    }
}

/* ---- by program ------------------------------------------------------------------------------ */

/* A program with a path is looked up by the path's last part, and one with a dash
 * of several (`postfix/smtpd`) by its first. */
static const struct program {
    struct slice name;
    message_parser *parse;
} programs[] = {
        {MESSAGE_TEXT("sshd"), message_sshd},
        {MESSAGE_TEXT("sudo"), message_auth_sudo},
        {MESSAGE_TEXT("CRON"), message_auth_cron},
        {MESSAGE_TEXT("systemd"), message_auth_systemd},
        {MESSAGE_TEXT("kernel"), message_pairs_kernel},
        {MESSAGE_TEXT("su"), message_auth_su},
        {MESSAGE_TEXT("anacron"), message_auth_cron},
        {MESSAGE_TEXT("chage"), message_auth_accounts},
        {MESSAGE_TEXT("chfn"), message_auth_accounts},
        {MESSAGE_TEXT("chsh"), message_auth_accounts},
        {MESSAGE_TEXT("cron"), message_auth_cron},
        {MESSAGE_TEXT("crond"), message_auth_cron},
        {MESSAGE_TEXT("crontab"), message_auth_cron},
        {MESSAGE_TEXT("dnsmasq"), dnslog_dnsmasq},
        {MESSAGE_TEXT("gpasswd"), message_auth_accounts},
        {MESSAGE_TEXT("groupadd"), message_auth_accounts},
        {MESSAGE_TEXT("groupdel"), message_auth_accounts},
        {MESSAGE_TEXT("groupmod"), message_auth_accounts},
        {MESSAGE_TEXT("named"), dnslog_bind},
        {MESSAGE_TEXT("passwd"), message_auth_accounts},
        {MESSAGE_TEXT("postfix"), message_pairs_postfix},
        {MESSAGE_TEXT("sshd-auth"), message_sshd},
        {MESSAGE_TEXT("sshd-session"), message_sshd},
        {MESSAGE_TEXT("sysmon"), message_sysmon},
        {MESSAGE_TEXT("systemd-logind"), message_auth_systemd},
        {MESSAGE_TEXT("unbound"), dnslog_unbound},
        {MESSAGE_TEXT("useradd"), message_auth_accounts},
        {MESSAGE_TEXT("userdel"), message_auth_accounts},
        {MESSAGE_TEXT("usermod"), message_auth_accounts},
        {MESSAGE_TEXT("audisp-syslog"), auditd_parse_message},
        {MESSAGE_TEXT("audispd"), auditd_parse_message},
        {MESSAGE_TEXT("audit"), auditd_parse_message},
        {MESSAGE_TEXT("auditd"), auditd_parse_message},
};

static message_parser *parser_of(struct slice name)
{
    for (size_t i = 0; name.size > 0 && i < sizeof programs / sizeof *programs; i++) {
        const struct slice *known = &programs[i].name;
        if (known->size == name.size && *known->at == *name.at && slice_equal(*known, name)) {
            return programs[i].parse;
        }
    }
    return NULL;
}

static message_parser *find_parser(struct slice program)
{
    size_t name = program.size; /* behind the last slash */
    while (name > 0 && program.at[name - 1] != '/') {
        name--;
    }
    if (name == 0) {
        return parser_of(program);
    }
    if (slice_starts(program, SLICE("postfix/"))) {
        return message_pairs_postfix;
    }
    return parser_of(slice_from(program, name));
}

/* rsyslog: "message repeated 3 times: [ Failed password for ...]". */
static struct slice unwrap_repeated(struct fields_sink *sink, struct slice text)
{
    static const struct message_sentence sentences[] = {
            {"last message repeated \1 times\7", {MESSAGE_REPEATED}, {0}, {0}},
            {"message repeated \1 times: [\2]", {MESSAGE_REPEATED, MESSAGE_NOTHING | MESSAGE_ANY},
                    {0}, {0}},
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
