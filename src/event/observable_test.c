#include "event/observable.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"

static struct observable_scan scan;
static struct buf found;

/* "domain:evil.example address:c0000201 " */
static bool take(void *context, const struct observable *it)
{
    (void)context;
    bool bytes = it->kind == OBSERVABLE_ADDRESS || it->kind == OBSERVABLE_HASH;
    buf_format(&found, "%s:", observable_name(it->kind));
    for (size_t i = 0; bytes && i < it->key.size; i++) {
        buf_format(&found, "%02x", (unsigned char)it->key.at[i]);
    }
    buf_add(&found, bytes ? SLICE("") : it->key);
    buf_byte(&found, ' ');
    return true;
}

static const char *scan_text(uint32_t kinds, struct slice text)
{
    buf_clear(&found);
    scan.wants = kinds;
    scan.take = take;
    observable_scan(&scan, text);
    buf_byte(&found, 0);
    assert_false(found.failed);
    return found.at;
}

static void expect(uint32_t kinds, const char *text, const char *want)
{
    static observable_marks_way *const ways[] = {NULL, observable_marks_plain};
    char padded[400];
    scan.escaped = false;
    for (size_t way = 0; way < 2; way++) {
        scan.marks = ways[way];
        assert_string_equal(scan_text(kinds, slice_text(text)), want);
        /* Wherever it stands in a block. */
        for (size_t before = 1; before < 70; before++) {
            memset(padded, ' ', before);
            int size = snprintf(padded + before, sizeof padded - before, "%s ", text);
            assert_string_equal(scan_text(kinds, slice_of(padded, before + (size_t)size)), want);
        }
    }
    scan.marks = NULL;
}

enum {
    ADDRESS = 1 << OBSERVABLE_ADDRESS,
    DOMAIN = 1 << OBSERVABLE_DOMAIN,
    URL = 1 << OBSERVABLE_URL,
    HASH = 1 << OBSERVABLE_HASH,
    EMAIL = 1 << OBSERVABLE_EMAIL,
};

static void addresses_have_one_form(void **unused)
{
    (void)unused;
    expect(ADDRESS, "192.0.2.1", "address:c0000201 ");
    expect(ADDRESS, "from 192.0.2.1:443, 0.0.0.0.", "address:c0000201 address:00000000 ");
    expect(ADDRESS, "192.0.2.1-192.0.2.9", "address:c0000201 address:c0000209 ");
    expect(ADDRESS, "::ffff:192.0.2.1;", "address:c0000201 ");
    expect(ADDRESS, "2001:DB8::1", "address:20010db8000000000000000000000001 ");
    expect(ADDRESS, "2001:db8:0:0:0:0:0:1", "address:20010db8000000000000000000000001 ");
    expect(ADDRESS, "[2001:db8::1]:443", "address:20010db8000000000000000000000001 ");
    expect(ADDRESS, "ip:2001:db8::1", "address:20010db8000000000000000000000001 ");
    expect(ADDRESS, "::1", "address:00000000000000000000000000000001 ");
    expect(ADDRESS, "fe80::", "address:fe800000000000000000000000000000 ");
    expect(ADDRESS, "1:2:3:4:5:6:192.0.2.1", "address:000100020003000400050006c0000201 ");
    expect(ADDRESS, "1:2:3:4:5:6:7::", "address:00010002000300040005000600070000 ");
    expect(ADDRESS, "64:ff9b::192.0.2.1", "address:0064ff9b0000000000000000c0000201 ");
}

static void what_is_no_address_is_none(void **unused)
{
    (void)unused;
    static const char *const texts[] = {"192.0.2", "192.0.2.256", "192.0.2.01", "1.2.3.4.5",
            "a1.2.3.4", "1.2.3.4a", "192.0.2.1.example", "2026-01-31T08:00:00.000Z", "std::vector",
            "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7::8", "1::2::3", "12345::1",
            "::", "aa:bb:cc:dd:ee:ff", "::1.2.3", "a::g", ""};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        expect(ADDRESS, texts[i], "");
    }
}

static void names_are_in_lower_case(void **unused)
{
    (void)unused;
    expect(DOMAIN, "WWW.Evil.Example", "domain:www.evil.example ");
    expect(DOMAIN, "evil.example.", "domain:evil.example ");
    expect(DOMAIN, "--host=evil.example:80", "domain:evil.example ");
    expect(DOMAIN, "http://evil.example/a", "domain:evil.example ");
    expect(DOMAIN, "_ldap._tcp.evil.example", "domain:_ldap._tcp.evil.example ");
    expect(DOMAIN, "bob.lee@evil.example", "domain:evil.example ");
    expect(DOMAIN,
            "b\xC3\xBC"
            "cher.example",
            "domain:b\xC3\xBC"
            "cher.example ");
    expect(DOMAIN,
            "\xE2\x80\x9C"
            "evil.example\xE2\x80\x9D",
            "domain:evil.example ");
    expect(DOMAIN, "evil.example...", "domain:evil.example ");
    expect(DOMAIN, "evil 1.2.3.4 a..b evil.x localhost v1.2", "");
}

