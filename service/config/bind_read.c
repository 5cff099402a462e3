/* `read` of a policy: which evidence, in which order, and who is answerable for it. */
#include "bind.h"
#include "check.h"
#include "suggest.h"
#include "iptrust/base/show.h"

/* Names that nobody owns, so that a client's own value arrives unless a proxy overwrites it; besides those that the
 * fixed names know (ipt_header_is_client_settable). */
static bool is_settable(ipt_span name)
{
    static const char *const names[] = {"client-ip",       "x-azure-clientip",   "x-originating-ip",
                                        "x-remote-ip",     "x-remote-addr",      "x-proxyuser-ip",
                                        "proxy-client-ip", "wl-proxy-client-ip", "x-forwarded-client-ip"};
    if (ipt_header_is_client_settable(ipt_name_fixed(name)))
        return true;
    for (size_t i = 0; i < IPT_COUNT(names); i++) {
        if (ipt_span_equal_nocase(name, ipt_span_from(names[i])))
            return true;
    }
    return false;
}

typedef struct read_item { /* one entry as written */
    ipt_node *name;
    ipt_node *from; /* NULL when absent */
    bool attribute;
} read_item;

static bool check_item_keys(ipt_bind *b, const ipt_node *node)
{
    static const char *const keys[] = {"header", "attribute", "from"};
    bool good = true;
    for (const ipt_node *child = node->first; child != NULL; child = child->next) {
        ipt_suggest suggest = {0};
        ipt_shown shown;
        bool known = false;
        for (size_t i = 0; i < IPT_COUNT(keys); i++) {
            known = known || ipt_span_equal(child->key->text, ipt_span_from(keys[i]));
            ipt_suggest_offer(&suggest, child->key->text, ipt_span_from(keys[i]));
        }
        if (known)
            continue;
        good = false;
        if (suggest.word.n != 0)
            ipt_diag_add(b->diag, IPT_ERROR, child->key->place, "unknown key \"%s\", did you mean \"%s\"?",
                         ipt_show(child->key->text, &shown), suggest.word.p);
        else
            ipt_diag_add(b->diag, IPT_ERROR, child->key->place, "unknown key \"%s\"",
                         ipt_show(child->key->text, &shown));
    }
    return good;
}

static bool split_item(ipt_bind *b, ipt_node *node, read_item *out)
{
    read_item item = {.name = node};
    if (node->kind == IPT_NODE_MAPPING) {
        if (!check_item_keys(b, node))
            return false;
        ipt_node *header = ipt_node_get(node, "header"), *attribute = ipt_node_get(node, "attribute");
        if ((header == NULL) == (attribute == NULL)) {
            ipt_diag_add(b->diag, IPT_ERROR, node->place, "expected header or attribute, one of them");
            return false;
        }
        item = (read_item){header == NULL ? attribute : header, ipt_node_get(node, "from"), header == NULL};
    }
    if (!ipt_check_scalar(b->diag, item.name, "a header name"))
        return false;
    if (item.from != NULL && !ipt_check_scalar(b->diag, item.from, "the name of a list"))
        return false;
    *out = item;
    return true;
}

static bool check_header(ipt_bind *b, const read_item *item)
{
    ipt_shown shown;
    const char *name = ipt_show(item->name->text, &shown);
    ipt_name fixed = ipt_name_fixed(item->name->text);
    if (!ipt_span_is_token(item->name->text))
        ipt_diag_add(b->diag, IPT_ERROR, item->name->place, "\"%s\" is no header name", name);
    else if (fixed == IPT_NAME_CF_CONNECTING_IPV6)
        ipt_diag_add(b->diag, IPT_ERROR, item->name->place,
                     "cf-connecting-ipv6 is read with cf-connecting-ip, never by itself");
    else if (fixed == IPT_NAME_PROXY_PROTOCOL)
        ipt_diag_add(b->diag, IPT_ERROR, item->name->place,
                     "proxy_protocol is not read by name: a list vouches for it with proxy_protocol: replace");
    else if (fixed > IPT_NAME_LAST_ADDRESS)
        ipt_diag_add(b->diag, IPT_ERROR, item->name->place, "%s does not name the client", name);
    else if (ipt_name_is_list(fixed) && item->from != NULL)
        ipt_diag_add(b->diag, IPT_ERROR, item->from->key->place,
                     "from is for headers with one address; whether hosts write %s is said by vouches", name);
    else
        return true;
    return false;
}

static bool trusts(const ipt_policy_spec *policy, uint16_t list)
{
    for (size_t i = 0; i < policy->trust_count; i++) {
        if (policy->trust[i] == list)
            return true;
    }
    return false;
}

static bool is_vouched(const ipt_bind *b, const ipt_policy_spec *policy, ipt_span name)
{
    for (size_t i = 0; i < policy->trust_count; i++) {
        const ipt_list_spec *list = &b->lists[policy->trust[i]];
        for (size_t j = 0; j < list->vouch_count; j++) {
            if (ipt_span_equal(list->vouches[j].header, name))
                return true;
        }
    }
    return false;
}

