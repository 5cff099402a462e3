/* The one list of what applications are told of a decision, and of what clients may not tell them in our name. */
#include "iptrust/callout/callout.h"

#include <stdio.h>

enum { CHAIN_MAX = 1024, CLIENT = 0 };

typedef struct building {
    const ipt_decision *decision;
    ipt_arena *arena;
    ipt_callout *out;
    bool failed; /* no memory at some point */
} building;

bool ipt_callout_is_ours(ipt_span name)
{
    static const char ours[] = "x-iptrust-";
    if (name.n < sizeof(ours) - 1)
        return false;
    for (size_t i = 0; i < sizeof(ours) - 1; i++) {
        char c = ipt_lower(name.p[i]);
        if ((c == '_' || c == '.' ? '-' : c) != ours[i])
            return false;
    }
    return true;
}

const char *ipt_callout_denial(void)
{
    return "{\"type\":\"urn:iptrust:problem:denied\",\"title\":\"The policy denies this request\","
           "\"status\":403,\"code\":\"denied\"}";
}

static const char *keep(building *b, char *text)
{
    b->failed = b->failed || text == NULL;
    return text;
}

/* Formatted output would cost more than the rest of the answer. */
static size_t append(char *to, size_t n, ipt_span text)
{
    if (text.n != 0)
        memcpy(to + n, text.p, text.n);
    return n + text.n;
}

static const char *client_text(building *b)
{
    char text[IPT_ADDR_TEXT];
    if (!b->decision->has_client)
        return NULL;
    return keep(b, ipt_arena_strdup(b->arena, (ipt_span){text, ipt_addr_format(b->decision->client, text)}));
}

static bool is_in_chain(const ipt_hop *hop)
{
    return hop->verdict == IPT_VERDICT_TRUSTED || hop->verdict == IPT_VERDICT_OWN ||
           hop->verdict == IPT_VERDICT_COUNTED || hop->verdict == IPT_VERDICT_CLIENT;
}

/* The vouched hops and the client, from the peer outwards: "10.0.12.1;lb, 8.8.8.8". */
static const char *chain_text(building *b)
{
    const ipt_decision *d = b->decision;
    char text[CHAIN_MAX + sizeof(";truncated")];
    size_t n = 0;
    for (size_t i = 0; i < d->chain_count; i++) {
        const ipt_hop *hop = &d->chain[i];
        char item[IPT_ADDR_TEXT + IPT_NAME_LENGTH_MAX + 4];
        if (!is_in_chain(hop))
            continue;
        size_t length = append(item, 0, n == 0 ? IPT_SPAN("") : IPT_SPAN(", "));
        if (hop->has_addr)
            length += ipt_addr_format(hop->addr, item + length);
        else
            length = append(item, length, IPT_SPAN("unix"));
        if (hop->list != IPT_LIST_NONE) {
            length = append(item, length, IPT_SPAN(";"));
            length = append(item, length, ipt_span_from(d->view->lists[hop->list].spec->name));
        }
        if (n + length > CHAIN_MAX) {
            n = append(text, n, IPT_SPAN(";truncated"));
            break;
        }
        n = append(text, n, (ipt_span){item, length});
    }
    return n == 0 ? NULL : keep(b, ipt_arena_strdup(b->arena, (ipt_span){text, n}));
}

static const char *source_text(building *b)
{
    const ipt_decision *d = b->decision;
    if (!d->has_client)
        return NULL;
    switch (d->source) {
    case IPT_ORIGIN_PEER:
        return "peer";
    case IPT_ORIGIN_PROXY_PROTOCOL:
        return "proxy_protocol";
    case IPT_ORIGIN_HEADER:
        break;
    }
    return keep(b, ipt_arena_escape(b->arena, ipt_names_text(d->view->names, d->source_header)));
}

/* Databases are part of what a decision was made under: their revision follows when there are any. */
static const char *revision_text(building *b)
{
    const ipt_view *view = b->decision->view;
    const char *geo = ipt_geo_revision(view->geo);
    char text[sizeof(view->policies_revision) + sizeof(view->lists_revision) + 9];
    size_t n = append(text, 0, ipt_span_from(view->policies_revision));
    n = append(text, n, IPT_SPAN("-"));
    n = append(text, n, ipt_span_from(view->lists_revision));
    if (geo != NULL) {
        n = append(text, n, IPT_SPAN("-"));
        n = append(text, n, ipt_span_from(geo));
    }
    return keep(b, ipt_arena_strdup(b->arena, (ipt_span){text, n}));
}

static bool has_fact(const ipt_decision *d, ipt_geo_field field)
{
    return d->has_geo && ipt_geo_has(&d->geo, field);
}

