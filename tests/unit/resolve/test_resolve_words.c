/* The words of a decision: what clients match by name must be there, once, in the order of decision.md section 7. */
#include <stdlib.h>

#include "rows.h"

enum { INFO = -1 };

/* Written out from decision.md, in the order of its table. */
static const struct {
    ipt_reason reason;
    const char *name;
    int cap;
} caps[] = {
    {IPT_REASON_PEER_UNTRUSTED_DIRECT, "peer_untrusted_direct", IPT_LEVEL_HIGH},
    {IPT_REASON_WALK_FIRST_UNTRUSTED, "walk_first_untrusted", IPT_LEVEL_HIGH},
    {IPT_REASON_PROVIDER_HEADER, "provider_header", IPT_LEVEL_HIGH},
    {IPT_REASON_BOUND_HEADER, "bound_header", IPT_LEVEL_HIGH},
    {IPT_REASON_PROXY_PROTOCOL, "proxy_protocol", IPT_LEVEL_HIGH},
    {IPT_REASON_HOP_COUNT_ONLY, "hop_count_only", IPT_LEVEL_MEDIUM},
    {IPT_REASON_ALL_HOPS_TRUSTED, "all_hops_trusted", IPT_LEVEL_MEDIUM},
    {IPT_REASON_PEER_TRUSTED_NO_HEADER, "peer_trusted_no_header", IPT_LEVEL_LOW},
    {IPT_REASON_ENTRY_MALFORMED, "entry_malformed", IPT_LEVEL_LOW},
    {IPT_REASON_ENTRY_OBFUSCATED, "entry_obfuscated", IPT_LEVEL_LOW},
    {IPT_REASON_ENTRY_EMPTY, "entry_empty", IPT_LEVEL_LOW},
    {IPT_REASON_TOO_FEW_ENTRIES, "too_few_entries", IPT_LEVEL_LOW},
    {IPT_REASON_LIMIT_REACHED, "limit_reached", IPT_LEVEL_LOW},
    {IPT_REASON_HOP_NOT_VOUCHING, "hop_not_vouching", IPT_LEVEL_LOW},
    {IPT_REASON_TRUST_INVERSION, "trust_inversion", IPT_LEVEL_LOW},
    {IPT_REASON_PROVIDER_CHANGE, "provider_change", IPT_LEVEL_LOW},
    {IPT_REASON_CLIENT_IS_PROVIDER_EGRESS, "client_is_provider_egress", IPT_LEVEL_LOW},
    {IPT_REASON_NO_ADDRESS, "no_address", IPT_LEVEL_NONE},
    {IPT_REASON_SHARED_PROVIDER, "shared_provider", IPT_LEVEL_MEDIUM},
    {IPT_REASON_PROOF_FAILED, "proof_failed", IPT_LEVEL_LOW},
    {IPT_REASON_PROOF_VERIFIED, "proof_verified", INFO},
    {IPT_REASON_HEADER_CONFLICT, "header_conflict", IPT_LEVEL_LOW},
    {IPT_REASON_SINGLE_HEADER_UNUSABLE, "single_header_unusable", IPT_LEVEL_LOW},
    {IPT_REASON_HOP_BY_HOP_TAMPER, "hop_by_hop_tamper", IPT_LEVEL_LOW},
    {IPT_REASON_PEER_UNCHECKED, "peer_unchecked", IPT_LEVEL_LOW},
    {IPT_REASON_LIST_STALE, "list_stale", IPT_LEVEL_MEDIUM},
    {IPT_REASON_LIST_EXPIRED, "list_expired", IPT_LEVEL_LOW},
    {IPT_REASON_TRUST_SET_OUTDATED, "trust_set_outdated", IPT_LEVEL_MEDIUM},
    {IPT_REASON_TRUST_SET_EMPTY, "trust_set_empty", IPT_LEVEL_LOW},
    {IPT_REASON_BROAD_RANGE, "broad_range", IPT_LEVEL_MEDIUM},
    {IPT_REASON_CLIENT_NOT_GLOBAL, "client_not_global", IPT_LEVEL_MEDIUM},
    {IPT_REASON_CLIENT_SPECIAL, "client_special", IPT_LEVEL_LOW},
    {IPT_REASON_CALLER_UNAUTHENTICATED, "caller_unauthenticated", IPT_LEVEL_MEDIUM},
    {IPT_REASON_HTTP_PARSER_LAX, "http_parser_lax", IPT_LEVEL_MEDIUM},
    {IPT_REASON_LIST_BUNDLED, "list_bundled", INFO},
    {IPT_REASON_HEADERS_AGREE, "headers_agree", INFO},
    {IPT_REASON_UNVOUCHED_ENTRIES, "unvouched_entries", INFO},
    {IPT_REASON_PROXY_LOCAL, "proxy_local", INFO},
    {IPT_REASON_TRANSITION_UNWRAPPED, "transition_unwrapped", INFO},
    {IPT_REASON_HEADERS_MERGED, "headers_merged", INFO},
};

