#include "app/outbound.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

#include "base/json_text.h"
#include "base/time.h"

enum { FACILITY = 13 }; /* log audit */

enum egress_kind outbound_kind(const struct config_output *output)
{
    if (slice_equal(output->kind, SLICE("webhook"))) {
        return EGRESS_HTTP;
    }
    if (slice_equal(output->kind, SLICE("file"))) {
        return EGRESS_FILE;
    }
    return slice_starts(output->url, SLICE("udp:")) ? EGRESS_DATAGRAM : EGRESS_STREAM;
}

void outbound_begin(struct outbound *out)
{
    buf_clear(&out->body);
    out->count = 0;
}

bool outbound_full(const struct outbound *out)
{
    size_t most = outbound_kind(out->output) == EGRESS_DATAGRAM ? 1 : OUTBOUND_ITEMS;
    return out->count >= most || out->body.size >= OUTBOUND_BYTES;
}

/* ---- JSON --------------------------------------------------------------------------------------
 */

static void add_json(struct buf *to, const struct outbound_item *item)
{
    buf_format(to, "{\"cursor\":%" PRIu64 ",\"tenant\":\"", item->cursor);
    buf_json(to, item->tenant);
    buf_add(to, SLICE("\",\"finding\":"));
    buf_add(to, item->finding);
    buf_byte(to, '}');
}

/* ---- syslog and CEF ----------------------------------------------------------------------------
 */

static const struct {
    const char *level;
    unsigned severity, cef; /* RFC 5424's; CEF's */
} levels[] = {{"critical", 2, 10}, {"high", 3, 8}, {"medium", 4, 5}, {"low", 5, 3},
        {"informational", 6, 1}};
enum { LEVELS = sizeof levels / sizeof *levels };

static struct slice rule_part(const struct outbound_item *item, const char *name)
{
    return json_text_get(json_text_get(item->finding, SLICE("rule")), slice_text(name));
}

static size_t level_of(const struct outbound_item *item)
{
    struct slice level = rule_part(item, "level");
    for (size_t i = 0; i < LEVELS; i++) {
        size_t size = strlen(levels[i].level);
        if (level.size == size + 2 && memcmp(level.at + 1, levels[i].level, size) == 0) {
            return i;
        }
    }
    return LEVELS - 1;
}

/* As CEF escapes: in the header \ and |, in values \ and =; no line ends. */
static void add_cef_text(struct outbound *out, struct slice json, char special)
{
    buf_clear(&out->text);
    if (json.at && !slice_equal(json, SLICE("null"))) {
        json_text_add(&out->text, json);
    }
    for (size_t i = 0; i < out->text.size; i++) {
        char c = out->text.at[i];
        if (c == '\\' || c == special) {
            buf_byte(&out->item, '\\');
        }
        buf_byte(&out->item, (unsigned char)c < ' ' || c == 0x7f ? ' ' : c);
    }
    out->item.failed |= out->text.failed;
}

static void add_cef(struct outbound *out, const struct outbound_item *item)
{
    struct slice source = json_text_get(item->finding, SLICE("source"));
    struct slice time = json_text_get(item->finding, SLICE("time"));
    int64_t ns;
    buf_add(&out->item, SLICE("CEF:0|Merlon|Merlon|" MERLON_VERSION "|"));
    add_cef_text(out, rule_part(item, "id"), '|');
    buf_byte(&out->item, '|');
    add_cef_text(out, rule_part(item, "title"), '|');
    buf_format(&out->item, "|%u|externalId=%" PRIu64, levels[level_of(item)].cef, item->cursor);
    if (time.size > 2 && time_parse(slice_of(time.at + 1, time.size - 2), &ns)) {
        buf_format(&out->item, " rt=%" PRId64, ns / (TIME_SECOND / 1000));
    }
    buf_add(&out->item, SLICE(" cs1Label=tenant cs1="));
    buf_add(&out->item, item->tenant);
    const char *const names[] = {"source", "log", "offset"};
    for (unsigned i = 0; i < 3; i++) {
        struct slice value = json_text_get(source, slice_text(names[i]));
        if (value.at) {
            buf_format(&out->item, " cs%uLabel=%s cs%u=", i + 2, names[i], i + 2);
            add_cef_text(out, value, '=');
        }
    }
}

