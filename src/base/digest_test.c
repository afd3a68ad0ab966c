
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/digest.h"

/* Vectors: FIPS 180-2, appendix B. */
static void the_vectors_of_the_standard_come_out(void **state)
{
    (void)state;
    static const struct {
        struct slice text;
        const char *hex;
    } cases[] = {
            {{"", 0}, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
            {{"abc", 3}, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
            {{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56},
                    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct digest d;
        char hex[DIGEST_HEX];
        digest_init(&d);
        digest_add(&d, cases[i].text);
        digest_hex(&d, hex);
        assert_string_equal(hex, cases[i].hex);
    }
}

static void pieces_give_what_the_whole_gives(void **state)
{
    (void)state;
    struct digest whole, pieces;
    char a[DIGEST_HEX], b[DIGEST_HEX];
    struct slice text =
            SLICE("the quick brown fox jumps over the lazy dog, and then some more of it");
    digest_init(&whole);
    digest_add(&whole, text);
    digest_hex(&whole, a);
    digest_init(&pieces);
    for (size_t i = 0; i < text.size; i++) {
        digest_add(&pieces, slice_of(text.at + i, 1));
        digest_add(&pieces, slice_of(NULL, 0));
    }
    digest_hex(&pieces, b);
    assert_string_equal(a, b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(the_vectors_of_the_standard_come_out),
            cmocka_unit_test(pieces_give_what_the_whole_gives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
