#include "intel/indicators.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/memory.h"

static struct indicators *set;
static struct buf found;

static void open_set(size_t count, size_t bytes)
{
    const struct indicators_limits limits = {count, bytes};
    assert_int_equal(indicators_new(&limits, &set), OK);
}

static void close_set(void)
{
    indicators_free(set);
    set = NULL;
}

static enum err add(uint8_t kind, const char *text, const char *label)
{
    struct diag diag;
    struct indicator it = {.kind = kind,
            .text = slice_text(text),
            .given = slice_text(text),
            .label = slice_text(label),
            .file = SLICE("f"),
            .valid_until = INT64_MAX};
    return indicators_add(set, &it, &diag);
}

static bool take_found(void *context, const struct indicator *it)
{
    (void)context;
    buf_add(&found, it->given);
    buf_byte(&found, '/');
    buf_add(&found, it->label);
    buf_byte(&found, ' ');
    return true;
}

static bool take(void *context, const struct observable *it)
{
    size_t before = found.size;
    indicators_find(set, it, take_found, NULL);
    bool maybe = indicators_maybe(set, it);
    assert_true(maybe || found.size == before);
    *(bool *)context |= maybe;
    return true;
}

static const char *find(const char *text)
{
    static struct observable_scan scan;
    bool maybe = false;
    buf_clear(&found);
    scan.wants = indicators_kinds(set);
    scan.take = take;
    scan.context = &maybe;
    observable_scan(&scan, slice_text(text));
    buf_byte(&found, 0);
    return found.at;
}

static void close_adding(void)
{
    assert_int_equal(indicators_close(set, NULL), OK);
}

static void names_are_found_with_those_below(void **unused)
{
    (void)unused;
    open_set(100, 1 << 20);
    assert_int_equal(add(OBSERVABLE_DOMAIN, "Evil.Example", "a"), OK);
    assert_int_equal(add(OBSERVABLE_DOMAIN, "x.evil.example.", "b"), OK);
    close_adding();
    assert_string_equal(find("evil.example"), "Evil.Example/a ");
    assert_string_equal(find("y.x.EVIL.example"), "x.evil.example./b Evil.Example/a ");
    assert_string_equal(find("bob@evil.example"), "Evil.Example/a ");
    assert_string_equal(find("notevil.example evil.example.net example"), "");
    close_set();
}

static void addresses_are_found_by_blocks(void **unused)
{
    (void)unused;
    open_set(100, 1 << 20);
    assert_int_equal(add(OBSERVABLE_ADDRESS, "192.0.2.77/24", "n"), OK);
    assert_int_equal(add(OBSERVABLE_ADDRESS, "192.0.2.1", "o"), OK);
    assert_int_equal(add(OBSERVABLE_ADDRESS, "198.51.100.1/32", "p"), OK);
    assert_int_equal(add(OBSERVABLE_ADDRESS, "203.0.113.130/25", "q"), OK);
    assert_int_equal(add(OBSERVABLE_ADDRESS, "2001:db8::/33", "s"), OK);
    close_adding();
    assert_string_equal(find("192.0.2.255"), "192.0.2.77/24/n ");
    assert_string_equal(find("192.0.2.1"), "192.0.2.1/o 192.0.2.77/24/n ");
    assert_string_equal(find("::ffff:198.51.100.1"), "198.51.100.1/32/p ");
    assert_string_equal(find("203.0.113.128"), "203.0.113.130/25/q ");
    assert_string_equal(find("2001:db8:7fff::1"), "2001:db8::/33/s ");
    assert_string_equal(find("192.0.3.1 203.0.113.127 2001:db8:8000::1 198.51.100.2"), "");
    close_set();
}

