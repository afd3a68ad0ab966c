/* json_pairs: lists of named values, read as what they mean.
 *
 *     {"Parameters":[{"Name":"Identity","Value":"x"},{"Name":"Force","Value":"True"}]}
 *
 * has Parameters.Name and Parameters.Value; here, Parameters.Identity and Parameters.Force too.
 * Microsoft 365, Entra and Google Workspace write so. A name is a text under name, Name, key, Key
 * or displayName; its values stand under value, Value, newValue, multiValue, boolValue or intValue,
 * or as OpenTelemetry has them: {"key":"a","value":{"stringValue":"x"}}. All elements of one list
 * must have both in the same order. */
#pragma once

#include "event/event.h"
#include "event/paths.h"

/* The route's field; FIELD_NONE: the taxonomy has none. */
uint32_t json_pairs_field(const struct paths *paths);
/* Gives the fields that rules name what such lists say. */
enum err json_pairs_put(struct event *event, const struct paths *paths) MUST_CHECK;
