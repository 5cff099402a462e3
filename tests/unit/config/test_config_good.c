/* Good configurations: what each key becomes, what stands in for a key that is absent, what is only warned about. */
#include "setup.h"

#include <stdio.h>

static const ipt_config *good(const char *yaml, const char *dir, outcome *out)
{
    outcome_parse(yaml, dir, out);
    if (out->err != IPT_OK)
        print_error("for %s\n%s", yaml, out->text);
    assert_int_equal(out->err, IPT_OK);
    assert_non_null(out->config);
    return out->config;
}

static void check_prefix(ipt_prefix prefix, const char *text)
{
    char formatted[IPT_PREFIX_TEXT];
    ipt_prefix_format(prefix, formatted);
    assert_string_equal(formatted, text);
}

static void check_span(ipt_span span, const char *text)
{
    assert_int_equal(span.n, strlen(text));
    assert_memory_equal(span.p, text, span.n);
}

/* ---- the process ---- */

static void an_empty_mapping_is_the_defaults(void **state)
{
    outcome out;
    const ipt_config *c = good("{}\n", *state, &out);
    char admin[] = "/run/iptrustd/admin.sock";
    assert_int_equal(c->http.kind, IPT_LISTEN_TCP);
    assert_int_equal(c->http.port, 8080);
    assert_int_equal(ipt_addr_v4(c->http.host), 0x7f000001);
    assert_int_equal(c->grpc.port, 9191);
    assert_int_equal(c->health.port, 8081);
    assert_int_equal(c->admin.kind, IPT_LISTEN_UNIX);
    assert_string_equal(c->admin.path, admin);
    assert_int_equal(c->admin.mode, 0600);
    assert_int_equal(c->http.mode, 0660);
    assert_false(c->http.stated || c->grpc.stated || c->health.stated || c->admin.stated);
    assert_null(c->state_dir);
    assert_int_equal(c->drain_delay_ms, 5000);
    assert_int_equal(c->drain_timeout_ms, 25000);
    assert_int_equal(c->limit_connections, 4096);
    assert_int_equal(c->limit_per_address, 256);
    assert_int_equal(c->limit_streams, 100);
    assert_int_equal(c->limit_message, 1 << 20);
    assert_int_equal(c->limit_connection_age_ms, 30 * 60000);
    assert_int_equal(c->limit_keepalive_ms, 5 * 60000);
    assert_int_equal(c->log_format, IPT_LOG_AUTO);
    assert_int_equal(c->log_level, IPT_LOG_INFO);
    assert_false(c->decision_log);
    assert_int_equal(c->caller_count + c->nat64_count + c->list_count + c->policy_count + c->geo_file_count, 0);
    assert_string_equal(out.text,
                        "c.yaml:1:1: warning: there is no policy \"default\": a request that names none is refused\n");
    outcome_done(&out);
}

