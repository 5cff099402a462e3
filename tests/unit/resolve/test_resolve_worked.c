/* The worked cases of decision.md section 9, row by row under their numbers. */
#include "rows.h"

#define POLICY(read) "policies:\n  default: {trust: [lb, cf], read: [" read "]}\n"
#define READ         "x-forwarded-for, cf-connecting-ip"

static void every_worked_case_of_the_decision_holds(void **state)
{
    static const row rows[] = {
        /* 1 */ {"8.8.4.4", "", "8.8.4.4 high peer_untrusted_direct"},
        /* 2 */
        {"8.8.4.4", "X-Forwarded-For: 1.1.1.1\nCF-Connecting-IP: 1.1.1.1",
         "8.8.4.4 high peer_untrusted_direct | forwarding_header_from_untrusted_peer:x-forwarded-for "
         "provider_header_from_wrong_peer:cf-connecting-ip"},
        /* 3 */ {"10.0.12.1", "X-Forwarded-For: 8.8.8.8", "8.8.8.8 high walk_first_untrusted"},
        /* 4 */
        {"10.0.12.1", "X-Forwarded-For: 9.9.9.9, 8.8.8.8", "8.8.8.8 high walk_first_untrusted,unvouched_entries(1)"},
        /* 5 */
        {"10.0.12.1", "X-Forwarded-For: 9.9.9.9, unknown, 10.0.12.2",
         "10.0.12.2~ low entry_obfuscated,client_not_global,unvouched_entries(1) | non_address_token:x-forwarded-for"},
        /* 6 */
        {"10.0.12.1", "X-Forwarded-For: 10.0.12.3, 10.0.12.2", "10.0.12.3 medium all_hops_trusted,client_not_global"},
        /* 7 */ {"10.0.12.1", "", "10.0.12.1~ low peer_trusted_no_header,client_not_global"},
        /* 8 */
        {"10.0.12.1", "X-Forwarded-For: 8.8.8.8, 173.245.48.7\nCF-Connecting-IP: 8.8.8.8",
         "8.8.8.8 high walk_first_untrusted,headers_agree"},
        /* 9 */
        {"10.0.12.1", "X-Forwarded-For: 8.8.8.8, 173.245.48.7\nCF-Connecting-IP: 1.1.1.1",
         "8.8.8.8 low walk_first_untrusted,header_conflict | header_conflict:cf-connecting-ip"},
        /* 11 */
        {"173.245.48.7", "CF-Connecting-IP: 2a06:98c0:3600::103", "2a06:98c0:3600::103 low client_is_provider_egress"},
        /* 12 */ {"10.0.12.1", "X-Forwarded-For: 8.8.8.8:1234", "8.8.8.8:1234 high walk_first_untrusted"},
        /* 13 */
        {"10.0.12.1", "X-Forwarded-For: 010.0.0.1",
         "10.0.12.1~ low entry_malformed,client_not_global | non_address_token:x-forwarded-for"},
        /* 15 */
        {"10.0.12.1", "X-Forwarded-For: 8.8.8.8, 104.28.0.1",
         "104.28.0.1 high walk_first_untrusted,unvouched_entries(1)"},
        /* 16 */
        {"10.0.12.1", "X-Forwarded-For: 1.1.1.1, 2a06:98c0:3600::103, 173.245.48.7",
         "2a06:98c0:3600::103 low client_is_provider_egress,unvouched_entries(1)"},
        /* 18 */ {"173.245.48.7", "CF-Connecting-IP: 8.8.8.8", "8.8.8.8 high provider_header"},
        /* 20 */
        {"10.0.12.1", "PROXY TCP4 8.8.8.8 10.0.12.1 4711 443\nX-Forwarded-For: 1.1.1.1",
         "1.1.1.1 high walk_first_untrusted | header_not_vouched:proxy_protocol"},
    };
    (void)state;
    ROWS_CHECK("lists:\n" ROWS_LB ROWS_CF(ROWS_FRESH ", exclusive: true") POLICY(READ), ROW_ANSWER, rows);
}

