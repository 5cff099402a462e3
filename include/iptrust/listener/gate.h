/* How many connections there may be, in all and from one address. Taken when a connection begins and ends, never for a
 * request. */
#ifndef IPTRUST_LISTENER_GATE_H
#define IPTRUST_LISTENER_GATE_H

#include <pthread.h>

#include "iptrust/base/common.h"
#include "iptrust/net/addr.h"

typedef struct ipt_gate {
    pthread_mutex_t lock;
    uint32_t limit, limit_address, total;
    uint32_t *buckets;
    struct ipt_gate_node *nodes;
    uint32_t mask, free;
} ipt_gate;

/* limit: connections in all; limit_address: of one IPv4 address or one IPv6 /64. done is needed after a failure too. */
IPT_MUST_USE ipt_err ipt_gate_init(ipt_gate *gate, uint32_t limit, uint32_t limit_address);
void ipt_gate_done(ipt_gate *gate);

typedef enum ipt_gate_answer { IPT_GATE_FULL = 0, IPT_GATE_ADDRESS_FULL, IPT_GATE_OK } ipt_gate_answer;

/* Any thread. has_addr false: a Unix socket, of which only the total counts. What entered must leave. */
IPT_MUST_USE ipt_gate_answer ipt_gate_enter(ipt_gate *gate, bool has_addr, ipt_addr addr);
void ipt_gate_leave(ipt_gate *gate, bool has_addr, ipt_addr addr);

#endif