static void what_the_process_is_told_arrives(void **state)
{
    outcome out;
    const ipt_config *c = good("http: {listen: \"[::1]:0\"}\n"
                               "health: {listen: \"unix:/tmp/h.sock\", mode: \"0600\"}\n"
                               "admin: {listen: 127.0.0.1:9000, token_file: secrets/ok}\n"
                               "callers: [192.0.2.1, \"2001:db8::/32\"]\n"
                               "state_dir: state\n"
                               "drain: {delay: 250ms, timeout: 1m}\n"
                               "limits: {connections: 10, per_address: 2, connection_age: 1h, keepalive: 2m}\n"
                               "ready: {require_fresh: [lb]}\n"
                               "log: {format: text, level: debug}\n"
                               "decision_log: {sample: 0.25, ip: none}\n"
                               "nat64: [\"64:ff9b:1::/96\"]\n"
                               "lists: {lb: {prefixes: [192.0.2.0/24]}}\n"
                               "policies: {default: {trust: [lb]}}\n",
                               *state, &out);
    char path[600];
    snprintf(path, sizeof(path), "%s/state", (const char *)*state);
    assert_string_equal(out.text, "");
    assert_string_equal(c->file, "c.yaml");
    assert_true(c->http.stated);
    assert_int_equal(c->http.port, 0);
    assert_int_equal(c->http.host.lo, 1);
    assert_string_equal(c->http.text, "[::1]:0");
    assert_int_equal(c->health.kind, IPT_LISTEN_UNIX);
    assert_string_equal(c->health.path, "/tmp/h.sock");
    assert_int_equal(c->health.mode, 0600);
    assert_int_equal(c->admin.port, 9000);
    assert_int_equal(c->caller_count, 2);
    check_prefix(c->callers[0], "192.0.2.1/32");
    check_prefix(c->callers[1], "2001:db8::/32");
    assert_string_equal(c->state_dir, path);
    assert_int_equal(c->drain_delay_ms, 250);
    assert_int_equal(c->drain_timeout_ms, 60000);
    assert_int_equal(c->limit_connections, 10);
    assert_int_equal(c->limit_per_address, 2);
    assert_int_equal(c->limit_connection_age_ms, 3600000);
    assert_int_equal(c->limit_keepalive_ms, 120000);
    assert_int_equal(c->ready_require_fresh_count, 1);
    assert_string_equal(c->ready_require_fresh[0], "lb");
    assert_int_equal(c->log_format, IPT_LOG_TEXT);
    assert_int_equal(c->log_level, IPT_LOG_DEBUG);
    assert_true(c->decision_log);
    assert_true(c->decision_log_sample > 0.2499 && c->decision_log_sample < 0.2501);
    assert_int_equal(c->decision_log_ip, IPT_LOG_IP_NONE);
    check_prefix(c->nat64[0], "64:ff9b:1::/96");
    outcome_done(&out);
}

/* ---- lists ---- */

typedef struct list_row {
    const char *yaml; /* of one list */
    ipt_list_source source;
    ipt_list_kind kind;
    size_t prefixes;
    const char *vouches; /* "header=how ..." */
    const char *egress;
    int64_t soft_age, hard_age, fetched_at;
    uint8_t adds;
    bool bundled, failed;
} list_row;

enum { DAY = 86400 };

static void vouches_as_text(const ipt_list_spec *list, char *out, size_t size)
{
    size_t n = 0;
    out[0] = '\0';
    for (size_t i = 0; i < list->vouch_count; i++)
        n += (size_t)snprintf(out + n, size - n, "%s%.*s=%s", n == 0 ? "" : " ", (int)list->vouches[i].header.n,
                              list->vouches[i].header.p, ipt_vouch_name(list->vouches[i].how));
}

static void check_list(const ipt_list_spec *list, const list_row *row)
{
    char vouches[256];
    vouches_as_text(list, vouches, sizeof(vouches));
    assert_string_equal(vouches, row->vouches);
    assert_int_equal(list->source, row->source);
    assert_int_equal(list->kind, row->kind);
    assert_int_equal(list->prefix_count, row->prefixes);
    assert_int_equal(list->egress_count, row->egress == NULL ? 0 : 1);
    if (row->egress != NULL)
        check_prefix(list->egress[0], row->egress);
    assert_true(list->soft_age == row->soft_age);
    assert_true(list->hard_age == row->hard_age);
    assert_true(list->fetched_at == row->fetched_at);
    assert_int_equal(list->adds, row->adds);
    assert_int_equal(list->bundled, row->bundled);
    assert_int_equal(list->failed, row->failed);
}

