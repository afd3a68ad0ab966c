/* ioc_text: indicators in a text, one a line.
 *
 *     # a comment; so are lines that begin with ; or //
 *     evil[.]example                        the kind is seen by its form
 *     198.51.100.7    # botnet of May       what stands behind # is its label
 *     sha256	9F86D0...                      its kind, blanks, itself
 *     0.0.0.0 evil.example                  a line of a hosts file is the name
 *
 * A line of more words is refused. */
#pragma once

#include "intel/ioc_load.h"

enum err ioc_text_read(struct ioc_load *load, struct slice bytes, struct diag *diag) MUST_CHECK;
