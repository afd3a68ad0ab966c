/* json_form: the whole of a JSON record, beyond the fields that rules name.
 *
 *     TRY(event->form->walk(event, visit, context));   // {"a":{"b":[1,2]}}: a.b 1, a.b 2
 *     event->form->write_json(event, &out);            // the same bytes without blanks
 *
 * Works on event->raw, which the reader has checked. */
#pragma once

#include <stdbool.h>

#include "base/slice.h"
#include "event/event.h"

extern const struct event_form json_form;

/* An object or empty array at a field's place: present without text, giving way to any text. */
void json_form_put_object(struct event *event, const struct path_edge *edge);
/* Whether a valid record has no \u and no \/. */
bool json_form_is_plain(struct slice raw);
