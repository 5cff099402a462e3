/* What gRPC writes into headers: deadlines, status messages, binary values, content types. */
#ifndef IPTRUST_TRANSPORT_H2_TEXT_H
#define IPTRUST_TRANSPORT_H2_TEXT_H

#include "iptrust/base/span.h"

/* grpc-timeout: 1 to 8 digits and a unit of H, M, S, m, u, n. */
IPT_MUST_USE bool h2_timeout_read(ipt_span text, int64_t *ns);
/* grpc-message, percent-encoded; what does not fit into cap is left out, whole bytes at a time. The length, no NUL. */
size_t h2_message_encode(char *out, size_t cap, const char *message);
enum { H2_BINARY_MAX = 1536 }; /* characters for what ipt_status holds of details */
/* Values of -bin headers: base64 without padding. The length; 0 when it does not fit. */
size_t h2_binary_encode(char *out, size_t cap, const uint8_t *bytes, size_t n);
/* "application/grpc", with "+proto" or parameters: what we speak. */
bool h2_content_type_ok(ipt_span text);

#endif
