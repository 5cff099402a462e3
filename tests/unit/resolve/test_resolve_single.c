/* Single-address headers: each speaks of the hop after its writer (decision.md section 5). */
#include "rows.h"

#define DEFAULT(keys) "policies:\n  default: {" keys "}\n"
#define LB_CF         "lists:\n" ROWS_LB ROWS_CF(ROWS_FRESH ", exclusive: true")

static void named_after_the_list_header_it_is_compared_or_extends(void **state)
{
    static const row rows[] = {
        {"173.245.48.7", "X-Forwarded-For: 8.8.8.8\nCF-Connecting-IP: 8.8.8.8",
         "8.8.8.8 high walk_first_untrusted,headers_agree"},
        {"173.245.48.7", "X-Forwarded-For: 8.8.8.8:99\nCF-Connecting-IP: ::ffff:8.8.8.8",
         "8.8.8.8:99 high walk_first_untrusted,headers_agree"},
        {"173.245.48.7", "X-Forwarded-For: 8.8.8.8\nCF-Connecting-IP: 1.1.1.1",
         "8.8.8.8 low walk_first_untrusted,header_conflict | header_conflict:cf-connecting-ip"},
        {"173.245.48.7", "CF-Connecting-IP: 8.8.8.8:77", "8.8.8.8:77 high provider_header"},
        {"173.245.48.7", "CF-Connecting-IP: 173.245.48.9", "173.245.48.9 medium all_hops_trusted"},
        {"173.245.48.7", "CF-Connecting-IP: 10.0.12.1", "173.245.48.7~ low trust_inversion"},
        {"173.245.48.7", "X-Forwarded-For: 173.245.48.8\nCF-Connecting-IP: 8.8.8.8",
         "173.245.48.8 low all_hops_trusted,header_conflict | header_conflict:cf-connecting-ip"},
        {"173.245.48.7", "X-Forwarded-For: unknown\nCF-Connecting-IP: 8.8.8.8",
         "173.245.48.7~ low entry_obfuscated | non_address_token:x-forwarded-for"},
        {"10.0.12.1", "X-Forwarded-For: 173.245.48.7\nCF-Connecting-IP: 8.8.8.8", "8.8.8.8 high provider_header"},
        {"10.0.12.1", "X-Forwarded-For: 8.8.8.8\nCF-Connecting-IP: 8.8.8.8",
         "8.8.8.8 high walk_first_untrusted | provider_header_from_wrong_peer:cf-connecting-ip"},
    };
    (void)state;
    ROWS_CHECK(LB_CF DEFAULT("trust: [lb, cf], read: [x-forwarded-for, cf-connecting-ip]"), ROW_ANSWER, rows);
}

static void one_line_with_one_address_or_it_is_unusable(void **state)
{
    static const row rows[] = {
        {"173.245.48.7", "CF-Connecting-IP: 8.8.8.8\nCF-Connecting-IP: 8.8.8.8",
         "173.245.48.7~ low peer_trusted_no_header,single_header_unusable"},
        {"173.245.48.7", "X-Forwarded-For: 8.8.8.8\nCF-Connecting-IP: 8.8.8.8, 1.1.1.1",
         "8.8.8.8 low walk_first_untrusted,single_header_unusable"},
        {"173.245.48.7",
         "X-Forwarded-For: 8.8.8.8\nCF-Connecting-IP:", "8.8.8.8 low walk_first_untrusted,single_header_unusable"},
        {"173.245.48.7", "X-Forwarded-For: 8.8.8.8\nCF-Connecting-IP: unknown",
         "8.8.8.8 low walk_first_untrusted,single_header_unusable"},
        {"173.245.48.7", "X-Forwarded-For: 8.8.8.8\nCF-Connecting-IP: \t8.8.8.8 ",
         "8.8.8.8 high walk_first_untrusted,headers_agree"},
    };
    (void)state;
    ROWS_CHECK(LB_CF DEFAULT("trust: [lb, cf], read: [x-forwarded-for, cf-connecting-ip]"), ROW_ANSWER, rows);
}

