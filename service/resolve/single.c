/* Single-address headers: each speaks of one position, the hop after its writer (decision.md section 5). */
#include "resolve_priv.h"

typedef enum value_kind { VALUE_ABSENT = 0, VALUE_UNUSABLE, VALUE_ADDRESS } value_kind;

typedef struct value {
    ipt_name name;  /* whose line the address stands on: cf-connecting-ipv6 for a pseudo IPv4 address */
    ipt_addr claim; /* what agreement is judged by */
    ipt_endpoint node;
    ipt_span text;
} value;

/* Exactly one line with exactly one address. */
static value_kind read_value(const work *w, ipt_name name, value *out)
{
    ipt_span text;
    uint32_t count = count_values(w, name, &text);
    if (count == 0)
        return VALUE_ABSENT;
    if (count > 1)
        return VALUE_UNUSABLE;
    text = ipt_span_trim(text);
    ipt_entry entry = name == IPT_NAME_CLOUDFRONT_VIEWER_ADDRESS ? ipt_entry_parse_viewer(text) : ipt_entry_parse(text);
    if (entry.kind != IPT_ENTRY_ADDRESS)
        return VALUE_UNUSABLE;
    *out = (value){.name = name, .claim = entry.node.addr, .node = entry.node, .text = entry.text};
    return VALUE_ADDRESS;
}

static void read_pair(work *w)
{
    value v4, v6;
    w->pseudo.active = read_value(w, IPT_NAME_CF_CONNECTING_IP, &v4) == VALUE_ADDRESS && ipt_addr_is_v4(v4.claim) &&
                       ipt_addr_v4(v4.claim) >> 28 == 0xf &&
                       read_value(w, IPT_NAME_CF_CONNECTING_IPV6, &v6) == VALUE_ADDRESS && !ipt_addr_is_v4(v6.claim);
    if (!w->pseudo.active)
        return;
    w->pseudo.claim = v4.claim;
    w->pseudo.real = v6.claim;
    if (vouch_of(w, 0, IPT_NAME_CF_CONNECTING_IP) != IPT_VOUCH_NONE)
        w->pseudo.writer = 0;
}

void read_pseudo_v4(work *w)
{
    if (w->policy->reads_cf_ip && has_header(w, IPT_NAME_CF_CONNECTING_IP) &&
        has_header(w, IPT_NAME_CF_CONNECTING_IPV6))
        read_pair(w);
}

static uint16_t find_writer(const work *w, ipt_name name)
{
    for (uint16_t i = 0; i < w->out->chain_count; i++)
        if (w->out->chain[i].verdict == IPT_VERDICT_TRUSTED && vouch_of(w, i, name) != IPT_VOUCH_NONE)
            return i;
    return NO_HOP;
}

/* The place in the chain that a header written by hop `writer` speaks of; what the writer added of itself is passed. */
static uint16_t position_after(const work *w, uint16_t writer)
{
    uint16_t i = (uint16_t)(writer + 1);
    while (i < w->out->chain_count && w->out->chain[i].verdict == IPT_VERDICT_OWN)
        i++;
    return i;
}

static bool is_comparable(const work *w, uint16_t position)
{
    if (position >= w->out->chain_count)
        return false;
    uint8_t verdict = w->out->chain[position].verdict;
    return verdict == IPT_VERDICT_TRUSTED || verdict == IPT_VERDICT_CLIENT;
}

static bool agrees(const work *w, uint16_t position, const value *v)
{
    if (w->pseudo.active && w->pseudo.hop == position)
        return ipt_addr_equal(v->claim, w->pseudo.claim);
    return ipt_addr_equal(v->claim, w->out->chain[position].addr);
}

static bool compare(work *w, uint16_t position, const ipt_read *read, const value *v)
{
    if (agrees(w, position, v)) {
        add_reason(w, IPT_REASON_HEADERS_AGREE);
        return true;
    }
    add_reason(w, IPT_REASON_HEADER_CONFLICT);
    w->conflicts[w->conflict_count++] = read->name;
    return false;
}

static ipt_reason origin_of(const work *w, const ipt_read *read, uint16_t writer)
{
    ipt_provider provider = w->view->lists[w->out->chain[writer].list].spec->provider;
    bool own = read->provider != IPT_PROVIDER_NONE && read->provider == provider;
    return own ? IPT_REASON_PROVIDER_HEADER : IPT_REASON_BOUND_HEADER;
}

