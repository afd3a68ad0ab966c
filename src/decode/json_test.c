/* The JSON reader: what it accepts, what it refuses and in which words, and that all its ways
 * (exact walk, learned shapes, AVX2, plain C, any size of piece) give the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "decode/json.h"
#include "decode/json_scan.h"
#include "event/event.h"
#include "event/field.h"
#include "event/paths.h"

static const char *const names[] = {"a", "b", "c", "EventID", "Image", "n", "key with space", "x.y",
        "\xC3\xA9", "long_field_name_that_is_longer_than_one_vector_of_thirty_two_bytes"};

struct fixture {
    struct fields *fields;
    struct paths *paths;
    struct decode_limits limits;
    struct reader *reader;
    struct event event;
};

static void open_fixture(struct fixture *f)
{
    *f = (struct fixture){.limits = DECODE_LIMITS};
    f->fields = field_table_new();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        uint32_t id;
        assert_int_equal(field_intern(f->fields, slice_text(names[i]), &id), OK);
    }
    const struct path_pattern patterns[] = {
            {SLICE("*"), SLICE("*"), false},
            {SLICE("Event.EventData.*"), SLICE("*"), true},
            {SLICE("Event.UserData.?.*"), SLICE("*"), true},
            {SLICE("Event.System.EventID"), SLICE("EventID"), false},
    };
    assert_int_equal(paths_build(f->fields, patterns, 4, &f->paths), OK);
    assert_int_equal(event_init(&f->event, f->paths->field_count), OK);
}

static void open_reader(struct fixture *f)
{
    assert_int_equal(json_decoder.reader_new(f->paths, &f->limits, &f->reader), OK);
}

static void close_reader(struct fixture *f)
{
    json_decoder.reader_free(f->reader);
    f->reader = NULL;
}

static void close_fixture(struct fixture *f)
{
    close_reader(f);
    event_fini(&f->event);
    paths_free(f->paths);
    field_table_free(f->fields);
}

/* ---- what came out, as text ------------------------------------------------------------------ */

static void dump_value(const struct value *value, struct buf *out)
{
    static const char kinds[] = "0bnso";
    struct buf scratch = {0};
    buf_byte(out, kinds[value->kind]);
    buf_byte(out, ':');
    buf_add(out, value_slice(value, &scratch));
    buf_byte(out, '\n');
    buf_fini(&scratch);
}

static bool dump_leaf(void *context, struct slice path, const struct value *value)
{
    buf_add(context, path);
    buf_byte(context, '=');
    dump_value(value, context);
    return true;
}

static void dump_event(const struct fixture *f, struct buf *out)
{
    const struct event *event = &f->event;
    for (uint32_t i = 0; i < event->field_count; i++) {
        for (const struct value *v = event_value(event, i); v; v = event_next(event, v)) {
            buf_add(out, field_name(f->fields, i));
            buf_byte(out, ' ');
            dump_value(v, out);
        }
    }
    buf_format(out, "plain %d raw %zu\n", event->plain_text, event->raw.size);
    event->form->walk(event, dump_leaf, out);
    event->form->write_json(event, out);
    buf_byte(out, '\n');
}

/* Reads a block from memory that ends where the contract ends: 64 bytes behind it. */
static void read_block(
        struct fixture *f, struct slice block, struct buf *out, uint64_t *records, uint64_t *good)
{
    char *memory = malloc(block.size + 64);
    assert_non_null(memory);
    memcpy(memory, block.at, block.size);
    for (size_t i = 0; i < 64; i++) {
        memory[block.size + i] = block.at[i % block.size]; /* as if it went on */
    }
    json_decoder.begin(f->reader, slice_of(memory, block.size), (struct slice){0});
    struct diag diag = {0};
    enum err e;
    while ((e = json_decoder.next(f->reader, &f->event, &diag)) != ERR_END) {
        ++*records;
        *good += e == OK;
        if (e == OK) {
            buf_format(out, "record\n");
            dump_event(f, out);
        } else {
            assert_true(diag.words[0]);
            buf_format(out, "%s %u: %s\n", e == ERR_SYNTAX ? "syntax" : "limit", diag.column,
                    diag.words);
        }
    }
    assert_int_equal(json_decoder.next(f->reader, &f->event, &diag), ERR_END);
    free(memory);
}

