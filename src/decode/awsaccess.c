#include "decode/awsaccess.h"

#include <string.h>

#include "base/time.h"
#include "decode/access_line.h"
#include "decode/fields.h"
#include "decode/linewise.h"
#include "decode/web.h"

enum name {
    TYPE,
    TIME,
    ELB,
    CLIENT,
    CLIENT_PORT,
    TARGET,
    REQUEST_SECONDS,
    TARGET_SECONDS,
    RESPONSE_SECONDS,
    STATUS,
    TARGET_STATUS,
    RECEIVED,
    SENT,
    REQUEST, /* one that is no request; else the next ones */
    METHOD,
    URI,
    STEM,
    QUERY,
    VERSION,
    AGENT,
    CIPHER,
    PROTOCOL,
    GROUP,
    TRACE,
    HOST,
    CERTIFICATE,
    PRIORITY,
    CREATED,
    ACTIONS,
    REDIRECT,
    ERROR_REASON,
    TARGETS,
    TARGET_STATUSES,
    CLASS,
    CLASS_REASON,
    CONNECTION,
    OWNER,
    BUCKET,
    TIME_LOCAL,
    REQUESTER,
    REQUEST_ID,
    OPERATION,
    KEY,
    ERROR_CODE,
    OBJECT_SIZE,
    TOTAL,
    TURN_AROUND,
    REFERER,
    VERSION_ID,
    HOST_ID,
    SIGNATURE,
    AUTHENTICATION,
    ACCESS_POINT,
    ACL,
    END,
};
static const char *const names[] = {
        [TYPE] = "type",
        [TIME] = "time",
        [ELB] = "elb",
        [CLIENT] = "c-ip",
        [CLIENT_PORT] = "c-port",
        [TARGET] = "target:port",
        [REQUEST_SECONDS] = "request_processing_time",
        [TARGET_SECONDS] = "target_processing_time",
        [RESPONSE_SECONDS] = "response_processing_time",
        [STATUS] = "sc-status",
        [TARGET_STATUS] = "target_status_code",
        [RECEIVED] = "cs-bytes",
        [SENT] = "sc-bytes",
        [REQUEST] = "request",
        [METHOD] = "cs-method",
        [URI] = "request_uri",
        [STEM] = "cs-uri-stem",
        [QUERY] = "cs-uri-query",
        [VERSION] = "cs-version",
        [AGENT] = "cs-user-agent",
        [CIPHER] = "ssl_cipher",
        [PROTOCOL] = "ssl_protocol",
        [GROUP] = "target_group_arn",
        [TRACE] = "trace_id",
        [HOST] = "cs-host",
        [CERTIFICATE] = "chosen_cert_arn",
        [PRIORITY] = "matched_rule_priority",
        [CREATED] = "request_creation_time",
        [ACTIONS] = "actions_executed",
        [REDIRECT] = "redirect_url",
        [ERROR_REASON] = "error_reason",
        [TARGETS] = "target:port_list",
        [TARGET_STATUSES] = "target_status_code_list",
        [CLASS] = "classification",
        [CLASS_REASON] = "classification_reason",
        [CONNECTION] = "conn_trace_id",
        [OWNER] = "bucket_owner",
        [BUCKET] = "bucket",
        [TIME_LOCAL] = "time_local",
        [REQUESTER] = "requester",
        [REQUEST_ID] = "request_id",
        [OPERATION] = "operation",
        [KEY] = "key",
        [ERROR_CODE] = "error_code",
        [OBJECT_SIZE] = "object_size",
        [TOTAL] = "total_time",
        [TURN_AROUND] = "turn_around_time",
        [REFERER] = "cs-referer",
        [VERSION_ID] = "version_id",
        [HOST_ID] = "host_id",
        [SIGNATURE] = "signature_version",
        [AUTHENTICATION] = "authentication_type",
        [ACCESS_POINT] = "access_point_arn",
        [ACL] = "acl_required",
};

