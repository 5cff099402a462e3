/* Listeners, limits, logs: what concerns the process and not its decisions. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bind.h"
#include "value.h"
#include "iptrust/base/show.h"

typedef struct row_path {
    char text[32];
} row_path;

/* The four listeners have the same keys below different names. */
static const char *row_of(const char *listener, const char *rest, row_path *out)
{
    snprintf(out->text, sizeof(out->text), "%s.%s", listener, rest);
    return out->text;
}

/* A file that is not there is told where it is named; whether it holds what it should is for those who can read it. */
static const char *bind_tls_file(ipt_bind *b, const ipt_node *tls, const char *row, ipt_place *place)
{
    const ipt_node *node = ipt_bind_node(tls, row);
    const char *path = ipt_bind_path(b, tls, row);
    if (node == NULL || path == NULL)
        return path;
    *place = node->place;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        ipt_diag_add(b->diag, IPT_ERROR, node->place, "cannot read %s: %s", path, strerror(errno));
    else
        (void)close(fd);
    return path;
}

static void check_tls_key(ipt_bind *b, const ipt_listener_spec *spec)
{
    struct stat st;
    if (spec->tls_key != NULL && stat(spec->tls_key, &st) == 0 && (st.st_mode & (S_IROTH | S_IWOTH)) != 0)
        ipt_diag_add(b->diag, IPT_WARNING, spec->tls_key_place, "%s can be read by every user of this machine",
                     spec->tls_key);
}

/* Somebody who writes *.example.org expects it to match; better to hear that it does not before nobody gets in. */
static void check_client_sans(ipt_bind *b, const ipt_node *sans)
{
    ipt_shown shown;
    for (const ipt_node *item = sans == NULL ? NULL : sans->first; item != NULL; item = item->next) {
        if (!item->bad && memchr(item->text.p, '*', item->text.n) != NULL)
            ipt_diag_add(b->diag, IPT_ERROR, item->place, "\"%s\": names match whole, there are no wildcards",
                         ipt_show(item->text, &shown));
    }
}

static void bind_tls(ipt_bind *b, const char *name, const ipt_node *tls, ipt_listener_spec *out)
{
    row_path path;
    if (tls == NULL)
        return;
    out->tls_cert = bind_tls_file(b, tls, row_of(name, "tls.cert", &path), &out->tls_cert_place);
    out->tls_key = bind_tls_file(b, tls, row_of(name, "tls.key", &path), &out->tls_key_place);
    out->tls_client_ca = bind_tls_file(b, tls, row_of(name, "tls.client_ca", &path), &out->tls_client_ca_place);
    const ipt_node *sans = ipt_bind_node(tls, row_of(name, "tls.client_sans", &path));
    out->tls_client_sans = ipt_bind_strings(b, tls, path.text, &out->tls_client_sans_count);
    if (!ipt_bind_has(tls, "cert"))
        ipt_diag_add(b->diag, IPT_ERROR, tls->place, "tls needs cert");
    if (!ipt_bind_has(tls, "key"))
        ipt_diag_add(b->diag, IPT_ERROR, tls->place, "tls needs key");
    if (out->tls_client_sans_count != 0 && !ipt_bind_has(tls, "client_ca"))
        ipt_diag_add(b->diag, IPT_ERROR, sans->key->place,
                     "client_sans needs client_ca: without it no name is verified");
    check_tls_key(b, out);
    check_client_sans(b, sans);
}

static void bind_listener(ipt_bind *b, const char *name, ipt_listener_spec *out)
{
    row_path path;
    const ipt_node *node = ipt_bind_node(b->root, name);
    out->text = ipt_bind_string(b, node, row_of(name, "listen", &path));
    out->stated = ipt_bind_node(node, path.text) != NULL;
    if (out->text != NULL && !ipt_value_listen(ipt_span_from(out->text), out))
        out->kind = IPT_LISTEN_OFF; /* not met: checked before */

    ipt_span mode = ipt_bind_fallback(row_of(name, "mode", &path));
    const ipt_node *stated = ipt_bind_node(node, path.text);
    if (!ipt_value_mode(stated == NULL ? mode : stated->text, &out->mode))
        out->mode = 0600;
    if (stated != NULL && out->kind == IPT_LISTEN_TCP)
        ipt_diag_add(b->diag, IPT_WARNING, stated->key->place, "mode is for Unix sockets and has no effect here");
    bind_tls(b, name, ipt_bind_node(node, row_of(name, "tls", &path)), out);
}

static void bind_listeners(ipt_bind *b)
{
    ipt_config *c = b->config;
    bind_listener(b, "http", &c->http);
    bind_listener(b, "grpc", &c->grpc);
    bind_listener(b, "health", &c->health);
    bind_listener(b, "admin", &c->admin);
    c->admin.token_file = ipt_bind_path(b, ipt_bind_node(b->root, "admin"), "admin.token_file");
}

