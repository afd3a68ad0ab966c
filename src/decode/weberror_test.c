/* Error logs of Apache and nginx, old and new. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "decode/weberror.h"
#include "support/records_rig.h"

static void expect(const struct decoder *decoder, const char *line, const char *expected)
{
    struct buf out = {0};
    records_rig_read(decoder, slice_text(line), 4096, 1024, &out);
    buf_byte(&out, '\0');
    assert_string_equal(out.at, expected);
    buf_fini(&out);
}

static void apache_lines_are_read(void **state)
{
    (void)state;
    const struct decoder *d = &weberror_apache_decoder;
    expect(d, "[Wed Oct 11 14:32:52 2000] [error] [client 127.0.0.1] denied, referer: http://a/?b",
            "1 {\"timestamp\":\"2000-10-11T14:32:52\",\"level\":\"error\",\"c-ip\":\"127.0.0.1\","
            "\"message\":\"denied, referer: http://a/?b\",\"cs-referer\":\"http://a/?b\"}\n");
    expect(d, "[Thu Feb  1 11:47:27.072780 2024] [ssl:info] [pid 12:tid 7] [client ::1:57] AH01: x",
            "1 {\"timestamp\":\"2024-02-01T11:47:27.072780\",\"module\":\"ssl\",\"level\":\"info\","
            "\"pid\":\"12\",\"tid\":\"7\",\"c-port\":\"57\",\"c-ip\":\"::1\","
            "\"message\":\"AH01: x\"}\n");
    expect(d, "[Thu Feb 29 14:23:43 2024] [:info] [pid 2] (7)End: [client 192.0.2.1 :42] AH: x",
            "1 {\"timestamp\":\"2024-02-29T14:23:43\",\"level\":\"info\",\"pid\":\"2\","
            "\"c-port\":\"42\",\"c-ip\":\"192.0.2.1\","
            "\"message\":\"(7)End: [client 192.0.2.1 :42] AH: x\"}\n");
    expect(d,
            "[error] [client 192.0.2.1:5] [client 192.0.2.1] ModSecurity: a [id \"9\"] [x [tag "
            "\"b\"]",
            "1 {\"level\":\"error\",\"c-port\":\"5\",\"c-ip\":\"192.0.2.1\","
            "\"message\":\"ModSecurity: a [id \\\"9\\\"] [x [tag \\\"b\\\"]\",\"id\":\"9\","
            "\"tag\":\"b\"}\n");
    expect(d, "[notice] child pid 3 exit signal Segmentation fault (11)",
            "1 {\"level\":\"notice\",\"message\":\"child pid 3 exit signal Segmentation fault "
            "(11)\"}\n");
    static const char *const wrong[] = {"x", "[x] y", "[Wed Oct 11 14:32:52 2000] x", "[error",
            "[Wed Foo 11 14:32:52 2000] [error] x", "[]", "["};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        expect(d, wrong[i], "1! no line of Apache's error log\n");
    }
}

static void nginx_lines_are_read(void **state)
{
    (void)state;
    const struct decoder *d = &weberror_nginx_decoder;
    expect(d,
            "2015/01/08 11:31:23 [error] 80#2: *7 open() failed, client: 192.0.2.1, server: _, "
            "request: \"GET /a, b\", host: \"h\", referrer: \"r\"",
            "1 {\"timestamp\":\"2015/01/08 11:31:23\",\"level\":\"error\",\"pid\":\"80\","
            "\"tid\":\"2\",\"connection\":\"7\",\"message\":\"open() failed\","
            "\"c-ip\":\"192.0.2.1\",\"server\":\"_\",\"request\":\"GET /a, b\",\"cs-host\":\"h\","
            "\"cs-referer\":\"r\"}\n");
    expect(d, "2015/01/08 11:31:23 [alert] 80#0: worker process 9 exited on signal 6 (core dumped)",
            "1 {\"timestamp\":\"2015/01/08 11:31:23\",\"level\":\"alert\",\"pid\":\"80\","
            "\"tid\":\"0\",\"message\":\"worker process 9 exited on signal 6 (core dumped)\"}\n");
    static const char *const wrong[] = {"x", "2015/01/08 11:31:23 [error] x#2: abcdef",
            "2015/01/08 11:31:23 [error 80#2: abcdef", "2015/01/08 11:31:23 [error] 80 abcdef",
            "2015-01-08 11:31:23 [error] 80#2: abcdef"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        expect(d, wrong[i], "1! no line of nginx' error log\n");
    }
}

static void they_are_recognised_among_others(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool apache, nginx;
    } cases[] = {{"[Wed Oct 11 14:32:52 2000] [error] x\n", true, false},
            {"2015/01/08 11:31:23 [error] 80#2: abc\n", false, true}, {"", false, false},
            {"[error] x\n", false, false}, {"2015/01/08 11:31:23 something else\n", false, false},
            {"192.0.2.1 - - [17/May/2015:10:05:03 +0000] \"GET / HTTP/1.1\" 200 3\n", false,
                    false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *text = cases[i].text;
        assert_int_equal(
                records_rig_recognise(&weberror_apache_decoder, text) > 0, cases[i].apache);
        assert_int_equal(records_rig_recognise(&weberror_nginx_decoder, text) > 0, cases[i].nginx);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(apache_lines_are_read),
            cmocka_unit_test(nginx_lines_are_read),
            cmocka_unit_test(they_are_recognised_among_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
