/* Writes a change of the configuration as YAML that our own reader takes. */
#include "advice_priv.h"

#include <assert.h>
#include <stdio.h>

void ipt_advice_free_name(const ipt_view *view, const char *base, char *out, size_t cap)
{
    assert(out != NULL);
    (void)snprintf(out, cap, "%s", base);
    for (unsigned n = 2; ipt_view_find_list(view, ipt_span_from(out)) != NULL; n++)
        (void)snprintf(out, cap, "%s%u", base, n);
}

const char *ipt_advice_other_policy(const ipt_decision *d, uint16_t list)
{
    for (size_t i = 0; i < d->view->policy_count; i++)
        if (&d->view->policies[i] != d->policy && d->view->policies[i].rank[list] != IPT_RANK_NONE)
            return d->view->policies[i].spec->name;
    return NULL;
}

/* A header name that the request brought goes into a file that somebody will paste: letters, digits, - and _ alone stay
 * bare, everything else becomes a quoted string with escapes. */
void ipt_edit_header(ipt_buf *out, ipt_span header)
{
    bool plain = header.n != 0;
    for (size_t i = 0; i < header.n; i++) {
        char c = ipt_lower(header.p[i]);
        plain =
            plain && ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9' && i != 0) || (c == '-' && i != 0) || c == '_');
    }
    ipt_buf_adds(out, plain ? "" : "\"");
    for (size_t i = 0; i < header.n && i < IPT_TEXT_MAX; i++) {
        unsigned char c = (unsigned char)ipt_lower(header.p[i]);
        if (c == '"' || c == '\\')
            ipt_buf_addf(out, "\\%c", c);
        else if (c < 0x20 || c >= 0x7f)
            ipt_buf_addf(out, "\\x%02x", c);
        else
            ipt_buf_addc(out, (char)c);
    }
    ipt_buf_adds(out, plain ? "" : "\"");
}

static const char *usual_vouch(ipt_span header)
{
    return ipt_name_is_list(ipt_name_fixed(header)) ? "append" : "replace";
}

void ipt_edit_vouches(ipt_buf *out, const ipt_list_spec *spec, ipt_span header)
{
    ipt_buf_adds(out, "vouches: {");
    for (size_t i = 0; i < spec->vouch_count; i++) {
        ipt_edit_header(out, spec->vouches[i].header);
        ipt_buf_addf(out, ": %s, ", ipt_vouch_name(spec->vouches[i].how));
    }
    ipt_edit_header(out, header);
    ipt_buf_addf(out, ": %s}", usual_vouch(header));
}

void ipt_edit_chains(ipt_buf *out, const ipt_decision *d, const char *outer, const char *inner)
{
    const ipt_policy_spec *policy = d->policy->spec;

    ipt_buf_adds(out, "chains: [");
    for (size_t i = 0; i < policy->chain_count; i++)
        ipt_buf_addf(out, "[%s, %s], ", d->view->lists[policy->chains[i].outer].spec->name,
                     d->view->lists[policy->chains[i].inner].spec->name);
    ipt_buf_addf(out, "[%s, %s]]", outer, inner);
}

/* A list of the embedded default: prefixes by hand, or a provider. */
static void write_list(ipt_buf *out, const ipt_view_list *list, ipt_span extra)
{
    const ipt_list_spec *spec = list->spec;
    char prefix[IPT_PREFIX_TEXT];

    ipt_buf_addf(out, "  %s: {", spec->name);
    if (spec->source == IPT_SOURCE_PROVIDER) {
        ipt_buf_addf(out, "provider: %s", ipt_provider_name(spec->provider));
        for (size_t i = 0; i < spec->service_count; i++)
            ipt_buf_addf(out, "%s%s%s", i == 0 ? ", services: [" : ", ", spec->services[i],
                         i + 1 == spec->service_count ? "]" : "");
    } else {
        ipt_buf_adds(out, "prefixes: [");
        for (size_t i = 0; i < spec->prefix_count; i++) {
            (void)ipt_prefix_format(spec->prefixes[i], prefix);
            ipt_buf_addf(out, "%s\"%s\"", i == 0 ? "" : ", ", prefix);
        }
        ipt_buf_adds(out, "]");
    }
    ipt_buf_adds(out, spec->internal ? ", internal: true" : "");
    ipt_buf_adds(out, spec->exclusive ? ", exclusive: true" : "");
    ipt_buf_adds(out, spec->broad_accepted ? ", broad: accepted" : "");
    if (extra.n != 0) {
        ipt_buf_adds(out, ", ");
        ipt_buf_add(out, extra);
    }
    ipt_buf_adds(out, "}\n");
}

