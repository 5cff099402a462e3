/* Answers of TrustService as the JSON of REST, so that both faces are held against the same bytes: a message becomes an
 * ipt_decision again and goes through the one JSON writer. What that writer derives by itself (score, cap, detail, the
 * number of a hop) must be what the message says. Standard input: frames of a decimal length, a line feed and a
 * serialized iptrust.v1.ResolveResponse; standard output: a line each. The argument is the daemon's configuration: its
 * databases tell which of them a name in `sources` means. */
#include <inttypes.h>
#include <iptrust/v1/iptrust.pb-c.h>
#include <stdio.h>
#include <stdlib.h>

#include "iptrust/codec/json.h"
#include "iptrust/config/config.h"

enum { MESSAGE_MAX = 64 << 20, CASE_MEMORY = 64 << 10 };

/* One message and what its decision borrows from. */
typedef struct told {
    const Iptrust__V1__Decision *from;
    ipt_arena *arena;
    ipt_names *names;
    const ipt_geo *geo;
    ipt_view view;
    ipt_policy policy;
    ipt_policy_spec policy_spec;
    ipt_request request;
    ipt_decision decision;
    ipt_call call;
} told;

static _Noreturn void die(const char *what, const char *value)
{
    fprintf(stderr, "answer_json: %s: %s\n", what, value);
    exit(1);
}

static void *make(told *t, size_t count, size_t size)
{
    void *p = ipt_arena_alloc(t->arena, count == 0 ? size : count * size);
    if (p == NULL)
        die("no memory", "");
    memset(p, 0, count * size);
    return p;
}

static ipt_addr address(const char *text)
{
    ipt_addr addr;
    if (!ipt_addr_parse(ipt_span_from(text), &addr, NULL))
        die("no address", text);
    return addr;
}

static ipt_prefix prefix(const char *text)
{
    ipt_prefix out;
    if (ipt_prefix_parse(ipt_span_from(text), &out) != IPT_PREFIX_OK)
        die("no prefix", text);
    return out;
}

static unsigned hex_digit(char c)
{
    const char *digits = "0123456789abcdef", *at = c == '\0' ? NULL : strchr(digits, c);
    if (at == NULL)
        die("no hexadecimal digit", (char[2]){c, '\0'});
    return (unsigned)(at - digits);
}

static ipt_span unhex(told *t, const char *text)
{
    size_t n = strlen(text) / 2;
    char *bytes = make(t, n + 1, 1);
    for (size_t i = 0; i < n; i++)
        bytes[i] = (char)(hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]));
    return (ipt_span){bytes, n};
}

/* Text out is ASCII: \\ is a backslash and \xHH any other byte. */
static ipt_span raw(told *t, const char *text)
{
    char *bytes = make(t, strlen(text) + 1, 1);
    size_t n = 0;
    for (const char *p = text; *p != '\0'; p++) {
        if (*p < 0x20 || *p > 0x7e)
            die("not ASCII", text);
        if (*p != '\\') {
            bytes[n++] = *p;
        } else if (*++p == '\\') {
            bytes[n++] = '\\';
        } else if (*p == 'x') {
            bytes[n++] = (char)(hex_digit(p[1]) << 4 | hex_digit(p[2]));
            p += 2;
        } else
            die("no escape", text);
    }
    return (ipt_span){bytes, n};
}

/* An enumerator's word: lower case, without its prefix. */
static bool is_word(const ProtobufCEnumDescriptor *which, int value, const char *prefix_of, const char *word)
{
    const ProtobufCEnumValue *known = protobuf_c_enum_descriptor_get_value(which, value);
    size_t n = strlen(prefix_of);
    return known != NULL && word != NULL && strncmp(known->name, prefix_of, n) == 0 &&
           ipt_span_equal_nocase(ipt_span_from(known->name + n), ipt_span_from(word));
}

static ipt_level level(Iptrust__V1__Level value)
{
    for (ipt_level i = IPT_LEVEL_NONE; i <= IPT_LEVEL_AUTHENTICATED; i++) {
        if (is_word(&iptrust__v1__level__descriptor, (int)value, "LEVEL_", ipt_level_name(i)))
            return i;
    }
    die("no level", "");
}

