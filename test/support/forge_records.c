#include "support/forge_records.h"

#include <string.h>

#define BYTES(literal) slice_of(literal, sizeof(literal) - 1)
#define WIDE_A BYTES("A\0")
#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- templates --------------------------------------------------------------------------- */

/* <Event><System><EventID Qualifiers="%0">%1</EventID><Level>%2</Level></System>%3</Event> */
static void event_template(struct forge *f)
{
    forge_open(f, "Event", false);
    forge_start(f);
    forge_open(f, "System", false);
    forge_start(f);
    forge_open(f, "EventID", true);
    forge_attribute(f, "Qualifiers");
    forge_slot(f, 0, EVTX_UINT16);
    forge_start(f);
    forge_slot(f, 1, EVTX_UINT16);
    forge_close(f);
    forge_open(f, "Level", false);
    forge_start(f);
    forge_slot(f, 2, EVTX_UINT8);
    forge_close(f);
    forge_close(f);
    forge_slot(f, 3, EVTX_BINXML);
    forge_close(f);
}

static void data_template(struct forge *f)
{
    forge_open(f, "EventData", false);
    forge_start(f);
    forge_data(f, "A", 0, EVTX_STRING);
    forge_data(f, "B", 1, EVTX_UINT32);
    forge_close(f);
}

static void plain_data_template(struct forge *f)
{
    forge_open(f, "EventData", false);
    forge_start(f);
    forge_data(f, NULL, 0, EVTX_STRING);
    forge_data(f, NULL, 1, EVTX_STRING);
    forge_open(f, "Binary", false);
    forge_start(f);
    forge_slot(f, 2, EVTX_BINARY);
    forge_close(f);
    forge_close(f);
}

static void one_data_template(struct forge *f)
{
    forge_open(f, "EventData", false);
    forge_start(f);
    forge_data(f, NULL, 0, EVTX_STRING);
    forge_close(f);
}

static void same_names_template(struct forge *f)
{
    forge_open(f, "EventData", false);
    forge_start(f);
    forge_data(f, "A", 0, EVTX_STRING);
    forge_data(f, "B", 1, EVTX_STRING);
    forge_data(f, "A", 2, EVTX_STRING);
    forge_data(f, NULL, 3, EVTX_STRING);
    forge_close(f);
}

static void user_template(struct forge *f)
{
    forge_open(f, "UserData", false);
    forge_start(f);
    forge_open(f, "C", true);
    forge_attribute(f, "A");
    forge_slot(f, 0, EVTX_STRING);
    forge_attribute(f, "B");
    forge_text(f, "fixed");
    forge_start(f);
    forge_open(f, "x", false);
    forge_start(f);
    forge_slot(f, 1, EVTX_STRING);
    forge_close(f);
    forge_open(f, "x", false);
    forge_empty(f);
    forge_leaf(f, "x", "third");
    forge_close(f);
    forge_close(f);
}

/* Text and slots in one element. */
static void mixed_template(struct forge *f)
{
    forge_open(f, "Event", true);
    forge_attribute(f, "A");
    forge_text(f, "a");
    forge_slot(f, 0, EVTX_STRING);
    forge_start(f);
    forge_text(f, "<");
    forge_slot(f, 0, EVTX_STRING);
    forge_entity(f, "amp");
    forge_entity(f, "other");
    forge_slot(f, 1, EVTX_UINT8);
    forge_u8(f, 0x08); /* a character */
    forge_u16(f, 0xe9);
    forge_u8(f, 0x07); /* CDATA */
    forge_u16(f, 2);
    forge_wide(f, "]>");
    forge_u8(f, 0x0a); /* a processing instruction leaves nothing */
    forge_name(f, "A");
    forge_u8(f, 0x0b);
    forge_u16(f, 1);
    forge_wide(f, "p");
    forge_close(f);
}

