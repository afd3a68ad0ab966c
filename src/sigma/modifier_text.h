/* modifier_text: modifiers that rewrite a text: windash, expand, base64, UTF-16.
 *
 *     {SLICE("windash"), TEXT, modifier_text_windash, 0}   // a row of the table in modifier.c */
#pragma once

#include "sigma/modifier_run.h"

modifier_step modifier_text_windash;
modifier_step modifier_text_expand;
modifier_step modifier_text_base64;
modifier_step modifier_text_base64offset;
modifier_step modifier_text_encode; /* argument: enum term_encoding */
/* Does what `encode` asked for and no base64 has done: ASCII becomes characters with NULs between
 * them; other text has no meaning as text and is refused. */
enum err modifier_text_settle(struct modifier_run *run, struct term *term) MUST_CHECK;
