/* Counts connections in all and by address: a hash table whose nodes are all there from the start. */
#include "iptrust/listener/gate.h"

#include <stdlib.h>
#include <string.h>

typedef struct ipt_gate_node {
    ipt_addr addr;
    uint32_t count, next; /* next: index, GATE_END at the end of a chain */
} gate_node;

static const uint32_t GATE_END = UINT32_MAX;

ipt_err ipt_gate_init(ipt_gate *gate, uint32_t limit, uint32_t limit_address)
{
    uint32_t buckets = 64;
    while (buckets < limit && buckets < (1U << 20))
        buckets *= 2;
    *gate = (ipt_gate){.limit = limit, .limit_address = limit_address, .mask = buckets - 1, .free = 0};
    gate->buckets = malloc(buckets * sizeof(*gate->buckets));
    gate->nodes = malloc(((size_t)limit + 1) * sizeof(*gate->nodes));
    (void)pthread_mutex_init(&gate->lock, NULL);
    if (gate->buckets == NULL || gate->nodes == NULL)
        return IPT_ENOMEM;
    memset(gate->buckets, 0xff, buckets * sizeof(*gate->buckets));
    for (uint32_t i = 0; i <= limit; i++)
        gate->nodes[i].next = i == limit ? GATE_END : i + 1;
    return IPT_OK;
}

void ipt_gate_done(ipt_gate *gate)
{
    free(gate->buckets);
    free(gate->nodes);
    gate->buckets = NULL;
    gate->nodes = NULL;
}

/* A host has a /64 to choose addresses from, so that is what counts as one. */
static ipt_addr counted_as(ipt_addr addr)
{
    if (!ipt_addr_is_v4(addr))
        addr.lo = 0;
    return addr;
}

static uint32_t *find(ipt_gate *gate, ipt_addr addr)
{
    uint64_t hash = (addr.hi ^ addr.lo * UINT64_C(0x9E3779B97F4A7C15)) * UINT64_C(0x9E3779B97F4A7C15);
    uint32_t *link = &gate->buckets[(hash >> 32) & gate->mask];
    while (*link != GATE_END && !ipt_addr_equal(gate->nodes[*link].addr, addr))
        link = &gate->nodes[*link].next;
    return link;
}

static ipt_gate_answer enter_address(ipt_gate *gate, ipt_addr addr)
{
    uint32_t *link = find(gate, addr);
    if (*link == GATE_END) {
        /* There is a node for every connection that the total admits. */
        uint32_t fresh = gate->free;
        if (fresh == GATE_END)
            return IPT_GATE_FULL;
        gate->free = gate->nodes[fresh].next;
        gate->nodes[fresh] = (gate_node){.addr = addr, .count = 0, .next = GATE_END};
        *link = fresh;
    }
    gate_node *node = &gate->nodes[*link];
    if (node->count >= gate->limit_address)
        return IPT_GATE_ADDRESS_FULL;
    node->count++;
    return IPT_GATE_OK;
}

ipt_gate_answer ipt_gate_enter(ipt_gate *gate, bool has_addr, ipt_addr addr)
{
    ipt_gate_answer entry = IPT_GATE_FULL;
    (void)pthread_mutex_lock(&gate->lock);
    if (gate->total < gate->limit)
        entry = has_addr ? enter_address(gate, counted_as(addr)) : IPT_GATE_OK;
    if (entry == IPT_GATE_OK)
        gate->total++;
    (void)pthread_mutex_unlock(&gate->lock);
    return entry;
}

void ipt_gate_leave(ipt_gate *gate, bool has_addr, ipt_addr addr)
{
    (void)pthread_mutex_lock(&gate->lock);
    gate->total--;
    if (has_addr) {
        uint32_t *link = find(gate, counted_as(addr));
        gate_node *node = &gate->nodes[*link];
        if (--node->count == 0) {
            uint32_t freed = *link;
            *link = node->next;
            node->next = gate->free;
            gate->free = freed;
        }
    }
    (void)pthread_mutex_unlock(&gate->lock);
}
