#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base64.h"

/* RFC 4648, section 10. */
static void writes_and_reads_the_standards_examples(void **state)
{
    (void)state;
    static const char *const cases[][2] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"},
            {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf text = {0}, web = {0}, back = {0};
        base64_add(&text, slice_text(cases[i][0]));
        base64_add_url(&web, slice_text(cases[i][0]));
        assert_true(slice_equal(buf_slice(&text), slice_text(cases[i][1])));
        assert_int_equal(base64_read(buf_slice(&text), &back), OK);
        assert_int_equal(base64_read(buf_slice(&web), &back), OK);
        assert_int_equal(back.size, 2 * strlen(cases[i][0]));
        assert_true(slice_starts(buf_slice(&back), slice_text(cases[i][0])));
        buf_fini(&text);
        buf_fini(&web);
        buf_fini(&back);
    }
}

static void tells_the_alphabets_apart(void **state)
{
    (void)state;
    struct buf text = {0};
    base64_add(&text, SLICE("\xFB\xFF"));
    base64_add_url(&text, SLICE("\xFB\xFF"));
    assert_true(slice_equal(buf_slice(&text), SLICE("+/8=-_8")));
    buf_fini(&text);
}

static void refuses_what_is_none(void **state)
{
    (void)state;
    static const char *const bad[] = {"Z", "Zg=", "Zg===", "Z===", "Zm9v\n", "Zm 9",
            "Zh==", "Zm9=", "====", "Zm9vZ", "\xC3\xA9"};
    struct buf out = {0};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (base64_read(slice_text(bad[i]), &out) != ERR_SYNTAX || out.size != 0) {
            fail_msg("accepted: %s", bad[i]);
        }
    }
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(writes_and_reads_the_standards_examples),
            cmocka_unit_test(tells_the_alphabets_apart),
            cmocka_unit_test(refuses_what_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
