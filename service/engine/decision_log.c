/* A sample of the decisions, one JSON object a line. Addresses in full only when the configuration says so. */
#include "engine_priv.h"

#include <stdio.h>

static const char *const api_names[] = {
    [IPT_API_REST] = "rest", [IPT_API_GRPC] = "grpc", [IPT_API_EXT_AUTHZ] = "ext_authz", [IPT_API_AUTH] = "auth"};

typedef struct line {
    size_t n;
    char text[1536];
} line;

/* Every piece is short and bounded; a line that would not fit is not written. */
IPT_PRINTF(2, 3) static void put(line *l, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    size_t room = sizeof(l->text) - l->n;
    int n = vsnprintf(l->text + l->n, room, format, args);
    va_end(args);
    l->n = n < 0 || (size_t)n >= room ? sizeof(l->text) : l->n + (size_t)n;
}

static void put_address(line *l, const char *key, bool present, ipt_addr addr, ipt_log_ip how)
{
    char text[IPT_PREFIX_TEXT];
    if (!present || how == IPT_LOG_IP_NONE) {
        put(l, ",\"%s\":null", key);
        return;
    }
    if (how == IPT_LOG_IP_FULL)
        (void)ipt_addr_format(addr, text);
    else
        (void)ipt_prefix_format(ipt_prefix_of(addr, ipt_addr_is_v4(addr) ? 96 + 24 : 48), text);
    put(l, ",\"%s\":\"%s\"", key, text);
}

static void put_reasons(line *l, uint64_t reasons)
{
    const char *between = "";
    put(l, ",\"reasons\":[");
    for (unsigned i = 0; i < IPT_REASON_COUNT; i++) {
        if ((reasons >> i & 1) == 0)
            continue;
        put(l, "%s\"%s\"", between, ipt_reason_name((ipt_reason)i));
        between = ",";
    }
    put(l, "]");
}

static void put_request_id(line *l, ipt_span id)
{
    put(l, ",\"request_id\":");
    if (id.p == NULL) {
        put(l, "null");
        return;
    }
    put(l, "\"");
    for (size_t i = 0; i < id.n && i < 128; i++) {
        unsigned char c = (unsigned char)id.p[i];
        if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\')
            put(l, "%c", c);
        else
            put(l, "\\u%04x", c);
    }
    put(l, "\"");
}

/* xorshift64: sampling needs no better. */
static bool sampled(ipt_seat *seat, double rate)
{
    seat->random ^= seat->random << 13;
    seat->random ^= seat->random >> 7;
    seat->random ^= seat->random << 17;
    return (double)(seat->random >> 11) * 0x1p-53 < rate;
}

void engine_log_decision(ipt_engine *engine, ipt_seat *seat, const ipt_call *call, ipt_api api, const ipt_decision *d)
{
    const ipt_config *config = d->view->config;
    if (!config->decision_log || engine->decisions == NULL || !sampled(seat, config->decision_log_sample))
        return;
    line l = {.n = 0};
    char now[IPT_CLOCK_TEXT];
    ipt_clock_format(ipt_clock_wall(), now);
    const char *rule = ipt_ruling_name(d->ruling);
    put(&l, "{\"time\":\"%s\",\"api\":\"%s\",\"policy\":\"%s\"", now, api_names[api], d->policy->spec->name);
    put_address(&l, "client_ip", d->has_client, d->client, config->decision_log_ip);
    ipt_endpoint peer;
    bool has_peer = ipt_endpoint_parse(call->request.peer, &peer);
    put_address(&l, "peer", has_peer, has_peer ? peer.addr : (ipt_addr){0, 0}, config->decision_log_ip);
    put(&l, ",\"complete\":%s,\"level\":\"%s\"", d->complete ? "true" : "false", ipt_level_name(d->level));
    put_reasons(&l, d->reasons);
    put(&l, ",\"action\":\"%s\",\"rule\":%s%s%s,\"mode\":\"%s\"",
        d->ruling.action == IPT_ACTION_DENY ? "deny" : "allow", rule == NULL ? "" : "\"", rule == NULL ? "null" : rule,
        rule == NULL ? "" : "\"", ipt_mode_name(d->policy->spec->mode));
    put(&l, ",\"revision\":{\"policies\":\"%s\",\"lists\":\"%s\"}", d->view->policies_revision,
        d->view->lists_revision);
    put_request_id(&l, call->request_id);
    put(&l, "}\n");
    if (l.n < sizeof(l.text))
        (void)ipt_ring_put(engine->decisions, (ipt_span){l.text, l.n});
}
