/* yaml_json: a node of YAML as JSON: how events are written in tests of rules.
 *
 *     TRY(yaml_json_write(node, &out, diag));     // {EventID: 1, Image: 'a'} -> {"EventID":1,...}
 *
 * null, booleans and numbers of YAML's core schema become JSON's; a number that JSON cannot write
 * (hexadecimal, .inf) becomes a string, as written. No recursion: at most YAML_JSON_DEPTH levels.
 */
#pragma once

#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/yaml.h"

enum { YAML_JSON_DEPTH = 64 };

enum err yaml_json_write(
        const struct yaml_node *node, struct buf *out, struct diag *diag) MUST_CHECK;