static void names_have_a_longest(void **unused)
{
    (void)unused;
    char name[OBSERVABLE_HOST_BYTES + 2];
    memset(name, 'a', sizeof name);
    for (size_t i = 50; i < 250; i += 50) {
        name[i] = '.';
    }
    scan.escaped = false;
    assert_string_not_equal(scan_text(DOMAIN, slice_of(name, OBSERVABLE_HOST_BYTES)), "");
    assert_string_equal(scan_text(DOMAIN, slice_of(name, OBSERVABLE_HOST_BYTES + 1)), "");
}

static void urls_have_one_form(void **unused)
{
    (void)unused;
    expect(URL, "HTTP://Evil.Example", "url:http://evil.example/ ");
    expect(URL, "http://evil.example:80/A?b=C#d", "url:http://evil.example/A?b=C ");
    expect(URL, "https://evil.example.:443?x", "url:https://evil.example/?x ");
    expect(URL, "https://evil.example:80/", "url:https://evil.example:80/ ");
    expect(URL, "http://bob@evil.example/", "url:http://bob@evil.example/ ");
    expect(URL, "http://[2001:DB8::1]:80/a", "url:http://[2001:db8::1]/a ");
    expect(URL, "<a href=\"http://evil.example/a\">", "url:http://evil.example/a ");
    expect(URL, "see http://evil.example/a.",
            "url:http://evil.example/a. url:http://evil.example/a ");
    expect(URL, "http:///a http://: ://evil.example", "");
}

static void urls_inside_of_one_are_bounded(void **unused)
{
    (void)unused;
    struct buf text = {0};
    size_t count = 0;
    scan.escaped = false;
    for (size_t i = 0; i < OBSERVABLE_URLS_INSIDE + 5; i++) {
        buf_add(&text, SLICE("http://a/"));
    }
    const char *at = scan_text(URL, buf_slice(&text));
    while ((at = strstr(at, "url:"))) {
        count++;
        at++;
    }
    assert_int_equal(count, OBSERVABLE_URLS_INSIDE + 1);
    buf_clear(&text);
    buf_add(&text, SLICE("http://a/"));
    while (text.size < OBSERVABLE_URL_BYTES) {
        buf_byte(&text, 'b');
    }
    assert_string_not_equal(scan_text(URL, buf_slice(&text)), "");
    buf_byte(&text, 'b');
    assert_string_equal(scan_text(URL, buf_slice(&text)), "");
    buf_fini(&text);
}

#define MD5 "d41d8cd98f00b204e9800998ecf8427e"
#define SHA1 "da39a3ee5e6b4b0d3255bfef95601890afd80709"
#define SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static void hashes_are_known_by_their_length(void **unused)
{
    (void)unused;
    expect(HASH, "MD5=D41D8CD98F00B204E9800998ECF8427E,SHA256=" SHA256,
            "hash:" MD5 " hash:" SHA256 " ");
    expect(HASH, "a_" SHA1 ".exe", "hash:" SHA1 " ");
    expect(HASH, SHA256 SHA256, "hash:" SHA256 SHA256 " ");
    expect(HASH, "0" MD5, "");
    expect(HASH, "g41d8cd98f00b204e9800998ecf8427e dg1d8cd98f00b204e9800998ecf8427e", "");
    expect(HASH, "x" MD5 " " MD5 "g", "");
    expect(HASH, "d41d8cd9-8f00-b204-e980-0998ecf8427e", "");
}

static void addresses_of_mail_are_in_lower_case(void **unused)
{
    (void)unused;
    expect(EMAIL, "Bob.Lee+x@Evil.Example", "email:bob.lee+x@evil.example ");
    expect(EMAIL, "<bob@evil.example>.", "email:bob@evil.example ");
    expect(EMAIL, "from=bob@evil.example", "email:bob@evil.example email:from=bob@evil.example ");
    expect(EMAIL, "@evil.example bob@evil bob@ .b@evil.example", "");
    char text[100];
    snprintf(text, sizeof text, "%0*d@evil.example", OBSERVABLE_LOCAL_BYTES, 1);
    assert_string_not_equal(scan_text(EMAIL, slice_text(text)), "");
    snprintf(text, sizeof text, "%0*d@evil.example", OBSERVABLE_LOCAL_BYTES + 1, 1);
    assert_string_equal(scan_text(EMAIL, slice_text(text)), "");
}

static void behind_an_escape_both_are_given(void **unused)
{
    (void)unused;
    scan.escaped = true;
    assert_string_equal(scan_text(DOMAIN, SLICE("\\nevil.example")),
            "domain:nevil.example domain:evil.example ");
    assert_string_equal(scan_text(ADDRESS, SLICE("\\n1.2.3.4")), "address:01020304 ");
    assert_string_equal(scan_text(HASH, SLICE("\\b" MD5)), "hash:" MD5 " ");
    assert_string_equal(scan_text(EMAIL, SLICE("\\ta@b.cd")), "email:ta@b.cd email:a@b.cd ");
    assert_string_equal(scan_text(URL, SLICE("\\rhttp://a/")), "url:rhttp://a/ url:http://a/ ");
    assert_string_equal(
            scan_text(ADDRESS, SLICE("\\n1::")), "address:00010000000000000000000000000000 ");
    assert_string_equal(scan_text(DOMAIN, SLICE("\\xevil.example")), "domain:xevil.example ");
    scan.escaped = false;
}

