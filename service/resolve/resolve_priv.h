/* The work of one decision: what the parts of resolve share. Lives on the stack of ipt_resolve(), is never cleared as a
 * whole, and each part says what it fills in. The chain of the decision is the working memory of the walk. */
#ifndef IPTRUST_RESOLVE_PRIV_H
#define IPTRUST_RESOLVE_PRIV_H

#include "iptrust/resolve/resolve.h"
#include "iptrust/wire/forwarded.h"
#include "iptrust/wire/list_line.h"

#define NO_HOP UINT16_MAX

/* ---- headers.c: where the headers that matter stand ---- */

typedef struct lines {
    uint32_t first, last; /* indexes into request->headers */
    uint32_t count;       /* lines with this name */
    uint32_t filled;      /* of these, lines that are not empty */
} lines;

typedef struct header_index {
    uint64_t present[IPT_NAMES_MAX / 64]; /* bit set by ipt_name: lines[] of that name is valid */
    lines lines[IPT_NAMES_MAX];
    bool has_alias; /* some name reads like a known one written otherwise */
} header_index;

/* ---- entries.c: the leading list header, from its right end ---- */

typedef struct item {
    ipt_hop hop; /* as the chain shows it, but for the verdict */
    ipt_entry_kind kind;
    ipt_span raw; /* the element */
} item;

typedef struct entries {
    ipt_name name; /* the leading list header, IPT_NAME_NONE without one */
    ipt_list_line walk;
    uint32_t header; /* index into request->headers of the line being walked */
    uint32_t line;   /* its number among the lines of that name */
    size_t left;     /* elements of that line not yet taken */
    uint16_t count;  /* items taken */
    uint16_t used;   /* items that the chain holds, from the right */
    bool has_word;   /* an item taken is malformed or obfuscated */
    bool has_repeat; /* in an item taken a parameter stands twice */
    item items[IPT_WALK_MAX];
} entries;

/* CF-Connecting-IP in 240/4 beside a CF-Connecting-IPv6 (decision.md section 4). */
typedef struct pseudo_v4 {
    bool active;
    ipt_addr claim, real;
    uint16_t writer; /* hop whose next entry it speaks of, NO_HOP until one is found */
    uint16_t hop;    /* place in the chain of the list entry it replaced, or NO_HOP */
} pseudo_v4;

typedef struct work {
    const ipt_view *view;
    const ipt_policy *policy;
    const ipt_request *request;
    ipt_detail detail;
    ipt_decision *out;
    bool wide_table;      /* the prefix table outgrows the cache: ask for memory ahead */
    bool zone_dropped;    /* of the peer */
    bool peer_trusted;    /* the peer is in a list of `trust` */
    bool headers_read;    /* false behind an untrusted peer and when PROXY bytes ended the walk */
    bool proxy_vouched;   /* the PROXY bytes are evidence */
    uint16_t http_hop;    /* the trusted hop that spoke HTTP to us, or NO_HOP */
    uint16_t cur;         /* the outermost hop so far that is trusted (or counted) */
    uint16_t answer;      /* hop that is the client */
    uint16_t unused_from; /* first hop that push_unused_entries() put there, or the end of the chain */
    uint16_t placed;      /* first hop that a single-address header put there, or NO_HOP */
    bool closed;          /* a replacing hop set the last entry used: what stands further left is nobody's word */
    ipt_reason origin;
    uint64_t reasons;                            /* found on the way; the origin is added at the end */
    unsigned marks;                              /* of the lists of all hops that became trusted */
    bool was_cut;                                /* some of these hops were taken back */
    bool has_several;                            /* a bit of these was set */
    uint64_t several[(IPT_CHAIN_MAX + 63) / 64]; /* bit i: hop i of the chain stands in several trusted lists */
    ipt_name conflicts[IPT_CONFIG_READ_MAX];     /* single-address headers that contradicted the chain */
    size_t conflict_count;
    bool geo_asked; /* out->geo holds what the rules need */
    pseudo_v4 pseudo;
    ipt_addr judged; /* the last address looked up for the walk, and what holds it; .members NULL before the first */
    const ipt_members *members;
    header_index headers;
    entries entries;
} work;

static inline void add_reason(work *w, ipt_reason reason)
{
    w->reasons |= UINT64_C(1) << reason;
}

/* The list that labels a trusted hop. */
static inline const ipt_view_list *list_of(const work *w, uint16_t hop)
{
    return &w->view->lists[w->out->chain[hop].list];
}

/* The fixed names from the first to `last`, as bits of the first word of header_index.present. */
static inline uint64_t names_up_to(ipt_name last)
{
    _Static_assert(IPT_NAME_FIXED < 64, "one word holds them");
    return (UINT64_C(2) << last) - 1;
}

