/* The walk by trust: what each row of the loop of decision.md section 5 does, and the peer that it begins with. */
#include "rows.h"

#define DEFAULT(keys) "policies:\n  default: {" keys "}\n"
#define LB_CF         "lists:\n" ROWS_LB ROWS_CF(ROWS_FRESH ", exclusive: true")

static void the_peer_is_read_strictly_and_a_zone_only_of_ipv6_is_cut(void **state)
{
    static const row rows[] = {
        {"8.8.8.8", "", "8.8.8.8 high peer_untrusted_direct"},
        {"8.8.8.8:443", "", "8.8.8.8:443 high peer_untrusted_direct"},
        {"8.8.8.8:0", "", "8.8.8.8 high peer_untrusted_direct"},
        {"8.8.8.8:00", "", "-~ none no_address"},
        {"8.8.8.8:65536", "", "-~ none no_address"},
        {"8.8.8.8:80:0", "", "-~ none no_address"},
        {"[2600::1]:0", "", "2600::1 high peer_untrusted_direct"},
        {"[2600::1]:443", "", "2600::1:443 high peer_untrusted_direct"},
        {"[2600::1]:443:0", "", "-~ none no_address"},
        {"2600::1:0", "", "2600::1:0 high peer_untrusted_direct"}, /* an address, not a port */
        {"::ffff:8.8.8.8", "", "8.8.8.8 high peer_untrusted_direct"},
        {"[8.8.8.8]", "", "-~ none no_address"},
        {"2600::1%eth0", "", "2600::1 high peer_untrusted_direct | zone_dropped:peer"},
        {"[2600::1%eth0]", "", "2600::1 high peer_untrusted_direct | zone_dropped:peer"},
        {"[2600::1%eth0]:443", "", "2600::1:443 high peer_untrusted_direct | zone_dropped:peer"},
        {"[2600::1%eth0]:0", "", "2600::1 high peer_untrusted_direct | zone_dropped:peer"},
        {"[2600::1%eth0]x", "", "-~ none no_address"},
        {"[2600::1%eth0", "", "-~ none no_address"},
        {"[2600::1%]:443", "", "-~ none no_address"},
        {"2600::1%", "", "-~ none no_address"},
        {"2600::1%a%b", "", "-~ none no_address"},
        {"2600::1%a b", "", "-~ none no_address"},
        {"2600::1%e\x7f", "", "-~ none no_address"},
        {"10.0.12.1%eth0", "", "-~ none no_address"},
        {"10.0.12.1:80%eth0", "", "-~ none no_address"},
        {"10.0.12.1:0%eth0", "", "-~ none no_address"},
        {"[10.0.12.1%eth0]:80", "", "-~ none no_address"},
        {"::ffff:10.0.12.1%eth0", "", "-~ none no_address"},
        {"%eth0", "", "-~ none no_address"},
        {"%", "", "-~ none no_address"},
        {":0", "", "-~ none no_address"},
        {"]:0", "", "-~ none no_address"},
        {"", "", "-~ none no_address"},
        {NULL, "", "-~ none no_address"},
        {"UNIX", "", "-~ none no_address"},
        {"unix ", "", "-~ none no_address"},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:%x", "",
         "-~ none no_address"},
        {"[2600::1%eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee]:443", "",
         "2600::1:443 high peer_untrusted_direct | zone_dropped:peer"},
    };
    (void)state;
    ROWS_CHECK(LB_CF DEFAULT("trust: [lb, cf]"), ROW_ANSWER, rows);
}

