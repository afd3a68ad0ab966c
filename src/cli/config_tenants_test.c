#include "cli/config_tenants.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct slice tags[2];
static struct rule rule;

static int make_rule(void **unused)
{
    (void)unused;
    tags[0] = SLICE("attack.t1059.001");
    tags[1] = SLICE("attack.execution");
    rule = (struct rule){.title = SLICE("Odd: Shell of a Server"),
            .id = SLICE("5b7b-1"),
            .file = SLICE("/rules/linux/shell.yml"),
            .level = LEVEL_MEDIUM,
            .tags = tags,
            .tag_count = 2,
            .logsource = {.product = SLICE("linux"), .category = SLICE("process_creation")}};
    return 0;
}

static void words_choose_rules(void **unused)
{
    (void)unused;
    static const struct {
        const char *word;
        bool fits;
    } cases[] = {{"5b7b-1", true}, {"5B7B-1", true}, {"5b7b", false}, {"5b7b-?", true},
            {"Odd: shell of a server", true}, {"Odd*", true}, {"*server", true}, {"*serve", false},
            {"tag:attack.t1059*", true}, {"tag:attack.t1110", false}, {"product:linux", true},
            {"product:windows", false}, {"service:*", false}, {"category:process_*", true},
            {"file:*/linux/*", true}, {"file:*/windows/*", false}, {"*", true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct slice word = slice_text(cases[i].word);
        const struct config_tenant in = {.include = &word, .include_count = 1};
        const struct config_tenant out = {.exclude = &word, .exclude_count = 1};
        if (config_tenants_takes(&in, &rule) != cases[i].fits ||
                config_tenants_takes(&out, &rule) == cases[i].fits) {
            fail_msg("%s", cases[i].word);
        }
    }
}

static void all_parts_must_leave_it_in(void **unused)
{
    (void)unused;
    const struct slice all = SLICE("*"), none = SLICE("none");
    struct config_tenant row = {0};
    assert_true(config_tenants_takes(&row, &rule));
    row.level = LEVEL_MEDIUM;
    assert_true(config_tenants_takes(&row, &rule));
    row.level = LEVEL_HIGH;
    assert_false(config_tenants_takes(&row, &rule));
    row = (struct config_tenant){.include = &all, .include_count = 1, .exclude = &none};
    row.exclude_count = 1;
    assert_true(config_tenants_takes(&row, &rule));
    row.exclude = &all;
    assert_false(config_tenants_takes(&row, &rule));
}

static void a_book_gives_them_back(void **unused)
{
    (void)unused;
    const struct slice in[] = {SLICE("a"), SLICE("tag:b")}, ex[] = {SLICE("c d")};
    struct config_tenant rows[] = {
            {.tenant = SLICE("sg"), .level = LEVEL_LOW}, {.tenant = SLICE("sg/a"),
                                                                 .include = in,
                                                                 .include_count = 2,
                                                                 .exclude = ex,
                                                                 .exclude_count = 1}};
    const struct config_tenants given = {rows, 2};
    struct config_tenants back;
    struct arena arena;
    struct buf text = {0}, again = {0};
    arena_init(&arena, 1 << 20);
    config_tenants_write(&given, &text);
    assert_int_equal(config_tenants_parse(buf_slice(&text), &arena, &back, NULL), OK);
    config_tenants_write(&back, &again);
    assert_true(slice_equal(buf_slice(&text), buf_slice(&again)));
    assert_int_equal(back.count, 2);
    assert_int_equal(back.at[0].level, LEVEL_LOW);
    assert_true(slice_equal(back.at[1].include[1], in[1]));
    assert_true(slice_equal(back.at[1].exclude[0], ex[0]));
    static const char *const damaged[] = {
            "sg\tinclude\ta\n", "sg\tlevel\tnone\n", "sg\tlevel\t\nsg\tother\tx\n", "\n"};
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        assert_int_equal(
                config_tenants_parse(slice_text(damaged[i]), &arena, &back, NULL), ERR_SYNTAX);
    }
    buf_fini(&text);
    buf_fini(&again);
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(words_choose_rules),
            cmocka_unit_test(all_parts_must_leave_it_in),
            cmocka_unit_test(a_book_gives_them_back),
    };
    return cmocka_run_group_tests(tests, make_rule, NULL);
}
