/* What a person could change so that the next answer is better: one piece of advice for each cause that the decision
 * shows. Never more trust than was asked for: every piece says first what must be true. */
#include "advice_priv.h"

static void add_addr(ipt_buf *out, ipt_addr addr)
{
    char text[IPT_ADDR_TEXT];
    (void)ipt_addr_format(addr, text);
    ipt_buf_adds(out, text);
}

static bool has(const ipt_decision *d, ipt_reason reason)
{
    return ipt_explain_has(d, reason);
}

static const char *policy_name(const ipt_decision *d)
{
    return d->policy->spec->name;
}

/* "If ..., write in iptrust.yaml:" before the YAML. */
static void add_file(ipt_buf *out, const ipt_decision *d, const char *condition)
{
    const char *file = d->view->config->file;

    ipt_buf_addf(out, " %s, write ", condition);
    if (file == NULL) {
        ipt_buf_adds(out, "this to a file and name it with --config:");
        return;
    }
    ipt_buf_adds(out, "in ");
    ipt_explain_escape(out, ipt_span_from(file), IPT_TEXT_MAX);
    ipt_buf_addc(out, ':');
}

/* Pieces of YAML written on the side. */
static ipt_span piece(ipt_advice *out, const ipt_buf *text)
{
    out->yaml.failed |= text->failed;
    return text->failed ? (ipt_span){0} : ipt_buf_span(text);
}

/* ---- a balancer that no list names ---- */

/* The evidence that a missing balancer brought: what its list has to vouch for beyond the default. */
static ipt_span evidence_of(const ipt_decision *d)
{
    ipt_explain_ignored cursor = {0};
    ipt_span found = {0};

    if (ipt_explain_origin(d) != IPT_REASON_PEER_UNTRUSTED_DIRECT)
        return d->source == IPT_ORIGIN_HEADER && ipt_name_is_list(d->source_header)
                   ? ipt_names_text(d->view->names, d->source_header)
                   : IPT_SPAN("x-forwarded-for");
    while (ipt_explain_ignored_next(d, &cursor)) {
        if (ipt_span_equal_nocase(cursor.name, IPT_SPAN("x-forwarded-for")))
            return IPT_SPAN("x-forwarded-for");
        if (found.n == 0 || ipt_span_equal_nocase(cursor.name, IPT_SPAN("forwarded")))
            found = cursor.name;
    }
    return found;
}

/* The address at which the walk ended although more was there to be read; NULL when that is how it should be. */
static const ipt_hop *missing_hop(const ipt_decision *d)
{
    ipt_reason origin = ipt_explain_origin(d);

    if (d->chain_count == 0 || !d->has_client)
        return NULL;
    if (origin == IPT_REASON_PEER_UNTRUSTED_DIRECT)
        return evidence_of(d).n != 0 ? &d->chain[0] : NULL;
    if (origin != IPT_REASON_WALK_FIRST_UNTRUSTED && origin != IPT_REASON_PROXY_PROTOCOL)
        return NULL;
    return ipt_explain_stop(d) < d->chain_count ? &d->chain[d->client_hop] : NULL;
}

/* A list of the view that holds the client and is meant for proxies, though this policy does not trust it. */
static uint16_t known_list(const ipt_decision *d)
{
    for (size_t i = 0; i < d->client_list_count; i++) {
        uint16_t index = d->client_lists[i];
        if (d->policy->rank[index] != IPT_RANK_NONE)
            continue;
        if (d->view->lists[index].spec->kind == IPT_KIND_PROXY || ipt_advice_other_policy(d, index) != NULL)
            return index;
    }
    return IPT_LIST_NONE;
}

