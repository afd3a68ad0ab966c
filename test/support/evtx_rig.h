/* evtx_rig: a reader of event logs with the fields of forged records, for tests.
 *
 *     static void sentence(void **state) { struct evtx_rig *rig = *state; ... }
 *     cmocka_unit_test_setup_teardown(sentence, evtx_rig_make, evtx_rig_drop)
 */
#pragma once

#include "base/buf.h"
#include "base/diag.h"
#include "decode/evtx.h"
#include "event/event.h"
#include "support/agree.h"
#include "support/forge.h"
#include "support/forge_records.h"

struct evtx_rig {
    struct forge forge;
    struct agree agree;
    struct reader *reader;
    struct event event;
    struct buf json;
    struct diag diag;
};

int evtx_rig_make(void **state);
int evtx_rig_drop(void **state);
/* A chunk of all forged records. */
void evtx_rig_forge_all(struct forge *forge, uint64_t first_id);
/* Reads the first of a chunk of `records` records with this body. */
enum err evtx_rig_read(struct evtx_rig *rig, forge_body *body);
/* How many of them are good; rig->diag has the last reason. */
size_t evtx_rig_read_many(struct evtx_rig *rig, forge_body *body, unsigned records);
/* The JSON of the record just read, NUL-terminated. */
const char *evtx_rig_json(struct evtx_rig *rig);
