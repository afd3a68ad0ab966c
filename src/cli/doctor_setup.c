#include "cli/doctor_parts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/json_text.h"
#include "base/time.h"
#include "cli/data.h"
#include "cli/load.h"
#include "cli/status_ask.h"
#include "detect/engine.h"
#include "net/tokens.h"

enum { PEM_LIMIT = 1 << 20, PATH = 4096, DAY_S = 86400, SOON_DAYS = 30, DEPTH = 16 };

/* ---- rules -------------------------------------------------------------------------------------
 */

static void say_rules(struct doctor *d, const struct loaded *loaded, uint32_t unroutable)
{
    const struct ruleset *set = loaded->set;
    if (set->rule_count == 0) {
        doctor_wrong(d, "rules", "name some (`rules`), or install a pack: merlon rules add",
                "there are none: nothing can be found");
    } else {
        doctor_good("rules", "%u are loaded", set->rule_count - unroutable);
    }
    if (set->problem_count > 0 || loaded->unreadable > 0) {
        doctor_doubt(d, "rules", "merlon rules check -q says which, and why",
                "%u are refused, %zu paths cannot be read", set->problem_count, loaded->unreadable);
    }
    if (unroutable > 0) {
        doctor_doubt(d, "rules", "`taxonomy` can say which events their logsources mean",
                "%u are of logsources that nothing is known of: they never fire", unroutable);
    }
}

void doctor_setup_rules(struct doctor *d)
{
    struct load_request request = {
            .rules = d->config.rules, .taxonomies = d->config.taxonomies, .packs = true};
    struct loaded loaded;
    struct engine *engine;
    struct diag diag = {0};
    if (load_rules(&request, &loaded, &diag) != OK) {
        doctor_wrong(d, "rules", "name some (`rules`), or install a pack: merlon rules add", "%s",
                diag.words);
        return;
    }
    const struct engine_options options = {0};
    if (engine_new(loaded.set, loaded.taxonomy, &options, &engine, &diag) != OK) {
        doctor_wrong(d, "rules", "merlon rules check says more", "%s", diag.words);
        load_fini(&loaded);
        return;
    }
    uint32_t unroutable = 0;
    for (uint32_t i = 0; i < loaded.set->rule_count; i++) {
        unroutable += !engine_routable(engine, i, &diag);
    }
    say_rules(d, &loaded, unroutable);
    engine_free(engine);
    load_fini(&loaded);
}

/* ---- certificates ------------------------------------------------------------------------------
 */

static bool read_pem(struct doctor *d, const char *what, struct slice path, struct buf *text)
{
    char name[PATH];
    struct diag diag = {0};
    snprintf(name, sizeof name, "%.*s", SLICE_ARG(path));
    if (files_read(name, PEM_LIMIT, text, &diag) != OK) {
        doctor_wrong(d, what, "it must be readable for who runs the centre", "%s", diag.words);
        return false;
    }
    return true;
}

static X509 *read_certificate(struct doctor *d, const char *what, struct slice path)
{
    struct buf text = {0};
    if (!read_pem(d, what, path, &text)) {
        return NULL;
    }
    BIO *bio = BIO_new_mem_buf(text.at, (int)text.size);
    X509 *certificate = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    if (!certificate) {
        doctor_wrong(d, what, "a file with BEGIN CERTIFICATE is wanted",
                "%.*s holds no certificate", SLICE_ARG(path));
    }
    BIO_free(bio);
    buf_fini(&text);
    ERR_clear_error();
    return certificate;
}

static EVP_PKEY *read_key(struct doctor *d, const char *what, struct slice path)
{
    struct buf text = {0};
    struct stat stat_;
    char name[PATH];
    if (!read_pem(d, what, path, &text)) {
        return NULL;
    }
    snprintf(name, sizeof name, "%.*s", SLICE_ARG(path));
    if (stat(name, &stat_) == 0 && (stat_.st_mode & 004)) {
        doctor_wrong(d, what, "chmod o= it", "everybody may read the key %s", name);
    }
    BIO *bio = BIO_new_mem_buf(text.at, (int)text.size);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)"") : NULL;
    if (!key) {
        doctor_wrong(d, what, "a file with BEGIN PRIVATE KEY, without a password, is wanted",
                "%.*s holds no key", SLICE_ARG(path));
    }
    BIO_free(bio);
    buf_fini(&text);
    ERR_clear_error();
    return key;
}