static ipt_origin origin(told *t, const char *text, ipt_name *header)
{
    if (strcmp(text, "peer") == 0)
        return IPT_ORIGIN_PEER;
    if (strcmp(text, "proxy_protocol") == 0)
        return IPT_ORIGIN_PROXY_PROTOCOL;
    if (ipt_names_add(t->names, raw(t, text), header) != IPT_OK)
        die("no name", text);
    return IPT_ORIGIN_HEADER;
}

/* ---- the parts of a decision, in their order ---- */

static const Iptrust__V1__Client *read_client(told *t)
{
    const Iptrust__V1__Decision *from = t->from;
    ipt_decision *d = &t->decision;
    d->complete = from->complete;
    if (from->client == NULL) {
        if (from->client_ip[0] != '\0' || from->source[0] != '\0')
            die("client without its class", from->client_ip);
        return NULL;
    }
    d->has_client = true;
    d->client = address(from->client_ip);
    d->has_client_port = from->client_port_value_case == IPTRUST__V1__DECISION__CLIENT_PORT_VALUE_CLIENT_PORT;
    d->client_port = (uint16_t)from->client_port;
    d->source = origin(t, from->source, &d->source_header);
    d->client_class = ipt_addr_class(d->client);
    if (strcmp(ipt_class_name(d->client_class), from->client->class_) != 0)
        die("class", from->client->class_);
    if (from->client->embedded_ipv4[0] != '\0') {
        d->embedding = IPT_EMBEDS_NAT64; /* which of them the message does not say, nor does JSON */
        d->embedded = address(from->client->embedded_ipv4);
    }
    return from->client;
}

/* The lists that the answer names: first those of the client, then one a hop. */
static void read_lists(told *t, const Iptrust__V1__Client *client)
{
    const Iptrust__V1__Decision *from = t->from;
    size_t named = client == NULL ? 0 : client->n_lists, count = named + from->n_chain;
    ipt_view_list *lists = make(t, count, sizeof(*lists));
    ipt_list_spec *specs = make(t, count, sizeof(*specs));
    if (named > IPT_CLIENT_LISTS_MAX)
        die("too many lists", "");
    for (size_t i = 0; i < count; i++) {
        lists[i].spec = &specs[i];
        specs[i].name = i < named ? client->lists[i] : from->chain[i - named]->list;
        if (i < named) {
            t->decision.client_lists[i] = (uint16_t)i;
            continue;
        }
        const Iptrust__V1__Hop *hop = from->chain[i - named];
        snprintf(lists[i].revision, sizeof(lists[i].revision), "%s", hop->list_revision);
        snprintf(lists[i].fetched_at, sizeof(lists[i].fetched_at), "%s", hop->fetched_at);
    }
    t->decision.client_list_count = (uint16_t)named;
    t->view.lists = lists;
    t->view.list_count = count;
}

static void read_reason(told *t, const Iptrust__V1__Reason *from)
{
    ipt_reason reason = 0;
    ipt_level cap;
    while (reason < IPT_REASON_COUNT && strcmp(ipt_reason_name(reason), from->code) != 0)
        reason++;
    if (reason == IPT_REASON_COUNT || t->decision.reasons >> reason != 0)
        die("no reason, or out of order", from->code);
    bool caps = ipt_reason_cap(reason, &cap);
    if (caps != (from->cap != IPTRUST__V1__LEVEL__LEVEL_UNSPECIFIED) || (caps && level(from->cap) != cap))
        die("cap", from->code);
    if ((reason == IPT_REASON_UNVOUCHED_ENTRIES) !=
        (from->count_value_case != IPTRUST__V1__REASON__COUNT_VALUE__NOT_SET))
        die("count", from->code);
    if (reason == IPT_REASON_UNVOUCHED_ENTRIES)
        t->decision.unvouched_count = from->count;
    t->decision.reasons |= UINT64_C(1) << reason;
}

