#include "support/forge.h"

#include <string.h>
#include <zlib.h>

void forge_u8(struct forge *f, uint8_t value)
{
    buf_byte(&f->out, (char)value);
}

void forge_u16(struct forge *f, uint16_t value)
{
    forge_u8(f, (uint8_t)value);
    forge_u8(f, (uint8_t)(value >> 8));
}

void forge_u32(struct forge *f, uint32_t value)
{
    forge_u16(f, (uint16_t)value);
    forge_u16(f, (uint16_t)(value >> 16));
}

void forge_u64(struct forge *f, uint64_t value)
{
    forge_u32(f, (uint32_t)value);
    forge_u32(f, (uint32_t)(value >> 32));
}

void forge_wide(struct forge *f, const char *text)
{
    for (; *text; text++) {
        forge_u16(f, (unsigned char)*text);
    }
}

struct slice forge_widen(const char *text, char *room, size_t size)
{
    size_t n = 0;
    for (; *text && n + 2 <= size; text++) {
        room[n++] = *text;
        room[n++] = 0;
    }
    return slice_of(room, n);
}

static void zeros(struct forge *f, size_t count)
{
    char *to = buf_reserve(&f->out, count);
    if (to) {
        memset(to, 0, count);
        f->out.size += count;
    }
}

uint32_t forge_at(const struct forge *f)
{
    return (uint32_t)(f->out.size - f->chunk_at);
}

void forge_patch(struct forge *f, size_t at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++) {
        f->out.at[at + i] = (char)(value >> 8 * i);
    }
}

static void patch64(struct forge *f, size_t at, uint64_t value)
{
    forge_patch(f, at, (uint32_t)value);
    forge_patch(f, at + 4, (uint32_t)(value >> 32));
}

void forge_file(struct forge *f)
{
    zeros(f, EVTX_FILE_HEADER);
    memcpy(f->out.at, "ElfFile", 8);
}

void forge_begin(struct forge *f, uint64_t first_id)
{
    f->chunk_at = f->out.size;
    f->first_id = first_id;
    f->next_id = first_id;
    f->name_count = 0;
    f->template_count = 0;
    f->last_record_at = 0;
    zeros(f, EVTX_CHUNK_HEADER);
}

void forge_end(struct forge *f, bool whole)
{
    size_t at = f->chunk_at;
    uint32_t free_at = forge_at(f);
    if (whole && free_at < EVTX_CHUNK) {
        zeros(f, EVTX_CHUNK - free_at);
    }
    if (f->out.failed) {
        return;
    }
    const unsigned char *chunk = (const unsigned char *)f->out.at + at;
    memcpy(f->out.at + at, "ElfChnk", 8);
    patch64(f, at + 8, f->first_id);
    patch64(f, at + 16, f->next_id - 1);
    patch64(f, at + 24, f->first_id);
    patch64(f, at + 32, f->next_id - 1);
    forge_patch(f, at + 40, 128);
    forge_patch(f, at + 44, (uint32_t)f->last_record_at);
    forge_patch(f, at + 48, free_at);
    forge_patch(
            f, at + 52, (uint32_t)crc32(0, chunk + EVTX_CHUNK_HEADER, free_at - EVTX_CHUNK_HEADER));
    forge_patch(f, at + 124, (uint32_t)crc32(crc32(0, chunk, 120), chunk + 128, 384));
}

void forge_fini(struct forge *f)
{
    buf_fini(&f->out);
}

void forge_record(struct forge *f)
{
    f->record_at = f->out.size;
    f->last_record_at = forge_at(f);
    forge_u32(f, 0x2a2a);
    forge_u32(f, 0);
    forge_u64(f, f->next_id++);
    forge_u64(f, 132000000000000000u);
    forge_fragment(f);
}

void forge_end_record(struct forge *f)
{
    forge_u8(f, 0);
    uint32_t size = (uint32_t)(f->out.size - f->record_at) + 4;
    forge_u32(f, size);
    if (!f->out.failed) {
        forge_patch(f, f->record_at + 4, size);
    }
}