static void lists_get_what_is_known_of_them(void **state)
{
    const int64_t none = IPT_AGE_NONE, never = IPT_TIME_NONE, now = 1795428000; /* 2026-11-23T10:00:00Z */
    const list_row rows[] = {
        {"{prefixes: [192.0.2.0/24, \"2001:db8::/32\"]}", IPT_SOURCE_BY_HAND, IPT_KIND_OWN, 2, "x-forwarded-for=append",
         NULL, none, none, never, 1, false, false},
        {"{prefixes: []}", IPT_SOURCE_BY_HAND, IPT_KIND_OWN, 0, "x-forwarded-for=append", NULL, none, none, never, 1,
         false, false},
        {"{file: office.txt}", IPT_SOURCE_FILE, IPT_KIND_OWN, 2, "x-forwarded-for=append", NULL, none, none, never, 1,
         false, false},
        {"{file: office.txt, fetched_at: 2026-11-23T11:00:00+01:00, soft_age: 2d, hard_age: 4d}", IPT_SOURCE_FILE,
         IPT_KIND_OWN, 2, "x-forwarded-for=append", NULL, 2 * DAY, 4 * DAY, now, 1, false, false},
        {"{unix: true}", IPT_SOURCE_UNIX, IPT_KIND_OWN, 0, "x-forwarded-for=append", NULL, none, none, never, 1, false,
         false},
        {"{url: \"https://lists.example/x\"}", IPT_SOURCE_URL, IPT_KIND_OWN, 0, "x-forwarded-for=append", NULL, 7 * DAY,
         none, never, 1, false, true},
        {"{provider: cloudflare}", IPT_SOURCE_PROVIDER, IPT_KIND_PROXY, 22,
         "x-forwarded-for=append cf-connecting-ip=replace", "2a06:98c0:3600::/48", 7 * DAY, none, 1778051940, 1, true,
         false},
        {"{provider: cloudflare, prefixes: [192.0.2.0/24], fetched_at: 2026-11-23T10:00:00Z, egress: []}",
         IPT_SOURCE_BY_HAND, IPT_KIND_PROXY, 1, "x-forwarded-for=append cf-connecting-ip=replace", NULL, 7 * DAY, none,
         now, 1, false, false},
        {"{provider: aws, services: [CLOUDFRONT_ORIGIN_FACING]}", IPT_SOURCE_PROVIDER, IPT_KIND_PROXY, 49,
         "x-forwarded-for=append", NULL, 7 * DAY, none, 1787411825, 1, true, false},
        {"{provider: aws, services: [CLOUDFRONT_ORIGIN_FACING, CLOUDFRONT]}", IPT_SOURCE_PROVIDER, IPT_KIND_PROXY, 0,
         "x-forwarded-for=append", NULL, 7 * DAY, none, never, 1, false, true},
        {"{provider: aws, services: [GLOBALACCELERATOR]}", IPT_SOURCE_PROVIDER, IPT_KIND_PROXY, 0, "", NULL, 7 * DAY,
         none, never, 1, false, true},
        {"{provider: aws, services: [EC2]}", IPT_SOURCE_PROVIDER, IPT_KIND_TENANTS, 0, "", NULL, 7 * DAY, none, never,
         1, false, true},
        {"{provider: azure, services: [AzureFrontDoor.Backend], file: office.txt}", IPT_SOURCE_FILE, IPT_KIND_PROXY, 2,
         "x-forwarded-for=append x-azure-socketip=replace", NULL, 7 * DAY, none, never, 1, false, false},
        {"{provider: google-lb, prefixes: [35.191.0.0/16]}", IPT_SOURCE_BY_HAND, IPT_KIND_PROXY, 1,
         "x-forwarded-for=append", NULL, 7 * DAY, none, never, 2, false, false},
        {"{provider: fastly, prefixes: [151.101.0.0/16]}", IPT_SOURCE_BY_HAND, IPT_KIND_PROXY, 1, "", NULL, 7 * DAY,
         none, never, 1, false, false},
        {"{prefixes: [192.0.2.1], vouches: {X-Real-IP: replace, Forwarded: append, proxy_protocol: replace, via: "
         "replace, "
         "\"attribute:argIP\": replace}, adds: 2, egress: [192.0.2.128/25]}",
         IPT_SOURCE_BY_HAND, IPT_KIND_OWN, 1,
         "x-real-ip=replace forwarded=append proxy_protocol=replace via=replace attribute:argIP=replace",
         "192.0.2.128/25", none, none, never, 2, false, false},
        {"{prefixes: [\"::ffff:192.0.2.0/120\"], vouches: {}}", IPT_SOURCE_BY_HAND, IPT_KIND_OWN, 1, "", NULL, none,
         none, never, 1, false, false},
    };
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        char yaml[512];
        outcome out;
        snprintf(yaml, sizeof(yaml), "lists: {l: %s}\n", rows[i].yaml);
        const ipt_config *c = good(yaml, *state, &out);
        assert_int_equal(c->list_count, 1);
        assert_string_equal(c->lists[0].name, "l");
        assert_int_equal(c->lists[0].place.line, 1);
        assert_int_equal(c->lists[0].place.column, 9);
        check_list(&c->lists[0], &rows[i]);
        outcome_done(&out);
    }
}