static void named_before_the_list_header_it_takes_the_position(void **state)
{
    static const char yaml[] =
        LB_CF DEFAULT("trust: [lb, cf], read: [{header: x-real-ip, from: lb}, x-forwarded-for, cf-connecting-ip]");
    static const row rows[] = {
        {"10.0.12.1", "X-Real-IP: 8.8.8.8\nX-Forwarded-For: 8.8.8.8", "8.8.8.8 high bound_header,headers_agree"},
        {"10.0.12.1", "X-Real-IP: 8.8.8.8\nX-Forwarded-For: 1.1.1.1",
         "8.8.8.8 low bound_header,header_conflict,unvouched_entries(1) | header_conflict:x-real-ip"},
        {"10.0.12.1", "X-Real-IP: 8.8.8.8", "8.8.8.8 high bound_header"},
        {"10.0.12.1", "X-Real-IP: 8.8.8.8\nX-Forwarded-For: unknown",
         "8.8.8.8 high bound_header,unvouched_entries(1) | non_address_token:x-forwarded-for"},
        {"10.0.12.1", "X-Real-IP: 173.245.48.7\nX-Forwarded-For: 8.8.8.8, 173.245.48.7",
         "8.8.8.8 high walk_first_untrusted,headers_agree"}, /* trusted and agreed: the walk goes on */
        {"10.0.12.1", "X-Real-IP: 173.245.48.7\nX-Forwarded-For: 8.8.8.8, 173.245.48.8",
         "173.245.48.7 low all_hops_trusted,header_conflict,unvouched_entries(2) | "
         "trusted_address_in_unvouched:x-forwarded-for header_conflict:x-real-ip"},
        /* what the trusted value wrote itself extends the chain */
        {"10.0.12.1", "X-Real-IP: 173.245.48.7\nX-Forwarded-For: unknown\nCF-Connecting-IP: 8.8.8.8",
         "8.8.8.8 high provider_header,unvouched_entries(1) | non_address_token:x-forwarded-for"},
        {"10.0.12.1", "X-Real-IP: 2a06:98c0:3600::1\nX-Forwarded-For: 8.8.8.8",
         "2a06:98c0:3600::1 low client_is_provider_egress,header_conflict,unvouched_entries(1) | "
         "header_conflict:x-real-ip"},
        {"10.0.12.1", "X-Real-IP: x\nX-Forwarded-For: 8.8.8.8",
         "8.8.8.8 low walk_first_untrusted,single_header_unusable"},
    };
    (void)state;
    ROWS_CHECK(yaml, ROW_ANSWER, rows);
}