/* Does it hold now, and for how long? */
static void look_at_dates(struct doctor *d, const char *what, struct slice path, const X509 *given)
{
    int days = 0, seconds = 0;
    static const char mend[] = "get a new one; the centre reads it when it starts";
    if (X509_cmp_current_time(X509_get0_notBefore(given)) > 0) {
        doctor_wrong(d, what, "look at the clock", "%.*s does not hold yet", SLICE_ARG(path));
        return;
    }
    if (X509_cmp_current_time(X509_get0_notAfter(given)) < 0) {
        doctor_wrong(d, what, mend, "%.*s has expired", SLICE_ARG(path));
        return;
    }
    ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(given));
    if (days < SOON_DAYS) {
        doctor_doubt(d, what, mend, "%.*s expires in %d days", SLICE_ARG(path), days);
    } else {
        doctor_good(what, "%.*s holds for %d days", SLICE_ARG(path), days);
    }
}

static void look_at_pair(
        struct doctor *d, const char *what, struct slice certificate, struct slice key)
{
    X509 *x = certificate.size > 0 ? read_certificate(d, what, certificate) : NULL;
    EVP_PKEY *k = key.size > 0 ? read_key(d, what, key) : NULL;
    if (x) {
        look_at_dates(d, what, certificate, x);
    }
    if (x && k && X509_check_private_key(x, k) != 1) {
        doctor_wrong(d, what, "take the key that the certificate was asked for with",
                "%.*s is not the key of %.*s", SLICE_ARG(key), SLICE_ARG(certificate));
    }
    ERR_clear_error();
    X509_free(x);
    EVP_PKEY_free(k);
}

void doctor_setup_certificates(struct doctor *d)
{
    for (size_t i = 0; i < d->config.input_count; i++) {
        const struct intake_input *input = &d->config.inputs[i];
        char what[200];
        snprintf(what, sizeof what, "input %.*s", SLICE_ARG(input->name));
        look_at_pair(d, what, input->certificate, input->key);
        look_at_pair(d, what, input->authority, (struct slice){0});
    }
    look_at_pair(d, "api", d->config.api.certificate, d->config.api.key);
}

/* ---- tokens and tenants ------------------------------------------------------------------------
 */

static bool is_http(const struct intake_input *input)
{
    return slice_equal(input->kind, SLICE("http"));
}

static bool wants_tokens(const struct doctor *d)
{
    for (size_t i = 0; i < d->config.input_count; i++) {
        if (is_http(&d->config.inputs[i])) {
            return true;
        }
    }
    return false;
}

static void count_tokens(struct doctor *d, const struct tokens *tokens)
{
    int64_t now = clock_wall_ns();
    size_t senders = 0, valid = 0, soon = 0;
    for (size_t i = 0; i < tokens_size(tokens); i++) {
        const struct tokens_row *row = tokens_at(tokens, i);
        if (row->revoked_ns || (row->expires_ns && row->expires_ns <= now)) {
            continue;
        }
        valid++;
        senders += row->actor.role == AUTHORIZE_INGESTER;
        soon += row->expires_ns && row->expires_ns < now + SOON_DAYS * DAY_S * TIME_SECOND;
    }
    if (valid == 0) {
        doctor_wrong(d, "tokens", "merlon token add --role admin --tenant '' --name ...",
                "none is in force: nobody can ask or send by HTTP");
        return;
    }
    doctor_good("tokens", "%zu in force", valid);
    if (wants_tokens(d) && senders == 0) {
        doctor_doubt(d, "tokens", "merlon token add --role ingest --tenant ... --name ...",
                "none may only send: senders by HTTP would need the administrator's");
    }
    if (soon > 0) {
        doctor_doubt(
                d, "tokens", "merlon token list says which", "%zu expire within 30 days", soon);
    }
}

void doctor_setup_tokens(struct doctor *d)
{
    char path[DATA_PATH];
    struct diag diag = {0};
    struct tokens *tokens;
    struct stat stat_;
    if (data_path(d->config.data, "tokens.jsonl", path, &diag) != OK || stat(path, &stat_) != 0) {
        doctor_good("tokens", "none yet: the first start makes the administrator's");
        return;
    }
    if (stat_.st_mode & 077) {
        doctor_wrong(d, "tokens", "chmod 600 it", "others may read %s", path);
    }
    if (tokens_read(path, &tokens, &diag) != OK) {
        doctor_wrong(d, "tokens", "mend the line; those in use before stay in use", "%s:%u: %s",
                path, diag.line, diag.words);
        return;
    }
    count_tokens(d, tokens);
    tokens_free(tokens);
}

