/* The configuration in force as JSON, which is YAML too: every key with its value, secrets left out. */
#include "engine_priv.h"

#include <inttypes.h>
#include <stdlib.h>

/* Separators and indentation; values go through the one JSON writer of codec. */
typedef struct writer {
    ipt_buf *out;
    unsigned depth;
    bool fresh;   /* nothing at this level yet */
    bool compact; /* on one line */
} writer;

static void begin_line(writer *w)
{
    if (!w->fresh)
        ipt_buf_addc(w->out, ',');
    w->fresh = false;
    if (w->compact)
        return;
    ipt_buf_addc(w->out, '\n');
    for (unsigned i = 0; i < w->depth; i++)
        ipt_buf_adds(w->out, "  ");
}

static void next(writer *w, const char *key)
{
    begin_line(w);
    if (key != NULL) {
        ipt_json_write_string(w->out, ipt_span_from(key));
        ipt_buf_adds(w->out, ": ");
    }
}

static void open_at(writer *w, const char *key, char bracket)
{
    if (w->depth != 0)
        next(w, key);
    ipt_buf_addc(w->out, bracket);
    w->depth++;
    w->fresh = true;
}

static void close_at(writer *w, char bracket)
{
    w->depth--;
    if (!w->fresh && !w->compact) {
        ipt_buf_addc(w->out, '\n');
        for (unsigned i = 0; i < w->depth; i++)
            ipt_buf_adds(w->out, "  ");
    }
    ipt_buf_addc(w->out, bracket);
    w->fresh = false;
}

static void put_text(writer *w, const char *key, const char *value)
{
    if (value == NULL)
        return;
    next(w, key);
    ipt_json_write_string(w->out, ipt_span_from(value));
}

static void put_span(writer *w, const char *key, ipt_span value)
{
    next(w, key);
    ipt_json_write_string(w->out, value);
}

static void put_bool(writer *w, const char *key, bool value)
{
    next(w, key);
    ipt_buf_adds(w->out, value ? "true" : "false");
}

static void put_number(writer *w, const char *key, uint64_t value)
{
    next(w, key);
    ipt_buf_addu(w->out, value);
}

static void put_seconds(writer *w, const char *key, int64_t seconds)
{
    if (seconds == IPT_AGE_NONE)
        return;
    next(w, key);
    ipt_buf_addf(w->out, "\"%" PRId64 "s\"", seconds);
}

static void put_ms(writer *w, const char *key, int64_t ms)
{
    next(w, key);
    ipt_buf_addf(w->out, "\"%" PRId64 "ms\"", ms);
}

static void put_prefixes(writer *w, const char *key, const ipt_prefix *prefixes, size_t count)
{
    open_at(w, key, '[');
    for (size_t i = 0; i < count; i++) {
        char text[IPT_PREFIX_TEXT];
        (void)ipt_prefix_format(prefixes[i], text);
        put_text(w, NULL, text);
    }
    close_at(w, ']');
}

static void put_texts(writer *w, const char *key, const char *const *texts, size_t count)
{
    if (count == 0)
        return;
    open_at(w, key, '[');
    for (size_t i = 0; i < count; i++)
        put_text(w, NULL, texts[i]);
    close_at(w, ']');
}

static void put_names(writer *w, const char *key, const ipt_config *config, const uint16_t *lists, size_t count)
{
    open_at(w, key, '[');
    for (size_t i = 0; i < count; i++)
        put_text(w, NULL, config->lists[lists[i]].name);
    close_at(w, ']');
}

/* Paths alone: what a key file holds is never shown. */
static void put_tls(writer *w, const ipt_listener_spec *spec)
{
    if (spec->tls_cert == NULL)
        return;
    open_at(w, "tls", '{');
    put_text(w, "cert", spec->tls_cert);
    put_text(w, "key", spec->tls_key);
    put_text(w, "client_ca", spec->tls_client_ca);
    put_texts(w, "client_sans", spec->tls_client_sans, spec->tls_client_sans_count);
    close_at(w, '}');
}

static void put_listener(writer *w, const char *key, const ipt_listener_spec *spec)
{
    open_at(w, key, '{');
    put_text(w, "listen", spec->kind == IPT_LISTEN_OFF ? NULL : spec->text);
    if (spec->kind == IPT_LISTEN_UNIX) {
        next(w, "mode");
        ipt_buf_addf(w->out, "\"%04o\"", spec->mode);
    }
    put_text(w, "token_file", spec->token_file);
    put_tls(w, spec);
    close_at(w, '}');
}

