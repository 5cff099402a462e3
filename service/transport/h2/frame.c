/* Length-prefixed messages (gRPC over HTTP/2). A message that lies whole in the input is never copied. */
#include "frame.h"

void h2_frame_prefix(uint8_t out[H2_PREFIX], size_t n)
{
    out[0] = 0;
    out[1] = (uint8_t)(n >> 24);
    out[2] = (uint8_t)(n >> 16);
    out[3] = (uint8_t)(n >> 8);
    out[4] = (uint8_t)n;
}

bool h2_frame_is_between(const h2_frame_reader *reader)
{
    return reader->have == 0;
}

void h2_frame_reader_reset(h2_frame_reader *reader)
{
    reader->have = 0;
    ipt_buf_reset(&reader->body);
}

void h2_frame_reader_done(h2_frame_reader *reader)
{
    ipt_buf_done(&reader->body);
    reader->have = 0;
}

static void skip(ipt_span *input, size_t n)
{
    input->p += n;
    input->n -= n;
}

static h2_frame_result read_prefix(h2_frame_reader *reader, ipt_span *input, size_t max)
{
    while (reader->have < H2_PREFIX && input->n != 0) {
        reader->prefix[reader->have++] = (uint8_t)input->p[0];
        skip(input, 1);
    }
    if (reader->have < H2_PREFIX)
        return H2_FRAME_MORE;
    const uint8_t *p = reader->prefix;
    reader->need = (uint32_t)p[1] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 8 | p[4];
    if (p[0] > 1)
        return H2_FRAME_BAD;
    return reader->need > max ? H2_FRAME_TOO_LARGE : H2_FRAME_WHOLE;
}

h2_frame_result h2_frame_next(h2_frame_reader *reader, ipt_span *input, size_t max, h2_frame *out)
{
    if (reader->have < H2_PREFIX) {
        ipt_buf_reset(&reader->body);
        h2_frame_result result = read_prefix(reader, input, max);
        if (result != H2_FRAME_WHOLE)
            return result;
    }
    size_t missing = reader->need - reader->body.n, take = input->n < missing ? input->n : missing;
    if (take < missing || reader->body.n != 0) {
        /* No more memory than has come: who announces much and sends little holds little. */
        ipt_buf_add(&reader->body, (ipt_span){input->p, take});
        if (reader->body.failed)
            return H2_FRAME_NO_MEMORY;
    }
    ipt_span here = {input->p, take};
    skip(input, take);
    if (take < missing)
        return H2_FRAME_MORE;
    *out = (h2_frame){reader->body.n != 0 ? ipt_buf_span(&reader->body) : here, reader->prefix[0] != 0};
    reader->have = 0;
    return H2_FRAME_WHOLE;
}
