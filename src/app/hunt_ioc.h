/* hunt_ioc: which indicators (intel/indicators.h) occur in which events.
 *
 *     return hunt_ioc_run(&request);     // request->iocs; a table on stdout; the exit code
 *
 * A row for each indicator, event and value that holds it. Records whose bytes hold their texts as
 * they are (event->plain_text) are scanned whole first, and taken apart only where an indicator may
 * stand in them. */
#pragma once

#include "cli/hunt.h"

int hunt_ioc_run(const struct hunt_request *request);