static void case_8a_a_shared_provider_caps_at_medium(void **state)
{
    static const row rows[] = {{"10.0.12.1", "X-Forwarded-For: 8.8.8.8, 173.245.48.7\nCF-Connecting-IP: 8.8.8.8",
                                "8.8.8.8 medium walk_first_untrusted,shared_provider,headers_agree"}};
    (void)state;
    ROWS_CHECK("lists:\n" ROWS_LB ROWS_CF(ROWS_FRESH) POLICY(READ), ROW_ANSWER, rows);
}

static void case_10_a_stale_provider_caps_at_medium(void **state)
{
    static const row rows[] = {{"10.0.12.1", "X-Forwarded-For: 8.8.8.8, 173.245.48.7\nCF-Connecting-IP: 8.8.8.8",
                                "8.8.8.8 medium walk_first_untrusted,list_stale,trust_set_outdated,headers_agree"}};
    (void)state;
    ROWS_CHECK("lists:\n" ROWS_LB ROWS_CF("fetched_at: 2026-11-15T11:59:59Z, exclusive: true") POLICY(READ), ROW_ANSWER,
               rows);
}

static void case_14_forged_entries_only_count(void **state)
{
    static const char forged[] = "9.9.9.9,";
    static char request[64 + 5000 * sizeof(forged)];
    static const row rows[] = {
        {"10.0.12.1", request, "8.8.8.8 high walk_first_untrusted,unvouched_entries(5000)"},
    };
    (void)state;
    strcpy(request, "X-Forwarded-For: ");
    size_t n = strlen(request);
    for (int i = 0; i < 5000; i++, n += strlen(forged))
        memcpy(request + n, forged, sizeof(forged));
    memcpy(request + n, "8.8.8.8", sizeof("8.8.8.8"));
    ROWS_CHECK("lists:\n" ROWS_LB ROWS_CF(ROWS_FRESH ", exclusive: true") POLICY(READ), ROW_ANSWER, rows);
}

static void case_17_a_header_that_nobody_writes_is_not_read(void **state)
{
    static const row rows[] = {
        {"10.0.12.1", "Forwarded: for=1.1.1.1",
         "10.0.12.1~ low peer_trusted_no_header,client_not_global | header_not_vouched:forwarded"}};
    (void)state;
    ROWS_CHECK("lists:\n" ROWS_LB ROWS_CF(ROWS_FRESH ", exclusive: true") POLICY(READ ", forwarded"), ROW_ANSWER, rows);
}

static void cases_19_and_21_a_vouched_proxy_header_is_the_evidence(void **state)
{
    static const row rows[] = {
        /* 19 */
        {"10.0.12.1", "PROXY TCP4 8.8.8.8 10.0.12.1 4711 443\nX-Forwarded-For: 1.1.1.1",
         "8.8.8.8:4711 high proxy_protocol | forwarding_header_from_untrusted_peer:x-forwarded-for"},
        /* 21 */
        {"10.0.12.1", "PROXY UNKNOWN\nX-Forwarded-For: 6.6.6.6",
         "10.0.12.1~ low entry_obfuscated,client_not_global | forwarding_header_from_untrusted_peer:x-forwarded-for"},
    };
    (void)state;
    ROWS_CHECK("lists:\n"
               "  lb: {prefixes: [10.0.12.0/24], internal: true, vouches: {proxy_protocol: replace, "
               "x-forwarded-for: append}}\n" ROWS_CF(ROWS_FRESH ", exclusive: true") POLICY(READ),
               ROW_ANSWER, rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_worked_case_of_the_decision_holds),
        cmocka_unit_test(case_8a_a_shared_provider_caps_at_medium),
        cmocka_unit_test(case_10_a_stale_provider_caps_at_medium),
        cmocka_unit_test(case_14_forged_entries_only_count),
        cmocka_unit_test(case_17_a_header_that_nobody_writes_is_not_read),
        cmocka_unit_test(cases_19_and_21_a_vouched_proxy_header_is_the_evidence),
    };
    return cmocka_run_group_tests(tests, rows_setup, rows_teardown);
}
