/* What the writers of a decision share. */
#ifndef IPTRUST_RPC_PUT_PRIV_H
#define IPTRUST_RPC_PUT_PRIV_H

#include "rpc_priv.h"

void put_chain(rpc_maker *maker, struct Iptrust__V1__Decision *to, const ipt_decision *decision);
/* "peer", "proxy_protocol" or a header's name. */
char *put_source(rpc_maker *maker, const ipt_view *view, ipt_origin origin, ipt_name header);

/* told: two letters that the header told_by says; told_by.p NULL: none does. */
struct Iptrust__V1__Geo *rpc_put_geo(rpc_maker *maker, const ipt_geo *geo, const ipt_geo_facts *facts, ipt_span told,
                                     ipt_span told_by);

#endif
