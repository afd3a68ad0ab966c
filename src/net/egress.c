#include "net/egress.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <netdb.h>
#include <openssl/x509.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/files.h"
#include "base/memory.h"
#include "base/time.h"
#include "net/egress_file.h"

enum { BUNDLE = 8 << 20, HOST = 256 };

struct egress {
    enum egress_kind kind;
    char *url;  /* as curl takes it; of a file its path */
    char *told; /* as it was given, for messages */
    CURL *curl;
    struct curl_slist *resolve;
    char why[CURL_ERROR_SIZE];
    bool connected; /* of EGRESS_STREAM */
    bool answered;  /* of EGRESS_HTTP: with a whole head, which libcurl does not ask for */
    int socket;     /* of EGRESS_DATAGRAM */
    struct egress_file file;
};

static struct buf bundle; /* the system's authorities, read before the seal */

enum err egress_start(struct diag *diag)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return diag_say(diag, ERR_MEMORY, "libcurl cannot be started");
    }
    if (bundle.size == 0 && files_read(X509_get_default_cert_file(), BUNDLE, &bundle, NULL) != OK &&
            files_read("/etc/ssl/certs/ca-certificates.crt", BUNDLE, &bundle, NULL) != OK) {
        buf_clear(&bundle); /* https then needs an authority */
    }
    return OK;
}

/* ---- opening -----------------------------------------------------------------------------------
 */

struct place {
    char host[HOST], port[8], number[64];
    struct addrinfo *found;
};

static enum err resolve(struct place *place, int type, struct diag *diag)
{
    const struct addrinfo want = {.ai_socktype = type, .ai_flags = AI_NUMERICSERV};
    int e = getaddrinfo(place->host, place->port, &want, &place->found);
    if (e != 0) {
        place->found = NULL;
        return diag_say(diag, ERR_NOT_FOUND, "%s: %s", place->host, gai_strerror(e));
    }
    if (getnameinfo(place->found->ai_addr, place->found->ai_addrlen, place->number,
                sizeof place->number, NULL, 0, NI_NUMERICHOST) != 0) {
        return diag_say(diag, ERR_NOT_FOUND, "%s: no address", place->host);
    }
    return OK;
}

static bool take_part(CURLU *parts, CURLUPart which, unsigned flags, char *to, size_t size)
{
    char *text = NULL;
    if (curl_url_get(parts, which, &text, flags) != CURLUE_OK) {
        return false;
    }
    int length = snprintf(to, size, "%s", text);
    curl_free(text);
    return length > 0 && (size_t)length < size;
}

/* Host (without the brackets of IPv6) and port of a URL. */
static enum err split(const char *url, struct place *place, struct diag *diag)
{
    CURLU *parts = curl_url();
    bool good =
            parts &&
            curl_url_set(parts, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK &&
            take_part(parts, CURLUPART_HOST, 0, place->host, sizeof place->host) &&
            take_part(parts, CURLUPART_PORT, CURLU_DEFAULT_PORT, place->port, sizeof place->port);
    curl_url_cleanup(parts);
    size_t size = strlen(place->host);
    if (good && place->host[0] == '[' && place->host[size - 1] == ']') {
        memmove(place->host, place->host + 1, size - 2);
        place->host[size - 2] = 0;
    }
    return good ? OK : diag_say(diag, ERR_SYNTAX, "%.80s: no URL with a host and a port", url);
}

static size_t ignore(char *at, size_t size, size_t count, void *context)
{
    (void)at;
    (void)context;
    return size * count;
}

static size_t see_header(char *at, size_t size, size_t count, void *context)
{
    struct egress *egress = context;
    struct slice line = slice_of(at, size * count);
    if (slice_starts(line, SLICE("HTTP/"))) {
        egress->answered = false;
    } else if (line.size > 0 && (line.at[0] == '\r' || line.at[0] == '\n')) {
        egress->answered = true;
    }
    return line.size;
}

static void set_blob(CURL *curl, CURLoption option, const char *text, size_t size)
{
    struct curl_blob blob = {(void *)(uintptr_t)text, size, CURL_BLOB_COPY};
    curl_easy_setopt(curl, option, &blob);
}

/* libcurl connects to the address that was resolved, under the name that was given. */
static enum err set_up(struct egress *egress, const struct egress_options *options,
        const struct place *place, struct diag *diag)
{
    char fixed[HOST + 80];
    CURL *curl = curl_easy_init();
    bool six = strchr(place->number, ':') != NULL;
    snprintf(fixed, sizeof fixed, six ? "%s:%s:[%s]" : "%s:%s:%s", place->host, place->port,
            place->number);
    egress->curl = curl;
    egress->resolve = curl_slist_append(NULL, fixed);
    if (!curl || !egress->resolve) {
        return diag_say(diag, ERR_MEMORY, "no memory for an output");
    }
    curl_easy_setopt(curl, CURLOPT_URL, egress->url);
    if (strchr(place->host, ':') == NULL) {
        curl_easy_setopt(curl, CURLOPT_RESOLVE, egress->resolve);
    }
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, egress->why);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, ignore);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, see_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, egress);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)EGRESS_TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)EGRESS_TIMEOUT_MS / 3);
    curl_easy_setopt(curl, CURLOPT_CAINFO, NULL);
    curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
    if (options->authority) {
        set_blob(curl, CURLOPT_CAINFO_BLOB, options->authority, strlen(options->authority));
    } else if (bundle.size > 0) {
        set_blob(curl, CURLOPT_CAINFO_BLOB, bundle.at, bundle.size);
    }
    if (options->certificate && options->key) {
        set_blob(curl, CURLOPT_SSLCERT_BLOB, options->certificate, strlen(options->certificate));
        set_blob(curl, CURLOPT_SSLKEY_BLOB, options->key, strlen(options->key));
    }
    if (egress->kind == EGRESS_STREAM) {
        curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 1L);
    }
    return OK;
}

