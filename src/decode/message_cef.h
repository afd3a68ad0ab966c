/* message_cef: the Common Event Format (ArcSight, "Implementing CEF", revision 26).
 *
 *     CEF:0|Vendor|Product|1.0|100|Name|7|src=192.0.2.1 msg=many words cs1Label=Rule cs1=a\=b
 *         cefVersion 0, deviceVendor, deviceProduct, deviceVersion, deviceEventClassId 100,
 *         name, deviceSeverity 7; src, msg, cs1Label, cs1 as they stand; Rule a=b
 *
 * In the header `\|` and `\\` are escapes, in values `\=`, `\\`, `\n`, `\r` (and `\|`, which many
 * write). A value runs to the last blank before the next `name=`. Labels name values: cs1 by
 * cs1Label, and so on for each pair of NAME and NAMELabel. */
#pragma once

#include "decode/message.h"

/* "CEF:" at the front, also with a blank behind it. */
bool message_cef(struct fields_sink *sink, struct slice text);
/* Pairs of an extension. */
void message_cef_extension(struct fields_sink *sink, struct slice text);
/* The part up to an unescaped bar, without its escapes; *text is then behind the bar. false: there
 * is no bar. */
bool message_cef_header(struct fields_sink *sink, struct slice *text, int name);
