/* correlation_read: the correlation section of a rule file, made into a struct correlation whose
 * references are still texts (sigma/correlation_link.h finds the rules).
 *
 *     struct correlation *correlation;
 *     TRY(correlation_read(m, document, &correlation));
 *
 * What is not known in the section is refused by name: a misspelt key must not change what a rule
 * means. */
#pragma once

#include "base/err.h"
#include "base/yaml.h"
#include "sigma/correlation.h"
#include "sigma/maker.h"

enum err correlation_read(
        struct maker *m, const struct yaml_node *root, struct correlation **out) MUST_CHECK;