static void proofs_hold_their_secret_without_its_line_end(void **state)
{
    static const struct {
        const char *proof;
        ipt_proof_kind kind;
        const char *name, *secret;
        size_t values;
    } rows[] = {
        {"{header: X-Token, secret_file: secrets/ok}", IPT_PROOF_HEADER, "x-token", "tok", 0},
        {"{header: x-token, secret_file: secrets/crlf}", IPT_PROOF_HEADER, "x-token", "s3cret", 0},
        {"{forwarded_param: Secret, secret_file: secrets/bare}", IPT_PROOF_FORWARDED_PARAM, "secret", "s3cret", 0},
        {"{front_door_id: [a, b]}", IPT_PROOF_FRONT_DOOR_ID, "", "", 2},
        {"{principals: [\"spiffe://example/edge\"]}", IPT_PROOF_PRINCIPALS, "", "", 1},
    };
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        char yaml[256];
        outcome out;
        snprintf(yaml, sizeof(yaml), "lists: {l: {prefixes: [192.0.2.1], proof: %s}}\n", rows[i].proof);
        const ipt_proof_spec *proof = &good(yaml, *state, &out)->lists[0].proof;
        assert_int_equal(proof->kind, rows[i].kind);
        check_span(proof->name, rows[i].name);
        check_span(proof->secret, rows[i].secret);
        assert_int_equal(proof->value_count, rows[i].values);
        outcome_done(&out);
    }
}

/* ---- policies ---- */

static const char policy_lists[] =
    "lists:\n"
    "  lb: {prefixes: [192.0.2.0/24], vouches: {x-forwarded-for: append, x-real-ip: replace}}\n"
    "  cf: {provider: cloudflare}\n"
    "  office: {prefixes: [198.51.100.0/24]}\n";

static const ipt_config *good_policies(const char *policies, const char *dir, outcome *out)
{
    char yaml[2048];
    snprintf(yaml, sizeof(yaml), "%spolicies:\n%s", policy_lists, policies);
    return good(yaml, dir, out);
}

static void an_empty_policy_trusts_nobody(void **state)
{
    outcome out;
    const ipt_policy_spec *p = &good_policies("  default: {}\n", *state, &out)->policies[0];
    assert_int_equal(p->trust_count, 0);
    assert_false(p->trust_anyone);
    assert_int_equal(p->read_count, 1);
    check_span(p->read[0].name, "x-forwarded-for");
    assert_int_equal(p->read[0].from, IPT_LIST_NONE);
    assert_int_equal(p->hops, 0);
    assert_int_equal(p->mode, IPT_MODE_ANNOTATE);
    assert_false(p->deny.stated || p->allow.stated);
    assert_true(p->unknown_denies);
    assert_false(p->clients_any);
    assert_int_equal(p->ipv6_rate_limit, 64);
    assert_int_equal(p->selectable_by, IPT_SELECT_REST | IPT_SELECT_GRPC);
    outcome_done(&out);
}