/* The name of a secret's file is shown, its contents never. */
static void put_proof(writer *w, const ipt_proof_spec *proof)
{
    if (proof->kind == IPT_PROOF_NONE)
        return;
    open_at(w, "proof", '{');
    if (proof->kind == IPT_PROOF_HEADER || proof->kind == IPT_PROOF_FORWARDED_PARAM) {
        put_span(w, proof->kind == IPT_PROOF_HEADER ? "header" : "forwarded_param", proof->name);
        put_text(w, "secret_file", proof->secret_file);
    } else
        put_texts(w, proof->kind == IPT_PROOF_PRINCIPALS ? "principals" : "front_door_id", proof->values,
                  proof->value_count);
    close_at(w, '}');
}

static void put_vouches(writer *w, const ipt_list_spec *list)
{
    open_at(w, "vouches", '{');
    for (size_t i = 0; i < list->vouch_count; i++) {
        begin_line(w);
        ipt_json_write_string(w->out, list->vouches[i].header);
        ipt_buf_adds(w->out, ": ");
        ipt_json_write_string(w->out, ipt_span_from(ipt_vouch_name(list->vouches[i].how)));
    }
    close_at(w, '}');
}

static void put_list(writer *w, const ipt_list_spec *list)
{
    open_at(w, list->name, '{');
    put_text(w, "provider", ipt_provider_name(list->provider));
    put_texts(w, "services", list->services, list->service_count);
    put_text(w, "file", list->file);
    put_text(w, "url", list->url);
    put_text(w, "format", list->format);
    if (list->source == IPT_SOURCE_BY_HAND)
        put_prefixes(w, "prefixes", list->prefixes, list->prefix_count);
    if (list->source == IPT_SOURCE_UNIX)
        put_bool(w, "unix", true);
    if (list->egress_count != 0)
        put_prefixes(w, "egress", list->egress, list->egress_count);
    put_bool(w, "internal", list->internal);
    if (list->provider != IPT_PROVIDER_NONE)
        put_bool(w, "exclusive", list->exclusive);
    if (list->broad_accepted)
        put_text(w, "broad", "accepted");
    put_vouches(w, list);
    if (list->adds != 1)
        put_number(w, "adds", list->adds);
    put_proof(w, &list->proof);
    put_seconds(w, "soft_age", list->soft_age);
    put_seconds(w, "hard_age", list->hard_age);
    close_at(w, '}');
}

static void put_rule(writer *w, const char *key, const char *confidence, const ipt_config *config,
                     const ipt_rule_spec *rule)
{
    if (!rule->stated)
        return;
    open_at(w, key, '{');
    if (rule->confidence != IPT_LEVEL_NONE)
        put_text(w, confidence, ipt_level_name(rule->confidence));
    if (rule->list_count != 0)
        put_names(w, "lists", config, rule->lists, rule->list_count);
    put_texts(w, "countries", rule->countries, rule->country_count);
    if (rule->asn_count != 0) {
        open_at(w, "asns", '[');
        for (size_t i = 0; i < rule->asn_count; i++)
            put_number(w, NULL, rule->asns[i]);
        close_at(w, ']');
    }
    if (rule->anonymous)
        put_bool(w, "anonymous", true);
    close_at(w, '}');
}

static void put_read(writer *w, const ipt_config *config, const ipt_policy_spec *policy)
{
    open_at(w, "read", '[');
    for (size_t i = 0; i < policy->read_count; i++) {
        const ipt_read_spec *read = &policy->read[i];
        ipt_span attribute = IPT_SPAN("attribute:"), name = read->name;
        bool is_attribute = name.n > attribute.n && memcmp(name.p, attribute.p, attribute.n) == 0;
        if (is_attribute)
            name = (ipt_span){name.p + attribute.n, name.n - attribute.n};
        if (!is_attribute && read->from == IPT_LIST_NONE) {
            put_span(w, NULL, name);
            continue;
        }
        open_at(w, NULL, '{');
        put_span(w, is_attribute ? "attribute" : "header", name);
        if (read->from != IPT_LIST_NONE)
            put_text(w, "from", config->lists[read->from].name);
        close_at(w, '}');
    }
    close_at(w, ']');
}

static void put_walk(writer *w, const ipt_policy_spec *policy)
{
    if (policy->hops == 0) {
        put_text(w, "walk", "trusted");
        return;
    }
    open_at(w, "walk", '{');
    put_number(w, "hops", policy->hops);
    put_text(w, "peer_in_header", policy->peer_in_header ? "yes" : "no");
    close_at(w, '}');
}