static void advise_known(ipt_advice *out, const ipt_decision *d, const ipt_hop *hop, uint16_t index)
{
    const char *list = d->view->lists[index].spec->name;
    const char *other = ipt_advice_other_policy(d, index);

    add_addr(&out->words, hop->addr);
    ipt_buf_addf(&out->words, " is in list %s, which policy %s does not trust.", list, policy_name(d));
    if (other != NULL)
        ipt_buf_addf(&out->words, " Policy %s does: ask with \"policy\":\"%s\" (iptrust --policy %s).", other, other,
                     other);
    add_file(&out->words, d, "To let this policy trust it");
    ipt_edit edit = IPT_EDIT_NONE;
    edit.trust = index;
    ipt_edit_write(&out->yaml, d, &edit);
}

static const struct well_known {
    ipt_provider provider;
    const char *service; /* NULL: the provider takes none */
    const char *list, *body;
} well_known[] = {
    {IPT_PROVIDER_CLOUDFLARE, NULL, "cloudflare", "{provider: cloudflare}"},
    {IPT_PROVIDER_AWS, "CLOUDFRONT_ORIGIN_FACING", "cloudfront",
     "{provider: aws, services: [CLOUDFRONT_ORIGIN_FACING]}"},
};

static const struct well_known *find_well_known(ipt_addr addr)
{
    for (size_t i = 0; i < IPT_COUNT(well_known); i++) {
        const char *const services[] = {well_known[i].service};
        ipt_snapshot snapshot =
            ipt_provider_snapshot(well_known[i].provider, services, well_known[i].service == NULL ? 0 : 1);
        for (size_t j = 0; j < snapshot.count; j++)
            if (ipt_prefix_holds(snapshot.prefixes[j], addr))
                return &well_known[i];
    }
    return NULL;
}

static void advise_well_known(ipt_advice *out, const ipt_decision *d, const ipt_hop *hop, const struct well_known *is)
{
    char name[IPT_NAME_LENGTH_MAX + 1];

    ipt_advice_free_name(d->view, is->list, name, sizeof(name));
    add_addr(&out->words, hop->addr);
    ipt_buf_addf(&out->words, " is an address of %s, which no list of this configuration holds.",
                 ipt_provider_name(is->provider));
    add_file(&out->words, d, "If your service stands behind that provider");
    ipt_edit edit = IPT_EDIT_NONE;
    edit.name = name;
    edit.body = ipt_span_from(is->body);
    ipt_edit_write(&out->yaml, d, &edit);
}

/* Our own infrastructure, unless somebody else's proxy stands between it and us: then it would be an inversion. */
static bool is_internal_place(const ipt_decision *d)
{
    for (size_t i = 0; i < d->client_hop && i < d->chain_count; i++) {
        const ipt_view_list *list = ipt_explain_list(d, &d->chain[i]);
        if (list != NULL && !list->spec->internal)
            return false;
    }
    return true;
}

static void advise_own(ipt_advice *out, const ipt_decision *d, const ipt_hop *hop)
{
    char name[IPT_NAME_LENGTH_MAX + 1], prefix[IPT_PREFIX_TEXT];
    ipt_auto(ipt_buf) body = {0};
    ipt_span header = evidence_of(d);
    ipt_edit edit = IPT_EDIT_NONE;

    add_addr(&out->words, hop->addr);
    ipt_buf_adds(&out->words, hop->origin == IPT_ORIGIN_PEER ? " opened the connection and brought forwarding evidence"
                                                             : " stands before further entries");
    ipt_buf_addf(&out->words, ", but no list that policy %s trusts holds it.", policy_name(d));
    add_file(&out->words, d, "Only if it is a balancer of yours and writes that evidence itself");

    ipt_advice_free_name(d->view, "lb", name, sizeof(name));
    (void)ipt_prefix_format(ipt_prefix_of(hop->addr, 128), prefix);
    ipt_buf_addf(&body, "{prefixes: [\"%s\"]%s", prefix, is_internal_place(d) ? ", internal: true" : "");
    if (!ipt_span_equal_nocase(header, IPT_SPAN("x-forwarded-for"))) {
        ipt_buf_adds(&body, ", vouches: {");
        ipt_edit_header(&body, header);
        ipt_buf_adds(&body, ipt_span_equal_nocase(header, IPT_SPAN("forwarded")) ? ": append}" : ": replace}");
        edit.read = ipt_span_equal(header, IPT_SPAN("proxy_protocol")) ? (ipt_span){0} : header;
    }
    ipt_buf_addc(&body, '}');
    edit.name = name;
    edit.body = piece(out, &body);
    ipt_edit_write(&out->yaml, d, &edit);
}

