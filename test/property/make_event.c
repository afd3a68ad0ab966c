#include "property/make_event.h"

#include "base/utf8.h"
#include "property/make_rule.h"

/* What one event is written with. */
struct writer {
    struct dice *dice;
    const struct words *words;
    struct buf *json;
    bool escapes; /* some characters as \u, `/` as `\/` */
    bool blanks;
    bool first; /* of the object that is open */
};

static const char *const other_fields[] = {"Other", "NewProcessName", "ParentProcessName", "a",
        "message", "Hash es", "TargetObject", "EventType", "image", "SourceName", "b",
        "MandatoryLabel", "MandatoryLabel"};
enum { OTHER_FIELDS = sizeof other_fields / sizeof *other_fields };

/* Channels and ids that route. */
static const struct {
    const char *channel;
    const char *id;
} sources[] = {{"Microsoft-Windows-Sysmon/Operational", "1"}, {"Security", "4688"},
        {"Security", "4624"}, {"Microsoft-Windows-Sysmon/Operational", "13"},
        {"Microsoft-Windows-Sysmon/Operational", "3"}, {"System", "7045"},
        {"Microsoft-Windows-Sysmon/Operational", "11"},
        {"MICROSOFT-WINDOWS-SYSMON/operational", "7"},
        {"Microsoft-Windows-PowerShell/Operational", "4104"}, {"Nothing", "1"}};
enum { SOURCES = sizeof sources / sizeof *sources };

/* ---- writing ------------------------------------------------------------------------------- */

static void blank(struct writer *w)
{
    if (w->blanks && dice_one_in(w->dice, 3)) {
        buf_byte(w->json, dice_one_in(w->dice, 4) ? '\t' : ' ');
    }
}

static void put_unit(struct writer *w, uint32_t unit)
{
    buf_format(w->json, dice_one_in(w->dice, 2) ? "\\u%04x" : "\\u%04X", unit);
}

static void put_escaped(struct writer *w, uint32_t code)
{
    if (code >= 0x10000) {
        put_unit(w, 0xD800 + ((code - 0x10000) >> 10));
        code = 0xDC00 + ((code - 0x10000) & 0x3FF);
    }
    put_unit(w, code);
}

static void put_character(struct writer *w, struct slice c)
{
    static const char short_escapes[] = "\"\\/\b\f\n\r\t";
    static const char letters[] = "\"\\/bfnrt";
    size_t size = c.size;
    unsigned char byte = (unsigned char)c.at[0];
    const char *found = c.size == 1 && byte ? strchr(short_escapes, c.at[0]) : NULL;
    bool must = byte < 0x20 || byte == '"' || byte == '\\';
    bool may = must || (w->escapes && byte == '/');
    bool valid = utf8_sequence(c.at, c.size) == c.size;
    if (found && may && !(w->escapes && dice_one_in(w->dice, 5))) {
        buf_byte(w->json, '\\');
        buf_byte(w->json, letters[found - short_escapes]);
    } else if (valid && (must || (w->escapes && dice_one_in(w->dice, 6)))) {
        put_escaped(w, utf8_decode(c.at, &size));
    } else {
        buf_add(w->json, c);
    }
}

static void put_string(struct writer *w, struct slice text)
{
    buf_byte(w->json, '"');
    for (size_t i = 0; i < text.size;) {
        size_t size = words_character(text, i);
        put_character(w, slice_of(text.at + i, size));
        i += size;
    }
    if (w->escapes && dice_one_in(w->dice, 60)) {
        buf_add(w->json, SLICE("\\uD83D")); /* half of a pair */
    }
    buf_byte(w->json, '"');
}

static void put_key(struct writer *w, struct slice key)
{
    if (!w->first) {
        buf_byte(w->json, ',');
    }
    w->first = false;
    blank(w);
    put_string(w, key);
    blank(w);
    buf_byte(w->json, ':');
    blank(w);
}

static void open_object(struct writer *w)
{
    buf_byte(w->json, '{');
    w->first = true;
}

static void close_object(struct writer *w)
{
    blank(w);
    buf_byte(w->json, '}');
    w->first = false;
}

/* ---- values -------------------------------------------------------------------------------- */

static void put_scalar(struct writer *w)
{
    static const char *const bare[] = {"null", "true", "false", "0", "1", "10", "4624", "-5", "1.5",
            "1.50", "1e3", "1000", "1E+3", "9007199254740993", "18446744073709551616", "-0", "0.1",
            "7", "10.0", "4688"};
    if (dice_one_in(w->dice, 5)) {
        buf_add(w->json, slice_text(bare[dice_below(w->dice, sizeof bare / sizeof *bare)]));
        return;
    }
    struct buf text = {0};
    words_mutated(w->words, w->dice, &text);
    put_string(w, text.size ? buf_slice(&text) : SLICE(""));
    buf_fini(&text);
}

/* Mostly a scalar; else an array (perhaps of arrays), or an object that nothing or something names.
 */