static const char *country_text(building *b)
{
    if (!has_fact(b->decision, IPT_GEO_COUNTRY_CODE))
        return NULL;
    return keep(b, ipt_arena_strdup(b->arena, b->decision->geo.values[IPT_GEO_COUNTRY_CODE].text));
}

static const char *asn_text(building *b)
{
    char text[12];
    if (!has_fact(b->decision, IPT_GEO_ASN))
        return NULL;
    int n = snprintf(text, sizeof(text), "%u", b->decision->geo.values[IPT_GEO_ASN].uint);
    return keep(b, ipt_arena_strdup(b->arena, (ipt_span){text, n < 0 ? 0 : (size_t)n}));
}

static void collect_facts(building *b)
{
    const ipt_decision *d = b->decision;
    const ipt_callout_fact facts[IPT_CALLOUT_FACTS] = {
        [CLIENT] = {"x-iptrust-client-ip", "client_ip", client_text(b)},
        {"x-iptrust-confidence", "confidence", ipt_level_name(d->level)},
        {"x-iptrust-source", "source", source_text(b)},
        {"x-iptrust-chain", "chain", chain_text(b)},
        {"x-iptrust-policy", "policy", d->policy->spec->name},
        {"x-iptrust-revision", "revision", revision_text(b)},
        {"x-iptrust-country", "country", country_text(b)},
        {"x-iptrust-asn", "asn", asn_text(b)},
    };
    memcpy(b->out->facts, facts, sizeof(facts));
}

static bool is_fact(const ipt_callout *c, ipt_span name)
{
    for (size_t i = 0; i < IPT_CALLOUT_FACTS; i++) {
        if (ipt_span_equal_nocase(name, ipt_span_from(c->facts[i].header)))
            return true;
    }
    return false;
}

static bool is_rewritten(const ipt_callout *c, ipt_span name)
{
    for (size_t i = 0; i < c->rewrite_count; i++) {
        if (ipt_span_equal_nocase(name, ipt_span_from(c->rewrites[i].name)))
            return true;
    }
    return false;
}

static void take_away(ipt_callout *c, const char *name)
{
    c->removed[c->removed_count++] = name;
}

/* `rewrite`: these headers say what we found or nothing, and no other header says anything else. */
static void put_rewrites(building *b)
{
    const ipt_decision *d = b->decision;
    const ipt_policy_spec *spec = d->policy->spec;
    ipt_callout *c = b->out;
    for (size_t i = 0; i < spec->rewrite_count; i++) {
        if (d->has_client && d->complete)
            c->rewrites[c->rewrite_count++] = (ipt_callout_header){spec->rewrite[i], c->facts[CLIENT].text};
        else
            take_away(c, spec->rewrite[i]);
    }
    if (spec->rewrite_count == 0)
        return;
    static const char *const others[] = {"forwarded", "true-client-ip"};
    for (size_t i = 0; i < IPT_COUNT(others); i++) {
        if (!is_rewritten(c, ipt_span_from(others[i])))
            take_away(c, others[i]);
    }
}

/* Whatever the client wrote in our name, and under `rewrite` what an application could take for an address header. A
 * name that HTTP cannot carry is left out: it cannot arrive, and one that is not UTF-8 would void the whole answer. */
static void put_removals(building *b, const ipt_header *lines, size_t count)
{
    const ipt_decision *d = b->decision;
    bool rewrites = d->policy->spec->rewrite_count != 0;
    for (size_t i = 0; i < count && !b->failed; i++) {
        ipt_span name = lines[i].name;
        bool ours = ipt_callout_is_ours(name) && !is_fact(b->out, name);
        bool alias = !ours && rewrites && ipt_names_is_alias(d->view->names, name);
        if ((ours || alias) && ipt_span_is_token(name) && !is_rewritten(b->out, name))
            take_away(b->out, keep(b, ipt_arena_strdup(b->arena, name)));
    }
}

ipt_err ipt_callout_build(const ipt_decision *decision, const ipt_header *lines, size_t line_count, ipt_arena *arena,
                          ipt_callout *out)
{
    enum { OTHERS = 2 };
    size_t rewrites = decision->policy->spec->rewrite_count;
    *out = (ipt_callout){
        .rewrites = ipt_arena_calloc(arena, rewrites, sizeof(*out->rewrites)),
        .removed = ipt_arena_calloc(arena, rewrites + OTHERS + line_count, sizeof(*out->removed)),
    };
    if (out->rewrites == NULL || out->removed == NULL)
        return IPT_ENOMEM;
    building b = {.decision = decision, .arena = arena, .out = out};
    collect_facts(&b);
    put_rewrites(&b);
    put_removals(&b, lines, line_count);
    return b.failed ? IPT_ENOMEM : IPT_OK;
}
