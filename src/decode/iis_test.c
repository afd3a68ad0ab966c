/* IIS' own log file format. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "decode/iis.h"
#include "support/records_rig.h"

static void expect(const char *line, const char *expected)
{
    struct buf out = {0};
    records_rig_read(&iis_decoder, slice_text(line), 4096, 1024, &out);
    buf_byte(&out, '\0');
    assert_string_equal(out.at, expected);
    buf_fini(&out);
}

static void columns_have_their_names(void **state)
{
    (void)state;
    expect("::1, -, 11/20/2023, 15:44:03, W3SVC1, H, ::2, 2, 769, 143, 304, 0, GET, /a, -,",
            "1 {\"c-ip\":\"::1\",\"date\":\"11/20/2023\",\"time\":\"15:44:03\","
            "\"s-sitename\":\"W3SVC1\",\"s-computername\":\"H\",\"s-ip\":\"::2\","
            "\"time-taken\":\"2\",\"cs-bytes\":\"769\",\"sc-bytes\":\"143\",\"sc-status\":\"304\","
            "\"sc-win32-status\":\"0\",\"cs-method\":\"GET\",\"cs-uri-stem\":\"/a\","
            "\"timestamp\":\"2023-11-20 15:44:03\",\"cs-uri-query\":\"/a\"}\n");
    expect("1.2.3.4, eve, 1/2/03, 5:44:03, S, H, 1.2.3.5, 2, 7, 1, 404, 0, GET, /a, b=c, d,",
            "1 {\"c-ip\":\"1.2.3.4\",\"cs-username\":\"eve\",\"date\":\"1/2/03\","
            "\"time\":\"5:44:03\",\"s-sitename\":\"S\",\"s-computername\":\"H\","
            "\"s-ip\":\"1.2.3.5\",\"time-taken\":\"2\",\"cs-bytes\":\"7\",\"sc-bytes\":\"1\","
            "\"sc-status\":\"404\",\"sc-win32-status\":\"0\",\"cs-method\":\"GET\","
            "\"cs-uri-stem\":\"/a\",\"cs-uri-query\":[\"b=c, d\",\"/a?b=c, d\"],"
            "\"timestamp\":\"2003-01-02 5:44:03\"}\n");
}

static void other_lines_are_rejected(void **state)
{
    (void)state;
    static const char *const lines[] = {"x", "::1, -, 11/20/2023, 15:44:03",
            "h, -, 11/20/2023, 15:44:03, W, H, ::2, 2, 769, 143, 304, 0, GET, /a, -,",
            "::1, -, x, 15:44:03, W, H, ::2, 2, 769, 143, 304, 0, GET, /a, -,",
            "::1, -, 11/20/2023, 15:44:03, W, H, ::2, 2, 769, 143, ok, 0, GET, /a, -,"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        expect(lines[i], "1! no line of IIS' log file format\n");
        assert_int_equal(records_rig_recognise(&iis_decoder, lines[i]), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(columns_have_their_names),
            cmocka_unit_test(other_lines_are_rejected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