static void repeated_template(struct forge *f)
{
    forge_open(f, "Event", false);
    forge_start(f);
    forge_open(f, "A", true);
    forge_attribute(f, "B");
    forge_slot(f, 1, EVTX_ARRAY | EVTX_UINT16);
    forge_start(f);
    forge_slot(f, 0, EVTX_ARRAY | EVTX_STRING);
    forge_close(f);
    forge_close(f);
}

static void all_types_template(struct forge *f)
{
    forge_open(f, "Event", false);
    forge_start(f);
    forge_open(f, "EventData", false);
    forge_start(f);
    static const char *const names[] = {"t0", "t1", "t2", "t3", "t4", "t5", "t6", "t7", "t8", "t9",
            "ta", "tb", "tc", "td", "te", "tf", "t10", "t11", "t12", "t13", "t14", "t15"};
    for (uint16_t i = 0; i < COUNT(names); i++) {
        forge_data(f, names[i], i, (uint8_t)i);
    }
    forge_close(f);
    forge_close(f);
}

/* ---- records ----------------------------------------------------------------------------- */

/* The outer instance; the fragment is made in a buffer of its own place: behind the values. */
static void event_around(struct forge *f, struct slice qualifiers, forge_body *inner)
{
    forge_instance(f, 1, event_template);
    forge_u32(f, 4);
    size_t sizes_at = f->out.size;
    const struct forge_value values[] = {{qualifiers.size ? EVTX_UINT16 : EVTX_NULL, qualifiers},
            {EVTX_UINT16, BYTES("\x10\x12")}, {EVTX_UINT8, BYTES("\4")}, {EVTX_BINXML, {0}}};
    for (size_t i = 0; i < COUNT(values); i++) {
        forge_u16(f, (uint16_t)values[i].bytes.size);
        forge_u16(f, values[i].type);
    }
    for (size_t i = 0; i < COUNT(values); i++) {
        buf_add(&f->out, values[i].bytes);
    }
    size_t start = f->out.size;
    if (inner) {
        inner(f);
    }
    size_t size = f->out.size - start;
    if (!f->out.failed) {
        f->out.at[sizes_at + 12] = (char)size;
        f->out.at[sizes_at + 13] = (char)(size >> 8);
    }
}

static void data_instance(struct forge *f)
{
    const struct forge_value values[] = {
            {EVTX_STRING, BYTES("C\0:\0\\\0\"\0")}, {EVTX_UINT32, BYTES("\1\0\0\0")}};
    forge_fragment(f);
    forge_instance(f, 2, data_template);
    forge_values(f, 2, values);
    forge_u8(f, 0);
}

static void usual(struct forge *f)
{
    event_around(f, (struct slice){0}, data_instance);
}

static void with_qualifiers(struct forge *f)
{
    event_around(f, BYTES("\0\x80"), data_instance);
}

static void without_data(struct forge *f)
{
    event_around(f, (struct slice){0}, NULL);
}

static void unset_data_instance(struct forge *f)
{
    const struct forge_value values[] = {{EVTX_NULL, {0}}, {EVTX_NULL, BYTES("\0\0\0\0")}};
    forge_instance(f, 2, data_template);
    forge_values(f, 2, values);
}

static void unset_data(struct forge *f)
{
    event_around(f, (struct slice){0}, unset_data_instance);
}

static void few_values_instance(struct forge *f)
{
    forge_instance(f, 2, data_template);
    forge_values(f, 0, NULL);
}

static void fewer_values_than_slots(struct forge *f)
{
    event_around(f, (struct slice){0}, few_values_instance);
}

static void plain_instance(struct forge *f)
{
    const struct forge_value values[] = {{EVTX_STRING, WIDE_A},
            {EVTX_ARRAY | EVTX_STRING, BYTES("B\0\0\0\0\0C\0\0\0")}, {EVTX_BINARY, BYTES("\x0a")}};
    forge_instance(f, 3, plain_data_template);
    forge_values(f, 3, values);
}