/* Runs a whole stream in pieces of `piece` bytes, as the pipeline does. Returns good records. */
static uint64_t run_stream(struct fixture *f, struct slice stream, size_t piece, struct buf *out)
{
    struct cutter cutter = {.limits = f->limits};
    size_t have = 0, from = 0;
    uint64_t good = 0;
    for (;;) {
        bool last = from + have == stream.size;
        struct cut cut = {0};
        struct diag diag = {0};
        assert_int_equal(
                json_decoder.cut(&cutter, slice_of(stream.at + from, have), last, &cut, &diag), OK);
        assert_true(cut.skip + cut.size <= have);
        for (uint64_t i = 0; i < cut.rejected; i++) {
            buf_format(out, "cut: %s\n", diag.words);
        }
        if (cut.said) {
            buf_format(out, "said: %s\n", diag.words);
        }
        if (cut.size) {
            uint64_t records = 0;
            read_block(f, slice_of(stream.at + from + cut.skip, cut.size), out, &records, &good);
            assert_int_equal(records, cut.records);
        }
        from += cut.skip + cut.size;
        have -= cut.skip + cut.size;
        if (last && have == 0) {
            return good;
        }
        if (cut.skip + cut.size == 0) {
            assert_false(last);
            assert_true(have <= f->limits.record_bytes + JSON_SCAN_BATCH + piece);
        }
        size_t left = stream.size - from - have;
        have += left < piece ? left : piece;
    }
}

static void expect_text(const struct buf *got, const char *want)
{
    struct slice text = slice_text(want);
    if (!slice_equal(buf_slice(got), text)) {
        fail_msg("got:\n%.*s\nwanted:\n%s", SLICE_ARG(buf_slice(got)), want);
    }
}

/* Every size of piece and every way of reading gives the same text as the first. */
static void expect_stream(struct fixture *f, struct slice stream, const char *want)
{
    static const size_t pieces[] = {1 << 20, 1, 2, 7, 64, 100};
    for (size_t i = 0; i < 2 * sizeof pieces / sizeof *pieces; i++) {
        struct buf out = {0};
        json_scan_portable(i % 2 == 1);
        open_reader(f);
        run_stream(f, stream, pieces[i / 2], &out);
        expect_text(&out, want);
        close_reader(f);
        buf_fini(&out);
    }
    json_scan_portable(false);
}

/* ---- accepted -------------------------------------------------------------------------------- */

struct sample {
    const char *text;
    const char *fields; /* the first lines of the dump */
};

static const struct sample good[] = {
        {"{}", ""},
        {" { } ", ""},
        {"{\"a\":\"x\"}", "a s:x\n"},
        {"{\"a\":\"\"}", "a s:\n"},
        {"{\"a\" :\t\"x\" , \"b\": [ ] }", "a s:x\nb o:\n"},
        {"{\"a\":\"q\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\u20AC\"}",
                "a s:q\"\\/\b\f\n\r\tA\xC3\xA9\xE2\x82\xAC\n"},
        {"{\"a\":\"\\ud83d\\ude00\"}", "a s:\xF0\x9F\x98\x80\n"},
        {"{\"a\":\"\\ud83dx\\ude00\"}", "a s:\xEF\xBF\xBDx\xEF\xBF\xBD\n"},
        {"{\"a\":0,\"b\":-0,\"c\":-1.5e+10}", "a n:0\nb n:-0\nc n:-1.5e+10\n"},
        {"{\"a\":123456789012345678901234567890,\"b\":1E5,\"c\":0.0}",
                "a n:123456789012345678901234567890\nb n:1E5\nc n:0.0\n"},
        {"{\"a\":1234567,\"b\":12345678,\"c\":123456789}",
                "a n:1234567\nb n:12345678\nc n:123456789\n"},
        {"{\"a\":null,\"b\":true,\"c\":false}", "a 0:\nb b:true\nc b:false\n"},
        {"{\"a\":{},\"b\":[],\"c\":{\"z\":1}}", "a o:\nb o:\nc o:\n"},
        {"{\"a\":[1,\"x\",null,[true,[2]]],\"b\":3}",
                "a n:1\na s:x\na 0:\na b:true\na n:2\nb n:3\n"},
        {"{\"a\":1,\"z\":{\"a\":2},\"a\":3}", "a n:1\na n:3\n"},
        {"{\"EventID\":{\"#text\":4624,\"#attributes\":{\"Qualifiers\":1}}}", "EventID n:4624\n"},
        {"{\"EventID\":{\"#attributes\":{\"Qualifiers\":1},\"#text\":4624}}", "EventID n:4624\n"},
        {"{\"Event\":{\"System\":{\"EventID\":{\"#attributes\":{\"Q\":1},\"#text\":1}}}}",
                "EventID n:1\n"},
        {"{\"Event\":{\"EventData\":{\"Image\":\"C:\\\\x\"}}}", "Image s:C:\\x\n"},
        {"{\"Event\":{\"UserData\":{\"Any\":{\"Image\":\"i\"}}}}", "Image s:i\n"},
        {"{\"Event\":{\"EventData\":{\"Image\":\"weak\"}},\"Image\":\"strong\"}",
                "Image s:strong\n"},
        {"{\"x\":{\"y\":1}}", "x.y n:1\n"},
        {"{\"x.y\":1}", "x.y n:1\n"},
        {"{\"x\":[{\"y\":1},{\"y\":2},{}]}", "x.y n:1\nx.y n:2\n"},
        {"{\"key with space\":1,\"\xC3\xA9\":2}", "key with space n:1\n\xC3\xA9 n:2\n"},
        {"{\"\\u00e9\":2,\"\\u0061\":1}", "a n:1\n\xC3\xA9 n:2\n"},
        {"{\"\":1,\"a\\\"b\":2,\"\\\\\":3}", ""},
        {"{\"a\":\"\x7F\"}", "a s:\x7F\n"},
        {"{\"a\":\"\xF4\x8F\xBF\xBF\"}", "a s:\xF4\x8F\xBF\xBF\n"},
        {"{\"long_field_name_that_is_longer_than_one_vector_of_thirty_two_bytes\":1}",
                "long_field_name_that_is_longer_than_one_vector_of_thirty_two_bytes n:1\n"},
        {"{\"z\":\"0123456789012345678901234567890123456789012345678901234567890123456789"
         "0123456789012345678901234567890123456789012345678901234567890123456789\",\"a\":1}",
                "a n:1\n"},
};

