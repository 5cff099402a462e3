/* Policies by hop count: the n-th entry from the right, whoever stands there (decision.md section 5). */
#include "rows.h"

#define DEFAULT(keys) "policies:\n  default: {" keys "}\n"
#define LISTS                                                                                                       \
    "lists:\n  lb: {prefixes: [10.0.12.0/24], internal: true, vouches: {proxy_protocol: replace, x-forwarded-for: " \
    "append}}\n  edge: {prefixes: [11.2.3.0/24]}\n  sock: {unix: true}\n" ROWS_CF(ROWS_FRESH)

static void the_nth_entry_from_the_right_is_the_client(void **state)
{
    static const row one[] = {
        {"10.0.12.1", "X-Forwarded-For: 9.9.9.9, 8.8.8.8:7", "8.8.8.8:7 medium hop_count_only,unvouched_entries(1)"},
        {"10.0.12.1", "X-Forwarded-For: 10.0.12.2",
         "10.0.12.2 medium hop_count_only,client_not_global"}, /* not judged */
        {"10.0.12.1", "", "10.0.12.1~ low too_few_entries,client_not_global"},
        {"10.0.12.1", "X-Forwarded-For: 8.8.8.8, unknown",
         "10.0.12.1~ low entry_obfuscated,client_not_global,unvouched_entries(1) | non_address_token:x-forwarded-for"},
        {"10.0.12.1", "X-Forwarded-For:", "10.0.12.1~ low too_few_entries,client_not_global"},
        {"8.8.4.4", "X-Forwarded-For: 8.8.8.8",
         "8.8.4.4 high peer_untrusted_direct | forwarding_header_from_untrusted_peer:x-forwarded-for"},
        {"unix", "X-Forwarded-For: 8.8.8.8", "8.8.8.8 medium hop_count_only"},
        {"unix", "", "-~ none no_address"},
        {"unix", "X-Forwarded-For: x", "-~ none no_address | non_address_token:x-forwarded-for"},
        {"173.245.48.7", "X-Forwarded-For: 8.8.8.8\nCF-Connecting-IP: 1.1.1.1\nConnection: x-forwarded-for",
         "8.8.8.8 low hop_count_only,shared_provider,hop_by_hop_tamper | "
         "connection_nominates_header:x-forwarded-for"},
        {"2a06:98c0:3600::1", "X-Forwarded-For: 8.8.8.8",
         "2a06:98c0:3600::1 low client_is_provider_egress | forwarding_header_from_untrusted_peer:x-forwarded-for"},
    };
    static const row three[] = {
        {"10.0.12.1", "X-Forwarded-For: 7.7.7.7, 9.9.9.9, 8.8.8.8", "7.7.7.7 medium hop_count_only"},
        {"10.0.12.1", "X-Forwarded-For: 9.9.9.9, 8.8.8.8", "10.0.12.1~ low too_few_entries,client_not_global"},
        {"10.0.12.1", "X-Forwarded-For: 7.7.7.7, , 8.8.8.8",
         "10.0.12.1~ low entry_empty,client_not_global,unvouched_entries(1)"},
        {"10.0.12.1", "X-Forwarded-For: bad, 7.7.7.7, 9.9.9.9, 8.8.8.8",
         "7.7.7.7 medium hop_count_only,unvouched_entries(1) | non_address_token:x-forwarded-for"},
    };
    static const row chain[] = {
        {"10.0.12.1", "X-Forwarded-For: 7.7.7.7\nX-Forwarded-For: 9.9.9.9, 8.8.8.8",
         "10.0.12.1=lb/24 > 8.8.8.8=counted x-forwarded-for.1.1 > 9.9.9.9=counted x-forwarded-for.1.0 > "
         "7.7.7.7=client x-forwarded-for.0.0"},
    };
    (void)state;
    ROWS_CHECK(LISTS DEFAULT("trust: [lb, sock, cf], walk: {hops: 1}"), ROW_ANSWER, one);
    ROWS_CHECK(LISTS DEFAULT("trust: [lb, sock, cf], walk: {hops: 3}"), ROW_ANSWER, three);
    ROWS_CHECK(LISTS DEFAULT("trust: [lb, sock, cf], walk: {hops: 3}"), ROW_CHAIN, chain);
}

