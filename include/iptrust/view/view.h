/* The immutable whole that a request is judged by: lists, policies, one prefix table over all lists, and how fresh each
 * list is. Built from a configuration, shared by any number of threads, never changed. A view with other ages shares
 * everything else with the one it was made from. */
#ifndef IPTRUST_VIEW_VIEW_H
#define IPTRUST_VIEW_VIEW_H

#include "iptrust/config/config.h"
#include "iptrust/geo/geo.h"
#include "iptrust/net/lpm.h"
#include "iptrust/wire/names.h"

#define IPT_VIEW_VOUCHES_MAX 16         /* headers that one list vouches for */
#define IPT_EGRESS_TAG       0x8000U    /* in an ipt_member's tag: the address is in the list's egress */
#define IPT_RANK_NONE        UINT16_MAX /* the policy does not trust the list */

typedef struct ipt_vouching {
    ipt_name header;
    ipt_vouch how;
} ipt_vouching;

typedef struct ipt_proof {
    ipt_proof_kind kind;
    ipt_name header; /* HEADER, FRONT_DOOR_ID */
    ipt_span param;  /* FORWARDED_PARAM */
    ipt_span secret;
    const ipt_span *values; /* FRONT_DOOR_ID, PRINCIPALS */
    size_t value_count;
} ipt_proof;

typedef struct ipt_view_list {
    const ipt_list_spec *spec; /* name, provider, contents, times */
    ipt_provider provider;     /* these of spec once more, because every walk asks for them */
    bool internal;
    uint8_t adds;
    const ipt_vouching *vouches;
    size_t vouch_count;
    ipt_proof proof;
    ipt_vouch list_vouch[2]; /* of vouches, for X-Forwarded-For and Forwarded: asked at every step of a walk */
    bool shared; /* a provider's list that is not exclusive: any customer could have written what is further out */
    bool empty;  /* no prefix and not a Unix-socket list */
    bool broad;  /* a prefix of it is */
    char fetched_at[24]; /* RFC 3339, "" when no time is known */
    char revision[17];   /* of the contents, hexadecimal */
} ipt_view_list;

typedef struct ipt_read {
    ipt_name name;
    bool repeated;         /* named before, perhaps to be bound to a further list: read once, at its first place */
    uint16_t from;         /* list that `from:` binds it to in this policy, or IPT_LIST_NONE */
    ipt_provider provider; /* whose own header it is, or NONE */
} ipt_read;

typedef struct ipt_policy {
    const ipt_policy_spec *spec;
    const uint16_t *rank; /* by list index: place in `trust`, or IPT_RANK_NONE */
    const ipt_read *read; /* in order; spec->read_count of them */
    bool reads_cf_ip;     /* cf-connecting-ip is read, and cf-connecting-ipv6 with it */
    bool trusts_empty;    /* a list of `trust` is empty */
    uint64_t geo_rules;   /* fields, by IPT_GEO_BIT, that its deny and allow rules ask for; 0 when they do not act */
} ipt_policy;

/* Freshness of one list at the time a view was published. Zero: fresh, or without a time. */
typedef enum ipt_freshness { IPT_FRESH = 0, IPT_STALE, IPT_EXPIRED } ipt_freshness;

/* What it means for an answer that a hop stands in a list: bits. */
enum {
    IPT_MARK_SHARED = 1, /* as ipt_view_list.shared */
    IPT_MARK_BUNDLED = 2,
    IPT_MARK_STALE = 4,
    IPT_MARK_EXPIRED = 8,
    IPT_MARK_PROOF = 16, /* the list asks for proof */
    IPT_MARK_BROAD = 32, /* a prefix of it is broad, and the list does not accept that */
};

typedef struct ipt_view {
    struct ipt_view_core *core; /* shared, counted */
    const ipt_names *names;
    const ipt_lpm *lpm; /* tags: list index, with IPT_EGRESS_TAG for egress */
    const ipt_view_list *lists;
    size_t list_count;
    const ipt_policy *policies; /* by rising name */
    size_t policy_count;
    const ipt_prefix *nat64;
    size_t nat64_count;
    const ipt_config *config;                     /* what it was built from; owned by the core */
    const ipt_freshness *freshness;               /* by list index */
    const uint8_t *marks;                         /* by list index */
    bool all_fresh;                               /* every list is */
    const ipt_geo *geo;                           /* counted; NULL: no database */
    int64_t now;                                  /* seconds since 1970 at which freshness was judged */
    char policies_revision[9], lists_revision[9]; /* hash of the canonical content, freshness apart */
} ipt_view;

/* Takes config over when it succeeds: ipt_view_free() frees it with the last view that shares it. */
IPT_MUST_USE ipt_err ipt_view_build_take(ipt_config *config, int64_t now, ipt_view **out);
/* The same contents, judged at another time. Readers of the old view are not disturbed. */
IPT_MUST_USE ipt_err ipt_view_refresh(const ipt_view *view, int64_t now, ipt_view **out);
void ipt_view_free(ipt_view *view);
/* Before the view is shared. Takes a reference; NULL: none. A refreshed view has the geo set of the one before. */
void ipt_view_set_geo(ipt_view *view, const ipt_geo *geo);
/* Says in diag which files are not loaded (warnings), and which rules none of the files can answer although all of them
 * are (errors). */
void ipt_view_check_geo(const ipt_config *config, const ipt_geo *geo, ipt_diag *diag);
/* What the view's databases say of an address; NAT64, 6to4 and Teredo addresses by the IPv4 address that they carry. */
void ipt_view_place(const ipt_view *view, ipt_addr addr, uint64_t wanted, ipt_geo_facts *out);
/* Why nothing is known: "no_database", "not_loaded", "not_covered" or "no_record"; NULL when something is. */
const char *ipt_view_no_place(const ipt_view *view, const ipt_geo_facts *facts);
IPT_DEFINE_CLEANUP(ipt_view, ipt_view_free)

/* The next time after view->now at which a list's freshness changes; IPT_AGE_NONE when none will. */
int64_t ipt_view_next_change(const ipt_view *view);

const ipt_policy *ipt_view_find_policy(const ipt_view *view, ipt_span name); /* NULL when unknown */
const ipt_view_list *ipt_view_find_list(const ipt_view *view, ipt_span name);

/* How the list writes that header, `from:` of the policy included. */
ipt_vouch ipt_policy_vouch(const ipt_view *view, const ipt_policy *policy, uint16_t list, ipt_name header);

/* What the policy makes of an address. */
typedef struct ipt_judgement {
    uint16_t list;      /* that labels it; IPT_LIST_NONE: in no list of `trust` */
    uint8_t prefix_len; /* of that list's longest prefix that holds the address, over the 128 bits */
    bool egress;        /* in the egress of a trusted list: client, never a hop */
    bool several;       /* more than one trusted list holds it */
} ipt_judgement;
ipt_judgement ipt_policy_judge_members(const ipt_policy *policy, const ipt_members *members);

static inline ipt_judgement ipt_policy_judge(const ipt_view *view, const ipt_policy *policy, ipt_addr addr)
{
    return ipt_policy_judge_members(policy, ipt_lpm_find(view->lpm, addr));
}

#endif
