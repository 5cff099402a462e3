/* Lines on their way out that never make a writer wait: a bounded queue for any number of threads, emptied by a thread
 * of its own into one file descriptor. What does not fit is dropped and counted. */
#ifndef IPTRUST_ENGINE_RING_H
#define IPTRUST_ENGINE_RING_H

#include "iptrust/base/span.h"

#define IPT_RING_LINE_MAX 2048 /* bytes of a line with its end; a longer one is dropped */

typedef struct ipt_ring ipt_ring;

/* slots: a power of two. fd is borrowed; a reader that has stopped reading it loses lines and stops nobody. */
IPT_MUST_USE ipt_err ipt_ring_new(size_t slots, int fd, ipt_ring **out);
/* Writes what is left, as far as fd takes it within half a second. */
void ipt_ring_free(ipt_ring *ring);
IPT_DEFINE_CLEANUP(ipt_ring, ipt_ring_free)

/* Never blocks. False: dropped. */
bool ipt_ring_put(ipt_ring *ring, ipt_span line);
uint64_t ipt_ring_dropped(const ipt_ring *ring);

#endif
