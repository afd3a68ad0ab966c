/* api_findings: /api/v1/findings?after=N&last=N&limit=M&level=L&contains=X&tenant=T&wait=S
 *
 *     {"findings":[{...},{...}],"next":1234,"more":false}
 *
 * `next` is the cursor to go on from; `more`: there may be some behind it already. With `Accept:
 * text/event-stream` they come as server-sent events for as long as the client listens, each with
 * its cursor as id; Last-Event-ID goes before `after`. */
#pragma once

#include "net/http_request.h"

struct api;

void api_findings(struct http_request *r, void *context);
/* /api/v1/quarantine: the same of what was not judged, with reason=R and source=S in place of the
 * level: {"quarantine":[{"offset","received","tenant","source","reason"},...],...} */
void api_findings_quarantine(struct http_request *r, void *context);
/* /api/v1/records: the same of what was stored, with source=S in place of the level:
 * {"records":[...],...}, each as in api_record.h. */
void api_findings_records(struct http_request *r, void *context);
void api_findings_turn(struct api *api);
/* Streams look again at what there is. */
void api_findings_wake(struct api *api);
