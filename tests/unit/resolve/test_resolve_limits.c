/* What a hostile request can do: nothing beyond the limits of decision.h, and nothing that costs more than its size. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "rows.h"

#define DEFAULT(keys) "policies:\n  default: {" keys "}\n"

enum { TEXT = 16384 };

/* "NAME: a, a, a ... tail", a being there `times` times. */
static char *list_of(char *out, const char *name, const char *entry, int times, const char *tail)
{
    size_t n = (size_t)snprintf(out, TEXT, "%s: ", name);
    for (int i = 0; i < times; i++)
        n += (size_t)snprintf(out + n, TEXT - n, "%s%s", i == 0 ? "" : ",", entry);
    n += (size_t)snprintf(out + n, TEXT - n, "%s", tail);
    assert_true(n < TEXT);
    return out;
}

static void sixty_four_entries_are_examined_and_no_more(void **state)
{
    static char t[8][TEXT];
    const row rows[] = {
        {"10.0.12.1", list_of(t[0], "X-Forwarded-For", "10.0.12.2", 64, ""),
         "10.0.12.2 medium all_hops_trusted,client_not_global"},
        {"10.0.12.1", list_of(t[1], "X-Forwarded-For", "10.0.12.2", 65, ""),
         "10.0.12.2~ low limit_reached,client_not_global,unvouched_entries(1)"},
        {"10.0.12.1", list_of(t[2], "X-Forwarded-For: 8.8.8.8\nX-Forwarded-For", "10.0.12.2", 63, ""),
         "8.8.8.8 high walk_first_untrusted"},
        {"10.0.12.1", list_of(t[3], "X-Forwarded-For: 8.8.8.8\nX-Forwarded-For", "10.0.12.2", 64, ""),
         "10.0.12.2~ low limit_reached,client_not_global,unvouched_entries(1)"},
        {"10.0.12.1", list_of(t[4], "X-Forwarded-For:\nX-Forwarded-For", "10.0.12.2", 64, ""),
         "10.0.12.2~ low limit_reached,client_not_global,unvouched_entries(1)"}, /* an empty line is an entry */
        {"10.0.12.1", list_of(t[5], "X-Forwarded-For: foo\nX-Forwarded-For", "10.0.12.2", 64, ""),
         "10.0.12.2~ low limit_reached,client_not_global,unvouched_entries(1)"}, /* not looked at: no finding */
        {"10.0.12.1", list_of(t[6], "X-Forwarded-For: foo\nX-Forwarded-For", "8.8.8.8", 64, ""),
         "8.8.8.8 high walk_first_untrusted,unvouched_entries(64)"},
    };
    (void)state;
    ROWS_CHECK("lists:\n" ROWS_LB DEFAULT("trust: [lb]"), ROW_ANSWER, rows);
}

static void own_entries_count_among_the_sixty_four(void **state)
{
    static const char yaml[] =
        "lists:\n  gfe: {provider: google-lb, prefixes: [35.191.0.0/16], exclusive: true}\n" DEFAULT("trust: [gfe]");
    static char t[4][TEXT];
    const row rows[] = {
        {"35.191.0.1", list_of(t[0], "X-Forwarded-For", "35.191.0.2,34.1.1.1", 32, ""),
         "35.191.0.2~ low too_few_entries"},
        {"35.191.0.1",
         list_of(t[1], "X-Forwarded-For: 8.8.8.8, 34.1.1.1\nX-Forwarded-For", "35.191.0.2,34.1.1.1", 32, ""),
         "35.191.0.2~ low limit_reached,unvouched_entries(2)"},
        {"35.191.0.1",
         list_of(t[2], "X-Forwarded-For: 8.8.8.8, 34.1.1.1\nX-Forwarded-For", "35.191.0.2,34.1.1.1", 31, ""),
         "8.8.8.8 high walk_first_untrusted"},
    };
    (void)state;
    ROWS_CHECK(yaml, ROW_ANSWER, rows);
}

static void a_hop_count_meets_the_same_limit(void **state)
{
    static char t[2][TEXT];
    const row rows[] = {
        {"10.0.12.1", list_of(t[0], "X-Forwarded-For: 9.9.9.9, 8.8.8.8\nX-Forwarded-For", "7.7.7.7", 63, ""),
         "8.8.8.8 medium hop_count_only,unvouched_entries(1)"},
        {"10.0.12.1", list_of(t[1], "X-Forwarded-For", "7.7.7.7", 63, ""),
         "10.0.12.1~ low too_few_entries,client_not_global"},
    };
    (void)state;
    ROWS_CHECK("lists:\n" ROWS_LB DEFAULT("trust: [lb], walk: {hops: 64}"), ROW_ANSWER, rows);
}

