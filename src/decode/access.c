#include "decode/access.h"

#include "decode/access_line.h"
#include "decode/fields.h"
#include "decode/linewise.h"
#include "decode/web.h"

enum {
    VHOST,
    PORT,
    CLIENT,
    FORWARDED,
    IDENT,
    USER,
    TIME,
    METHOD,
    TARGET,
    STEM,
    QUERY,
    VERSION,
    REQUEST,
    STATUS,
    BYTES,
    REFERER,
    AGENT,
    REST,
    CODE,
    HIERARCHY,
    URI,
    URI_STEM,
    URI_QUERY,
    EXTENSION,
    URI_PORT,
};
static const char *const names[] = {
        [VHOST] = "cs-host",
        [PORT] = "s-port",
        [CLIENT] = "c-ip",
        [FORWARDED] = "x_forwarded_for",
        [IDENT] = "ident",
        [USER] = "cs-username",
        [TIME] = "time_local",
        [METHOD] = "cs-method",
        [TARGET] = "request_uri",
        [STEM] = "cs-uri-stem",
        [QUERY] = "cs-uri-query",
        [VERSION] = "cs-version",
        [REQUEST] = "request",
        [STATUS] = "sc-status",
        [BYTES] = "sc-bytes",
        [REFERER] = "cs-referer",
        [AGENT] = "cs-user-agent",
        [REST] = "rest",
        [CODE] = "s-action",
        [HIERARCHY] = "s-hierarchy",
        [URI] = "c-uri",
        [URI_STEM] = "c-uri-stem",
        [URI_QUERY] = "c-uri-query",
        [EXTENSION] = "c-uri-extension",
        [URI_PORT] = "cs-uri-port",
};

/* A line being read. */
struct run {
    struct fields_sink *sink;
    bool failed; /* no memory */
};

static void put(struct run *run, size_t name, struct slice text)
{
    if (text.size > 0) {
        fields_put(run->sink, name, text);
    }
}

static void put_text(struct run *run, size_t name, struct slice text, bool made)
{
    if (made && text.size > 0) {
        fields_made(run->sink, name, text);
    } else {
        put(run, name, text);
    }
}

/* Text that may have escapes. */
static void put_quoted(struct run *run, size_t name, struct slice quoted)
{
    bool made;
    struct slice text = web_unescape(run->sink->scratch, quoted, &made);
    run->failed |= quoted.size > 0 && !text.at;
    put_text(run, name, text, made);
}

static void put_vhost(struct run *run, struct slice vhost)
{
    if (vhost.size == 0) {
        return;
    }
    struct slice host = slice_cut(&vhost, ':');
    put(run, VHOST, host);
    put(run, PORT, vhost);
}

/* A server's names, or a proxy's. The query of a server comes twice: as W3C's extended format has
 * it, and with the path before it, as SigmaHQ's rules expect it. */
static void put_target(struct run *run, struct slice text, bool made, bool squid)
{
    struct web_target t = web_target(text);
    put_text(run, squid ? URI : TARGET, text, made);
    put_text(run, squid ? URI_STEM : STEM, t.path, made);
    put_text(run, squid ? URI_QUERY : QUERY, t.query, made);
    put_text(run, VHOST, t.host, made);
    put_text(run, URI_PORT, t.port, made);
    if (squid) {
        put_text(run, EXTENSION, t.extension, made);
    } else {
        put_text(run, QUERY, text, made);
    }
}

static void put_request(struct run *run, struct slice request, bool squid)
{
    struct slice method, target, version;
    bool made;
    if (!access_line_request(request, &method, &target, &version)) {
        put_quoted(run, REQUEST,
                request.size == 1 && *request.at == '-' ? (struct slice){0} : request);
        return;
    }
    struct slice text = web_unescape(run->sink->scratch, target, &made);
    if (!text.at) {
        run->failed = true;
        return;
    }
    put(run, METHOD, method);
    put_target(run, text, made, squid);
    put(run, VERSION, version);
}

static enum err put_line(const struct access_line *l, bool squid, struct run *run)
{
    put_vhost(run, l->vhost);
    put(run, CLIENT, l->client);
    put(run, FORWARDED, l->forwarded);
    put(run, IDENT, l->ident);
    put_quoted(run, USER, l->user);
    put(run, TIME, l->time);
    put_request(run, l->request, squid);
    put(run, STATUS, l->status);
    put(run, BYTES, l->bytes);
    put_quoted(run, REFERER, l->referer);
    put_quoted(run, AGENT, l->agent);
    return run->failed ? ERR_MEMORY : OK;
}

static enum err no_line(struct diag *diag)
{
    return diag_say(diag, ERR_SYNTAX, "no access: no [time] \"request\" status");
}

static enum err parse(void *context, struct slice text, struct fields_sink *sink, struct diag *diag)
{
    struct access_line l;
    struct run run = {.sink = sink};
    (void)context;
    if (!access_line_parse(text, &l)) {
        return no_line(diag);
    }
    TRY(put_line(&l, false, &run));
    put(&run, REST, l.rest);
    return OK;
}

static enum err parse_squid(
        void *context, struct slice text, struct fields_sink *sink, struct diag *diag)
{
    struct access_line l;
    struct slice code, hierarchy;
    struct run run = {.sink = sink};
    (void)context;
    if (!access_line_parse(text, &l) || !access_line_squid(text, &code, &hierarchy)) {
        return no_line(diag);
    }
    TRY(put_line(&l, true, &run));
    put(&run, CODE, code);
    put(&run, HIERARCHY, hierarchy);
    return OK;
}

static const struct fields_form server_form = FIELDS_FORM("access", names, parse);
static const struct fields_form squid_form = FIELDS_FORM("squid", names, parse_squid);

/* ---- decoder --------------------------------------------------------------------------------- */

static bool is_access(struct slice line)
{
    struct access_line l;
    return access_line_parse(line, &l);
}

static int recognise(struct slice head, bool whole)
{
    return linewise_sure(head, whole, is_access);
}

static size_t choose(struct slice line)
{
    struct slice code, hierarchy;
    return access_line_squid(line, &code, &hierarchy);
}

static const struct linewise kind = {.forms = {&server_form, &squid_form}, .choose = choose};

static enum err reader_new(
        const struct paths *paths, const struct decode_limits *limits, struct reader **out)
{
    return linewise_new(&kind, paths, limits, out);
}

const struct decoder access_decoder = {
        .name = "access",
        .about = "access logs of web servers: common, combined, with virtual host or forwarders",
        .recognise = recognise,
        .reader_new = reader_new,
        LINEWISE_CALLS,
};