static void valid_records_give_their_fields(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    for (size_t i = 0; i < 4 * sizeof good / sizeof *good; i++) {
        const struct sample *sample = &good[i / 4];
        struct buf text = {0}, out = {0};
        json_scan_portable(i % 2 == 1);
        open_reader(&f);
        for (int twice = 0; twice < 3; twice++) { /* the second time by its shape */
            uint64_t records = 0, fine = 0;
            buf_clear(&text);
            buf_clear(&out);
            buf_format(&text, i % 4 < 2 ? "%s\n" : "%s", sample->text);
            read_block(&f, buf_slice(&text), &out, &records, &fine);
            buf_byte(&out, '\0');
            size_t from = strlen("record\n"), size = strlen(sample->fields);
            const char *plain = strstr(sample->text, "\\u") || strstr(sample->text, "\\/")
                                        ? "plain 0"
                                        : "plain 1";
            if (fine != 1 || records != 1 || strncmp(out.at + from, sample->fields, size) != 0 ||
                    strncmp(out.at + from + size, plain, 7) != 0) {
                fail_msg("%s: got\n%s", sample->text, out.at);
            }
        }
        close_reader(&f);
        buf_fini(&text);
        buf_fini(&out);
    }
    json_scan_portable(false);
    close_fixture(&f);
}

/* ---- refused --------------------------------------------------------------------------------- */

