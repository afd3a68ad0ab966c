/* Zeek's logs: what the # lines say of the columns, escapes, lists, joined logs; rows that do not
 * fit are rejected alone. Each stream is read in pieces of every size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/buf.h"
#include "decode/zeek.h"
#include "decode/zeek_header.h"
#include "support/pieces.h"

static const char *const names[] = {"_path", "ts", "a", "id.orig_h"};
static struct pieces pieces;

static int set_up(void **state)
{
    (void)state;
    return pieces_init(&pieces, &zeek_decoder, names, sizeof names / sizeof *names) == OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    pieces_fini(&pieces);
    return 0;
}

static void expect(struct slice stream, const char *expected)
{
    struct buf out = {0};
    pieces_read_all(&pieces, stream, &out);
    buf_byte(&out, '\0');
    assert_string_equal(out.at, expected);
    buf_fini(&out);
}

#define HEAD                                                                                       \
    "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tdns\n"    \
    "#open\t2024-04-12-19-29-12\n"

static void columns_are_named_by_the_header(void **state)
{
    (void)state;
    expect(SLICE(HEAD "#fields\tts\tid.orig_h\tb\n#types\ttime\taddr\tcount\n"
                      "1521911720.865716\t10.47.1.100\t7\n1\t::1\t-\n#close\t2024\n"),
            "1 _path=dns ts#1521911720.865716 id.orig_h=10.47.1.100 "
            "{\"_path\":\"dns\",\"ts\":1521911720.865716,\"id.orig_h\":\"10.47.1.100\",\"b\":7}\n"
            "2 _path=dns ts#1 id.orig_h=::1 "
            "{\"_path\":\"dns\",\"ts\":1,\"id.orig_h\":\"::1\"}\n");
}

static void values_are_what_their_type_says(void **state)
{
    static const struct {
        const char *type, *text, *value;
    } cases[] = {
            {"string", "x y",
                    "="
                    "x y"},
            {"string", "(empty)", "="},
            {"string", "(empty)x", "=(empty)x"},
            {"string", "T", "=T"},
            {"bool", "T", "?true"},
            {"bool", "F", "?false"},
            {"bool", "x", "=x"},
            {"count", "0", "#0"},
            {"count", "007", "=007"},
            {"int", "-2", "#-2"},
            {"double", "1e+20", "#1e+20"},
            {"double", "nan", "=nan"},
            {"interval", "0.5", "#0.5"},
            {"port", "53", "#53"},
            {"set[count]", "1,2", "#1 a#2"},
            {"vector[bool]", "T,F,-", "?true a?false a0"},
            {"set[string]", "(empty)", "{"},
            {"set[string]", "x,(empty),y", "=x a= a=y"},
            {"set[string]", "x,,y", "=x a= a=y"},
            {"vector[string]", "a\\x2cb,c", "=a,b a=c"},
            {"table[string] of count", "x,y", "=x,y"},
            {"string", "a\\\\b", "=a\\b"},
            {"string", "a\\x0ab", "=a\nb"},
            {"string", "\\x2d", "=-"},
            {"string", "\\x00\\x0b\\x7f\\x1f\\x09", "=\\x00\\x0b\\x7f\\x1f\t"},
            {"string", "\\xc3\\xbc", "=\xc3\xbc"},
            {"string", "\\xfc\\xc3", "=\\xfc\\xc3"},
            {"string", "\\xe2\\x82x", "=\\xe2\\x82x"},
            {"string", "\\x4", "=\\x4"},
            {"string", "\\", "=\\"},
            {"string", "\\xg0\\n", "=\\xg0\\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf in = {0}, out = {0}, want = {0};
        buf_format(&in, HEAD "#fields\ta\tb\n#types\t%s\tstring\n%s\t-\n", cases[i].type,
                cases[i].text);
        buf_format(&want, "1 _path=dns a%s\n", cases[i].value);
        pieces.quiet = true;
        pieces_read_all(&pieces, buf_slice(&in), &out);
        pieces.quiet = false;
        buf_byte(&out, '\0');
        buf_byte(&want, '\0');
        assert_string_equal(out.at, want.at);
        buf_fini(&in);
        buf_fini(&out);
        buf_fini(&want);
    }
}

static void an_escaped_value_that_no_rule_names_is_known_to_keywords(void **state)
{
    (void)state;
    struct buf out = {0};
    pieces_read(
            &pieces, SLICE(HEAD "#fields\ta\tb\n#types\tstring\tstring\nx\tp\\x2fq\n"), 4096, &out);
    assert_true(pieces.event.plain_text);
    assert_int_not_equal(slice_find(pieces.event.constants, SLICE("p/q")), SIZE_MAX);
    assert_int_not_equal(slice_find(pieces.event.constants, SLICE("dns")), SIZE_MAX);
    buf_fini(&out);
}

static void the_header_may_use_other_separators(void **state)
{
    (void)state;
    expect(SLICE("#separator |\n#set_separator|;\n#empty_field|EMPTY\n#unset_field|NIL\n#path|x\n"
                 "#fields|a|b\n#types|set[string]|string\np;q|NIL\nEMPTY|-\n"),
            "1 _path=x a=p a=q {\"_path\":\"x\",\"a\":[\"p\",\"q\"]}\n"
            "2 _path=x a{ {\"_path\":\"x\",\"a\":{},\"b\":\"-\"}\n");
    expect(SLICE("#separator ||\n#path||x\n#fields||a||b\n#types||string||string\n"
                 "p\\x7c\\x7cq||r\np|q||r\nx||y||z\nx\n"),
            "1 _path=x a=p||q {\"_path\":\"x\",\"a\":\"p||q\",\"b\":\"r\"}\n"
            "2 _path=x a=p|q {\"_path\":\"x\",\"a\":\"p|q\",\"b\":\"r\"}\n"
            "3! not the 2 columns that #fields names\n4! not the 2 columns that #fields names\n");
    expect(SLICE("#fields\ta\tb\nx\ty\n"), "1 a=x {\"a\":\"x\",\"b\":\"y\"}\n");
}

static void joined_logs_change_the_header(void **state)
{
    (void)state;
    expect(SLICE(HEAD "#fields\ta\n#types\tcount\n1\n2\n#close\t2024\n"
                      "#separator \\x09\n#fields\ta\tts\n#types\tstring\tstring\n1\t2\n"
                      "#fields\tts\ta\n3\t4\n#path\thttp\n5\t6\n"),
            "1 _path=dns a#1 {\"_path\":\"dns\",\"a\":1}\n"
            "2 _path=dns a#2 {\"_path\":\"dns\",\"a\":2}\n"
            "3 ts=2 a=1 {\"a\":\"1\",\"ts\":\"2\"}\n"
            "4 ts=3 a=4 {\"ts\":\"3\",\"a\":\"4\"}\n"
            "5 _path=http ts=5 a=6 {\"_path\":\"http\",\"ts\":\"5\",\"a\":\"6\"}\n");
}

static void rows_that_do_not_fit_are_rejected_alone(void **state)
{
    (void)state;
    expect(SLICE("x\ty\n" HEAD "#fields\ta\tb\nx\nx\ty\nx\ty\tz\n\n1\t2\r\n"),
            "1! no #fields line before it\n2! not the 2 columns that #fields names\n"
            "3 _path=dns a=x {\"_path\":\"dns\",\"a\":\"x\",\"b\":\"y\"}\n"
            "4! not the 2 columns that #fields names\n"
            "5 _path=dns a=1 {\"_path\":\"dns\",\"a\":\"1\",\"b\":\"2\"}\n");
    pieces.limits.record_bytes = 20;
    pieces.decoder->reader_free(pieces.reader);
    assert_int_equal(zeek_decoder.reader_new(pieces.paths, &pieces.limits, &pieces.reader), OK);
    expect(SLICE("#fields\ta\tb\n123456789\t0123456789\n123456789\t01234567890\nx\ty\n"
                 "#fields\ta\tabcdefghijk\nx\ty\n#fields\ta\tabcdefghij\nx\ty\n"),
            "1 a=123456789 {\"a\":\"123456789\",\"b\":\"0123456789\"}\n"
            "2! record longer than 20 bytes\n3 a=x {\"a\":\"x\",\"b\":\"y\"}\n"
            "4! record longer than 20 bytes\n5 a=x {\"a\":\"x\",\"b\":\"y\"}\n"
            "6 a=x {\"a\":\"x\",\"abcdefghij\":\"y\"}\n");
}

static void hostile_bytes_are_text(void **state)
{
    (void)state;
    struct buf out = {0};
    pieces_read_all(&pieces, SLICE("#fields\ta\tb\nx\0y\t\xFF\xFE\n\\xC3\t\xBC\\x\n\xC3"), &out);
    static const char want[] = "1 a=x\0y {\"a\":\"x\\u0000y\",\"b\":\"\xEF\xBF\xBD\xEF\xBF\xBD\"}\n"
                               "2 a=\\xC3 {\"a\":\"\\\\xC3\",\"b\":\"\xEF\xBF\xBD\\\\x\"}\n"
                               "3! not the 2 columns that #fields names\n";
    assert_int_equal(out.size, sizeof want - 1);
    assert_memory_equal(out.at, want, out.size);
    buf_fini(&out);
}

/* A header of `columns` columns and one row of as many. */
static void make_wide(struct buf *out, size_t columns, size_t name_size)
{
    buf_add(out, SLICE("#fields"));
    for (size_t i = 0; i < columns; i++) {
        buf_format(out, "\t%0*d", (int)name_size, (int)i);
    }
    buf_byte(out, '\n');
    for (size_t i = 0; i < columns; i++) {
        buf_add(out, i ? SLICE("\tx") : SLICE("x"));
    }
    buf_byte(out, '\n');
}

