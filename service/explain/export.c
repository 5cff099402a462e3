/* A list in the words of whoever reads it: people, our own `file:` lists, nginx, Apache httpd, HAProxy, Envoy. */
#include "iptrust/explain/export.h"

#include <stdlib.h>

static const struct format {
    const char *name, *content_type;
} formats[IPT_EXPORT_FORMATS] = {
    [IPT_EXPORT_JSON] = {"json", "application/json"},
    [IPT_EXPORT_TEXT] = {"text", "text/plain; charset=utf-8"},
    [IPT_EXPORT_NGINX] = {"nginx", "text/plain; charset=utf-8"},
    [IPT_EXPORT_APACHE] = {"apache", "text/plain; charset=utf-8"},
    [IPT_EXPORT_HAPROXY] = {"haproxy", "text/plain; charset=utf-8"},
    [IPT_EXPORT_ENVOY] = {"envoy", "application/yaml"},
};

const char *ipt_export_format_name(ipt_export_format format)
{
    return formats[format].name;
}

const char *ipt_export_format_names(void)
{
    return "json, text, nginx, apache, haproxy, envoy";
}

const char *ipt_export_content_type(ipt_export_format format)
{
    return formats[format].content_type;
}

bool ipt_export_format_find(ipt_span name, ipt_export_format *out)
{
    for (unsigned i = 0; i < IPT_EXPORT_FORMATS; i++)
        if (ipt_span_equal(name, ipt_span_from(formats[i].name))) {
            *out = (ipt_export_format)i;
            return true;
        }
    return false;
}

/* ---- JSON ---- */

/* Text of the configuration, which is valid UTF-8. */
static void json_string(ipt_buf *out, ipt_span text)
{
    ipt_buf_addc(out, '"');
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c == '"' || c == '\\')
            ipt_buf_addf(out, "\\%c", c);
        else if (c < 0x20)
            ipt_buf_addf(out, "\\u%04x", c);
        else
            ipt_buf_addc(out, (char)c);
    }
    ipt_buf_addc(out, '"');
}

static void json_key(ipt_buf *out, const char *key, const char *value)
{
    ipt_buf_addf(out, ",\"%s\":", key);
    if (value == NULL || value[0] == '\0')
        ipt_buf_adds(out, "null");
    else
        json_string(out, ipt_span_from(value));
}

static void json_flag(ipt_buf *out, const char *key, bool value)
{
    ipt_buf_addf(out, ",\"%s\":%s", key, value ? "true" : "false");
}

static void json_age(ipt_buf *out, const char *key, int64_t age)
{
    if (age == IPT_AGE_NONE || age < 0)
        ipt_buf_addf(out, ",\"%s\":null", key);
    else
        ipt_buf_addf(out, ",\"%s\":%llu", key, (unsigned long long)age);
}

static void json_strings(ipt_buf *out, const char *key, const char *const *values, size_t count)
{
    ipt_buf_addf(out, ",\"%s\":[", key);
    for (size_t i = 0; i < count; i++) {
        ipt_buf_adds(out, i == 0 ? "" : ",");
        json_string(out, ipt_span_from(values[i]));
    }
    ipt_buf_addc(out, ']');
}

static void json_prefixes(ipt_buf *out, const char *key, const ipt_prefix *prefixes, size_t count)
{
    char text[IPT_PREFIX_TEXT];

    ipt_buf_addf(out, ",\"%s\":[", key);
    for (size_t i = 0; i < count; i++) {
        (void)ipt_prefix_format(prefixes[i], text);
        ipt_buf_addf(out, "%s\"%s\"", i == 0 ? "" : ",", text);
    }
    ipt_buf_addc(out, ']');
}

static void json_vouches(ipt_buf *out, const ipt_list_spec *spec)
{
    ipt_buf_adds(out, ",\"vouches\":{");
    for (size_t i = 0; i < spec->vouch_count; i++) {
        ipt_buf_adds(out, i == 0 ? "" : ",");
        json_string(out, spec->vouches[i].header);
        ipt_buf_addf(out, ":\"%s\"", ipt_vouch_name(spec->vouches[i].how));
    }
    ipt_buf_addc(out, '}');
}