static const struct sample bad[] = {
        {"x", "syntax 1: expected a value, found 'x'\n"},
        {"{", "syntax 2: expected '\"' of a key, or '}', found the end of the record\n"},
        {"}", "syntax 1: expected a value, found '}'\n"},
        {"{\"a\"", "syntax 5: expected ':' behind a key, found the end of the record\n"},
        {"{\"a\":", "syntax 6: expected a value, found the end of the record\n"},
        {"{\"a\":1", "syntax 7: expected ',' or '}', found the end of the record\n"},
        {"{\"a\":1,", "syntax 8: expected '\"' of a key, found the end of the record\n"},
        {"{\"a\":1,}", "syntax 8: expected '\"' of a key, found '}'\n"},
        {"{\"a\":1,,\"b\":1}", "syntax 8: expected '\"' of a key, found ','\n"},
        {"{,}", "syntax 2: expected '\"' of a key, or '}', found ','\n"},
        {"{\"a\" 1}", "syntax 6: expected ':' behind a key, found '1'\n"},
        {"{\"a\"::1}", "syntax 6: expected a value, found ':'\n"},
        {"{a:1}", "syntax 2: expected '\"' of a key, or '}', found 'a'\n"},
        {"{'a':1}", "syntax 2: expected '\"' of a key, or '}', found '''\n"},
        {"{\"a\":1]", "syntax 7: expected ',' or '}', found ']'\n"},
        {"{\"a\":[1}", "syntax 8: expected ',' or ']', found '}'\n"},
        {"{\"a\":[1,]}", "syntax 9: expected a value, found ']'\n"},
        {"{\"a\":[,1]}", "syntax 7: expected a value, or ']', found ','\n"},
        {"{\"a\":[", "syntax 7: expected a value, or ']', found the end of the record\n"},
        {"{\"a\":1 2}", "syntax 8: expected ',' or '}', found '2'\n"},
        {"{\"a\":1}}", "syntax 8: expected nothing more behind the record's value, found '}'\n"},
        {"{\"a\":1} x", "syntax 9: expected nothing more behind the record's value, found 'x'\n"},
        {"{\"a\":\"x", "syntax 8: expected '\"' at the end of a string, found the end of the "
                       "record\n"},
        {"{\"a\":\"x\\\"}", "syntax 11: expected '\"' at the end of a string, found the end of "
                            "the record\n"},
        {"{\"a\":\"\\x\"}", "syntax 7: expected one of the escapes of RFC 8259 in a string, "
                            "found '\\'\n"},
        {"{\"z\":\"\\u12G4\"}", "syntax 7: expected one of the escapes of RFC 8259 in a string, "
                                "found '\\'\n"},
        {"{\"z\":\"\\u123\"}", "syntax 7: expected one of the escapes of RFC 8259 in a string, "
                               "found '\\'\n"},
        {"{\"z\":\"\t\"}", "syntax 7: expected an escape for the control byte in a string, "
                           "found byte 0x09\n"},
        {"{\"\x01\":1}", "syntax 3: expected an escape for the control byte in a string, found "
                         "byte 0x01\n"},
        {"{\"z\":\"\xC0\x80\"}", "syntax 7: expected UTF-8 in a string, found byte 0xC0\n"},
        {"{\"z\":\"a\xED\xA0\x80\"}", "syntax 8: expected UTF-8 in a string, found byte 0xED\n"},
        {"{\"z\":\"\xF4\x90\x80\x80\"}", "syntax 7: expected UTF-8 in a string, found byte 0xF4\n"},
        {"{\"z\":\"\x80\"}", "syntax 7: expected UTF-8 in a string, found byte 0x80\n"},
        {"{\"z\":\"\xE2\x82\"}", "syntax 7: expected UTF-8 in a string, found byte 0xE2\n"},
        {"{\"a\":\xC3\xA9}", "syntax 6: expected a value, found byte 0xC3\n"},
        {"\xEF\xBB\xBF{}", "syntax 1: expected a value, found byte 0xEF\n"},
        {"{\"a\":01}", "syntax 7: expected a number as RFC 8259 writes it, found '1'\n"},
        {"{\"a\":-}", "syntax 7: expected a number as RFC 8259 writes it, found '}'\n"},
        {"{\"a\":1.}", "syntax 8: expected a number as RFC 8259 writes it, found '}'\n"},
        {"{\"a\":.5}", "syntax 6: expected a value, found '.'\n"},
        {"{\"a\":1e}", "syntax 8: expected a number as RFC 8259 writes it, found '}'\n"},
        {"{\"a\":1e+}", "syntax 9: expected a number as RFC 8259 writes it, found '}'\n"},
        {"{\"a\":+1}", "syntax 6: expected a value, found '+'\n"},
        {"{\"a\":0x1}", "syntax 7: expected ',' or '}', found 'x'\n"},
        {"{\"a\":1a}", "syntax 7: expected ',' or '}', found 'a'\n"},
        {"{\"a\":NaN}", "syntax 6: expected a value, found 'N'\n"},
        {"{\"a\":nul}", "syntax 9: expected null, found '}'\n"},
        {"{\"a\":nullx}", "syntax 10: expected ',' or '}', found 'x'\n"},
        {"{\"a\":True}", "syntax 6: expected a value, found 'T'\n"},
        {"{\"z\":tru", "syntax 9: expected true, found the end of the record\n"},
        {"{\\\"a\":1}", "syntax 2: expected '\"' of a key, or '}', found '\\'\n"},
        {"{\"a\":1\\,\"b\":2}", "syntax 7: expected ',' or '}', found '\\'\n"},
        {"{\"a\":1,/**/\"b\":2}", "syntax 8: expected '\"' of a key, found '/'\n"},
        {"42", "syntax 1: not an object\n"},
        {"\"x\"", "syntax 1: not an object\n"},
        {"null", "syntax 1: not an object\n"},
        {"[1,{\"a\":2}]", "syntax 1: not an object\n"},
};