static void what_a_policy_is_told_arrives(void **state)
{
    outcome out;
    const ipt_config *c = good_policies("  default:\n"
                                        "    trust: [cf, lb]\n"
                                        "    read: [X-Forwarded-For, cf-connecting-ip, x-real-ip,\n"
                                        "           {header: X-Odd, from: lb}, {attribute: argIP, from: cf}]\n"
                                        "    walk: trusted\n"
                                        "    chains: [[cf, lb], [lb, cf]]\n"
                                        "    mode: enforce\n"
                                        "    deny: {confidence_below: medium, lists: [office]}\n"
                                        "    allow: {confidence_at_least: authenticated, lists: [lb, office]}\n"
                                        "    unknown: allow\n"
                                        "    clients: any\n"
                                        "    keys: {ipv6_rate_limit: 48}\n"
                                        "    selectable_by: [auth, ext_authz]\n",
                                        *state, &out);
    const ipt_policy_spec *p = ipt_config_find_policy(c, IPT_SPAN("default"));
    assert_non_null(p);
    assert_string_equal(out.text, "");
    assert_int_equal(p->trust_count, 2);
    assert_string_equal(c->lists[p->trust[0]].name, "cf");
    assert_string_equal(c->lists[p->trust[1]].name, "lb");
    assert_int_equal(p->read_count, 5);
    check_span(p->read[0].name, "x-forwarded-for");
    check_span(p->read[2].name, "x-real-ip");
    check_span(p->read[3].name, "x-odd");
    assert_int_equal(p->read[3].from, p->trust[1]);
    check_span(p->read[4].name, "attribute:argIP");
    assert_int_equal(p->read[4].from, p->trust[0]);
    assert_int_equal(p->chain_count, 2);
    assert_int_equal(p->chains[0].outer, p->trust[0]);
    assert_int_equal(p->chains[0].inner, p->trust[1]);
    assert_int_equal(p->mode, IPT_MODE_ENFORCE);
    assert_int_equal(p->deny.confidence, IPT_LEVEL_MEDIUM);
    assert_int_equal(p->deny.list_count, 1);
    assert_int_equal(p->allow.confidence, IPT_LEVEL_AUTHENTICATED);
    assert_int_equal(p->allow.list_count, 2);
    assert_false(p->unknown_denies);
    assert_true(p->clients_any);
    assert_int_equal(p->ipv6_rate_limit, 48);
    assert_int_equal(p->selectable_by, IPT_SELECT_AUTH | IPT_SELECT_EXT_AUTHZ);
    outcome_done(&out);
}

static void hops_take_yes_and_no(void **state)
{
    static const struct {
        const char *walk;
        uint8_t hops;
        bool peer_in_header;
    } rows[] = {
        {"{hops: 1}", 1, false},
        {"{hops: 64, peer_in_header: no}", 64, false},
        {"{hops: 2, peer_in_header: yes}", 2, true},
        {"{hops: 2, peer_in_header: \"yes\"}", 2, true},
        {"{hops: 2, peer_in_header: true}", 2, true},
        {"{hops: 2, peer_in_header: false}", 2, false},
    };
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        char policy[128];
        outcome out;
        snprintf(policy, sizeof(policy), "  default: {trust: [lb], walk: %s}\n", rows[i].walk);
        const ipt_policy_spec *p = &good_policies(policy, *state, &out)->policies[0];
        assert_int_equal(p->hops, rows[i].hops);
        assert_int_equal(p->peer_in_header, rows[i].peer_in_header);
        outcome_done(&out);
    }
}

static void policies_are_found_by_name(void **state)
{
    outcome out;
    const ipt_config *c = good_policies("  zeta: {}\n  default: {}\n  alpha: {}\n  alpha-2: {}\n", *state, &out);
    static const char *const sorted[] = {"alpha", "alpha-2", "default", "zeta"};
    for (size_t i = 0; i < IPT_COUNT(sorted); i++) {
        assert_string_equal(c->policies[i].name, sorted[i]);
        assert_ptr_equal(ipt_config_find_policy(c, ipt_span_from(sorted[i])), &c->policies[i]);
    }
    assert_null(ipt_config_find_policy(c, IPT_SPAN("alph")));
    assert_null(ipt_config_find_policy(c, IPT_SPAN("alpha-")));
    assert_null(ipt_config_find_policy(c, IPT_SPAN("zetaa")));
    assert_null(ipt_config_find_policy(c, (ipt_span){0}));
    outcome_done(&out);
}

/* ---- warnings ---- */

