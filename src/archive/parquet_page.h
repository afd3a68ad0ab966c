/* parquet_page: pages of a column: packed by zstd, summed, behind a header; and back.
 *
 *     TRY(parquet_page_put(&packer, &page, raw, &out, diag));     // page: type, values, encoding
 *
 *     TRY(parquet_page_take(&in, &page, &packed, diag));          // header checked, sum checked
 *     TRY(parquet_page_unpack(&unpacker, packed, to, diag));      // to.size: page.unpacked */
#pragma once

#include "archive/parquet_meta.h"

struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

/* Appends header and packed bytes. page->type and the header of that type are the caller's. */
enum err parquet_page_put(struct ZSTD_CCtx_s *zstd, struct parquet_meta_page *page,
        struct slice raw, struct buf *out, struct diag *diag) MUST_CHECK;
/* Cuts a page off *in. */
enum err parquet_page_take(struct slice *in, struct parquet_meta_page *page, struct slice *packed,
        struct diag *diag) MUST_CHECK;
/* Exactly `size` bytes, by one frame. */
enum err parquet_page_unpack(struct ZSTD_DCtx_s *zstd, struct slice packed, char *to, size_t size,
        struct diag *diag) MUST_CHECK;