static void of_two_leading_headers_only_the_first_displaces(void **state)
{
    static const char yaml[] =
        LB_CF DEFAULT("trust: [lb, cf], read: [{header: x-real-ip, from: lb}, {header: x-client-ip, from: lb}, "
                      "cf-connecting-ip, x-forwarded-for]");
    static const row rows[] = {
        {"10.0.12.1", "X-Real-IP: 8.8.8.8\nX-Client-IP: 8.8.8.8\nX-Forwarded-For: 1.1.1.1",
         "8.8.8.8 low bound_header,header_conflict,headers_agree,unvouched_entries(1) | header_conflict:x-real-ip"},
        {"10.0.12.1", "X-Real-IP: 8.8.8.8\nX-Client-IP: 1.1.1.1\nX-Forwarded-For: 1.1.1.1",
         "8.8.8.8 low bound_header,header_conflict,unvouched_entries(1) | header_conflict:x-client-ip "
         "header_conflict:x-real-ip"},
        {"10.0.12.1", "X-Real-IP: 8.8.8.8\nX-Client-IP: 1.1.1.1\nX-Forwarded-For: 8.8.8.8",
         "8.8.8.8 low bound_header,header_conflict,headers_agree | header_conflict:x-client-ip"},
        {"10.0.12.1", "X-Client-IP: 1.1.1.1\nX-Forwarded-For: 8.8.8.8",
         "1.1.1.1 low bound_header,header_conflict,unvouched_entries(1) | header_conflict:x-client-ip"},
        {"10.0.12.1", "X-Real-IP: bad\nX-Client-IP: 1.1.1.1\nX-Forwarded-For: 8.8.8.8",
         "1.1.1.1 low bound_header,header_conflict,single_header_unusable,unvouched_entries(1) | "
         "header_conflict:x-client-ip"},
        /* the second is compared even where it speaks of a hop that the first did not touch */
        {"10.0.12.1", "X-Real-IP: 173.245.48.7\nCF-Connecting-IP: 1.1.1.1\nX-Forwarded-For: 8.8.8.8, 173.245.48.7",
         "8.8.8.8 low walk_first_untrusted,header_conflict,headers_agree | header_conflict:cf-connecting-ip"},
        {"10.0.12.1", "X-Real-IP: 173.245.48.7\nCF-Connecting-IP: 1.1.1.1\nX-Forwarded-For: 8.8.8.8, 173.245.48.8",
         "1.1.1.1 low provider_header,header_conflict,unvouched_entries(2) | "
         "trusted_address_in_unvouched:x-forwarded-for header_conflict:x-real-ip"},
    };
    (void)state;
    ROWS_CHECK(yaml, ROW_ANSWER, rows);
}

static void a_proxy_source_keeps_its_position(void **state)
{
    static const char yaml[] =
        "lists:\n  lb: {prefixes: [10.0.12.0/24], internal: true, vouches: {proxy_protocol: replace, x-forwarded-for: "
        "append, x-real-ip: replace}}\n" ROWS_CF(ROWS_FRESH ", exclusive: true")
            DEFAULT("trust: [lb, cf], read: [x-real-ip, x-forwarded-for, cf-connecting-ip]");
    static const row rows[] = {
        {"10.0.12.1", "PROXY TCP4 173.245.48.7 1.1.1.1 1 2\nX-Real-IP: 173.245.48.7\nX-Forwarded-For: 8.8.8.8",
         "8.8.8.8 high walk_first_untrusted,headers_agree"},
        {"10.0.12.1", "PROXY TCP4 173.245.48.7 1.1.1.1 1 2\nX-Real-IP: 9.9.9.9\nX-Forwarded-For: 8.8.8.8",
         "8.8.8.8 low walk_first_untrusted,header_conflict | header_conflict:x-real-ip"},
        {"10.0.12.1", "PROXY TCP4 173.245.48.7 1.1.1.1 1 2\nCF-Connecting-IP: 8.8.8.8", "8.8.8.8 high provider_header"},
        {"10.0.12.1", "PROXY TCP4 8.8.8.8 1.1.1.1 1 2\nX-Real-IP: 9.9.9.9\nX-Forwarded-For: 8.8.8.8",
         "8.8.8.8:1 high proxy_protocol | forwarding_header_from_untrusted_peer:x-forwarded-for "
         "forwarding_header_from_untrusted_peer:x-real-ip"},
    };
    (void)state;
    ROWS_CHECK(yaml, ROW_ANSWER, rows);
}

#define BOTH "CF-Connecting-IP: 241.1.2.3\nCF-Connecting-IPv6: 2600::7\n"

