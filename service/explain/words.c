/* A decision in words: who the client is, what every hop is, where and why the walk stopped. Plain printable ASCII, so
 * that a terminal and a page can show it after their own escaping. */
#include "explain_priv.h"

void ipt_explain_escape(ipt_buf *out, ipt_span text, size_t max)
{
    for (size_t i = 0; i < text.n && i < max; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c == '\\')
            ipt_buf_adds(out, "\\\\");
        else if (c >= 0x20 && c < 0x7f)
            ipt_buf_addc(out, (char)c);
        else
            ipt_buf_addf(out, "\\x%02x", c);
    }
    if (text.n > max)
        ipt_buf_adds(out, "...");
}

static void add_addr(ipt_buf *out, ipt_addr addr)
{
    char text[IPT_ADDR_TEXT];
    (void)ipt_addr_format(addr, text);
    ipt_buf_adds(out, text);
}

static void add_prefix(ipt_buf *out, ipt_prefix prefix)
{
    char text[IPT_PREFIX_TEXT];
    (void)ipt_prefix_format(prefix, text);
    ipt_buf_adds(out, text);
}

ipt_reason ipt_explain_origin(const ipt_decision *d)
{
    for (unsigned i = 0; i < IPT_REASON_ORIGINS; i++)
        if (ipt_explain_has(d, (ipt_reason)i))
            return (ipt_reason)i;
    return IPT_REASON_NO_ADDRESS;
}

bool ipt_explain_found(const ipt_decision *d, ipt_finding_code code)
{
    for (size_t i = 0; i < d->finding_count; i++)
        if (d->findings[i].code == code)
            return true;
    return false;
}

const ipt_view_list *ipt_explain_list(const ipt_decision *d, const ipt_hop *hop)
{
    return hop->verdict != IPT_VERDICT_TRUSTED || hop->list >= d->view->list_count ? NULL : &d->view->lists[hop->list];
}

const ipt_hop *ipt_explain_last_trusted(const ipt_decision *d)
{
    const ipt_hop *last = NULL;
    for (size_t i = 0; i < ipt_explain_stop(d); i++)
        if (d->chain[i].verdict == IPT_VERDICT_TRUSTED)
            last = &d->chain[i];
    return last;
}

/* ---- hops ---- */

void ipt_explain_hop_name(ipt_buf *out, const ipt_hop *hop)
{
    if (hop->verdict == IPT_VERDICT_NOT_EXAMINED) {
        ipt_buf_addf(out, "%lu more", (unsigned long)hop->count);
    } else if (!hop->has_addr) {
        if (hop->text.n == 0)
            ipt_buf_adds(out, hop->verdict == IPT_VERDICT_EMPTY ? "(empty)" : "(no text)");
        else
            ipt_explain_escape(out, hop->text, IPT_TEXT_MAX);
    } else if (!hop->has_port) {
        add_addr(out, hop->addr);
    } else {
        bool bracket = !ipt_addr_is_v4(hop->addr);
        ipt_buf_adds(out, bracket ? "[" : "");
        add_addr(out, hop->addr);
        ipt_buf_addf(out, "%s:%u", bracket ? "]" : "", hop->port);
    }
}

void ipt_explain_hop_origin(ipt_buf *out, const ipt_decision *d, const ipt_hop *hop)
{
    switch ((ipt_origin)hop->origin) {
    case IPT_ORIGIN_PEER:
        ipt_buf_adds(out, "peer");
        return;
    case IPT_ORIGIN_PROXY_PROTOCOL:
        ipt_buf_adds(out, "PROXY protocol");
        return;
    case IPT_ORIGIN_HEADER:
        ipt_explain_escape(out, ipt_names_text(d->view->names, hop->header), IPT_TEXT_MAX);
        if (hop->verdict != IPT_VERDICT_NOT_EXAMINED)
            ipt_buf_addf(out, ", line %lu, entry %lu", (unsigned long)hop->line, (unsigned long)hop->index);
        return;
    }
}

const char *ipt_explain_hop_verdict(const ipt_decision *d, size_t hop)
{
    switch ((ipt_verdict)d->chain[hop].verdict) {
    case IPT_VERDICT_UNVOUCHED:
    case IPT_VERDICT_NOT_EXAMINED:
        return "ignored";
    case IPT_VERDICT_CLIENT:
        return "CLIENT";
    case IPT_VERDICT_TRUSTED:
    case IPT_VERDICT_OWN:
    case IPT_VERDICT_COUNTED:
    case IPT_VERDICT_MALFORMED:
    case IPT_VERDICT_OBFUSCATED:
    case IPT_VERDICT_EMPTY:
        break;
    }
    return ipt_verdict_name((ipt_verdict)d->chain[hop].verdict);
}

