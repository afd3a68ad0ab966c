/* Tables with a header: quotes, line ends within cells, separators, headers that repeat; records
 * that do not fit, quotes that nothing closes. Each stream is read in pieces of every size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/buf.h"
#include "decode/columns.h"
#include "decode/csv.h"
#include "decode/csv_text.h"
#include "support/pieces.h"

static const char *const names[] = {"a", "b", "Operation", "x y"};
static struct pieces pieces;

static int set_up(void **state)
{
    (void)state;
    return pieces_init(&pieces, &csv_decoder, names, sizeof names / sizeof *names) == OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    pieces_fini(&pieces);
    return 0;
}

static void limit(size_t record_bytes)
{
    pieces.limits.record_bytes = record_bytes;
    csv_decoder.reader_free(pieces.reader);
    assert_int_equal(csv_decoder.reader_new(pieces.paths, &pieces.limits, &pieces.reader), OK);
}

static void expect(struct slice stream, const char *expected)
{
    struct buf out = {0};
    pieces_read_all(&pieces, stream, &out);
    buf_byte(&out, '\0');
    assert_string_equal(out.at, expected);
    buf_fini(&out);
}

static void cells_are_named_by_the_first_record(void **state)
{
    (void)state;
    expect(SLICE("a,b,c\n1,x,y\r\n\n,\"\",z"),
            "1 a#1 b=x {\"a\":1,\"b\":\"x\",\"c\":\"y\"}\n2 b= {\"b\":\"\",\"c\":\"z\"}\n");
    expect(SLICE("\xEF\xBB\xBF\"a\",\"x y\"\r\n\"p,q\",\"r\"\"s\"\"\"\r\n"),
            "1 a=p,q x y=r\"s\" {\"a\":\"p,q\",\"x y\":\"r\\\"s\\\"\"}\n");
    expect(SLICE("a;b\n1,5;x\n"), "1 a=1,5 b=x {\"a\":\"1,5\",\"b\":\"x\"}\n");
    expect(SLICE("a\tb\n\"x\ty\"\tz\n"), "1 a=x\ty b=z {\"a\":\"x\\ty\",\"b\":\"z\"}\n");
    expect(SLICE("sep=|\na,b|b\n1|2\n"), "1 b#2 {\"a,b\":1,\"b\":2}\n");
    expect(SLICE("\n#TYPE System.Diagnostics\n\"a\",\"b\"\n\"1\",\"07\"\n"),
            "1 a#1 b=07 {\"a\":1,\"b\":\"07\"}\n");
}

static void quotes_hold_separators_and_line_ends(void **state)
{
    (void)state;
    expect(SLICE("a,b\n\"1\n2\r\n,3\",x\n\"\"\"\",\"\n\"\n"),
            "1 a=1\n2\r\n,3 b=x {\"a\":\"1\\n2\\r\\n,3\",\"b\":\"x\"}\n"
            "2 a=\" b=\n {\"a\":\"\\\"\",\"b\":\"\\n\"}\n");
    /* A quote that is not at the front, or with something behind it, is text. */
    expect(SLICE("a,b\n5\" disk,x\"\n\"p\"q,r\n"),
            "1 a=5\" disk b=x\" {\"a\":\"5\\\" disk\",\"b\":\"x\\\"\"}\n"
            "2 a=\"p\"q b=r {\"a\":\"\\\"p\\\"q\",\"b\":\"r\"}\n");
}

static void a_header_that_repeats_is_no_record(void **state)
{
    (void)state;
    expect(SLICE("a,b\n1,2\na,b\r\n3,4\na,b \n"),
            "1 a#1 b#2 {\"a\":1,\"b\":2}\n2 a#3 b#4 {\"a\":3,\"b\":4}\n"
            "3 a=a b=b  {\"a\":\"a\",\"b\":\"b \"}\n");
}

static void audit_data_gives_its_values_to_the_record(void **state)
{
    (void)state;
    expect(SLICE("a,AuditData\n1,\"{\"\"Operation\"\":\"\"x\"\",\"\"b\"\":{\"\"c\"\":[1,true]}}\"\n"
                 "2,{broken\n"),
            "1 a#1 Operation=x {\"a\":1,\"Operation\":\"x\",\"b.c\":[1,true]}\n"
            "2 a#2 {\"a\":2,\"AuditData\":\"{broken\"}\n");
}

static void records_that_do_not_fit_are_rejected_alone(void **state)
{
    (void)state;
    expect(SLICE("a,b\n1\n1,2,3\n1,2\n"),
            "1! not 2 cells as in the first line\n2! not 2 cells as in the first line\n"
            "3 a#1 b#2 {\"a\":1,\"b\":2}\n");
}