static void a_vouched_proxy_source_is_one_of_the_n(void **state)
{
    static const row one[] = {
        {"10.0.12.1", "PROXY TCP4 8.8.8.8 1.1.1.1 5 2\nX-Forwarded-For: 9.9.9.9",
         "8.8.8.8:5 medium hop_count_only | forwarding_header_from_untrusted_peer:x-forwarded-for"},
        {"10.0.12.1", "PROXY TCP4 10.0.12.2 1.1.1.1 5 2", "10.0.12.2:5 medium hop_count_only,client_not_global"},
        {"10.0.12.1", "PROXY UNKNOWN\nX-Forwarded-For: 9.9.9.9",
         "10.0.12.1~ low entry_obfuscated,client_not_global | forwarding_header_from_untrusted_peer:x-forwarded-for"},
    };
    static const row two[] = {
        {"10.0.12.1", "PROXY TCP4 10.0.12.2 1.1.1.1 5 2\nX-Forwarded-For: 9.9.9.9, 8.8.8.8",
         "8.8.8.8 medium hop_count_only,unvouched_entries(1)"},
        {"10.0.12.1", "PROXY TCP4 7.7.7.7 1.1.1.1 5 2\nX-Forwarded-For: 9.9.9.9, 8.8.8.8",
         "7.7.7.7:5~ low too_few_entries"},
        {"10.0.12.1", "PROXY TCP4 10.0.12.2 1.1.1.1 5 2", "10.0.12.2:5~ low too_few_entries,client_not_global"},
        {"10.0.12.1", "PROXY TCP4 2600::1 1.1.1.1 5 2", "refused"},
        {"10.0.12.1", "PROXY TCP6 2a06:98c0:3600::1 ::1 5 2\nX-Forwarded-For: 8.8.8.8",
         "2a06:98c0:3600::1:5~ low too_few_entries"},
        {"unix", "PROXY TCP4 10.0.12.2 1.1.1.1 5 2\nX-Forwarded-For: 9.9.9.9, 8.8.8.8",
         "9.9.9.9 medium hop_count_only | header_not_vouched:proxy_protocol"},
    };
    static const row vouched[] = {
        {"10.0.12.1", "PROXY TCP4 10.0.12.2 1.1.1.1 5 2\nX-Forwarded-Proto: https",
         "proto=https via=0 vouched="}, /* the source spoke HTTP, and nobody knows what it writes */
    };
    (void)state;
    ROWS_CHECK(LISTS DEFAULT("trust: [lb, sock, cf], walk: {hops: 1}"), ROW_ANSWER, one);
    ROWS_CHECK(LISTS DEFAULT("trust: [lb, sock, cf], walk: {hops: 2}"), ROW_ANSWER, two);
    ROWS_CHECK("lists:\n  lb: {prefixes: [10.0.12.0/24], internal: true, vouches: {proxy_protocol: replace, "
               "x-forwarded-proto: replace}}\n" DEFAULT("trust: [lb], walk: {hops: 1}"),
               ROW_CONTEXT, vouched);
}

static void the_peers_own_entry_is_passed_over_when_the_policy_says_so(void **state)
{
    static const row rows[] = {
        {"10.0.12.1", "X-Forwarded-For: 9.9.9.9, 8.8.8.8, 10.0.12.1",
         "8.8.8.8 medium hop_count_only,unvouched_entries(1)"},
        {"10.0.12.1", "X-Forwarded-For: 10.0.12.1", "10.0.12.1~ low too_few_entries,client_not_global"},
        {"10.0.12.1", "X-Forwarded-For: 8.8.8.8, unknown",
         "10.0.12.1~ low entry_obfuscated,client_not_global,unvouched_entries(1) | non_address_token:x-forwarded-for"},
        {"10.0.12.1", "X-Forwarded-For: 8.8.8.8, 1.2.3.4", "8.8.8.8 medium hop_count_only"},
    };
    static const row chain[] = {
        {"10.0.12.1", "X-Forwarded-For: 8.8.8.8, 10.0.12.1",
         "10.0.12.1=lb/24 > 10.0.12.1=own x-forwarded-for.0.1 > 8.8.8.8=client x-forwarded-for.0.0"},
    };
    (void)state;
    ROWS_CHECK(LISTS DEFAULT("trust: [lb], walk: {hops: 1, peer_in_header: yes}"), ROW_ANSWER, rows);
    ROWS_CHECK(LISTS DEFAULT("trust: [lb], walk: {hops: 1, peer_in_header: yes}"), ROW_CHAIN, chain);
}