static void nothing_else_counts_behind_a_peer_outside_trust(void **state)
{
    static const row rows[] = {
        {"nope", "X-Forwarded-For: 1.1.1.1", "-~ none no_address"},
        {"2a06:98c0:3600::1", "CF-Connecting-IP: 8.8.8.8\nX-Forwarded-For: 8.8.8.8",
         "2a06:98c0:3600::1 low client_is_provider_egress | forwarding_header_from_untrusted_peer:x-forwarded-for "
         "provider_header_from_wrong_peer:cf-connecting-ip"},
        {"8.8.4.4", "Connection: X-Forwarded-For\nX-Real-IP: 1.1.1.1",
         "8.8.4.4 high peer_untrusted_direct | forwarding_header_from_untrusted_peer:x-real-ip "
         "connection_nominates_header:x-forwarded-for"},
        {"8.8.4.4", "PROXY TCP4 8.8.8.8 1.1.1.1 1 2",
         "8.8.4.4 high peer_untrusted_direct | forwarding_header_from_untrusted_peer:proxy_protocol"},
        {"8.8.4.4", "PROXY TCP4 8.8.8.8 1.1.1.1 1 65536", "refused"},
        {"8.8.4.4", "proxy: ", "refused"},
        {"8.8.4.4", "fact: unknown\nfact: merged\nfact: lax\nfact: forged\nfact: unselectable",
         "8.8.4.4 medium peer_untrusted_direct,caller_unauthenticated,http_parser_lax,headers_merged | "
         "policy_not_selectable:peer peer_header_forged:peer"},
    };
    (void)state;
    ROWS_CHECK(LB_CF DEFAULT("trust: [lb, cf]"), ROW_ANSWER, rows);
}

static void an_empty_trust_trusts_nobody(void **state)
{
    static const row rows[] = {
        {"10.0.12.1", "X-Forwarded-For: 8.8.8.8",
         "10.0.12.1 medium peer_untrusted_direct,client_not_global | "
         "forwarding_header_from_untrusted_peer:x-forwarded-for"},
        {"unix", "X-Forwarded-For: 8.8.8.8",
         "-~ none no_address | forwarding_header_from_untrusted_peer:x-forwarded-for"},
    };
    (void)state;
    ROWS_CHECK(LB_CF DEFAULT("trust: []"), ROW_ANSWER, rows);
    ROWS_CHECK(LB_CF DEFAULT("read: [x-forwarded-for]"), ROW_ANSWER, rows);
}

static void lines_of_a_list_header_are_one_list(void **state)
{
    static const row rows[] = {
        {"10.0.12.1", "X-Forwarded-For: 9.9.9.9\nOther: x\nx-forwarded-FOR: 8.8.8.8",
         "10.0.12.1=lb/24 > 8.8.8.8=client x-forwarded-for.1.0 > 9.9.9.9=unvouched x-forwarded-for.0.0"},
        {"10.0.12.1", "X-Forwarded-For: 9.9.9.9 , 7.7.7.7\nX-Forwarded-For:  8.8.8.8\t,10.0.12.2",
         "10.0.12.1=lb/24 > 10.0.12.2=lb/24 x-forwarded-for.1.1 > 8.8.8.8=client x-forwarded-for.1.0 > "
         "7.7.7.7=unvouched x-forwarded-for.0.1 > 9.9.9.9=unvouched x-forwarded-for.0.0"},
        {"10.0.12.1", "X-Forwarded-For:\nX-Forwarded-For: \t\nX-Forwarded-For:", "10.0.12.1=lb/24"},
        {"10.0.12.1", "X-Forwarded-For: 8.8.8.8\nX-Forwarded-For:",
         "10.0.12.1=lb/24 > ''=empty x-forwarded-for.1.0 > 8.8.8.8=unvouched x-forwarded-for.0.0"},
        {"10.0.12.1", "X-Forwarded-For:\nX-Forwarded-For: 8.8.8.8",
         "10.0.12.1=lb/24 > 8.8.8.8=client x-forwarded-for.1.0 > ''=unvouched x-forwarded-for.0.0"},
        {"10.0.12.1", "X-Forwarded-For: ,",
         "10.0.12.1=lb/24 > ''=empty x-forwarded-for.0.1 > ''=unvouched "
         "x-forwarded-for.0.0"},
        {"10.0.12.1", "X-Forwarded-For: ::ffff:8.8.8.8",
         "10.0.12.1=lb/24 > 8.8.8.8'::ffff:8.8.8.8'=client x-forwarded-for.0.0"},
        {"10.0.12.1:5", "X-Forwarded-For: [2600::1]:7", "10.0.12.1:5=lb/24 > 2600::1:7=client x-forwarded-for.0.0"},
    };
    (void)state;
    ROWS_CHECK(LB_CF DEFAULT("trust: [lb, cf]"), ROW_CHAIN, rows);
}