/* The words of a line in their order. */
static const unsigned char application[] = {TYPE, TIME, ELB, CLIENT, TARGET, REQUEST_SECONDS,
        TARGET_SECONDS, RESPONSE_SECONDS, STATUS, TARGET_STATUS, RECEIVED, SENT, REQUEST, AGENT,
        CIPHER, PROTOCOL, GROUP, TRACE, HOST, CERTIFICATE, PRIORITY, CREATED, ACTIONS, REDIRECT,
        ERROR_REASON, TARGETS, TARGET_STATUSES, CLASS, CLASS_REASON, CONNECTION, END};
static const unsigned char classic[] = {TIME, ELB, CLIENT, TARGET, REQUEST_SECONDS, TARGET_SECONDS,
        RESPONSE_SECONDS, STATUS, TARGET_STATUS, RECEIVED, SENT, REQUEST, AGENT, CIPHER, PROTOCOL,
        END};
static const unsigned char bucket[] = {OWNER, BUCKET, TIME_LOCAL, CLIENT, REQUESTER, REQUEST_ID,
        OPERATION, KEY, REQUEST, STATUS, ERROR_CODE, SENT, OBJECT_SIZE, TOTAL, TURN_AROUND, REFERER,
        AGENT, VERSION_ID, HOST_ID, SIGNATURE, CIPHER, AUTHENTICATION, HOST, PROTOCOL, ACCESS_POINT,
        ACL, END};

/* ---- which of them --------------------------------------------------------------------------- */

/* A word, words in quotes or in brackets (an IPv6 address with a port is no such). */
static struct slice take_word(struct slice *rest)
{
    if (rest->size > 0 && rest->at[0] == '"') {
        return web_quoted(rest);
    }
    size_t close = rest->size > 0 && rest->at[0] == '[' ? slice_find_byte(*rest, ']') : rest->size;
    if (close < rest->size && (close + 1 == rest->size || rest->at[close + 1] == ' ')) {
        struct slice word = slice_of(rest->at + 1, close - 1);
        size_t used = close + 1 < rest->size ? close + 2 : rest->size;
        *rest = slice_of(rest->at + used, rest->size - used);
        return word;
    }
    return slice_cut(rest, ' ');
}

static bool is_time(struct slice word)
{
    int64_t ns;
    return word.size >= 20 && word.at[10] == 'T' && word.at[word.size - 1] == 'Z' &&
           time_parse(word, &ns);
}

static bool is_type(struct slice word)
{
    static const struct slice types[] = {
            {"http", 4}, {"https", 5}, {"h2", 2}, {"grpcs", 5}, {"ws", 2}, {"wss", 3}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (slice_equal(word, types[i])) {
            return true;
        }
    }
    return false;
}

/* S3's canonical id of an account. */
static bool is_owner(struct slice word)
{
    for (size_t i = 0; i < word.size; i++) {
        char c = word.at[i];
        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f')) {
            return false;
        }
    }
    return word.size == 64;
}

/* A number of bytes; -1: the target was never reached. */
static bool is_count(struct slice word)
{
    if (slice_equal(word, SLICE("-1"))) {
        return true;
    }
    for (size_t i = 0; i < word.size; i++) {
        if (word.at[i] < '0' || word.at[i] > '9') {
            return false;
        }
    }
    return word.size > 0;
}

/* The words behind `skipped` others up to the request, which is in quotes; `counts`: the last two
 * of them are numbers of bytes. */
static bool has_request(struct slice rest, int skipped, bool counts)
{
    for (int i = 0; i < skipped; i++) {
        struct slice word = take_word(&rest);
        if (word.size == 0 || (counts && i + 2 >= skipped && !is_count(word))) {
            return false;
        }
    }
    return rest.size > 0 && rest.at[0] == '"';
}

/* NULL: none of them. */
static const unsigned char *layout_of(struct slice line)
{
    struct slice rest = line, first = take_word(&rest), second = take_word(&rest);
    if (is_type(first) && is_time(second) && has_request(line, 12, true)) {
        return application;
    }
    if (is_time(first) && has_request(line, 11, true)) {
        return classic;
    }
    return is_owner(first) && rest.size > 0 && rest.at[0] == '[' && has_request(line, 8, false)
                   ? bucket
                   : NULL;
}

