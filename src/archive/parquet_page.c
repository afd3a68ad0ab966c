#include "archive/parquet_page.h"

#include <zstd.h>

#include "base/sum.h"

/* A page's header takes less. */
enum { HEADER_BYTES = 64 };

enum err parquet_page_put(struct ZSTD_CCtx_s *zstd, struct parquet_meta_page *page,
        struct slice raw, struct buf *out, struct diag *diag)
{
    /* The packed bytes go behind where the header will end at most, and are moved up to it. */
    size_t bound = ZSTD_compressBound(raw.size);
    char *to = bound <= INT32_MAX ? buf_reserve(out, HEADER_BYTES + bound) : NULL;
    if (!to) {
        return diag_say(diag, ERR_MEMORY, "no memory for a page of %zu bytes", raw.size);
    }
    size_t packed = ZSTD_compress2(zstd, to + HEADER_BYTES, bound, raw.at, raw.size);
    if (ZSTD_isError(packed)) {
        return diag_say(diag, ERR_MEMORY, "zstd: %s", ZSTD_getErrorName(packed));
    }
    page->unpacked = (int32_t)raw.size;
    page->packed = (int32_t)packed;
    page->crc = (int32_t)sum_add(0, slice_of(to + HEADER_BYTES, packed));
    size_t begin = out->size;
    parquet_thrift_write(&parquet_meta_page_table, page, out);
    memmove(out->at + out->size, out->at + begin + HEADER_BYTES, packed);
    out->size += packed;
    return OK;
}

enum err parquet_page_take(
        struct slice *in, struct parquet_meta_page *page, struct slice *packed, struct diag *diag)
{
    struct parquet_thrift_in header = {.left = *in, .diag = diag};
    TRY(parquet_thrift_read(&parquet_meta_page_table, &header, page));
    /* A negative size is larger than what is left. */
    if (page->unpacked < 0 || (size_t)page->packed > header.left.size) {
        return diag_say(diag, ERR_SYNTAX, "the page's header names impossible sizes (%d, %d)",
                page->packed, page->unpacked);
    }
    struct slice bytes = slice_of(header.left.at, (size_t)page->packed);
    if (sum_add(0, bytes) != (uint32_t)page->crc) {
        return diag_say(diag, ERR_SYNTAX, "the page's checksum does not match");
    }
    *in = slice_from(header.left, bytes.size);
    *packed = bytes;
    return OK;
}

enum err parquet_page_unpack(
        struct ZSTD_DCtx_s *zstd, struct slice packed, char *to, size_t size, struct diag *diag)
{
    size_t frame = ZSTD_findFrameCompressedSize(packed.at, packed.size);
    if (ZSTD_isError(frame) || frame != packed.size) {
        return diag_say(diag, ERR_SYNTAX, "the page is not one zstd frame");
    }
    size_t got = ZSTD_decompressDCtx(zstd, to, size, packed.at, packed.size);
    if (ZSTD_isError(got) || got != size) {
        return diag_say(diag, ERR_SYNTAX, "the page's zstd frame is not of %zu bytes: %s", size,
                ZSTD_getErrorName(got));
    }
    return OK;
}
