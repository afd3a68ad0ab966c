/* api: what a centre tells by HTTP: findings, records, figures, whether it is well. A route is a
 * row of the table in api.c with the permission that it needs; each resource is a file.
 *
 *     struct api_options options = {.counts = counts, .figures = read_figures, ...};
 *     TRY(api_new(&options, &api, diag));
 *     struct http_table table = api_table(api);        // for http_start
 *     for (;;) { ...; api_turn(api); }                 // when something was found, each second
 *     http_stop(http);
 *     api_free(api);
 *
 * Nobody hears of a tenant that the token does not cover; what is of no tenant is told to tokens of
 * the whole tree. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/disk.h"
#include "event/counts.h"
#include "event/held.h"
#include "event/kept.h"
#include "event/sent.h"
#include "event/standing.h"
#include "net/http.h"

enum {
    API_PAGE = 10000,         /* findings of an answer, at most; 1,000 where nothing is said */
    API_PAGE_BYTES = 8 << 20, /* after which an answer ends; one finding may be larger */
    API_LOOK = 200000,        /* findings looked at for one answer, whosever they are */
    API_WAIT_S = 60,          /* that a request may wait */
    API_WAITING = 500,        /* requests that wait, and streams, at a time */
    API_BEAT_S = 15,          /* after which a stream says that it is there */
};

/* What is the same for all tenants; from whoever owns the figures. */
struct api_figures {
    uint64_t start;     /* offset of the log when the centre started */
    uint64_t committed; /* offsets below it are on disk */
    uint64_t findings;  /* the same of the log of findings */
    uint64_t through;   /* results are on disk of all offsets below it */
    uint64_t damaged, failures;
    uint64_t judged, found, undecodable, undetermined, passed_over;
    uint64_t matches, late, moved, left_out; /* of correlations */
    bool ready;                              /* the logs are open */
    bool watching;                           /* the rules are loaded */
    bool writable;                           /* the disk takes what comes */
    int64_t started_ns;
    char ruleset[65];
};

/* What became of the last reload of the rules. */
struct api_reload {
    uint64_t answered; /* asks up to this one */
    bool good;         /* the set is taken */
    bool told;         /* and stands in the log on disk, from where on it holds */
    uint32_t problems; /* rules that are refused */
    char hash[65];
    char words[8192]; /* a line each: LINE tab COLUMN tab FILE tab REASON; not all may be there */
    size_t size;
};

/* Sources of an input: INPUT/... */
struct api_silence {
    struct slice input;
    int64_t ns;
};

struct api_options {
    const struct counts *counts;
    int64_t silent_ns;                  /* a source is silent when nothing came for longer */
    const struct api_silence *silences; /* of some inputs it is another */
    size_t silence_count;
    const struct kept *kept;
    const struct sent *sent;
    const struct standing *standing;
    const struct held *held; /* what exceptions held back */
    const struct held *late; /* what came too late for correlations */
    void (*figures)(void *context, struct api_figures *out);
    /* Asks for a reload: the ask's number. */
    uint64_t (*reload)(void *context);
    void (*reloaded)(void *context, struct api_reload *out);
    void *context;
    const char *findings; /* the log's directory */
    const char *records;  /* that of the log of what came in */
    const struct disk *disk;
    int64_t (*wall_ns)(void);
};

struct api;

/* *options is copied, what it points to is borrowed. */
enum err api_new(const struct api_options *options, struct api **out, struct diag *diag) MUST_CHECK;
/* After http_stop. */
void api_free(struct api *api);
struct http_table api_table(struct api *api);
/* Answers those who wait for what is there now, wakes streams. */
void api_turn(struct api *api);
/* Tokens have changed: streams end, so that whoever may still read asks anew. */
void api_end_streams(struct api *api);
