/* serve_hold: what a centre that starts makes its own, before it makes or changes anything: its
 * directory, its ports, the first token.
 *
 *     TRY(serve_hold_take(&hold, data, diag));
 *     TRY(serve_hold_bind(&hold, SLICE("127.0.0.1:514"), SOCK_STREAM, &socket, diag));
 *     TRY(serve_hold_first_token(data, text, diag));     // "": there are some
 *
 * DATA/lock has two locks. One (flock) is shared by the processes to come: it is free when the last
 * of them is gone. Those of a parent that was killed die a moment after it, or when the disk lets
 * go of them; so long a start waits, for the directory and then for the ports. The other (fcntl) is
 * the parent's alone: where somebody has it a centre lives, and who starts is refused at once. */
#pragma once

#include <stdint.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/slice.h"
#include "net/tokens.h"

enum {
    SERVE_HOLD_DIRECTORY_S = 10,
    SERVE_HOLD_PORTS_S = 2, /* for all of them */
};

struct serve_hold {
    int fd;
    int64_t until_ns; /* ports are waited for; steady clock */
};

/* ERR_LIMIT: another centre has it. Given back when the process and its children end. Once a
 * process: a second open of DATA/lock would give it back when it is closed. */
enum err serve_hold_take(struct serve_hold *hold, const char *data, struct diag *diag) MUST_CHECK;
/* From now on who starts waits for our end. */
void serve_hold_ending(const struct serve_hold *hold);
enum err serve_hold_bind(const struct serve_hold *hold, struct slice address, int type, int *socket,
        struct diag *diag) MUST_CHECK;
/* Where nobody has a token yet: the administrator's. Whoever adds one meanwhile waits. */
enum err serve_hold_first_token(
        const char *data, char text[TOKENS_TEXT], struct diag *diag) MUST_CHECK;
