/* Evidence stronger than an address (decision.md sections 3 and 7): what proves a hop, and what does not. */
#include <stdio.h>
#include <stdlib.h>

#include "rows.h"

#define DEFAULT(keys) "policies:\n  default: {" keys "}\n"
#define FRONT(proof)                                                                                                   \
    "  front: {provider: aws, services: [CLOUDFRONT], prefixes: [130.176.0.0/17], " ROWS_FRESH ", proof: {" proof "}}" \
    "\n"

static void a_secret_header_proves_when_it_stands_on_exactly_one_line(void **state)
{
    static const char yaml[] =
        "lists:\n" ROWS_LB FRONT("header: x-origin-token, secret_file: secret") DEFAULT("trust: [lb, front]");
    static const row rows[] = {
        {"130.176.0.1", "X-Forwarded-For: 8.8.8.8\nX-Origin-Token: s3cret",
         "8.8.8.8 authenticated walk_first_untrusted,proof_verified"},
        {"130.176.0.1", "X-Forwarded-For: 8.8.8.8\nx-ORIGIN-token:  s3cret\t",
         "8.8.8.8 authenticated walk_first_untrusted,proof_verified"},
        {"130.176.0.1", "X-Forwarded-For: 8.8.8.8\nX-Origin-Token: s3cret\nX-Origin-Token: s3cret",
         "8.8.8.8 low walk_first_untrusted,shared_provider,proof_failed"},
        {"130.176.0.1", "X-Forwarded-For: 8.8.8.8\nX-Origin-Token: S3cret",
         "8.8.8.8 low walk_first_untrusted,shared_provider,proof_failed"},
        {"130.176.0.1", "X-Forwarded-For: 8.8.8.8\nX-Origin-Token: s3cre",
         "8.8.8.8 low walk_first_untrusted,shared_provider,proof_failed"},
        {"130.176.0.1",
         "X-Forwarded-For: 8.8.8.8\nX-Origin-Token:", "8.8.8.8 low walk_first_untrusted,shared_provider,proof_failed"},
        {"130.176.0.1", "X-Forwarded-For: 8.8.8.8", "8.8.8.8 low walk_first_untrusted,shared_provider,proof_failed"},
        /* the header came through lb: it counts for the hop that stands in the list */
        {"10.0.12.1", "X-Forwarded-For: 8.8.8.8, 130.176.0.1\nX-Origin-Token: s3cret",
         "8.8.8.8 authenticated walk_first_untrusted,proof_verified"},
        {"10.0.12.1", "X-Forwarded-For: 8.8.8.8\nX-Origin-Token: wrong", "8.8.8.8 high walk_first_untrusted"},
        /* only high is lifted */
        {"130.176.0.1", "X-Forwarded-For: 8.8.8.8\nX-Origin-Token: s3cret\nfact: unknown",
         "8.8.8.8 medium walk_first_untrusted,proof_verified,caller_unauthenticated"},
        {"130.176.0.1", "X-Origin-Token: s3cret", "130.176.0.1~ low peer_trusted_no_header,proof_verified"},
        {"8.8.4.4", "X-Origin-Token: s3cret", "8.8.4.4 high peer_untrusted_direct"},
    };
    (void)state;
    ROWS_CHECK(yaml, ROW_ANSWER, rows);
}

static void the_outermost_trusted_hop_decides_whether_proof_lifts(void **state)
{
    static const char yaml[] =
        "lists:\n  lb: {prefixes: [10.0.12.0/24], internal: true, proof: {header: x-lb-token, secret_file: other}}\n"
        "  plain: {prefixes: [10.0.13.0/24], internal: true}\n" FRONT("header: x-origin-token, secret_file: secret")
            DEFAULT("trust: [lb, plain, front]");
    static const row rows[] = {
        {"10.0.12.1", "X-Forwarded-For: 8.8.8.8, 10.0.13.1\nX-LB-Token: 0ther", "8.8.8.8 high walk_first_untrusted"},
        {"10.0.12.1", "X-Forwarded-For: 8.8.8.8\nX-LB-Token: 0ther",
         "8.8.8.8 authenticated walk_first_untrusted,proof_verified"},
        {"10.0.12.1", "X-Forwarded-For: 8.8.8.8, 130.176.0.1\nX-Origin-Token: s3cret",
         "8.8.8.8 low walk_first_untrusted,proof_failed,proof_verified"},
        {"10.0.12.1", "X-Forwarded-For: 8.8.8.8, 130.176.0.1\nX-Origin-Token: s3cret\nX-LB-Token: 0ther",
         "8.8.8.8 authenticated walk_first_untrusted,proof_verified"},
    };
    (void)state;
    ROWS_CHECK(yaml, ROW_ANSWER, rows);
}