static void add_age(ipt_buf *out, int64_t seconds)
{
    static const struct {
        int64_t seconds;
        const char *unit;
    } units[] = {{86400, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}};

    for (size_t i = 0; i < IPT_COUNT(units); i++) {
        int64_t n = seconds / units[i].seconds;
        if (n < 2 && i + 1 < IPT_COUNT(units)) /* "36 hours" tells more than "1 day" */
            continue;
        ipt_buf_addf(out, "%lld %s%s old", (long long)n, units[i].unit, n == 1 ? "" : "s");
        return;
    }
}

/* "list cloudflare, prefix 172.64.0.0/13, as of 2026-11-22T10:00:00Z (3 hours old, stale)" */
static void trusted_detail(ipt_buf *out, const ipt_decision *d, const ipt_hop *hop, const ipt_view_list *list)
{
    const ipt_list_spec *spec = list->spec;
    ipt_freshness freshness = d->view->freshness[hop->list];

    ipt_buf_addf(out, "list %s", spec->name);
    if (hop->has_addr) {
        ipt_buf_adds(out, ", prefix ");
        add_prefix(out, ipt_prefix_of(hop->addr, hop->prefix_len));
    }
    if (spec->fetched_at != IPT_TIME_NONE) {
        ipt_buf_addf(out, ", %s %s (", spec->bundled ? "built-in list of" : "as of", list->fetched_at);
        add_age(out, d->view->now > spec->fetched_at ? d->view->now - spec->fetched_at : 0);
        ipt_buf_addf(out, "%s)", freshness == IPT_STALE ? ", stale" : freshness == IPT_EXPIRED ? ", expired" : "");
    }
}

static void client_detail(ipt_buf *out, const ipt_decision *d)
{
    const char *policy = d->policy->spec->name;

    if (!d->has_client) {
        ipt_buf_addf(out, "a Unix socket; in no list that policy %s trusts", policy);
        return;
    }
    if (ipt_explain_has(d, IPT_REASON_CLIENT_IS_PROVIDER_EGRESS))
        ipt_buf_adds(out, "a machine of that provider's customers, never a hop");
    else if (ipt_explain_has(d, IPT_REASON_HOP_COUNT_ONLY))
        ipt_buf_addf(out, "counted to, as policy %s says", policy);
    else if (ipt_explain_has(d, IPT_REASON_PROVIDER_CHANGE))
        ipt_buf_adds(out, "in a trusted list, but of another provider than the hop before it");
    else
        ipt_buf_addf(out, "in no list that policy %s trusts", policy);
    if (d->client_class != IPT_CLASS_GLOBAL)
        ipt_buf_addf(out, "; class %s", ipt_class_name(d->client_class));
    if (d->client_list_count != 0)
        ipt_buf_addf(out, "; found in list%s", d->client_list_count == 1 ? "" : "s");
    for (size_t i = 0; i < d->client_list_count; i++)
        ipt_buf_addf(out, "%s %s", i == 0 ? "" : ",", d->view->lists[d->client_lists[i]].spec->name);
}

void ipt_explain_hop_detail(ipt_buf *out, const ipt_decision *d, size_t index)
{
    const ipt_hop *hop = &d->chain[index];
    const ipt_view_list *list = ipt_explain_list(d, hop);

    switch ((ipt_verdict)hop->verdict) {
    case IPT_VERDICT_TRUSTED:
        if (list != NULL)
            trusted_detail(out, d, hop, list);
        break;
    case IPT_VERDICT_CLIENT:
        client_detail(out, d);
        break;
    case IPT_VERDICT_OWN:
        ipt_buf_adds(out, "the address that the hop before it wrote of itself");
        break;
    case IPT_VERDICT_COUNTED:
        ipt_buf_adds(out, "passed by counting, its address was not looked up");
        break;
    case IPT_VERDICT_MALFORMED:
        ipt_buf_adds(out, "not an address");
        break;
    case IPT_VERDICT_OBFUSCATED:
        ipt_buf_adds(out, "a proxy that does not tell the address");
        break;
    case IPT_VERDICT_EMPTY:
        ipt_buf_adds(out, "nothing between two commas");
        break;
    case IPT_VERDICT_NOT_EXAMINED:
        ipt_buf_adds(out, "entries beyond those that are looked at");
        break;
    case IPT_VERDICT_UNVOUCHED:
        break;
    }
    /* A mapped address is shown as what it is; how it was written may matter to whoever looks for it in a log. */
    if (hop->has_addr && hop->has_text && hop->text.n != 0) {
        ipt_buf_adds(out, hop->verdict == IPT_VERDICT_UNVOUCHED ? "written " : "; written ");
        ipt_explain_escape(out, hop->text, IPT_TEXT_MAX);
    }
}

