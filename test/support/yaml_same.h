/* yaml_same: are two YAML documents the same tree, to the last place?
 *
 *     assert(yaml_same(plain, by_libyaml)); */
#pragma once

#include <stdbool.h>

#include "base/yaml.h"

/* Lists of documents; trees of a depth up to 64. */
bool yaml_same(const struct yaml_document *a, const struct yaml_document *b);