static void a_front_door_id_is_one_of_ours_or_nothing(void **state)
{
    static const char yaml[] =
        "lists:\n  door: {provider: azure, services: [AzureFrontDoor.Backend], prefixes: [147.243.0.0/16], " ROWS_FRESH
        ", proof: {front_door_id: [aaaa-1, bbbb-2]}}\n" DEFAULT("trust: [door]");
    static const row rows[] = {
        {"147.243.0.1", "X-Forwarded-For: 8.8.8.8\nX-Azure-FDID: bbbb-2",
         "8.8.8.8 authenticated walk_first_untrusted,proof_verified"},
        {"147.243.0.1", "X-Forwarded-For: 8.8.8.8\nX-Azure-FDID: cccc-3",
         "8.8.8.8 low walk_first_untrusted,shared_provider,proof_failed"},
        {"147.243.0.1", "X-Forwarded-For: 8.8.8.8\nX-Azure-FDID: aaaa-1\nX-Azure-FDID: bbbb-2",
         "8.8.8.8 low walk_first_untrusted,shared_provider,proof_failed"},
    };
    (void)state;
    ROWS_CHECK(yaml, ROW_ANSWER, rows);
}

static void a_principal_proves_hop_0_and_only_by_a_trusted_callers_word(void **state)
{
    static const char yaml[] =
        "lists:\n  mesh: {prefixes: [10.0.12.0/24], internal: true, proof: {principals: [\"spiffe://a/edge\"]}}\n"
        "  sock: {unix: true, internal: true, proof: {principals: [\"spiffe://a/edge\"]}}\n" DEFAULT(
            "trust: [mesh, sock]");
    static const row rows[] = {
        {"10.0.12.1", "X-Forwarded-For: 8.8.8.8\nprincipal: spiffe://a/edge",
         "8.8.8.8 authenticated walk_first_untrusted,proof_verified"},
        {"unix", "X-Forwarded-For: 8.8.8.8\nprincipal: spiffe://a/edge",
         "8.8.8.8 authenticated walk_first_untrusted,proof_verified"},
        {"10.0.12.1", "X-Forwarded-For: 8.8.8.8\nprincipal: spiffe://a/edge2",
         "8.8.8.8 low walk_first_untrusted,proof_failed"},
        {"10.0.12.1", "X-Forwarded-For: 8.8.8.8", "8.8.8.8 low walk_first_untrusted,proof_failed"},
        {"10.0.12.1", "X-Forwarded-For: 8.8.8.8\nprincipal: spiffe://a/edge\nfact: unknown",
         "8.8.8.8 low walk_first_untrusted,proof_failed,caller_unauthenticated"},
        {"10.0.12.1", "X-Forwarded-For: 8.8.8.8, 10.0.12.2\nprincipal: spiffe://a/edge",
         "8.8.8.8 low walk_first_untrusted,proof_failed"},
    };
    (void)state;
    ROWS_CHECK(yaml, ROW_ANSWER, rows);
}

#define PARTNER(more)                                                                                          \
    "lists:\n"                                                                                                 \
    "  partner: {prefixes: [11.0.0.0/24], vouches: {" more "}, proof: {forwarded_param: secret, secret_file: " \
    "secret}}\n"

static void a_forwarded_parameter_proves_by_the_element_after_the_hop(void **state)
{
    static const row rows[] = {
        {"11.0.0.1", "Forwarded: for=8.8.8.8;secret=s3cret",
         "8.8.8.8 authenticated walk_first_untrusted,proof_verified"},
        {"11.0.0.1", "Forwarded: for=8.8.8.8;Secret=\"s3c\\ret\"",
         "8.8.8.8 authenticated walk_first_untrusted,proof_verified"},
        {"11.0.0.1", "Forwarded: for=8.8.8.8;secret=no",
         "11.0.0.1~ low hop_not_vouching,proof_failed,unvouched_entries(1)"},
        {"11.0.0.1", "Forwarded: for=8.8.8.8", "11.0.0.1~ low hop_not_vouching,proof_failed,unvouched_entries(1)"},
        {"11.0.0.1", "Forwarded: for=8.8.8.8;secret=s3cret;secret=s3cret",
         "11.0.0.1~ low hop_not_vouching,proof_failed,unvouched_entries(1) | non_address_token:forwarded "
         "duplicate_parameter:forwarded"},
        {"11.0.0.1", "Forwarded: for=8.8.8.8;secret=s3cret, for=11.0.0.2;secret=s3cret",
         "8.8.8.8 authenticated walk_first_untrusted,proof_verified"},
        {"11.0.0.1", "Forwarded: for=8.8.8.8, for=11.0.0.2;secret=s3cret",
         "11.0.0.2~ low hop_not_vouching,proof_failed,unvouched_entries(1)"},
        {"11.0.0.1", "Forwarded: for=11.0.0.2;secret=s3cret", "11.0.0.2 low all_hops_trusted,proof_failed"},
        {"11.0.0.1", "Forwarded: for=unknown;secret=s3cret",
         "11.0.0.1~ low entry_obfuscated,proof_verified | non_address_token:forwarded"},
        {"11.0.0.1", "", "11.0.0.1~ low peer_trusted_no_header,proof_failed"},
        {"11.0.0.1", "X-Forwarded-For: 8.8.8.8",
         "8.8.8.8 low walk_first_untrusted,proof_failed"}, /* another header leads */
    };
    static const row counted[] = {
        {"11.0.0.1", "Forwarded: for=9.9.9.9, for=8.8.8.8", "9.9.9.9 low hop_count_only,proof_failed"},
        {"11.0.0.1", "Forwarded: for=9.9.9.9, for=8.8.8.8;secret=s3cret",
         "9.9.9.9 medium hop_count_only,proof_verified"},
    };
    (void)state;
    ROWS_CHECK(PARTNER("forwarded: append, x-forwarded-for: append")
                   DEFAULT("trust: [partner], read: [forwarded, x-forwarded-for]"),
               ROW_ANSWER, rows);
    ROWS_CHECK(PARTNER("forwarded: append") DEFAULT("trust: [partner], read: [forwarded], walk: {hops: 2}"), ROW_ANSWER,
               counted);
}