static void trust_anyone_believes_the_first_list_header_and_says_so(void **state)
{
    static const row rows[] = {
        {"8.8.4.4", "X-Forwarded-For: 9.9.9.9, 8.8.8.8",
         "8.8.8.8 low hop_count_only,peer_unchecked,unvouched_entries(1)"},
        {"8.8.4.4", "", "8.8.4.4~ low too_few_entries,peer_unchecked"},
        {"unix", "X-Forwarded-For: 8.8.8.8", "8.8.8.8 low hop_count_only,peer_unchecked"},
        {"unix", "", "-~ none no_address,peer_unchecked"},
        {"nope", "X-Forwarded-For: 8.8.8.8", "-~ none no_address"},
        /* PROXY bytes are not evidence, yet bad ones refuse the request */
        {"8.8.4.4", "PROXY TCP4 7.7.7.7 1.1.1.1 5 2\nX-Forwarded-For: 8.8.8.8",
         "8.8.8.8 low hop_count_only,peer_unchecked | header_not_vouched:proxy_protocol"},
        {"8.8.4.4", "PROXY TCP5 7.7.7.7 1.1.1.1 5 2\nX-Forwarded-For: 8.8.8.8", "refused"},
        {"8.8.4.4", "PROXY UNKNOWN\nX-Forwarded-For: 8.8.8.8",
         "8.8.8.8 low hop_count_only,peer_unchecked | header_not_vouched:proxy_protocol"},
        {"8.8.4.4", "X-Forwarded-For: 8.8.8.8\nConnection: x-forwarded-for",
         "8.8.8.8 low hop_count_only,peer_unchecked | connection_nominates_header:x-forwarded-for"},
        {"8.8.4.4", "Forwarded: for=8.8.8.8",
         "8.8.4.4~ low too_few_entries,peer_unchecked | header_not_vouched:forwarded"}, /* the first name alone */
        {"10.0.12.1", "X-Forwarded-For: 8.8.8.8", "8.8.8.8 low hop_count_only,peer_unchecked"},
    };
    static const row chain[] = {
        {"8.8.4.4:9", "X-Forwarded-For: 9.9.9.9, 8.8.8.8",
         "8.8.4.4:9=counted > 8.8.8.8=client x-forwarded-for.0.1 > 9.9.9.9=unvouched x-forwarded-for.0.0"},
    };
    (void)state;
    ROWS_CHECK(LISTS DEFAULT("trust: anyone, read: [x-forwarded-for, forwarded], walk: {hops: 1}"), ROW_ANSWER, rows);
    ROWS_CHECK(LISTS DEFAULT("trust: anyone, walk: {hops: 1}"), ROW_CHAIN, chain);
}

static void old_or_empty_lists_count_unless_the_count_was_met(void **state)
{
    static const char yaml[] =
        "lists:\n  lb: {prefixes: [10.0.12.0/24], internal: true, vouches: {proxy_protocol: replace, x-forwarded-for: "
        "append}}\n  none: {prefixes: []}\n" ROWS_CF("fetched_at: 2026-01-01T00:00:00Z, exclusive: true")
            DEFAULT("trust: [lb, none, cf], walk: {hops: 2}");
    static const row rows[] = {
        {"8.8.4.4", "", "8.8.4.4 low peer_untrusted_direct,trust_set_outdated,trust_set_empty"},
        {"10.0.12.1", "X-Forwarded-For: 9.9.9.9, 8.8.8.8", "9.9.9.9 medium hop_count_only"},
        {"10.0.12.1", "", "10.0.12.1~ low too_few_entries,client_not_global"},
        {"10.0.12.1", "PROXY TCP4 7.7.7.7 1.1.1.1 5 2",
         "7.7.7.7:5~ low too_few_entries,trust_set_outdated,trust_set_empty"},
    };
    (void)state;
    ROWS_CHECK(yaml, ROW_ANSWER, rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nth_entry_from_the_right_is_the_client),
        cmocka_unit_test(a_vouched_proxy_source_is_one_of_the_n),
        cmocka_unit_test(the_peers_own_entry_is_passed_over_when_the_policy_says_so),
        cmocka_unit_test(trust_anyone_believes_the_first_list_header_and_says_so),
        cmocka_unit_test(old_or_empty_lists_count_unless_the_count_was_met),
    };
    return cmocka_run_group_tests(tests, rows_setup, rows_teardown);
}