static void a_bad_entry_ends_the_walk_at_the_last_proven_hop(void **state)
{
    static const row rows[] = {
        {"10.0.12.1", "X-Forwarded-For: 8.8.8.8,", "10.0.12.1~ low entry_empty,client_not_global,unvouched_entries(1)"},
        {"10.0.12.1", "X-Forwarded-For: 8.8.8.8, UnKnOwN",
         "10.0.12.1~ low entry_obfuscated,client_not_global,unvouched_entries(1) | non_address_token:x-forwarded-for"},
        {"10.0.12.1", "X-Forwarded-For: _x",
         "10.0.12.1~ low entry_obfuscated,client_not_global | non_address_token:x-forwarded-for"},
        {"10.0.12.1", "X-Forwarded-For: _",
         "10.0.12.1~ low entry_malformed,client_not_global | non_address_token:x-forwarded-for"},
        {"10.0.12.1", "X-Forwarded-For: 8.8.8.8:0",
         "10.0.12.1~ low entry_malformed,client_not_global | non_address_token:x-forwarded-for"},
        {"10.0.12.1", "X-Forwarded-For: 2600::1%eth0",
         "10.0.12.1~ low entry_malformed,client_not_global | non_address_token:x-forwarded-for"},
        {"10.0.12.1", "X-Forwarded-For: 8.8.8.8 10.0.12.2",
         "10.0.12.1~ low entry_malformed,client_not_global | non_address_token:x-forwarded-for"},
        /* an error to the left of the end changes nothing but the findings */
        {"10.0.12.1", "X-Forwarded-For: foo, 8.8.8.8",
         "8.8.8.8 high walk_first_untrusted,unvouched_entries(1) | non_address_token:x-forwarded-for"},
    };
    (void)state;
    ROWS_CHECK(LB_CF DEFAULT("trust: [lb, cf]"), ROW_ANSWER, rows);
}

static void only_the_declared_writer_of_a_header_is_believed(void **state)
{
    static const char yaml[] =
        "lists:\n" ROWS_LB "  fwd: {prefixes: [10.0.13.0/24], internal: true, vouches: {forwarded: append}}\n"
        "  set: {prefixes: [10.0.14.0/24], internal: true, vouches: {x-forwarded-for: replace}}\n"
        "  mute: {prefixes: [10.0.15.0/24], internal: true, vouches: {}}\n" DEFAULT(
            "trust: [lb, fwd, set, mute], read: [forwarded, x-forwarded-for]");
    static const row rows[] = {
        {"10.0.12.1", "X-Forwarded-For: 8.8.8.8\nForwarded: for=1.1.1.1",
         "8.8.8.8 high walk_first_untrusted | header_not_vouched:forwarded"},
        {"10.0.13.1", "X-Forwarded-For: 8.8.8.8\nForwarded: for=1.1.1.1",
         "1.1.1.1 high walk_first_untrusted | header_not_vouched:x-forwarded-for"},
        {"10.0.12.1", "X-Forwarded-For: 8.8.8.8, 10.0.13.1",
         "10.0.13.1~ low hop_not_vouching,client_not_global,unvouched_entries(1)"},
        {"10.0.14.1", "X-Forwarded-For: 1.1.1.1, 10.0.12.1",
         "10.0.12.1 medium all_hops_trusted,client_not_global,unvouched_entries(1)"},
        {"10.0.14.1", "X-Forwarded-For: 1.1.1.1, 8.8.8.8", "8.8.8.8 high walk_first_untrusted,unvouched_entries(1)"},
        {"10.0.14.1", "X-Forwarded-For: 1.1.1.1, 10.0.13.1",
         "10.0.13.1~ low hop_not_vouching,client_not_global,unvouched_entries(1)"},
        {"10.0.15.1", "X-Forwarded-For: 1.1.1.1",
         "10.0.15.1~ low peer_trusted_no_header,client_not_global | header_not_vouched:x-forwarded-for"},
        {"10.0.12.1", "X_Forwarded_For: 1.1.1.1",
         "10.0.12.1~ low peer_trusted_no_header,client_not_global | alias_header:x_forwarded_for"},
    };
    (void)state;
    ROWS_CHECK(yaml, ROW_ANSWER, rows);
}

