/* The situations of test_explain.c, and how each becomes a decision. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "situations.h"

#define LISTS                                                                                               \
    "lists:\n"                                                                                              \
    "  lb: {prefixes: [10.0.12.0/24], internal: true}\n"                                                    \
    "  cf: {provider: cloudflare, prefixes: [173.245.48.0/20], exclusive: true, fetched_at: "               \
    "2026-11-22T07:00:00Z}\n"                                                                               \
    "  cdn: {provider: aws, services: [CLOUDFRONT_ORIGIN_FACING], prefixes: [130.176.0.0/17], fetched_at: " \
    "2026-11-22T09:55:00Z}\n"
#define BASE LISTS "policies:\n  default: {trust: [lb, cf], read: [x-forwarded-for, cf-connecting-ip]}\n"

#define GEO(files) "geo: {files: [" files "]}\n" LISTS "policies:\n  default: {trust: [lb]}\n"

const situation situations[] = {
    {"direct", BASE, NULL, "8.8.4.4:5000", "", NULL},
    {"through_cloudflare", BASE, NULL, "10.0.12.1:443",
     "X-Forwarded-For: 6.6.6.6, unknown, 8.8.8.8:4711, 173.245.48.7\nCF-Connecting-IP: 8.8.8.8", NULL},
    {"missing_balancer", BASE, NULL, "172.17.0.1", "X-Forwarded-For: 8.8.8.8\nX-Real-IP: 8.8.8.8", NULL},
    {"missing_inner_balancer", BASE, NULL, "10.0.12.1", "X-Forwarded-For: 8.8.8.8, 10.0.13.7", NULL},
    {"untrusted_list", BASE, NULL, "130.176.1.2", "X-Forwarded-For: 8.8.8.8", NULL},
    {"no_header", BASE, NULL, "10.0.12.1", "Accept: text/html", NULL},
    {"not_vouched", BASE, NULL, "10.0.12.1", "Forwarded: for=8.8.8.8", NULL},
    {"hop_not_vouching",
     "lists:\n  lb: {prefixes: [10.0.12.0/24], internal: true}\n"
     "  edge: {provider: fastly, prefixes: [23.235.32.0/20], exclusive: true}\n"
     "policies:\n  default: {trust: [lb, edge]}\n",
     NULL, "10.0.12.1", "X-Forwarded-For: 8.8.8.8, 23.235.32.9", NULL},
    {"provider_change", LISTS "policies:\n  default: {trust: [lb, cf, cdn], chains: [[cf, cdn]]}\n", NULL, "10.0.12.1",
     "X-Forwarded-For: 8.8.8.8, 130.176.1.2, 173.245.48.7", NULL},
    {"shared_provider", LISTS "policies:\n  default: {trust: [cdn]}\n", NULL, "130.176.1.2",
     "X-Forwarded-For: 2001:4860:4860::8888", NULL},
    {"malformed_entry", BASE, NULL, "10.0.12.1", "X-Forwarded-For: 9.9.9.9, 010.0.0.1<script>\x1b[31m\xe9", NULL},
    {"stale_and_empty",
     "lists:\n  old: {prefixes: [10.0.12.0/24], internal: true, fetched_at: 2026-01-01T00:00:00Z, soft_age: 7d}\n"
     "  none: {prefixes: []}\n"
     "policies:\n  default: {trust: [old, none]}\n",
     NULL, "10.0.12.1", "X-Forwarded-For: 8.8.8.8", NULL},
    {"unix_socket", BASE, NULL, "unix", "X-Forwarded-For: 8.8.8.8", NULL},
    {"hop_count",
     "lists:\n  lb: {prefixes: [10.0.12.0/24]}\npolicies:\n  default: {trust: [lb], walk: {hops: 3, peer_in_header: "
     "no}}\n",
     NULL, "10.0.12.1", "X-Forwarded-For: 8.8.8.8", NULL},
    {"proxy_protocol",
     "lists:\n  nlb: {prefixes: [10.0.12.0/24], internal: true, vouches: {proxy_protocol: replace}}\n"
     "policies:\n  default: {trust: [nlb]}\n",
     NULL, "10.0.12.1", "X-Forwarded-For: 1.1.1.1", "PROXY TCP4 8.8.8.8 10.0.12.9 4711 443\r\n"},
    {"enforced", LISTS "policies:\n  default: {trust: [lb, cf], mode: enforce, deny: {confidence_below: medium}}\n",
     NULL, "10.0.12.1", "X-Forwarded-For: unknown", NULL},
    {"geo_told", GEO("city.mmdb, network.mmdb, anonymous.mmdb, flat.mmdb"), NULL, "10.0.12.1",
     "X-Forwarded-For: 8.8.8.8", NULL},
    {"geo_anonymous", GEO("city.mmdb, anonymous.mmdb, flat.mmdb"), NULL, "7.7.7.7", "", NULL},
    {"geo_embedded", GEO("city.mmdb"), NULL, "2002:808:808::1", "", NULL},
    {"geo_no_record", GEO("city.mmdb"), NULL, "77.1.2.3", "", NULL},
    {"geo_not_covered", GEO("network.mmdb"), NULL, "2a00::1", "", NULL},
    {"geo_not_loaded", GEO("none.mmdb"), NULL, "8.8.8.8", "", NULL},
    {"embedded_missing_balancer", NULL, NULL, "172.17.0.1", "X-Forwarded-For: 8.8.8.8", NULL},
};
const size_t situation_count = IPT_COUNT(situations);

const situation *situation_find(const char *name)
{
    for (size_t i = 0; i < situation_count; i++)
        if (strcmp(situations[i].name, name) == 0)
            return &situations[i];
    fail_msg("no situation %s", name);
    return NULL;
}

static void read_headers(scene *s, const char *text)
{
    while (*text != '\0') {
        const char *end = strchr(text, '\n'), *colon = strchr(text, ':');
        size_t n = end == NULL ? strlen(text) : (size_t)(end - text);
        assert_true(colon != NULL && s->request.header_count < IPT_COUNT(s->headers));
        s->headers[s->request.header_count++] = (ipt_header){
            {text, (size_t)(colon - text)}, ipt_span_trim((ipt_span){colon + 1, n - (size_t)(colon - text) - 1})};
        text += n + (end != NULL);
    }
    s->request.headers = s->headers;
}

void scene_open(scene *s, const situation *from)
{
    const ipt_config_options options = {.base_dir = IPTRUST_GEO_GOLDEN};
    ipt_config *config = NULL;
    ipt_auto(ipt_geo) *geo = NULL;
    ipt_diag diag;

    *s = (scene){.view = NULL};
    assert_int_equal(ipt_diag_init(&diag), IPT_OK);
    ipt_err err = from->yaml == NULL
                      ? ipt_config_load(NULL, &options, &diag, &config)
                      : ipt_config_parse(ipt_span_from(from->yaml), "iptrust.yaml", &options, &diag, &config);
    if (err != IPT_OK && diag.first != NULL)
        fail_msg("%s: %s", from->name, diag.first->text);
    ipt_diag_done(&diag);
    assert_int_equal(err, IPT_OK);
    if (config->geo_file_count != 0)
        assert_int_equal(ipt_geo_open(config->geo_files, config->geo_file_count, NULL, &geo), IPT_OK);
    assert_int_equal(ipt_view_build_take(config, NOW, &s->view), IPT_OK);
    ipt_view_set_geo(s->view, geo);

    const ipt_policy *policy =
        ipt_view_find_policy(s->view, ipt_span_from(from->policy == NULL ? "default" : from->policy));
    assert_non_null(policy);
    s->request.peer = ipt_span_from(from->peer);
    s->request.caller = IPT_CALLER_TRUSTED;
    s->request.has_proxy_protocol = from->proxy != NULL;
    s->request.proxy_protocol = ipt_span_from(from->proxy);
    read_headers(s, from->headers);
    assert_int_equal(ipt_resolve(s->view, policy, &s->request, IPT_DETAIL_FULL, &s->decision, NULL), IPT_REFUSAL_NONE);
}

void scene_close(scene *s)
{
    ipt_view_free(s->view);
}