static void of_a_quote_that_nothing_closes_one_line_is_lost(void **state)
{
    static const char why[] = "a record longer than 20 bytes, or a quote that is not closed";
    struct buf want = {0};
    (void)state;
    limit(20);
    buf_format(&want, "1! %s\n2 a#1 b#2 {\"a\":1,\"b\":2}\n3! %s\n4 a#3 b#4 {\"a\":3,\"b\":4}\n",
            why, why);
    buf_byte(&want, '\0');
    expect(SLICE("a,b\n\"x,y\n1,2\n123456789,12345678901\n3,4\n"), want.at);
    buf_clear(&want);
    buf_format(&want, "1 a#1 b#2 {\"a\":1,\"b\":2}\n2! %s\n", why);
    buf_byte(&want, '\0');
    expect(SLICE("a,b\n1,2\n                         \n3,\"x"), want.at);
    buf_fini(&want);
    expect(SLICE("a,b\n123456789,1234567890\r\n"),
            "1 a#123456789 b#1234567890 {\"a\":123456789,\"b\":1234567890}\n");
}

static void a_header_has_a_limit(void **state)
{
    (void)state;
    for (size_t over = 0; over <= 1; over++) {
        struct buf in = {0}, out = {0};
        buf_format(&in, "a,%0*d", (int)4000, 0);
        while (in.size < DECODE_HEADER_LIMIT - 1 + over) {
            buf_byte(&in, 'x');
        }
        buf_add(&in, SLICE("\n1,2\n"));
        pieces.quiet = true;
        pieces_read(&pieces, buf_slice(&in), 1 << 20, &out);
        pieces.quiet = false;
        buf_byte(&out, '\0');
        assert_string_equal(out.at, over ? "1! a record longer than 16777216 bytes, or a quote "
                                           "that is not closed\n"
                                           "2! no line that names the columns\n"
                                         : "1 a#1\n");
        buf_fini(&in);
        buf_fini(&out);
    }
}

static void wide(size_t columns, const char *expected)
{
    struct buf in = {0}, out = {0};
    for (size_t i = 0; i < columns; i++) {
        buf_format(&in, i ? ",c%d" : "c%d", (int)i);
    }
    buf_byte(&in, '\n');
    for (size_t i = 0; i < columns; i++) {
        buf_add(&in, i ? SLICE(",x") : SLICE("x"));
    }
    pieces.quiet = true;
    pieces_read(&pieces, buf_slice(&in), 1000, &out);
    pieces.quiet = false;
    buf_byte(&out, '\0');
    assert_string_equal(out.at, expected);
    buf_fini(&in);
    buf_fini(&out);
}

static void hostile_bytes_are_text(void **state)
{
    (void)state;
    struct buf out = {0};
    pieces_read_all(&pieces, SLICE("a,b\nx\0y,\xFF\xFE\n\"\xC3\""), &out);
    static const char want[] = "1 a=x\0y b=\xFF\xFE {\"a\":\"x\\u0000y\",\"b\":\"\xEF\xBF\xBD\xEF"
                               "\xBF\xBD\"}\n2! not 2 cells as in the first line\n";
    assert_int_equal(out.size, sizeof want - 1);
    assert_memory_equal(out.at, want, out.size);
    buf_fini(&out);
}

static void columns_are_limited(void **state)
{
    (void)state;
    wide(COLUMNS_LIMIT, "1\n");
    wide(COLUMNS_LIMIT + 1, "1! over 4096 columns\n");
}

/* Bytes of a dice, most of them of the few that matter. */
static void cells_agree_with_and_without_avx2(void **state)
{
    static const char bytes[] = "\"\"\"\",,\n\rabcdefghijklmnop";
    char text[320], made[320 + CSV_TEXT_SLACK], plain[320];
    uint32_t dice = 1;
    (void)state;
    for (int round = 0; round < 20000; round++) {
        size_t size = (dice >> 8) % sizeof text;
        for (size_t i = 0; i < size; i++) {
            dice = dice * 1664525 + 1013904223;
            text[i] = (dice >> 27) ? bytes[(dice >> 10) % (sizeof bytes - 1)] : 'x';
        }
        if (size > 0) {
            text[0] = round & 1 ? '"' : text[0];
        }
        size_t at = 0, other = 0;
        enum csv_end how, how_other;
        do {
            struct csv_cell a, b;
            how = csv_text_cell(slice_of(text, size), &at, ',', &a);
            how_other = csv_text_cell_portable(slice_of(text, size), &other, ',', &b);
            assert_int_equal(how, how_other);
            assert_int_equal(at, other);
            assert_ptr_equal(a.text.at, b.text.at);
            assert_int_equal(a.text.size, b.text.size);
            assert_true(a.quoted == b.quoted && a.doubled == b.doubled);
            size_t n = 0;
            for (size_t i = 0; i < a.text.size; i++) {
                plain[n++] = a.text.at[i];
                i += a.text.at[i] == '"' && i + 1 < a.text.size && a.text.at[i + 1] == '"';
            }
            assert_int_equal(csv_text_undouble(a.text, made), n);
            assert_memory_equal(made, plain, n);
        } while (how == CSV_CELL);
    }
}

