/* random: bytes that nobody can guess, from the system (getrandom).
 *
 *     char id[16];
 *     TRY(random_fill(id, sizeof id, diag));
 *
 * What uses them takes this function as a parameter, so that tests can give bytes of their own. */
#pragma once

#include <stddef.h>

#include "base/diag.h"
#include "base/err.h"

enum err random_fill(char *to, size_t size, struct diag *diag) MUST_CHECK;