/* Peer, PROXY source, 64 entries, every single-address header of `read` in a row, and the rest as one item. */
static void the_longest_chain_has_room(void **state)
{
    static char yaml[4096], request[TEXT];
    size_t n = (size_t)snprintf(yaml, sizeof(yaml),
                                "lists:\n  lb: {prefixes: [10.0.12.0/24], internal: true, vouches: {x-forwarded-for: "
                                "append, proxy_protocol: replace}}\n");
    for (int i = 0; i < 15; i++)
        n +=
            (size_t)snprintf(yaml + n, sizeof(yaml) - n,
                             "  l%d: {prefixes: [10.1.%d.0/24], internal: true, vouches: {x-h%d: replace}}\n", i, i, i);
    n += (size_t)snprintf(yaml + n, sizeof(yaml) - n, "policies:\n  default:\n    trust: [lb");
    for (int i = 0; i < 15; i++)
        n += (size_t)snprintf(yaml + n, sizeof(yaml) - n, ", l%d", i);
    n += (size_t)snprintf(yaml + n, sizeof(yaml) - n, "]\n    read: [x-forwarded-for");
    for (int i = 0; i < 15; i++)
        n += (size_t)snprintf(yaml + n, sizeof(yaml) - n, ", x-h%d", i);
    n += (size_t)snprintf(yaml + n, sizeof(yaml) - n, "]\n");
    assert_true(n < sizeof(yaml));

    /* 63 trusted entries and one of l0, which does not vouch for the list header: hop_not_vouching, then x-h0 ... */
    (void)list_of(request, "X-Forwarded-For: 1.1.1.1, 1.1.1.1, 10.1.0.1\nX-Forwarded-For", "10.0.12.2", 63,
                  "\nPROXY TCP4 10.0.12.3 1.1.1.1 1 2");
    n = strlen(request);
    for (int i = 0; i < 15; i++)
        n += (size_t)snprintf(request + n, TEXT - n, "\nX-H%d: %s%d%s", i, i == 14 ? "8.8.8." : "10.1.", i + 1,
                              i == 14 ? "" : ".1");
    (void)state;

    ipt_view *view = rows_view(yaml);
    rows_request *r = rows_request_new("10.0.12.1", request);
    ipt_decision *d = malloc(sizeof(*d));
    assert_non_null(d);
    assert_int_equal(ipt_resolve(view, view->policies, rows_request_get(r), IPT_DETAIL_FULL, d, NULL),
                     IPT_REFUSAL_NONE);
    /* peer, source, 64 entries, 15 headers, one item for the two entries left */
    assert_int_equal(d->chain_count, 2 + 64 + 15 + 1);
    assert_int_equal(d->chain[d->chain_count - 1].verdict, IPT_VERDICT_NOT_EXAMINED);
    assert_int_equal(d->chain[d->chain_count - 1].count, 2);
    assert_int_equal(d->client.lo & 0xffffffff, 0x0808080f);
    assert_int_equal(d->reasons & 0x3ffff, UINT64_C(1) << IPT_REASON_BOUND_HEADER);
    free(d);
    rows_request_free(r);
    ipt_view_free(view);
}

static void a_double_listed_hop_is_told_at_any_depth(void **state)
{
    static char request[TEXT];
    const row rows[] = {
        {"10.0.12.1", list_of(request, "X-Forwarded-For: 10.0.12.7\nX-Forwarded-For", "10.0.12.2", 63, ""),
         "10.0.12.7 medium all_hops_trusted,client_not_global | double_listed_address:x-forwarded-for"},
    };
    (void)state;
    ROWS_CHECK("lists:\n" ROWS_LB "  twin: {prefixes: [10.0.12.7], internal: true}\n" DEFAULT("trust: [lb, twin]"),
               ROW_ANSWER, rows);
}

/* ---- findings ---- */

/* Every way to write a name with `-`, `_` and `.`, but the right one. */
static size_t add_aliases(ipt_header *headers, size_t count, const char *name, char (*texts)[40])
{
    size_t dashes = 0, all = 1;
    for (const char *p = name; *p != '\0'; p++)
        dashes += *p == '-';
    for (size_t i = 0; i < dashes; i++)
        all *= 3;
    for (size_t i = 1; i < all; i++, count++) {
        size_t digits = i;
        char *text = texts[count];
        (void)snprintf(text, sizeof(texts[count]), "%s", name);
        for (char *p = text; *p != '\0'; p++) {
            if (*p != '-')
                continue;
            *p = "-_."[digits % 3];
            digits /= 3;
        }
        headers[count] = (ipt_header){ipt_span_from(text), {NULL, 0}};
    }
    return count;
}

