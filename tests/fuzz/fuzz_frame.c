/* gRPC's framing: whatever way the bytes are cut, the same messages come, and no more is held than was sent. */
#include "frame.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MESSAGE_MAX = 1 << 10 };

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* What reading comes to: every message, its flag and its length, and how it ends. */
typedef struct reading {
    ipt_buf messages;
    size_t count;
    h2_frame_result end;
    bool between;
} reading;

static void keep(reading *to, const h2_frame *frame)
{
    uint8_t prefix[H2_PREFIX];
    must(frame->bytes.n <= MESSAGE_MAX);
    h2_frame_prefix(prefix, frame->bytes.n);
    prefix[0] = frame->compressed;
    ipt_buf_add(&to->messages, (ipt_span){(const char *)prefix, sizeof(prefix)});
    ipt_buf_add(&to->messages, frame->bytes);
    must(!to->messages.failed);
    to->count++;
}

/* Pieces of sizes that repeat, the first one larger so that it ends; count 0 is all at once. Each is a copy, so that
 * nothing can be read behind it. */
static reading read_in_pieces(ipt_span input, const uint8_t *sizes, size_t count)
{
    h2_frame_reader reader = {.have = 0};
    reading out = {.end = H2_FRAME_MORE};
    size_t sent = 0;
    for (size_t turn = 0; out.end == H2_FRAME_MORE && sent < input.n; turn++) {
        size_t n = count == 0 ? input.n : sizes[turn % count] + (turn % count == 0 ? (size_t)1 : 0);
        n = n < input.n - sent ? n : input.n - sent;
        char *copy = malloc(n + (n == 0));
        must(copy != NULL);
        memcpy(copy, input.p + sent, n);
        sent += n;
        ipt_span piece = {copy, n};
        h2_frame frame;
        while ((out.end = h2_frame_next(&reader, &piece, MESSAGE_MAX, &frame)) == H2_FRAME_WHOLE)
            keep(&out, &frame);
        must(out.end != H2_FRAME_MORE || piece.n == 0);
        must(reader.body.n <= sent && reader.body.n <= MESSAGE_MAX);
        free(copy);
    }
    out.between = h2_frame_is_between(&reader);
    h2_frame_reader_done(&reader);
    return out;
}

/* The first byte says how many sizes of pieces follow it; behind them are the bytes of a call. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t single[] = {0};
    if (size == 0 || size - 1 < data[0] % 8U)
        return 0;
    size_t sizes = data[0] % 8U;
    ipt_span input = {(const char *)data + 1 + sizes, size - 1 - sizes};
    reading whole = read_in_pieces(input, NULL, 0);
    reading cut = read_in_pieces(input, data + 1, sizes);
    reading bytes = read_in_pieces(input, single, IPT_COUNT(single));
    const reading *others[] = {&cut, &bytes};
    for (size_t i = 0; i < IPT_COUNT(others); i++) {
        must(others[i]->count == whole.count && others[i]->end == whole.end && others[i]->between == whole.between);
        must(ipt_span_equal(ipt_buf_span(&others[i]->messages), ipt_buf_span(&whole.messages)));
    }
    /* What was read is what was sent, as far as it is whole. */
    must(whole.messages.n <= input.n &&
         (whole.messages.n == 0 || memcmp(whole.messages.p, input.p, whole.messages.n) == 0));
    must(!whole.between || whole.end != H2_FRAME_MORE || whole.messages.n == input.n);
    ipt_buf_done(&whole.messages);
    ipt_buf_done(&cut.messages);
    ipt_buf_done(&bytes.messages);
    return 0;
}
