/* ioc_json: indicators in JSON: STIX 2.x and MISP.
 *
 *     {"type": "bundle", "objects": [{"type": "indicator", "pattern": "[url:value = '...']"}]}
 *     {"response": [{"Event": {"Attribute": [{"type": "ip-dst", "to_ids": true, ...}]}}]}
 *
 * STIX: a bundle, an envelope of TAXII ({"objects": [...]}), one object, or a list of them. Objects
 * that are no indicators are passed over, and revoked ones refused (intel/ioc_pattern.h).
 * MISP: events and lists of attributes, with the attributes of their objects. Those without to_ids
 * and deleted ones are passed over. */
#pragma once

#include "intel/ioc_load.h"

enum { IOC_JSON_DEPTH = 64 };

/* ERR_SYNTAX: diag has the place. ERR_UNSUPPORTED: it is neither. */
enum err ioc_json_read(struct ioc_load *load, struct slice bytes, struct diag *diag) MUST_CHECK;