/* Between two good records of the same shape, so that a shape is known that could mislead. */
static void broken_records_are_lost_alone_and_say_why(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    for (size_t i = 0; i < 2 * sizeof bad / sizeof *bad; i++) {
        const struct sample *sample = &bad[i / 2];
        struct buf text = {0}, out = {0};
        uint64_t records = 0, fine = 0;
        json_scan_portable(i % 2 == 1);
        open_reader(&f);
        for (size_t j = 0; j < sizeof good / sizeof *good; j++) {
            buf_format(&text, "%s\n", good[j].text);
        }
        read_block(&f, buf_slice(&text), &out, &records, &fine);
        buf_clear(&text);
        buf_clear(&out);
        records = fine = 0;
        buf_format(&text, "{\"a\":7}\n%s\r\n{\"a\":7}\n", sample->text);
        read_block(&f, buf_slice(&text), &out, &records, &fine);
        buf_byte(&out, '\0');
        assert_int_equal(records, 3);
        assert_int_equal(fine, 2);
        if (!strstr(out.at, sample->fields)) {
            fail_msg("%s: got\n%s", sample->text, out.at);
        }
        close_reader(&f);
        buf_fini(&text);
        buf_fini(&out);
    }
    json_scan_portable(false);
    close_fixture(&f);
}

static void a_nul_is_refused_wherever_it_stands(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    const struct slice text = SLICE("{\"a\":\"x\"}");
    for (size_t i = 0; i <= text.size; i++) {
        char line[32];
        memcpy(line, text.at, i);
        line[i] = '\0';
        memcpy(line + i + 1, text.at + i, text.size - i);
        line[text.size + 1] = '\n';
        struct buf out = {0};
        uint64_t records = 0, fine = 0;
        open_reader(&f);
        read_block(&f, slice_of(line, text.size + 2), &out, &records, &fine);
        assert_int_equal(records, 1);
        assert_int_equal(fine, 0);
        close_reader(&f);
        buf_fini(&out);
    }
    close_fixture(&f);
}

#define LONG "0123456789012345678901234567890123456789012345678901234567890123456789"
#define A(n) "record\na n:" n "\nplain 1 raw 7\na=n:" n "\n{\"a\":" n "}\n"