static const char *const finding_names[] = {
    "forwarding_header_from_untrusted_peer",
    "provider_header_from_wrong_peer",
    "header_not_vouched",
    "trusted_address_in_unvouched",
    "reserved_address_in_unvouched",
    "alias_header",
    "connection_nominates_header",
    "non_address_token",
    "duplicate_parameter",
    "port_on_trusted_hop",
    "header_conflict",
    "foreign_worker",
    "geo_conflict",
    "double_listed_address",
    "zone_dropped",
    "policy_not_selectable",
    "peer_header_forged",
};

static void reasons_have_the_names_caps_and_order_of_the_decision(void **state)
{
    (void)state;
    assert_int_equal(IPT_COUNT(caps), IPT_REASON_COUNT);
    for (size_t i = 0; i < IPT_COUNT(caps); i++) {
        ipt_level cap = IPT_LEVEL_AUTHENTICATED;
        assert_int_equal(caps[i].reason, i);
        assert_string_equal(ipt_reason_name(caps[i].reason), caps[i].name);
        assert_int_equal(ipt_reason_cap(caps[i].reason, &cap), caps[i].cap != INFO);
        assert_int_equal(cap, caps[i].cap == INFO ? IPT_LEVEL_AUTHENTICATED : caps[i].cap);
    }
    assert_int_equal(IPT_REASON_ORIGINS, IPT_REASON_NO_ADDRESS + 1);
}

static void findings_have_the_names_and_order_of_the_decision(void **state)
{
    (void)state;
    assert_int_equal(IPT_COUNT(finding_names), IPT_FINDING_COUNT);
    for (size_t i = 0; i < IPT_COUNT(finding_names); i++)
        assert_string_equal(ipt_finding_name((ipt_finding_code)i), finding_names[i]);
}

/* Plain words: not empty, unlike any other, without a full stop at the end, ASCII. */
static void assert_meaning(const char *meaning, const char *const *before, size_t count)
{
    assert_non_null(meaning);
    size_t n = strlen(meaning);
    assert_true(n > 10);
    assert_true(meaning[n - 1] != '.');
    for (size_t i = 0; i < n; i++)
        assert_true(meaning[i] >= ' ' && meaning[i] <= '~');
    for (size_t i = 0; i < count; i++)
        assert_string_not_equal(meaning, before[i]);
}

static void every_code_has_a_meaning_of_its_own(void **state)
{
    const char *seen[IPT_REASON_COUNT + IPT_FINDING_COUNT];
    size_t n = 0;
    (void)state;
    for (int r = 0; r < IPT_REASON_COUNT; r++, n++) {
        seen[n] = ipt_reason_meaning((ipt_reason)r);
        assert_meaning(seen[n], seen, n);
    }
    for (int f = 0; f < IPT_FINDING_COUNT; f++, n++) {
        seen[n] = ipt_finding_meaning((ipt_finding_code)f);
        assert_meaning(seen[n], seen, n);
    }
}

static void verdicts_have_the_names_of_the_decision(void **state)
{
    static const char *const names[] = {
        [IPT_VERDICT_UNVOUCHED] = "unvouched",
        [IPT_VERDICT_TRUSTED] = "trusted",
        [IPT_VERDICT_CLIENT] = "client",
        [IPT_VERDICT_OWN] = "own",
        [IPT_VERDICT_COUNTED] = "counted",
        [IPT_VERDICT_MALFORMED] = "malformed",
        [IPT_VERDICT_OBFUSCATED] = "obfuscated",
        [IPT_VERDICT_EMPTY] = "empty",
        [IPT_VERDICT_NOT_EXAMINED] = "not_examined",
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(names); i++)
        assert_string_equal(ipt_verdict_name((ipt_verdict)i), names[i]);
}