static void bind_limits(ipt_bind *b)
{
    ipt_config *c = b->config;
    const ipt_node *drain = ipt_bind_node(b->root, "drain"), *limits = ipt_bind_node(b->root, "limits");
    c->drain_delay_ms = ipt_bind_duration_ms(drain, "drain.delay");
    c->drain_timeout_ms = ipt_bind_duration_ms(drain, "drain.timeout");
    c->limit_connections = (uint32_t)ipt_bind_integer(limits, "limits.connections");
    c->limit_per_address = (uint32_t)ipt_bind_integer(limits, "limits.per_address");
    c->limit_streams = (uint32_t)ipt_bind_integer(limits, "limits.streams");
    c->limit_connection_age_ms = ipt_bind_duration_ms(limits, "limits.connection_age");
    c->limit_keepalive_ms = ipt_bind_duration_ms(limits, "limits.keepalive");

    const ipt_node *message = ipt_bind_node(limits, "limits.message");
    if (!ipt_value_bytes(message == NULL ? ipt_bind_fallback("limits.message") : message->text, &c->limit_message))
        c->limit_message = 0;
}

static void bind_logs(ipt_bind *b)
{
    ipt_config *c = b->config;
    const ipt_node *log = ipt_bind_node(b->root, "log"), *decisions = ipt_bind_node(b->root, "decision_log");
    c->log_format = (ipt_log_format)ipt_bind_word(log, "log.format");
    c->log_level = (ipt_log_level)ipt_bind_word(log, "log.level");

    c->decision_log = decisions != NULL;
    c->decision_log_ip = (ipt_log_ip)ipt_bind_word(decisions, "decision_log.ip");
    const ipt_node *sample = ipt_bind_node(decisions, "decision_log.sample");
    if (!ipt_value_fraction(sample == NULL ? ipt_bind_fallback("decision_log.sample") : sample->text,
                            &c->decision_log_sample))
        c->decision_log_sample = 0;
}

/* RFC 6052, 2.2: six lengths, and bits 64 to 71 are zero in every address. */
static bool is_nat64_prefix(ipt_prefix p)
{
    static const uint8_t lengths[] = {32, 40, 48, 56, 64, 96};
    for (size_t i = 0; i < IPT_COUNT(lengths); i++) {
        if (p.len == lengths[i])
            return !ipt_addr_is_v4(p.addr) && (p.addr.lo >> 56) == 0;
    }
    return false;
}

static void bind_nat64(ipt_bind *b)
{
    const ipt_node *node = ipt_bind_node(b->root, "nat64");
    b->config->nat64 = ipt_bind_prefixes(b, b->root, "nat64", &b->config->nat64_count);
    for (const ipt_node *item = node == NULL ? NULL : node->first; item != NULL; item = item->next) {
        ipt_prefix prefix;
        if (item->bad || ipt_prefix_parse(item->text, &prefix) == IPT_PREFIX_INVALID || is_nat64_prefix(prefix))
            continue;
        ipt_diag_add(b->diag, IPT_ERROR, item->place,
                     "%s is no NAT64 prefix: expected IPv6 of /32, /40, /48, /56, /64 or /96 with bits 64 to 71 zero",
                     item->text.p);
    }
}

static void bind_ready(ipt_bind *b)
{
    const ipt_node *ready = ipt_bind_node(b->root, "ready");
    const ipt_node *node = ipt_bind_node(ready, "ready.require_fresh");
    b->config->ready_require_fresh =
        ipt_bind_strings(b, ready, "ready.require_fresh", &b->config->ready_require_fresh_count);
    for (const ipt_node *item = node == NULL ? NULL : node->first; item != NULL; item = item->next)
        (void)ipt_bind_list_ref(b, item);
}

static void bind_geo(ipt_bind *b, const ipt_node *geo)
{
    ipt_config *c = b->config;
    c->geo_files = ipt_bind_paths(b, geo, "geo.files", &c->geo_file_count);
    if (c->geo_file_count <= IPT_CONFIG_GEO_MAX)
        return;
    ipt_diag_add(b->diag, IPT_ERROR, ipt_bind_node(geo, "geo.files")->place, "more than %d files", IPT_CONFIG_GEO_MAX);
    c->geo_file_count = IPT_CONFIG_GEO_MAX;
}

void ipt_bind_server(ipt_bind *b)
{
    ipt_config *c = b->config;
    const ipt_node *auth = ipt_bind_node(b->root, "auth"), *geo = ipt_bind_node(b->root, "geo");
    bind_listeners(b);
    bind_limits(b);
    bind_logs(b);
    bind_nat64(b);
    bind_ready(b);
    c->auth_token_file = ipt_bind_path(b, auth, "auth.token_file");
    c->callers = ipt_bind_prefixes(b, b->root, "callers", &c->caller_count);
    c->state_dir = ipt_bind_path(b, b->root, "state_dir");
    bind_geo(b, geo);
}
