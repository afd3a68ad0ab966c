/* Flow logs of VPCs: names of a line of their own or the usual ones, lines that do not fit. Each
 * stream is read in pieces of every size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/buf.h"
#include "decode/columns.h"
#include "decode/vpcflow.h"
#include "support/pieces.h"

static const char *const names[] = {"srcaddr", "dstport", "account-id", "action", "flow-direction"};
static struct pieces pieces;

static int set_up(void **state)
{
    (void)state;
    return pieces_init(&pieces, &vpcflow_decoder, names, sizeof names / sizeof *names) == OK ? 0
                                                                                             : -1;
}

static int tear_down(void **state)
{
    (void)state;
    pieces_fini(&pieces);
    return 0;
}

static void expect(struct slice stream, const char *expected)
{
    struct buf out = {0};
    pieces.quiet = true;
    pieces_read_all(&pieces, stream, &out);
    buf_byte(&out, '\0');
    assert_string_equal(out.at, expected);
    buf_fini(&out);
}

#define V2 "2 001234567890 eni-1 1.2.3.4 10.0.0.9 443 51000 6 2 152 1599665193 1599665488 ACCEPT OK"
#define NODATA "2 1 eni-1 - - - - - - - 1431280876 1431280934 - NODATA"
#define V5                                                                                         \
    "5 1 eni-1 5.6.7.8 1.2.3.4 50188 4433 6 1 44 1739865042 1739865042 REJECT OK vpc-1 subnet-1 "  \
    "- "                                                                                           \
    "2 IPv4 5.6.7.8 1.2.3.4 eu-west-1 euw1-az2 - - - - ingress -"

static void the_usual_names_need_no_line(void **state)
{
    (void)state;
    expect(SLICE(V2 "\n" NODATA "\r\n" V5 "\n"),
            "1 srcaddr=1.2.3.4 dstport#51000 account-id=001234567890 action=ACCEPT\n"
            "2 account-id=1\n"
            "3 srcaddr=5.6.7.8 dstport#4433 account-id=1 action=REJECT flow-direction=ingress\n");
    expect(SLICE("2020-09-09T15:31:28.000Z " V2 "\n"),
            "1 srcaddr=1.2.3.4 dstport#51000 account-id=001234567890 action=ACCEPT\n");
}

static void a_line_of_names_holds_for_what_follows(void **state)
{
    (void)state;
    expect(SLICE("action srcaddr dstport x\nACCEPT 1.1.1.1 22 y\nversion srcaddr action\n"
                 "2 - REJECT\n"),
            "1 srcaddr=1.1.1.1 dstport#22 action=ACCEPT\n2 action=REJECT\n");
}

static void lines_that_do_not_fit_are_rejected_alone(void **state)
{
    (void)state;
    expect(SLICE("a b\n" V2 "\n" V5 " 1\naction srcaddr dstport\n1 2\nREJECT 1.1.1.1 - \n"),
            "1! not 14 to 29 values, and no line of names\n"
            "2 srcaddr=1.2.3.4 dstport#51000 account-id=001234567890 action=ACCEPT\n"
            "3! not 14 to 29 values, and no line of names\n"
            "4! not the 3 values that the line of names has\n"
            "5 srcaddr=1.1.1.1 action=REJECT\n");
}

static void columns_are_limited(void **state)
{
    (void)state;
    pieces.quiet = true;
    for (size_t over = 0; over <= 1; over++) {
        struct buf in = {0}, out = {0};
        buf_add(&in, SLICE("action srcaddr dstport"));
        for (size_t i = 3; i < COLUMNS_LIMIT + over; i++) {
            buf_add(&in, SLICE(" x"));
        }
        buf_byte(&in, '\n');
        for (size_t i = 0; i < COLUMNS_LIMIT + over; i++) {
            buf_add(&in, i ? SLICE(" 1") : SLICE("1"));
        }
        pieces_read(&pieces, buf_slice(&in), 1000, &out);
        buf_byte(&out, '\0');
        assert_string_equal(
                out.at, over ? "1! over 4096 columns\n" : "1 srcaddr=1 dstport#1 action=1\n");
        buf_fini(&in);
        buf_fini(&out);
    }
}

static void only_flow_logs_are_recognised(void **state)
{
    static const char *const others[] = {"", "version 2\n", "action taken by user: none\n",
            "1.2.3.4 - - [01/Jan/2024:00:00:00 +0000] \"GET / HTTP/1.1\" 200 1\n", "a,b,c\n1,2,3\n",
            "2 3 4 5 6 7 8 9 10 11 12 13 14 15\n", "date time s-ip cs-method cs-uri-stem\n",
            "{\"srcaddr\":\"1.1.1.1\"}\n"};
    (void)state;
    assert_true(vpcflow_decoder.recognise(SLICE(V2 "\n"), true) > 50);
    assert_true(vpcflow_decoder.recognise(SLICE("2020-09-09T15:31:28.000Z " V5 "\n"), true) > 50);
    assert_true(vpcflow_decoder.recognise(SLICE("version account-id interface-id\n"), false) > 50);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_int_equal(vpcflow_decoder.recognise(slice_text(others[i]), true), 0);
    }
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
            TEST(the_usual_names_need_no_line),
            TEST(a_line_of_names_holds_for_what_follows),
            TEST(lines_that_do_not_fit_are_rejected_alone),
            TEST(columns_are_limited),
            TEST(only_flow_logs_are_recognised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