static void write_lists(ipt_buf *out, const ipt_decision *d, const ipt_edit *edit, bool whole)
{
    const ipt_policy_spec *policy = d->policy->spec;

    if (whole || edit->list != IPT_LIST_NONE || edit->name != NULL)
        ipt_buf_adds(out, "lists:\n");
    for (size_t i = 0; whole && i < policy->trust_count; i++)
        write_list(out, &d->view->lists[policy->trust[i]],
                   policy->trust[i] == edit->list ? edit->extra : (ipt_span){0});
    if (whole && edit->trust != IPT_LIST_NONE)
        write_list(out, &d->view->lists[edit->trust], (ipt_span){0});
    if (!whole && edit->list != IPT_LIST_NONE) {
        ipt_buf_addf(out, "  %s:\n    ", d->view->lists[edit->list].spec->name);
        ipt_buf_add(out, edit->extra);
        ipt_buf_addc(out, '\n');
    }
    if (edit->name != NULL) {
        ipt_buf_addf(out, "  %s: ", edit->name);
        ipt_buf_add(out, edit->body);
        ipt_buf_addc(out, '\n');
    }
}

static void write_trust(ipt_buf *out, const ipt_decision *d, const ipt_edit *edit)
{
    const ipt_policy_spec *policy = d->policy->spec;

    ipt_buf_adds(out, "    trust: [");
    for (size_t i = 0; i < policy->trust_count; i++)
        ipt_buf_addf(out, "%s%s", i == 0 ? "" : ", ", d->view->lists[policy->trust[i]].spec->name);
    const char *added = edit->name != NULL             ? edit->name
                        : edit->trust != IPT_LIST_NONE ? d->view->lists[edit->trust].spec->name
                                                       : NULL;
    if (added != NULL)
        ipt_buf_addf(out, "%s%s", policy->trust_count == 0 ? "" : ", ", added);
    ipt_buf_adds(out, "]\n");
}

static void write_read(ipt_buf *out, const ipt_decision *d, const ipt_edit *edit)
{
    const ipt_policy_spec *policy = d->policy->spec;
    static const ipt_span attribute = {"attribute:", 10};

    ipt_buf_adds(out, "    read: [");
    for (size_t i = 0; i < policy->read_count; i++) {
        ipt_span name = policy->read[i].name;
        bool is_attribute = name.n > attribute.n && memcmp(name.p, attribute.p, attribute.n) == 0;
        ipt_buf_adds(out, i == 0 ? "" : ", ");
        if (is_attribute)
            name = (ipt_span){name.p + attribute.n, name.n - attribute.n};
        if (policy->read[i].from == IPT_LIST_NONE && !is_attribute) {
            ipt_edit_header(out, name);
            continue;
        }
        ipt_buf_adds(out, is_attribute ? "{attribute: " : "{header: ");
        ipt_edit_header(out, name);
        if (policy->read[i].from != IPT_LIST_NONE)
            ipt_buf_addf(out, ", from: %s", d->view->lists[policy->read[i].from].spec->name);
        ipt_buf_addc(out, '}');
    }
    if (edit->read.n != 0) {
        ipt_buf_adds(out, policy->read_count == 0 ? "" : ", ");
        ipt_edit_header(out, edit->read);
    }
    ipt_buf_adds(out, "]\n");
}

static bool reads_already(const ipt_policy_spec *policy, ipt_span header)
{
    for (size_t i = 0; i < policy->read_count; i++)
        if (ipt_span_equal_nocase(policy->read[i].name, header))
            return true;
    return false;
}

void ipt_edit_write(ipt_buf *out, const ipt_decision *d, const ipt_edit *change)
{
    bool whole = d->view->config->file == NULL;
    ipt_edit edit = *change;
    if (edit.read.n != 0 && reads_already(d->policy->spec, edit.read))
        edit.read = (ipt_span){0};
    bool trusts = edit.name != NULL || edit.trust != IPT_LIST_NONE, reads = edit.read.n != 0;

    write_lists(out, d, &edit, whole);
    if (!whole && !trusts && !reads && edit.policy.n == 0)
        return;
    ipt_buf_addf(out, "policies:\n  %s:\n", d->policy->spec->name);
    if (whole || trusts)
        write_trust(out, d, &edit);
    if (whole || reads)
        write_read(out, d, &edit);
    if (edit.policy.n != 0) {
        ipt_buf_adds(out, "    ");
        ipt_buf_add(out, edit.policy);
        ipt_buf_addc(out, '\n');
    }
}