static void plain_data(struct forge *f)
{
    event_around(f, (struct slice){0}, plain_instance);
}

static void one_instance(struct forge *f)
{
    const struct forge_value values[] = {{EVTX_STRING, WIDE_A}};
    forge_instance(f, 4, one_data_template);
    forge_values(f, 1, values);
}

static void one_plain(struct forge *f)
{
    event_around(f, (struct slice){0}, one_instance);
}

static void one_array_instance(struct forge *f)
{
    const struct forge_value values[] = {{EVTX_ARRAY | EVTX_UINT16, BYTES("\1\0")}};
    forge_instance(f, 4, one_data_template);
    forge_values(f, 1, values);
}

static void array_of_one(struct forge *f)
{
    event_around(f, (struct slice){0}, one_array_instance);
}

static void numbers_instance(struct forge *f)
{
    const struct forge_value values[] = {{EVTX_ARRAY | EVTX_UINT16, BYTES("\1\0\2\0")}};
    forge_instance(f, 4, one_data_template);
    forge_values(f, 1, values);
}

static void array_of_numbers(struct forge *f)
{
    event_around(f, (struct slice){0}, numbers_instance);
}

static void broken_items_instance(struct forge *f)
{
    const struct forge_value values[] = {
            {EVTX_ARRAY | EVTX_SID, BYTES("\1\0\0\0\0\0\0\5\1\xff\0")}};
    forge_instance(f, 4, one_data_template);
    forge_values(f, 1, values);
}

static void array_with_a_broken_item(struct forge *f)
{
    event_around(f, (struct slice){0}, broken_items_instance);
}

static void same_names_instance(struct forge *f)
{
    const struct forge_value values[] = {{EVTX_STRING, WIDE_A}, {EVTX_STRING, BYTES("B\0")},
            {EVTX_STRING, BYTES("C\0")}, {EVTX_STRING, BYTES("D\0")}};
    forge_instance(f, 5, same_names_template);
    forge_values(f, 4, values);
}

static void same_names(struct forge *f)
{
    event_around(f, (struct slice){0}, same_names_instance);
}

static void user_instance(struct forge *f)
{
    const struct forge_value values[] = {{EVTX_STRING, WIDE_A}, {EVTX_STRING, BYTES("\0\0Z\0")}};
    forge_instance(f, 6, user_template);
    forge_values(f, 2, values);
}

static void user_data(struct forge *f)
{
    event_around(f, (struct slice){0}, user_instance);
}

static void two_roots(struct forge *f)
{
    forge_fragment(f);
    data_instance(f);
    f->out.size--; /* not the end yet */
    forge_open(f, "RenderingInfo", false);
    forge_start(f);
    forge_leaf(f, "A", "rendered");
    forge_close(f);
    forge_u8(f, 0);
}

static void two_elements_in_a_value(struct forge *f)
{
    event_around(f, (struct slice){0}, two_roots);
}

static void literal_inner(struct forge *f)
{
    forge_open(f, "System", false);
    forge_empty(f);
}

static void a_fragment_named_like_its_sibling(struct forge *f)
{
    event_around(f, (struct slice){0}, literal_inner);
}

static void mixed(struct forge *f)
{
    const struct forge_value values[] = {{EVTX_STRING, WIDE_A}, {EVTX_UINT8, BYTES("\7")}};
    forge_instance(f, 7, mixed_template);
    forge_values(f, 2, values);
}

static void repeated(struct forge *f)
{
    const struct forge_value values[] = {{EVTX_ARRAY | EVTX_STRING, BYTES("x\0\0\0\0\0")},
            {EVTX_ARRAY | EVTX_UINT16, BYTES("\1\0\2\0")}};
    forge_instance(f, 8, repeated_template);
    forge_values(f, 2, values);
}