static void forwarded_elements_are_split_from_the_right_of_each_line(void **state)
{
    static const char yaml[] =
        "lists:\n  lb: {prefixes: [10.0.12.0/24], internal: true, vouches: {forwarded: append}}\n" DEFAULT(
            "trust: [lb], read: [forwarded]");
    static const row rows[] = {
        {"10.0.12.1", "Forwarded: for=\"1.1.1.1, for=8.8.8.8",
         "10.0.12.1=lb/24 > 8.8.8.8=client forwarded.0.1 > ''=unvouched forwarded.0.0"},
        {"10.0.12.1", "Forwarded: for=\"\nForwarded: for=8.8.8.8",
         "10.0.12.1=lb/24 > 8.8.8.8=client forwarded.1.0 > ''=unvouched forwarded.0.0"},
        {"10.0.12.1", "Forwarded: for=\"[2600::1]:80\";by=_x;secret=\"a,b\"",
         "10.0.12.1=lb/24 > 2600::1:80=client forwarded.0.0"},
        {"10.0.12.1", "Forwarded: FOR=\"8.8.8.8:_p\"", "10.0.12.1=lb/24 > 8.8.8.8=client forwarded.0.0"},
        {"10.0.12.1", "Forwarded: by=1.1.1.1", "10.0.12.1=lb/24 > ''=obfuscated forwarded.0.0"},
        {"10.0.12.1", "Forwarded: for=8.8.8.8;for=9.9.9.9", "10.0.12.1=lb/24 > ''=malformed forwarded.0.0"},
        {"10.0.12.1", "Forwarded: for=2600::1", "10.0.12.1=lb/24 > ''=malformed forwarded.0.0"},
        {"10.0.12.1", "Forwarded: for=8.8.8.8 ,",
         "10.0.12.1=lb/24 > ''=empty forwarded.0.1 > 8.8.8.8=unvouched "
         "forwarded.0.0"},
        {"10.0.12.1", "Forwarded: for=hidden;token=s3cret",
         "10.0.12.1=lb/24 > 'hidden'=malformed forwarded.0.0"}, /* never the value of another parameter */
    };
    (void)state;
    ROWS_CHECK(yaml, ROW_CHAIN, rows);
}

