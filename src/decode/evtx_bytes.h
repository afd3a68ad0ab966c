/* evtx_bytes: little-endian numbers out of a chunk, and the numbers of the format.
 *
 *     if (chunk.size - at < EVTX_RECORD_LEAST) ...
 *     uint32_t size = evtx_u32(chunk.at + at + 4);
 *
 * The layout of files, chunks and records is not published by Microsoft; the names of the BinXml
 * tokens and types are those of [MS-EVEN6] 2.2.12 to 2.2.18. Callers check bounds first. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum {
    EVTX_FILE_HEADER = 4096,
    EVTX_CHUNK = 65536,
    EVTX_CHUNK_HEADER = 512,
    EVTX_RECORD_HEADER = 24,   /* signature, size, record id, FILETIME */
    EVTX_RECORD_LEAST = 28,    /* header, and the copy of the size at the end */
    EVTX_TEMPLATE_HEADER = 24, /* next template, GUID, size of the body */
};

enum evtx_type {
    EVTX_NULL = 0x00,
    EVTX_STRING = 0x01,
    EVTX_ANSI = 0x02,
    EVTX_INT8 = 0x03,
    EVTX_UINT8 = 0x04,
    EVTX_INT16 = 0x05,
    EVTX_UINT16 = 0x06,
    EVTX_INT32 = 0x07,
    EVTX_UINT32 = 0x08,
    EVTX_INT64 = 0x09,
    EVTX_UINT64 = 0x0a,
    EVTX_REAL32 = 0x0b,
    EVTX_REAL64 = 0x0c,
    EVTX_BOOL = 0x0d,
    EVTX_BINARY = 0x0e,
    EVTX_GUID = 0x0f,
    EVTX_SIZE = 0x10,
    EVTX_FILETIME = 0x11,
    EVTX_SYSTEMTIME = 0x12,
    EVTX_SID = 0x13,
    EVTX_HEX32 = 0x14,
    EVTX_HEX64 = 0x15,
    EVTX_HANDLE = 0x20,
    EVTX_BINXML = 0x21,
    EVTX_XML = 0x23,
    EVTX_ARRAY = 0x80, /* or-ed to the type of the elements */
};

static inline uint16_t evtx_u16(const char *at)
{
    const unsigned char *p = (const unsigned char *)at;
    return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t evtx_u32(const char *at)
{
    const unsigned char *p = (const unsigned char *)at;
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t evtx_u64(const char *at)
{
    return (uint64_t)evtx_u32(at) | (uint64_t)evtx_u32(at + 4) << 32;
}

/* Why a piece of a chunk could not be read. `what` is a constant text. */
struct evtx_fault {
    const char *what;
    uint32_t at; /* in the chunk */
};