static void rulings_name_the_rule_and_whether_it_could_be_asked(void **state)
{
    static const struct {
        ipt_ruling ruling;
        const char *name;
    } rows[] = {
        {{IPT_ACTION_ALLOW, IPT_RULE_NONE, false}, NULL},
        {{IPT_ACTION_DENY, IPT_RULE_DENY_CONFIDENCE, false}, "deny.confidence_below"},
        {{IPT_ACTION_DENY, IPT_RULE_DENY_CONFIDENCE, true}, "unknown:deny.confidence_below"},
        {{IPT_ACTION_DENY, IPT_RULE_DENY_LISTS, false}, "deny.lists"},
        {{IPT_ACTION_ALLOW, IPT_RULE_DENY_LISTS, true}, "unknown:deny.lists"},
        {{IPT_ACTION_DENY, IPT_RULE_ALLOW, false}, "allow"},
        {{IPT_ACTION_DENY, IPT_RULE_ALLOW, true}, "unknown:allow"},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        const char *name = ipt_ruling_name(rows[i].ruling);
        if (rows[i].name == NULL)
            assert_null(name);
        else
            assert_string_equal(name, rows[i].name);
    }
}

#define BIT(name) (UINT64_C(1) << IPT_REASON_##name)

static void the_level_is_the_lowest_cap_and_proof_lifts_high_alone(void **state)
{
    static const struct {
        uint64_t reasons;
        ipt_level level;
    } rows[] = {
        {BIT(WALK_FIRST_UNTRUSTED), IPT_LEVEL_HIGH},
        {BIT(WALK_FIRST_UNTRUSTED) | BIT(HEADERS_AGREE) | BIT(UNVOUCHED_ENTRIES), IPT_LEVEL_HIGH},
        {BIT(WALK_FIRST_UNTRUSTED) | BIT(PROOF_VERIFIED), IPT_LEVEL_AUTHENTICATED},
        {BIT(WALK_FIRST_UNTRUSTED) | BIT(PROOF_VERIFIED) | BIT(LIST_STALE), IPT_LEVEL_MEDIUM},
        {BIT(ALL_HOPS_TRUSTED) | BIT(PROOF_VERIFIED), IPT_LEVEL_MEDIUM},
        {BIT(ENTRY_EMPTY) | BIT(PROOF_VERIFIED), IPT_LEVEL_LOW},
        {BIT(PROVIDER_HEADER) | BIT(SHARED_PROVIDER) | BIT(HEADER_CONFLICT), IPT_LEVEL_LOW},
        {BIT(HOP_COUNT_ONLY) | BIT(PEER_UNCHECKED), IPT_LEVEL_LOW},
        {BIT(NO_ADDRESS) | BIT(LIST_STALE) | BIT(PROOF_VERIFIED), IPT_LEVEL_NONE},
        {BIT(PEER_UNTRUSTED_DIRECT) | BIT(CALLER_UNAUTHENTICATED), IPT_LEVEL_MEDIUM},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++)
        assert_int_equal(ipt_level_from_reasons(rows[i].reasons), rows[i].level);
}

/* I3, over every pair of reasons, from the table above alone. */
static void any_two_reasons_give_the_level_that_their_caps_say(void **state)
{
    (void)state;
    for (size_t a = 0; a < IPT_COUNT(caps); a++) {
        for (size_t b = 0; b < IPT_COUNT(caps); b++) {
            int low = IPT_LEVEL_HIGH;
            bool proven = caps[a].reason == IPT_REASON_PROOF_VERIFIED || caps[b].reason == IPT_REASON_PROOF_VERIFIED;
            if (caps[a].cap != INFO && caps[a].cap < low)
                low = caps[a].cap;
            if (caps[b].cap != INFO && caps[b].cap < low)
                low = caps[b].cap;
            if (low == IPT_LEVEL_HIGH && proven)
                low = IPT_LEVEL_AUTHENTICATED;
            assert_int_equal(ipt_level_from_reasons(UINT64_C(1) << a | UINT64_C(1) << b), low);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reasons_have_the_names_caps_and_order_of_the_decision),
        cmocka_unit_test(findings_have_the_names_and_order_of_the_decision),
        cmocka_unit_test(every_code_has_a_meaning_of_its_own),
        cmocka_unit_test(verdicts_have_the_names_of_the_decision),
        cmocka_unit_test(rulings_name_the_rule_and_whether_it_could_be_asked),
        cmocka_unit_test(the_level_is_the_lowest_cap_and_proof_lifts_high_alone),
        cmocka_unit_test(any_two_reasons_give_the_level_that_their_caps_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
