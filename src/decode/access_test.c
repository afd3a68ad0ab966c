/* Access logs of web servers and Squid: each shape gives the same fields, escapes are resolved,
 * what is no access is rejected by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "decode/access.h"
#include "decode/squid.h"
#include "decode/web.h"
#include "support/records_rig.h"

static void expect_of(const struct decoder *decoder, const char *line, const char *fields)
{
    struct buf out = {0}, wanted = {0};
    buf_format(&wanted, fields[0] == '!' ? "1%s\n" : "1 {%s}\n", fields);
    records_rig_read(decoder, slice_text(line), 4096, 1024, &out);
    buf_byte(&out, '\0');
    buf_byte(&wanted, '\0');
    assert_string_equal(out.at, wanted.at);
    buf_fini(&out);
    buf_fini(&wanted);
}

static void expect(const char *line, const char *fields)
{
    expect_of(&access_decoder, line, fields);
}

#define TIME "[17/May/2015:10:05:03 +0000] "
#define GET "\"GET /a HTTP/1.1\" 200 3"
#define TIME_J "\"time_local\":\"17/May/2015:10:05:03 +0000\","
#define GET_J                                                                                      \
    "\"cs-method\":\"GET\",\"request_uri\":\"/a\",\"cs-uri-stem\":\"/a\",\"cs-uri-query\":\"/a\"," \
    "\"cs-version\":\"HTTP/1.1\",\"sc-status\":\"200\",\"sc-bytes\":\"3\""

static void each_shape_gives_its_fields(void **state)
{
    (void)state;
    expect("192.0.2.1 - - " TIME GET, "\"c-ip\":\"192.0.2.1\"," TIME_J GET_J);
    expect("host.example id eve " TIME GET " \"-\" \"x\"",
            "\"c-ip\":\"host.example\",\"ident\":\"id\",\"cs-username\":\"eve\"," TIME_J GET_J
            ",\"cs-user-agent\":\"x\"");
    expect("::1 - john doe " TIME GET " \"http://r\" \"-\"",
            "\"c-ip\":\"::1\",\"cs-username\":\"john doe\"," TIME_J GET_J
            ",\"cs-referer\":\"http://r\"");
    expect("w.example:443 192.0.2.1 - - " TIME GET " \"-\" \"x\" 12us",
            "\"cs-host\":\"w.example\",\"s-port\":\"443\",\"c-ip\":\"192.0.2.1\"," TIME_J GET_J
            ",\"cs-user-agent\":\"x\",\"rest\":\"12us\"");
    expect("192.0.2.1, 198.51.100.2, ::1 - - " TIME GET,
            "\"c-ip\":\"192.0.2.1\",\"x_forwarded_for\":\"192.0.2.1, 198.51.100.2, ::1\"," TIME_J
                    GET_J);
    expect("192.0.2.1 - - " TIME GET " \"-\" \"x\" \"198.51.100.2, 192.0.2.9\" 0.1",
            "\"c-ip\":\"192.0.2.1\",\"x_forwarded_for\":\"198.51.100.2, 192.0.2.9\"," TIME_J GET_J
            ",\"cs-user-agent\":\"x\",\"rest\":\"0.1\"");
    expect("192.0.2.1 (-) - - " TIME "\"-\" " GET " 0 \"-\" \"x",
            "\"c-ip\":\"192.0.2.1\"," TIME_J GET_J ",\"cs-user-agent\":\"x\"");
}

static void the_query_comes_with_and_without_the_path(void **state)
{
    (void)state;
    expect("192.0.2.1 - - " TIME "\"POST /a/b.php?c=d e?f HTTP/1.0\" - -",
            "\"c-ip\":\"192.0.2.1\"," TIME_J "\"cs-method\":\"POST\","
            "\"request_uri\":\"/a/b.php?c=d e?f\",\"cs-uri-stem\":\"/a/b.php\","
            "\"cs-uri-query\":[\"c=d e?f\",\"/a/b.php?c=d e?f\"],\"cs-version\":\"HTTP/1.0\"");
    expect("192.0.2.1 - - " TIME "\"GET http://u:p@[2001:db8::1]:80/a HTTP/1.0\" 200 1",
            "\"c-ip\":\"192.0.2.1\"," TIME_J "\"cs-method\":\"GET\","
            "\"request_uri\":\"http://u:p@[2001:db8::1]:80/a\",\"cs-uri-stem\":\"/a\","
            "\"cs-host\":\"2001:db8::1\",\"cs-uri-port\":\"80\",\"cs-uri-query\":\"http://"
            "u:p@[2001:db8::1]:80/a\","
            "\"cs-version\":\"HTTP/1.0\",\"sc-status\":\"200\",\"sc-bytes\":\"1\"");
}

static void escapes_are_resolved(void **state)
{
    (void)state;
    expect("192.0.2.1 - - " TIME "\"GET /\\\"\\x3Cscript\\\\ HTTP/1.1\" 200 1 \"-\" \"a\\tb\\q\"",
            "\"c-ip\":\"192.0.2.1\"," TIME_J "\"cs-method\":\"GET\","
            "\"request_uri\":\"/\\\"<script\\\\\",\"cs-uri-stem\":\"/\\\"<script\\\\\","
            "\"cs-uri-query\":\"/\\\"<script\\\\\",\"cs-version\":\"HTTP/1.1\","
            "\"sc-status\":\"200\",\"sc-bytes\":\"1\",\"cs-user-agent\":\"a\\tb\\\\q\"");
    expect("192.0.2.1 - - " TIME "\"\\x16\\x03\\x01\" 400 226",
            "\"c-ip\":\"192.0.2.1\"," TIME_J "\"request\":\"\\u0016\\u0003\\u0001\","
            "\"sc-status\":\"400\",\"sc-bytes\":\"226\"");
    expect("192.0.2.1 - - " TIME "\"-\" 408 -",
            "\"c-ip\":\"192.0.2.1\"," TIME_J "\"sc-status\":\"408\"");
}

static void squid_in_the_servers_shape_is_a_proxy(void **state)
{
    (void)state;
    expect("192.0.2.1 - eve " TIME "\"GET http://h.example/a.exe?b HTTP/1.1\" 200 9 \"-\" \"x\" "
           "TCP_MISS:HIER_DIRECT",
            "\"c-ip\":\"192.0.2.1\",\"cs-username\":\"eve\"," TIME_J "\"cs-method\":\"GET\","
            "\"c-uri\":\"http://h.example/a.exe?b\",\"c-uri-stem\":\"/a.exe\","
            "\"c-uri-query\":\"b\",\"cs-host\":\"h.example\",\"c-uri-extension\":\"exe\","
            "\"cs-version\":\"HTTP/1.1\",\"sc-status\":\"200\",\"sc-bytes\":\"9\","
            "\"cs-user-agent\":\"x\",\"s-action\":\"TCP_MISS\",\"s-hierarchy\":\"HIER_DIRECT\"");
}

static void what_is_no_access_is_rejected(void **state)
{
    (void)state;
    static const char *const lines[] = {"x", "192.0.2.1 - - [x] " GET, "192.0.2.1 - - " TIME "GET",
            "192.0.2.1 - - [17/May/2015:10:05:03 +0000", "192.0.2.1 - - " TIME "\"GET / HTTP/1.1",
            "192.0.2.1 - - " TIME "\"GET /\" x 3", "[1/", "192.0.2.1 - - " TIME "\"", "[[[[[[[[[["};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        expect(lines[i], "! no access: no [time] \"request\" status");
    }
}

static void squid_speaks_for_itself(void **state)
{
    (void)state;
    expect_of(&squid_decoder,
            "1565598801.353     24 192.0.2.7 TCP_MISS/200 394 CONNECT h.example:443 eve "
            "HIER_DIRECT/192.0.2.80 - \"-\" \"-\"",
            "\"timestamp\":\"1565598801.353\",\"time-taken\":\"24\",\"c-ip\":\"192.0.2.7\","
            "\"s-action\":\"TCP_MISS\",\"sc-status\":\"200\",\"sc-bytes\":\"394\","
            "\"cs-method\":\"CONNECT\",\"c-uri\":\"h.example:443\",\"cs-host\":\"h.example\",\"cs-"
            "uri-port\":\"443\","
            "\"r-dns\":\"h.example\",\"cs-username\":\"eve\",\"s-hierarchy\":\"HIER_DIRECT\","
            "\"dst_ip\":\"192.0.2.80\",\"c-useragent\":\"\"");
    expect_of(&squid_decoder,
            "1565598801.353 24 192.0.2.7 TCP_MISS/200 394 GET http://192.0.2.1/a.b/c?d - "
            "NONE/- text/html \"r\" \"a\\x22\" more of it",
            "\"timestamp\":\"1565598801.353\",\"time-taken\":\"24\",\"c-ip\":\"192.0.2.7\","
            "\"s-action\":\"TCP_MISS\",\"sc-status\":\"200\",\"sc-bytes\":\"394\","
            "\"cs-method\":\"GET\",\"c-uri\":\"http://192.0.2.1/a.b/c?d\",\"c-uri-stem\":\"/a.b/"
            "c\","
            "\"c-uri-query\":\"d\",\"cs-host\":\"192.0.2.1\",\"s-hierarchy\":\"NONE\","
            "\"cs-content-type\":\"text/html\",\"cs-referer\":\"r\",\"c-useragent\":\"a\\\"\","
            "\"rest\":\"more of it\"");
    static const char *const lines[] = {"1565598801 24 192.0.2.7 A/2 3 GET u - N/-",
            "1565598801.353 x 192.0.2.7 A/2 3 GET u - N/-",
            "1565598801.353 24 192.0.2.7 A 3 GET u - N/-",
            "1565598801.353 24 192.0.2.7 A/2 x GET u - N/-",
            "1565598801.353 24 192.0.2.7 A/2 3 GET u - N",
            "1565598801.353 24 192.0.2.7 A/2 3 GET u -"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        expect_of(&squid_decoder, lines[i], "! no line of Squid's access log");
    }
}

static void lines_over_the_limit_are_rejected(void **state)
{
    (void)state;
    char line[1100];
    static const char front[] = "192.0.2.1 - - " TIME GET " \"-\" \"";
    for (size_t size = 1024; size <= 1025; size++) {
        struct buf out = {0};
        memset(line, 'x', sizeof line);
        memcpy(line, front, sizeof front - 1);
        records_rig_read(&access_decoder, slice_of(line, size), 4096, 1024, &out);
        assert_memory_equal(out.at, size > 1024 ? "1! " : "1 {", 3);
        buf_fini(&out);
    }
}

static void targets_are_taken_apart(void **state)
{
    (void)state;
    static const struct {
        const char *target, *host, *port, *path, *query, *extension;
    } cases[] = {{"/a/b.tar.gz?c#d", "", "", "/a/b.tar.gz", "c#d", "gz"},
            {"http://h/", "h", "", "/", "", ""}, {"http://h", "h", "", "", "", ""},
            {"https://h:1?q", "h", "1", "", "q", ""}, {"h.x:443", "h.x", "443", "", "", ""},
            {"[::1]:443", "::1", "443", "", "", ""}, {"*", "", "", "*", "", ""},
            {"/a?u=http://x/y.exe", "", "", "/a", "u=http://x/y.exe", ""},
            {"a?u=http://x", "", "", "a", "u=http://x", ""}, {"/a.b/c", "", "", "/a.b/c", "", ""},
            {"/a.", "", "", "/a.", "", ""}, {"", "", "", "", "", ""},
            {"http://[::1", "[::1", "", "", "", ""}, {":1", "", "", ":1", "", ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct web_target t = web_target(slice_text(cases[i].target));
        assert_true(slice_equal(t.host, slice_text(cases[i].host)));
        assert_true(slice_equal(t.port, slice_text(cases[i].port)));
        assert_true(slice_equal(t.path, slice_text(cases[i].path)));
        assert_true(slice_equal(t.query, slice_text(cases[i].query)));
        assert_true(slice_equal(t.extension, slice_text(cases[i].extension)));
    }
}

static void they_are_recognised_among_others(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool access, squid;
    } cases[] = {{"192.0.2.1 - - " TIME GET "\n", true, false},
            {"1565598801.353 24 192.0.2.7 A/2 3 GET u - N/-\n", false, true}, {"", false, false},
            {"type=CWD msg=audit(1.2:3): cwd=\"/\"\n", false, false},
            {"Nov 22 18:40:36 web1 httpd[1]: started\n", false, false},
            {"[Wed Oct 11 14:32:52 2000] [error] x\n", false, false},
            {"#Fields: date time\n", false, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *text = cases[i].text;
        assert_int_equal(records_rig_recognise(&access_decoder, text) > 0, cases[i].access);
        assert_int_equal(records_rig_recognise(&squid_decoder, text) > 0, cases[i].squid);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(each_shape_gives_its_fields),
            cmocka_unit_test(the_query_comes_with_and_without_the_path),
            cmocka_unit_test(escapes_are_resolved),
            cmocka_unit_test(squid_in_the_servers_shape_is_a_proxy),
            cmocka_unit_test(what_is_no_access_is_rejected),
            cmocka_unit_test(squid_speaks_for_itself),
            cmocka_unit_test(lines_over_the_limit_are_rejected),
            cmocka_unit_test(targets_are_taken_apart),
            cmocka_unit_test(they_are_recognised_among_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
