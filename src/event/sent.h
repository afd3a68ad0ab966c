/* sent: how far each output has sent the findings, in memory that all processes share; the output's
 * own thread writes, whoever wants reads.
 *
 *     TRY(sent_new(&sent, diag));                              // before fork
 *     atomic_store(&sent->at[i].cursor, 137);                  // the receiver has all below
 *     sent_least(sent)                                         // what retention may go by */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/err.h"

enum { SENT_OUTPUTS = 64, SENT_NAME = 64 };

struct sent_output {
    char name[SENT_NAME], kind[16]; /* set before the fork */
    _Atomic uint64_t cursor;        /* all findings below it are sent, or not for this one */
    _Atomic uint64_t findings;      /* sent since the start; some twice, after a failure */
    _Atomic uint64_t failures;      /* attempts that did not reach it */
    _Atomic uint64_t refused;       /* too large for a datagram: never sent */
    _Atomic bool failing;           /* the last attempt */
};

struct sent {
    size_t count; /* set before the fork */
    struct sent_output at[SENT_OUTPUTS];
};

enum err sent_new(struct sent **out, struct diag *diag) MUST_CHECK;
void sent_free(struct sent *sent);
/* UINT64_MAX: there is no output. */
uint64_t sent_least(const struct sent *sent);