static void hosts_that_add_two_entries_pass_over_their_own(void **state)
{
    static const char yaml[] =
        "lists:\n"
        "  gfe: {provider: google-lb, prefixes: [35.191.0.0/16], exclusive: true}\n"
        "  both: {provider: google-lb, prefixes: [35.192.0.0/16], exclusive: true, vouches: {x-forwarded-for: replace, "
        "x-real-ip: replace}}\n" DEFAULT("trust: [gfe, both], read: [x-forwarded-for, x-real-ip]");
    static const row rows[] = {
        {"35.191.0.1", "X-Forwarded-For: 8.8.8.8, 34.1.1.1", "8.8.8.8 high walk_first_untrusted"},
        {"35.191.0.1", "X-Forwarded-For: 7.7.7.7, 8.8.8.8, 34.1.1.1",
         "8.8.8.8 high walk_first_untrusted,unvouched_entries(1)"},
        {"35.191.0.1", "X-Forwarded-For: 34.1.1.1", "35.191.0.1~ low too_few_entries"},
        {"35.191.0.1", "X-Forwarded-For: 8.8.8.8, unknown",
         "35.191.0.1~ low entry_obfuscated,unvouched_entries(1) | non_address_token:x-forwarded-for"},
        {"35.191.0.1", "X-Forwarded-For: foo, 34.1.1.1",
         "35.191.0.1~ low entry_malformed | non_address_token:x-forwarded-for"},
        {"35.191.0.1", "X-Forwarded-For: 8.8.8.8, 34.1.1.1, 35.191.0.2, 34.1.1.1", "8.8.8.8 high walk_first_untrusted"},
        {"35.191.0.1", "X-Forwarded-For: 35.191.0.2, 34.1.1.1", "35.191.0.2~ low too_few_entries"},
        {"35.191.0.1", "X-Forwarded-For: 34.1.1.1, 35.191.0.2, 34.1.1.1", "35.191.0.2~ low too_few_entries"},
        /* own first, then the one that the host set; nothing further left */
        {"35.192.0.1", "X-Forwarded-For: 8.8.8.8, 34.1.1.1", "8.8.8.8 high walk_first_untrusted"},
        {"35.192.0.1", "X-Forwarded-For: 7.7.7.7, 35.191.0.2, 34.1.1.1",
         "35.191.0.2~ low too_few_entries,unvouched_entries(1)"},
        /* a single-address header speaks of the entry behind the own one */
        {"35.192.0.1", "X-Forwarded-For: 8.8.8.8, 34.1.1.1\nX-Real-IP: 8.8.8.8",
         "8.8.8.8 high walk_first_untrusted,headers_agree"},
        {"35.192.0.1", "X-Forwarded-For: 8.8.8.8, 34.1.1.1\nX-Real-IP: 34.1.1.1",
         "8.8.8.8 low walk_first_untrusted,header_conflict | header_conflict:x-real-ip"},
        {"35.192.0.1", "X-Forwarded-For: 34.1.1.1\nX-Real-IP: 8.8.8.8", "35.192.0.1~ low too_few_entries"},
    };
    (void)state;
    ROWS_CHECK(yaml, ROW_ANSWER, rows);
}

static void an_outside_hop_may_not_tell_of_our_own_infrastructure(void **state)
{
    static const row rows[] = {
        {"173.245.48.7", "X-Forwarded-For: 10.0.12.9",
         "173.245.48.7~ low trust_inversion,unvouched_entries(1) | trusted_address_in_unvouched:x-forwarded-for "
         "reserved_address_in_unvouched:x-forwarded-for"},
        {"10.0.12.1", "X-Forwarded-For: 1.1.1.1, 10.0.12.2, 173.245.48.7",
         "173.245.48.7~ low trust_inversion,unvouched_entries(2) | trusted_address_in_unvouched:x-forwarded-for "
         "reserved_address_in_unvouched:x-forwarded-for"},
    };
    (void)state;
    ROWS_CHECK(LB_CF DEFAULT("trust: [lb, cf]"), ROW_ANSWER, rows);
}

#define TWO_PROVIDERS                                                                                             \
    "lists:\n" ROWS_LB ROWS_CF(ROWS_FRESH                                                                         \
                               ", exclusive: true") "  front: {provider: aws, services: [CLOUDFRONT], prefixes: " \
                                                    "[130.176.0.0/17], exclusive: true, " ROWS_FRESH "}\n"

