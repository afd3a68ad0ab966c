/* evtx_text: what a typed BinXml value ([MS-EVEN6] 2.2.18) looks like as text.
 *
 *     char to[64];
 *     size_t n = evtx_text_write(EVTX_GUID, bytes, to);   // "54849625-5478-4994-A5BA-3E3B0328C30D"
 *
 * GUIDs in capitals without braces, times with six digits of the second, binary as hex digits in
 * capitals, arrays with commas: as JSON exports of event logs write them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "decode/evtx_bytes.h"
#include "event/value.h"

/* A value of `type` may have this size: 0 (unset) always may. */
bool evtx_text_fits(uint8_t type, struct slice bytes);
/* Bytes that evtx_text_write may write. */
size_t evtx_text_room(uint8_t type, size_t size);
/* Requires evtx_text_fits and a size over 0; strings may be empty. Returns bytes written, UTF-8. */
size_t evtx_text_write(uint8_t type, struct slice bytes, char *to);
/* Integers and booleans stand bare in JSON, everything else is a string. */
enum value_kind evtx_text_kind(uint8_t type, struct slice bytes);
/* Nothing is there: no bytes, an empty string. Such a value leaves nothing in the record. */
bool evtx_text_unset(uint8_t type, struct slice bytes);
/* The next element of an array value, false behind the last: *at is 0 at first. */
bool evtx_text_item(uint8_t type, struct slice bytes, uint32_t *at, struct slice *item);