static void read_confidence(told *t)
{
    const Iptrust__V1__Confidence *from = t->from->confidence;
    if (from == NULL)
        die("confidence", "absent");
    t->decision.level = level(from->level);
    if (from->score != ipt_level_score(t->decision.level))
        die("score", ipt_level_name(t->decision.level));
    for (size_t i = 0; i < from->n_reasons; i++)
        read_reason(t, from->reasons[i]);
}

static void read_verdict(told *t)
{
    const Iptrust__V1__Ruling *from = t->from->verdict;
    if (from == NULL || from->action == IPTRUST__V1__ACTION__ACTION_UNSPECIFIED)
        die("verdict", "absent");
    ipt_action action = from->action == IPTRUST__V1__ACTION__ACTION_DENY ? IPT_ACTION_DENY : IPT_ACTION_ALLOW;
    for (ipt_rule rule = IPT_RULE_NONE; rule <= IPT_RULE_ALLOW; rule++) {
        for (unsigned unknown = 0; unknown < 2; unknown++) {
            ipt_ruling ruling = {action, rule, unknown != 0};
            const char *name = ipt_ruling_name(ruling);
            if (strcmp(name == NULL ? "" : name, from->rule) != 0)
                continue;
            t->decision.ruling = ruling;
            return;
        }
    }
    die("no rule", from->rule);
}

static void read_hop(told *t, const Iptrust__V1__Hop *from, size_t number, size_t list, ipt_hop *to)
{
    *to = (ipt_hop){.list = IPT_LIST_NONE};
    for (ipt_verdict v = IPT_VERDICT_UNVOUCHED; v <= IPT_VERDICT_NOT_EXAMINED; v++) {
        if (is_word(&iptrust__v1__verdict__descriptor, (int)from->verdict, "VERDICT_", ipt_verdict_name(v)))
            to->verdict = (uint8_t)v;
    }
    if (from->verdict == IPTRUST__V1__VERDICT__VERDICT_UNSPECIFIED)
        die("verdict of a hop", "absent");
    to->count = from->count;
    if (to->verdict == IPT_VERDICT_NOT_EXAMINED)
        return;
    if (from->hop_value_case == IPTRUST__V1__HOP__HOP_VALUE__NOT_SET || from->hop != number)
        die("number of a hop", from->address);
    to->has_addr = from->address[0] != '\0';
    if (to->has_addr)
        to->addr = address(from->address);
    to->has_port = from->port_value_case == IPTRUST__V1__HOP__PORT_VALUE_PORT;
    to->port = (uint16_t)from->port;
    to->has_text = from->text_value_case == IPTRUST__V1__HOP__TEXT_VALUE_TEXT;
    if (to->has_text)
        to->text = raw(t, from->text);
    to->origin = (uint8_t)origin(t, from->origin, &to->header);
    if ((to->origin == IPT_ORIGIN_HEADER) != (from->line_value_case == IPTRUST__V1__HOP__LINE_VALUE_LINE))
        die("line of a hop", from->origin);
    to->line = from->line;
    to->index = from->index;
    if (from->list[0] == '\0')
        return;
    to->list = (uint16_t)list;
    if (to->has_addr)
        to->prefix_len = prefix(from->prefix).len;
}

static void read_findings(told *t)
{
    for (size_t i = 0; i < t->from->n_findings; i++) {
        const Iptrust__V1__Finding *from = t->from->findings[i];
        ipt_finding_code code = 0;
        while (code < IPT_FINDING_COUNT && strcmp(ipt_finding_name(code), from->code) != 0)
            code++;
        if (code == IPT_FINDING_COUNT || i == IPT_FINDINGS_MAX)
            die("no finding", from->code);
        if (strcmp(ipt_finding_meaning(code), from->detail) != 0)
            die("detail", from->detail);
        t->decision.findings[i] = (ipt_finding){code, raw(t, from->header)};
    }
    t->decision.finding_count = (uint16_t)t->from->n_findings;
}

static void read_via(told *t, const Iptrust__V1__Forwarded *from)
{
    ipt_header *headers = make(t, from->n_via, sizeof(*headers));
    for (size_t i = 0; i < from->n_via; i++)
        headers[i] = (ipt_header){IPT_SPAN("via"), raw(t, from->via[i])};
    t->request.headers = headers;
    t->request.header_count = from->n_via;
    t->decision.context.via_count = (uint16_t)from->n_via;
}

