#include "app/serve_tenants.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static const char rules[] = "title: One\nid: 00000000-0000-4000-8000-000000000001\n"
                            "logsource: {product: linux}\n"
                            "detection: {words: [a], condition: words}\nlevel: high\n"
                            "---\ntitle: Two\nid: 00000000-0000-4000-8000-000000000002\n"
                            "logsource: {product: linux}\n"
                            "detection: {words: [b], condition: words}\nlevel: low\n";
static const char known[] = "title: Known\nlogsource: {product: linux}\nfilter:\n"
                            "    rules: [00000000-0000-4000-8000-000000000001]\n"
                            "    selection: {message|contains: c}\n    condition: not selection\n";

struct rig {
    struct loaded loaded;
    struct serve_tenants *tenants;
    struct held *held;
    const struct rule *one, *two, *exception;
};

static void start(struct rig *rig, const char *rows)
{
    struct diag diag = {0};
    const struct load_text texts[] = {{LOAD_RULE, SLICE("r.yml"), slice_text(rules)},
            {LOAD_TENANTS, SLICE("configuration"), slice_text(rows)},
            {LOAD_EXCEPTION, SLICE("sg/moh x.yml"), slice_text(known)}};
    *rig = (struct rig){.held = memory_alloc(sizeof *rig->held)};
    assert_non_null(rig->held);
    assert_int_equal(load_texts(texts, 3, &rig->loaded, &diag), OK);
    assert_int_equal(serve_tenants_new(&rig->loaded, &rig->tenants, &diag), OK);
    const struct ruleset *set = rig->loaded.set;
    for (uint32_t r = 0; r < set->rule_count; r++) {
        const struct rule *rule = set->rules[r];
        rig->one = slice_equal(rule->title, SLICE("One")) ? rule : rig->one;
        rig->two = slice_equal(rule->title, SLICE("Two")) ? rule : rig->two;
        rig->exception = rule->exception.at ? rule : rig->exception;
    }
    assert_true(rig->one && rig->two && rig->exception);
}

static void end(struct rig *rig)
{
    serve_tenants_free(rig->tenants);
    load_fini(&rig->loaded);
    memory_free(rig->held);
}

/* The titles' first letters of what stays of One, Two and the exception. */
static const char *left(struct rig *rig, const char *tenant, bool undetermined)
{
    static char out[4];
    const struct hit hits[] = {{.rule = rig->one}, {.rule = rig->two},
            {.rule = rig->exception, .undetermined = undetermined}};
    size_t count = 3;
    const struct hit *found =
            serve_tenants_filter(rig->tenants, slice_text(tenant), hits, &count, rig->held);
    for (size_t i = 0; i < count; i++) {
        out[i] = found[i].rule->title.at[0];
    }
    out[count] = 0;
    return out;
}

static uint64_t held_of(const struct rig *rig, const char *tenant)
{
    uint64_t count = 0;
    for (size_t i = 0; i < HELD_ROWS; i++) {
        const struct held_row *row = held_at(rig->held, i);
        count += row && strcmp(row->tenant, tenant) == 0 ? atomic_load(&row->count) : 0;
    }
    return count;
}

static void an_exception_is_for_its_tenant_and_those_below(void **unused)
{
    (void)unused;
    struct rig rig;
    start(&rig, "sg/moh\tlevel\t\n");
    assert_string_equal(left(&rig, "sg/moh", false), "T");
    assert_string_equal(left(&rig, "sg/moh/a", false), "T");
    assert_string_equal(left(&rig, "sg", false), "OT");
    assert_string_equal(left(&rig, "sg/mohx", false), "OT");
    assert_string_equal(left(&rig, "sg/mof", false), "OT");
    assert_int_equal(held_of(&rig, "sg/moh"), 1);
    assert_int_equal(held_of(&rig, "sg/moh/a"), 1);
    assert_int_equal(held_of(&rig, "sg/mof"), 0);
    end(&rig);
}

/* It holds nothing back, is said to whom it belongs, and to no other. */
static void an_exception_that_a_limit_stopped_is_its_tenant_s(void **unused)
{
    (void)unused;
    struct rig rig;
    start(&rig, "sg/moh\tlevel\t\n");
    assert_string_equal(left(&rig, "sg/moh", true), "OTK");
    assert_string_equal(left(&rig, "sg/mof", true), "OT");
    assert_int_equal(held_of(&rig, "sg/moh"), 0);
    end(&rig);
}

static void rules_are_chosen_by_the_tenant_and_all_above(void **unused)
{
    (void)unused;
    struct rig rig;
    start(&rig, "sg\tlevel\thigh\nsg/mof\tlevel\t\nsg/mof\texclude\tOne\n");
    assert_string_equal(left(&rig, "sg", false), "O");
    assert_string_equal(left(&rig, "sg/mof", false), "");
    assert_string_equal(left(&rig, "sg/mof/a", false), "");
    assert_string_equal(left(&rig, "sg/mo", false), "O");
    assert_string_equal(left(&rig, "my", false), "OT");
    assert_false(serve_tenants_shows(rig.tenants, SLICE("sg/mof"), rig.one));
    assert_true(serve_tenants_shows(rig.tenants, SLICE("sg/mo"), rig.one));
    assert_int_equal(held_of(&rig, "sg/mof"), 0); /* not chosen is not held back */
    end(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(an_exception_is_for_its_tenant_and_those_below),
            cmocka_unit_test(an_exception_that_a_limit_stopped_is_its_tenant_s),
            cmocka_unit_test(rules_are_chosen_by_the_tenant_and_all_above),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
