/* Policies: whom they trust, how they walk, what follows. */
#include <stdlib.h>

#include "bind.h"
#include "check.h"
#include "value.h"
#include "iptrust/base/show.h"

enum { POLICIES_MAX = 4096 };

/* ---- trust ---- */

/* As written: contents that are fetched are not there yet. */
static bool holds_nothing(const ipt_list_spec *list)
{
    return list->prefix_count == 0 && (list->source == IPT_SOURCE_BY_HAND || list->source == IPT_SOURCE_FILE);
}

static void judge_trusted(ipt_bind *b, const ipt_node *item, uint16_t index)
{
    const ipt_list_spec *list = &b->lists[index];
    bool strangers = list->kind == IPT_KIND_TENANTS || list->kind == IPT_KIND_CRAWLERS;
    b->list_trusted[index] = true;
    if (strangers && !list->trust_tenants)
        ipt_diag_add(b->diag, IPT_ERROR, item->place,
                     "list \"%s\" is of kind %s: anybody can send from there; trusting it needs trust_tenants: true",
                     list->name, ipt_list_kind_name(list->kind));
    else if (strangers)
        ipt_diag_add(b->diag, IPT_WARNING, item->place, "list \"%s\" is of kind %s: anybody can send from there",
                     list->name, ipt_list_kind_name(list->kind));
    if (holds_nothing(list))
        ipt_diag_add(b->diag, IPT_WARNING, item->place, "list \"%s\" is empty: nobody is trusted through it",
                     list->name);
}

static void bind_trust(ipt_bind *b, ipt_policy_spec *policy, const ipt_node *node)
{
    static const ipt_key names = {.path = "policies.*.trust", .type = IPT_KEY_NAMES};
    ipt_node *trust = ipt_bind_node(node, "policies.*.trust");
    if (trust == NULL)
        return;
    if (trust->kind == IPT_NODE_SCALAR && ipt_span_equal(trust->text, IPT_SPAN("anyone"))) {
        policy->trust_anyone = true;
        ipt_diag_add(
            b->diag, IPT_WARNING, trust->place,
            "trust: anyone believes the header of whoever connects: only for listeners that nobody else reaches");
        return;
    }
    if (trust->kind != IPT_NODE_SEQUENCE) {
        ipt_complain_expected(b->diag, trust, "a sequence of list names, or anyone");
        return;
    }
    ipt_check_value(&names, trust, b->diag);
    policy->trust = ipt_bind_list_refs(b, node, "policies.*.trust", &policy->trust_count);
    size_t n = 0;
    for (const ipt_node *item = trust->first; item != NULL && n < policy->trust_count; item = item->next) {
        if (strcmp(item->text.n == 0 ? "" : item->text.p, b->lists[policy->trust[n]].name) == 0)
            judge_trusted(b, item, policy->trust[n++]);
    }
}

/* ---- walk ---- */

static void bind_walk(ipt_bind *b, ipt_policy_spec *policy, const ipt_node *node)
{
    ipt_node *walk = ipt_bind_node(node, "policies.*.walk");
    const ipt_node *trust = ipt_node_get(node, "trust");
    if (walk != NULL && walk->kind == IPT_NODE_MAPPING) {
        const ipt_node *hops = ipt_node_get(walk, "hops");
        policy->hops = (uint8_t)ipt_bind_integer(walk, "policies.*.walk.hops");
        policy->peer_in_header = ipt_bind_bool(walk, "policies.*.walk.peer_in_header");
        if (hops == NULL)
            ipt_diag_add(b->diag, IPT_ERROR, walk->place, "hops is missing");
        else if (!hops->bad)
            ipt_diag_add(b->diag, IPT_WARNING, hops->key->place,
                         "a hop count is right only while every request passes exactly %u %s", policy->hops,
                         policy->hops == 1 ? "proxy" : "proxies");
        if ((policy->selectable_by & IPT_SELECT_EXT_AUTHZ) != 0 && ipt_node_get(walk, "peer_in_header") == NULL)
            ipt_diag_add(b->diag, IPT_ERROR, walk->place,
                         "a policy with hops that ext_authz may select must state peer_in_header");
        return;
    }
    if (walk != NULL && !(walk->kind == IPT_NODE_SCALAR && ipt_span_equal(walk->text, IPT_SPAN("trusted"))))
        ipt_complain_expected(b->diag, walk, "trusted or {hops: n}");
    else if (policy->trust_anyone)
        ipt_diag_add(b->diag, IPT_ERROR, trust->place, "trust: anyone needs walk: {hops: n}");
}

/* ---- chains ---- */