static void nothing_is_proven_where_the_chain_goes_on_by_other_evidence(void **state)
{
    static const char yaml[] = PARTNER("forwarded: append, x-real-ip: replace, proxy_protocol: replace")
        DEFAULT("trust: [partner], read: [x-real-ip, forwarded]");
    static const row rows[] = {
        /* x-real-ip displaces the element, secret and all */
        {"11.0.0.1", "X-Real-IP: 8.8.8.8\nForwarded: for=unknown;secret=s3cret",
         "8.8.8.8 low bound_header,proof_failed,unvouched_entries(1) | non_address_token:forwarded"},
        {"11.0.0.1", "X-Real-IP: 11.0.0.9\nForwarded: for=9.9.9.9;secret=s3cret, for=unknown;secret=s3cret",
         "11.0.0.9 low all_hops_trusted,proof_failed,unvouched_entries(2) | non_address_token:forwarded"},
        /* it agrees: the element stays what the hop wrote */
        {"11.0.0.1", "X-Real-IP: 8.8.8.8\nForwarded: for=8.8.8.8;secret=s3cret",
         "8.8.8.8 authenticated bound_header,proof_verified,headers_agree"},
        /* the PROXY source spoke HTTP, so the element is its word and not the peer's */
        {"11.0.0.1", "PROXY TCP4 11.0.0.2 1.1.1.1 1 2\nForwarded: for=8.8.8.8;secret=s3cret",
         "8.8.8.8 low walk_first_untrusted,proof_failed,proof_verified"},
    };
    (void)state;
    ROWS_CHECK(yaml, ROW_ANSWER, rows);
}

/* A table too large for the cache is asked ahead of the walk (entries.c): what was taken ahead must prove nothing. */
static void looking_ahead_proves_nothing(void **state)
{
    static const char head[] = "  wide: {prefixes: [";
    static const row rows[] = {
        {"11.0.0.1", "Forwarded: for=9.9.9.9;secret=s3cret, for=11.0.0.2;secret=s3cret",
         "11.0.0.2 low all_hops_trusted,proof_failed,unvouched_entries(1)"},
    };
    const size_t size = 1U << 20;
    char *yaml = malloc(size);
    (void)state;
    assert_non_null(yaml);
    static const char policy[] = DEFAULT("trust: [partner], read: [forwarded]");
    ROWS_CHECK(PARTNER("forwarded: replace") DEFAULT("trust: [partner], read: [forwarded]"), ROW_ANSWER, rows);

    size_t n = (size_t)snprintf(yaml, size, "%s%s", PARTNER("forwarded: replace"), head);
    for (unsigned i = 0; i < 12000; i++)
        n += (size_t)snprintf(yaml + n, size - n, "%s11.%u.%u.1", i == 0 ? "" : ", ", 1 + i / 250, i % 250);
    n += (size_t)snprintf(yaml + n, size - n, "]}\n%s", policy);
    assert_true(n < size);
    ipt_view *view = rows_view(yaml);
    assert_true(ipt_lpm_bytes(view->lpm) > 1U << 20);
    ipt_view_free(view);
    ROWS_CHECK(yaml, ROW_ANSWER, rows);
    free(yaml);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_secret_header_proves_when_it_stands_on_exactly_one_line),
        cmocka_unit_test(the_outermost_trusted_hop_decides_whether_proof_lifts),
        cmocka_unit_test(a_front_door_id_is_one_of_ours_or_nothing),
        cmocka_unit_test(a_principal_proves_hop_0_and_only_by_a_trusted_callers_word),
        cmocka_unit_test(a_forwarded_parameter_proves_by_the_element_after_the_hop),
        cmocka_unit_test(nothing_is_proven_where_the_chain_goes_on_by_other_evidence),
        cmocka_unit_test(looking_ahead_proves_nothing),
    };
    return cmocka_run_group_tests(tests, rows_setup, rows_teardown);
}
