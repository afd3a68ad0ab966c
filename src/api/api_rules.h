/* api_rules: POST /api/v1/rules/reload: the configured rules are loaded anew; the answer comes when
 * they are in force, or with the rules that are refused. For tokens of the whole tree: rules are
 * everybody's. */
#pragma once

#include "api/api.h"
#include "base/buf.h"
#include "net/http_request.h"

enum { API_RULES_WAITING = 50, API_RULES_WAIT_S = 60 };

void api_rules_reload(struct http_request *r, void *context);
/* Answers those whose reload has come to its end. */
void api_rules_turn(struct api *api);
/* [{"file","line","column","reason"},...] of the words of a reload. */
void api_rules_problems(const struct api_reload *reload, struct buf *out);
