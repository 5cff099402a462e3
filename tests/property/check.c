/* See check.h. */
#include "check.h"

#include <assert.h>
#include <stdio.h>

#include "iptrust/codec/json.h"
#include "naive.h"

#define SHOWN 2 /* failures of one property that are printed */

const char *property_name(property p)
{
    static const char *const names[PROPERTIES] = {
        [I1_UNTRUSTED_PEER] = "I1 untrusted peer: no header matters",
        [I2_PREPENDED_ENTRIES] = "I2 prepended entries change nothing",
        [I3_LEVEL_FROM_REASONS] = "I3 level from reasons",
        [I4_CLIENT_FROM_VOUCHED_POSITION] = "I4 client from a vouched position",
        [I5_LINES_ARE_JOINED] = "I5 one line equals two",
        [I6_SPELLING] = "I6 spelling changes nothing",
        [I7_EMPTIED_LISTS] = "I7 emptied lists",
        [I7_AGED_LISTS] = "I7 aged lists",
        [I9_SAME_BYTES] = "I9 same bytes",
        [I10_HEADER_ORDER] = "I10 order of header names",
        [DETAIL_AGREES] = "short and full answer agree",
    };
    return names[p];
}

static const ipt_policy *policy_of(const bench *b, const ipt_view *view)
{
    return &view->policies[b->policy];
}

static void write_json(ipt_buf *out, const ipt_decision *d, const ipt_request *request)
{
    const ipt_call call = {.request = *request, .want_chain = true, .want_geo = true};
    ipt_buf_reset(out);
    ipt_json_write_decision(out, d, &call);
    assert(!out->failed);
}

static void show_request(const ipt_request *r)
{
    (void)printf("    peer %.*s caller %d principal %.*s%s\n", (int)r->peer.n, r->peer.p, (int)r->caller,
                 (int)r->principal.n, r->principal.p, r->has_proxy_protocol ? " with PROXY bytes" : "");
    for (size_t i = 0; i < r->header_count; i++)
        (void)printf("    %.*s: %.*s\n", (int)r->headers[i].name.n, r->headers[i].name.p, (int)r->headers[i].value.n,
                     r->headers[i].value.p);
    for (size_t i = 0; i < r->attribute_count; i++)
        (void)printf("    attribute %.*s\n", (int)r->attributes[i].value.n, r->attributes[i].value.p);
}

static void fail(bench *b, tally *t, property p, const char *why)
{
    if (t->failed[p]++ >= SHOWN)
        return;
    (void)printf("FAILED %s, request %llu, %s.yaml, policy %s: %s\n", property_name(p), (unsigned long long)b->number,
                 b->world->name, policy_of(b, b->world->base)->spec->name, why);
    show_request(&b->text.request);
    write_json(&b->json, &b->decision, &b->text.request);
    (void)printf("    answer  %.*s\n", (int)b->json.n, b->json.p);
    if (p != I3_LEVEL_FROM_REASONS && p != I4_CLIENT_FROM_VOUCHED_POSITION) {
        show_request(&b->other_text.request);
        (void)printf("    against %s, level %s, chain %u\n", b->other.has_client ? "a client" : "none",
                     ipt_level_name(b->other.level), b->other.chain_count);
    }
}

static void expect(bench *b, tally *t, property p, bool holds, const char *why)
{
    t->exercised[p]++;
    if (!holds)
        fail(b, t, p, why);
}

static bool resolve_other(bench *b, const ipt_view *view, ipt_detail detail)
{
    /* What a decision does not set must not matter. */
    memset(&b->other, 0xa5, sizeof(b->other));
    return ipt_resolve(view, policy_of(b, view), &b->other_text.request, detail, &b->other, NULL) == IPT_REFUSAL_NONE;
}

static bool same_client(const ipt_decision *a, const ipt_decision *b)
{
    return a->has_client == b->has_client && (!a->has_client || ipt_addr_equal(a->client, b->client));
}

static ipt_reason origin_of(const ipt_decision *d)
{
    return (ipt_reason)__builtin_ctzll(d->reasons);
}

