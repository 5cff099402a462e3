/* Deny and allow rules (interfaces.md, Configuration): what is refused, by which rule, and what a rule that cannot be
 * evaluated comes to. */
#include "rows.h"

#define HEAD                                                                                   \
    "lists:\n" ROWS_LB "  tor: {prefixes: [9.9.9.0/24]}\n  office: {prefixes: [8.8.8.0/24]}\n" \
    "  none: {prefixes: []}\n"                                                                 \
    "  gone: {provider: bunny}\n"
#define DEFAULT(keys) "policies:\n  default: {trust: [lb], " keys "}\n"

#define FROM(address) "10.0.12.1", "X-Forwarded-For: " address

static void annotate_never_denies_and_shadow_names_what_enforce_would(void **state)
{
    static const row annotate[] = {{FROM("9.9.9.9"), "allow"}, {"nope", "", "allow"}};
    static const row enforce[] = {
        {FROM("9.9.9.9"), "deny deny.lists"},
        {FROM("7.7.7.7"), "allow"},
        {"10.0.12.1", "", "deny unknown:deny.lists"}, /* complete is false */
        {"nope", "", "deny unknown:deny.lists"},
        {"10.0.12.1", "X-Forwarded-For: 10.0.12.2", "allow"}, /* all hops trusted is complete */
    };
    static const row shadow[] = {
        {FROM("9.9.9.9"), "allow deny.lists"},
        {FROM("7.7.7.7"), "allow"},
        {"10.0.12.1", "", "allow unknown:deny.lists"},
    };
    (void)state;
    ROWS_CHECK(HEAD DEFAULT("deny: {lists: [tor]}"), ROW_RULING, annotate);
    ROWS_CHECK(HEAD DEFAULT("mode: enforce, deny: {lists: [tor]}"), ROW_RULING, enforce);
    ROWS_CHECK(HEAD DEFAULT("mode: shadow, deny: {lists: [tor]}"), ROW_RULING, shadow);
}

static void the_level_is_compared_and_is_never_unknown(void **state)
{
    static const row rows[] = {
        {FROM("7.7.7.7"), "allow"},
        {FROM("127.0.0.1"), "allow"}, /* medium */
        {FROM("foo"), "deny deny.confidence_below"},
        {"nope", "", "deny deny.confidence_below"},
        {FROM("7.7.7.7\nfact: unknown"), "allow"},
    };
    static const row both[] = {
        {FROM("foo"), "deny deny.confidence_below"}, /* the first rule that denies is named */
        {FROM("9.9.9.9"), "deny deny.lists"},
        {FROM("7.7.7.7"), "allow"},
    };
    (void)state;
    ROWS_CHECK(HEAD DEFAULT("mode: enforce, deny: {confidence_below: medium}"), ROW_RULING, rows);
    ROWS_CHECK(HEAD DEFAULT("mode: enforce, deny: {confidence_below: medium, lists: [tor]}"), ROW_RULING, both);
}

static void lists_match_the_client_and_its_embedded_ipv4(void **state)
{
    static const row rows[] = {
        {FROM("64:ff9b::9.9.9.9"), "deny deny.lists"},
        {FROM("2002:909:909::1"), "deny deny.lists"},
        {FROM("2600::5efe:909:909"), "deny deny.lists"},
        {FROM("::ffff:9.9.9.9"), "deny deny.lists"},
        {FROM("64:ff9b::9.9.8.9"), "allow"},
    };
    (void)state;
    ROWS_CHECK(HEAD DEFAULT("mode: enforce, deny: {lists: [none, tor]}"), ROW_RULING, rows);
}

static void a_list_that_could_not_be_had_leaves_the_rule_unknown(void **state)
{
    static const row deny[] = {
        {FROM("7.7.7.7"), "deny unknown:deny.lists"},
        {FROM("9.9.9.9"), "deny deny.lists"}, /* another list settles it */
    };
    static const row pass[] = {
        {FROM("7.7.7.7"), "allow"}, {FROM("9.9.9.9"), "deny deny.lists"}, {FROM("foo"), "allow"}};
    static const row allow[] = {
        {FROM("8.8.8.8"), "allow"},
        {FROM("7.7.7.7"), "deny unknown:allow"},
    };
    (void)state;
    ROWS_CHECK(HEAD DEFAULT("mode: enforce, deny: {lists: [gone, tor]}"), ROW_RULING, deny);
    ROWS_CHECK(HEAD DEFAULT("mode: enforce, unknown: allow, deny: {lists: [gone, tor]}"), ROW_RULING, pass);
    ROWS_CHECK(HEAD DEFAULT("mode: enforce, allow: {lists: [gone, office]}"), ROW_RULING, allow);
}

static void with_allow_whatever_does_not_match_is_denied(void **state)
{
    static const row one[] = {
        {FROM("8.8.8.8"), "allow"},
        {FROM("7.7.7.7"), "deny allow"},
        {"10.0.12.1", "", "deny unknown:allow"},
    };
    static const row both[] = {
        {FROM("8.8.8.8"), "allow"},
        {FROM("7.7.7.7"), "deny allow"},
        {FROM("8.8.8.8\nConnection: x-forwarded-for"), "deny allow"}, /* in the list, but of level low */
    };
    static const row level[] = {
        {FROM("7.7.7.7"), "allow"}, {FROM("127.0.0.1"), "deny allow"}, {"nope", "", "deny allow"}};
    static const row denied[] = {{FROM("8.8.8.8"), "deny deny.lists"}, {FROM("9.9.9.9"), "allow"}};
    (void)state;
    ROWS_CHECK(HEAD DEFAULT("mode: enforce, allow: {lists: [office]}"), ROW_RULING, one);
    ROWS_CHECK(HEAD DEFAULT("mode: enforce, allow: {lists: [office], confidence_at_least: high}"), ROW_RULING, both);
    ROWS_CHECK(HEAD DEFAULT("mode: enforce, allow: {confidence_at_least: high}"), ROW_RULING, level);
    ROWS_CHECK(HEAD DEFAULT("mode: enforce, deny: {lists: [office]}, allow: {lists: [office, tor]}"), ROW_RULING,
               denied);
}

/* An `allow` that names nobody allows nobody: a template that left its list empty must not open the door. */
static void an_allow_without_a_condition_matches_nobody(void **state)
{
    static const row rows[] = {{FROM("8.8.8.8"), "deny allow"}, {"8.8.8.8", "", "deny allow"}};
    (void)state;
    ROWS_CHECK(HEAD DEFAULT("mode: enforce, allow: {lists: []}"), ROW_RULING, rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(annotate_never_denies_and_shadow_names_what_enforce_would),
        cmocka_unit_test(the_level_is_compared_and_is_never_unknown),
        cmocka_unit_test(lists_match_the_client_and_its_embedded_ipv4),
        cmocka_unit_test(a_list_that_could_not_be_had_leaves_the_rule_unknown),
        cmocka_unit_test(with_allow_whatever_does_not_match_is_denied),
        cmocka_unit_test(an_allow_without_a_condition_matches_nobody),
    };
    return cmocka_run_group_tests(tests, rows_setup, rows_teardown);
}
