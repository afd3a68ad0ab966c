#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/time.h"
#include "cli/figures.h"

static void expect(struct buf *out, const char *text)
{
    assert_int_equal(out->size, strlen(text));
    assert_memory_equal(out->at, text, out->size);
    buf_clear(out);
}

static void counts_have_a_comma_each_three_digits(void **state)
{
    struct buf out = {0};
    (void)state;
    figures_count(&out, 0);
    expect(&out, "0");
    figures_count(&out, 999);
    expect(&out, "999");
    figures_count(&out, 1000);
    expect(&out, "1,000");
    figures_count(&out, UINT64_MAX);
    expect(&out, "18,446,744,073,709,551,615");
    buf_fini(&out);
}

static void sizes_have_the_largest_unit(void **state)
{
    static const struct {
        uint64_t bytes;
        const char *text;
    } cases[] = {{0, "0 bytes"}, {1023, "1023 bytes"}, {1024, "1.0 KiB"}, {2047, "1.9 KiB"},
            {(5 << 20) + (1 << 19), "5.5 MiB"}, {UINT64_MAX, "15.9 EiB"}};
    struct buf out = {0};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        figures_size(&out, cases[i].bytes);
        expect(&out, cases[i].text);
    }
    buf_fini(&out);
}

static void spans_have_two_units_at_most(void **state)
{
    static const struct {
        int64_t ns;
        const char *text;
    } cases[] = {{0, "0 ns"}, {999999, "999,999 ns"}, {1000000, "1 ms"},
            {TIME_SECOND - 1, "999 ms"}, {TIME_SECOND, "1 s"}, {59 * TIME_SECOND + 7, "59 s"},
            {60 * TIME_SECOND, "1 min"}, {61 * TIME_SECOND, "1 min 1 s"},
            {3725 * TIME_SECOND, "1 h 2 min"}, {3601 * TIME_SECOND, "1 h"},
            {TIME_DAY * 2 + 3600 * TIME_SECOND, "2 d 1 h"}, {INT64_MAX, "106,751 d 23 h"}};
    struct buf out = {0};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        figures_span(&out, cases[i].ns);
        expect(&out, cases[i].text);
    }
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(counts_have_a_comma_each_three_digits),
            cmocka_unit_test(sizes_have_the_largest_unit),
            cmocka_unit_test(spans_have_two_units_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