static void pseudo_ipv4_stands_for_the_ipv6_address_beside_it(void **state)
{
    static const row after[] = {
        {"173.245.48.7", BOTH, "2600::7 high provider_header"},
        {"173.245.48.7", BOTH "X-Forwarded-For: 241.1.2.3", "2600::7 high walk_first_untrusted,headers_agree"},
        {"173.245.48.7", BOTH "X-Forwarded-For: 2600::7",
         "2600::7 low walk_first_untrusted,header_conflict | header_conflict:cf-connecting-ip"},
        {"173.245.48.7", BOTH "X-Forwarded-For: 241.9.9.9",
         "241.9.9.9 low walk_first_untrusted,header_conflict,client_not_global,client_special | "
         "header_conflict:cf-connecting-ip"},
        {"10.0.12.1", BOTH "X-Forwarded-For: 241.1.2.3, 173.245.48.7",
         "2600::7 high walk_first_untrusted,headers_agree"},
        {"10.0.12.1", BOTH "X-Forwarded-For: 241.1.2.3",
         "241.1.2.3 low walk_first_untrusted,client_not_global,client_special | "
         "provider_header_from_wrong_peer:cf-connecting-ip provider_header_from_wrong_peer:cf-connecting-ipv6"},
        /* only the hop after the writer */
        {"10.0.12.1", BOTH "X-Forwarded-For: 241.1.2.3, 173.245.48.8, 173.245.48.7",
         "241.1.2.3 low walk_first_untrusted,header_conflict,client_not_global,client_special | "
         "header_conflict:cf-connecting-ip"},
        {"173.245.48.7", "CF-Connecting-IP: 241.1.2.3\nCF-Connecting-IPv6: 9.9.9.9",
         "241.1.2.3 low provider_header,client_not_global,client_special"},
        {"173.245.48.7", "CF-Connecting-IP: 241.1.2.3\nCF-Connecting-IPv6: 2600::7\nCF-Connecting-IPv6: 2600::8",
         "241.1.2.3 low provider_header,client_not_global,client_special"},
        {"173.245.48.7", "CF-Connecting-IP: 8.8.8.8\nCF-Connecting-IPv6: 2600::7", "8.8.8.8 high provider_header"},
        {"173.245.48.7", "CF-Connecting-IPv6: 2600::7", "173.245.48.7~ low peer_trusted_no_header"},
        {"173.245.48.7", "CF-Connecting-IP: 241.1.2.3\nCF-Connecting-IPv6: 2a06:98c0:3600::1",
         "2a06:98c0:3600::1 low client_is_provider_egress"},
        {"173.245.48.7", "CF-Connecting-IP: 255.255.255.255\nCF-Connecting-IPv6: 2600::7",
         "2600::7 high provider_header"},
        {"173.245.48.7", BOTH "Connection: CF-Connecting-IPv6",
         "2600::7 low provider_header,hop_by_hop_tamper | connection_nominates_header:cf-connecting-ipv6"},
    };
    static const row before[] = {
        {"173.245.48.7", BOTH "X-Forwarded-For: 241.1.2.3", "2600::7 high provider_header,headers_agree"},
        {"173.245.48.7", BOTH "X-Forwarded-For: 8.8.8.8",
         "2600::7 low provider_header,header_conflict,unvouched_entries(1) | header_conflict:cf-connecting-ip"},
        {"10.0.12.1", BOTH "X-Forwarded-For: 241.1.2.3, 173.245.48.7", "2600::7 high provider_header,headers_agree"},
    };
    static const row chain[] = {
        {"173.245.48.7", BOTH "X-Forwarded-For: 9.9.9.9, 241.1.2.3",
         "173.245.48.7=cf/20 > 2600::7=client cf-connecting-ipv6.0.0 > 9.9.9.9=unvouched x-forwarded-for.0.0"},
    };
    (void)state;
    ROWS_CHECK(LB_CF DEFAULT("trust: [lb, cf], read: [x-forwarded-for, cf-connecting-ip]"), ROW_ANSWER, after);
    ROWS_CHECK(LB_CF DEFAULT("trust: [lb, cf], read: [cf-connecting-ip, x-forwarded-for]"), ROW_ANSWER, before);
    ROWS_CHECK(LB_CF DEFAULT("trust: [lb, cf], read: [cf-connecting-ip, x-forwarded-for]"), ROW_CHAIN, chain);
}

