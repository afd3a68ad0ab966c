/* typed: binary values as Windows' events hold them, and what they look like as text.
 *
 *     char to[TYPED_ROOM];
 *     size_t n = typed_write(TYPED_GUID, bytes, to);   // "54849625-5478-4994-A5BA-3E3B0328C30D"
 *
 * The numbers are those of the BinXml types ([MS-EVEN6] 2.2.18); bytes are little-endian. GUIDs in
 * capitals without braces, times with six digits of the second: as JSON exports of event logs write
 * them. Strings, reals, raw bytes and arrays are no business of this module. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

enum typed {
    TYPED_INT8 = 0x03,
    TYPED_UINT8 = 0x04,
    TYPED_INT16 = 0x05,
    TYPED_UINT16 = 0x06,
    TYPED_INT32 = 0x07,
    TYPED_UINT32 = 0x08,
    TYPED_INT64 = 0x09,
    TYPED_UINT64 = 0x0a,
    TYPED_BOOL = 0x0d,
    TYPED_GUID = 0x0f,
    TYPED_SIZE = 0x10, /* 4 or 8 bytes */
    TYPED_FILETIME = 0x11,
    TYPED_SYSTEMTIME = 0x12,
    TYPED_SID = 0x13, /* [MS-DTYP] 2.4.2: 8 bytes and 4 for each sub-authority */
    TYPED_HEX32 = 0x14,
    TYPED_HEX64 = 0x15,
};

enum { TYPED_SID_HEADER = 8, TYPED_ROOM = 40 };

/* Bytes that typed_write may write. */
static inline size_t typed_room(uint8_t type, size_t size)
{
    return type == TYPED_SID ? TYPED_ROOM + size / 4 * 11 : TYPED_ROOM;
}

/* `bytes` has the type's size, for a SID the one that it says itself. Returns bytes written. 0: the
 * type is none of these. */
size_t typed_write(uint8_t type, struct slice bytes, char *to);
/* Decimal digits: at most 20 bytes. */
size_t typed_u64(uint64_t number, char *to);
size_t typed_i64(int64_t number, char *to);