/* Is it this one, or above it? */
static bool covers(struct slice above, struct slice tenant)
{
    return above.size == 0 || slice_equal(above, tenant) ||
           (slice_starts(tenant, above) && tenant.at[above.size] == '/');
}

void doctor_setup_tenants(struct doctor *d)
{
    const struct config_retention *retention = &d->config.retention;
    size_t without = 0;
    for (size_t i = 0; i < retention->count; i++) {
        bool any = false;
        for (size_t k = 0; k < d->config.input_count; k++) {
            const struct intake_input *input = &d->config.inputs[k];
            any |= covers(retention->rows[i].tenant, input->tenant) ||
                   (is_http(input) && covers(input->tenant, retention->rows[i].tenant));
        }
        if (!any) {
            without++;
            doctor_doubt(d, "tenants", "give it an input, or take its name out of `retention`",
                    "nothing can come from %.*s: no input is of it",
                    SLICE_ARG(retention->rows[i].tenant));
        }
    }
    if (d->config.input_count == 0) {
        doctor_wrong(d, "inputs", "name some (`inputs`)", "there are none");
    } else if (without == 0) {
        doctor_good("inputs", "%zu", d->config.input_count);
    }
}

/* ---- what the centre says ----------------------------------------------------------------------
 */

static uint64_t number(struct slice object, const char *name)
{
    struct slice text = json_text_get(object, slice_text(name));
    uint64_t value = 0;
    for (size_t i = 0; i < text.size && slice_is_digit(text.at[i]); i++) {
        value = value * 10 + (uint64_t)(text.at[i] - '0');
    }
    return value;
}

static void look_at_source(struct doctor *d, struct slice source, size_t *silent)
{
    struct buf name = {0};
    json_text_add(&name, json_text_get(source, SLICE("source")));
    if (slice_equal(json_text_get(source, SLICE("silent")), SLICE("true"))) {
        (*silent)++;
        doctor_doubt(d, "source", "look at the sender and what is between",
                "%.*s has been silent for %llu minutes", SLICE_ARG(buf_slice(&name)),
                (unsigned long long)(number(source, "silent_seconds") / 60));
    }
    if (number(source, "dropped") > 0) {
        doctor_doubt(d, "source", "merlon status; doc/serve.md says what each reason means",
                "%llu records of %.*s were lost", (unsigned long long)number(source, "dropped"),
                SLICE_ARG(buf_slice(&name)));
    }
    buf_fini(&name);
}

static void look_at_status(struct doctor *d, struct slice status)
{
    size_t count = 0, silent = 0;
    if (!slice_equal(json_text_get(status, SLICE("ready")), SLICE("true"))) {
        doctor_wrong(d, "centre", "merlon status says what is missing", "it is not ready");
    }
    struct json_text_members sources = json_text_open(json_text_get(status, SLICE("sources")));
    for (; json_text_next(&sources); count++) {
        look_at_source(d, sources.value, &silent);
    }
    if (silent == 0) {
        doctor_good("sources", "%zu are known, none is silent", count);
    }
}

void doctor_setup_sources(struct doctor *d)
{
    char path[DATA_PATH];
    struct diag diag = {0};
    struct buf url = {0}, body = {0};
    if (!d->runs) {
        return;
    }
    if (!d->token || !*d->token || strpbrk(d->token, "\r\n")) {
        doctor_good("sources", "not asked: that needs a token (MERLON_TOKEN)");
        return;
    }
    enum err e = data_path(d->config.data, "api", path, &diag);
    if (e == OK) {
        e = files_read(path, 1000, &url, &diag);
    }
    if (e == OK) {
        url.size = slice_trim(buf_slice(&url)).size;
        buf_byte(&url, 0);
        e = url.failed ? ERR_MEMORY : status_ask(url.at, "/api/v1/status", d->token, &body, &diag);
    }
    if (e == OK) {
        e = json_text_check_whole(buf_slice(&body), DEPTH, &diag);
    }
    if (e == OK) {
        look_at_status(d, buf_slice(&body));
    } else {
        doctor_wrong(d, "centre", "is `api` configured, and the token of a reader?", "%s",
                diag.words[0] ? diag.words : err_name(e));
    }
    buf_fini(&url);
    buf_fini(&body);
}
