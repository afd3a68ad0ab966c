/* message_json: a JSON object as a message, as many programs send it by syslog.
 *
 *     {"a":{"b":[1,2]},"c":"x"}     a.b 1, a.b 2, c x
 *     @cee: {"a":1}                 the same (CEE's cookie)
 *
 * The names are those that a JSON record's values have: keys joined by dots, an array's elements at
 * the array's own name. An object that is not valid after RFC 8259, is nested deeper than
 * MESSAGE_JSON_DEPTH or has longer names than MESSAGE_JSON_NAME is text like any other. */
#pragma once

#include "decode/message.h"

enum { MESSAGE_JSON_DEPTH = 32, MESSAGE_JSON_NAME = 1024 };

bool message_json(struct fields_sink *sink, struct slice text);