/* ---- fields ---------------------------------------------------------------------------------- */

struct run {
    struct fields_sink *sink;
    bool failed; /* no memory */
};

static void put(struct run *run, enum name name, struct slice text, bool made)
{
    if (text.size == 0) {
        return;
    }
    if (made) {
        fields_made(run->sink, name, text);
    } else {
        fields_put(run->sink, name, text);
    }
}

/* 192.0.2.1:80, [2001:db8::1]:80, or the address alone. */
static void put_client(struct run *run, struct slice word)
{
    const char *colon = memrchr(word.at, ':', word.size);
    size_t size = colon ? (size_t)(colon - word.at) : word.size;
    struct slice address = slice_of(word.at, size);
    bool bracketed = size > 2 && address.at[0] == '[' && address.at[size - 1] == ']';
    if (bracketed) {
        address = slice_of(address.at + 1, size - 2);
    }
    if (colon && web_is_address(address) && (bracketed || !web_is_address(word))) {
        put(run, CLIENT_PORT, slice_of(colon + 1, word.size - size - 1), false);
        word = address;
    }
    put(run, CLIENT, word, false);
}

static void put_request(struct run *run, struct slice request)
{
    struct slice method, target, version;
    bool made;
    bool whole = access_line_request(request, &method, &target, &version);
    struct slice text = web_unescape(run->sink->scratch, whole ? target : request, &made);
    if (!text.at) {
        run->failed = true;
        return;
    }
    if (!whole) {
        put(run, REQUEST, text, made);
        return;
    }
    struct web_target t = web_target(text);
    put(run, METHOD, method, false);
    put(run, URI, text, made);
    put(run, HOST, t.host, made);
    put(run, STEM, t.path, made);
    put(run, QUERY, t.query, made);
    /* With the path, as SigmaHQ's rules expect it. */
    if (t.path.size > 0) {
        put(run, QUERY, slice_of(t.path.at, (size_t)(text.at + text.size - t.path.at)), made);
    }
    put(run, VERSION, version, false);
}

static void put_word(struct run *run, enum name name, struct slice word, bool quoted)
{
    if (word.size == 0 || (word.size == 1 && word.at[0] == '-')) {
        return;
    }
    if (name == REQUEST) {
        put_request(run, word);
    } else if (name == CLIENT) {
        put_client(run, word);
    } else if (quoted) {
        bool made;
        struct slice text = web_unescape(run->sink->scratch, word, &made);
        run->failed |= !text.at;
        put(run, name, text, made);
    } else {
        put(run, name, word, false);
    }
}

static enum err parse(void *context, struct slice text, struct fields_sink *sink, struct diag *diag)
{
    const unsigned char *layout = layout_of(text);
    struct run run = {.sink = sink};
    (void)context;
    if (!layout) {
        return diag_say(diag, ERR_SYNTAX, "no access to a load balancer or a bucket");
    }
    for (size_t i = 0; layout[i] != END && text.size > 0; i++) {
        bool quoted = text.at[0] == '"';
        struct slice word = take_word(&text);
        put_word(&run, (enum name)layout[i], word, quoted);
    }
    return run.failed ? diag_say(diag, ERR_MEMORY, "no memory for a record's texts") : OK;
}

static const struct fields_form form = FIELDS_FORM("aws-access", names, parse);

/* ---- decoder --------------------------------------------------------------------------------- */

static bool is_ours(struct slice line)
{
    return layout_of(line) != NULL;
}

static int recognise(struct slice head, bool whole)
{
    return linewise_sure(head, whole, is_ours);
}

static const struct linewise kind = {.forms = {&form}};

static enum err reader_new(
        const struct paths *paths, const struct decode_limits *limits, struct reader **out)
{
    return linewise_new(&kind, paths, limits, out);
}

const struct decoder awsaccess_decoder = {
        .name = "aws-access",
        .about = "access logs of Amazon's load balancers and S3 buckets",
        .recognise = recognise,
        .reader_new = reader_new,
        LINEWISE_CALLS,
};
