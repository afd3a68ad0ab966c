/* config_inputs: the configuration's `inputs`: each a kind, and the keys that this kind has.
 *
 *     TRY(config_inputs_read(config, list, tenant, diag));   // tenant: of those that name none
 *     config_inputs_where(input, &words);                    // "at 127.0.0.1:5514" */
#pragma once

#include "base/buf.h"
#include "base/yaml.h"
#include "cli/config.h"

enum { CONFIG_INPUTS_RECORD = 16 << 20, CONFIG_INPUTS_PATHS = 1000 };

enum err config_inputs_read(struct config *config, const struct yaml_node *list,
        struct slice tenant, struct diag *diag) MUST_CHECK;
void config_inputs_where(const struct intake_input *input, struct buf *out);
