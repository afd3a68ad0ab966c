#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "decode/evtx_text.h"

struct text_case {
    uint8_t type;
    const char *hex;
    const char *text;
    enum value_kind kind;
};

static const struct text_case cases[] = {
        {EVTX_STRING, "4100e4004200",
                "A\xc3\xa4"
                "B",
                VALUE_STRING},
        {EVTX_STRING, "410000004200", "A", VALUE_STRING},
        {EVTX_STRING, "3dd800de", "\xf0\x9f\x98\x80", VALUE_STRING},
        {EVTX_STRING, "4100009f00d8", "A\xe9\xbc\x80\xef\xbf\xbd", VALUE_STRING},
        {EVTX_ANSI, "41e48000c2", "A\xc3\xa4\xe2\x82\xac\xc3\x82", VALUE_STRING},
        {EVTX_INT8, "80", "-128", VALUE_NUMBER},
        {EVTX_UINT8, "ff", "255", VALUE_NUMBER},
        {EVTX_INT16, "0080", "-32768", VALUE_NUMBER},
        {EVTX_UINT16, "ffff", "65535", VALUE_NUMBER},
        {EVTX_INT32, "00000080", "-2147483648", VALUE_NUMBER},
        {EVTX_UINT32, "0a000000", "10", VALUE_NUMBER},
        {EVTX_INT64, "0000000000000080", "-9223372036854775808", VALUE_NUMBER},
        {EVTX_UINT64, "ffffffffffffffff", "18446744073709551615", VALUE_NUMBER},
        {EVTX_REAL32, "cdcccc3d", "0.1", VALUE_STRING},
        {EVTX_REAL32, "0000c03f", "1.5", VALUE_STRING},
        {EVTX_REAL64, "9a9999999999b93f", "0.1", VALUE_STRING},
        {EVTX_REAL64, "0000000000005940", "100.0", VALUE_STRING},
        {EVTX_REAL64, "0000000000000080", "-0.0", VALUE_STRING},
        {EVTX_REAL64, "000000000000f0ff", "-inf", VALUE_STRING},
        {EVTX_REAL64, "000000000000f87f", "NaN", VALUE_STRING},
        {EVTX_REAL64, "9c7500883ce4377e", "1e300", VALUE_STRING},
        {EVTX_REAL64, "fca9f1d24d62503f", "0.001", VALUE_STRING},
        {EVTX_REAL64, "f168e388b5f8e43e", "0.00001", VALUE_STRING},
        {EVTX_REAL64, "8dedb5a0f7c6b03e", "1e-6", VALUE_STRING},
        {EVTX_REAL64, "0080e03779c34143", "1e16", VALUE_STRING},
        {EVTX_BOOL, "00000000", "false", VALUE_BOOL},
        {EVTX_BOOL, "01000000", "true", VALUE_BOOL},
        {EVTX_BOOL, "10000000", "16", VALUE_NUMBER},
        {EVTX_BOOL, "ffffffff", "-1", VALUE_NUMBER},
        {EVTX_BINARY, "00ab1f", "00AB1F", VALUE_STRING},
        {EVTX_GUID, "25968454785494 49a5ba3e3b0328c30d", "54849625-5478-4994-A5BA-3E3B0328C30D",
                VALUE_STRING},
        {EVTX_SIZE, "ff000000", "0xff", VALUE_STRING},
        {EVTX_SIZE, "00000000ff000000", "0xff00000000", VALUE_STRING},
        {EVTX_FILETIME, "0000000000000000", "1601-01-01T00:00:00.000000Z", VALUE_STRING},
        {EVTX_FILETIME, "00803ed5deb19d01", "1970-01-01T00:00:00.000000Z", VALUE_STRING},
        {EVTX_FILETIME, "052e24deb7c5d701", "2021-10-20T13:39:12.731904Z", VALUE_STRING},
        {EVTX_FILETIME, "ff3f36161183bf01", "2000-02-29T23:59:59.999999Z", VALUE_STRING},
        {EVTX_FILETIME, "0040c33dc09f2f02", "2100-03-01T00:00:00.000000Z", VALUE_STRING},
        {EVTX_FILETIME, "0000349ebc72c001", "2000-12-31T00:00:00.000000Z", VALUE_STRING},
        {EVTX_FILETIME, "0000204c7c3bda01", "2023-12-31T00:00:00.000000Z", VALUE_STRING},
        {EVTX_FILETIME, "80a927d15e5ac824", "9999-12-31T23:59:59.000000Z", VALUE_STRING},
        {EVTX_FILETIME, "ffffffffffffffff", "60056-05-28T05:36:10.955161Z", VALUE_STRING},
        {EVTX_SYSTEMTIME, "e5070a0003001400 0d0027000c00e703", "2021-10-20T13:39:12.999000Z",
                VALUE_STRING},
        {EVTX_SYSTEMTIME, "00000000000000000000000000000000", "1601-01-01T00:00:00.000000Z",
                VALUE_STRING},
        {EVTX_SYSTEMTIME, "e5070d00030014000d0027000c00e703", "1601-01-01T00:00:00.000000Z",
                VALUE_STRING},
        {EVTX_SID, "010100000000000512000000", "S-1-5-18", VALUE_STRING},
        {EVTX_SID, "0100000000000005", "S-1-5", VALUE_STRING},
        {EVTX_SID, "0102 0000 0000 0005 2000 0000 ffff ffff", "S-1-5-32-4294967295", VALUE_STRING},
        {EVTX_HEX32, "00000000", "0x0", VALUE_STRING},
        {EVTX_HEX32, "1f000000", "0x1f", VALUE_STRING},
        {EVTX_HEX64, "0000000000002080", "0x8020000000000000", VALUE_STRING},
        {EVTX_ARRAY | EVTX_STRING, "4100 0000 0000 4200 4300", "A,,BC", VALUE_STRING},
        {EVTX_ARRAY | EVTX_ANSI, "410042430000", "A,BC,", VALUE_STRING},
        {EVTX_ARRAY | EVTX_UINT16, "0100ffff", "1,65535", VALUE_STRING},
        {EVTX_ARRAY | EVTX_SID, "0100000000000005 010100000000000512000000", "S-1-5,S-1-5-18",
                VALUE_STRING},
        {EVTX_ARRAY | EVTX_BOOL, "0100000000000000", "true,false", VALUE_STRING},
};

