#include "decode/message_leef.h"

#include <string.h>

#include "decode/message_cef.h"

static int hex_value(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* The divider that a 2.0 header names; 0: it is none. */
static char named_divider(struct slice text)
{
    if (text.size == 0) {
        return '\t';
    }
    if (text.size == 1) {
        return *text.at;
    }
    if (slice_starts(text, SLICE("0x")) || slice_starts(text, SLICE("\\x"))) {
        text = slice_from(text, 1);
    }
    if (*text.at != 'x' || text.size < 2 || text.size > 3) {
        return 0;
    }
    int value = hex_value(text.at[1]);
    if (value >= 0 && text.size == 3) {
        int low = hex_value(text.at[2]);
        value = low < 0 ? -1 : value * 16 + low;
    }
    return value > 0 ? (char)value : 0;
}

/* One attribute; a name is what stands before the first '='. */
static void put_attribute(struct fields_sink *sink, struct slice text)
{
    size_t equals = slice_find_byte(text, '=');
    struct slice name = slice_trim(slice_of(text.at, equals));
    if (equals < text.size && name.size > 0) {
        message_named_text(sink, name, slice_trim(slice_from(text, equals + 1)));
    }
}

static void put_attributes(struct fields_sink *sink, struct slice text, struct slice divider)
{
    while (text.size > 0) {
        size_t end = slice_find(text, divider);
        put_attribute(sink, end == SIZE_MAX ? text : slice_of(text.at, end));
        text = end == SIZE_MAX ? (struct slice){0} : slice_from(text, end + divider.size);
    }
}

static bool is_two(struct slice version)
{
    return slice_starts(version, SLICE("2"));
}

bool message_leef(struct fields_sink *sink, struct slice text)
{
    static const int header[] = {MESSAGE_LEEF_VERSION, MESSAGE_DEVICE_VENDOR,
            MESSAGE_DEVICE_PRODUCT, MESSAGE_DEVICE_VERSION, MESSAGE_EVENT_ID};
    char divider = '\t';
    if (!slice_starts(text, SLICE("LEEF:"))) {
        return false;
    }
    text = slice_from(text, 5);
    struct slice version = text;
    for (size_t i = 0; i < sizeof header / sizeof *header; i++) {
        if (!message_cef_header(sink, &text, header[i])) {
            return i > 1;
        }
    }
    size_t bar = slice_find_byte(text, '|');
    /* A 2.0 sender may leave the divider's place out. */
    if (is_two(version) && bar <= 4 && bar < text.size) {
        char named = named_divider(slice_of(text.at, bar));
        divider = named ? named : divider;
        text = slice_from(text, bar + 1);
    }
    if (divider != '\t' || memchr(text.at, '\t', text.size)) {
        put_attributes(sink, text, slice_of(&divider, 1));
    } else if (slice_find(text, SLICE("#011")) != SIZE_MAX) {
        put_attributes(sink, text, SLICE("#011"));
    } else {
        message_cef_extension(sink, text);
    }
    return true;
}
