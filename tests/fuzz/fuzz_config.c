/* Reads a configuration twice. Both runs end the same way and say the same; a configuration that comes out is whole:
 * every index points at something, nothing is out of its range, and nobody is trusted through a list that is not there.
 */
#include "iptrust/config/config.h"

#include <stdlib.h>

#include "iptrust/config/diag_print.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static ipt_err run(ipt_span yaml, ipt_buf *messages, ipt_config **config)
{
    ipt_diag diag;
    must(ipt_diag_init(&diag) == IPT_OK);
    const ipt_config_options options = {.base_dir = "/nonexistent"};
    ipt_err err = ipt_config_parse(yaml, "fuzz.yaml", &options, &diag, config);
    must(err == IPT_OK || err == IPT_ECONFIG);
    must((err == IPT_OK) == (diag.errors == 0));
    must((err == IPT_OK) == (*config != NULL));
    ipt_diag_print(&diag, messages);
    ipt_diag_done(&diag);
    return err;
}

static void check_indexes(const ipt_config *c, const uint16_t *lists, size_t count)
{
    for (size_t i = 0; i < count; i++)
        must(lists[i] < c->list_count);
}

static void check_rule(const ipt_config *c, const ipt_rule_spec *rule)
{
    must(rule->confidence <= IPT_LEVEL_AUTHENTICATED);
    must(c->geo_file_count != 0 || (rule->country_count == 0 && rule->asn_count == 0 && !rule->anonymous));
    check_indexes(c, rule->lists, rule->list_count);
}

static void check_policy(const ipt_config *c, const ipt_policy_spec *p)
{
    check_indexes(c, p->trust, p->trust_count);
    for (size_t i = 0; i < p->trust_count; i++) {
        const ipt_list_spec *list = &c->lists[p->trust[i]];
        must(list->kind == IPT_KIND_OWN || list->kind == IPT_KIND_PROXY || list->trust_tenants);
    }
    must(!p->trust_anyone || (p->hops != 0 && p->trust_count == 0));
    must(p->hops <= 64 && p->read_count >= 1 && p->read_count <= IPT_CONFIG_READ_MAX);
    for (size_t i = 0; i < p->read_count; i++) {
        must(p->read[i].name.n != 0);
        must(p->read[i].from == IPT_LIST_NONE || p->read[i].from < c->list_count);
    }
    for (size_t i = 0; i < p->chain_count; i++)
        must(p->chains[i].outer < c->list_count && p->chains[i].inner < c->list_count);
    must(p->mode <= IPT_MODE_SHADOW && p->ipv6_rate_limit >= 1 && p->ipv6_rate_limit <= 128);
    must((p->selectable_by & ~15U) == 0);
    check_rule(c, &p->deny);
    check_rule(c, &p->allow);
    must(ipt_config_find_policy(c, ipt_span_from(p->name)) == p);
}

static void check_list(const ipt_list_spec *list)
{
    must(list->name != NULL && list->place.line != 0);
    must((list->prefixes != NULL || list->prefix_count == 0) && (list->egress != NULL || list->egress_count == 0));
    must(list->adds == 1 || list->adds == 2);
    must(list->source != IPT_SOURCE_UNIX || list->prefix_count == 0);
    must(!list->failed || list->prefix_count == 0);
    for (size_t i = 0; i < list->vouch_count; i++)
        must(list->vouches[i].header.n != 0 && list->vouches[i].how != IPT_VOUCH_NONE);
    for (size_t i = 0; i < list->prefix_count; i++)
        must(ipt_prefix_equal(list->prefixes[i], ipt_prefix_of(list->prefixes[i].addr, list->prefixes[i].len)));
    must(list->proof.kind != IPT_PROOF_HEADER && list->proof.kind != IPT_PROOF_FORWARDED_PARAM); /* no files here */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ipt_span yaml = {(const char *)data, size};
    ipt_config *first = NULL, *second = NULL;
    ipt_auto(ipt_buf) said = {0};
    ipt_auto(ipt_buf) again = {0};
    ipt_err err = run(yaml, &said, &first);
    must(run(yaml, &again, &second) == err);
    must(ipt_span_equal(ipt_buf_span(&said), ipt_buf_span(&again)));
    for (size_t i = 0; first != NULL && i < first->list_count; i++)
        check_list(&first->lists[i]);
    for (size_t i = 0; first != NULL && i < first->policy_count; i++)
        check_policy(first, &first->policies[i]);
    ipt_config_free(first);
    ipt_config_free(second);
    return 0;
}