static void check_untrusted(bench *b, tally *t)
{
    const ipt_policy *policy = policy_of(b, b->world->base);
    bool trusted = b->form.peer_kind == GEN_PEER_ADDR
                       ? naive_trusted(b->world->base, policy, b->form.peer.addr, IPT_LIST_NONE)
                       : b->form.peer_kind == GEN_PEER_UNIX && naive_unix_trusted(b->world->base, policy);
    if (policy->spec->trust_anyone || trusted)
        return;
    b->other_form = b->form;
    gen_strip(&b->other_form);
    gen_render(&b->other_form, &b->other_text);
    bool same = resolve_other(b, b->world->base, IPT_DETAIL_FULL) && same_client(&b->decision, &b->other) &&
                b->decision.level == b->other.level;
    expect(b, t, I1_UNTRUSTED_PEER, same, "client or level differ from those without any header");
}

static bool is_list_hop(const ipt_hop *hop)
{
    return hop->origin == IPT_ORIGIN_HEADER && ipt_name_is_list(hop->header);
}

/* The list header whose entry ended the walk, or no name. */
static ipt_name ended_at_entry(const ipt_decision *d)
{
    const ipt_hop *client = &d->chain[d->client_hop];
    const ipt_hop *next = d->client_hop + 1 < d->chain_count ? client + 1 : NULL;
    ipt_reason origin = origin_of(d);
    if (origin == IPT_REASON_WALK_FIRST_UNTRUSTED || origin == IPT_REASON_PROVIDER_CHANGE ||
        origin == IPT_REASON_CLIENT_IS_PROVIDER_EGRESS || origin == IPT_REASON_HOP_COUNT_ONLY ||
        origin == IPT_REASON_HOP_NOT_VOUCHING || origin == IPT_REASON_LIMIT_REACHED)
        return is_list_hop(client) ? client->header : IPT_NAME_NONE;
    if (origin != IPT_REASON_ENTRY_MALFORMED && origin != IPT_REASON_ENTRY_OBFUSCATED &&
        origin != IPT_REASON_ENTRY_EMPTY && origin != IPT_REASON_TRUST_INVERSION)
        return IPT_NAME_NONE;
    /* The judged entry stands next to the client, behind what it added of itself and what a hop count passed. */
    while (next != NULL && (next->verdict == IPT_VERDICT_OWN || next->verdict == IPT_VERDICT_COUNTED))
        next = next + 1 < d->chain + d->chain_count ? next + 1 : NULL;
    bool judged = next != NULL && is_list_hop(next) &&
                  (origin == IPT_REASON_TRUST_INVERSION ? next->verdict == IPT_VERDICT_UNVOUCHED
                                                        : next->verdict >= IPT_VERDICT_MALFORMED);
    return judged ? next->header : IPT_NAME_NONE;
}

static void check_prepended(bench *b, tally *t)
{
    ipt_name header = b->decision.has_client ? ended_at_entry(&b->decision) : IPT_NAME_NONE;
    b->other_form = b->form;
    if (header == IPT_NAME_NONE ||
        !gen_prepend(&b->rng, &b->other_form, header == IPT_NAME_XFF ? GEN_XFF : GEN_FORWARDED))
        return;
    gen_render(&b->other_form, &b->other_text);
    bool same = resolve_other(b, b->world->base, IPT_DETAIL_FULL) && same_client(&b->decision, &b->other) &&
                b->decision.level == b->other.level;
    expect(b, t, I2_PREPENDED_ENTRIES, same, "client or level changed");
}

