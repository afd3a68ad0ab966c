/* http_bulk: the body of Elasticsearch's _bulk: a line that says what to do, a line with what.
 *
 *     {"create":{"_index":"logs","_id":"7"}}
 *     {"@timestamp":"...","message":"..."}
 *
 *     while (http_bulk_next(&bulk, &item)) use item
 *     bulk.wrong                            // the whole is none: why, and bulk.line
 *
 * An item that cannot be stored says why in item.wrong, and others go on. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum { HTTP_BULK_ID = 512 }; /* bytes of an _id, as Elasticsearch has it */

enum http_bulk_action {
    HTTP_BULK_INDEX,
    HTTP_BULK_CREATE,
    HTTP_BULK_UPDATE,
    HTTP_BULK_DELETE,
    HTTP_BULK_ACTIONS,
};

struct http_bulk {
    struct slice rest;
    size_t line;       /* of what was read last, from 1 */
    const char *wrong; /* it ended before its end */
};

struct http_bulk_item {
    enum http_bulk_action action;
    struct slice index, id; /* as written between the quotes; .at NULL: absent */
    struct slice line;      /* what is to be done */
    struct slice source;    /* the line of the document */
    const char *wrong;      /* NULL: it is to be stored */
    bool broken;            /* the document itself is what is wrong */
};

bool http_bulk_next(struct http_bulk *bulk, struct http_bulk_item *item);
const char *http_bulk_action_name(enum http_bulk_action action);
/* What is wrong with an id; NULL: nothing. */
const char *http_bulk_check_id(struct slice id);