static void wide(size_t columns, size_t name_size, const char *expected)
{
    struct buf in = {0}, out = {0};
    make_wide(&in, columns, name_size);
    pieces.quiet = true;
    pieces_read(&pieces, buf_slice(&in), 4096, &out);
    pieces.quiet = false;
    buf_byte(&out, '\0');
    assert_string_equal(out.at, expected);
    buf_fini(&in);
    buf_fini(&out);
}

static void columns_and_header_bytes_are_limited(void **state)
{
    (void)state;
    wide(COLUMNS_LIMIT, 4, "1\n");
    wide(COLUMNS_LIMIT + 1, 4, "1! over 4096 columns\n");
    /* "#fields", and "\t" with each name, and the newline */
    enum { FITS = (DECODE_HEADER_LIMIT - 8) / 32 };
    wide(FITS, 31, "1\n");
    wide(FITS + 1, 31, "1! no #fields line before it\n");
}

static void splitting_agrees_with_and_without_avx2(void **state)
{
    (void)state;
    static const char text[] =
            "a\t\tbc\t\t\tdefghijklmnopqrstuvwxyz0123456789\t\t0123456789abcdef\t"
            "0123456789abcdef0123456789abcdef\t\t\t";
    char room[sizeof text + 64];
    struct columns c = {0};
    for (size_t most = 1; most <= 20; most++) {
        assert_int_equal(columns_add(&c, pieces.paths, SLICE("x"), NULL), OK);
        for (size_t size = 0; size < sizeof text; size++) {
            memset(room, '\t', sizeof room);
            memcpy(room, text, size);
            c.portable = true;
            size_t parts = columns_split(&c, slice_of(room, size), '\t');
            uint32_t ends[32];
            memcpy(ends, c.ends, (most + 1) * sizeof *ends);
            c.portable = false;
            assert_int_equal(columns_split(&c, slice_of(room, size), '\t'), parts);
            for (size_t i = 0; i < parts && parts <= most; i++) {
                assert_int_equal(c.ends[i], ends[i]);
            }
        }
    }
    columns_fini(&c);
}

