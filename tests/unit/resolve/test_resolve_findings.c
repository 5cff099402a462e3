/* What someone should look at, apart from how sure the answer is (decision.md section 7, Findings), and the reasons
 * that stand beside the origin. */
#include "rows.h"

#define DEFAULT(keys) "policies:\n  default: {" keys "}\n"
#define LB_CF         "lists:\n" ROWS_LB ROWS_CF(ROWS_FRESH ", exclusive: true")
#define READ          "read: [x-forwarded-for, cf-connecting-ip]"

static void each_code_and_header_is_told_once_in_the_order_of_the_table(void **state)
{
    static const row rows[] = {
        {"10.0.12.1",
         "X_Forwarded_For: 1\nx.forwarded-FOR: 1\nX_FORWARDED_FOR: 2\nConnection: CF-Connecting-IP\nConnection: "
         "cf-connecting-ip,x-real-ip\nForwarded: for=1.1.1.1\nFORWARDED: x\nX-Real-IP: 1\nX-Forwarded-For: "
         "127.0.0.1, 192.168.0.1, foo, 10.0.12.7, 8.8.8.8",
         "8.8.8.8 low walk_first_untrusted,hop_by_hop_tamper,unvouched_entries(4) | header_not_vouched:forwarded "
         "header_not_vouched:x-real-ip trusted_address_in_unvouched:x-forwarded-for "
         "reserved_address_in_unvouched:x-forwarded-for alias_header:x.forwarded-for alias_header:x_forwarded_for "
         "connection_nominates_header:cf-connecting-ip connection_nominates_header:x-real-ip "
         "non_address_token:x-forwarded-for"},
        /* the order of different names does not matter (I10) */
        {"10.0.12.1", "X-Real-IP: 1\nForwarded: for=1.1.1.1\nX-Forwarded-For: 8.8.8.8",
         "8.8.8.8 high walk_first_untrusted | header_not_vouched:forwarded header_not_vouched:x-real-ip"},
        {"10.0.12.1", "X-Forwarded-For: 8.8.8.8\nForwarded: for=1.1.1.1\nX-Real-IP: 1",
         "8.8.8.8 high walk_first_untrusted | header_not_vouched:forwarded header_not_vouched:x-real-ip"},
    };
    (void)state;
    ROWS_CHECK(LB_CF DEFAULT("trust: [lb, cf], " READ), ROW_ANSWER, rows);
}

static void unvouched_entries_are_looked_at_up_to_the_64th(void **state)
{
    static const row rows[] = {
        {"10.0.12.1", "X-Forwarded-For: 64:ff9b::1.1.1.1, 2002:808:808::1, 8.8.8.8",
         "8.8.8.8 high walk_first_untrusted,unvouched_entries(2)"}, /* transition is not reserved */
        {"10.0.12.1", "X-Forwarded-For: 192.0.2.1, 8.8.8.8",
         "8.8.8.8 high walk_first_untrusted,unvouched_entries(1) | reserved_address_in_unvouched:x-forwarded-for"},
        {"10.0.12.1", "X-Forwarded-For: 173.245.48.7, 8.8.8.8",
         "8.8.8.8 high walk_first_untrusted,unvouched_entries(1) | trusted_address_in_unvouched:x-forwarded-for"},
        {"10.0.12.1", "X-Forwarded-For: 8.8.8.8, 10.0.12.2:99",
         "8.8.8.8 high walk_first_untrusted | port_on_trusted_hop:x-forwarded-for"},
    };
    (void)state;
    ROWS_CHECK(LB_CF DEFAULT("trust: [lb, cf], " READ), ROW_ANSWER, rows);
}

static void a_connection_token_is_a_header_name_without_the_space_around_it(void **state)
{
    static const row rows[] = {
        {"10.0.12.1", "X-Forwarded-For: 8.8.8.8\nConnection: close,\t X-Forwarded-For ,,keep-alive",
         "8.8.8.8 low walk_first_untrusted,hop_by_hop_tamper | connection_nominates_header:x-forwarded-for"},
        {"10.0.12.1", "X-Forwarded-For: 8.8.8.8\nConnection: X_Forwarded_For, X-Forwarded-For2, x forwarded-for",
         "8.8.8.8 high walk_first_untrusted"},
        {"10.0.12.1", "X-Forwarded-For: 8.8.8.8\nConnection: x-real-ip",
         "8.8.8.8 high walk_first_untrusted | connection_nominates_header:x-real-ip"}, /* not read: no reason */
        {"10.0.12.1", "X-Forwarded-For: 8.8.8.8\nConnection: cf-connecting-ip",
         "8.8.8.8 low walk_first_untrusted,hop_by_hop_tamper | connection_nominates_header:cf-connecting-ip"},
        {"10.0.12.1", "X-Forwarded-For: 8.8.8.8\nConnection: via, x-forwarded-proto",
         "8.8.8.8 high walk_first_untrusted"},
        {"10.0.12.1", "X-Forwarded-For: 8.8.8.8\nConnection:", "8.8.8.8 high walk_first_untrusted"},
    };
    (void)state;
    ROWS_CHECK(LB_CF DEFAULT("trust: [lb, cf], " READ), ROW_ANSWER, rows);
}