static inline bool has_header(const work *w, ipt_name name)
{
    return (w->headers.present[name / 64] >> name % 64 & 1) != 0;
}

ipt_name find_header_name(const work *w, ipt_span text); /* NONE for an unknown one */
void index_headers(work *w);
/* The lines of one name, first to last: start with *at = first; false past the last. */
bool next_line(const work *w, ipt_name name, uint32_t *at, ipt_span *value);
/* An evidence name of `read` is there: a header with a line that is not empty, or an attribute. */
bool is_filled(const work *w, ipt_name name);
/* How many lines (or attributes) carry the name; *value is the first one's. */
uint32_t count_values(const work *w, ipt_name name, ipt_span *value);

void entries_begin(work *w, ipt_name name);
/* The i-th element from the right; NULL when there is none or i reaches IPT_WALK_MAX. */
item *entry_at(work *w, uint16_t i);
bool entries_beyond(work *w);      /* elements are left after the last item taken */
size_t entries_unused(work *w);    /* elements that the chain does not hold */
void push_unused_entries(work *w); /* shown as unvouched, the rest counted */

/* ---- step.c: hops and how one leads to the next ---- */

typedef enum step_kind { STEP_UNTRUSTED = 0, STEP_EGRESS, STEP_INVERSION, STEP_CHANGE, STEP_TRUSTED } step_kind;

/* Who holds addr. The client is as a rule the last address that the walk asked about, so the last answer is kept. */
const ipt_members *members_of(work *w, ipt_addr addr);
/* Judges addr as the hop after chain[cur]: rows `egress` to `otherwise` of the loop in decision.md section 5. */
step_kind judge_step(work *w, uint16_t cur, ipt_addr addr, ipt_judgement *judgement);
ipt_hop *push_hop(work *w, ipt_origin origin, ipt_verdict verdict);
ipt_hop *push_entry(work *w, const item *entry, ipt_verdict verdict); /* the next unused one; counts it as used */
void set_trusted(work *w, ipt_hop *hop, const ipt_judgement *judgement);
/* Lets a pushed hop be what a step says: trusted and current, or the client. untrusted is the origin for
 * STEP_UNTRUSTED. STEP_INVERSION leaves it unvouched and ends at cur. Returns whether the walk may go on. */
bool take_step(work *w, uint16_t hop, step_kind step, const ipt_judgement *judgement, ipt_reason untrusted);
void end_at(work *w, uint16_t hop, ipt_reason origin);
ipt_vouch vouch_of(const work *w, uint16_t hop, ipt_name header); /* NONE for a hop that is not trusted */
ipt_verdict bad_entry_verdict(ipt_entry_kind kind);
ipt_reason bad_entry_reason(ipt_entry_kind kind);

/* ---- the walks ---- */

bool push_peer(work *w);    /* false: the walk is over, the answer is set */
bool follow_proxy(work *w); /* the same */
void choose_lead(work *w,
                 uint16_t hop); /* the first list header of `read` that is there and that hop's list vouches for */
void walk_trusted(work *w);     /* walk.c */
void walk_hops(work *w);        /* hops.c */
void read_pseudo_v4(work *w);   /* single.c */
void read_single_headers(work *w);

/* ---- proof.c ---- */

typedef enum proof_result { PROOF_NOT_ASKED = 0, PROOF_FAILED, PROOF_RIGHT } proof_result;
proof_result check_proof(const work *w, uint16_t hop);
/* Whether the element carries the secret that a list asks of Forwarded elements; true when it asks for none. */
bool carries_secret(const work *w, const ipt_view_list *list, const item *element);

/* ---- after the walk ---- */

void rate(work *w);                                      /* confidence.c: reasons and level */
void collect_findings(work *w);                          /* findings.c */
void make_keys(work *w);                                 /* keys.c */
void describe_client(work *w);                           /* keys.c: class, embedded address, lists */
bool is_unwrapped(ipt_embedding embedding, ipt_addr v4); /* keys.c: counts as the IPv4 host it carries */
void read_context(work *w);                              /* context.c */
void place_client(work *w);                              /* geo.c: what databases say of the client */
void read_countries(work *w);                            /* geo.c: what vouched context headers say of it */
void find_geo_conflicts(work *w, void (*add)(work *w, ipt_finding_code code, ipt_name name)); /* geo.c */
void apply_rules(work *w);                                                                    /* rules.c: the verdict */

/* Calls visit for every header name that a Connection line nominates (RFC 9110, 7.6.1). */
void each_nominated(work *w, void (*visit)(work *w, ipt_name name));

#endif