/* What stands at a line and an index of a header: the form knows, without any parser. */
static bool stands_there(const bench *b, const ipt_hop *hop)
{
    ipt_span name = ipt_names_text(b->world->base->names, hop->header);
    uint32_t line_number = 0;
    for (uint32_t i = 0; i < b->form.line_count; i++) {
        const gen_line *line = &b->form.lines[i];
        ipt_span own = ipt_span_from(line->name);
        bool attribute = line->kind == GEN_ATTRIBUTE && name.n == own.n + 10 && memcmp(name.p + 10, own.p, own.n) == 0;
        if (!attribute && !ipt_span_equal_nocase(own, name))
            continue;
        if (line_number++ != hop->line)
            continue;
        /* An open quote swallows what stands to its left, so places are counted otherwise on such a line. */
        for (uint32_t k = 0; k < line->count; k++)
            if ((k == hop->index || !gen_line_balanced(line)) && line->entries[k].has_addr &&
                ipt_addr_equal(line->entries[k].addr, hop->addr))
                return true;
    }
    return false;
}

static const char *wrong_hop(const bench *b, const ipt_hop *hop)
{
    const ipt_view *view = b->world->base;
    if (hop->verdict == IPT_VERDICT_TRUSTED && hop->has_addr) {
        if (hop->list >= view->list_count ||
            naive_list_holds(view->lists[hop->list].spec, hop->addr) != hop->prefix_len)
            return "a trusted hop is not in its list by that prefix";
        if (!naive_trusted(view, policy_of(b, view), hop->addr, IPT_LIST_NONE))
            return "a trusted hop is in no list of trust";
    }
    if (!hop->has_addr)
        return NULL;
    if (hop->origin == IPT_ORIGIN_PEER)
        return ipt_addr_equal(hop->addr, b->form.peer.addr) ? NULL : "the peer is another address";
    if (hop->origin == IPT_ORIGIN_PROXY_PROTOCOL)
        return ipt_addr_equal(hop->addr, b->form.proxy_source) ? NULL : "the PROXY source is another address";
    return stands_there(b, hop) ? NULL : "a hop is not what stands at its place";
}

static const char *wrong_client(const bench *b)
{
    const ipt_decision *d = &b->decision;
    if (!d->has_client)
        return origin_of(d) == IPT_REASON_NO_ADDRESS ? NULL : "no client and another origin than no_address";
    if (d->client_hop >= d->chain_count)
        return "the client is not in the chain";
    const ipt_hop *client = &d->chain[d->client_hop];
    if (!client->has_addr || !ipt_addr_equal(client->addr, d->client))
        return "the client is not the address of its hop";
    for (uint16_t i = 0; i < d->client_hop; i++)
        if (d->chain[i].verdict != IPT_VERDICT_TRUSTED && d->chain[i].verdict != IPT_VERDICT_OWN &&
            d->chain[i].verdict != IPT_VERDICT_COUNTED)
            return "what stands between us and the client is not vouched for";
    if (client->verdict != IPT_VERDICT_CLIENT && client->verdict != IPT_VERDICT_TRUSTED &&
        client->verdict != IPT_VERDICT_COUNTED)
        return "the client's own hop is not vouched for";
    return NULL;
}

static void check_place(bench *b, tally *t)
{
    const char *wrong = wrong_client(b);
    for (uint16_t i = 0; wrong == NULL && i < b->decision.chain_count; i++)
        wrong = b->decision.chain[i].verdict == IPT_VERDICT_NOT_EXAMINED ? NULL : wrong_hop(b, &b->decision.chain[i]);
    expect(b, t, I4_CLIENT_FROM_VOUCHED_POSITION, wrong == NULL, wrong == NULL ? "" : wrong);
}

static void check_level(bench *b, tally *t)
{
    ipt_level level = IPT_LEVEL_NONE;
    bool one = naive_level(b->decision.reasons, &level);
    expect(b, t, I3_LEVEL_FROM_REASONS, one && level == b->decision.level,
           one ? "another level" : "not exactly one origin");
}

static bool same_hops(const ipt_decision *a, const ipt_decision *b)
{
    if (a->chain_count != b->chain_count)
        return false;
    for (uint16_t i = 0; i < a->chain_count; i++) {
        const ipt_hop *x = &a->chain[i];
        const ipt_hop *y = &b->chain[i];
        if (x->verdict != y->verdict || x->has_addr != y->has_addr ||
            (x->has_addr && !ipt_addr_equal(x->addr, y->addr)))
            return false;
        if (x->verdict == IPT_VERDICT_TRUSTED && (x->list != y->list || x->prefix_len != y->prefix_len))
            return false;
    }
    return true;
}