/* A tenants' machine is never a hop, whatever is trusted. */
static bool is_egress(const ipt_view *view, ipt_addr addr)
{
    for (size_t i = 0; i < view->list_count; i++)
        for (size_t j = 0; j < view->lists[i].spec->egress_count; j++)
            if (ipt_prefix_holds(view->lists[i].spec->egress[j], addr))
                return true;
    return false;
}

static bool advise_missing(ipt_advice *out, const ipt_decision *d)
{
    const ipt_hop *hop = missing_hop(d);
    if (hop == NULL || !hop->has_addr || is_egress(d->view, hop->addr))
        return false;

    uint16_t known = known_list(d);
    const struct well_known *provider = find_well_known(hop->addr);
    if (known != IPT_LIST_NONE)
        advise_known(out, d, hop, known);
    else if (provider != NULL)
        advise_well_known(out, d, hop, provider);
    else if (hop->origin == IPT_ORIGIN_PEER || d->client_class != IPT_CLASS_GLOBAL)
        advise_own(out, d, hop); /* a public entry with claims behind it is what every forged header looks like */
    else
        return false;
    return true;
}

static bool advise_unix(ipt_advice *out, const ipt_decision *d)
{
    char name[IPT_NAME_LENGTH_MAX + 1];

    if (!ipt_span_equal(d->request->peer, IPT_SPAN("unix")) || d->chain_count == 0 || d->policy->spec->trust_anyone ||
        d->chain[0].verdict == IPT_VERDICT_TRUSTED)
        return false;
    ipt_advice_free_name(d->view, "local", name, sizeof(name));
    ipt_buf_addf(&out->words, "The peer is a Unix socket, which no list that policy %s trusts holds.", policy_name(d));
    add_file(&out->words, d, "If only your own proxy can open it");
    ipt_edit edit = IPT_EDIT_NONE;
    edit.name = name;
    edit.body = IPT_SPAN("{unix: true, internal: true}");
    ipt_edit_write(&out->yaml, d, &edit);
    return true;
}

/* ---- a trusted hop without usable evidence ---- */

static bool reads(const ipt_decision *d, ipt_span header)
{
    for (size_t i = 0; i < d->policy->spec->read_count; i++)
        if (ipt_span_equal_nocase(d->policy->spec->read[i].name, header))
            return true;
    return false;
}

/* A header that came by a trusted hop and that its list does not vouch for. It is worth a word when nothing better was
 * there or when the policy reads it: anything else is what clients send to everybody. */
static bool advise_not_vouched(ipt_advice *out, const ipt_decision *d)
{
    ipt_reason origin = ipt_explain_origin(d);
    const ipt_hop *hop = origin == IPT_REASON_HOP_NOT_VOUCHING ? ipt_explain_last_trusted(d) : &d->chain[0];
    const ipt_view_list *list = d->chain_count == 0 || hop == NULL ? NULL : ipt_explain_list(d, hop);
    ipt_explain_ignored cursor = {0};
    ipt_span header = {0};

    if (list == NULL)
        return false;
    if (origin == IPT_REASON_HOP_NOT_VOUCHING && d->chain_count > d->client_hop + 1U)
        header = ipt_names_text(d->view->names, d->chain[d->client_hop + 1U].header);
    while (header.n == 0 && ipt_explain_ignored_next(d, &cursor))
        if (cursor.code == IPT_FINDING_HEADER_NOT_VOUCHED &&
            (origin == IPT_REASON_PEER_TRUSTED_NO_HEADER || reads(d, cursor.name)))
            header = cursor.name;
    if (header.n == 0)
        return false;

    ipt_auto(ipt_buf) extra = {0};
    ipt_buf_adds(&out->words, "The header ");
    ipt_explain_escape(&out->words, header, IPT_TEXT_MAX);
    ipt_buf_addf(&out->words, " is there, but list %s does not vouch for it.", list->spec->name);
    add_file(&out->words, d, "Only if its hosts write it on every request, whatever the client sent");
    ipt_edit_vouches(&extra, list->spec, header);
    ipt_edit edit = IPT_EDIT_NONE;
    edit.list = hop->list;
    edit.extra = piece(out, &extra);
    if (!ipt_span_equal(header, IPT_SPAN("proxy_protocol")) && !reads(d, header))
        edit.read = header;
    ipt_edit_write(&out->yaml, d, &edit);
    return true;
}

