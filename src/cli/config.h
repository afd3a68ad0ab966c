/* config: what `merlon serve` is told: one YAML file, every key of which doc/serve.md has.
 *
 *     data: /var/lib/merlon
 *     rules: [/etc/merlon/rules]
 *     tenant: sg/health
 *     inputs:
 *       - {name: syslog, kind: syslog-tcp, listen: "127.0.0.1:5514", tenant: sg/health/moh}
 *
 *     struct config config;
 *     TRY(config_read(&config, path, diag));     // path NULL: what holds without a file
 *     config_fini(&config);
 *
 * A key that is not known is an error with its line, and with the nearest one that is. */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/err.h"
#include "cli/config_outputs.h"
#include "cli/config_retention.h"
#include "cli/config_tenants.h"
#include "cli/words.h"
#include "source/intake.h"

enum { CONFIG_INPUTS = 1000 };

/* Where the centre answers questions (src/api). */
struct config_api {
    struct slice address;          /* empty: nowhere */
    struct slice certificate, key; /* PEM files; empty: no TLS */
    int listener;
};

struct config {
    struct arena arena; /* all texts */
    const char *data;
    struct words rules;
    struct words taxonomies;
    struct intake_input *inputs;
    size_t input_count;
    struct config_api api;
    struct config_retention retention;
    struct config_outputs outputs;
    struct config_tenants tenants; /* which rules are whose */
    uint64_t segment_bytes;
    uint64_t reserve_bytes;
    int64_t lateness_ns, wait_ns; /* of correlations: app/live.h */
    int64_t silent_ns, forget_ns; /* of sources: after which they are said, and forgotten */
};

/* The defaults: data from MERLON_DATA or ./merlon-data, the installed packs' rules, and inputs of
 * each kind on loopback. */
enum err config_read(struct config *config, const char *path, struct diag *diag) MUST_CHECK;
void config_fini(struct config *config);