static void put_value(struct writer *w, unsigned depth)
{
    uint32_t kind = depth < 3 ? dice_below(w->dice, 24) : 23;
    bool first = w->first;
    if (kind == 0) {
        open_object(w);
        for (uint32_t n = dice_below(w->dice, 3); n > 0; n--) {
            put_key(w, dice_one_in(w->dice, 3) ? SLICE("#text") : SLICE("b"));
            put_value(w, depth + 1);
        }
        close_object(w);
    } else if (kind <= 2) {
        buf_byte(w->json, '[');
        uint32_t n =
                dice_one_in(w->dice, 60) ? 60 + dice_below(w->dice, 200) : dice_below(w->dice, 4);
        for (uint32_t i = 0; i < n; i++) {
            if (i) {
                buf_byte(w->json, ',');
            }
            blank(w);
            put_value(w, depth + 1);
        }
        buf_byte(w->json, ']');
    } else {
        put_scalar(w);
    }
    w->first = first;
}

static void put_member(struct writer *w, struct slice name)
{
    size_t dot = slice_find_byte(name, '.');
    if (dot < name.size && dice_one_in(w->dice, 2)) {
        put_key(w, slice_of(name.at, dot));
        open_object(w);
        put_member(w, slice_of(name.at + dot + 1, name.size - dot - 1));
        close_object(w);
        return;
    }
    put_key(w, name);
    put_value(w, 0);
}

/* Fields of the rules and others, some twice. */
static void put_data(struct writer *w)
{
    uint32_t count = dice_below(w->dice, 10);
    for (uint32_t i = 0; i < count; i++) {
        bool other = dice_one_in(w->dice, 6);
        put_member(w, slice_text(other ? other_fields[dice_below(w->dice, OTHER_FIELDS)]
                                       : make_rule_fields[dice_below(w->dice, MAKE_RULE_FIELDS)]));
    }
}

static void put_words(struct writer *w, const char *key, const char *value, bool quoted)
{
    put_key(w, slice_text(key));
    if (quoted) {
        put_string(w, slice_text(value));
    } else {
        buf_add(w->json, slice_text(value));
    }
}

/* ---- shapes -------------------------------------------------------------------------------- */

static void put_flat(struct writer *w, const char *channel, const char *id)
{
    put_words(w, "Channel", channel, true);
    put_words(w, "EventID", id, dice_one_in(w->dice, 2));
    put_data(w);
}

static void put_nested(struct writer *w, const char *channel, const char *id)
{
    put_key(w, SLICE("Event"));
    open_object(w);
    put_key(w, SLICE("System"));
    open_object(w);
    put_words(w, "Channel", channel, true);
    put_key(w, SLICE("EventID"));
    if (dice_one_in(w->dice, 3)) {
        open_object(w);
        put_key(w, SLICE("#attributes"));
        buf_add(w->json, SLICE("{\"Qualifiers\":16384}"));
        put_words(w, "#text", id, false);
        close_object(w);
    } else {
        buf_add(w->json, slice_text(id));
    }
    put_key(w, SLICE("Computer"));
    put_scalar(w);
    close_object(w);
    put_key(w, dice_one_in(w->dice, 4) ? SLICE("UserData") : SLICE("EventData"));
    open_object(w);
    if (dice_one_in(w->dice, 4)) {
        put_key(w, SLICE("Inner.x"));
        open_object(w);
        put_data(w);
        close_object(w);
    }
    put_data(w);
    close_object(w);
    close_object(w);
}

static void put_winlog(struct writer *w, const char *channel, const char *id)
{
    put_key(w, SLICE("winlog"));
    open_object(w);
    put_words(w, "channel", channel, true);
    put_words(w, "event_id", id, dice_one_in(w->dice, 2));
    put_key(w, SLICE("event_data"));
    open_object(w);
    put_data(w);
    close_object(w);
    close_object(w);
    if (dice_one_in(w->dice, 3)) {
        put_key(w, SLICE("process"));
        open_object(w);
        put_key(w, SLICE("command_line"));
        put_scalar(w);
        close_object(w);
    }
}

void make_event(struct dice *dice, const struct words *words, struct buf *json)
{
    struct writer w = {.dice = dice,
            .words = words,
            .json = json,
            .escapes = dice_one_in(dice, 3),
            .blanks = dice_one_in(dice, 3)};
    uint32_t s = dice_below(dice, SOURCES);
    open_object(&w);
    switch (dice_below(dice, 4)) {
    case 0:
        put_nested(&w, sources[s].channel, sources[s].id);
        break;
    case 1:
        put_winlog(&w, sources[s].channel, sources[s].id);
        break;
    case 2:
        put_data(&w);
        break;
    default:
        put_flat(&w, sources[s].channel, sources[s].id);
    }
    if (dice_one_in(dice, 5)) {
        put_data(&w);
    }
    close_object(&w);
    buf_byte(json, '\n');
}