static enum err open_datagram(struct egress *egress, const struct place *place, struct diag *diag)
{
    const struct addrinfo *a = place->found;
    egress->socket = socket(a->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (egress->socket < 0 || connect(egress->socket, a->ai_addr, a->ai_addrlen) != 0) {
        return diag_say(diag, ERR_IO, "%.100s: %s", egress->told, strerror(errno));
    }
    return OK;
}

static enum err open_remote(
        struct egress *egress, const struct egress_options *options, struct diag *diag)
{
    struct place place = {0};
    bool datagram = egress->kind == EGRESS_DATAGRAM;
    TRY(split(options->url, &place, diag));
    enum err e = resolve(&place, datagram ? SOCK_DGRAM : SOCK_STREAM, diag);
    if (e == OK) {
        e = datagram ? open_datagram(egress, &place, diag) : set_up(egress, options, &place, diag);
    }
    if (place.found) {
        freeaddrinfo(place.found);
    }
    return e;
}

/* libcurl knows TCP and TLS as what HTTP begins with. */
static char *curl_url_of(const struct egress_options *options)
{
    const char *url = options->url, *rest = strstr(url, "://");
    struct buf out = {0};
    if (options->kind == EGRESS_STREAM && rest) {
        buf_add(&out, strncmp(url, "tls:", 4) == 0 ? SLICE("https") : SLICE("http"));
        url = rest;
    }
    buf_add(&out, slice_text(url));
    buf_byte(&out, 0);
    return out.failed ? NULL : out.at;
}

static char *copy_of(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = memory_alloc(size);
    if (copy) {
        memcpy(copy, text, size);
    }
    return copy;
}

enum err egress_open(const struct egress_options *options, struct egress **out, struct diag *diag)
{
    struct egress *egress = memory_alloc(sizeof *egress);
    if (!egress) {
        return diag_say(diag, ERR_MEMORY, "no memory for an output");
    }
    *egress = (struct egress){.kind = options->kind, .socket = -1};
    egress->url = curl_url_of(options);
    egress->told = copy_of(options->url);
    egress->file = (struct egress_file){
            .path = egress->url, .rotate_bytes = options->rotate_bytes, .file = -1};
    enum err e = egress->url && egress->told ? OK : ERR_MEMORY;
    if (e == OK && egress->kind != EGRESS_FILE) {
        e = open_remote(egress, options, diag);
    }
    if (e != OK) {
        egress_close(egress);
        return e;
    }
    *out = egress;
    return OK;
}

void egress_close(struct egress *egress)
{
    if (!egress) {
        return;
    }
    if (egress->curl) {
        curl_easy_cleanup(egress->curl);
    }
    curl_slist_free_all(egress->resolve);
    if (egress->socket >= 0) {
        close(egress->socket);
    }
    egress_file_close(&egress->file);
    memory_free(egress->url);
    memory_free(egress->told);
    memory_free(egress);
}

void egress_reopen(struct egress *egress)
{
    egress_file_close(&egress->file);
}

/* ---- delivering --------------------------------------------------------------------------------
 */

static enum err failed(struct egress *egress, CURLcode code, struct diag *diag)
{
    const char *words = egress->why[0] ? egress->why : curl_easy_strerror(code);
    return diag_say(diag, ERR_IO, "%.100s: %.200s", egress->told, words);
}

static enum err post(struct egress *egress, const struct egress_load *load, struct diag *diag)
{
    struct curl_slist *headers = curl_slist_append(NULL, "Expect:");
    for (size_t i = 0; i < EGRESS_HEADERS && load->headers[i] && headers; i++) {
        struct curl_slist *more = curl_slist_append(headers, load->headers[i]);
        if (!more) {
            curl_slist_free_all(headers);
        }
        headers = more;
    }
    if (!headers) {
        return diag_say(diag, ERR_MEMORY, "no memory for a request");
    }
    long status = 0;
    egress->why[0] = 0;
    egress->answered = false;
    curl_easy_setopt(egress->curl, CURLOPT_POST, 1L);
    curl_easy_setopt(egress->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)load->bytes.size);
    curl_easy_setopt(egress->curl, CURLOPT_POSTFIELDS, load->bytes.at);
    curl_easy_setopt(egress->curl, CURLOPT_HTTPHEADER, headers);
    CURLcode code = curl_easy_perform(egress->curl);
    curl_easy_getinfo(egress->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_setopt(egress->curl, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(headers);
    if (code != CURLE_OK) {
        return failed(egress, code, diag);
    }
    if (!egress->answered) {
        return diag_say(diag, ERR_IO, "%.100s: half an answer", egress->told);
    }
    return status >= 200 && status < 300
                   ? OK
                   : diag_say(diag, ERR_IO, "%.100s: answered with %ld", egress->told, status);
}

/* The other side has closed, or broken: what is sent now would go nowhere. */
static bool is_gone(struct egress *egress)
{
    char rest[512];
    size_t got;
    CURLcode code;
    while ((code = curl_easy_recv(egress->curl, rest, sizeof rest, &got)) == CURLE_OK && got > 0) {
    }
    return code != CURLE_AGAIN;
}

/* A handle keeps what it only connected open until it ends itself. */
static enum err drop_connections(struct egress *egress, struct diag *diag)
{
    CURL *fresh = curl_easy_duphandle(egress->curl);
    if (!fresh) {
        return diag_say(diag, ERR_MEMORY, "no memory for an output");
    }
    curl_easy_cleanup(egress->curl);
    egress->curl = fresh;
    return OK;
}

static enum err connect_stream(struct egress *egress, struct diag *diag)
{
    if (egress->connected && !is_gone(egress)) {
        return OK;
    }
    egress->connected = false;
    egress->why[0] = 0;
    TRY(drop_connections(egress, diag));
    CURLcode code = curl_easy_perform(egress->curl);
    if (code != CURLE_OK) {
        return failed(egress, code, diag);
    }
    egress->connected = true;
    return OK;
}

static enum err stream(struct egress *egress, const struct egress_load *load, struct diag *diag)
{
    curl_socket_t socket;
    int64_t until = clock_steady_ns() + EGRESS_TIMEOUT_MS * (TIME_SECOND / 1000);
    TRY(connect_stream(egress, diag));
    curl_easy_getinfo(egress->curl, CURLINFO_ACTIVESOCKET, &socket);
    for (size_t done = 0; done < load->bytes.size;) {
        size_t sent = 0;
        CURLcode code =
                curl_easy_send(egress->curl, load->bytes.at + done, load->bytes.size - done, &sent);
        done += sent;
        if (code == CURLE_AGAIN && clock_steady_ns() < until) {
            struct pollfd wait = {.fd = socket, .events = POLLOUT};
            poll(&wait, 1, 1000);
        } else if (code != CURLE_OK) {
            egress->connected = false;
            return failed(egress, code, diag);
        }
    }
    return OK;
}

static enum err datagram(struct egress *egress, const struct egress_load *load, struct diag *diag)
{
    if (load->bytes.size > EGRESS_DATAGRAM_BYTES) {
        return diag_say(diag, ERR_LIMIT, "%.100s: %zu bytes do not fit a datagram", egress->told,
                load->bytes.size);
    }
    if (send(egress->socket, load->bytes.at, load->bytes.size, MSG_NOSIGNAL) < 0) {
        return diag_say(diag, ERR_IO, "%.100s: %s", egress->told, strerror(errno));
    }
    return OK;
}

enum err egress_deliver(struct egress *egress, const struct egress_load *load, struct diag *diag)
{
    switch (egress->kind) {
    case EGRESS_HTTP:
        return post(egress, load, diag);
    case EGRESS_STREAM:
        return stream(egress, load, diag);
    case EGRESS_DATAGRAM:
        return datagram(egress, load, diag);
    default:
        return egress_file_append(&egress->file, load->bytes, load->number, diag);
    }
}