static void all_types(struct forge *f)
{
    const struct forge_value values[] = {{EVTX_NULL, {0}}, {EVTX_STRING, WIDE_A},
            {EVTX_ANSI, BYTES("\xe4\0")}, {EVTX_INT8, BYTES("\xff")}, {EVTX_UINT8, BYTES("\xff")},
            {EVTX_INT16, BYTES("\xff\xff")}, {EVTX_UINT16, BYTES("\xff\xff")},
            {EVTX_INT32, BYTES("\xff\xff\xff\xff")}, {EVTX_UINT32, BYTES("\xff\xff\xff\xff")},
            {EVTX_INT64, BYTES("\xff\xff\xff\xff\xff\xff\xff\xff")},
            {EVTX_UINT64, BYTES("\xff\xff\xff\xff\xff\xff\xff\xff")},
            {EVTX_REAL32, BYTES("\0\0\xc0\x3f")}, {EVTX_REAL64, BYTES("\0\0\0\0\0\0\xf8\x3f")},
            {EVTX_BOOL, BYTES("\1\0\0\0")}, {EVTX_BINARY, BYTES("\1\2")},
            {EVTX_GUID, BYTES("0123456789abcdef")}, {EVTX_SIZE, BYTES("\1\0\0\0")},
            {EVTX_FILETIME, BYTES("\0\0\0\0\0\0\0\0")},
            {EVTX_SYSTEMTIME, BYTES("\xe5\7\1\0\0\0\2\0\3\0\4\0\5\0\6\0")},
            {EVTX_SID, BYTES("\1\1\0\0\0\0\0\5\x12\0\0\0")}, {EVTX_HEX32, BYTES("\0\0\0\1")},
            {EVTX_HEX64, BYTES("\0\0\0\0\0\0\0\1")}};
    forge_instance(f, 9, all_types_template);
    forge_values(f, COUNT(values), values);
}

static void no_template(struct forge *f)
{
    forge_open(f, "Event", true);
    forge_attribute(f, "xmlns");
    forge_text(f, "x");
    forge_start(f);
    forge_open(f, "System", false);
    forge_start(f);
    forge_open(f, "EventID", true);
    forge_attribute(f, "Qualifiers");
    forge_text(f, "5");
    forge_start(f);
    forge_text(f, "42");
    forge_close(f);
    forge_open(f, "A", false);
    forge_empty(f);
    forge_open(f, "A", true);
    forge_attribute(f, "B");
    forge_text(f, "b");
    forge_empty(f);
    forge_close(f);
    forge_open(f, "EventData", false);
    forge_start(f);
    forge_open(f, "Data", true);
    forge_attribute(f, "Name");
    forge_text(f, "A");
    forge_start(f);
    forge_text(f, "1\t2");
    forge_close(f);
    forge_open(f, "Data", true);
    forge_attribute(f, "Name");
    forge_text(f, "B");
    forge_empty(f);
    forge_leaf(f, "Data", "plain");
    forge_open(f, "Data", false);
    forge_empty(f);
    forge_close(f);
    forge_close(f);
}

static void no_element(struct forge *f)
{
    (void)f;
}

#define SYSTEM "{\"Event\":{\"System\":{\"EventID\":4624,\"Level\":4}"