/* The Host of a call that is explained itself, when it is nothing but a host and may stand in a command. */
static ipt_span own_host(const ipt_decision *d)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-:[]";

    for (size_t i = 0; d->request->http_parser_lax && i < d->request->header_count; i++) {
        ipt_span value = d->request->headers[i].value;
        if (!ipt_span_equal_nocase(d->request->headers[i].name, IPT_SPAN("host")))
            continue;
        for (size_t j = 0; j < value.n; j++)
            if (memchr(plain, value.p[j], sizeof(plain) - 1) == NULL)
                return (ipt_span){0};
        return value.n <= 80 ? value : (ipt_span){0};
    }
    return (ipt_span){0};
}

/* What a newcomer can type next, who asked from the machine itself. */
static void add_trial(ipt_advice *out, const ipt_decision *d)
{
    ipt_span host = own_host(d);

    ipt_buf_adds(&out->words, " To see a client behind a proxy, play the proxy:");
    if (host.n == 0) {
        ipt_buf_adds(&out->yaml, "iptrust explain --peer 127.0.0.1 -H 'X-Forwarded-For: 8.8.8.8'\n");
        return;
    }
    ipt_buf_adds(&out->yaml, "curl -H 'X-Forwarded-For: 8.8.8.8' 'http://");
    ipt_buf_add(&out->yaml, host);
    ipt_buf_adds(&out->yaml, "/v1/resolve'\n");
}

static bool advise_no_header(ipt_advice *out, const ipt_decision *d)
{
    ipt_explain_ignored cursor = {0};
    const ipt_hop *hop = ipt_explain_last_trusted(d);
    const ipt_view_list *list = hop == NULL ? NULL : ipt_explain_list(d, hop);

    if (ipt_explain_origin(d) != IPT_REASON_PEER_TRUSTED_NO_HEADER || list == NULL ||
        ipt_explain_ignored_next(d, &cursor))
        return false;
    ipt_buf_addf(&out->words,
                 "A host of list %s connected and named nobody. If the request began on that host (a health check, a "
                 "test), nothing is wrong. If it is a balancer, let it send ",
                 list->spec->name);
    for (size_t i = 0; i < d->policy->spec->read_count; i++) {
        ipt_buf_adds(&out->words, i == 0 ? "" : " or ");
        ipt_explain_escape(&out->words, d->policy->spec->read[i].name, IPT_TEXT_MAX);
    }
    ipt_buf_adds(&out->words, " (nginx: proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; HAProxy: option "
                              "forwardfor; Apache httpd does by itself).");
    if (hop->has_addr && ipt_addr_class(hop->addr) == IPT_CLASS_LOOPBACK)
        add_trial(out, d);
    return true;
}

/* ---- the walk ended at an entry ---- */