void forge_name(struct forge *f, const char *name)
{
    for (uint32_t i = 0; i < f->name_count; i++) {
        if (strcmp(f->names[i].name, name) == 0) {
            forge_u32(f, f->names[i].at);
            return;
        }
    }
    uint32_t at = forge_at(f) + 4;
    if (f->name_count < FORGE_NAMES) {
        f->names[f->name_count].name = name;
        f->names[f->name_count++].at = at;
    }
    forge_u32(f, at);
    forge_u32(f, 0);
    forge_u16(f, 0x1234);
    forge_u16(f, (uint16_t)strlen(name));
    forge_wide(f, name);
    forge_u16(f, 0);
}

void forge_fragment(struct forge *f)
{
    forge_u32(f, 0x0001010f);
}

void forge_open(struct forge *f, const char *name, bool attributes)
{
    forge_u8(f, attributes ? 0x41 : 0x01);
    if (f->in_template) {
        forge_u16(f, 0xFFFF);
    }
    forge_u32(f, 0);
    forge_name(f, name);
    if (attributes) {
        forge_u32(f, 0);
    }
}

void forge_attribute(struct forge *f, const char *name)
{
    forge_u8(f, 0x06);
    forge_name(f, name);
}

void forge_text(struct forge *f, const char *text)
{
    forge_u8(f, 0x05);
    forge_u8(f, EVTX_STRING);
    forge_u16(f, (uint16_t)strlen(text));
    forge_wide(f, text);
}

void forge_start(struct forge *f)
{
    forge_u8(f, 0x02);
}

void forge_empty(struct forge *f)
{
    forge_u8(f, 0x03);
}

void forge_close(struct forge *f)
{
    forge_u8(f, 0x04);
}

void forge_slot(struct forge *f, uint16_t slot, uint8_t type)
{
    forge_u8(f, 0x0e);
    forge_u16(f, slot);
    forge_u8(f, type);
}

void forge_entity(struct forge *f, const char *name)
{
    forge_u8(f, 0x09);
    forge_name(f, name);
}

void forge_leaf(struct forge *f, const char *name, const char *text)
{
    forge_open(f, name, false);
    forge_start(f);
    forge_text(f, text);
    forge_close(f);
}

void forge_data(struct forge *f, const char *name, uint16_t slot, uint8_t type)
{
    forge_open(f, "Data", name != NULL);
    if (name) {
        forge_attribute(f, "Name");
        forge_text(f, name);
    }
    forge_start(f);
    forge_slot(f, slot, type);
    forge_close(f);
}

void forge_instance(struct forge *f, uint32_t number, forge_body *body)
{
    forge_u8(f, 0x0c);
    forge_u8(f, 1);
    forge_u32(f, number);
    for (uint32_t i = 0; i < f->template_count; i++) {
        if (f->templates[i].number == number) {
            forge_u32(f, f->templates[i].at);
            return;
        }
    }
    uint32_t at = forge_at(f) + 4;
    if (f->template_count < FORGE_TEMPLATES) {
        f->templates[f->template_count].number = number;
        f->templates[f->template_count++].at = at;
    }
    forge_u32(f, at);
    forge_u32(f, 0);
    for (unsigned i = 0; i < 4; i++) {
        forge_u32(f, number * 2654435761u + i); /* the GUID */
    }
    size_t size_at = f->out.size;
    forge_u32(f, 0);
    bool outer = f->in_template;
    f->in_template = true;
    forge_fragment(f);
    body(f);
    forge_u8(f, 0);
    f->in_template = outer;
    if (!f->out.failed) {
        forge_patch(f, size_at, (uint32_t)(f->out.size - size_at - 4));
    }
}

void forge_values(struct forge *f, uint32_t count, const struct forge_value *values)
{
    forge_u32(f, count);
    for (uint32_t i = 0; i < count; i++) {
        forge_u16(f, (uint16_t)values[i].bytes.size);
        forge_u8(f, values[i].type);
        forge_u8(f, 0);
    }
    for (uint32_t i = 0; i < count; i++) {
        buf_add(&f->out, values[i].bytes);
    }
}