static void tables_are_recognised_and_other_text_is_not(void **state)
{
    static const char *const tables[] = {
            "a,b,c\n1,2,3\n",
            "CreationDate,UserIds,Operations,AuditData\n2021,x,y,\"{\"\"a\"\":1}\"\n",
            "\xEF\xBB\xBF\"Message\",\"Id\",\"Version\"\r\n\"a\nb\",\"1\",\"2\"\r\n",
            "#TYPE System.X\n\"Message\",\"Id\",\"Version\"\n",
            "sep=;\na;b;c\n1;2;3\n",
            "a\tb\tc\n1\t2\t3\n",
            "Level,Date and Time,Source,Event ID,Task Category\nError,1,2,3,4,\"x\"\n",
    };
    static const char *const others[] = {
            "",
            "a,b\n1,2\n",
            "a,b,a\n1,2,3\n",
            "1,2,3\n4,5,6\n",
            "a,b,c\n1,2,3\n1,2\n",
            "Dear all, this is a text, and no table.\nIt has commas, too, though.\n",
            "{\"a\":1,\"b\":2,\"c\":3}\n",
            "[\"a\",\"b\",\"c\"]\n",
            "2024-01-01 00:00:00,INFO,main\n",
            "Jan  1 00:00:00 host prog: a, b, c\n",
            "Jan  1 00:00:00 host p[1]: a=1, b=2, c\nJan  1 00:00:00 host p[1]: a=1, b=2, c\n",
            "CEF:0|a|b|c|d|e|f|x=1\nCEF:0|a|b|c|d|e|f|x=1\n",
            "LEEF:1.0|a|b|c|d|x=1\n",
            "#separator \\x09\n#fields\ta\tb\tc\n1\t2\t3\n",
            "#Fields: a b c\n1 2 3\n",
            "type=X msg=audit(1.1:1): a,b,c\n",
            "<134>1 a, b, c\n",
            "version account-id interface-id srcaddr dstaddr\n2 1 eni 1.1.1.1 2.2.2.2\n",
            "1.2.3.4 - - [01/Jan/2024:00:00:00 +0000] \"GET /a,b,c HTTP/1.1\" 200 1\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        bool ragged = strstr(tables[i], "4,\"x\"") != NULL;
        int sure = csv_decoder.recognise(slice_text(tables[i]), true);
        assert_true(ragged ? sure == 0 : sure > 0);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_int_equal(csv_decoder.recognise(slice_text(others[i]), true), 0);
    }
    /* Cut off in the middle of a record, or of the header; a file that ends so. */
    assert_true(csv_decoder.recognise(SLICE("a,b,c\n1,2,3\n1,\"2"), false) > 0);
    assert_true(csv_decoder.recognise(SLICE("a,b,c\n1,2,3\n1,\"2"), true) > 0);
    assert_true(csv_decoder.recognise(SLICE("a,b,c\n1,2,3\n1,2"), true) > 0);
    assert_int_equal(csv_decoder.recognise(SLICE("a,b,c\n1,2,3\n1,2,3,4"), true), 0);
    assert_int_equal(csv_decoder.recognise(SLICE("a,b,c\n1,2"), true), 0);
    assert_int_equal(csv_decoder.recognise(SLICE("a,b,c"), false), 0);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
            TEST(cells_are_named_by_the_first_record),
            TEST(quotes_hold_separators_and_line_ends),
            TEST(a_header_that_repeats_is_no_record),
            TEST(audit_data_gives_its_values_to_the_record),
            TEST(records_that_do_not_fit_are_rejected_alone),
            TEST(of_a_quote_that_nothing_closes_one_line_is_lost),
            TEST(a_header_has_a_limit),
            TEST(columns_are_limited),
            TEST(hostile_bytes_are_text),
            TEST(cells_agree_with_and_without_avx2),
            TEST(tables_are_recognised_and_other_text_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