static bool advise_provider_change(ipt_advice *out, const ipt_decision *d)
{
    if (ipt_explain_origin(d) != IPT_REASON_PROVIDER_CHANGE)
        return false;

    uint16_t outer = ipt_policy_judge(d->view, d->policy, d->client).list, inner = IPT_LIST_NONE;
    for (size_t i = 0; i < d->client_hop; i++) {
        const ipt_view_list *list = ipt_explain_list(d, &d->chain[i]);
        if (list != NULL && list->spec->provider != IPT_PROVIDER_NONE)
            inner = d->chain[i].list;
    }
    if (outer == IPT_LIST_NONE || inner == IPT_LIST_NONE)
        return false;

    const char *from = d->view->lists[outer].spec->name, *to = d->view->lists[inner].spec->name;
    ipt_auto(ipt_buf) extra = {0};
    ipt_buf_addf(&out->words, "The request seems to have come through %s and then %s.", from, to);
    add_file(&out->words, d, "If you did chain these two providers in this order");
    ipt_edit_chains(&extra, d, from, to);
    ipt_edit edit = IPT_EDIT_NONE;
    edit.policy = piece(out, &extra);
    ipt_edit_write(&out->yaml, d, &edit);
    return true;
}

static bool advise_bad_entry(ipt_advice *out, const ipt_decision *d)
{
    static const struct {
        ipt_reason origin;
        const char *what;
    } rows[] = {
        {IPT_REASON_ENTRY_MALFORMED, "wrote what is not an address"},
        {IPT_REASON_ENTRY_OBFUSCATED, "does not tell who connected to it"},
        {IPT_REASON_ENTRY_EMPTY, "wrote an empty entry"},
        {IPT_REASON_LIMIT_REACHED, "is the last of 64 trusted entries; some proxy may be calling itself"},
    };
    const ipt_hop *hop = ipt_explain_last_trusted(d);
    const size_t bad = ipt_explain_stop(d) - 1;

    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        if (ipt_explain_origin(d) != rows[i].origin || hop == NULL)
            continue;
        ipt_explain_hop_name(&out->words, hop);
        ipt_buf_addf(&out->words, " %s", rows[i].what);
        if (rows[i].origin == IPT_REASON_ENTRY_MALFORMED) {
            ipt_buf_adds(&out->words, ": ");
            ipt_explain_hop_name(&out->words, &d->chain[bad]);
        }
        ipt_buf_adds(&out->words, ". Let it write the address that connected to it, and nothing else.");
        return true;
    }
    return false;
}

static bool advise_hop_count(ipt_advice *out, const ipt_decision *d)
{
    unsigned hops = d->policy->spec->hops;

    if (ipt_explain_origin(d) != IPT_REASON_TOO_FEW_ENTRIES)
        return false;
    if (hops == 0) {
        ipt_buf_adds(&out->words,
                     "A host whose list says `adds: 2` wrote fewer than two entries: look at its set-up, or "
                     "leave out `adds` in that list.");
        return true;
    }
    ipt_buf_addf(
        &out->words,
        "Policy %s says that %u %s stand before this service, and the request came through fewer. Either it went "
        "around one of them, or the number in `walk: {hops: %u}` is too high. A list of trusted proxies "
        "(`walk: trusted`) needs no number.",
        policy_name(d), hops, hops == 1 ? "proxy" : "proxies", hops);
    return true;
}

static bool advise_inversion(ipt_advice *out, const ipt_decision *d)
{
    if (ipt_explain_origin(d) != IPT_REASON_TRUST_INVERSION)
        return false;
    ipt_buf_adds(&out->words,
                 "An entry outside names an address of an `internal: true` list. If your own hosts do reach "
                 "this service by that provider, put the addresses that they leave from into a list of their "
                 "own without `internal`; if not, the entry is forged and nothing is to be changed.");
    return true;
}

/* ---- lists ---- */

static void add_list_cure(ipt_buf *out, const ipt_list_spec *spec, bool empty)
{
    if (spec->source == IPT_SOURCE_FILE || spec->file != NULL)
        ipt_buf_adds(out, empty ? "write its prefixes into its file" : "bring its file and `fetched_at:` up to date");
    else if (spec->source == IPT_SOURCE_BY_HAND)
        ipt_buf_adds(out, empty ? "give it `prefixes:`" : "check its `prefixes:` and bring `fetched_at:` up to date");
    else
        ipt_buf_adds(out, empty ? "it could not be had yet; `prefixes:` or `file:` give it by hand"
                                : "let it be fetched again, or give it by hand with `file:` and `fetched_at:`");
}