static void what_is_none_is_refused(void **unused)
{
    (void)unused;
    open_set(100, 1 << 20);
    static const struct {
        uint8_t kind;
        const char *text;
    } wrong[] = {{OBSERVABLE_ADDRESS, "1.2.3"}, {OBSERVABLE_ADDRESS, "1.2.3.4/33"},
            {OBSERVABLE_ADDRESS, "1.2.3.4/7"}, {OBSERVABLE_ADDRESS, "1.2.3.4/"},
            {OBSERVABLE_ADDRESS, "1.2.3.4/2x"}, {OBSERVABLE_ADDRESS, "::/31"},
            {OBSERVABLE_DOMAIN, "example"}, {OBSERVABLE_DOMAIN, "a b.example"},
            {OBSERVABLE_HASH, "abc"}, {OBSERVABLE_URL, "a/b"}, {OBSERVABLE_EMAIL, "a.example"},
            {OBSERVABLE_ACCOUNT, ""}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(add(wrong[i].kind, wrong[i].text, ""), ERR_SYNTAX);
    }
    assert_int_equal(add(OBSERVABLE_ADDRESS, "1.2.3.4/8", ""), OK);
    assert_int_equal(add(OBSERVABLE_ADDRESS, "::/32", ""), OK);
    assert_int_equal(indicators_count(set), 2);
    close_set();
}

static void equal_ones_of_other_places_are_kept(void **unused)
{
    (void)unused;
    open_set(100, 1 << 20);
    assert_int_equal(add(OBSERVABLE_DOMAIN, "evil.example", "a"), OK);
    assert_int_equal(add(OBSERVABLE_DOMAIN, "EVIL.example", "b"), OK);
    assert_int_equal(add(OBSERVABLE_DOMAIN, "evil.example", "a"), OK);
    close_adding();
    assert_int_equal(indicators_count(set), 2);
    assert_int_equal(indicators_repeated(set), 1);
    assert_string_equal(find("evil.example"), "EVIL.example/b evil.example/a ");
    close_set();
}

static void there_are_limits(void **unused)
{
    (void)unused;
    char name[60];
    open_set(3, 1 << 20);
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "n%d.example", i);
        assert_int_equal(add(OBSERVABLE_DOMAIN, name, ""), OK);
    }
    assert_int_equal(add(OBSERVABLE_DOMAIN, "n3.example", ""), ERR_LIMIT);
    close_set();
    open_set(1000000, 64 << 10);
    enum err e = OK;
    for (int i = 0; i < 10000 && e == OK; i++) {
        snprintf(name, sizeof name, "n%d.example", i);
        e = add(OBSERVABLE_DOMAIN, name, "");
    }
    assert_int_equal(e, ERR_LIMIT);
    close_set();
}

static void many_are_found_each(void **unused)
{
    (void)unused;
    char name[60], want[70];
    open_set(100000, 64 << 20);
    for (int i = 0; i < 20000; i++) {
        snprintf(name, sizeof name, "n%d.example", i);
        assert_int_equal(add(OBSERVABLE_DOMAIN, name, ""), OK);
    }
    close_adding();
    for (int i = 0; i < 20000; i += 7) {
        snprintf(name, sizeof name, "n%d.example", i);
        snprintf(want, sizeof want, "%s/ ", name);
        assert_string_equal(find(name), want);
    }
    assert_string_equal(find("n20000.example"), "");
    close_set();
}

static void memory_may_end(void **unused)
{
    (void)unused;
    for (uint64_t n = 1; n < 12; n++) {
        const struct indicators_limits limits = {1000, 1 << 20};
        memory_fail_after(n);
        if (indicators_new(&limits, &set) == OK) {
            enum err e = add(OBSERVABLE_DOMAIN, "evil.example", "a");
            if (e == OK) {
                e = indicators_close(set, NULL);
            }
            assert_true(e == OK || e == ERR_MEMORY || e == ERR_LIMIT);
        }
        memory_fail_after(0);
        close_set();
    }
}

static int clean(void **unused)
{
    (void)unused;
    buf_fini(&found);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(names_are_found_with_those_below),
            cmocka_unit_test(addresses_are_found_by_blocks),
            cmocka_unit_test(what_is_none_is_refused),
            cmocka_unit_test(equal_ones_of_other_places_are_kept),
            cmocka_unit_test(there_are_limits),
            cmocka_unit_test(many_are_found_each),
            cmocka_unit_test(memory_may_end),
    };
    return cmocka_run_group_tests(tests, NULL, clean);
}
