/* gzip undone strictly: to its very end and within a bound, so that a few kilobytes cannot become gigabytes. */
#include <zlib.h>

#include "fetch_priv.h"

enum { CHUNK = 64 << 10, GZIP_WINDOW = 15 + 16 /* zlib: 15 bits, gzip alone */ };

/* One turn of the library into fresh room; Z_OK means that it goes on. */
static int inflate_some(z_stream *z, ipt_buf *out)
{
    if (!ipt_buf_reserve(out, CHUNK))
        return Z_MEM_ERROR;
    z->next_out = (Bytef *)out->p + out->n;
    z->avail_out = CHUNK;
    int result = inflate(z, Z_NO_FLUSH);
    out->n += CHUNK - z->avail_out;
    return result;
}

static fetch_gunzip_result inflate_all(z_stream *z, size_t most, ipt_buf *out)
{
    size_t before = out->n;
    for (;;) {
        int result = inflate_some(z, out);
        if (result == Z_MEM_ERROR)
            return FETCH_GUNZIP_NO_MEMORY;
        if (out->n - before > most)
            return FETCH_GUNZIP_TOO_LARGE;
        if (result == Z_STREAM_END) {
            if (z->avail_in == 0)
                return FETCH_GUNZIP_OK;
            if (inflateReset(z) != Z_OK)
                return FETCH_GUNZIP_BROKEN;
        } else if (result != Z_OK)
            return FETCH_GUNZIP_BROKEN; /* Z_BUF_ERROR: it ended too early */
    }
}

fetch_gunzip_result fetch_gunzip(ipt_span packed, size_t most, ipt_buf *out)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)packed.p, .avail_in = (uInt)packed.n};
    if (packed.n == 0 || packed.n > UINT32_MAX)
        return FETCH_GUNZIP_BROKEN;
    if (inflateInit2(&z, GZIP_WINDOW) != Z_OK)
        return FETCH_GUNZIP_NO_MEMORY;
    fetch_gunzip_result result = inflate_all(&z, most, out);
    (void)inflateEnd(&z);
    return result;
}
