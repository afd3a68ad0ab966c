/* selection: one search identifier of a detection made into a tree.
 *
 *     selection:                            AND( OR(a.exe, b.exe), CommandLine contains -x )
 *         Image|endswith: [a.exe, b.exe]
 *         CommandLine|contains: -x
 *
 * Sigma Rules Specification 2.1, "Search-Identifier", "Lists", "Maps", "Keywords search": the items
 * of a map are linked by AND, those of a list by OR; texts of a list and items without a field are
 * keywords. */
#pragma once

#include "base/err.h"
#include "base/yaml.h"
#include "sigma/maker.h"

enum err selection_make(
        struct maker *m, const struct yaml_node *definition, struct node **out) MUST_CHECK;