static void pseudo_ipv4_is_agreed_with_by_a_proxy_source_and_never_replaces_it(void **state)
{
    static const char yaml[] =
        "lists:\n"
        "  cf: {provider: cloudflare, prefixes: [173.245.48.0/20], exclusive: true, " ROWS_FRESH
        ", vouches: {proxy_protocol: replace, cf-connecting-ip: replace}}\n"
        "  odd: {prefixes: [241.1.2.0/24]}\n" DEFAULT("trust: [cf, odd], read: [cf-connecting-ip]");
    static const row rows[] = {
        {"173.245.48.7", "PROXY TCP4 241.1.2.3 1.1.1.1 1 2\n" BOTH,
         "241.1.2.3:1~ low peer_trusted_no_header,client_not_global,client_special,headers_agree"},
    };
    (void)state;
    ROWS_CHECK(yaml, ROW_ANSWER, rows);
}

static void attributes_are_read_by_exact_name_and_never_from_headers(void **state)
{
    static const char yaml[] =
        LB_CF DEFAULT("trust: [lb, cf], read: [x-forwarded-for, {attribute: arg_realip, from: lb}]");
    static const row rows[] = {
        {"10.0.12.1", "attr: arg_realip=8.8.8.8", "8.8.8.8 high bound_header"},
        {"10.0.12.1", "attr: ARG_REALIP=8.8.8.8", "10.0.12.1~ low peer_trusted_no_header,client_not_global"},
        {"10.0.12.1", "attr: arg_realip=8.8.8.8\nattr: arg_realip=8.8.8.8",
         "10.0.12.1~ low peer_trusted_no_header,single_header_unusable,client_not_global"},
        {"10.0.12.1",
         "attr: arg_realip=", "10.0.12.1~ low peer_trusted_no_header,single_header_unusable,client_not_global"},
        {"10.0.12.1", "attribute:arg_realip: 8.8.8.8", "10.0.12.1~ low peer_trusted_no_header,client_not_global"},
        {"10.0.12.1", "attr: arg_realip=8.8.8.8\nattribute:arg_realip: 9.9.9.9\nattribute:arg_realip: 9.9.9.8",
         "8.8.8.8 high bound_header"},
        {"10.0.12.1", "proxy_protocol: PROXY TCP4 8.8.8.8 1.1.1.1 1 2\nproxy-protocol: x",
         "10.0.12.1~ low peer_trusted_no_header,client_not_global"},
        {"10.0.12.1", "Connection: attribute:arg_realip, proxy_protocol",
         "10.0.12.1~ low peer_trusted_no_header,client_not_global"},
        {"8.8.4.4", "attr: arg_realip=8.8.8.8",
         "8.8.4.4 high peer_untrusted_direct | forwarding_header_from_untrusted_peer:attribute:arg_realip"},
        {"173.245.48.7", "attr: arg_realip=8.8.8.8",
         "173.245.48.7~ low peer_trusted_no_header | header_not_vouched:attribute:arg_realip"},
    };
    (void)state;
    ROWS_CHECK(yaml, ROW_ANSWER, rows);
}