static bool advise_trust_set(ipt_advice *out, const ipt_decision *d)
{
    bool said = false;

    if (!has(d, IPT_REASON_TRUST_SET_EMPTY) && !has(d, IPT_REASON_TRUST_SET_OUTDATED) &&
        !has(d, IPT_REASON_LIST_STALE) && !has(d, IPT_REASON_LIST_EXPIRED))
        return false;
    for (size_t i = 0; i < d->policy->spec->trust_count; i++) {
        uint16_t index = d->policy->spec->trust[i];
        const ipt_view_list *list = &d->view->lists[index];
        if (!list->empty && d->view->freshness[index] == IPT_FRESH)
            continue;
        ipt_buf_addf(&out->words, "%sList %s ", said ? " " : "", list->spec->name);
        if (list->empty)
            ipt_buf_adds(&out->words, "is empty: ");
        else
            ipt_buf_addf(&out->words, "is of %s, older than it may be: ", list->fetched_at);
        add_list_cure(&out->words, list->spec, list->empty);
        ipt_buf_addc(&out->words, '.');
        said = true;
    }
    if (!said)
        ipt_buf_addf(&out->words, "Policy %s trusts no list.", policy_name(d));
    ipt_buf_adds(&out->words, " `iptrust lists` shows them all.");
    return true;
}

static bool advise_shared(ipt_advice *out, const ipt_decision *d)
{
    uint16_t shared = IPT_LIST_NONE;

    for (size_t i = 0; has(d, IPT_REASON_SHARED_PROVIDER) && i < d->chain_count && shared == IPT_LIST_NONE; i++) {
        const ipt_view_list *list = ipt_explain_list(d, &d->chain[i]);
        if (list != NULL && list->shared && list->proof.kind == IPT_PROOF_NONE)
            shared = d->chain[i].list;
    }
    if (shared == IPT_LIST_NONE)
        return false;

    const ipt_list_spec *spec = d->view->lists[shared].spec;
    ipt_buf_addf(&out->words,
                 "Every customer of %s can send requests from the addresses of list %s. Let your own zone add a secret "
                 "header and give it as proof, or, if nobody else can reach this service through it, write `exclusive: "
                 "true` instead.",
                 ipt_provider_name(spec->provider) == NULL ? "that provider" : ipt_provider_name(spec->provider),
                 spec->name);
    add_file(&out->words, d, "For the first");
    ipt_edit edit = IPT_EDIT_NONE;
    edit.list = shared;
    edit.extra = IPT_SPAN("proof: {header: x-origin-token, secret_file: /run/secrets/origin}");
    ipt_edit_write(&out->yaml, d, &edit);
    return true;
}

static bool advise_broad(ipt_advice *out, const ipt_decision *d)
{
    if (!has(d, IPT_REASON_BROAD_RANGE))
        return false;
    for (size_t i = 0; i < d->chain_count; i++) {
        const ipt_view_list *list = ipt_explain_list(d, &d->chain[i]);
        if (list == NULL || list->spec->broad_accepted || !d->chain[i].has_addr)
            continue;
        ipt_prefix prefix = ipt_prefix_of(d->chain[i].addr, d->chain[i].prefix_len);
        unsigned v6 = ipt_prefix_bits(prefix), v4 = ipt_prefix_is_v4(prefix) ? v6 : 128;
        bool is_private = ipt_addr_class(d->chain[i].addr) != IPT_CLASS_GLOBAL;
        if (ipt_prefix_is_v4(prefix) ? v4 >= (is_private ? 16U : 12U) : v6 >= (is_private ? 48U : 29U))
            continue;
        char text[IPT_PREFIX_TEXT];
        (void)ipt_prefix_format(prefix, text);
        ipt_buf_addf(
            &out->words,
            "%s of list %s is wide: every host in it may name any client. Narrow it to the balancers, or write "
            "`broad: accepted` in the list.",
            text, list->spec->name);
        return true;
    }
    return false;
}

