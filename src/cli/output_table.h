/* output_table: findings as lines for a person, cut to the terminal's width.
 *
 *     TIME                 LEVEL     RULE              HOST   SOURCE        FIELDS
 *     2024-03-01 12:00:00  high      Encoded PowerSh…  WS-7   a.evtx:12     Image=C:\…
 *
 * Text of events and rules is made visible (cli/visible.h). */
#pragma once

#include "cli/output.h"

extern const struct output_format output_table;