static void a_worker_of_another_zone_is_told(void **state)
{
    static const row rows[] = {
        {"173.245.48.7", "CF-Worker: example.org\nHost: www.Example.org:8443\nX-Forwarded-For: 8.8.8.8",
         "8.8.8.8 high walk_first_untrusted"},
        {"173.245.48.7", "CF-Worker: example.org\nHost: example.org\nX-Forwarded-For: 8.8.8.8",
         "8.8.8.8 high walk_first_untrusted"},
        {"173.245.48.7", "CF-Worker: example.org\nHost: badexample.org\nX-Forwarded-For: 8.8.8.8",
         "8.8.8.8 high walk_first_untrusted | foreign_worker:cf-worker"},
        {"173.245.48.7", "CF-Worker: attacker.example\nHost: example.org\nX-Forwarded-For: 8.8.8.8",
         "8.8.8.8 high walk_first_untrusted | foreign_worker:cf-worker"},
        {"173.245.48.7", "CF-Worker: attacker.example\nHost:\nX-Forwarded-For: 8.8.8.8",
         "8.8.8.8 high walk_first_untrusted | foreign_worker:cf-worker"},
        {"173.245.48.7", "CF-Worker: attacker.example\nX-Forwarded-For: 8.8.8.8", "8.8.8.8 high walk_first_untrusted"},
        {"10.0.12.1", "CF-Worker: attacker.example\nHost: example.org\nX-Forwarded-For: 8.8.8.8",
         "8.8.8.8 high walk_first_untrusted"}, /* no Cloudflare hop could have written it */
    };
    (void)state;
    ROWS_CHECK(LB_CF DEFAULT("trust: [lb, cf], " READ), ROW_ANSWER, rows);
}

static void a_trusted_hop_in_several_trusted_lists_is_told_where_it_stood(void **state)
{
    static const char yaml[] = "lists:\n" ROWS_LB "  twin: {prefixes: [10.0.12.7], internal: true}\n"
                               "  other: {prefixes: [10.0.12.8], internal: true}\n" DEFAULT(
                                   "trust: [lb, twin], read: [{header: x-real-ip, from: lb}, x-forwarded-for]");
    static const row rows[] = {
        {"10.0.12.7", "X-Forwarded-For: 8.8.8.8", "8.8.8.8 high walk_first_untrusted | double_listed_address:peer"},
        {"10.0.12.1", "X-Forwarded-For: 8.8.8.8, 10.0.12.7",
         "8.8.8.8 high walk_first_untrusted | double_listed_address:x-forwarded-for"},
        {"10.0.12.1", "X-Forwarded-For: 8.8.8.8, 10.0.12.8", "8.8.8.8 high walk_first_untrusted"},
        {"10.0.12.1", "X-Forwarded-For: 10.0.12.7, 8.8.8.8",
         "8.8.8.8 high walk_first_untrusted,unvouched_entries(1) | trusted_address_in_unvouched:x-forwarded-for "
         "reserved_address_in_unvouched:x-forwarded-for"},
        /* the twin was displaced; who took its place is in one list */
        {"10.0.12.1", "X-Real-IP: 10.0.12.2\nX-Forwarded-For: 8.8.8.8, 10.0.12.7",
         "10.0.12.2 low all_hops_trusted,header_conflict,client_not_global,unvouched_entries(2) | "
         "trusted_address_in_unvouched:x-forwarded-for reserved_address_in_unvouched:x-forwarded-for "
         "header_conflict:x-real-ip"},
    };
    (void)state;
    ROWS_CHECK(yaml, ROW_ANSWER, rows);
}