static void numbers_are_those_of_json(void **state)
{
    static const char *const good[] = {"0", "-0", "12", "1.50", "1e5", "1E-05", "-1.2e+3"};
    static const char *const bad[] = {
            "", "-", "01", "1.", ".5", "+1", "1e", "1e+", "0x1", "inf", "1 ", "--1", "1.2.3"};
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(columns_is_number(slice_text(good[i])));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(columns_is_number(slice_text(bad[i])));
    }
}

static void only_zeek_is_recognised(void **state)
{
    static const char *const others[] = {"", "#Version: 1.0\n#Fields: date time\n",
            "# comment\nx\ty\n", "{\"ts\":1}\n", "ts\tuid\tid.orig_h\n", "#!/bin/sh\n",
            "# separator x\n", "x\n#separator \\x09\n", "#fields,a,b\n"};
    (void)state;
    assert_true(zeek_decoder.recognise(SLICE(HEAD), false) > 50);
    assert_true(zeek_decoder.recognise(SLICE("\xEF\xBB\xBF#fields\ta\n"), false) > 50);
    assert_true(zeek_decoder.recognise(SLICE("### a note\n\n" HEAD), true) > 50);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_int_equal(zeek_decoder.recognise(slice_text(others[i]), true), 0);
    }
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
            TEST(columns_are_named_by_the_header),
            TEST(values_are_what_their_type_says),
            TEST(an_escaped_value_that_no_rule_names_is_known_to_keywords),
            TEST(the_header_may_use_other_separators),
            TEST(joined_logs_change_the_header),
            TEST(rows_that_do_not_fit_are_rejected_alone),
            TEST(hostile_bytes_are_text),
            TEST(columns_and_header_bytes_are_limited),
            TEST(splitting_agrees_with_and_without_avx2),
            TEST(numbers_are_those_of_json),
            TEST(only_zeek_is_recognised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