/* ---- one sentence for one reason ---- */

static bool advise_reasons(ipt_advice *out, const ipt_decision *d)
{
    static const struct {
        ipt_reason reason;
        const char *words;
    } rows[] = {
        {IPT_REASON_PROOF_FAILED,
         "A list asks for proof and the request brought none or a wrong one: compare the secret "
         "file with what the provider is set up to send; a request without it did not come by "
         "your own zone."},
        {IPT_REASON_HEADER_CONFLICT,
         "Two headers that trusted hops vouch for name different addresses: one of the proxies "
         "passes on what a client sent. Let it set its header anew on every request, or take "
         "that header out of `read` and `vouches`."},
        {IPT_REASON_SINGLE_HEADER_UNUSABLE, "A header that must hold one address holds several or none: let the proxy "
                                            "that writes it replace what the client sent."},
        {IPT_REASON_HOP_BY_HOP_TAMPER,
         "The Connection header names a forwarding header, so that a proxy on the way would "
         "remove it: let the outermost proxy drop such names from Connection."},
        {IPT_REASON_PEER_UNCHECKED, "The policy says `trust: anyone`: whoever can connect to this service chooses its "
                                    "client address. Name the proxies in `trust` instead."},
        {IPT_REASON_CALLER_UNAUTHENTICATED, "Who asked is not known: ask by loopback, a Unix socket or with a client "
                                            "certificate, or add the caller's address to `callers:`."},
        {IPT_REASON_HTTP_PARSER_LAX,
         "The headers of this very call were judged, which the HTTP library may have tidied: "
         "for full confidence hand the headers over with POST /v1/resolve."},
    };

    for (size_t i = 0; i < IPT_COUNT(rows); i++)
        if (has(d, rows[i].reason))
            ipt_buf_addf(&out->words, "%s%s", out->words.n == 0 ? "" : "\n", rows[i].words);
    return out->words.n != 0;
}

/* An answer that is right for a service that private clients use. */
static bool advise_clients(ipt_advice *out, const ipt_decision *d)
{
    if ((!has(d, IPT_REASON_CLIENT_NOT_GLOBAL) && !has(d, IPT_REASON_CLIENT_SPECIAL)) || d->client_trusted ||
        missing_hop(d) != NULL || !d->has_client)
        return false;
    add_addr(&out->words, d->client);
    ipt_buf_addf(&out->words, " is no public address (class %s).", ipt_class_name(d->client_class));
    add_file(&out->words, d, "If this service has such clients");
    ipt_edit edit = IPT_EDIT_NONE;
    edit.policy = IPT_SPAN("clients: any");
    ipt_edit_write(&out->yaml, d, &edit);
    return true;
}

/* In the order in which a person should look at them. */
static bool (*const advisors[])(ipt_advice *, const ipt_decision *) = {
    advise_missing,   advise_unix,      advise_not_vouched, advise_no_header, advise_provider_change,
    advise_bad_entry, advise_hop_count, advise_inversion,   advise_trust_set, advise_shared,
    advise_broad,     advise_reasons,   advise_clients,
};

void ipt_advices_make(ipt_advices *out, const ipt_decision *d)
{
    for (size_t i = 0; i < IPT_COUNT(advisors) && out->count < IPT_ADVICE_MAX; i++)
        if (advisors[i](&out->items[out->count], d))
            out->count++;
}

void ipt_advices_done(ipt_advices *advices)
{
    for (size_t i = 0; i < IPT_ADVICE_MAX; i++) {
        ipt_buf_done(&advices->items[i].words);
        ipt_buf_done(&advices->items[i].yaml);
    }
}