static void read_forwarded(told *t)
{
    const Iptrust__V1__Forwarded *from = t->from->forwarded;
    ipt_context *to = &t->decision.context;
    if (from == NULL || from->n_vouched > IPT_VIEW_VOUCHES_MAX)
        die("forwarded", "absent");
    if (from->proto_value_case == IPTRUST__V1__FORWARDED__PROTO_VALUE_PROTO)
        to->proto = raw(t, from->proto);
    if (from->host_value_case == IPTRUST__V1__FORWARDED__HOST_VALUE_HOST)
        to->host = raw(t, from->host);
    if (from->prefix_value_case == IPTRUST__V1__FORWARDED__PREFIX_VALUE_PREFIX)
        to->prefix = raw(t, from->prefix);
    if (from->port != 0) {
        char *digits = make(t, 12, 1);
        to->port = (ipt_span){digits, (size_t)snprintf(digits, 12, "%" PRIu32, from->port)};
    }
    read_via(t, from);
    for (size_t i = 0; i < from->n_vouched; i++) {
        if (ipt_names_add(t->names, raw(t, from->vouched[i]), &to->vouched[i]) != IPT_OK)
            die("no name", from->vouched[i]);
    }
    to->vouched_count = (uint8_t)from->n_vouched;
}

/* ---- PROXY protocol ---- */

static void read_ends(told *t, const Iptrust__V1__ProxyProtocol *from, ipt_proxy *to)
{
    bool has_source = from->source_value_case == IPTRUST__V1__PROXY_PROTOCOL__SOURCE_VALUE_SOURCE;
    bool has_destination = from->destination_value_case == IPTRUST__V1__PROXY_PROTOCOL__DESTINATION_VALUE_DESTINATION;
    if (to->family == IPT_PROXY_UNIX) {
        if (has_source)
            to->source_path = raw(t, from->source);
        if (has_destination)
            to->destination_path = raw(t, from->destination);
    } else if (has_source && has_destination) {
        to->source = address(from->source);
        to->destination = address(from->destination);
        to->source_port = (uint16_t)from->source_port;
        to->destination_port = (uint16_t)from->destination_port;
    }
}

static void read_ssl(told *t, const Iptrust__V1__ProxySsl *from, ipt_proxy_ssl *to)
{
    to->present = from != NULL;
    if (from == NULL)
        return;
    to->client = (uint8_t)((from->ssl ? 1 : 0) | (from->certificate_in_connection ? 2 : 0) |
                           (from->certificate_in_session ? 4 : 0));
    to->verify = from->verify;
    if (from->version_value_case != IPTRUST__V1__PROXY_SSL__VERSION_VALUE__NOT_SET)
        to->version = raw(t, from->version);
    if (from->cn_value_case != IPTRUST__V1__PROXY_SSL__CN_VALUE__NOT_SET)
        to->cn = raw(t, from->cn);
    if (from->cipher_value_case != IPTRUST__V1__PROXY_SSL__CIPHER_VALUE__NOT_SET)
        to->cipher = raw(t, from->cipher);
    if (from->sig_alg_value_case != IPTRUST__V1__PROXY_SSL__SIG_ALG_VALUE__NOT_SET)
        to->sig_alg = raw(t, from->sig_alg);
    if (from->key_alg_value_case != IPTRUST__V1__PROXY_SSL__KEY_ALG_VALUE__NOT_SET)
        to->key_alg = raw(t, from->key_alg);
}

