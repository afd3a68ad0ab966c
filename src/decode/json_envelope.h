/* json_envelope: the object that some sources put around an array of records.
 *
 *     {"Records":[{...},{...}]}                      AWS CloudTrail
 *     {"@odata.context":"...","value":[{...}]}       Microsoft Graph
 *
 * The keys under which records stand: JSON_ENVELOPE_KEYS. An object is an envelope when the array
 * under such a key begins with an object, and before it stand only scalars (and `metadata`, of
 * lists of Kubernetes, and `subscriptionFilters`, of CloudWatch), none of which is a time: what
 * has a time is a record itself. What stands in an envelope beside the array belongs to no record.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

/* CloudTrail; Azure's diagnostic settings; Graph and the Management API; Google Workspace, lists of
 * Kubernetes; others; the AWS CLI's lookup-events; Cloud Logging's entries.list; CloudWatch Logs.
 */
#define JSON_ENVELOPE_KEYS                                                                         \
    "Records", "records", "value", "items", "events", "Events", "entries", "logEvents"

enum {
    /* The array must begin within so many bytes of the object. */
    JSON_ENVELOPE_HEAD = 8192,
};

enum json_envelope { JSON_ENVELOPE_NONE, JSON_ENVELOPE_MORE, JSON_ENVELOPE_FOUND };

/* What an envelope has before its array. */
struct json_envelope_head {
    size_t inside;       /* bytes up to the array's inside */
    struct slice key;    /* of the array */
    struct slice beside; /* the first key that is more than a page's furniture, or empty */
};

/* Whether bytes, that begin with '{', are an envelope. JSON_ENVELOPE_MORE: more bytes are needed
 * to know. */
enum json_envelope json_envelope_open(struct slice bytes, struct json_envelope_head *out);
/* The first such key of what stands between the array and the envelope's end. */
struct slice json_envelope_beside(struct slice tail);