static void a_provider_header_needs_a_writer_of_that_provider_to_be_called_so(void **state)
{
    static const char yaml[] =
        "lists:\n" ROWS_LB
        "  front: {provider: aws, services: [CLOUDFRONT], prefixes: [130.176.0.0/17], exclusive: true, " ROWS_FRESH
        ", vouches: {cloudfront-viewer-address: replace}}\n"
        "  door: {provider: azure, services: [AzureFrontDoor.Backend], prefixes: [147.243.0.0/16], exclusive: "
        "true, " ROWS_FRESH
        "}\n" DEFAULT("trust: [lb, front, door], read: [cloudfront-viewer-address, x-azure-socketip, {header: "
                      "fastly-client-ip, from: lb}]");
    static const row rows[] = {
        {"130.176.0.1", "CloudFront-Viewer-Address: 8.8.8.8:4711", "8.8.8.8:4711 high provider_header"},
        {"130.176.0.1", "CloudFront-Viewer-Address: 2600::1:4711", "2600::1:4711 high provider_header"},
        {"130.176.0.1", "CloudFront-Viewer-Address: 8.8.8.8",
         "130.176.0.1~ low peer_trusted_no_header,single_header_unusable"},
        {"130.176.0.1", "CloudFront-Viewer-Address: [2600::1]:4711",
         "130.176.0.1~ low peer_trusted_no_header,single_header_unusable"},
        {"147.243.0.1", "X-Azure-SocketIP: 8.8.8.8", "8.8.8.8 high provider_header"},
        {"10.0.12.1", "Fastly-Client-IP: 8.8.8.8", "8.8.8.8 high bound_header"},
        {"130.176.0.1", "Fastly-Client-IP: 8.8.8.8",
         "130.176.0.1~ low peer_trusted_no_header | provider_header_from_wrong_peer:fastly-client-ip"},
    };
    (void)state;
    ROWS_CHECK(yaml, ROW_ANSWER, rows);
}

static void a_value_extends_only_a_chain_that_ended_at_its_writer(void **state)
{
    static const char yaml[] =
        "lists:\n"
        "  a: {prefixes: [10.0.12.0/24], internal: true, vouches: {x-forwarded-for: append, x-real-ip: replace}}\n"
        "  b: {prefixes: [10.0.13.0/24], internal: true, vouches: {x-client-ip: replace}}\n" DEFAULT(
            "trust: [a, b], read: [x-forwarded-for, x-client-ip, x-real-ip]");
    static const row rows[] = {
        /* b does not vouch for X-Forwarded-For, but says whom it saw */
        {"10.0.12.1", "X-Forwarded-For: 9.9.9.9, 10.0.13.1\nX-Client-IP: 8.8.8.8",
         "8.8.8.8 high bound_header,unvouched_entries(1)"},
        {"10.0.12.1", "X-Forwarded-For: 10.0.13.1\nX-Client-IP: 8.8.8.8\nX-Real-IP: 10.0.13.1",
         "8.8.8.8 high bound_header,headers_agree"},
        /* a, at the peer, spoke of b: a value there cannot extend what b ended */
        {"10.0.12.1", "X-Forwarded-For: 10.0.13.1\nX-Real-IP: 8.8.8.8",
         "10.0.13.1~ low hop_not_vouching,header_conflict,client_not_global | header_conflict:x-real-ip"},
        {"10.0.13.1", "X-Client-IP: 10.0.12.1\nX-Real-IP: 8.8.8.8", "8.8.8.8 high bound_header"},
        {"10.0.13.1", "X-Client-IP: 10.0.12.1\nX-Real-IP: 8.8.8.8\nX-Forwarded-For: 7.7.7.7",
         "8.8.8.8 high bound_header"}, /* the list header is not taken up again */
    };
    (void)state;
    ROWS_CHECK(yaml, ROW_ANSWER, rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(named_after_the_list_header_it_is_compared_or_extends),
        cmocka_unit_test(one_line_with_one_address_or_it_is_unusable),
        cmocka_unit_test(named_before_the_list_header_it_takes_the_position),
        cmocka_unit_test(of_two_leading_headers_only_the_first_displaces),
        cmocka_unit_test(a_proxy_source_keeps_its_position),
        cmocka_unit_test(pseudo_ipv4_stands_for_the_ipv6_address_beside_it),
        cmocka_unit_test(pseudo_ipv4_is_agreed_with_by_a_proxy_source_and_never_replaces_it),
        cmocka_unit_test(attributes_are_read_by_exact_name_and_never_from_headers),
        cmocka_unit_test(a_provider_header_needs_a_writer_of_that_provider_to_be_called_so),
        cmocka_unit_test(a_value_extends_only_a_chain_that_ended_at_its_writer),
    };
    return cmocka_run_group_tests(tests, rows_setup, rows_teardown);
}
