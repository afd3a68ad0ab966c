#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "net/authorize.h"

/* What each role may do, written down a second time and in another way: its permissions' names. */
static const char *const granted[AUTHORIZE_ROLES] = {
        [AUTHORIZE_INGESTER] = " public ingest ",
        [AUTHORIZE_READER] = " public read status ",
        [AUTHORIZE_ANALYST] = " public read status work ",
        [AUTHORIZE_ADMIN] = " public ingest read status work rules tokens ",
};

static struct authorize_actor actor_of(const char *tenant, enum authorize_role role)
{
    struct authorize_actor a = {.id = "t1", .role = role};
    snprintf(a.tenant, sizeof a.tenant, "%s", tenant);
    return a;
}

static void each_role_has_its_permissions_and_no_other(void **state)
{
    (void)state;
    for (int r = 0; r < AUTHORIZE_ROLES; r++) {
        struct authorize_actor a = actor_of("sg/health", (enum authorize_role)r);
        for (int p = 0; p < AUTHORIZE_PERMISSIONS; p++) {
            char name[40];
            snprintf(name, sizeof name, " %s ",
                    authorize_permission_name((enum authorize_permission)p));
            bool want = strstr(granted[r], name) != NULL;
            if (authorize(&a, SLICE("sg/health"), (enum authorize_permission)p) != want) {
                fail_msg("%s:%s", authorize_role_name((enum authorize_role)r), name);
            }
        }
    }
}

static void a_tenant_sees_itself_and_what_is_below(void **state)
{
    (void)state;
    static const struct {
        const char *outer, *inner;
        bool covers;
    } cases[] = {
            {"", "", true},
            {"", "sg", true},
            {"sg", "sg", true},
            {"sg", "sg/health/moh", true},
            {"sg/health", "sg/health/moh", true},
            {"sg/health", "sg", false},
            {"sg/health", "", false},
            {"sg/health", "sg/healthy", false},
            {"sg/health", "sg/transport", false},
            {"sg/health", "sg/heal", false},
            {"sg/health", "my/sg/health", false},
            {"sg/health", "SG/health", false},
            {"sg/health", "sg/health/", false},
            {"sg/health", "sg/health/../transport", false},
            {"sg/health", "sg//health", false},
            {"sg", "sg/a\0b", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct authorize_actor a = actor_of(cases[i].outer, AUTHORIZE_ADMIN);
        size_t size = i + 1 == sizeof cases / sizeof *cases ? 6 : strlen(cases[i].inner);
        struct slice inner = slice_of(cases[i].inner, size);
        if (authorize(&a, inner, AUTHORIZE_READ) != cases[i].covers) {
            fail_msg("'%s' and '%s'", cases[i].outer, cases[i].inner);
        }
    }
}

static void nobody_may_nothing_but_what_is_public(void **state)
{
    (void)state;
    struct authorize_actor nobody = {.role = AUTHORIZE_ADMIN};
    struct authorize_actor odd = actor_of("", AUTHORIZE_ROLES);
    for (int p = 0; p < AUTHORIZE_PERMISSIONS; p++) {
        enum authorize_permission permission = (enum authorize_permission)p;
        assert_int_equal(authorize(NULL, SLICE(""), permission), p == AUTHORIZE_PUBLIC);
        assert_int_equal(authorize(&nobody, SLICE(""), permission), p == AUTHORIZE_PUBLIC);
        assert_int_equal(authorize(&odd, SLICE(""), permission), p == AUTHORIZE_PUBLIC);
    }
    struct authorize_actor a = actor_of("", AUTHORIZE_ADMIN);
    assert_false(authorize(&a, SLICE(""), AUTHORIZE_PERMISSIONS));
}

static void a_token_of_one_input_sends_there_alone(void **state)
{
    (void)state;
    struct authorize_actor a = actor_of("sg", AUTHORIZE_ADMIN);
    assert_true(authorize_input(&a, SLICE("web")));
    snprintf(a.input, sizeof a.input, "web");
    assert_true(authorize_input(&a, SLICE("web")));
    assert_false(authorize_input(&a, SLICE("web2")));
    assert_false(authorize_input(&a, SLICE("")));
    for (int p = 0; p < AUTHORIZE_PERMISSIONS; p++) {
        assert_int_equal(authorize(&a, SLICE("sg"), (enum authorize_permission)p),
                p == AUTHORIZE_PUBLIC || p == AUTHORIZE_INGEST);
    }
}

static void tenants_have_a_form(void **state)
{
    (void)state;
    static const char *const good[] = {"", "sg", "sg/health/moh", "a-b_c/0", "a/b/c/d/e/f/g/h"};
    static const char *const bad[] = {
            "/", "/sg", "sg/", "a//b", "Sg", "a b", "a.b", "\xC3\xA9", "a/b/c/d/e/f/g/h/i", "a\nb"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(authorize_tenant_valid(slice_text(good[i])));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(authorize_tenant_valid(slice_text(bad[i])));
    }
    char name[AUTHORIZE_NAME];
    memset(name, 'a', sizeof name);
    assert_true(authorize_tenant_valid(slice_of(name, AUTHORIZE_NAME - 1)));
    assert_false(authorize_tenant_valid(slice_of(name, AUTHORIZE_NAME)));
}

static void roles_are_found_by_name(void **state)
{
    (void)state;
    for (int r = 0; r < AUTHORIZE_ROLES; r++) {
        const char *name = authorize_role_name((enum authorize_role)r);
        assert_int_equal(authorize_role_find(slice_text(name)), r);
    }
    assert_int_equal(authorize_role_find(SLICE("root")), AUTHORIZE_ROLES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(each_role_has_its_permissions_and_no_other),
            cmocka_unit_test(a_tenant_sees_itself_and_what_is_below),
            cmocka_unit_test(nobody_may_nothing_but_what_is_public),
            cmocka_unit_test(a_token_of_one_input_sends_there_alone),
            cmocka_unit_test(tenants_have_a_form),
            cmocka_unit_test(roles_are_found_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