static size_t unhex(const char *hex, char *to)
{
    static const char digits[] = "0123456789abcdef";
    size_t n = 0;
    for (; *hex; hex++) {
        if (*hex == ' ') {
            continue;
        }
        unsigned value = (unsigned)(strchr(digits, *hex) - digits);
        to[n / 2] = (char)(n % 2 ? (unsigned char)to[n / 2] | value : value << 4);
        n++;
    }
    return n / 2;
}

static void each_type_has_its_text(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char bytes[64], text[1500];
        struct slice s = slice_of(bytes, unhex(cases[i].hex, bytes));
        assert_true(evtx_text_fits(cases[i].type, s));
        size_t room = evtx_text_room(cases[i].type, s.size);
        assert_true(room < sizeof text);
        size_t size = evtx_text_write(cases[i].type, s, text);
        assert_true(size <= room);
        text[size] = 0;
        assert_string_equal(text, cases[i].text);
        assert_int_equal(evtx_text_kind(cases[i].type, s), cases[i].kind);
    }
}

static void a_value_of_another_size_does_not_fit(void **unused)
{
    (void)unused;
    const char bytes[64] = {0};
    static const struct {
        uint8_t type;
        size_t size;
    } wrong[] = {{EVTX_INT8, 2}, {EVTX_UINT16, 1}, {EVTX_UINT16, 3}, {EVTX_INT32, 5},
            {EVTX_UINT64, 7}, {EVTX_REAL32, 8}, {EVTX_REAL64, 4}, {EVTX_BOOL, 1}, {EVTX_GUID, 15},
            {EVTX_GUID, 17}, {EVTX_SIZE, 5}, {EVTX_FILETIME, 9}, {EVTX_SYSTEMTIME, 15},
            {EVTX_SID, 7}, {EVTX_HEX32, 8}, {EVTX_HEX64, 4}, {0x16, 4}, {0x22, 4}, {0x7f, 4},
            {EVTX_ARRAY | EVTX_UINT32, 6}, {EVTX_ARRAY | EVTX_GUID, 31}, {EVTX_ARRAY | 0x30, 4}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_false(evtx_text_fits(wrong[i].type, slice_of(bytes, wrong[i].size)));
    }
}

static void a_sid_that_promises_too_many_parts_does_not_fit(void **unused)
{
    (void)unused;
    char sid[12] = {1, 1};
    assert_true(evtx_text_fits(EVTX_SID, slice_of(sid, 12)));
    sid[1] = 2;
    assert_false(evtx_text_fits(EVTX_SID, slice_of(sid, 12)));
}

static void an_unset_value_fits_every_type(void **unused)
{
    (void)unused;
    for (unsigned type = 0; type <= EVTX_HEX64; type++) {
        assert_true(evtx_text_fits((uint8_t)type, (struct slice){0}));
        assert_true(evtx_text_unset((uint8_t)type, (struct slice){0}));
    }
    assert_true(evtx_text_unset(EVTX_STRING, SLICE("\0\0A\0")));
    assert_false(evtx_text_unset(EVTX_STRING, SLICE("A\0")));
    assert_true(evtx_text_unset(EVTX_ANSI, SLICE("\0\0")));
}

static void a_text_never_grows_over_its_room(void **unused)
{
    (void)unused;
    char bytes[260];
    static char text[1 << 14];
    memset(bytes, 0xFF, sizeof bytes);
    bytes[1] = 63; /* a SID of 260 bytes */
    for (unsigned type = 1; type < 256; type++) {
        for (size_t size = 1; size <= sizeof bytes; size++) {
            struct slice s = slice_of(bytes, size);
            if (evtx_text_fits((uint8_t)type, s)) {
                size_t room = evtx_text_room((uint8_t)type, size);
                assert_true(room <= sizeof text);
                assert_true(evtx_text_write((uint8_t)type, s, text) <= room);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(each_type_has_its_text),
            cmocka_unit_test(a_value_of_another_size_does_not_fit),
            cmocka_unit_test(a_sid_that_promises_too_many_parts_does_not_fit),
            cmocka_unit_test(an_unset_value_fits_every_type),
            cmocka_unit_test(a_text_never_grows_over_its_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