const struct forge_record_kind forge_record_kinds[] = {
        {"usual", usual, SYSTEM ",\"EventData\":{\"A\":\"C:\\\\\\\"\",\"B\":1}}}"},
        {"with_qualifiers", with_qualifiers,
                "{\"Event\":{\"System\":{\"EventID\":{\"#attributes\":{\"Qualifiers\":32768},"
                "\"#text\":4624},\"Level\":4},\"EventData\":{\"A\":\"C:\\\\\\\"\",\"B\":1}}}"},
        {"without_data", without_data, SYSTEM "}}"},
        {"unset_data", unset_data, SYSTEM ",\"EventData\":{\"A\":\"\",\"B\":\"\"}}}"},
        {"fewer_values_than_slots", fewer_values_than_slots,
                SYSTEM ",\"EventData\":{\"A\":\"\",\"B\":\"\"}}}"},
        {"plain_data", plain_data,
                SYSTEM ",\"EventData\":{\"Data\":{\"#text\":[\"A\",\"B\",\"\",\"C\"]},"
                       "\"Binary\":\"0A\"}}}"},
        {"one_plain", one_plain, SYSTEM ",\"EventData\":{\"Data\":{\"#text\":\"A\"}}}}"},
        {"array_of_one", array_of_one, SYSTEM ",\"EventData\":{\"Data\":{\"#text\":\"1\"}}}}"},
        {"array_of_numbers", array_of_numbers,
                SYSTEM ",\"EventData\":{\"Data\":{\"#text\":[1,2]}}}}"},
        {"array_with_a_broken_item", array_with_a_broken_item,
                SYSTEM ",\"EventData\":{\"Data\":{\"#text\":[\"S-1-5\",\"01FF00\"]}}}}"},
        {"same_names", same_names,
                SYSTEM ",\"EventData\":{\"A\":[\"A\",\"C\"],\"B\":\"B\","
                       "\"Data\":{\"#text\":\"D\"}}}}"},
        {"user_data", user_data,
                SYSTEM ",\"UserData\":{\"C\":{\"#attributes\":{\"A\":\"A\",\"B\":\"fixed\"},"
                       "\"x\":null,\"x_1\":null,\"x_2\":\"third\"}}}}"},
        {"two_elements_in_a_value", two_elements_in_a_value,
                SYSTEM ",\"EventData\":{\"A\":\"C:\\\\\\\"\",\"B\":1},"
                       "\"RenderingInfo\":{\"A\":\"rendered\"}}}"},
        {"a_fragment_named_like_its_sibling", a_fragment_named_like_its_sibling,
                SYSTEM ",\"System_1\":null}}"},
        {"mixed", mixed,
                "{\"Event\":{\"#attributes\":{\"A\":\"aA\"},"
                "\"#text\":\"<A&&other;7\xc3\xa9]>\"}}"},
        {"repeated", repeated,
                "{\"Event\":{\"A\":{\"#attributes\":{\"B\":1},\"#text\":\"x\"},"
                "\"A_1\":{\"#attributes\":{\"B\":2},\"#text\":\"x\"},"
                "\"A_2\":{\"#attributes\":{\"B\":1}},\"A_3\":{\"#attributes\":{\"B\":2}}}}"},
        {"all_types", all_types,
                "{\"Event\":{\"EventData\":{\"t0\":\"\",\"t1\":\"A\",\"t2\":\"\xc3\xa4\","
                "\"t3\":-1,\"t4\":255,\"t5\":-1,\"t6\":65535,\"t7\":-1,\"t8\":4294967295,"
                "\"t9\":-1,\"ta\":18446744073709551615,\"tb\":\"1.5\",\"tc\":\"1.5\",\"td\":true,"
                "\"te\":\"0102\",\"tf\":\"33323130-3534-3736-3839-616263646566\","
                "\"t10\":\"0x1\",\"t11\":\"1601-01-01T00:00:00.000000Z\","
                "\"t12\":\"2021-01-02T03:04:05.006000Z\",\"t13\":\"S-1-5-18\","
                "\"t14\":\"0x1000000\",\"t15\":\"0x100000000000000\"}}}"},
        {"no_template", no_template,
                "{\"Event\":{\"#attributes\":{\"xmlns\":\"x\"},\"System\":{\"EventID\":"
                "{\"#attributes\":{\"Qualifiers\":\"5\"},\"#text\":\"42\"},\"A\":null,"
                "\"A_1\":{\"#attributes\":{\"B\":\"b\"}}},\"EventData\":{\"A\":\"1\\t2\","
                "\"B\":\"\",\"Data\":{\"#text\":[\"plain\",\"\"]}}}}"},
        {"no_element", no_element, "{\"Event\":null}"},
};
const size_t forge_record_count = COUNT(forge_record_kinds);