static void json_trusted_by(ipt_buf *out, const ipt_view *view, size_t list)
{
    bool first = true;

    ipt_buf_adds(out, ",\"trusted_by\":[");
    for (size_t i = 0; i < view->policy_count; i++) {
        if (view->policies[i].rank[list] == IPT_RANK_NONE)
            continue;
        ipt_buf_adds(out, first ? "" : ",");
        json_string(out, ipt_span_from(view->policies[i].spec->name));
        first = false;
    }
    ipt_buf_addc(out, ']');
}

static const char *freshness_name(ipt_freshness freshness)
{
    switch (freshness) {
    case IPT_STALE:
        return "stale";
    case IPT_EXPIRED:
        return "expired";
    case IPT_FRESH:
        break;
    }
    return "fresh";
}

static size_t count_v4(const ipt_list_spec *spec)
{
    size_t count = 0;
    for (size_t i = 0; i < spec->prefix_count; i++)
        count += ipt_prefix_is_v4(spec->prefixes[i]);
    return count;
}

/* Without the closing brace. */
static void json_summary(ipt_buf *out, const ipt_view *view, const ipt_view_list *list, const ipt_export_state *state,
                         bool whole)
{
    const ipt_list_spec *spec = list->spec;
    size_t index = (size_t)(list - view->lists), v4 = count_v4(spec);

    ipt_buf_adds(out, "{\"name\":");
    json_string(out, ipt_span_from(spec->name));
    json_key(out, "kind", ipt_list_kind_name(spec->kind));
    json_key(out, "source", ipt_list_source_name(spec->source));
    json_key(out, "provider", ipt_provider_name(spec->provider));
    json_strings(out, "services", spec->services, spec->service_count);
    json_key(out, "file", spec->file);
    json_key(out, "url", spec->url);
    json_flag(out, "internal", spec->internal);
    json_flag(out, "exclusive", spec->exclusive);
    json_vouches(out, spec);
    ipt_buf_addf(out, ",\"adds\":%u", spec->adds);
    json_flag(out, "proof", spec->proof.kind != IPT_PROOF_NONE); /* that there is one; a secret is never shown */
    ipt_buf_addf(out, ",\"prefix_count\":{\"ipv4\":%zu,\"ipv6\":%zu}", v4, spec->prefix_count - v4);
    json_key(out, "revision", list->revision);
    json_key(out, "fetched_at", list->fetched_at);
    json_age(out, "age", spec->fetched_at == IPT_TIME_NONE ? IPT_AGE_NONE : view->now - spec->fetched_at);
    json_age(out, "soft_age", spec->soft_age);
    json_age(out, "hard_age", spec->hard_age);
    json_key(out, "freshness", freshness_name(view->freshness[index]));
    json_flag(out, "bundled", spec->bundled);
    json_flag(out, "failed", spec->failed);
    ipt_buf_addc(out, ',');
    if (state == NULL)
        ipt_buf_adds(out, "\"last_result\":null,\"pending\":null");
    else
        state->write(state->context, out, spec->name, whole);
    json_trusted_by(out, view, index);
}

static void write_json(ipt_buf *out, const ipt_view *view, const ipt_view_list *list, const ipt_export_state *state)
{
    json_summary(out, view, list, state, true);
    json_prefixes(out, "prefixes", list->spec->prefixes, list->spec->prefix_count);
    json_prefixes(out, "egress", list->spec->egress, list->spec->egress_count);
    ipt_buf_adds(out, "}\n");
}

static int compare_names(const void *a, const void *b)
{
    const ipt_view_list *const *left = a, *const *right = b;
    return strcmp((*left)->spec->name, (*right)->spec->name);
}

void ipt_export_lists(ipt_buf *out, const ipt_view *view, const ipt_export_state *state)
{
    const ipt_view_list **sorted = calloc(view->list_count == 0 ? 1 : view->list_count, sizeof(*sorted));
    if (sorted == NULL) {
        out->failed = true;
        return;
    }
    for (size_t i = 0; i < view->list_count; i++)
        sorted[i] = &view->lists[i];
    qsort(sorted, view->list_count, sizeof(*sorted), compare_names);

    ipt_buf_adds(out, "{\"lists\":[");
    for (size_t i = 0; i < view->list_count; i++) {
        ipt_buf_adds(out, i == 0 ? "" : ",");
        json_summary(out, view, sorted[i], state, false);
        ipt_buf_addc(out, '}');
    }
    ipt_buf_adds(out, "]}\n");
    free(sorted);
}

/* ---- the words of other programs ---- */