static void check_lines(bench *b, tally *t)
{
    b->other_form = b->form;
    if (!(rng_one_in(&b->rng, 2) ? gen_split(&b->rng, &b->other_form) : gen_join(&b->other_form)))
        return;
    gen_render(&b->other_form, &b->other_text);
    bool same = resolve_other(b, b->world->base, IPT_DETAIL_FULL) && same_client(&b->decision, &b->other) &&
                b->decision.reasons == b->other.reasons && b->decision.unvouched_count == b->other.unvouched_count &&
                b->decision.finding_count == b->other.finding_count && same_hops(&b->decision, &b->other);
    expect(b, t, I5_LINES_ARE_JOINED, same, "the same entries on other lines are judged otherwise");
}

static bool same_keys(const ipt_decision *a, const ipt_decision *b)
{
    return a->has_keys == b->has_keys && a->has_peer_key == b->has_peer_key &&
           (!a->has_keys ||
            (ipt_prefix_equal(a->rate_limit, b->rate_limit) && ipt_prefix_equal(a->network, b->network))) &&
           (!a->has_peer_key || ipt_prefix_equal(a->peer_key, b->peer_key));
}

static void check_spelling(bench *b, tally *t)
{
    b->other_form = b->form;
    gen_respell(&b->rng, &b->other_form);
    gen_render(&b->other_form, &b->other_text);
    bool same = resolve_other(b, b->world->base, IPT_DETAIL_FULL) && same_client(&b->decision, &b->other) &&
                same_keys(&b->decision, &b->other) && same_hops(&b->decision, &b->other);
    expect(b, t, I6_SPELLING, same, "client, keys or matches depend on the spelling");
}

/* Every trusted hop must be held by a list that is still there. */
static bool hops_are_held(const bench *b, const ipt_view *view, uint16_t without)
{
    for (uint16_t i = 0; i < b->other.chain_count; i++) {
        const ipt_hop *hop = &b->other.chain[i];
        if (hop->verdict == IPT_VERDICT_TRUSTED && hop->has_addr &&
            !naive_trusted(view, policy_of(b, view), hop->addr, without))
            return false;
    }
    return true;
}

/* Whether another trusted list holds an address that the emptied one held, or the peer is no longer trusted. */
static bool may_rise(const bench *b, const ipt_view *view, uint16_t emptied)
{
    const ipt_list_spec *before = b->world->base->lists[emptied].spec;
    for (uint16_t i = 0; i < b->decision.chain_count; i++) {
        const ipt_hop *hop = &b->decision.chain[i];
        bool peer = hop->origin == IPT_ORIGIN_PEER && hop->verdict == IPT_VERDICT_TRUSTED;
        if (hop->verdict == IPT_VERDICT_NOT_EXAMINED || !hop->has_addr || naive_list_holds(before, hop->addr) < 0)
            continue;
        if (naive_trusted(view, policy_of(b, view), hop->addr, emptied) || peer)
            return true;
    }
    return false;
}

static void check_emptied(bench *b, tally *t)
{
    const ipt_policy_spec *spec = policy_of(b, b->world->base)->spec;
    if (spec->trust_count == 0)
        return;
    uint16_t list = spec->trust[rng_below(&b->rng, (uint32_t)spec->trust_count)];
    /* Half of the time a list that this decision leans on. */
    for (uint16_t i = 0; i < b->decision.chain_count && rng_one_in(&b->rng, 2); i++)
        if (b->decision.chain[i].verdict == IPT_VERDICT_TRUSTED)
            list = b->decision.chain[i].list;
    const ipt_view *view = b->world->emptied[list];
    if (view == NULL)
        return;
    gen_render(&b->form, &b->other_text);
    bool held = resolve_other(b, view, IPT_DETAIL_FULL) && hops_are_held(b, view, list);
    bool rises = b->other.level > b->decision.level && b->other.level > IPT_LEVEL_LOW;
    expect(b, t, I7_EMPTIED_LISTS, held, "a hop is trusted that no other trusted list holds");
    expect(b, t, I7_EMPTIED_LISTS, !rises || may_rise(b, view, list), "the level rose above low");
}