static bool bind_pair(ipt_bind *b, ipt_node *node, ipt_chain_pair *out)
{
    static const ipt_key names = {.path = "policies.*.chains", .type = IPT_KEY_NAMES};
    if (node->kind != IPT_NODE_SEQUENCE || node->count != 2) {
        ipt_complain_expected(b->diag, node, "a pair [outer, inner] of list names");
        return false;
    }
    ipt_check_value(&names, node, b->diag);
    ipt_chain_pair pair = {ipt_bind_list_ref(b, node->first), ipt_bind_list_ref(b, node->last)};
    if (pair.outer == IPT_LIST_NONE || pair.inner == IPT_LIST_NONE)
        return false;
    *out = pair;
    return true;
}

static void bind_chains(ipt_bind *b, ipt_policy_spec *policy, const ipt_node *node)
{
    ipt_node *chains = ipt_bind_node(node, "policies.*.chains");
    if (chains == NULL)
        return;
    if (chains->kind != IPT_NODE_SEQUENCE) {
        ipt_complain_expected(b->diag, chains, "a sequence of pairs such as [[outer, inner]]");
        return;
    }
    ipt_chain_pair *pairs = ipt_bind_alloc(b, chains->count, sizeof(*pairs));
    policy->chains = pairs;
    for (ipt_node *item = chains->first; pairs != NULL && item != NULL; item = item->next)
        policy->chain_count += bind_pair(b, item, &pairs[policy->chain_count]);
}

/* ---- rules ---- */

static void bind_countries(ipt_bind *b, ipt_rule_spec *rule, const ipt_node *node)
{
    const ipt_node *countries = ipt_bind_node(node, "policies.*.deny.countries");
    rule->countries = ipt_bind_strings(b, node, "policies.*.deny.countries", &rule->country_count);
    for (const ipt_node *item = countries == NULL ? NULL : countries->first; item != NULL; item = item->next) {
        ipt_shown shown;
        bool two = !item->bad && item->text.n == 2 && strspn(item->text.p, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 2;
        if (!two && !item->bad)
            ipt_diag_add(b->diag, IPT_ERROR, item->place, "expected two capital letters, found \"%s\"",
                         ipt_show(item->text, &shown));
    }
}

static void bind_asns(ipt_bind *b, ipt_rule_spec *rule, const ipt_node *node)
{
    ipt_node *asns = ipt_bind_node(node, "policies.*.deny.asns");
    if (asns == NULL)
        return;
    if (asns->kind != IPT_NODE_SEQUENCE) {
        ipt_complain_expected(b->diag, asns, "a sequence of numbers such as [3320]");
        return;
    }
    uint32_t *numbers = ipt_bind_alloc(b, asns->count, sizeof(*numbers));
    rule->asns = numbers;
    for (ipt_node *item = asns->first; numbers != NULL && item != NULL; item = item->next) {
        uint64_t number;
        if (item->kind == IPT_NODE_SCALAR && ipt_value_integer(item->text, &number) && number <= UINT32_MAX)
            numbers[rule->asn_count++] = (uint32_t)number;
        else
            ipt_complain_expected(b->diag, item, "the number of an autonomous system");
    }
}

/* A rule that can never be evaluated would deny everybody or nobody: better said at start. Whether a file that is there
 * can answer is known to who opens it (ipt_view_check_geo). */
static void refuse_geo(ipt_bind *b, const ipt_node *node)
{
    const ipt_node *files = ipt_node_get(ipt_node_get(b->root, "geo"), "files");
    if (files != NULL && files->count != 0)
        return;
    static const char *const keys[] = {"countries", "asns", "anonymous"};
    for (size_t i = 0; i < IPT_COUNT(keys); i++) {
        const ipt_node *value = ipt_node_get(node, keys[i]);
        bool asks =
            value != NULL && (value->count != 0 || (i == 2 && ipt_bind_bool(node, "policies.*.deny.anonymous")));
        if (asks)
            ipt_diag_add(b->diag, IPT_ERROR, value->key->place,
                         "%s needs a geo file that can answer, and there is none", keys[i]);
    }
}

static void bind_rule(ipt_bind *b, ipt_rule_spec *rule, const ipt_node *node, const char *level)
{
    if (node == NULL)
        return;
    rule->stated = true;
    if (ipt_bind_node(node, level) != NULL)
        rule->confidence = (ipt_level)(IPT_LEVEL_LOW + ipt_bind_word(node, level));
    rule->lists = ipt_bind_list_refs(b, node, "policies.*.deny.lists", &rule->list_count);
    rule->anonymous = ipt_bind_bool(node, "policies.*.deny.anonymous");
    bind_countries(b, rule, node);
    bind_asns(b, rule, node);
    refuse_geo(b, node);
}

/* ---- the rest ---- */

static void bind_selectable(ipt_bind *b, ipt_policy_spec *policy, const ipt_node *node)
{
    static const unsigned bits[] = {IPT_SELECT_REST, IPT_SELECT_GRPC, IPT_SELECT_EXT_AUTHZ, IPT_SELECT_AUTH};
    const ipt_key *key = ipt_schema_find("policies.*.selectable_by");
    const ipt_node *stated = ipt_node_get(node, "selectable_by");
    (void)b;
    policy->selectable_by = stated == NULL ? IPT_SELECT_REST | IPT_SELECT_GRPC : 0;
    for (const ipt_node *item = stated == NULL ? NULL : stated->first; item != NULL; item = item->next) {
        ipt_span words = ipt_span_from(key->range), word;
        for (size_t i = 0; i < IPT_COUNT(bits) && ipt_words_next(&words, &word); i++) {
            if (ipt_span_equal(word, item->text))
                policy->selectable_by |= bits[i];
        }
    }
}

static void bind_rewrite(ipt_bind *b, ipt_policy_spec *policy, const ipt_node *node)
{
    const ipt_node *rewrite = ipt_bind_node(node, "policies.*.rewrite");
    if (rewrite == NULL)
        return;
    const char **names = ipt_bind_alloc(b, rewrite->count, sizeof(*names));
    policy->rewrite = names;
    for (const ipt_node *item = rewrite->first; names != NULL && item != NULL; item = item->next) {
        ipt_shown shown;
        if (item->bad)
            continue;
        if (!ipt_span_is_token(item->text)) {
            ipt_diag_add(b->diag, IPT_ERROR, item->place, "\"%s\" is no header name", ipt_show(item->text, &shown));
            continue;
        }
        names[policy->rewrite_count] = ipt_bind_lower(b, item->text);
        policy->rewrite_count += names[policy->rewrite_count] != NULL;
    }
}

static void bind_policy(ipt_bind *b, ipt_policy_spec *policy, const ipt_node *node)
{
    bind_selectable(b, policy, node);
    bind_trust(b, policy, node);
    ipt_bind_read(b, policy, node);
    bind_walk(b, policy, node);
    bind_chains(b, policy, node);
    bind_rule(b, &policy->deny, ipt_bind_node(node, "policies.*.deny"), "policies.*.deny.confidence_below");
    bind_rule(b, &policy->allow, ipt_bind_node(node, "policies.*.allow"), "policies.*.allow.confidence_at_least");
    bind_rewrite(b, policy, node);
    policy->mode = (ipt_mode)ipt_bind_word(node, "policies.*.mode");
    policy->unknown_denies = ipt_bind_word(node, "policies.*.unknown") == 0;
    policy->clients_any = ipt_bind_word(node, "policies.*.clients") == 1;
    policy->ipv6_rate_limit =
        (uint8_t)ipt_bind_integer(ipt_bind_node(node, "policies.*.keys"), "policies.*.keys.ipv6_rate_limit");

    const ipt_node *mode = ipt_bind_node(node, "policies.*.mode");
    if (policy->mode != IPT_MODE_ANNOTATE && !policy->deny.stated && !policy->allow.stated)
        ipt_diag_add(b->diag, IPT_WARNING, mode->place, "mode %s has no effect without deny or allow",
                     ipt_mode_name(policy->mode));
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const ipt_policy_spec *)a)->name, ((const ipt_policy_spec *)b)->name);
}

