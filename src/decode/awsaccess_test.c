/* Access logs of Amazon's load balancers and buckets: what each word is, lines that are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/buf.h"
#include "decode/awsaccess.h"
#include "support/pieces.h"

static const char *const names[] = {"c-ip", "c-port", "cs-method", "cs-host", "cs-uri-stem",
        "cs-uri-query", "sc-status", "cs-user-agent", "cs-referer", "time", "time_local",
        "error_reason", "key", "tls_version", "request", "ssl_protocol"};
static struct pieces pieces;

static int set_up(void **state)
{
    (void)state;
    return pieces_init(&pieces, &awsaccess_decoder, names, sizeof names / sizeof *names) == OK ? 0
                                                                                               : -1;
}

static int tear_down(void **state)
{
    (void)state;
    pieces_fini(&pieces);
    return 0;
}

#define ALB                                                                                        \
    "https 2018-07-02T22:23:00.186641Z app/lb/50dc 192.0.2.1:2817 10.0.0.1:80 0.086 0.048 0.037 "  \
    "200 404 0 57 \"GET https://www.example.com:443/a/b.php?c=d%20e HTTP/1.1\" "                   \
    "\"curl \\x22x\\x22\" ECDHE TLSv1.2 arn:aws:x \"Root=1-5\" \"www.example.com\" \"arn\" 1 "     \
    "2018-07-02T22:22:48.364000Z \"forward\" \"-\" \"-\" \"10.0.0.1:80\" \"200\" \"-\" \"-\""
#define CLASSIC                                                                                    \
    "2015-05-13T23:39:43.945958Z my-lb [2001:db8::1]:2817 - -1 -1 -1 503 0 0 0 "                   \
    "\"GET http://example.com:80/ HTTP/1.1\" \"-\" - -"
#define OWNER "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"
#define BUCKET                                                                                     \
    OWNER " bucket [06/Feb/2019:00:00:38 +0000] 192.0.2.3 - 3E57 REST.GET.OBJECT a/b.txt "         \
          "\"GET /bucket/a/b.txt?x HTTP/1.1\" 403 AccessDenied 243 - 7 - \"http://r/\" \"S3Con\" " \
          "- h= SigV4 ECDHE AuthHeader b.s3.amazonaws.com TLSV1.2 - -"

static void expect(struct slice stream, const char *expected)
{
    struct buf out = {0};
    pieces.quiet = true;
    pieces_read(&pieces, stream, 100, &out);
    buf_byte(&out, '\0');
    assert_string_equal(out.at, expected);
    buf_fini(&out);
}

static void words_are_named_by_their_place(void **state)
{
    (void)state;
    expect(SLICE(ALB "\n"), "1 c-ip=192.0.2.1 c-port=2817 cs-method=GET cs-host=www.example.com "
                            "cs-host=www.example.com cs-uri-stem=/a/b.php cs-uri-query=c=d%20e "
                            "cs-uri-query=/a/b.php?c=d%20e sc-status=200 cs-user-agent=curl \"x\" "
                            "time=2018-07-02T22:23:00.186641Z ssl_protocol=TLSv1.2\n");
    expect(SLICE(CLASSIC "\n" BUCKET "\r\n"),
            "1 c-ip=2001:db8::1 c-port=2817 cs-method=GET cs-host=example.com cs-uri-stem=/ "
            "cs-uri-query=/ sc-status=503 time=2015-05-13T23:39:43.945958Z\n"
            "2 c-ip=192.0.2.3 cs-method=GET cs-host=b.s3.amazonaws.com "
            "cs-uri-stem=/bucket/a/b.txt cs-uri-query=x cs-uri-query=/bucket/a/b.txt?x "
            "sc-status=403 cs-user-agent=S3Con cs-referer=http://r/ "
            "time_local=06/Feb/2019:00:00:38 +0000 key=a/b.txt ssl_protocol=TLSV1.2\n");
}

static void other_lines_are_rejected_alone(void **state)
{
    (void)state;
    expect(SLICE("http 2018-07-02T22:23:00.186641Z x\n" CLASSIC "\nx\n"),
            "1! no access to a load balancer or a bucket\n"
            "2 c-ip=2001:db8::1 c-port=2817 cs-method=GET cs-host=example.com cs-uri-stem=/ "
            "cs-uri-query=/ sc-status=503 time=2015-05-13T23:39:43.945958Z\n"
            "3! no access to a load balancer or a bucket\n");
}

static void only_these_are_recognised(void **state)
{
    static const char *const others[] = {"", "http://example.com/\n", OWNER "  file.txt\n",
            "192.0.2.1 - - [06/Feb/2019:00:00:38 +0000] \"GET / HTTP/1.1\" 200 1 \"-\" \"-\"\n",
            "2018-07-02T22:23:00Z host prog: a b c d e f g h \"i\"\n",
            "2 1 eni-1 - - - - - - - 1431280876 1431280934 - NODATA\n", "a,b,c\n1,2,3\n"};
    static const char *const ours[] = {ALB "\n", CLASSIC "\n", BUCKET "\n"};
    (void)state;
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        assert_true(awsaccess_decoder.recognise(slice_text(ours[i]), true) > 50);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_int_equal(awsaccess_decoder.recognise(slice_text(others[i]), true), 0);
    }
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
            TEST(words_are_named_by_their_place),
            TEST(other_lines_are_rejected_alone),
            TEST(only_these_are_recognised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
