/* gRPC's messages in the bytes of a stream: five bytes of prefix, then the message, cut anywhere. */
#ifndef IPTRUST_TRANSPORT_H2_FRAME_H
#define IPTRUST_TRANSPORT_H2_FRAME_H

#include "iptrust/base/buf.h"

enum { H2_PREFIX = 5 };

/* All zero: between messages. */
typedef struct h2_frame_reader {
    uint8_t prefix[H2_PREFIX];
    uint8_t have;  /* bytes of prefix */
    uint32_t need; /* bytes of the message, when have is H2_PREFIX */
    ipt_buf body;  /* what there is of a message that came in pieces */
} h2_frame_reader;

typedef enum h2_frame_result {
    H2_FRAME_MORE = 0,  /* all input is taken; the message goes on */
    H2_FRAME_WHOLE,     /* a message */
    H2_FRAME_TOO_LARGE, /* its prefix says more than max */
    H2_FRAME_BAD,       /* a flag that there is not */
    H2_FRAME_NO_MEMORY,
} h2_frame_result;

typedef struct h2_frame {
    ipt_span bytes; /* in the input or in the reader, until the next call */
    bool compressed;
} h2_frame;

/* Takes from the front of input. After anything but MORE and WHOLE the reader is of no more use. */
IPT_MUST_USE h2_frame_result h2_frame_next(h2_frame_reader *reader, ipt_span *input, size_t max, h2_frame *out);
bool h2_frame_is_between(const h2_frame_reader *reader); /* not within a message */
void h2_frame_reader_reset(h2_frame_reader *reader);     /* keeps its memory */
void h2_frame_reader_done(h2_frame_reader *reader);
void h2_frame_prefix(uint8_t out[H2_PREFIX], size_t n);

#endif