void ipt_bind_policies(ipt_bind *b)
{
    const ipt_node *node = ipt_bind_node(b->root, "policies");
    if (node == NULL || node->count == 0)
        return;
    if (node->count > POLICIES_MAX) {
        ipt_diag_add(b->diag, IPT_ERROR, node->place, "%zu policies, expected at most %d", node->count, POLICIES_MAX);
        return;
    }
    b->policies = ipt_bind_alloc(b, node->count, sizeof(*b->policies));
    if (b->policies == NULL)
        return;
    size_t n = 0;
    for (const ipt_node *item = node->first; item != NULL; item = item->next) {
        if (item->bad)
            continue;
        ipt_policy_spec *policy = &b->policies[n];
        policy->name = ipt_bind_text(b, item->key->text);
        policy->place = item->key->place;
        if (policy->name == NULL)
            return;
        n++;
        bind_policy(b, policy, item);
        if (b->no_memory)
            return;
    }
    qsort(b->policies, n, sizeof(*b->policies), by_name);
    b->config->policies = b->policies;
    b->config->policy_count = n;
}

const ipt_policy_spec *ipt_config_find_policy(const ipt_config *config, ipt_span name)
{
    size_t low = 0, high = config->policy_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const ipt_policy_spec *policy = &config->policies[middle];
        size_t n = strlen(policy->name);
        size_t shorter = n < name.n ? n : name.n;
        int order = shorter == 0 ? 0 : memcmp(policy->name, name.p, shorter);
        if (order == 0 && n == name.n)
            return policy;
        if (order < 0 || (order == 0 && n < name.n))
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}