static void a_change_of_provider_ends_the_walk_unless_the_policy_expects_it(void **state)
{
    static const row barred[] = {
        {"173.245.48.7", "X-Forwarded-For: 8.8.8.8, 130.176.0.1",
         "130.176.0.1~ low provider_change,unvouched_entries(1)"},
        {"173.245.48.7", "X-Forwarded-For: 8.8.8.8, 173.245.48.8", "8.8.8.8 high walk_first_untrusted"},
        {"10.0.12.1", "X-Forwarded-For: 8.8.8.8, 130.176.0.1, 10.0.12.2",
         "8.8.8.8 high walk_first_untrusted"}, /* no provider inwards yet */
    };
    static const row paired[] = {
        {"173.245.48.7", "X-Forwarded-For: 8.8.8.8, 130.176.0.1", "8.8.8.8 high walk_first_untrusted"},
        {"130.176.0.1", "X-Forwarded-For: 8.8.8.8, 173.245.48.7",
         "173.245.48.7~ low provider_change,unvouched_entries(1)"}, /* the pair has a direction */
    };
    (void)state;
    ROWS_CHECK(TWO_PROVIDERS DEFAULT("trust: [lb, cf, front]"), ROW_ANSWER, barred);
    ROWS_CHECK(TWO_PROVIDERS DEFAULT("trust: [lb, cf, front], chains: [[front, cf]]"), ROW_ANSWER, paired);
}

#define V2 "0d0a0d0a000d0a515549540a"
#define PROXY_L \
    "  lb: {prefixes: [10.0.12.0/24], internal: true, vouches: {proxy_protocol: replace, x-forwarded-for: append}}\n"

static void a_vouched_proxy_source_is_judged_as_an_entry(void **state)
{
    static const char yaml[] = "lists:\n" PROXY_L ROWS_CF(ROWS_FRESH ", exclusive: true") DEFAULT("trust: [lb, cf]");
    static const row rows[] = {
        {"10.0.12.1", "PROXY TCP4 8.8.8.8 1.1.1.1 0 2", "8.8.8.8:0 high proxy_protocol"},
        {"10.0.12.1", "PROXY TCP6 2a06:98c0:3600::1 ::1 1 2", "2a06:98c0:3600::1:1 low client_is_provider_egress"},
        {"10.0.12.1", "PROXY TCP4 10.0.12.2 1.1.1.1 1 2\nX-Forwarded-For: 8.8.8.8",
         "8.8.8.8 high walk_first_untrusted"},
        {"10.0.12.1", "PROXY TCP4 173.245.48.7 1.1.1.1 1 2\nX-Forwarded-For: 9.9.9.9, 8.8.8.8",
         "8.8.8.8 high walk_first_untrusted,unvouched_entries(1)"},
        {"10.0.12.1", "PROXY TCP4 173.245.48.7 1.1.1.1 1 2", "173.245.48.7:1~ low peer_trusted_no_header"},
        /* Connection is not judged either once the source ended the walk */
        {"10.0.12.1", "PROXY TCP4 8.8.8.8 1.1.1.1 1 2\nConnection: x-forwarded-for",
         "8.8.8.8:1 high proxy_protocol | connection_nominates_header:x-forwarded-for"},
        {"10.0.12.1", "proxy: " V2 "200000\nX-Forwarded-For: 8.8.8.8", "refused"},
        {"10.0.12.1", "proxy: " V2 "20000000\nX-Forwarded-For: 8.8.8.8",
         "8.8.8.8 high walk_first_untrusted,proxy_local"},
        {"10.0.12.1", "PROXY UNKNOWN whatever", "10.0.12.1~ low entry_obfuscated,client_not_global"},
        {"173.245.48.7", "PROXY TCP4 9.9.9.9 1.1.1.1 1 2\nX-Forwarded-For: 8.8.8.8",
         "8.8.8.8 high walk_first_untrusted | header_not_vouched:proxy_protocol"},
    };
    (void)state;
    ROWS_CHECK(yaml, ROW_ANSWER, rows);
}

