/* Revisions: the first bytes of SHA-256 over a canonical form, so that two daemons with the same lists and policies say
 * the same word. Times are left out: freshness is not content. Every field is written with its length, in a fixed
 * order, lists and policies by name, prefixes by address. */
#include "view_priv.h"

#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct sha256_ctx hash;

static void add_number(hash *h, uint64_t n)
{
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(n >> (56 - 8 * i));
    sha256_update(h, sizeof(bytes), bytes);
}

static void add_text(hash *h, ipt_span text)
{
    add_number(h, text.n);
    sha256_update(h, text.n, (const uint8_t *)text.p);
}

static void finish(hash *h, char *out, size_t digits)
{
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_digest(h, sizeof(digest), digest);
    for (size_t i = 0; i < digits / 2; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

static int by_prefix(const void *a, const void *b)
{
    const ipt_prefix *x = a, *y = b;
    if (x->addr.hi != y->addr.hi)
        return x->addr.hi < y->addr.hi ? -1 : 1;
    if (x->addr.lo != y->addr.lo)
        return x->addr.lo < y->addr.lo ? -1 : 1;
    return (int)x->len - (int)y->len;
}

static ipt_err add_prefixes(hash *h, const ipt_prefix *prefixes, size_t count)
{
    bool sorted = true;
    for (size_t i = 1; i < count && sorted; i++)
        sorted = by_prefix(&prefixes[i - 1], &prefixes[i]) <= 0;
    ipt_prefix *copy = sorted ? NULL : calloc(count, sizeof(*copy));
    if (!sorted && copy == NULL)
        return IPT_ENOMEM;
    if (copy != NULL) {
        memcpy(copy, prefixes, count * sizeof(*copy));
        qsort(copy, count, sizeof(*copy), by_prefix);
        prefixes = copy;
    }
    add_number(h, count);
    for (size_t i = 0; i < count; i++) {
        add_number(h, prefixes[i].addr.hi);
        add_number(h, prefixes[i].addr.lo);
        add_number(h, prefixes[i].len);
    }
    free(copy);
    return IPT_OK;
}

static void add_list(hash *h, const ipt_view_list *list)
{
    const ipt_list_spec *spec = list->spec;
    add_text(h, ipt_span_from(spec->name));
    add_text(h, ipt_span_from(list->revision));
    add_number(h, (uint64_t)spec->source);
    add_number(h, (uint64_t)spec->provider);
    add_number(h, (uint64_t)spec->internal << 4 | (uint64_t)spec->exclusive << 3 | (uint64_t)spec->broad_accepted << 2 |
                      (uint64_t)spec->bundled << 1 | (uint64_t)spec->failed);
    add_number(h, spec->adds);
    add_number(h, (uint64_t)spec->soft_age);
    add_number(h, (uint64_t)spec->hard_age);
    add_number(h, spec->service_count);
    for (size_t i = 0; i < spec->service_count; i++)
        add_text(h, ipt_span_from(spec->services[i]));
    add_number(h, spec->vouch_count);
    for (size_t i = 0; i < spec->vouch_count; i++) {
        add_text(h, spec->vouches[i].header);
        add_number(h, (uint64_t)spec->vouches[i].how);
    }
    add_number(h, (uint64_t)spec->proof.kind);
    add_text(h, spec->proof.name);
    add_text(h, spec->proof.secret);
    add_number(h, spec->proof.value_count);
    for (size_t i = 0; i < spec->proof.value_count; i++)
        add_text(h, ipt_span_from(spec->proof.values[i]));
}

static void add_rule(hash *h, const ipt_config *config, const ipt_rule_spec *rule)
{
    add_number(h, rule->stated);
    add_number(h, (uint64_t)rule->confidence);
    add_number(h, rule->list_count);
    for (size_t i = 0; i < rule->list_count; i++)
        add_text(h, ipt_span_from(config->lists[rule->lists[i]].name));
    add_number(h, rule->country_count);
    for (size_t i = 0; i < rule->country_count; i++)
        add_text(h, ipt_span_from(rule->countries[i]));
    add_number(h, rule->asn_count);
    for (size_t i = 0; i < rule->asn_count; i++)
        add_number(h, rule->asns[i]);
    add_number(h, rule->anonymous);
}

static void add_policy(hash *h, const ipt_config *config, const ipt_policy_spec *spec)
{
    add_text(h, ipt_span_from(spec->name));
    add_number(h, spec->trust_count);
    for (size_t i = 0; i < spec->trust_count; i++)
        add_text(h, ipt_span_from(config->lists[spec->trust[i]].name));
    add_number(h, spec->trust_anyone);
    add_number(h, spec->read_count);
    for (size_t i = 0; i < spec->read_count; i++) {
        uint16_t from = spec->read[i].from;
        add_text(h, spec->read[i].name);
        add_text(h, ipt_span_from(from == IPT_LIST_NONE ? NULL : config->lists[from].name));
    }
    add_number(h, spec->hops);
    add_number(h, spec->peer_in_header);
    add_number(h, spec->chain_count);
    for (size_t i = 0; i < spec->chain_count; i++) {
        add_text(h, ipt_span_from(config->lists[spec->chains[i].outer].name));
        add_text(h, ipt_span_from(config->lists[spec->chains[i].inner].name));
    }
    add_number(h, (uint64_t)spec->mode);
    add_rule(h, config, &spec->deny);
    add_rule(h, config, &spec->allow);
    add_number(h, (uint64_t)spec->unknown_denies << 1 | (uint64_t)spec->clients_any);
    add_number(h, spec->ipv6_rate_limit);
    add_number(h, spec->selectable_by);
    add_number(h, spec->rewrite_count);
    for (size_t i = 0; i < spec->rewrite_count; i++)
        add_text(h, ipt_span_from(spec->rewrite[i]));
}

/* The list after `last` by name, NULL at the end: lists stand in the order of the file, the hash in that of names. */
static const ipt_view_list *next_by_name(const ipt_view_core *core, const char *last)
{
    const ipt_view_list *next = NULL;
    for (size_t i = 0; i < core->config->list_count; i++) {
        const ipt_view_list *list = &core->lists[i];
        if (last != NULL && strcmp(list->spec->name, last) <= 0)
            continue;
        if (next == NULL || strcmp(list->spec->name, next->spec->name) < 0)
            next = list;
    }
    return next;
}

ipt_err ipt_core_revise(ipt_view_core *core)
{
    const ipt_config *config = core->config;
    hash h;
    for (size_t i = 0; i < config->list_count; i++) {
        const ipt_list_spec *spec = &config->lists[i];
        sha256_init(&h);
        ipt_err err = add_prefixes(&h, spec->prefixes, spec->prefix_count);
        if (err == IPT_OK)
            err = add_prefixes(&h, spec->egress, spec->egress_count);
        if (err != IPT_OK)
            return err;
        finish(&h, core->lists[i].revision, 8);
    }
    sha256_init(&h);
    for (const ipt_view_list *list = next_by_name(core, NULL); list != NULL;
         list = next_by_name(core, list->spec->name))
        add_list(&h, list);
    finish(&h, core->lists_revision, 8);

    sha256_init(&h);
    ipt_err err = add_prefixes(&h, config->nat64, config->nat64_count);
    if (err != IPT_OK)
        return err;
    for (size_t i = 0; i < config->policy_count; i++)
        add_policy(&h, config, &config->policies[i]);
    finish(&h, core->policies_revision, 8);
    return IPT_OK;
}