/* ---- where it stopped ---- */

static bool was_passed(const ipt_hop *hop)
{
    return hop->verdict == IPT_VERDICT_TRUSTED || hop->verdict == IPT_VERDICT_CLIENT ||
           hop->verdict == IPT_VERDICT_OWN || hop->verdict == IPT_VERDICT_COUNTED;
}

size_t ipt_explain_stop(const ipt_decision *d)
{
    ipt_reason origin = ipt_explain_origin(d);
    size_t stop = d->chain_count == 0 ? 0 : 1;

    for (size_t i = 0; i < d->chain_count; i++)
        if (was_passed(&d->chain[i]))
            stop = i + 1;
    /* The entry that ended the walk was written by a proxy that we trust, though it helps nobody. */
    bool bad = origin == IPT_REASON_ENTRY_MALFORMED || origin == IPT_REASON_ENTRY_OBFUSCATED ||
               origin == IPT_REASON_ENTRY_EMPTY;
    return stop + (bad && stop < d->chain_count);
}

void ipt_explain_stop_reason(ipt_buf *out, const ipt_decision *d)
{
    static const char *const texts[IPT_REASON_ORIGINS] = {
        [IPT_REASON_PEER_UNTRUSTED_DIRECT] = "the peer is not a proxy that we trust, so nothing it sends is evidence",
        [IPT_REASON_WALK_FIRST_UNTRUSTED] = "this is the first address that is not one of our proxies",
        [IPT_REASON_PROVIDER_HEADER] = "the provider's own header names it",
        [IPT_REASON_BOUND_HEADER] = "the header that its writer alone sets names it",
        [IPT_REASON_PROXY_PROTOCOL] = "the PROXY header names an address that is not one of our proxies",
        [IPT_REASON_HOP_COUNT_ONLY] = "this is as far as the policy counts",
        [IPT_REASON_ALL_HOPS_TRUSTED] = "no entry is left",
        [IPT_REASON_PEER_TRUSTED_NO_HEADER] = "no header is there that this proxy vouches for and the policy reads",
        [IPT_REASON_ENTRY_MALFORMED] = "what the last proxy wrote is not an address",
        [IPT_REASON_ENTRY_OBFUSCATED] = "what the last proxy wrote tells no address",
        [IPT_REASON_ENTRY_EMPTY] = "what the last proxy wrote is an empty entry",
        [IPT_REASON_TOO_FEW_ENTRIES] = "the header has fewer entries than there must be",
        [IPT_REASON_LIMIT_REACHED] = "64 entries were looked at and all are trusted proxies",
        [IPT_REASON_HOP_NOT_VOUCHING] = "the list of this hop does not vouch for the header",
        [IPT_REASON_TRUST_INVERSION] = "a host outside claims that one of our own stands behind it",
        [IPT_REASON_PROVIDER_CHANGE] = "the provider changes and no `chains:` of the policy allows it",
        [IPT_REASON_CLIENT_IS_PROVIDER_EGRESS] = "it is a machine of the provider's customers",
        [IPT_REASON_NO_ADDRESS] = "there is no address to go on from",
    };
    ipt_buf_adds(out, texts[ipt_explain_origin(d)]);
}

/* ---- the answer ---- */

/* "hop 0 (172.68.1.2, cloudflare)": who told us, the trusted hop before the client. */
static void add_teller(ipt_buf *out, const ipt_decision *d)
{
    const ipt_hop *hop = ipt_explain_last_trusted(d);
    const ipt_view_list *list = hop == NULL ? NULL : ipt_explain_list(d, hop);

    if (list == NULL) {
        ipt_buf_adds(out, "the hop before it");
        return;
    }
    ipt_buf_addf(out, "%s (", list->spec->name);
    if (hop->has_addr)
        add_addr(out, hop->addr);
    else
        ipt_buf_adds(out, "Unix socket");
    ipt_buf_addc(out, ')');
}

