/* forge: makes event logs for tests: chunks, records, BinXml.
 *
 *     struct forge forge;
 *     forge_begin(&forge, 1);                             // the first record's id
 *     forge_record(&forge);
 *     forge_instance(&forge, 7, body);                    // template 7, stored on first use
 *     forge_values(&forge, 2, values);
 *     forge_end_record(&forge);
 *     forge_end(&forge);                                  // header and checksums
 *     ... buf_slice(&forge.out)
 *     forge_fini(&forge);
 *
 * A body writes tokens: forge_open(f, "Data", true); forge_attribute(f, "Name"); forge_text(f,
 * "A"); forge_start(f); forge_slot(f, 0, EVTX_STRING); forge_close(f). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"
#include "decode/evtx_bytes.h"

enum { FORGE_NAMES = 64, FORGE_TEMPLATES = 32 };

struct forge {
    struct buf out;
    size_t chunk_at; /* in `out` */
    size_t record_at;
    size_t last_record_at;
    uint64_t first_id;
    uint64_t next_id;
    bool in_template;
    uint32_t name_count;
    struct {
        const char *name;
        uint32_t at; /* in the chunk */
    } names[FORGE_NAMES];
    uint32_t template_count;
    struct {
        uint32_t number;
        uint32_t at;
    } templates[FORGE_TEMPLATES];
};

struct forge_value {
    uint8_t type;
    struct slice bytes;
};

typedef void forge_body(struct forge *forge);

/* A file's header; chunks follow. */
void forge_file(struct forge *forge);
/* A chunk whose first record will have this id. */
void forge_begin(struct forge *forge, uint64_t first_id);
/* Header and checksums; `whole`: filled up to 64 KiB. */
void forge_end(struct forge *forge, bool whole);
void forge_fini(struct forge *forge);

void forge_record(struct forge *forge);
void forge_end_record(struct forge *forge);

void forge_u8(struct forge *forge, uint8_t value);
void forge_u16(struct forge *forge, uint16_t value);
void forge_u32(struct forge *forge, uint32_t value);
void forge_u64(struct forge *forge, uint64_t value);
/* ASCII as UTF-16LE. */
void forge_wide(struct forge *forge, const char *text);

void forge_name(struct forge *forge, const char *name);
void forge_fragment(struct forge *forge); /* the four bytes in front of a fragment */
void forge_open(struct forge *forge, const char *name, bool attributes);
void forge_attribute(struct forge *forge, const char *name);
void forge_text(struct forge *forge, const char *text);
void forge_start(struct forge *forge); /* ends the start of an element */
void forge_empty(struct forge *forge); /* ends an element without content */
void forge_close(struct forge *forge);
void forge_slot(struct forge *forge, uint16_t slot, uint8_t type);
void forge_entity(struct forge *forge, const char *name);
/* <name>text</name> */
void forge_leaf(struct forge *forge, const char *name, const char *text);
/* <Data Name="name">slot</Data>; NULL: without a name. */
void forge_data(struct forge *forge, const char *name, uint16_t slot, uint8_t type);
/* An instance of a template; the body is written where the chunk meets the number first. */
void forge_instance(struct forge *forge, uint32_t number, forge_body *body);
void forge_values(struct forge *forge, uint32_t count, const struct forge_value *values);

/* Offset in the current chunk. */
uint32_t forge_at(const struct forge *forge);
/* Sets bytes written before. */
void forge_patch(struct forge *forge, size_t at, uint32_t value);
/* UTF-16LE of ASCII in a buffer of the test's. */
struct slice forge_widen(const char *text, char *room, size_t size);