static void label_hop(ipt_hop *hop, const value *v)
{
    hop->origin = IPT_ORIGIN_HEADER;
    hop->header = v->name;
    hop->line = 0;
    hop->index = 0;
    hop->has_addr = true;
    hop->addr = v->node.addr;
    hop->port = v->node.port;
    hop->has_port = v->node.has_port;
    hop->has_text = v->node.mapped;
    hop->text = v->text;
    hop->text_quoted = false;
}

/* The value becomes the hop after its writer and is judged as in the loop; it ends the chain, whatever it is. */
static void place(work *w, uint16_t writer, const ipt_read *read, const value *v)
{
    ipt_judgement judgement;
    w->cur = writer;
    step_kind step = judge_step(w, writer, v->node.addr, &judgement);
    if (w->placed == NO_HOP)
        w->placed = w->out->chain_count;
    label_hop(push_hop(w, IPT_ORIGIN_HEADER, IPT_VERDICT_UNVOUCHED), v);
    if (take_step(w, (uint16_t)(w->out->chain_count - 1), step, &judgement, origin_of(w, read, writer)))
        end_at(w, w->cur, IPT_REASON_ALL_HOPS_TRUSTED);
}

/* Gives back the hops from `position` on; those that were list entries become unused again. */
static void cut_chain(work *w, uint16_t position)
{
    w->was_cut = w->was_cut || w->out->chain_count > position;
    while (w->out->chain_count > position) {
        const ipt_hop *last = &w->out->chain[--w->out->chain_count];
        if (last->origin == IPT_ORIGIN_HEADER && last->header == w->entries.name)
            w->entries.used--;
    }
    if (w->pseudo.hop != NO_HOP && w->pseudo.hop >= position)
        w->pseudo.hop = NO_HOP;
}

/* A header named before the list header takes its position whatever the list header says there. */
static void lead(work *w, uint16_t writer, uint16_t position, const ipt_read *read, const value *v)
{
    if (is_comparable(w, position) && compare(w, position, read, v)) {
        label_hop(&w->out->chain[position], v);
        if (w->answer == position && w->origin == IPT_REASON_WALK_FIRST_UNTRUSTED)
            w->origin = origin_of(w, read, writer);
        return;
    }
    cut_chain(w, position);
    place(w, writer, read, v);
}

static bool may_extend(const work *w, uint16_t writer, uint16_t position)
{
    return position == w->out->chain_count && w->answer == writer &&
           (w->origin == IPT_REASON_ALL_HOPS_TRUSTED || w->origin == IPT_REASON_PEER_TRUSTED_NO_HEADER ||
            w->origin == IPT_REASON_HOP_NOT_VOUCHING);
}

void read_single_headers(work *w)
{
    bool may_lead = w->entries.name != IPT_NAME_NONE; /* until the leading list header is passed, or one has led */
    for (size_t i = 0; i < w->policy->spec->read_count; i++) {
        const ipt_read *read = &w->policy->read[i];
        value v;
        if (ipt_name_is_list(read->name))
            may_lead = may_lead && read->name != w->entries.name;
        if (ipt_name_is_list(read->name) || read->repeated)
            continue;
        uint16_t writer = find_writer(w, read->name);
        value_kind kind = writer == NO_HOP ? VALUE_ABSENT : read_value(w, read->name, &v);
        if (kind == VALUE_ABSENT)
            continue;
        if (kind == VALUE_UNUSABLE) {
            add_reason(w, IPT_REASON_SINGLE_HEADER_UNUSABLE);
            continue;
        }
        if (read->name == IPT_NAME_CF_CONNECTING_IP && w->pseudo.active) {
            v.name = IPT_NAME_CF_CONNECTING_IPV6;
            v.node = (ipt_endpoint){.addr = w->pseudo.real};
        }
        uint16_t position = position_after(w, writer);
        bool is_proxy = position < w->out->chain_count && w->out->chain[position].origin == IPT_ORIGIN_PROXY_PROTOCOL;
        if (may_lead && !is_proxy) {
            lead(w, writer, position, read, &v);
            may_lead = false;
        } else if (is_comparable(w, position)) {
            (void)compare(w, position, read, &v);
        } else if (may_extend(w, writer, position)) {
            place(w, writer, read, &v);
        }
    }
}