static void read_named(told *t, const Iptrust__V1__ProxyProtocol *from, ipt_proxy *to)
{
    if (from->alpn_value_case != IPTRUST__V1__PROXY_PROTOCOL__ALPN_VALUE__NOT_SET)
        to->alpn = raw(t, from->alpn);
    if (from->authority_value_case != IPTRUST__V1__PROXY_PROTOCOL__AUTHORITY_VALUE__NOT_SET)
        to->authority = raw(t, from->authority);
    if (from->unique_id_value_case != IPTRUST__V1__PROXY_PROTOCOL__UNIQUE_ID_VALUE__NOT_SET)
        to->unique_id = unhex(t, from->unique_id);
    if (from->netns_value_case != IPTRUST__V1__PROXY_PROTOCOL__NETNS_VALUE__NOT_SET)
        to->netns = raw(t, from->netns);
    if (from->aws_vpc_endpoint_id_value_case != IPTRUST__V1__PROXY_PROTOCOL__AWS_VPC_ENDPOINT_ID_VALUE__NOT_SET)
        to->aws_vpce_id = raw(t, from->aws_vpc_endpoint_id);
    to->has_crc32c = from->crc32c_value_case != IPTRUST__V1__PROXY_PROTOCOL__CRC32C_VALUE__NOT_SET;
    to->crc32c = from->crc32c;
    to->has_azure_link = from->azure_link_id_value_case != IPTRUST__V1__PROXY_PROTOCOL__AZURE_LINK_ID_VALUE__NOT_SET;
    to->azure_link_id = from->azure_link_id;
    to->has_gcp_psc =
        from->gcp_psc_connection_id_value_case != IPTRUST__V1__PROXY_PROTOCOL__GCP_PSC_CONNECTION_ID_VALUE__NOT_SET;
    if (to->has_gcp_psc)
        to->gcp_psc_id = strtoull(from->gcp_psc_connection_id, NULL, 10);
}

/* TLVs without a field of their own, put together again: type, length in network order, value. */
static void read_tlvs(told *t, const Iptrust__V1__ProxyProtocol *from, ipt_proxy *to)
{
    size_t room = 0, n = 0;
    for (size_t i = 0; i < from->n_tlvs; i++)
        room += 3 + strlen(from->tlvs[i]->value) / 2;
    char *bytes = make(t, room + 1, 1);
    for (size_t i = 0; i < from->n_tlvs; i++) {
        ipt_span value = unhex(t, from->tlvs[i]->value);
        bytes[n++] = (char)from->tlvs[i]->type;
        bytes[n++] = (char)(value.n >> 8);
        bytes[n++] = (char)value.n;
        memcpy(bytes + n, value.p, value.n);
        n += value.n;
    }
    to->tlvs = (ipt_span){bytes, n};
}

static void read_proxy(told *t)
{
    static const char *const families[] = {[IPT_PROXY_UNSPEC] = "unspec",
                                           [IPT_PROXY_INET] = "inet",
                                           [IPT_PROXY_INET6] = "inet6",
                                           [IPT_PROXY_UNIX] = "unix"};
    const Iptrust__V1__ProxyProtocol *from = t->from->proxy_protocol;
    ipt_proxy *to = &t->decision.proxy;
    if (from == NULL)
        return;
    t->decision.has_proxy = true;
    to->version = (uint8_t)from->version;
    to->command = strcmp(from->command, "proxy") == 0 ? IPT_PROXY_CMD_PROXY : IPT_PROXY_CMD_LOCAL;
    for (unsigned i = 0; i < IPT_COUNT(families); i++) {
        if (strcmp(families[i], from->family) == 0)
            to->family = (ipt_proxy_family)i;
    }
    to->transport = strcmp(from->transport, "stream") == 0  ? IPT_PROXY_STREAM
                    : strcmp(from->transport, "dgram") == 0 ? IPT_PROXY_DGRAM
                                                            : IPT_PROXY_NO_TRANSPORT;
    read_ends(t, from, to);
    read_named(t, from, to);
    read_ssl(t, from->ssl, &to->ssl);
    read_tlvs(t, from, to);
}

/* ---- geo ---- */