static const struct sample streams[] = {
        {"", ""},
        {"\n \r\n", ""},
        {"{\"a\":1}", A("1")},
        {"{\"a\":1}\n{\"a\":2}", A("1") A("2")},
        {"\xEF\xBB\xBF{\"a\":1}\r\n\r\n \t\n{\"a\":2}\r\n", A("1") A("2")},
        {"[{\"a\":1},{\"a\":2}]", A("1") A("2")},
        {"\xEF\xBB\xBF[ {\"a\":1} ,\n{\"a\":2}\n]\n", A("1") A("2")},
        {"[]\n", ""},
        {"[[],1,{\"a\":2}]", "syntax 1: not an object\nsyntax 1: not an object\n" A("2")},
        {"{\"a\":1}{\"a\":2} {\"a\":3}", A("1") A("2") A("3")},
        {"[{\"a\":1}]\n[{\"a\":2}]{\"a\":3}", A("1") A("2") A("3")},
        {"{\n \"a\" : 1\n}\n{\"a\":2}\n",
                "record\na n:1\nplain 1 raw 12\na=n:1\n{\"a\":1}\n" A("2")},
        {"{\"b\":\"x\n{\"a\":2}\n",
                "syntax 8: expected '\"' at the end of a string, found the end of the "
                "record\n" A("2")},
        {"{\"b\":1,\n{\"a\":2}\n",
                "syntax 8: expected '\"' of a key, found the end of the record\n" A("2")},
        {"{\"a\":1}\n,", A("1") "syntax 1: expected a value, found ','\n"},
        {"oops\n{\"a\":2}\n", "syntax 1: expected a value, found 'o'\n" A("2")},
        {"{\"a\":1} x\n{\"a\":2}\n",
                "syntax 9: expected nothing more behind the record's value, found "
                "'x'\n" A("2")},
        {"{\"a\":1} x", "syntax 9: expected nothing more behind the record's value, found 'x'\n"},
        {"{\"a\":1}\n{\"a\":2},{\"a\":3}",
                A("1") "cut: expected nothing more behind the record's value\n"},
        {"[{\"a\":1} x,{\"a\":2}]",
                "syntax 9: expected nothing more behind the record's value, found "
                "'x'\n" A("2")},
        {"[\n{\"b\":\"x},\n{\"a\":2}\n]",
                "syntax 10: expected '\"' at the end of a string, found the end of the "
                "record\n" A("2")},
        {"[\n{\"b\":\"x},\n{\"a\":2},\n{\"z\":\"" LONG "\"}]",
                "syntax 10: expected '\"' at the end of a string, found the end of the "
                "record\n" A("2") "record\nplain 1 raw 78\nz=s:" LONG "\n{\"z\":\"" LONG "\"}\n"},
        {"[{\"a\":1}{\"a\":2}]", A("1") "cut: expected ',' or ']' between values\n" A("2")},
        {"[{\"a\":1}{\"a\":2}{\"a\":3},{\"a\":4}]",
                A("1") "cut: expected ',' or ']' between values\n" A("2") A("3") A("4")},
        /* an array that nobody closed */
        {"[{\"a\":1}\n{\"a\":2}\n{\"a\":3}",
                A("1") "cut: expected ',' or ']' between values\n" A("2") A("3")},
        {"[{\"a\":1}\n[{\"a\":2},{\"a\":3}]\n{\"a\":4}",
                A("1") "cut: expected ',' or ']' between values\n" A("2") A("3") A("4")},
        /* a value that nobody closed */
        {"[\n{\"b\":{\"c\":1}\n{\"a\":2},\n{\"a\":3}\n]\n",
                "syntax 13: expected ',' or '}', found the end of the record\n" A("2") A("3")},
        {"{\n\"b\":[1\n{\"a\":2}\n{\"a\":3}\n",
                "syntax 9: expected ',' or ']', found the end of the record\n" A("2") A("3")},
        {"{\n\"b\":\n{\"c\":[\n{},\n{}]}}\n{\"a\":3}\n",
                "record\nb o:\nplain 1 raw 23\nb.c=o:\nb.c=o:\n{\"b\":{\"c\":[{},{}]}}\n" A("3")},
        {"[{\"a\":1},,{\"a\":2}]", A("1") "cut: expected a value, found ','\n" A("2")},
        {"[{\"a\":1},]", A("1") "cut: expected a value behind ',', found ']'\n"},
        {"[{\"a\":1}]]", A("1") "cut: expected a value, found ']'\n"},
        {"[{\"a\":1},\n{\"a\":2}",
                A("1") "cut: expected ']' at the end of the array, found the end of the "
                       "stream\n" A("2")},
        {"[{\"a\":1}\n", A("1") "cut: expected ']' at the end of the array, found the end of the "
                                "stream\n"},
        {"[{\"a\":1},{\"a\":", A("1") "syntax 6: expected a value, found the end of the record\n"},
};

#define BESIDE(key)                                                                                \
    "said: '" key "', beside the array of records, belongs to no record and is not read\n"

static const struct sample envelopes[] = {
        {"{\"Records\":[{\"a\":1},{\"a\":2}]}", A("1") A("2")},
        {"\xEF\xBB\xBF\n {\n  \"records\" : [\n{\"a\":1}\n,{\"a\":2}\n]\n}\n", A("1") A("2")},
        {"{\"Records\":[{\"a\":1}]}\n{\"Records\":[{\"a\":2},{\"a\":3}]}\n{\"a\":4}\n",
                A("1") A("2") A("3") A("4")},
        {"{\"@odata.context\":\"x{[\\\"\",\"@odata.count\":2,\"value\":[{\"a\":1}],"
         "\"@odata.nextLink\":\"y]\"}",
                A("1")},
        {"{\"kind\":\"k\",\"metadata\":{\"x\":[\"}\"]},\"items\":[{\"a\":1}]}", A("1")},
        {"{\"owner\":\"1\",\"subscriptionFilters\":[\"f\"],\"logEvents\":[{\"a\":1}]}",
                BESIDE("owner") A("1")},
        {"{\"events\":[{\"a\":1}],\"count\":1,\"total\":{\"b\":2},\"x\":0}",
                A("1") BESIDE("total")},
        {"{\"x\":1,\"events\":[{\"a\":1}],\"y\":1}\n{\"z\":1,\"events\":[{\"a\":2}]}",
                BESIDE("x") A("1") A("2")},
        {"{\"value\":[]}\n{\"value\":[{\"a\":1}]}", A("1")},
        /* a record of its own */
        {"{\"a\":1,\"events\":[1]}\n{\"a\":2}", "record\na n:1\nplain 1 raw 20\na=n:1\nevents=n:1\n"
                                                "{\"a\":1,\"events\":[1]}\n" A("2")},
        {"{\"eventTime\":1,\"items\":[{\"a\":1}]}\n",
                "record\nplain 1 raw 33\neventTime=n:1\nitems.a=n:1\n"
                "{\"eventTime\":1,\"items\":[{\"a\":1}]}\n"},
        {"{\"id\":{},\"events\":[{\"a\":1}]}\n", "record\nplain 1 raw 28\nid=o:\nevents.a=n:1\n"
                                                 "{\"id\":{},\"events\":[{\"a\":1}]}\n"},
        {"{\"value\":[],\"a\":1}\n", "record\na n:1\nplain 1 raw 18\nvalue=o:\na=n:1\n"
                                     "{\"value\":[],\"a\":1}\n"},
        /* broken */
        {"{\"Records\":[{\"a\":1},{\"b\":", A("1") "syntax 6: expected a value, found the end of "
                                                   "the record\n"},
        {"{\"Records\":[{\"a\":1}]", A("1") "cut: expected '}' at the end of the object around the "
                                            "array\n"},
        {"{\"Records\":[{\"a\":1}]\n{\"Records\":[{\"a\":2}]}",
                A("1") "cut: expected '}' at the end of the object around the array\n" A("2")},
        {"{\"Records\":[{\"a\":1}\n{\"Records\":[{\"a\":2}]}",
                A("1") "cut: expected ',' or ']' between values\n" A("2")},
        {"{\"Records\":[{\"a\":1},]}\n{\"a\":2}",
                A("1") "cut: expected a value behind ',', found ']'\n" A("2")},
        {"{\"Records\":[{\"a\":1}],\"x\":\"\n{\"a\":2}",
                A("1") "cut: expected '}' at the end of the object around the array\n" A("2")},
        {"{\"Records\":[{\"a\":1}]} x\n{\"a\":2}",
                A("1") "cut: expected nothing more behind the object around the array\n" A("2")},
};

