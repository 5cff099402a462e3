/* Whether new contents of a fetched list are taken, refused, or held until a person has looked: by address space, never
 * by the number of entries (interfaces.md, Lists). A pure function of what is known; time comes from the caller. */
#ifndef IPTRUST_RANGES_ACCEPT_H
#define IPTRUST_RANGES_ACCEPT_H

#include "iptrust/ranges/feed.h"

/* ---- limits of a list ---- */

typedef struct ipt_accept_limits {
    bool internal;         /* private space (10/8, 172.16/12, 192.168/16, 100.64/10, fc00::/7) is fine */
    uint64_t max_v4;       /* addresses */
    uint64_t max_v6;       /* /64s */
    uint32_t lost;         /* per cent of a large family: a greater loss is held */
    uint32_t gained;       /* per cent of a large family: a greater gain is held */
    uint32_t gained_small; /* the same for a family below the floor, when it is also more than FEW */
} ipt_accept_limits;

enum {
    IPT_ACCEPT_FLOOR_V4 = 1 << 16,   /* addresses: a family is large from here on */
    IPT_ACCEPT_FLOOR_V6 = 1 << 28,   /* /64s */
    IPT_ACCEPT_FEW = 256,            /* addresses or /64s */
    IPT_ACCEPT_AHEAD = 24 * 60 * 60, /* seconds that a feed's date may be ahead of us */
    IPT_ACCEPT_WEEK = 7 * 24 * 60 * 60,
};

/* The contract's values. hold.lost and hold.gained of the configuration replace lost and gained, a stated gained also
 * gained_small; max_addresses replaces max_v4. */
ipt_accept_limits ipt_accept_limits_for(ipt_provider provider, ipt_list_kind kind, bool internal);

/* ---- sizes of the past ---- */

/* Sizes that were active in the last week, so that many small steps are seen as the large one that they are. */
#define IPT_ACCEPT_PAST_MAX 9
typedef struct ipt_accept_moment {
    int64_t since; /* seconds since 1970 */
    ipt_space space;
} ipt_accept_moment;

typedef struct ipt_accept_past {
    ipt_accept_moment items[IPT_ACCEPT_PAST_MAX]; /* by rising time, at least a day apart */
    uint32_t count;
} ipt_accept_past;

/* To be called whenever contents became active (TAKE), with their size. Of one day the smallest size is kept. */
void ipt_accept_past_add(ipt_accept_past *past, int64_t now, ipt_space space);
/* To be called instead when a person accepted them (by_hand): what was before no longer counts. */
void ipt_accept_past_restart(ipt_accept_past *past, int64_t now, ipt_space space);
/* What was active a week ago, or else the first that is known; false when nothing is. */
IPT_MUST_USE bool ipt_accept_past_week_ago(const ipt_accept_past *past, int64_t now, ipt_space *out);

/* ---- the judgement ---- */

typedef struct ipt_accept_question {
    const ipt_feed *candidate;
    const ipt_feed *active; /* contents and version in use; NULL when there are none: then nothing is held */
    const ipt_space *week;  /* ipt_accept_past_week_ago(), or NULL */
    /* The built-in snapshot's size; NULL when there is none, or since a person accepted contents that are newer than
     * it: what was accepted must not be held again with each later change. */
    const ipt_space *built_in;
    const ipt_accept_limits *limits;
    int64_t now;                /* seconds since 1970 */
    const ipt_digest *accepted; /* contents that a person accepted: these are not held; NULL when there is none */
    bool rollback;              /* and taken even if they are older than the active ones */
} ipt_accept_question;

typedef enum ipt_accept_outcome {
    IPT_ACCEPT_REFUSE = 0, /* the active contents stay; no success. Keep what is OLDER for `accept --rollback` */
    IPT_ACCEPT_HOLD,       /* they stay until the digest is accepted; no success, so the list keeps ageing */
    IPT_ACCEPT_TAKE,       /* a success: the candidate becomes active */
    IPT_ACCEPT_SAME,       /* a success: the contents are the active ones; their version and time are new */
} ipt_accept_outcome;
const char *ipt_accept_outcome_name(ipt_accept_outcome outcome); /* "refused", "held", "taken", "unchanged" */

typedef struct ipt_accept_answer {
    ipt_accept_outcome outcome;
    bool by_hand;            /* TAKE of what would not have been taken: restart the past */
    ipt_update_text why;     /* of REFUSE and HOLD, and of by_hand; else FINE and "" */
    ipt_digest digest;       /* of the candidate */
    ipt_space before, after; /* sizes of active and candidate */
    ipt_space lost, gained;  /* active without candidate, candidate without active */
} ipt_accept_answer;

/* Allocates nothing and cannot fail. Sets must be canonical (ipt_prefixes_sort). */
ipt_accept_answer ipt_accept_judge(const ipt_accept_question *question);

/* The difference for a person, as lines "- 192.0.2.0/24" and "+ 198.51.100.0/24": prefixes whose space the other side
 * does not cover, at most `most` of each sign and then how many more there are. */
void ipt_accept_write_difference(ipt_buf *out, ipt_prefix_set active, ipt_prefix_set candidate, size_t most);

#endif
