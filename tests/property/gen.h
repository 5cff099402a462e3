/* Random requests in a form that can be said again in another way: the same addresses spelt otherwise, the same entries
 * on other lines, the same headers in another order. Rendering is a function of the form alone. */
#ifndef PROPERTY_GEN_H
#define PROPERTY_GEN_H

#include "iptrust/net/addr.h"
#include "iptrust/resolve/request.h"

#define GEN_LINES   24
#define GEN_ENTRIES 80 /* of one line */
#define GEN_TEXT    (1U << 16)

/* xorshift64*: small, seeded, the same everywhere. */
typedef struct rng {
    uint64_t state;
} rng;
uint64_t rng_next(rng *r);
uint32_t rng_below(rng *r, uint32_t n); /* 0 to n - 1 */
bool rng_one_in(rng *r, uint32_t n);

typedef struct gen_entry {
    bool has_addr;
    bool secret;       /* FORWARDED: carries the right secret */
    ipt_addr addr;     /* when has_addr */
    uint32_t spelling; /* picks among the forms that the header admits */
    const char *raw;   /* otherwise, static */
} gen_entry;

typedef enum gen_kind { GEN_XFF = 0, GEN_FORWARDED, GEN_SINGLE, GEN_VIEWER, GEN_RAW, GEN_ATTRIBUTE } gen_kind;

typedef struct gen_line {
    gen_kind kind;
    const char *name; /* static */
    uint32_t name_case;
    uint32_t count;
    gen_entry entries[GEN_ENTRIES];
} gen_line;

typedef enum gen_peer_kind { GEN_PEER_ADDR = 0, GEN_PEER_UNIX, GEN_PEER_RAW } gen_peer_kind;
typedef enum gen_proxy {
    GEN_PROXY_NONE = 0,
    GEN_PROXY_SOURCE,
    GEN_PROXY_LOCAL,
    GEN_PROXY_UNKNOWN,
    GEN_PROXY_BAD
} gen_proxy;

typedef struct gen_request {
    gen_peer_kind peer_kind;
    gen_entry peer;
    uint32_t line_count;
    gen_line lines[GEN_LINES];
    gen_proxy proxy;
    ipt_addr proxy_source;
    bool proxy_v1;
    const char *principal;
    ipt_caller caller;
    bool headers_merged, http_parser_lax;
} gen_request;

/* Addresses that the policy in question trusts, so that chains are often as long as real ones. */
typedef struct gen_pool {
    uint32_t count;
    ipt_addr trusted[32];
} gen_pool;
/* The i-th address that some list of the configurations holds; false past the last. */
bool gen_inside(uint32_t i, ipt_addr *out);

void gen_random(rng *r, const gen_pool *pool, gen_request *out);

/* What gen_random() makes of a form: text in `text`, headers in `headers`. */
typedef struct gen_rendered {
    ipt_header headers[GEN_LINES], attributes[GEN_LINES];
    ipt_request request;
    size_t used;
    char text[GEN_TEXT];
} gen_rendered;

void gen_render(const gen_request *form, gen_rendered *out);

/* ---- the same request said otherwise ---- */

void gen_respell(rng *r, gen_request *form);                  /* I6 */
bool gen_split(rng *r, gen_request *form);                    /* I5: one line becomes two; false when none can */
bool gen_join(gen_request *form);                             /* I5: two neighbouring lines become one */
void gen_shuffle(rng *r, gen_request *form);                  /* I10: lines of one name keep their order */
bool gen_prepend(rng *r, gen_request *form, gen_kind header); /* I2: false when there is no such header or no room */
void gen_strip(gen_request *form);                            /* I1: the peer and the caller alone */
/* Whether every quotation mark of the line has its partner. */
bool gen_line_balanced(const gen_line *line);
bool gen_same_name(const gen_line *a, const gen_line *b);

#endif
