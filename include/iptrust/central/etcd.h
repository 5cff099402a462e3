/* What is said to etcd's JSON gateway (its v3 API: /v3/kv/range, /v3/watch, /v3/auth/authenticate) and what its answers
 * mean. Pure. */
#ifndef IPTRUST_CENTRAL_ETCD_H
#define IPTRUST_CENTRAL_ETCD_H

#include "iptrust/base/arena.h"
#include "iptrust/base/buf.h"

void ipt_etcd_write_range(ipt_buf *out, ipt_span key);
/* From the revision after this one on. */
void ipt_etcd_write_watch(ipt_buf *out, ipt_span key, uint64_t revision);
void ipt_etcd_write_login(ipt_buf *out, ipt_span user, ipt_span password);

typedef enum ipt_etcd_result {
    IPT_ETCD_BROKEN = 0, /* not what etcd answers */
    IPT_ETCD_VALUE,
    IPT_ETCD_ABSENT, /* there is no such key */
    IPT_ETCD_NO_MEMORY,
} ipt_etcd_result;

/* *revision: of the store, for VALUE and ABSENT; *value: in the arena, maybe empty, for VALUE. */
IPT_MUST_USE ipt_etcd_result ipt_etcd_read_range(ipt_span json, ipt_arena *arena, uint64_t *revision, ipt_span *value);
/* The token of a login; it points into json or the arena. */
IPT_MUST_USE bool ipt_etcd_read_token(ipt_span json, ipt_arena *arena, ipt_span *token);

/* Whether a watch, of which so much has come, tells more than that it has begun: a change, or its end. */
bool ipt_etcd_watch_speaks(ipt_span body);

#endif
