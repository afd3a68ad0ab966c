/* output_json: findings as JSON lines, after doc/finding.schema.json.
 *
 *     {"time":"2024-03-01T12:00:00Z","rule":{"id":...},"source":{"file":"a.evtx","record":7},
 *      "event":{...},"matched":{"Image":"C:\\x.exe"}} */
#pragma once

#include "cli/output.h"

extern const struct output_format output_json;
