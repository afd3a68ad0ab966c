/* ioc_load: indicators as files give them, on their way into a set: kinds by the names that feeds
 * use, defanged texts made whole again, and those that cannot be used told of by name.
 *
 *     struct ioc_load load = {.set = set, .say = say, .context = it};
 *     TRY(ioc_file_read(&load, "feed.csv", diag));     // intel/ioc_file.h
 *     load.refused, load.added, load.read
 *
 *     ioc_load_add(&load, &(struct ioc){.kind = IOC_GUESS, .text = SLICE("evil[.]example")}, diag);
 *
 * Defanged are hxxp:// (and hxxps, fxp), dots as [.] (.) {.} [dot] (dot) {dot} or behind a
 * backslash, [:] and [://], [at] (at) {at} and [@] (@). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "intel/indicators.h"

enum { IOC_GUESS = OBSERVABLE_KINDS, IOC_OTHER }; /* beside enum observable_kind */
enum { IOC_TEXT_BYTES = 2 * OBSERVABLE_URL_BYTES, IOC_WORDS = 512 };

struct ioc {
    uint8_t kind;
    struct slice text, label;
    uint32_t line;
    int64_t valid_until; /* INT64_MAX: it says nothing */
};

struct ioc_load {
    /* Set before. */
    struct indicators *set;
    /* An indicator that is not used, and why. */
    void (*say)(void *context, struct slice file, uint32_t line, const char *words);
    void *context;
    /* Counts. */
    uint64_t added, refused;
    uint64_t passed; /* their file says that they are none to look for */
    /* Private. */
    struct slice file;
    struct buf text, other;
};

/* OK: it was added, or refused and told. Anything else ends the load. */
enum err ioc_load_add(struct ioc_load *load, const struct ioc *ioc, struct diag *diag) MUST_CHECK;
/* The same of the type that the feed calls it: "filename|sha256" is each part that is looked for.
 */
enum err ioc_load_add_typed(struct ioc_load *load, struct slice type, const struct ioc *ioc,
        struct diag *diag) MUST_CHECK;
void ioc_load_refuse(struct ioc_load *load, uint32_t line, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
/* What feeds call a kind ("ipv4", "FileHash-SHA256", "ip-dst", "hostname"); IOC_OTHER: it is none
 * that is looked for. */
uint8_t ioc_load_kind(struct slice name);
void ioc_load_fini(struct ioc_load *load);