static void put_chains(writer *w, const ipt_config *config, const ipt_policy_spec *policy)
{
    if (policy->chain_count == 0)
        return;
    open_at(w, "chains", '[');
    for (size_t i = 0; i < policy->chain_count; i++) {
        const uint16_t pair[] = {policy->chains[i].outer, policy->chains[i].inner};
        put_names(w, NULL, config, pair, 2);
    }
    close_at(w, ']');
}

static void put_policy(writer *w, const ipt_config *config, const ipt_policy_spec *policy)
{
    static const struct {
        unsigned bit;
        const char *name;
    } faces[] = {{IPT_SELECT_REST, "rest"},
                 {IPT_SELECT_GRPC, "grpc"},
                 {IPT_SELECT_EXT_AUTHZ, "ext_authz"},
                 {IPT_SELECT_AUTH, "auth"}};
    open_at(w, policy->name, '{');
    if (policy->trust_anyone)
        put_text(w, "trust", "anyone");
    else
        put_names(w, "trust", config, policy->trust, policy->trust_count);
    put_read(w, config, policy);
    put_walk(w, policy);
    put_chains(w, config, policy);
    put_text(w, "mode", ipt_mode_name(policy->mode));
    put_rule(w, "deny", "confidence_below", config, &policy->deny);
    put_rule(w, "allow", "confidence_at_least", config, &policy->allow);
    put_text(w, "unknown", policy->unknown_denies ? "deny" : "allow");
    put_text(w, "clients", policy->clients_any ? "any" : "global");
    open_at(w, "keys", '{');
    put_number(w, "ipv6_rate_limit", policy->ipv6_rate_limit);
    close_at(w, '}');
    open_at(w, "selectable_by", '[');
    for (size_t i = 0; i < IPT_COUNT(faces); i++) {
        if ((policy->selectable_by & faces[i].bit) != 0)
            put_text(w, NULL, faces[i].name);
    }
    close_at(w, ']');
    put_texts(w, "rewrite", policy->rewrite, policy->rewrite_count);
    close_at(w, '}');
}

static void put_policies(writer *w, const ipt_config *config)
{
    open_at(w, "policies", '{');
    for (size_t i = 0; i < config->policy_count; i++)
        put_policy(w, config, &config->policies[i]);
    close_at(w, '}');
}

static void put_limits(writer *w, const ipt_config *config)
{
    open_at(w, "drain", '{');
    put_ms(w, "delay", config->drain_delay_ms);
    put_ms(w, "timeout", config->drain_timeout_ms);
    close_at(w, '}');
    open_at(w, "limits", '{');
    put_number(w, "connections", config->limit_connections);
    put_number(w, "per_address", config->limit_per_address);
    put_ms(w, "keepalive", config->limit_keepalive_ms);
    close_at(w, '}');
}

static void put_logs(writer *w, const ipt_config *config)
{
    static const char *const formats[] = {NULL, "json", "text"},
                             *const levels[] = {"error", "warning", "info", "debug"},
                             *const ips[] = {"truncated", "full", "none"};
    open_at(w, "log", '{');
    put_text(w, "format", formats[config->log_format]);
    put_text(w, "level", levels[config->log_level]);
    close_at(w, '}');
    if (!config->decision_log)
        return;
    open_at(w, "decision_log", '{');
    next(w, "sample");
    ipt_buf_addf(w->out, "%.10g", config->decision_log_sample);
    put_text(w, "ip", ips[config->decision_log_ip]);
    close_at(w, '}');
}

/* The password is a file's and is not shown; its name is not kept. */
static void put_central(writer *w, const ipt_config *config)
{
    const ipt_central_spec *central = config->central;
    if (central != NULL) {
        open_at(w, "central", '{');
        put_text(w, "url", central->url);
        if (central->etcd) {
            open_at(w, "etcd", '{');
            put_texts(w, "endpoints", central->endpoints, central->endpoint_count);
            put_text(w, "key", central->key);
            put_text(w, "user", central->user);
            put_text(w, "ca", central->ca);
            close_at(w, '}');
        } else
            put_text(w, "ca", central->ca);
        put_ms(w, "interval", central->interval_ms);
        put_texts(w, "public_keys", central->public_keys, central->public_key_count);
        put_bool(w, "unsigned", central->is_unsigned);
        put_bool(w, "allow_dangerous", central->allow_dangerous);
        put_number(w, "min_serial", central->min_serial);
        close_at(w, '}');
    }
    if (config->signing_key_file == NULL)
        return;
    open_at(w, "serve_central", '{');
    put_text(w, "signing_key_file", config->signing_key_file);
    close_at(w, '}');
}