/* A text that is empty and a number that is 0 are absent; what may be either has a case, named after it. */
static bool read_place(const Iptrust__V1__Geo *from, ipt_geo_field field, ipt_geo_value *to)
{
    const char *name = ipt_geo_field_name(field);
    const ProtobufCFieldDescriptor *f =
        protobuf_c_message_descriptor_get_field_by_name(&iptrust__v1__geo__descriptor, name);
    if (f == NULL)
        die("no field of the message", name);
    const char *at = (const char *)from + f->offset;
    bool has_case = (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
    uint32_t chosen;
    memcpy(&chosen, (const char *)from + f->quantifier_offset, sizeof(chosen));
    if (has_case && chosen != f->id)
        return false;
    protobuf_c_boolean flag;
    char *text;
    switch (ipt_geo_field_type(field)) {
    case IPT_GEO_TEXT: /* UTF-8 as it is, unlike every other text */
        memcpy(&text, at, sizeof(text));
        to->text = ipt_span_from(text);
        return to->text.n != 0;
    case IPT_GEO_UINT:
        memcpy(&to->uint, at, sizeof(to->uint));
        return to->uint != 0;
    case IPT_GEO_NUMBER:
        memcpy(&to->number, at, sizeof(to->number));
        return has_case;
    case IPT_GEO_FLAG:
        memcpy(&flag, at, sizeof(flag));
        to->flag = flag;
        return has_case;
    }
    return false;
}

static const char *source_of(const Iptrust__V1__Geo *from, const char *name)
{
    for (size_t i = 0; i < from->n_sources; i++) {
        if (strcmp(from->sources[i]->key, name) == 0)
            return from->sources[i]->value;
    }
    die("no source", name);
}

static uint8_t file_called(const ipt_geo *geo, const char *name)
{
    for (size_t i = 0; i < ipt_geo_count(geo); i++) {
        if (strcmp(ipt_geo_file_at(geo, i).name, name) == 0)
            return (uint8_t)i;
    }
    die("no such database", name);
}

static void read_geo(told *t)
{
    const Iptrust__V1__Geo *from = t->from->geo;
    ipt_decision *d = &t->decision;
    size_t sources = 0;
    d->told_header = IPT_NAME_NONE;
    d->has_geo = from != NULL;
    if (from == NULL)
        return;
    for (unsigned i = 0; i < IPT_GEO_FIELDS; i++) {
        ipt_geo_value value = {.uint = 0};
        if (!read_place(from, (ipt_geo_field)i, &value))
            continue;
        value.file = file_called(t->geo, source_of(from, ipt_geo_field_name((ipt_geo_field)i)));
        d->geo.values[i] = value;
        d->geo.present |= IPT_GEO_BIT(i);
        sources++;
    }
    if (from->header_country_code[0] != '\0') {
        d->told_country = ipt_span_from(from->header_country_code);
        if (ipt_names_add(t->names, raw(t, source_of(from, "header_country_code")), &d->told_header) != IPT_OK)
            die("no name", "header_country_code");
        sources++;
    }
    if (sources != from->n_sources)
        die("sources", "of fields that are not told");
    d->geo.addr = address(from->address);
    d->geo.embedded = from->embedded;
    for (size_t i = 0; i < from->n_not_covered; i++)
        d->geo.not_covered |= UINT32_C(1) << file_called(t->geo, from->not_covered[i]);
}

/* ---- the whole ---- */

static void read_keys(told *t)
{
    const Iptrust__V1__Keys *from = t->from->keys;
    ipt_decision *d = &t->decision;
    if (from == NULL)
        die("keys", "absent");
    d->has_keys = from->rate_limit[0] != '\0';
    d->has_peer_key = from->peer[0] != '\0';
    if (d->has_keys) {
        d->rate_limit = prefix(from->rate_limit);
        d->network = prefix(from->network);
        if (!ipt_addr_equal(d->network.addr, address(from->anonymized)))
            die("anonymized", from->anonymized);
    } else if (from->network[0] != '\0' || from->anonymized[0] != '\0')
        die("keys", "some of them");
    if (d->has_peer_key)
        d->peer_key = prefix(from->peer);
}

static void read_provenance(told *t)
{
    const Iptrust__V1__Decision *from = t->from;
    if (from->revision == NULL)
        die("revision", "absent");
    const char *geo = ipt_geo_revision(t->geo);
    if (strcmp(from->revision->geo, geo == NULL ? "" : geo) != 0)
        die("revision of geo data", from->revision->geo);
    t->view.geo = t->geo;
    snprintf(t->view.policies_revision, sizeof(t->view.policies_revision), "%s", from->revision->policies);
    snprintf(t->view.lists_revision, sizeof(t->view.lists_revision), "%s", from->revision->lists);
    t->policy_spec.name = from->policy;
    if (from->request_id_value_case == IPTRUST__V1__DECISION__REQUEST_ID_VALUE_REQUEST_ID)
        t->call.request_id = raw(t, from->request_id);
}

static void read_decision(told *t)
{
    ipt_decision *d = &t->decision;
    t->policy.spec = &t->policy_spec;
    d->view = &t->view;
    d->policy = &t->policy;
    d->request = &t->request;
    t->call.want_geo = t->call.want_chain = true; /* a chain that was not wanted is not in the message */
    const Iptrust__V1__Client *client = read_client(t);
    read_lists(t, client);
    read_confidence(t);
    read_verdict(t);
    if (t->from->n_chain > IPT_CHAIN_MAX)
        die("chain", "too long");
    for (size_t i = 0; i < t->from->n_chain; i++)
        read_hop(t, t->from->chain[i], i, (client == NULL ? 0 : client->n_lists) + i, &d->chain[i]);
    d->chain_count = (uint16_t)t->from->n_chain;
    read_findings(t);
    read_forwarded(t);
    read_proxy(t);
    read_keys(t);
    read_geo(t);
    read_provenance(t);
    t->view.names = t->names;
}

static void write_answer(told *t, ipt_buf *out, const uint8_t *bytes, size_t n)
{
    ipt_arena *arena = t->arena;
    const ipt_geo *geo = t->geo;
    Iptrust__V1__ResolveResponse *response = iptrust__v1__resolve_response__unpack(NULL, n, bytes);
    if (response == NULL || response->decision == NULL)
        die("message", response == NULL ? "not a ResolveResponse" : "no decision");
    memset(t, 0, sizeof(*t));
    t->arena = arena;
    t->geo = geo;
    t->from = response->decision;
    if (ipt_names_new(&t->names) != IPT_OK)
        die("no memory", "");
    ipt_arena_reset(arena);
    ipt_buf_reset(out);
    read_decision(t);
    ipt_json_write_decision(out, &t->decision, &t->call);
    if (out->failed)
        die("no memory", "");
    ipt_names_free(t->names);
    iptrust__v1__resolve_response__free_unpacked(response, NULL);
}

static ipt_geo *open_databases(const char *path)
{
    const ipt_config_options options = {0};
    ipt_diag diag;
    ipt_config *config = NULL;
    ipt_geo *geo = NULL;
    if (ipt_diag_init(&diag) != IPT_OK || ipt_config_load(path, &options, &diag, &config) != IPT_OK)
        die("configuration", path);
    if (config->geo_file_count != 0 && ipt_geo_open(config->geo_files, config->geo_file_count, NULL, &geo) != IPT_OK)
        die("databases", path);
    ipt_config_free(config);
    ipt_diag_done(&diag);
    return geo;
}

int main(int argc, char **argv)
{
    if (argc != 2)
        die("usage", "answer_json CONFIG");
    told *t = calloc(1, sizeof(*t));
    ipt_auto(ipt_geo) *geo = open_databases(argv[1]);
    ipt_buf out = {0};
    size_t n;
    if (t != NULL)
        t->geo = geo;
    if (t == NULL || ipt_arena_new(CASE_MEMORY, 0, &t->arena) != IPT_OK)
        die("no memory", "");
    while (scanf("%zu", &n) == 1 && getchar() == '\n' && n <= MESSAGE_MAX) {
        uint8_t *bytes = malloc(n + 1);
        if (bytes == NULL || fread(bytes, 1, n, stdin) != n)
            die("frame", "short");
        write_answer(t, &out, bytes, n);
        (void)fwrite(out.p, 1, out.n, stdout);
        (void)fputc('\n', stdout);
        (void)fflush(stdout);
        free(bytes);
    }
    if (!feof(stdin))
        die("frame", "no length");
    ipt_buf_done(&out);
    ipt_arena_free(t->arena);
    free(t);
    return 0;
}