/* Everything that a value holds, its JSON holds. */
static void escaped_texts_give_no_less(void **unused)
{
    (void)unused;
    static const char *const parts[] = {"evil.example", "1.2.3.4", "\n", "\t", "\\", "\"", "\b",
            "n", "2001:db8::1", ":", "@", "bob", MD5, "http://", "a/", " ", "b", ".", "!", "1",
            "\xE2\x80\x9D", "\xC3\xBC"};
    static struct buf value, json, want;
    uint64_t dice = 1;
    for (int n = 0; n < 20000; n++) {
        buf_clear(&value);
        buf_clear(&json);
        buf_clear(&want);
        for (int i = 0; i < 8; i++) {
            dice = dice * 6364136223846793005u + 1442695040888963407u;
            buf_add(&value, slice_text(parts[(dice >> 33) % (sizeof parts / sizeof *parts)]));
        }
        buf_byte(&json, '"');
        buf_json(&json, buf_slice(&value));
        buf_byte(&json, '"');
        scan.escaped = false;
        scan_text(OBSERVABLE_ALL, buf_slice(&value));
        buf_add(&want, slice_of(found.at, found.size - 1));
        scan.escaped = true;
        scan_text(OBSERVABLE_ALL, buf_slice(&json));
        struct slice rest = buf_slice(&want);
        while (rest.size > 0) {
            struct slice one = slice_cut(&rest, ' ');
            if (slice_find(buf_slice(&found), slice_of(one.at, one.size + 1)) == SIZE_MAX) {
                fail_msg("%.*s holds %.*s, its JSON not", SLICE_ARG(buf_slice(&value)),
                        SLICE_ARG(one));
            }
        }
    }
    scan.escaped = false;
    buf_fini(&value);
    buf_fini(&json);
    buf_fini(&want);
}

static void marks_agree(void **unused)
{
    (void)unused;
    char bytes[OBSERVABLE_MARKS_BYTES];
    for (int value = 0; value < 256; value++) {
        for (size_t i = 0; i < sizeof bytes; i++) {
            bytes[i] = (char)(value + (int)(i * i));
        }
        struct observable_marks a, b;
        observable_marks_best()(bytes, &a);
        observable_marks_plain(bytes, &b);
        assert_memory_equal(&a, &b, sizeof a);
    }
}

static void a_key_is_of_the_whole_text(void **unused)
{
    (void)unused;
    struct slice key;
    assert_true(observable_key(&scan, OBSERVABLE_DOMAIN, SLICE("Evil.Example."), &key));
    assert_true(slice_equal(key, SLICE("evil.example")));
    assert_true(observable_key(&scan, OBSERVABLE_URL, SLICE("http://a/b)"), &key));
    assert_true(slice_equal(key, SLICE("http://a/b)")));
    assert_true(observable_key(&scan, OBSERVABLE_EMAIL, SLICE("a!b@evil.example"), &key));
    assert_true(slice_equal(key, SLICE("a!b@evil.example")));
    assert_false(observable_key(&scan, OBSERVABLE_DOMAIN, SLICE("evil.example/"), &key));
    assert_false(observable_key(&scan, OBSERVABLE_DOMAIN, SLICE(" evil.example"), &key));
    assert_false(observable_key(&scan, OBSERVABLE_URL, SLICE("http://a/b c"), &key));
    assert_false(observable_key(&scan, OBSERVABLE_HASH, SLICE(MD5 "0"), &key));
    assert_false(observable_key(&scan, OBSERVABLE_HASH, SLICE(""), &key));
}

static void accounts_stand_in_fields_of_theirs(void **unused)
{
    (void)unused;
    assert_true(observable_path_of_account(SLICE("TargetUserName")));
    assert_true(observable_path_of_account(SLICE("userIdentity.userName")));
    assert_true(observable_path_of_account(SLICE("Event.ACCOUNT")));
    assert_false(observable_path_of_account(SLICE("CommandLine")));
    assert_false(observable_path_of_account(SLICE("use")));
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
            cmocka_unit_test(addresses_have_one_form),
            cmocka_unit_test(what_is_no_address_is_none),
            cmocka_unit_test(names_are_in_lower_case),
            cmocka_unit_test(names_have_a_longest),
            cmocka_unit_test(urls_have_one_form),
            cmocka_unit_test(urls_inside_of_one_are_bounded),
            cmocka_unit_test(hashes_are_known_by_their_length),
            cmocka_unit_test(addresses_of_mail_are_in_lower_case),
            cmocka_unit_test(behind_an_escape_both_are_given),
            cmocka_unit_test(escaped_texts_give_no_less),
            cmocka_unit_test(marks_agree),
            cmocka_unit_test(a_key_is_of_the_whole_text),
            cmocka_unit_test(accounts_stand_in_fields_of_theirs),
    };
    return cmocka_run_group_tests(tests, NULL, clean);
}