/* Where it came from, as comments. Everything that a configuration can put here is printable: names by their grammar,
 * times and revisions are our own; a path or address could hold a line end and is not shown. */
static void heading(ipt_buf *out, const ipt_view *view, const ipt_view_list *list, const char *use)
{
    const ipt_list_spec *spec = list->spec;
    const char *provider = ipt_provider_name(spec->provider);

    ipt_buf_addf(out, "# list %s of iptrustd (%s%s%s), %zu prefixes, revision %s\n", spec->name,
                 ipt_list_source_name(spec->source), provider == NULL ? "" : " ", provider == NULL ? "" : provider,
                 spec->prefix_count, list->revision);
    if (list->fetched_at[0] != '\0')
        ipt_buf_addf(out, "# as of %s, %s%s\n", list->fetched_at,
                     freshness_name(view->freshness[(size_t)(list - view->lists)]),
                     spec->bundled ? ", built-in snapshot" : "");
    if (use != NULL)
        ipt_buf_addf(out, "# %s\n", use);
    if (spec->prefix_count == 0)
        ipt_buf_adds(out, "# the list is empty: nothing is trusted by it\n");
}

static void lines(ipt_buf *out, const ipt_list_spec *spec, const char *before, const char *after)
{
    char text[IPT_PREFIX_TEXT];

    for (size_t i = 0; i < spec->prefix_count; i++) {
        (void)ipt_prefix_format(spec->prefixes[i], text);
        ipt_buf_addf(out, "%s%s%s\n", before, text, after);
    }
}

static void write_apache(ipt_buf *out, const ipt_view *view, const ipt_view_list *list)
{
    heading(out, view, list, "mod_remoteip; beside it: RemoteIPHeader X-Forwarded-For");
    /* Behind a RemoteIPTrustedProxy, httpd takes no private address for an answer; behind our own proxies it may be
     * one. */
    lines(out, list->spec, list->spec->internal ? "RemoteIPInternalProxy " : "RemoteIPTrustedProxy ", "");
}

static void write_envoy(ipt_buf *out, const ipt_view *view, const ipt_view_list *list)
{
    const ipt_list_spec *spec = list->spec;
    char text[IPT_ADDR_TEXT];

    heading(out, view, list, "for an HTTP connection manager with use_remote_address: false; Envoy 1.33 or later");
    ipt_buf_adds(out, "original_ip_detection_extensions:\n"
                      "- name: envoy.http.original_ip_detection.xff\n"
                      "  typed_config:\n"
                      "    \"@type\": "
                      "type.googleapis.com/envoy.extensions.http.original_ip_detection.xff.v3.XffConfig\n"
                      "    xff_trusted_cidrs:\n");
    ipt_buf_adds(out, spec->prefix_count == 0 ? "      cidrs: []\n" : "      cidrs:\n");
    for (size_t i = 0; i < spec->prefix_count; i++) {
        (void)ipt_addr_format(spec->prefixes[i].addr, text);
        ipt_buf_addf(out, "      - {address_prefix: \"%s\", prefix_len: %u}\n", text,
                     ipt_prefix_bits(spec->prefixes[i]));
    }
}

bool ipt_export_list(ipt_buf *out, const ipt_view *view, const ipt_view_list *list, ipt_span format,
                     const ipt_export_state *state)
{
    ipt_export_format which = IPT_EXPORT_JSON;
    if (format.n != 0 && !ipt_export_format_find(format, &which))
        return false;

    switch (which) {
    case IPT_EXPORT_JSON:
    case IPT_EXPORT_FORMATS:
        write_json(out, view, list, state);
        break;
    case IPT_EXPORT_TEXT:
        heading(out, view, list, NULL);
        lines(out, list->spec, "", "");
        break;
    case IPT_EXPORT_NGINX:
        heading(out, view, list,
                "ngx_http_realip_module; beside it: real_ip_header X-Forwarded-For; real_ip_recursive on;");
        lines(out, list->spec, "set_real_ip_from ", ";");
        break;
    case IPT_EXPORT_APACHE:
        write_apache(out, view, list);
        break;
    case IPT_EXPORT_HAPROXY:
        heading(out, view, list, "a pattern file: acl from_list src -f FILE");
        lines(out, list->spec, "", "");
        break;
    case IPT_EXPORT_ENVOY:
        write_envoy(out, view, list);
        break;
    }
    return true;
}
