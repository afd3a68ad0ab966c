/* look_run: reads inputs one after another into a survey (cli/look.h).
 *
 *     TRY(look_run(&look, diag)); */
#pragma once

#include "cli/look.h"

/* Fails for want of memory, and as look->file_done does. */
enum err look_run(struct look *look, struct diag *diag) MUST_CHECK;
