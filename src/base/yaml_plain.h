/* yaml_plain: the YAML that nearly all rule files are written in, read several times as fast as
 * libyaml does.
 *
 *     if (yaml_plain_read(arena, text, limits, &documents)) ...      // else ask libyaml
 *
 * Block maps and lists of ASCII; scalars in one line, plain or in quotes without backslashes;
 * literal blocks. Whatever is not surely that (or is wrong, or over a limit) is left to
 * libyaml, whose tree this one equals to the last place. */
#pragma once

#include "base/yaml.h"

enum {
    YAML_PLAIN_BYTES = 1 << 20, /* longer texts are left alone */
    YAML_PLAIN_DEPTH = 32,
};

/* false: *out is untouched. */
bool yaml_plain_read(struct arena *arena, struct slice text, const struct yaml_limits *limits,
        struct yaml_document **out) MUST_CHECK;
