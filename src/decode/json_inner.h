/* json_inner: a record that stands as text within another one.
 *
 *     {"CreationDate":"...","Operations":"New-InboxRule","AuditData":"{\"Operation\":...}"}
 *
 * Exports and collectors wrap records so: Microsoft 365's export, the AWS CLI's lookup-events,
 * CloudWatch, Filebeat, Docker. Where the text at a field of the taxonomy's route `json` is one
 * valid object, its values are the event's too, as if they stood at the top; what the record says
 * itself goes first, so a text from outside cannot replace it. One level deep. */
#pragma once

#include "decode/json_scan.h"
#include "decode/json_walk.h"
#include "event/event.h"
#include "event/paths.h"

/* Part of a reader. */
struct json_inner {
    uint32_t field; /* of the texts; FIELD_NONE: the taxonomy asks for none */
    struct json_scan scan;
    struct json_walk walk;
};

enum err json_inner_init(struct json_inner *inner, const struct paths *paths,
        const struct decode_limits *limits) MUST_CHECK;
void json_inner_fini(struct json_inner *inner);
/* Puts what the texts of a record say. A text that is no object is left alone. ERR_MEMORY: scratch
 * for them is refused. */
enum err json_inner_put(struct json_inner *inner, struct event *event) MUST_CHECK;
/* The field of a route, by the path "\x01" and its name; FIELD_NONE: there is none. */
uint32_t json_inner_route(const struct paths *paths, struct slice path);