static void add_source(ipt_buf *out, const ipt_decision *d)
{
    if (d->source == IPT_ORIGIN_HEADER)
        ipt_explain_escape(out, ipt_names_text(d->view->names, d->source_header), IPT_TEXT_MAX);
    else
        ipt_buf_adds(out, d->source == IPT_ORIGIN_PEER ? "the connection" : "its PROXY header");
}

/* How the sentence goes on; zero is the origin that knows nothing. */
enum why { WHY_NOTHING = 0, WHY_DIRECT, WHY_NAMED, WHY_COUNTED, WHY_OUTERMOST, WHY_STOP, WHY_PROXY };

static const enum why whys[IPT_REASON_ORIGINS] = {
    [IPT_REASON_PEER_UNTRUSTED_DIRECT] = WHY_DIRECT,
    [IPT_REASON_WALK_FIRST_UNTRUSTED] = WHY_NAMED,
    [IPT_REASON_PROVIDER_HEADER] = WHY_NAMED,
    [IPT_REASON_BOUND_HEADER] = WHY_NAMED,
    [IPT_REASON_PROXY_PROTOCOL] = WHY_NAMED,
    [IPT_REASON_HOP_COUNT_ONLY] = WHY_COUNTED,
    [IPT_REASON_ALL_HOPS_TRUSTED] = WHY_OUTERMOST,
    [IPT_REASON_PEER_TRUSTED_NO_HEADER] = WHY_PROXY,
    [IPT_REASON_ENTRY_MALFORMED] = WHY_PROXY,
    [IPT_REASON_ENTRY_OBFUSCATED] = WHY_PROXY,
    [IPT_REASON_ENTRY_EMPTY] = WHY_PROXY,
    [IPT_REASON_TOO_FEW_ENTRIES] = WHY_PROXY,
    [IPT_REASON_LIMIT_REACHED] = WHY_PROXY,
    [IPT_REASON_HOP_NOT_VOUCHING] = WHY_PROXY,
    [IPT_REASON_TRUST_INVERSION] = WHY_PROXY,
    [IPT_REASON_PROVIDER_CHANGE] = WHY_STOP,
    [IPT_REASON_CLIENT_IS_PROVIDER_EGRESS] = WHY_STOP,
};

/* Why that address, after "Client 8.8.8.8, confidence high: ". */
static void add_why(ipt_buf *out, const ipt_decision *d)
{
    const char *policy = d->policy->spec->name;

    switch (whys[ipt_explain_origin(d)]) {
    case WHY_DIRECT:
        ipt_buf_addf(out, "it opened the connection itself and is no proxy that policy %s trusts", policy);
        break;
    case WHY_NAMED:
        add_teller(out, d);
        ipt_buf_adds(out, " names it in ");
        add_source(out, d);
        ipt_buf_addf(out, ", and it is no proxy that policy %s trusts", policy);
        break;
    case WHY_COUNTED:
        ipt_buf_addf(out, "policy %s counts %u %s, and this is the address behind", policy, d->policy->spec->hops,
                     d->policy->spec->hops == 1 ? "proxy" : "proxies");
        break;
    case WHY_OUTERMOST:
        ipt_buf_addf(out, "the outermost address, and like all others a proxy that policy %s trusts", policy);
        break;
    case WHY_PROXY:
        ipt_buf_adds(out, d->has_client ? "only a proxy, and as far as we can see: " : "");
        ipt_explain_stop_reason(out, d);
        break;
    case WHY_STOP:
        ipt_explain_stop_reason(out, d);
        break;
    case WHY_NOTHING:
        ipt_buf_adds(out, "the connection has no address, and no trusted hop tells one");
        break;
    }
}

void ipt_explain_headline(ipt_buf *out, const ipt_decision *d)
{
    ipt_buf_adds(out, "Client ");
    if (d->has_client)
        add_addr(out, d->client);
    else
        ipt_buf_adds(out, "unknown");
    if (d->has_client && d->has_client_port)
        ipt_buf_addf(out, " port %u", d->client_port);
    ipt_buf_addf(out, ", confidence %s: ", ipt_level_name(d->level));
    add_why(out, d);
    ipt_buf_addc(out, '.');
}

/* ---- ignored headers, reasons, keys ---- */