static void what_is_dangerous_or_void_is_warned_about(void **state)
{
    static const struct {
        const char *yaml, *warnings; /* besides those that every such small text gets */
    } rows[] = {
        {"lists: {l: {prefixes: [0.0.0.0/0]}}\npolicies: {default: {trust: [l]}}\n",
         "c.yaml:1:24: warning: 0.0.0.0/0 holds every address\n"},
        {"lists: {l: {prefixes: [192.0.2.1, \"::/0\"]}}\npolicies: {default: {deny: {lists: [l]}}}\n",
         "c.yaml:1:35: warning: ::/0 holds every address\n"},
        {"lists: {l: {prefixes: [10.0.0.0/8, 172.16.0.0/12]}}\npolicies: {default: {trust: [l]}}\n",
         "c.yaml:1:24: warning: 10.0.0.0/8 (and 1 more) is broad for a trusted list: name your proxies, or say broad: "
         "accepted\n"},
        {"lists: {l: {prefixes: [10.0.0.0/8], broad: accepted}}\npolicies: {default: {trust: [l]}}\n", ""},
        {"lists: {l: {prefixes: [10.0.0.0/8]}}\npolicies: {default: {deny: {lists: [l]}}}\n", ""},
        {"lists: {l: {prefixes: [192.168.0.0/16, \"fd00::/48\", 11.16.0.0/12, \"2001::/29\"]}}\n"
         "policies: {default: {trust: [l]}}\n",
         ""},
        {"lists: {l: {prefixes: [\"fd00::/47\"]}}\npolicies: {default: {trust: [l]}}\n",
         "c.yaml:1:24: warning: fd00::/47 is broad for a trusted list: name your proxies, or say broad: accepted\n"},
        {"lists: {l: {prefixes: []}}\npolicies: {default: {trust: [l]}}\n",
         "c.yaml:1:23: warning: list \"l\" is empty\n"
         "c.yaml:2:30: warning: list \"l\" is empty: nobody is trusted through it\n"},
        {"lists: {l: {file: empty.txt}}\npolicies: {default: {deny: {lists: [l]}}}\n",
         "c.yaml:1:19: warning: list \"l\" is empty\n"},
        {"lists: {l: {prefixes: [192.0.2.1]}}\npolicies: {default: {}}\n",
         "c.yaml:1:9: warning: list \"l\" is named nowhere\n"},
        {"lists: {l: {prefixes: [192.0.2.1]}}\npolicies: {other: {trust: [l]}}\n",
         "c.yaml:2:1: warning: there is no policy \"default\": a request that names none is refused\n"},
        {"lists: {l: {unix: true}}\npolicies: {default: {trust: [l]}}\n", ""},
        {"lists: {l: {prefixes: [192.0.2.1]}}\npolicies: {default: {trust: [l], walk: {hops: 1}}}\n",
         "c.yaml:2:41: warning: a hop count is right only while every request passes exactly 1 proxy\n"},
        {"policies: {default: {trust: anyone, walk: {hops: 2}}}\n",
         "c.yaml:1:29: warning: trust: anyone believes the header of whoever connects: only for listeners that nobody "
         "else reaches\n"
         "c.yaml:1:44: warning: a hop count is right only while every request passes exactly 2 proxies\n"},
        {"lists: {l: {provider: aws, services: [EC2], prefixes: [192.0.2.0/24], trust_tenants: true}}\n"
         "policies: {default: {trust: [l], read: [cloudfront-viewer-address]}}\n",
         "c.yaml:2:30: warning: list \"l\" is of kind tenants: anybody can send from there\n"
         "c.yaml:2:41: warning: no list in trust vouches for cloudfront-viewer-address: it is never used\n"},
        {"lists: {l: {prefixes: [192.0.2.1]}}\n"
         "policies: {default: {trust: [l], read: [{header: True-Client-IP, from: l}, {header: x-client-ip, from: "
         "l}]}}\n",
         "c.yaml:2:50: warning: clients can set True-Client-IP themselves: make sure that the proxy overwrites it\n"
         "c.yaml:2:85: warning: clients can set x-client-ip themselves: make sure that the proxy overwrites it\n"},
        {"lists: {l: {prefixes: [192.0.2.1]}}\n"
         "policies: {default: {trust: [l], read: [{header: X-Azure-ClientIP, from: l}]}}\n",
         "c.yaml:2:50: warning: clients can set X-Azure-ClientIP themselves: make sure that the proxy overwrites it\n"},
        {"lists: {l: {prefixes: [192.0.2.1], exclusive: true, soft_age: 1d}}\npolicies: {default: {trust: [l]}}\n",
         "c.yaml:1:36: warning: exclusive has no effect without provider\n"
         "c.yaml:1:53: warning: soft_age has no effect without fetched_at\n"},
        {"lists: {l: {provider: fastly}}\npolicies: {default: {deny: {lists: [l]}}}\n",
         "c.yaml:1:23: warning: list \"l\" is empty until it is fetched: no snapshot of it is built in\n"},
        {"callers: [10.0.0.0/8, 192.0.2.0/24]\npolicies: {default: {}}\n",
         "c.yaml:1:11: warning: 10.0.0.0/8 is broad for callers: whoever calls from there is believed\n"},
        {"admin: {listen: 192.0.2.1:9000, token_file: secrets/ok}\npolicies: {default: {}}\n",
         "c.yaml:1:17: warning: admin is reachable from other machines, and its token travels unencrypted\n"},
        {"admin: {listen: 192.0.2.1:9000, token_file: secrets/ok, tls: {cert: secrets/ok, key: /dev/null}}\n"
         "policies: {default: {}}\n",
         "c.yaml:1:86: warning: /dev/null can be read by every user of this machine\n"},
        {"admin: {token_file: secrets/ok}\nhttp: {mode: \"0600\"}\npolicies: {default: {}}\n",
         "c.yaml:2:8: warning: mode is for Unix sockets and has no effect here\n"
         "c.yaml:1:9: warning: token_file has no effect on a Unix socket\n"},
        {"http: {listen: 127.0.0.1:0}\nhealth: {listen: 127.0.0.1:0}\npolicies: {default: {}}\n", ""},
        {"policies: {default: {mode: enforce}}\n",
         "c.yaml:1:28: warning: mode enforce has no effect without deny or allow\n"},
        {"grpc: {listen: 127.0.0.1:1}\nauth: {token_file: secrets/ok}\n"
         "geo: {files: [d]}\ncentral: {url: \"https://c.example/\", unsigned: true}\n"
         "limits: {streams: 1, message: 2KiB}\npolicies: {default: {rewrite: [x-real-ip]}}\n",
         "c.yaml:4:48: warning: unsigned: whoever can write the document decides whom we trust\n"},
        {"http: {listen: \"unix:/run/x\"}\nauth: {token_file: secrets/ok}\npolicies: {default: {}}\n",
         "c.yaml:2:8: warning: token_file has no effect on a Unix socket\n"},
        {"lists: {l: {file: office.txt, path: a, column: 2, refresh: 1h, max_addresses: 5, hold: {lost: 1}}}\n"
         "policies: {default: {deny: {lists: [l]}}}\n",
         "c.yaml:1:31: warning: path has no effect without format: json\n"
         "c.yaml:1:40: warning: column has no effect without format: csv\n"},
        {"lists: {l: {prefixes: [192.0.2.1], vouches: {x-real-ip: replace}}}\n"
         "policies: {default: {trust: [l], read: [x-real-ip, {header: x-real-ip, from: l}]}}\n",
         "c.yaml:2:61: warning: x-real-ip is here twice\n"},
    };
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        outcome out;
        good(rows[i].yaml, *state, &out);
        if (strcmp(out.text, rows[i].warnings) != 0)
            print_error("for %s\n", rows[i].yaml);
        assert_string_equal(out.text, rows[i].warnings);
        outcome_done(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_mapping_is_the_defaults),
        cmocka_unit_test(what_the_process_is_told_arrives),
        cmocka_unit_test(lists_get_what_is_known_of_them),
        cmocka_unit_test(proofs_hold_their_secret_without_its_line_end),
        cmocka_unit_test(an_empty_policy_trusts_nobody),
        cmocka_unit_test(what_a_policy_is_told_arrives),
        cmocka_unit_test(hops_take_yes_and_no),
        cmocka_unit_test(policies_are_found_by_name),
        cmocka_unit_test(what_is_dangerous_or_void_is_warned_about),
    };
    return cmocka_run_group_tests(tests, setup_files, teardown_files);
}
