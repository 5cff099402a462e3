/* The two versions of the PROXY protocol behind ipt_proxy_parse(). Each is called with a header of its version and
 * writes out for OK alone. */
#ifndef IPTRUST_WIRE_PROXY_PRIV_H
#define IPTRUST_WIRE_PROXY_PRIV_H

#include "iptrust/wire/proxy.h"

#define IPT_PROXY_V1_START     IPT_SPAN("PROXY ")
#define IPT_PROXY_V2_SIGNATURE IPT_SPAN("\r\n\r\n\0\r\nQUIT\n")

/* bytes begins with IPT_PROXY_V1_START. */
IPT_MUST_USE ipt_proxy_result ipt_proxy_v1_parse(ipt_span bytes, ipt_proxy *out);

/* bytes begins with IPT_PROXY_V2_SIGNATURE. */
IPT_MUST_USE ipt_proxy_result ipt_proxy_v2_parse(ipt_span bytes, ipt_proxy *out);

#endif