static void a_proxy_source_of_ours_behind_an_outside_peer_is_an_inversion(void **state)
{
    static const char yaml[] =
        "lists:\n" ROWS_LB
        "  edge: {prefixes: [11.2.3.0/24], vouches: {proxy_protocol: replace}}\n" DEFAULT("trust: [lb, edge]");
    static const row rows[] = {
        {"11.2.3.4", "PROXY TCP4 10.0.12.1 1.1.1.1 1 2\nX-Forwarded-For: 8.8.8.8",
         "11.2.3.4~ low trust_inversion | forwarding_header_from_untrusted_peer:x-forwarded-for"},
    };
    (void)state;
    ROWS_CHECK(yaml, ROW_ANSWER, rows);
}

static void a_unix_peer_is_trusted_by_a_unix_list_and_is_never_the_answer(void **state)
{
    static const char yaml[] = "lists:\n  sock: {unix: true, internal: true}\n" ROWS_LB DEFAULT("trust: [lb, sock]");
    static const row rows[] = {
        {"unix", "X-Forwarded-For: 8.8.8.8", "8.8.8.8 high walk_first_untrusted"},
        {"unix", "X-Forwarded-For: 8.8.8.8, 10.0.12.1", "8.8.8.8 high walk_first_untrusted"},
        {"unix", "", "-~ none no_address"},
        {"unix", "X-Forwarded-For: unknown", "-~ none no_address | non_address_token:x-forwarded-for"},
        {"10.0.12.1", "X-Forwarded-For: unix",
         "10.0.12.1~ low entry_malformed,client_not_global | non_address_token:x-forwarded-for"},
    };
    (void)state;
    ROWS_CHECK(yaml, ROW_ANSWER, rows);
}

static void the_first_list_of_trust_labels_a_hop_by_its_own_longest_prefix(void **state)
{
    static const char yaml[] = "lists:\n"
                               "  wide: {prefixes: [10.0.0.0/8, 10.0.0.0/16], internal: true, broad: accepted}\n"
                               "  narrow: {prefixes: [10.0.12.1], internal: true}\n"
                               "  stranger: {prefixes: [10.0.12.0/24]}\n" DEFAULT("trust: [wide, narrow]");
    static const row rows[] = {
        {"10.0.12.1", "X-Forwarded-For: 8.8.8.8, 10.9.9.9",
         "10.0.12.1=wide/16 > 10.9.9.9=wide/8 x-forwarded-for.0.1 > 8.8.8.8=client x-forwarded-for.0.0"},
    };
    (void)state;
    ROWS_CHECK(yaml, ROW_CHAIN, rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_peer_is_read_strictly_and_a_zone_only_of_ipv6_is_cut),
        cmocka_unit_test(nothing_else_counts_behind_a_peer_outside_trust),
        cmocka_unit_test(an_empty_trust_trusts_nobody),
        cmocka_unit_test(lines_of_a_list_header_are_one_list),
        cmocka_unit_test(a_bad_entry_ends_the_walk_at_the_last_proven_hop),
        cmocka_unit_test(only_the_declared_writer_of_a_header_is_believed),
        cmocka_unit_test(forwarded_elements_are_split_from_the_right_of_each_line),
        cmocka_unit_test(hosts_that_add_two_entries_pass_over_their_own),
        cmocka_unit_test(an_outside_hop_may_not_tell_of_our_own_infrastructure),
        cmocka_unit_test(a_change_of_provider_ends_the_walk_unless_the_policy_expects_it),
        cmocka_unit_test(a_vouched_proxy_source_is_judged_as_an_entry),
        cmocka_unit_test(a_proxy_source_of_ours_behind_an_outside_peer_is_an_inversion),
        cmocka_unit_test(a_unix_peer_is_trusted_by_a_unix_list_and_is_never_the_answer),
        cmocka_unit_test(the_first_list_of_trust_labels_a_hop_by_its_own_longest_prefix),
    };
    return cmocka_run_group_tests(tests, rows_setup, rows_teardown);
}