static bool is_ignored(ipt_finding_code code)
{
    return code == IPT_FINDING_FORWARDING_HEADER_FROM_UNTRUSTED_PEER ||
           code == IPT_FINDING_PROVIDER_HEADER_FROM_WRONG_PEER || code == IPT_FINDING_HEADER_NOT_VOUCHED;
}

/* Two findings may speak of the same header: it is shown once. */
static bool named_before(const ipt_decision *d, size_t finding)
{
    for (size_t i = 0; i < finding; i++)
        if (is_ignored(d->findings[i].code) &&
            ipt_span_equal_nocase(d->findings[i].header, d->findings[finding].header))
            return true;
    return false;
}

/* The next header, attribute or PROXY header of the request that bears the finding's name. */
static bool next_named(const ipt_request *request, ipt_span name, ipt_explain_ignored *cursor)
{
    static const ipt_span attribute = {"attribute:", 10};
    bool is_attribute = name.n > attribute.n && memcmp(name.p, attribute.p, attribute.n) == 0;
    const ipt_header *items = is_attribute ? request->attributes : request->headers;
    size_t count = is_attribute ? request->attribute_count : request->header_count;
    ipt_span plain = is_attribute ? (ipt_span){name.p + attribute.n, name.n - attribute.n} : name;

    if (request->has_proxy_protocol && ipt_span_equal(name, IPT_SPAN("proxy_protocol"))) {
        cursor->value = request->proxy_protocol;
        cursor->name = name;
        return cursor->header++ == 0;
    }
    while (cursor->header < count) {
        const ipt_header *item = &items[cursor->header++];
        if (is_attribute ? !ipt_span_equal(item->name, plain) : !ipt_span_equal_nocase(item->name, plain))
            continue;
        cursor->name = is_attribute ? name : item->name;
        cursor->value = item->value;
        return true;
    }
    return false;
}

bool ipt_explain_ignored_next(const ipt_decision *d, ipt_explain_ignored *cursor)
{
    for (; cursor->finding < d->finding_count; cursor->finding++, cursor->header = 0) {
        const ipt_finding *finding = &d->findings[cursor->finding];
        if (!is_ignored(finding->code) || named_before(d, cursor->finding))
            continue;
        cursor->code = finding->code;
        if (next_named(d->request, finding->header, cursor))
            return true;
    }
    return false;
}

static void add_lists(ipt_buf *out, const ipt_decision *d, ipt_reason reason)
{
    const ipt_policy *policy = d->policy;
    bool first = true;

    for (size_t i = 0; i < policy->spec->trust_count; i++) {
        uint16_t index = policy->spec->trust[i];
        const ipt_view_list *list = &d->view->lists[index];
        bool concerned = reason == IPT_REASON_TRUST_SET_EMPTY ? list->empty : d->view->freshness[index] != IPT_FRESH;
        if (!concerned)
            continue;
        ipt_buf_addf(out, "%s%s", first ? "" : ", ", list->spec->name);
        first = false;
    }
}

void ipt_explain_reason_subject(ipt_buf *out, const ipt_decision *d, ipt_reason reason)
{
    if (reason == IPT_REASON_UNVOUCHED_ENTRIES)
        ipt_buf_addu(out, d->unvouched_count);
    if (reason == IPT_REASON_TRUST_SET_EMPTY || reason == IPT_REASON_TRUST_SET_OUTDATED)
        add_lists(out, d, reason);
    if (reason == IPT_REASON_CLIENT_NOT_GLOBAL || reason == IPT_REASON_CLIENT_SPECIAL)
        ipt_buf_adds(out, ipt_class_name(d->client_class));
    if (reason == IPT_REASON_TRANSITION_UNWRAPPED)
        add_addr(out, d->embedded);
}

const char *ipt_explain_key_name(unsigned key)
{
    static const char *const names[IPT_EXPLAIN_KEYS] = {"rate_limit", "network", "anonymized", "peer"};
    return names[key];
}

void ipt_explain_keys(ipt_buf *out, const ipt_decision *d, unsigned key)
{
    if (key == 3 ? !d->has_peer_key : !d->has_keys)
        return;
    if (key == 0)
        add_prefix(out, d->rate_limit);
    if (key == 1)
        add_prefix(out, d->network);
    if (key == 2)
        add_addr(out, d->network.addr);
    if (key == 3)
        add_prefix(out, d->peer_key);
}
