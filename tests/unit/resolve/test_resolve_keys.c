/* What users count and anonymise by, and what is told of the client's address (decision.md sections 2 and 7). */
#include "rows.h"

#define DEFAULT(keys) "policies:\n  default: {" keys "}\n"
#define HEAD                                                             \
    "nat64: [\"2001:67c:1::/96\", \"64:ff9b:1::/48\"]\nlists:\n" ROWS_LB \
    "  zoo: {prefixes: [8.8.8.8, \"2002::/16\"]}\n  ant: {prefixes: [8.8.0.0/16]}\n"

static void keys_are_of_the_host_behind_the_address(void **state)
{
    static const row rows[] = {
        {"10.0.12.1", "X-Forwarded-For: 8.8.8.8", "8.8.8.8/32 8.8.8.0/24 10.0.12.1/32 global in ant,zoo"},
        {"10.0.12.1", "X-Forwarded-For: ::ffff:8.8.8.8", "8.8.8.8/32 8.8.8.0/24 10.0.12.1/32 global in ant,zoo"},
        {"10.0.12.1", "X-Forwarded-For: 2600:1:2:3:4:5:6:7", "2600:1:2:3::/64 2600:1:2::/48 10.0.12.1/32 global"},
        {"10.0.12.1", "X-Forwarded-For: 64:ff9b::8.8.4.4",
         "8.8.4.4/32 8.8.4.0/24 10.0.12.1/32 transition embeds 8.8.4.4"},
        {"10.0.12.1", "X-Forwarded-For: 64:ff9b::10.0.0.1",
         "64:ff9b::/64 64:ff9b::/48 10.0.12.1/32 transition embeds 10.0.0.1"},
        {"10.0.12.1", "X-Forwarded-For: 2001:67c:1::8.8.4.4",
         "8.8.4.4/32 8.8.4.0/24 10.0.12.1/32 global embeds 8.8.4.4"},
        {"10.0.12.1",
         "X-Forwarded-For: 64:ff9b:1:808:4:400::", "8.8.4.4/32 8.8.4.0/24 10.0.12.1/32 transition embeds 8.8.4.4"},
        {"10.0.12.1", "X-Forwarded-For: 2002:808:404::1",
         "8.8.4.4/32 8.8.4.0/24 10.0.12.1/32 transition embeds 8.8.4.4 in zoo"},
        {"10.0.12.1", "X-Forwarded-For: 2001::f7f7:fbfb",
         "8.8.4.4/32 8.8.4.0/24 10.0.12.1/32 transition embeds 8.8.4.4"},
        {"10.0.12.1", "X-Forwarded-For: 2600::5efe:808:404",
         "2600::/64 2600::/48 10.0.12.1/32 global embeds 8.8.4.4"}, /* ISATAP: told, never unwrapped */
        {"2002:808:404::1", "", "8.8.4.4/32 8.8.4.0/24 8.8.4.4/32 transition embeds 8.8.4.4 in zoo"},
    };
    static const row reasons[] = {
        {"10.0.12.1", "X-Forwarded-For: 64:ff9b::8.8.4.4",
         "64:ff9b::808:404 high walk_first_untrusted,transition_unwrapped"},
        {"10.0.12.1", "X-Forwarded-For: 64:ff9b::10.0.0.1",
         "64:ff9b::a00:1 medium walk_first_untrusted,client_not_global"},
        {"10.0.12.1", "X-Forwarded-For: 2600::5efe:808:404", "2600::5efe:808:404 high walk_first_untrusted"},
        {"10.0.12.1", "X-Forwarded-For: 192.0.2.1",
         "192.0.2.1 low walk_first_untrusted,client_not_global,client_special"},
        {"10.0.12.1", "X-Forwarded-For: 127.0.0.1", "127.0.0.1 medium walk_first_untrusted,client_not_global"},
        {"10.0.12.1", "X-Forwarded-For: 0.0.0.0", "0.0.0.0 low walk_first_untrusted,client_not_global,client_special"},
        {"10.0.12.1", "X-Forwarded-For: ::", ":: low walk_first_untrusted,client_not_global,client_special"},
    };
    (void)state;
    ROWS_CHECK(HEAD DEFAULT("trust: [lb]"), ROW_KEYS, rows);
    ROWS_CHECK(HEAD DEFAULT("trust: [lb]"), ROW_ANSWER, reasons);
}

static void without_a_sure_client_there_is_only_the_peers_key(void **state)
{
    static const row rows[] = {
        {"10.0.12.1", "", "- - 10.0.12.1/32 private in lb"},
        {"10.0.12.1", "X-Forwarded-For: 10.0.12.2", "- - 10.0.12.1/32 private in lb"}, /* complete, but a proxy */
        {"10.0.12.1", "X-Forwarded-For: foo", "- - 10.0.12.1/32 private in lb"},
        {"nope", "", "- - -"},
        {"unix", "", "- - -"},
        {"[2600::1]:80", "", "2600::/64 2600::/48 2600::/64 global"},
    };
    (void)state;
    ROWS_CHECK(HEAD DEFAULT("trust: [lb]"), ROW_KEYS, rows);
}

static void a_policy_may_count_ipv6_by_another_length_and_take_any_client(void **state)
{
    static const row rows[] = {
        {"10.0.12.1", "X-Forwarded-For: 2600:1:2:3:4:5:6:7", "2600:1:2::/56 2600:1:2::/48 10.0.12.1/32 global"},
        {"2600:1:2:3::1", "", "2600:1:2::/56 2600:1:2::/48 2600:1:2::/56 global"},
        {"10.0.12.1", "X-Forwarded-For: 64:ff9b::8.8.4.4",
         "8.8.4.4/32 8.8.4.0/24 10.0.12.1/32 transition embeds 8.8.4.4"},
    };
    static const row any[] = {
        {"10.0.12.1", "X-Forwarded-For: 192.0.2.1", "192.0.2.1 high walk_first_untrusted"},
        {"10.0.12.1", "X-Forwarded-For: 2002:808:404::1",
         "2002:808:404::1 high walk_first_untrusted,transition_unwrapped"},
    };
    (void)state;
    ROWS_CHECK(HEAD DEFAULT("trust: [lb], clients: any, keys: {ipv6_rate_limit: 56}"), ROW_KEYS, rows);
    ROWS_CHECK(HEAD DEFAULT("trust: [lb], clients: any"), ROW_ANSWER, any);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_of_the_host_behind_the_address),
        cmocka_unit_test(without_a_sure_client_there_is_only_the_peers_key),
        cmocka_unit_test(a_policy_may_count_ipv6_by_another_length_and_take_any_client),
    };
    return cmocka_run_group_tests(tests, rows_setup, rows_teardown);
}