static void elements_of_an_envelope_are_records(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    for (size_t i = 0; i < sizeof envelopes / sizeof *envelopes; i++) {
        expect_stream(&f, slice_text(envelopes[i].text), envelopes[i].fields);
    }
    close_fixture(&f);
}

static void lines_and_values_are_told_apart_by_the_first_line(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    for (size_t i = 0; i < sizeof streams / sizeof *streams; i++) {
        expect_stream(&f, slice_text(streams[i].text), streams[i].fields);
    }
    close_fixture(&f);
}

/* What was learned from records that are right must not let pass one that is wrong. `first` is
 * read twice, then `second` must give what a new reader gives: `want` good records. */
static void expect_unmoved(struct fixture *f, const char *first, const char *second, uint64_t want)
{
    struct buf cold = {0}, warm = {0}, rest = {0};
    uint64_t records = 0, fine = 0;
    open_reader(f);
    read_block(f, slice_text(second), &cold, &records, &fine);
    assert_int_equal(fine, want);
    close_reader(f);
    open_reader(f);
    read_block(f, slice_text(first), &rest, &records, &fine);
    read_block(f, slice_text(first), &rest, &records, &fine);
    read_block(f, slice_text(second), &warm, &records, &fine);
    close_reader(f);
    buf_byte(&cold, '\0');
    expect_text(&warm, cold.at);
    buf_fini(&cold);
    buf_fini(&warm);
    buf_fini(&rest);
}

