/* outbound: findings as receivers want them: a webhook's request with its signature, syslog
 * messages (RFC 5424, framed as RFC 6587 counts octets) with JSON or CEF, lines of a file. Each
 * carries its cursor, by which a receiver knows one that comes twice.
 *
 *     struct outbound out = {.output = output, .secret = secret, .host = "centre1"};
 *     const struct outbound_item item = {.cursor = 137, .tenant = tenant, .finding = json};
 *     outbound_add(&out, &item);
 *     outbound_finish(&out, &load);       // borrowed until the next begin
 *     outbound_begin(&out);
 *     outbound_fini(&out); */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "cli/config_outputs.h"
#include "net/egress.h"

enum { OUTBOUND_ITEMS = 100, OUTBOUND_BYTES = 1 << 20, OUTBOUND_HEADER = 160 };

struct outbound {
    const struct config_output *output;
    struct slice secret; /* empty: no signature */
    const char *host;
    struct buf body, item, text;
    size_t count;
    uint64_t first, last; /* cursors */
    char signature[OUTBOUND_HEADER], key[OUTBOUND_HEADER];
};

struct outbound_item {
    uint64_t cursor; /* its offset in the log of findings */
    struct slice tenant;
    struct slice finding;
};

void outbound_begin(struct outbound *out);
void outbound_add(struct outbound *out, const struct outbound_item *item);
/* No more should be added: it is full, or takes one alone. */
bool outbound_full(const struct outbound *out);
enum err outbound_finish(struct outbound *out, struct egress_load *load) MUST_CHECK;
void outbound_fini(struct outbound *out);
/* What kind of receiver the URL names. */
enum egress_kind outbound_kind(const struct config_output *output);
