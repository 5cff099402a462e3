/* What a face hands to the decision. Everything is borrowed for the call. */
#ifndef IPTRUST_RESOLVE_REQUEST_H
#define IPTRUST_RESOLVE_REQUEST_H

#include "iptrust/base/span.h"

typedef struct ipt_header {
    ipt_span name, value; /* value without the white space around it that HTTP allows */
} ipt_header;

/* HTTP can carry the text as a name or a value: no NUL, CR or LF (RFC 9110, 5.5). Other control bytes pass and make
 * their entry malformed. */
bool ipt_header_is_carried(ipt_span text);

/* Zero is the caller who is told the least. */
typedef enum ipt_caller {
    IPT_CALLER_UNKNOWN = 0,
    IPT_CALLER_TRUSTED, /* Unix socket, loopback 127.0.0.1 or ::1, verified client certificate, address in `callers:` */
} ipt_caller;

typedef struct ipt_request {
    ipt_span peer;             /* address that opened the connection, with or without a port, or "unix" */
    const ipt_header *headers; /* in received order */
    size_t header_count;
    const ipt_header *attributes; /* a query argument, a form field; names without the "attribute:" */
    size_t attribute_count;
    bool has_proxy_protocol;
    ipt_span proxy_protocol; /* the bytes */
    ipt_span principal;      /* of the verified peer certificate; .n 0 when absent; believed of trusted callers alone */
    ipt_caller caller;
    bool geo_unwanted; /* nobody will read what databases say; rules that need them ask all the same */
    /* facts that the face knows and the sender cannot say */
    bool headers_merged;        /* repeated lines could not be kept apart */
    bool http_parser_lax;       /* the HTTP library hides malformed headers and these are the call's own */
    bool peer_header_forged;    /* the client sent what names the peer */
    bool policy_not_selectable; /* the policy asked for was not the caller's to choose */
} ipt_request;

#endif
