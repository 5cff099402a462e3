/* Decisions as one-line rows: a configuration, a request written as text, and the answer as a short string. Every row
 * is decided three times, into memory filled with different bytes and once for the client alone, and all must agree. */
#ifndef IPTRUST_TESTS_RESOLVE_ROWS_H
#define IPTRUST_TESTS_RESOLVE_ROWS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "iptrust/resolve/resolve.h"

#define ROWS_NOW INT64_C(1795348800) /* 2026-11-22T12:00:00Z */

/* An own list `lb`, Cloudflare, and the policy that decision.md section 9 uses, its last line open for more keys. */
#define ROWS_FRESH "fetched_at: 2026-11-22T12:00:00Z"
#define ROWS_LB    "  lb: {prefixes: [10.0.12.0/24], internal: true}\n"
#define ROWS_CF(more) \
    "  cf: {provider: cloudflare, prefixes: [173.245.48.0/20, 172.64.0.0/13, \"2a06:98c0::/29\"], " more "}\n"

/* The view of a configuration (YAML text), relative paths meaning a directory whose files `secret` and `other` hold
 * "s3cret" and "0ther". Fails the test, with the messages, when the configuration is refused. */
ipt_view *rows_view(const char *yaml);
int rows_setup(void **state); /* of a group: makes the directory */
int rows_teardown(void **state);

typedef struct row {
    const char *peer;    /* NULL: no bytes at all */
    const char *request; /* one header a line ("Name: value"), and words of our own, see rows_request() */
    const char *expected;
} row;

typedef enum row_shape {
    ROW_ANSWER = 0, /* "8.8.8.8:4711 high walk_first_untrusted,unvouched_entries(1) | code:header code:header"; `~`
                     * after the client: complete is false; `-`: no client */
    ROW_CHAIN,      /* "10.0.12.1=lb/24 > 8.8.8.8=client x-forwarded-for.0.1 > not_examined(3)" */
    ROW_KEYS,       /* "rate network peer", `-` for an absent one, then class, embedded address, lists of the client */
    ROW_RULING,     /* "allow" or "deny deny.lists" */
    ROW_CONTEXT,    /* "proto=.. host=.. port=.. prefix=.. via=n vouched=a,b" */
} row_shape;

/* Lines of a request that are no headers: "PROXY ..." (version 1), "proxy: HEX" (any bytes), "attr: NAME=VALUE",
 * "principal: NAME", "fact: unknown|merged|lax|forged|unselectable"; the caller is trusted without the first fact. */
typedef struct rows_request rows_request;
rows_request *rows_request_new(const char *peer, const char *text);
ipt_request *rows_request_get(rows_request *r);
void rows_request_free(rows_request *r);

void rows_format(const ipt_decision *d, row_shape shape, char *out, size_t size);
/* Decides each row by policy `default` and compares; says all rows that differ. */
void rows_check(const char *yaml, row_shape shape, const row *rows, size_t count);
#define ROWS_CHECK(yaml, shape, rows) rows_check((yaml), (shape), (rows), IPT_COUNT(rows))

#endif