static void check_aged(bench *b, tally *t)
{
    gen_render(&b->form, &b->other_text);
    bool held = resolve_other(b, b->world->aged, IPT_DETAIL_FULL) && hops_are_held(b, b->world->aged, IPT_LIST_NONE);
    expect(b, t, I7_AGED_LISTS, held, "ageing made an address trusted");
    expect(b, t, I7_AGED_LISTS, b->other.level <= b->decision.level, "ageing raised the level");
    expect(b, t, I7_AGED_LISTS, same_client(&b->decision, &b->other), "ageing changed the client");
}

static void check_bytes(bench *b, tally *t)
{
    write_json(&b->json, &b->decision, &b->text.request);
    gen_render(&b->form, &b->other_text);
    bool same = resolve_other(b, b->world->base, IPT_DETAIL_FULL);
    write_json(&b->other_json, &b->other, &b->other_text.request);
    same = same && ipt_span_equal(ipt_buf_span(&b->json), ipt_buf_span(&b->other_json));
    expect(b, t, I9_SAME_BYTES, same, "the same request elsewhere in memory gives other bytes");
}

static void check_order(bench *b, tally *t)
{
    if (b->form.line_count < 2)
        return;
    b->other_form = b->form;
    gen_shuffle(&b->rng, &b->other_form);
    gen_render(&b->other_form, &b->other_text);
    bool same = resolve_other(b, b->world->base, IPT_DETAIL_FULL);
    write_json(&b->json, &b->decision, &b->text.request);
    write_json(&b->other_json, &b->other, &b->other_text.request);
    same = same && ipt_span_equal(ipt_buf_span(&b->json), ipt_buf_span(&b->other_json));
    expect(b, t, I10_HEADER_ORDER, same, "the order of header names matters");
}

static void check_detail(bench *b, tally *t)
{
    gen_render(&b->form, &b->other_text);
    const ipt_decision *d = &b->decision;
    bool same = resolve_other(b, b->world->base, IPT_DETAIL_CLIENT) && same_client(d, &b->other) &&
                d->level == b->other.level && d->reasons == b->other.reasons && d->complete == b->other.complete &&
                d->unvouched_count == b->other.unvouched_count && b->other.chain_count == 0 &&
                b->other.finding_count == 0 && b->other.client_list_count == 0 && !b->other.has_keys &&
                !b->other.has_peer_key;
    expect(b, t, DETAIL_AGREES, same, "the short answer is another");
}

void check_request(bench *b, tally *t)
{
    const ipt_view *view = b->world->base;
    b->policy = rng_below(&b->rng, (uint32_t)view->policy_count);
    gen_random(&b->rng, &b->world->pools[b->policy], &b->form);
    gen_render(&b->form, &b->text);
    t->requests++;
    memset(&b->decision, 0x5a, sizeof(b->decision));
    ipt_refusal refusal = ipt_resolve(view, policy_of(b, view), &b->text.request, IPT_DETAIL_FULL, &b->decision, NULL);
    if (refusal != IPT_REFUSAL_NONE) {
        t->refused++;
        b->other_text.request = b->text.request;
        expect(b, t, I9_SAME_BYTES, b->form.proxy == GEN_PROXY_BAD && !resolve_other(b, view, IPT_DETAIL_CLIENT),
               "refused, and not for bad PROXY bytes or not always");
        return;
    }
    t->origins[origin_of(&b->decision)]++;
    check_level(b, t);
    check_place(b, t);
    check_untrusted(b, t);
    check_prepended(b, t);
    check_lines(b, t);
    check_spelling(b, t);
    check_emptied(b, t);
    check_aged(b, t);
    check_bytes(b, t);
    check_order(b, t);
    check_detail(b, t);
}