/* Somebody must be answerable for a header that no provider owns (decision.md section 5). */
static bool check_vouched(ipt_bind *b, const ipt_policy_spec *policy, const read_item *item, const ipt_read_spec *read)
{
    ipt_shown shown;
    const char *name = ipt_show(item->name->text, &shown);
    ipt_name fixed = item->attribute ? IPT_NAME_NONE : ipt_name_fixed(read->name);
    if (!item->attribute && is_settable(read->name))
        ipt_diag_add(b->diag, IPT_WARNING, item->name->place,
                     "clients can set %s themselves: make sure that the proxy overwrites it", name);
    if (read->from != IPT_LIST_NONE || is_vouched(b, policy, read->name))
        return true;
    if (ipt_name_is_list(fixed) || ipt_provider_of_header(fixed) != IPT_PROVIDER_NONE) {
        if (policy->trust_count != 0)
            ipt_diag_add(b->diag, IPT_WARNING, item->name->place, "no list in trust vouches for %s: it is never used",
                         name);
        return true;
    }
    ipt_diag_add(b->diag, IPT_ERROR, item->name->place,
                 "no list in trust vouches for %s: expected from: with the list that writes it", name);
    return false;
}

static bool bind_from(ipt_bind *b, const ipt_policy_spec *policy, const read_item *item, uint16_t *from)
{
    ipt_shown shown;
    *from = IPT_LIST_NONE;
    if (item->from == NULL)
        return true;
    *from = ipt_bind_list_ref(b, item->from);
    if (*from == IPT_LIST_NONE)
        return false;
    if (trusts(policy, *from))
        return true;
    ipt_diag_add(b->diag, IPT_ERROR, item->from->place, "list \"%s\" is not in trust",
                 ipt_show(item->from->text, &shown));
    return false;
}

static ipt_span name_of(ipt_bind *b, const read_item *item)
{
    const ipt_span front = IPT_SPAN("attribute:");
    if (!item->attribute)
        return ipt_span_from(ipt_bind_lower(b, item->name->text));
    char *text = ipt_bind_alloc(b, 1, front.n + item->name->text.n + 1);
    if (text == NULL)
        return (ipt_span){0};
    memcpy(text, front.p, front.n);
    memcpy(text + front.n, item->name->text.p, item->name->text.n);
    return ipt_span_from(text);
}

static bool bind_item(ipt_bind *b, const ipt_policy_spec *policy, ipt_node *node, ipt_read_spec *out)
{
    read_item item;
    if (!split_item(b, node, &item) || (!item.attribute && !check_header(b, &item)))
        return false;
    ipt_read_spec read = {.name = name_of(b, &item)};
    if (read.name.p == NULL || !bind_from(b, policy, &item, &read.from) || !check_vouched(b, policy, &item, &read))
        return false;
    /* Legal, since x-real-ip and {header: x-real-ip, from: lb} may both be meant: `from` adds a writer. */
    for (size_t i = 0; i < policy->read_count; i++) {
        if (!ipt_span_equal(policy->read[i].name, read.name))
            continue;
        ipt_diag_add(b->diag, IPT_WARNING, item.name->place, "%s is here twice", read.name.p);
        break;
    }
    *out = read;
    return true;
}

static void default_read(ipt_bind *b, ipt_policy_spec *policy)
{
    ipt_read_spec *read = ipt_bind_alloc(b, 1, sizeof(*read));
    if (read == NULL)
        return;
    *read = (ipt_read_spec){IPT_SPAN("x-forwarded-for"), IPT_LIST_NONE};
    policy->read = read;
    policy->read_count = 1;
}

void ipt_bind_read(ipt_bind *b, ipt_policy_spec *policy, const ipt_node *node)
{
    ipt_node *stated = ipt_node_get(node, "read");
    if (stated == NULL) {
        default_read(b, policy);
        return;
    }
    if (stated->kind != IPT_NODE_SEQUENCE || stated->count == 0) {
        ipt_complain_expected(b->diag, stated, "a sequence such as [x-forwarded-for]");
        return;
    }
    if (stated->count > IPT_CONFIG_READ_MAX) {
        ipt_diag_add(b->diag, IPT_ERROR, stated->place, "%zu names, expected at most %d", stated->count,
                     IPT_CONFIG_READ_MAX);
        return;
    }
    ipt_read_spec *read = ipt_bind_alloc(b, stated->count, sizeof(*read));
    policy->read = read;
    for (ipt_node *item = stated->first; read != NULL && item != NULL; item = item->next)
        policy->read_count += bind_item(b, policy, item, &read[policy->read_count]);

    bool list_first = policy->read_count != 0 && ipt_name_is_list(ipt_name_fixed(policy->read[0].name));
    if (policy->trust_anyone && policy->read_count == stated->count && !list_first)
        ipt_diag_add(b->diag, IPT_ERROR, stated->first->place,
                     "with trust: anyone the first name must be x-forwarded-for or forwarded");
}
