#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/files.h"
#include "base/memory.h"
#include "net/tokens.h"

static const int64_t NOW = 1700000000000000000;

static const struct tokens_wish WISH = {.name = {"edge \"7\"", 8},
        .tenant = {"sg/health", 9},
        .input = {"web", 3},
        .role = AUTHORIZE_ANALYST,
        .expires_ns = 1700000001000000000};

static void a_token_is_found_by_its_text_alone(void **state)
{
    (void)state;
    struct tokens *tokens;
    char text[3][TOKENS_TEXT];
    struct authorize_actor actor = {0};
    assert_int_equal(tokens_new(&tokens), OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(tokens_add(tokens, &WISH, NOW, text[i], NULL), OK);
        assert_int_equal(strlen(text[i]), TOKENS_TEXT - 1);
        assert_memory_equal(text[i], "merlon_", 7);
    }
    assert_string_not_equal(text[0], text[1]);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(tokens_find(tokens, slice_text(text[i]), NOW, &actor), TOKENS_VALID);
        assert_string_equal(actor.id, tokens_at(tokens, (size_t)i)->actor.id);
        assert_string_equal(actor.tenant, "sg/health");
        assert_int_equal(actor.role, AUTHORIZE_ANALYST);
        text[i][20] ^= 1;
        assert_int_equal(tokens_find(tokens, slice_text(text[i]), NOW, &actor), TOKENS_UNKNOWN);
    }
    struct slice whole = slice_text(text[0]);
    assert_int_equal(tokens_find(tokens, slice_of(whole.at, 10), NOW, &actor), TOKENS_UNKNOWN);
    assert_int_equal(tokens_find(tokens, SLICE(""), NOW, &actor), TOKENS_UNKNOWN);
    tokens_free(tokens);
}

static void expiry_and_revocation_end_it(void **state)
{
    (void)state;
    struct tokens *tokens;
    char text[TOKENS_TEXT];
    struct authorize_actor actor = {0};
    assert_int_equal(tokens_new(&tokens), OK);
    assert_int_equal(tokens_add(tokens, &WISH, NOW, text, NULL), OK);
    struct slice t = slice_text(text);
    assert_int_equal(tokens_find(tokens, t, WISH.expires_ns - 1, &actor), TOKENS_VALID);
    actor = (struct authorize_actor){0};
    assert_int_equal(tokens_find(tokens, t, WISH.expires_ns, &actor), TOKENS_EXPIRED);
    assert_int_equal(actor.id[0], 0);
    struct slice id = slice_text(tokens_at(tokens, 0)->actor.id);
    assert_int_equal(tokens_revoke(tokens, SLICE("nobody"), NOW), ERR_NOT_FOUND);
    assert_int_equal(tokens_revoke(tokens, id, NOW + 5), OK);
    assert_int_equal(tokens_revoke(tokens, id, NOW + 9), OK);
    assert_int_equal(tokens_at(tokens, 0)->revoked_ns, NOW + 5);
    assert_int_equal(tokens_find(tokens, t, NOW, &actor), TOKENS_REVOKED);
    tokens_free(tokens);
}

static void a_file_gives_back_what_was_written_and_no_secret(void **state)
{
    (void)state;
    char folder[] = "/tmp/tokens-XXXXXX", path[64], text[2][TOKENS_TEXT];
    struct tokens *tokens, *again;
    struct buf bytes = {0};
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/tokens.jsonl", folder);
    assert_int_equal(tokens_read(path, &tokens, NULL), OK);
    assert_int_equal(tokens_size(tokens), 0);
    struct tokens_wish root = {.name = SLICE("first"), .role = AUTHORIZE_ADMIN};
    assert_int_equal(tokens_add(tokens, &WISH, NOW, text[0], NULL), OK);
    assert_int_equal(tokens_add(tokens, &root, NOW, text[1], NULL), OK);
    struct slice id = slice_text(tokens_at(tokens, 0)->actor.id);
    assert_int_equal(tokens_revoke(tokens, id, NOW + 1000), OK);
    assert_int_equal(tokens_write(tokens, path, NULL), OK);
    assert_int_equal(tokens_read(path, &again, NULL), OK);
    assert_int_equal(tokens_size(again), 2);
    for (size_t i = 0; i < 2; i++) {
        assert_memory_equal(tokens_at(tokens, i), tokens_at(again, i), sizeof(struct tokens_row));
    }
    assert_int_equal(files_read(path, 1 << 20, &bytes, NULL), OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(slice_find(buf_slice(&bytes), slice_text(text[i] + 7)), SIZE_MAX);
    }
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0); /* nothing is left beside it */
    assert_int_equal(tokens_write(tokens, path, NULL), ERR_IO);
    buf_fini(&bytes);
    tokens_free(tokens);
    tokens_free(again);
}

