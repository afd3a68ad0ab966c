/* The W3C extended format: rows follow the header that is in force wherever blocks end; what more
 * is made of them; rows that do not fit are rejected by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "decode/w3c.h"
#include "support/records_rig.h"

static void expect(const char *stream, const char *expected)
{
    size_t size = strlen(stream);
    for (size_t piece = 1; piece <= size + 1; piece++) {
        struct buf out = {0};
        records_rig_read(&w3c_decoder, slice_text(stream), piece, 1024, &out);
        buf_byte(&out, '\0');
        assert_string_equal(out.at, expected);
        buf_fini(&out);
    }
}

static void rows_follow_the_header_in_force(void **state)
{
    (void)state;
    expect("#Software: x\n#Fields: a b\n1 2\n- 3\n\n#Date: 2015-01-01 10:00:00\n4 5\n"
           "#Fields: b\t time\n6 10:00:01\n",
            "1 {\"a\":\"1\",\"b\":\"2\"}\n2 {\"b\":\"3\"}\n3 {\"a\":\"4\",\"b\":\"5\"}\n"
            "4 {\"b\":\"6\",\"time\":\"10:00:01\",\"timestamp\":\"2015-01-01 10:00:01\"}\n");
}

static void more_is_made_of_a_servers_row(void **state)
{
    (void)state;
    expect("#Fields: date time cs-uri-stem cs-uri-query cs(User-Agent)\n"
           "2015-01-01 10:00:00 /a b=c x/1+(y+z)\n2015-01-01 10:00:00 /a - -\n",
            "1 {\"date\":\"2015-01-01\",\"time\":\"10:00:00\",\"cs-uri-stem\":\"/a\","
            "\"cs-uri-query\":[\"b=c\",\"/a?b=c\"],\"cs(User-Agent)\":\"x/1+(y+z)\","
            "\"timestamp\":\"2015-01-01 10:00:00\",\"cs-user-agent\":\"x/1 (y z)\"}\n"
            "2 {\"date\":\"2015-01-01\",\"time\":\"10:00:00\",\"cs-uri-stem\":\"/a\","
            "\"timestamp\":\"2015-01-01 10:00:00\",\"cs-uri-query\":\"/a\"}\n");
}

static void more_is_made_of_a_proxys_row(void **state)
{
    (void)state;
    expect("#Fields: time date cs-uri-scheme cs-host cs-uri-port cs-uri-path cs-uri-query "
           "cs(User-Agent)\n10:00:00 2015-01-01 http h.example 80 /a.exe ?b \"x y\"\n",
            "1 {\"time\":\"10:00:00\",\"date\":\"2015-01-01\",\"cs-uri-scheme\":\"http\","
            "\"cs-host\":\"h.example\",\"cs-uri-port\":\"80\",\"cs-uri-path\":\"/a.exe\","
            "\"cs-uri-query\":\"?b\",\"cs(User-Agent)\":\"x y\","
            "\"timestamp\":\"2015-01-01 10:00:00\",\"cs-user-agent\":\"x y\","
            "\"c-uri-extension\":\"exe\",\"c-uri\":\"http://h.example:80/a.exe?b\"}\n");
}

static void values_stand_between_tabs_or_in_quotes(void **state)
{
    (void)state;
    expect("#Fields: a b c\n1\t2 3\t-\n\"x y\" \"\" z\n\"x y z\n\"\" \"a\"b\" \"c\"\n",
            "1 {\"a\":\"1\",\"b\":\"2 3\"}\n2 {\"a\":\"x y\",\"c\":\"z\"}\n"
            "3 {\"a\":\"\\\"x\",\"b\":\"y\",\"c\":\"z\"}\n4 {\"b\":\"a\\\"b\",\"c\":\"c\"}\n");
}

static void rows_that_do_not_fit_are_rejected(void **state)
{
    (void)state;
    expect("x\n#Fields: a b\n1\n1 2 3\n1 2\n",
            "1! no #Fields line before it\n2! 1 values where #Fields names 2\n"
            "3! more values than the 2 of #Fields\n4 {\"a\":\"1\",\"b\":\"2\"}\n");
}

static void columns_are_bounded(void **state)
{
    (void)state;
    for (int columns = W3C_COLUMNS; columns <= W3C_COLUMNS + 1; columns++) {
        struct buf stream = {0}, out = {0};
        buf_add(&stream, SLICE("#Fields:"));
        for (int i = 0; i < columns; i++) {
            buf_add(&stream, SLICE(" a"));
        }
        buf_byte(&stream, '\n');
        for (int i = 0; i < columns; i++) {
            buf_add(&stream, i ? SLICE(" 1") : SLICE("1"));
        }
        records_rig_read(&w3c_decoder, buf_slice(&stream), 4096, 1024, &out);
        assert_memory_equal(out.at, columns > W3C_COLUMNS ? "1! over" : "1 {\"a\":", 7);
        buf_fini(&stream);
        buf_fini(&out);
    }
}

static void iis_columns_are_known_without_a_header(void **state)
{
    (void)state;
    expect("2015-03-11 21:59:09 192.0.2.1 GET /a - 80 - 192.0.2.7 x+y - 404 0 2 0\n"
           "2015-03-11 21:59:09 192.0.2.1 GET /a - 80 - 192.0.2.7 x 404 0 2 0\n"
           "2015-03-11 21:59:09 192.0.2.1 GET a - 80 - 192.0.2.7 x 404 0 2 0\n",
            "1 {\"date\":\"2015-03-11\",\"time\":\"21:59:09\",\"s-ip\":\"192.0.2.1\","
            "\"cs-method\":\"GET\",\"cs-uri-stem\":\"/a\",\"s-port\":\"80\",\"c-ip\":\"192.0.2.7\","
            "\"cs(User-Agent)\":\"x+y\",\"sc-status\":\"404\",\"sc-substatus\":\"0\","
            "\"sc-win32-status\":\"2\",\"time-taken\":\"0\",\"timestamp\":\"2015-03-11 21:59:09\","
            "\"cs-user-agent\":\"x y\",\"cs-uri-query\":\"/a\"}\n"
            "2 {\"date\":\"2015-03-11\",\"time\":\"21:59:09\",\"s-ip\":\"192.0.2.1\","
            "\"cs-method\":\"GET\",\"cs-uri-stem\":\"/a\",\"s-port\":\"80\",\"c-ip\":\"192.0.2.7\","
            "\"cs(User-Agent)\":\"x\",\"sc-status\":\"404\",\"sc-substatus\":\"0\","
            "\"sc-win32-status\":\"2\",\"time-taken\":\"0\",\"timestamp\":\"2015-03-11 21:59:09\","
            "\"cs-user-agent\":\"x\",\"cs-uri-query\":\"/a\"}\n"
            "3! no #Fields line before it\n");
}

static void it_is_recognised_among_others(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool mine;
    } cases[] = {{"#Software: Microsoft Internet Information Services 8.5\n#Version: 1.0\n", true},
            {"#Fields: date time\n", true}, {"\xEF\xBB\xBF#Fields: a\n", true}, {"", false},
            {"#separator \\x09\n#fields\tts\n", false}, {"# a comment\n", false},
            {"2015-03-11 21:59:09 something happened\n", false},
            {"2015-03-11 21:59:09 192.0.2.1 GET /a - 80 - 192.0.2.7 x 404 0 2 0\n", true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(records_rig_recognise(&w3c_decoder, cases[i].text) > 0, cases[i].mine);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(rows_follow_the_header_in_force),
            cmocka_unit_test(more_is_made_of_a_servers_row),
            cmocka_unit_test(more_is_made_of_a_proxys_row),
            cmocka_unit_test(values_stand_between_tabs_or_in_quotes),
            cmocka_unit_test(rows_that_do_not_fit_are_rejected),
            cmocka_unit_test(columns_are_bounded),
            cmocka_unit_test(iis_columns_are_known_without_a_header),
            cmocka_unit_test(it_is_recognised_among_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