static void findings_past_the_limit_are_cut_the_same_way_in_any_order(void **state)
{
    static char texts[128][40];
    ipt_header headers[128], reversed[128];
    ipt_view *view = rows_view("lists:\n" ROWS_LB DEFAULT("trust: [lb]"));
    ipt_decision *d = malloc(2 * sizeof(*d));
    size_t n = 0;
    (void)state;
    assert_non_null(d);
    n = add_aliases(headers, n, "x-envoy-external-address", texts);
    n = add_aliases(headers, n, "x-cluster-client-ip", texts);
    n = add_aliases(headers, n, "x-forwarded-for", texts);
    n = add_aliases(headers, n, "fastly-client-ip", texts);
    assert_true(n > IPT_FINDINGS_MAX);
    for (size_t i = 0; i < n; i++)
        reversed[i] = headers[n - 1 - i];

    ipt_request request = {
        .peer = IPT_SPAN("8.8.4.4"), .headers = headers, .header_count = n, .peer_header_forged = true};
    assert_int_equal(ipt_resolve(view, view->policies, &request, IPT_DETAIL_FULL, &d[0], NULL), IPT_REFUSAL_NONE);
    request.headers = reversed;
    assert_int_equal(ipt_resolve(view, view->policies, &request, IPT_DETAIL_FULL, &d[1], NULL), IPT_REFUSAL_NONE);
    assert_int_equal(d[0].finding_count, IPT_FINDINGS_MAX);
    assert_int_equal(d[1].finding_count, IPT_FINDINGS_MAX);
    for (size_t i = 0; i < IPT_FINDINGS_MAX; i++) {
        assert_int_equal(d[0].findings[i].code, d[1].findings[i].code);
        assert_int_equal(ipt_span_compare_nocase(d[0].findings[i].header, d[1].findings[i].header), 0);
        if (i != 0)
            assert_true(ipt_span_compare_nocase(d[0].findings[i - 1].header, d[0].findings[i].header) < 0);
    }
    free(d);
    ipt_view_free(view);
}

/* ---- time ---- */

typedef struct attack {
    const char *name, *value; /* one line, sent over and over */
    const char *filler;       /* or one line of this, over and over, under `name` */
} attack;

static double seconds_for(const ipt_view *view, const attack *a, size_t size)
{
    ipt_header *headers = calloc(size, sizeof(*headers));
    size_t unit = a->filler == NULL ? 0 : strlen(a->filler);
    char *line = malloc(unit * size + 1);
    ipt_decision *d = malloc(sizeof(*d));
    assert_true(headers != NULL && line != NULL && d != NULL);
    for (size_t i = 0; i < size; i++) {
        if (unit != 0)
            memcpy(line + i * unit, a->filler, unit);
        headers[i] = (ipt_header){ipt_span_from(a->name), ipt_span_from(a->value)};
    }
    ipt_request request = {.peer = IPT_SPAN("10.0.12.1"), .headers = headers, .header_count = size};
    if (unit != 0) {
        headers[0].value = (ipt_span){line, unit * size};
        request.header_count = 1;
    }
    double best = 1e9;
    for (int i = 0; i < 5; i++) {
        struct timespec from, to;
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
        assert_int_equal(ipt_resolve(view, view->policies, &request, IPT_DETAIL_FULL, d, NULL), IPT_REFUSAL_NONE);
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
        double took = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
        best = took < best ? took : best;
    }
    free(headers);
    free(line);
    free(d);
    return best;
}

/* Ten times the request may cost ten times as much, and some for the cache; a hundred times would be a square. */
static void a_hostile_request_costs_its_size_and_not_the_square(void **state)
{
    static const attack attacks[] = {
        {"X-Forwarded-For", "8.8.8.8", NULL},
        {"X-Forwarded-For", "10.0.12.2", NULL},
        {"X-Forwarded-For", "", NULL},
        {"Forwarded", "for=10.0.12.2", NULL},
        {"Forwarded", "\"", NULL},
        {"Connection", "x-forwarded-for", NULL},
        {"X_Forwarded.For", "x", NULL},
        {"X-Real-IP", "8.8.8.8", NULL},
        {"X-Forwarded-For", "", "10.0.12.2,"},
        {"X-Forwarded-For", "", " "},
        {"Forwarded", "", ",\""},
        {"Forwarded", "", "\\\""},
        {"Forwarded", "", "\\"},
        {"Forwarded", "", "a=b;"},
        {"Forwarded", "", "for=10.0.12.2,"},
        {"Connection", "", "via,"}, /* short: AddressSanitizer looks at all that memrchr() might read */
    };
    ipt_view *view = rows_view("lists:\n  lb: {prefixes: [10.0.12.0/24], internal: true, vouches: {forwarded: append, "
                               "x-forwarded-for: append, x-real-ip: replace}}\n" DEFAULT(
                                   "trust: [lb], read: [x-real-ip, x-forwarded-for, forwarded]"));
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(attacks); i++) {
        double small = seconds_for(view, &attacks[i], 10000), large = seconds_for(view, &attacks[i], 100000);
        if (large > 45 * small + 0.001)
            fail_msg("%s %s: %f s for 10,000, %f s for 100,000", attacks[i].name,
                     attacks[i].filler == NULL ? attacks[i].value : attacks[i].filler, small, large);
    }
    ipt_view_free(view);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sixty_four_entries_are_examined_and_no_more),
        cmocka_unit_test(own_entries_count_among_the_sixty_four),
        cmocka_unit_test(a_hop_count_meets_the_same_limit),
        cmocka_unit_test(the_longest_chain_has_room),
        cmocka_unit_test(a_double_listed_hop_is_told_at_any_depth),
        cmocka_unit_test(findings_past_the_limit_are_cut_the_same_way_in_any_order),
        cmocka_unit_test(a_hostile_request_costs_its_size_and_not_the_square),
    };
    return cmocka_run_group_tests(tests, rows_setup, rows_teardown);
}