/* RFC 5424 has six digits of fraction at most. */
static void add_time(struct outbound *out, const struct outbound_item *item)
{
    struct slice time = json_text_get(item->finding, SLICE("time"));
    int64_t ns;
    if (time.size < 3 || !time_parse(slice_of(time.at + 1, time.size - 2), &ns)) {
        buf_byte(&out->item, '-');
        return;
    }
    time_format(&out->item, ns - ns % 1000);
}

/* <PRI>1 TIME HOST merlon - CURSOR - MESSAGE */
static void add_syslog(struct outbound *out, const struct outbound_item *item)
{
    buf_clear(&out->item);
    buf_format(&out->item, "<%u>1 ", FACILITY * 8 + levels[level_of(item)].severity);
    add_time(out, item);
    buf_format(&out->item, " %s merlon - %" PRIu64 " - ", out->host, item->cursor);
    if (slice_equal(out->output->form, SLICE("cef"))) {
        add_cef(out, item);
    } else {
        add_json(&out->item, item);
    }
    if (outbound_kind(out->output) == EGRESS_STREAM) {
        buf_format(&out->body, "%zu ", out->item.size);
    }
    buf_add(&out->body, buf_slice(&out->item));
    out->body.failed |= out->item.failed;
}

/* ---- all ---------------------------------------------------------------------------------------
 */

void outbound_add(struct outbound *out, const struct outbound_item *item)
{
    enum egress_kind kind = outbound_kind(out->output);
    if (out->count == 0) {
        out->first = item->cursor;
    }
    if (kind == EGRESS_HTTP) {
        if (out->count == 0) {
            buf_add(&out->body, SLICE("{\"output\":\""));
            buf_json(&out->body, out->output->name);
            buf_add(&out->body, SLICE("\",\"findings\":["));
        } else {
            buf_byte(&out->body, ',');
        }
        add_json(&out->body, item);
    } else if (kind == EGRESS_FILE) {
        add_json(&out->body, item);
        buf_byte(&out->body, '\n');
    } else {
        add_syslog(out, item);
    }
    out->last = item->cursor;
    out->count++;
}

/* HMAC-SHA256 of the body, by which the receiver knows whose it is. */
static bool sign(struct outbound *out)
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    char hex[2 * EVP_MAX_MD_SIZE + 1] = "";
    if (!HMAC(EVP_sha256(), out->secret.at, (int)out->secret.size,
                (const unsigned char *)out->body.at, out->body.size, sum, &size)) {
        return false;
    }
    for (unsigned i = 0; i < size; i++) {
        snprintf(hex + (size_t)2 * i, 3, "%02x", sum[i]);
    }
    snprintf(out->signature, sizeof out->signature, "Merlon-Signature: sha256=%s", hex);
    return true;
}

enum err outbound_finish(struct outbound *out, struct egress_load *load)
{
    *load = (struct egress_load){.number = out->first};
    if (outbound_kind(out->output) == EGRESS_HTTP) {
        size_t at = 0;
        buf_add(&out->body, SLICE("]}\n"));
        snprintf(out->key, sizeof out->key, "Merlon-Cursor: %" PRIu64 "-%" PRIu64, out->first,
                out->last);
        load->headers[at++] = "Content-Type: application/json";
        load->headers[at++] = "User-Agent: merlon/" MERLON_VERSION;
        load->headers[at++] = out->key;
        if (out->secret.size > 0 && !out->body.failed) {
            if (!sign(out)) {
                return ERR_MEMORY;
            }
            load->headers[at++] = out->signature;
        }
    }
    load->bytes = buf_slice(&out->body);
    return out->body.failed ? ERR_MEMORY : OK;
}

void outbound_fini(struct outbound *out)
{
    buf_fini(&out->body);
    buf_fini(&out->item);
    buf_fini(&out->text);
}