static void contents_and_age_of_lists_cap_the_level(void **state)
{
    static const char yaml[] = "lists:\n"
                               "  wide4: {prefixes: [11.0.0.0/8, 100.64.0.0/10], internal: true}\n"
                               "  fine4: {prefixes: [12.0.0.0/12], internal: true}\n"
                               "  priv4: {prefixes: [10.0.0.0/15, 192.168.0.0/16], internal: true}\n"
                               "  wide6: {prefixes: [\"2600::/28\", \"fd00::/47\"], internal: true}\n"
                               "  fine6: {prefixes: [\"2610::/29\", \"fc00::/48\"], internal: true}\n"
                               "  okay: {prefixes: [13.0.0.0/8], internal: true, broad: accepted}\n" DEFAULT(
                                   "trust: [wide4, fine4, priv4, wide6, fine6, okay]");
    static const row rows[] = {
        {"11.0.0.1", "X-Forwarded-For: 8.8.8.8", "8.8.8.8 medium walk_first_untrusted,broad_range"},
        {"12.0.0.1", "X-Forwarded-For: 8.8.8.8", "8.8.8.8 high walk_first_untrusted"},
        {"100.64.0.1", "X-Forwarded-For: 8.8.8.8", "8.8.8.8 medium walk_first_untrusted,broad_range"},
        {"10.0.0.1", "X-Forwarded-For: 8.8.8.8", "8.8.8.8 medium walk_first_untrusted,broad_range"},
        {"192.168.0.1", "X-Forwarded-For: 8.8.8.8", "8.8.8.8 high walk_first_untrusted"},
        {"2600::1", "X-Forwarded-For: 8.8.8.8", "8.8.8.8 medium walk_first_untrusted,broad_range"},
        {"fd00::1", "X-Forwarded-For: 8.8.8.8", "8.8.8.8 medium walk_first_untrusted,broad_range"},
        {"2610::1", "X-Forwarded-For: 8.8.8.8", "8.8.8.8 high walk_first_untrusted"},
        {"fc00::1", "X-Forwarded-For: 8.8.8.8", "8.8.8.8 high walk_first_untrusted"},
        {"13.0.0.1", "X-Forwarded-For: 8.8.8.8", "8.8.8.8 high walk_first_untrusted"},
        {"12.0.0.1", "X-Forwarded-For: 8.8.8.8, 11.0.0.1", "8.8.8.8 medium walk_first_untrusted,broad_range"},
    };
    static const char aged[] = "lists:\n" ROWS_LB ROWS_CF(
        "fetched_at: 2026-10-22T12:00:00Z, exclusive: true, soft_age: 7d, hard_age: "
        "30d") "  hole: {prefixes: []}\n"
               "  stranger: {provider: fastly, prefixes: [151.101.0.0/16], fetched_at: "
               "2020-01-01T00:00:00Z, hard_age: 8d}\n" DEFAULT("trust: [lb, cf, hole], " READ);
    static const row old[] = {
        {"173.245.48.7", "X-Forwarded-For: 8.8.8.8",
         "8.8.8.8 low walk_first_untrusted,list_expired,trust_set_outdated,trust_set_empty"},
        {"173.245.48.7", "CF-Connecting-IP: 8.8.8.8",
         "8.8.8.8 low provider_header,list_expired,trust_set_outdated,trust_set_empty"},
        {"173.245.48.7", "", "173.245.48.7~ low peer_trusted_no_header,list_expired"},
        {"8.8.8.8", "", "8.8.8.8 low peer_untrusted_direct,trust_set_outdated,trust_set_empty"},
        {"151.101.0.1", "", "151.101.0.1 low peer_untrusted_direct,trust_set_outdated,trust_set_empty"},
        {"2a06:98c0:3600::1", "", "2a06:98c0:3600::1 low client_is_provider_egress"},
        {"10.0.12.1", "X-Forwarded-For: 10.0.12.2", "10.0.12.2 medium all_hops_trusted,client_not_global"},
    };
    (void)state;
    ROWS_CHECK(yaml, ROW_ANSWER, rows);
    ROWS_CHECK(aged, ROW_ANSWER, old);
}

static void context_names_what_the_hop_that_spoke_http_writes(void **state)
{
    static const char yaml[] = "lists:\n"
                               "  lb: {prefixes: [10.0.12.0/24], internal: true, vouches: {x-forwarded-for: append, "
                               "x-forwarded-proto: replace, via: replace, proxy_protocol: replace}}\n"
                               "  in: {prefixes: [10.0.13.0/24], internal: true, vouches: {x-forwarded-for: append, "
                               "x-forwarded-host: replace}}\n" DEFAULT("trust: [lb, in]");
    static const row rows[] = {
        {"10.0.12.1", "X-Forwarded-Proto: https\nX-Forwarded-Proto: http\nX-Forwarded-Host: h\nVia: 1.1 a\nvia: 1.1 b",
         "proto=https host=h via=2 vouched=x-forwarded-proto,via"},
        {"10.0.12.1", "PROXY TCP4 10.0.13.1 1.1.1.1 1 2\nX-Forwarded-Port: 1\nX-Forwarded-Prefix: /p",
         "port=1 prefix=/p via=0 vouched=x-forwarded-host"},
        {"10.0.12.1", "PROXY TCP4 8.8.8.8 1.1.1.1 1 2", "via=0 vouched="},
        {"10.0.12.1", "PROXY UNKNOWN", "via=0 vouched="},
        {"10.0.13.1", "X-Forwarded-For: 8.8.8.8, 10.0.12.1", "via=0 vouched=x-forwarded-host"},
        {"8.8.4.4", "X-Forwarded-Proto: https", "proto=https via=0 vouched="},
    };
    (void)state;
    ROWS_CHECK(yaml, ROW_CONTEXT, rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_code_and_header_is_told_once_in_the_order_of_the_table),
        cmocka_unit_test(unvouched_entries_are_looked_at_up_to_the_64th),
        cmocka_unit_test(a_connection_token_is_a_header_name_without_the_space_around_it),
        cmocka_unit_test(a_worker_of_another_zone_is_told),
        cmocka_unit_test(a_trusted_hop_in_several_trusted_lists_is_told_where_it_stood),
        cmocka_unit_test(contents_and_age_of_lists_cap_the_level),
        cmocka_unit_test(context_names_what_the_hop_that_spoke_http_writes),
    };
    return cmocka_run_group_tests(tests, rows_setup, rows_teardown);
}