#define SUM "\"sha256\":\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\""

static void a_broken_file_is_named_by_its_line(void **state)
{
    (void)state;
    static const char *const bad[] = {"x", "[]", "{}", "{\"id\":\"\"}",
            "{\"id\":\"a\",\"role\":\"admin\"," SUM "}",
            "{\"id\":\"a\",\"tenant\":\"A\",\"role\":\"admin\"," SUM "}",
            "{\"id\":\"a\",\"tenant\":\"\",\"role\":\"root\"," SUM "}",
            "{\"id\":\"a\",\"tenant\":\"\"," SUM "}",
            "{\"id\":\"a\",\"tenant\":\"\",\"role\":\"admin\"}",
            "{\"id\":\"a\",\"tenant\":\"\",\"role\":\"admin\",\"sha256\":\"BA78\"}",
            "{\"id\":7,\"tenant\":\"\",\"role\":\"admin\"," SUM "}",
            "{\"id\":\"a\\u0000b\",\"tenant\":\"\",\"role\":\"admin\"," SUM "}",
            "{\"id\":\"a\",\"tenant\":\"\",\"role\":\"admin\",\"expires\":\"soon\"," SUM "}",
            "{\"id\":\"a\",\"tenant\":\"\",\"role\":\"admin\",\"input\":1," SUM "}",
            "{\"id\":\"a\",\"tenant\":\"\",\"role\":\"admin\"," SUM "} {}"};
    const char *good = "{\"id\":\"a\",\"tenant\":\"\",\"role\":\"admin\"," SUM "}\n\n";
    struct tokens *tokens = NULL;
    assert_int_equal(tokens_parse(slice_text(good), &tokens, NULL), OK);
    struct authorize_actor actor;
    assert_int_equal(tokens_find(tokens, SLICE("abc"), NOW, &actor), TOKENS_VALID);
    tokens_free(tokens);
    tokens = NULL;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct buf text = {0};
        struct diag diag = {0};
        buf_add(&text, slice_text(good));
        buf_add(&text, slice_text(bad[i]));
        if (tokens_parse(buf_slice(&text), &tokens, &diag) != ERR_SYNTAX || diag.line != 3) {
            fail_msg("%s: %s", bad[i], diag.words);
        }
        assert_null(tokens);
        buf_fini(&text);
    }
}

static void wishes_that_cannot_be_are_refused(void **state)
{
    (void)state;
    struct tokens *tokens;
    char text[TOKENS_TEXT], longer[AUTHORIZE_NAME];
    memset(longer, 'a', sizeof longer);
    assert_int_equal(tokens_new(&tokens), OK);
    struct tokens_wish bad[] = {WISH, WISH, WISH, WISH, WISH};
    bad[0].name = SLICE("");
    bad[1].name = slice_of(longer, sizeof longer);
    bad[2].tenant = SLICE("sg/");
    bad[3].role = AUTHORIZE_ROLES;
    bad[4].input = slice_of(longer, sizeof longer);
    for (size_t i = 0; i < 5; i++) {
        struct diag diag = {0};
        assert_int_equal(tokens_add(tokens, &bad[i], NOW, text, &diag), ERR_USAGE);
        assert_true(diag.words[0]);
    }
    assert_int_equal(tokens_size(tokens), 0);
    memory_fail_after(1);
    assert_int_equal(tokens_add(tokens, &WISH, NOW, text, NULL), ERR_MEMORY);
    memory_fail_after(0);
    for (int i = 0; i < TOKENS_LIMIT; i++) {
        assert_int_equal(tokens_add(tokens, &WISH, NOW, text, NULL), OK);
    }
    assert_int_equal(tokens_add(tokens, &WISH, NOW, text, NULL), ERR_LIMIT);
    tokens_free(tokens);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_token_is_found_by_its_text_alone),
            cmocka_unit_test(expiry_and_revocation_end_it),
            cmocka_unit_test(a_file_gives_back_what_was_written_and_no_secret),
            cmocka_unit_test(a_broken_file_is_named_by_its_line),
            cmocka_unit_test(wishes_that_cannot_be_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