static void known_shapes_do_not_mislead(void **state)
{
    (void)state;
    static const struct {
        const char *first, *second;
        uint64_t good;
    } pairs[] = {
            /* control bytes in strings where there are others outside */
            {"{\"z\":\"x\",\n\"a\":1} {}", "{\"z\":\"\t\",\n\"a\":1} {}", 1},
            {"{\"z\":\"x\",\t\"a\":1}\n", "{\"z\":\"x\",\t\"a\":1}\n{\"z\":\"\t\",\t\"a\":1}\n", 1},
            {"{\"z\":\"x\",\"a\":1}\n", "{\"z\":\"x\x1Fy\",\"a\":1}\n", 0},
            /* a newline is a blank in values, and the end in lines */
            {"{\"z\":1,\n\"a\":1} {}", "{\"z\":1,\t\"a\":1}\n{\"z\":1,\n\"a\":1}\n", 1},
            {"{\"a\":1}\n", "{\"a\"\n:1} {}", 2},
            /* steps of more than 32 and of more than 64 bytes that differ in the middle */
            {"{\"a\":1,\"long_field_name_that_is_longer_than_one_vector_of_thirty_two_bytes\":1}\n",
                    "{\"a\":1,\"long_field_name_that_is_longer_than_oNe_vector_of_thirty_two_"
                    "bytes\":"
                    "1}\n",
                    1},
            {"{\"" LONG "b" LONG "\":1,\"a\":2}\n", "{\"" LONG "\"" LONG "\":1,\"a\":2}\n", 0},
            {"{\"a\":1,        \"b\" :        2}\n", "{\"a\":1,        \"c\" :        2}\n", 1},
            /* the same key in another container */
            {"{\"x\":{\"y\":1},\"z\":[{\"y\":1}]}\n", "{\"x\":{\"y\":1}]}\n", 0},
            {"{\"z\":[1,2]}\n", "{\"z\":{\"z\":[1]}}\n{\"z\":[1,2}\n", 1},
            /* numbers, strings and words behind the same key */
            {"{\"a\":1,\"b\":1}\n", "{\"a\":\"1\",\"b\":01}\n{\"a\":-1,\"b\":1.5}\n", 1},
            {"{\"a\":true,\"b\":null}\n", "{\"a\":truex,\"b\":null}\n{\"a\":true,\"b\":nul}\n", 0},
            {"{\"a\":{},\"b\":[]}\n", "{\"a\":{\"b\":1},\"b\":[1]}\n{\"a\":{],\"b\":[}}\n", 1},
            {"{\"a\":1}\n", "{\"a\":1}}\n{\"a\":1},\n{\"a\":1}{\"a\":1}\n{\"a\":1} ,{}\n", 0},
            {"{\"a\":1}\n", "{\"a\":1", 0},
            {"{\"a\":\"x\"}\n", "{\"a\":\"x", 0},
    };
    struct fixture f;
    open_fixture(&f);
    for (size_t i = 0; i < 2 * sizeof pairs / sizeof *pairs; i++) {
        json_scan_portable(i % 2 == 1);
        expect_unmoved(&f, pairs[i / 2].first, pairs[i / 2].second, pairs[i / 2].good);
    }
    json_scan_portable(false);
    close_fixture(&f);
}

static void a_last_bracket_in_a_string_ends_nothing(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    /* brackets, quotes and backslashes in strings, across the 64 bytes of a step */
    for (size_t pad = 0; pad < 140; pad++) {
        struct buf text = {0}, want = {0};
        buf_format(&text, "[{\"b\":\"%*s}]\\\"}\\\\\",\"z\":[{}]},{\"a\":1}]", (int)pad, "");
        buf_format(&want, "record\nb s:%*s}]\"}\\\nplain 1 raw %zu\nb=s:%*s}]\"}\\\nz=o:\n",
                (int)pad, "", pad + 31 - 7, (int)pad, "");
        buf_add(&want, slice_of(text.at + 1, pad + 24));
        buf_format(&want, "\n%s", A("1"));
        buf_byte(&want, '\0');
        expect_stream(&f, buf_slice(&text), want.at);
        buf_fini(&text);
        buf_fini(&want);
    }
    close_fixture(&f);
}

static void json_is_recognised_by_its_first_bytes(void **state)
{
    (void)state;
    static const struct {
        const char *head;
        int least, most;
    } heads[] = {
            {"{\"a\":1}\n", 90, 100},
            {"\xEF\xBB\xBF {\n  \"a\": 1", 90, 100},
            {"[{\"a\":1},", 85, 100},
            {"[\n]", 85, 100},
            {"{}", 90, 100},
            {"oops\n{\"a\":1}\n{\"a\":2}\n", 50, 80},
            {"", 0, 0},
            {"[2024-01-01 10:00:00] hello\n", 0, 0},
            {"{hello}\n", 0, 0},
            {"ElfFile", 0, 0},
            {"<Event>{\"a\":1}</Event>\n", 0, 0},
            {"Jan  1 00:00:00 host app: x\nJan  1 00:00:01 host app: y\n{\"a\":1}\n", 1, 30},
    };
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        int sure = json_decoder.recognise(slice_text(heads[i].head), true);
        if (sure < heads[i].least || sure > heads[i].most) {
            fail_msg("%s: %d", heads[i].head, sure);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(valid_records_give_their_fields),
            cmocka_unit_test(broken_records_are_lost_alone_and_say_why),
            cmocka_unit_test(known_shapes_do_not_mislead),
            cmocka_unit_test(a_last_bracket_in_a_string_ends_nothing),
            cmocka_unit_test(json_is_recognised_by_its_first_bytes),
            cmocka_unit_test(a_nul_is_refused_wherever_it_stands),
            cmocka_unit_test(lines_and_values_are_told_apart_by_the_first_line),
            cmocka_unit_test(elements_of_an_envelope_are_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