void ipt_engine_write_config(ipt_buf *out, const ipt_config *config)
{
    writer w = {.out = out};
    open_at(&w, NULL, '{');
    put_listener(&w, "http", &config->http);
    put_listener(&w, "health", &config->health);
    put_listener(&w, "admin", &config->admin);
    put_prefixes(&w, "callers", config->callers, config->caller_count);
    put_text(&w, "state_dir", config->state_dir);
    put_limits(&w, config);
    put_logs(&w, config);
    put_prefixes(&w, "nat64", config->nat64, config->nat64_count);
    if (config->ready_require_fresh_count != 0) {
        open_at(&w, "ready", '{');
        put_texts(&w, "require_fresh", config->ready_require_fresh, config->ready_require_fresh_count);
        close_at(&w, '}');
    }
    open_at(&w, "lists", '{');
    for (size_t i = 0; i < config->list_count; i++)
        put_list(&w, &config->lists[i]);
    close_at(&w, '}');
    put_policies(&w, config);
    put_central(&w, config);
    close_at(&w, '}');
    ipt_buf_addc(out, '\n');
}

/* ---- for others ---- */

static void mark(bool *used, const uint16_t *lists, size_t count)
{
    for (size_t i = 0; i < count; i++)
        used[lists[i]] = true;
}

static void mark_used(const ipt_config *config, bool *used)
{
    for (size_t i = 0; i < config->policy_count; i++) {
        const ipt_policy_spec *policy = &config->policies[i];
        mark(used, policy->trust, policy->trust_count);
        mark(used, policy->deny.lists, policy->deny.list_count);
        mark(used, policy->allow.lists, policy->allow.list_count);
        for (size_t k = 0; k < policy->read_count; k++)
            if (policy->read[k].from != IPT_LIST_NONE)
                used[policy->read[k].from] = true;
        for (size_t k = 0; k < policy->chain_count; k++)
            used[policy->chains[k].outer] = used[policy->chains[k].inner] = true;
    }
}

static void put_time(writer *w, const char *key, int64_t seconds)
{
    char text[IPT_CLOCK_TEXT];
    ipt_clock_format(seconds, text);
    put_text(w, key, text);
}

/* Wherever they came from, the contents are given by hand: whoever has them needs no feed and no file. What a fetch
 * brought was judged here, so that broad ranges in it are not news to others. */
static void put_contents(writer *w, const ipt_list_spec *list)
{
    bool fetched = list->source == IPT_SOURCE_URL || list->source == IPT_SOURCE_PROVIDER;
    open_at(w, list->name, '{');
    put_text(w, "provider", ipt_provider_name(list->provider));
    put_texts(w, "services", list->services, list->service_count);
    if (list->source == IPT_SOURCE_UNIX)
        put_bool(w, "unix", true);
    else
        put_prefixes(w, "prefixes", list->prefixes, list->prefix_count);
    if (list->egress_count != 0 || list->provider != IPT_PROVIDER_NONE)
        put_prefixes(w, "egress", list->egress, list->egress_count);
    put_bool(w, "internal", list->internal);
    if (list->provider != IPT_PROVIDER_NONE)
        put_bool(w, "exclusive", list->exclusive);
    if (list->trust_tenants)
        put_bool(w, "trust_tenants", true);
    if (list->broad_accepted || fetched)
        put_text(w, "broad", "accepted");
    put_vouches(w, list);
    if (list->adds != 1)
        put_number(w, "adds", list->adds);
    put_proof(w, &list->proof);
    if (list->fetched_at != IPT_TIME_NONE && list->source != IPT_SOURCE_UNIX) {
        put_time(w, "fetched_at", list->fetched_at);
        put_seconds(w, "soft_age", list->soft_age);
        put_seconds(w, "hard_age", list->hard_age);
    }
    close_at(w, '}');
}

void engine_write_document(ipt_buf *out, const ipt_config *config)
{
    writer w = {.out = out, .compact = true};
    bool *used = calloc(config->list_count + 1, sizeof(*used));
    if (used == NULL) {
        out->failed = true;
        return;
    }
    mark_used(config, used);
    open_at(&w, NULL, '{');
    open_at(&w, "lists", '{');
    for (size_t i = 0; i < config->list_count; i++)
        if (used[i])
            put_contents(&w, &config->lists[i]);
    close_at(&w, '}');
    put_policies(&w, config);
    close_at(&w, '}');
    ipt_buf_addc(out, '\n');
    free(used);
}

void ipt_engine_write_policies(ipt_buf *out, const ipt_view *view)
{
    writer w = {.out = out};
    open_at(&w, NULL, '{');
    put_policies(&w, view->config);
    put_text(&w, "revision", view->policies_revision);
    close_at(&w, '}');
    ipt_buf_addc(out, '\n');
}
