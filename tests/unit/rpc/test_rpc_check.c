/* envoy.service.auth.v3 Check: who the peer is, which headers are read, what is answered; and what a real Envoy sent.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include <envoy/service/auth/v3/external_auth.pb-c.h>

#include "exact.h"
#include "failalloc.h"
#include "rpc_face.h"
#include "rpc_priv.h"

#define CHECK "/envoy.service.auth.v3.Authorization/Check"

typedef Envoy__Service__Auth__V3__CheckResponse reply;

enum { HEADERS_MAX = 8, NO_SOURCE = 0, SOCKET, PIPE, INTERNAL };

/* A CheckRequest in the making. */
typedef struct ask {
    int source;
    const char *address;
    uint32_t port;
    const char *policy, *principal;
    bool in_map; /* header_map with raw_value, else headers */
    const char *headers[HEADERS_MAX][2];
} ask;

static char *text(const char *s)
{
    return (char *)(uintptr_t)s;
}

static void put_source(const ask *a, Envoy__Service__Auth__V3__AttributeContext__Peer *peer,
                       Envoy__Config__Core__V3__Address *address, Envoy__Config__Core__V3__SocketAddress *socket,
                       Envoy__Config__Core__V3__Pipe *pipe, Envoy__Config__Core__V3__EnvoyInternalAddress *internal)
{
    peer->principal = text(a->principal == NULL ? "" : a->principal);
    if (a->source == NO_SOURCE)
        return;
    peer->address = address;
    if (a->source == SOCKET) {
        socket->address = text(a->address);
        socket->port_specifier_case = ENVOY__CONFIG__CORE__V3__SOCKET_ADDRESS__PORT_SPECIFIER_PORT_VALUE;
        socket->port_value = a->port;
        address->address_case = ENVOY__CONFIG__CORE__V3__ADDRESS__ADDRESS_SOCKET_ADDRESS;
        address->socket_address = socket;
    } else if (a->source == PIPE) {
        pipe->path = text("/run/x.sock");
        address->address_case = ENVOY__CONFIG__CORE__V3__ADDRESS__ADDRESS_PIPE;
        address->pipe = pipe;
    } else {
        internal->address_name_specifier_case =
            ENVOY__CONFIG__CORE__V3__ENVOY_INTERNAL_ADDRESS__ADDRESS_NAME_SPECIFIER_SERVER_LISTENER_NAME;
        internal->server_listener_name = text("10.0.12.1");
        address->address_case = ENVOY__CONFIG__CORE__V3__ADDRESS__ADDRESS_ENVOY_INTERNAL_ADDRESS;
        address->envoy_internal_address = internal;
    }
}

static size_t pack(const ask *a, uint8_t *out)
{
    Envoy__Service__Auth__V3__CheckRequest whole = ENVOY__SERVICE__AUTH__V3__CHECK_REQUEST__INIT;
    Envoy__Service__Auth__V3__AttributeContext context = ENVOY__SERVICE__AUTH__V3__ATTRIBUTE_CONTEXT__INIT;
    Envoy__Service__Auth__V3__AttributeContext__Peer peer = ENVOY__SERVICE__AUTH__V3__ATTRIBUTE_CONTEXT__PEER__INIT;
    Envoy__Service__Auth__V3__AttributeContext__Request request =
        ENVOY__SERVICE__AUTH__V3__ATTRIBUTE_CONTEXT__REQUEST__INIT;
    Envoy__Service__Auth__V3__AttributeContext__HttpRequest http =
        ENVOY__SERVICE__AUTH__V3__ATTRIBUTE_CONTEXT__HTTP_REQUEST__INIT;
    Envoy__Service__Auth__V3__AttributeContext__HttpRequest__HeadersEntry merged[HEADERS_MAX], *merged_p[HEADERS_MAX];
    Envoy__Config__Core__V3__HeaderValue lines[HEADERS_MAX], *lines_p[HEADERS_MAX];
    Envoy__Config__Core__V3__HeaderMap map = ENVOY__CONFIG__CORE__V3__HEADER_MAP__INIT;
    Envoy__Service__Auth__V3__AttributeContext__ContextExtensionsEntry
        extension = ENVOY__SERVICE__AUTH__V3__ATTRIBUTE_CONTEXT__CONTEXT_EXTENSIONS_ENTRY__INIT,
        *extensions[] = {&extension};
    Envoy__Config__Core__V3__Address address = ENVOY__CONFIG__CORE__V3__ADDRESS__INIT;
    Envoy__Config__Core__V3__SocketAddress socket = ENVOY__CONFIG__CORE__V3__SOCKET_ADDRESS__INIT;
    Envoy__Config__Core__V3__Pipe pipe = ENVOY__CONFIG__CORE__V3__PIPE__INIT;
    Envoy__Config__Core__V3__EnvoyInternalAddress internal = ENVOY__CONFIG__CORE__V3__ENVOY_INTERNAL_ADDRESS__INIT;
    size_t n = 0;
    for (; n < HEADERS_MAX && a->headers[n][0] != NULL; n++) {
        const char *value = a->headers[n][1];
        envoy__service__auth__v3__attribute_context__http_request__headers_entry__init(&merged[n]);
        envoy__config__core__v3__header_value__init(&lines[n]);
        merged[n].key = lines[n].key = text(a->headers[n][0]);
        merged[n].value = text(value);
        lines[n].raw_value = (ProtobufCBinaryData){strlen(value), (uint8_t *)text(value)};
        merged_p[n] = &merged[n];
        lines_p[n] = &lines[n];
    }
    map.n_headers = n;
    map.headers = lines_p;
    if (a->in_map) {
        http.header_map = &map;
    } else {
        http.n_headers = n;
        http.headers = merged_p;
    }
    request.http = &http;
    context.request = n == 0 ? NULL : &request; /* as the network filter does */
    if (a->policy != NULL) {
        extension.key = text("iptrust.policy");
        extension.value = text(a->policy);
        context.n_context_extensions = 1;
        context.context_extensions = extensions;
    }
    put_source(a, &peer, &address, &socket, &pipe, &internal);
    context.source = &peer;
    whole.attributes = &context;
    return envoy__service__auth__v3__check_request__pack(&whole, out);
}

/* NULL: the status says why. */
static reply *check(face *f, const ask *a)
{
    uint8_t bytes[4096];
    size_t n = pack(a, bytes);
    if (!face_run(f, CHECK, (ipt_span){(const char *)bytes, n}))
        return NULL;
    assert_true(f->out.n != 0);
    reply *r = envoy__service__auth__v3__check_response__unpack(NULL, f->out.n, (const uint8_t *)f->out.p);
    assert_non_null(r);
    return r;
}

static void done(reply *r)
{
    envoy__service__auth__v3__check_response__free_unpacked(r, NULL);
}

static const char *header_of(const reply *r, const char *name)
{
    assert_int_equal(r->http_response_case, ENVOY__SERVICE__AUTH__V3__CHECK_RESPONSE__HTTP_RESPONSE_OK_RESPONSE);
    for (size_t i = 0; i < r->ok_response->n_headers; i++) {
        const Envoy__Config__Core__V3__HeaderValue *header = r->ok_response->headers[i]->header;
        assert_true(header->value[0] != '\0'); /* Envoy would set it empty */
        if (strcmp(header->key, name) == 0)
            return header->value;
    }
    return NULL;
}

static bool is_removed(const reply *r, const char *name)
{
    for (size_t i = 0; i < r->ok_response->n_headers_to_remove; i++) {
        if (strcmp(r->ok_response->headers_to_remove[i], name) == 0)
            return true;
    }
    return false;
}

static const char *metadata_of(const reply *r, const char *key)
{
    for (size_t i = 0; i < r->dynamic_metadata->n_fields; i++) {
        if (strcmp(r->dynamic_metadata->fields[i]->key, key) == 0)
            return r->dynamic_metadata->fields[i]->value->string_value;
    }
    return NULL;
}

static void peers_and_headers_make_the_client(void **state)
{
    static const struct {
        ask ask;
        const char *client, *level, *chain;
    } rows[] = {
        {{SOCKET, "8.8.4.4", 1234, NULL, NULL, false, {{NULL}}}, "8.8.4.4", "high", "8.8.4.4"},
        {{SOCKET, "10.0.12.1", 1, NULL, NULL, true, {{"x-forwarded-for", "1.1.1.1, 8.8.8.8"}}},
         "8.8.8.8",
         "high",
         "10.0.12.1;lb, 8.8.8.8"},
        {{SOCKET, "10.0.12.1", 1, NULL, NULL, false, {{"x-forwarded-for", "1.1.1.1, 8.8.8.8"}}},
         "8.8.8.8",
         "high",
         "10.0.12.1;lb, 8.8.8.8"},
        {{SOCKET, "::ffff:10.0.12.1", 1, NULL, NULL, true, {{"x-forwarded-for", "8.8.8.8"}}},
         "8.8.8.8",
         "high",
         "10.0.12.1;lb, 8.8.8.8"},
        {{SOCKET, "2606:4700::1", 70000, NULL, NULL, true, {{NULL}}}, "2606:4700::1", "high", "2606:4700::1"},
        /* odd bytes make the entry malformed, and nothing an error */
        {{SOCKET, "10.0.12.1", 1, NULL, NULL, true, {{"x-forwarded-for", "8.8.8.8\xe9"}}},
         "10.0.12.1",
         "low",
         "10.0.12.1;lb"},
        /* another name, not folded */
        {{SOCKET, "10.0.12.1", 1, NULL, NULL, true, {{"x_forwarded_for", "8.8.8.8"}}},
         "10.0.12.1",
         "low",
         "10.0.12.1;lb"},
        {{SOCKET, "10.0.12.1", 1, NULL, NULL, true, {{":authority", "x"}, {"", "y"}, {"x-forwarded-for", "8.8.8.8"}}},
         "8.8.8.8",
         "high",
         "10.0.12.1;lb, 8.8.8.8"},
        {{PIPE, NULL, 0, "edge", NULL, true, {{"x-forwarded-for", "8.8.8.8"}}},
         "8.8.8.8",
         "high",
         "unix;sock, 8.8.8.8"},
        {{PIPE, NULL, 0, NULL, NULL, true, {{"x-forwarded-for", "8.8.8.8"}}}, NULL, "none", NULL},
        {{INTERNAL, NULL, 0, NULL, NULL, true, {{"x-forwarded-for", "8.8.8.8"}}}, NULL, "none", NULL},
        {{NO_SOURCE, NULL, 0, NULL, NULL, true, {{"x-forwarded-for", "8.8.8.8"}}}, NULL, "none", NULL},
    };
    face f;
    (void)state;
    face_open(&f);
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        reply *r = check(&f, &rows[i].ask);
        assert_non_null(r);
        const char *client = header_of(r, "x-iptrust-client-ip"), *chain = header_of(r, "x-iptrust-chain");
        if (rows[i].client == NULL) {
            assert_null(client);
            assert_true(is_removed(r, "x-iptrust-client-ip"));
            assert_null(metadata_of(r, "client_ip"));
        } else {
            assert_non_null(client);
            assert_string_equal(client, rows[i].client);
            assert_string_equal(metadata_of(r, "client_ip"), rows[i].client);
        }
        assert_string_equal(header_of(r, "x-iptrust-confidence"), rows[i].level);
        if (rows[i].chain != NULL)
            assert_string_equal(chain, rows[i].chain);
        done(r);
    }
    face_close(&f);
}

static void no_bytes_are_a_request_without_a_source(void **state)
{
    face f;
    (void)state;
    face_open(&f);
    assert_true(face_run(&f, CHECK, IPT_SPAN("")));
    assert_true(f.out.n != 0);
    reply *r = envoy__service__auth__v3__check_response__unpack(NULL, f.out.n, (const uint8_t *)f.out.p);
    assert_non_null(r);
    assert_string_equal(header_of(r, "x-iptrust-confidence"), "none");
    done(r);
    face_close(&f);
}

/* An address with NUL in it must not become what stands before the NUL. */
static void nul_cuts_nothing_off(void **state)
{
    face f;
    uint8_t bytes[512];
    const ask a = {SOCKET, "10.0.12.1#", 80, NULL, NULL, true, {{"x-forwarded-for", "8.8.8.8#9"}}};
    (void)state;
    face_open(&f);
    size_t n = pack(&a, bytes);
    for (size_t i = 0; i < n; i++)
        bytes[i] = bytes[i] == '#' ? 0 : bytes[i];
    assert_true(face_run(&f, CHECK, (ipt_span){(const char *)bytes, n}));
    reply *r = envoy__service__auth__v3__check_response__unpack(NULL, f.out.n, (const uint8_t *)f.out.p);
    assert_non_null(r);
    assert_null(header_of(r, "x-iptrust-client-ip"));
    done(r);
    face_close(&f);
}

/* Field 3 is raw_value in a HeaderValue, and nothing in the entry of a map. */
static void an_entry_of_a_map_has_no_raw_value(void **state)
{
    face f;
    uint8_t bytes[512];
    (void)state;
    face_open(&f);
    for (int in_map = 0; in_map < 2; in_map++) {
        const ask a = {SOCKET, "10.0.12.1", 80, NULL, NULL, in_map != 0, {{"x-forwarded-for", "8.8.8.8"}}};
        size_t n = pack(&a, bytes);
        uint8_t *value = memmem(bytes, n, "\a8.8.8.8", 8);
        assert_non_null(value);
        value[-1] = 0x1a; /* field 3, bytes */
        assert_true(face_run(&f, CHECK, (ipt_span){(const char *)bytes, n}));
        reply *r = envoy__service__auth__v3__check_response__unpack(NULL, f.out.n, (const uint8_t *)f.out.p);
        assert_non_null(r);
        assert_string_equal(header_of(r, "x-iptrust-client-ip"), in_map != 0 ? "8.8.8.8" : "10.0.12.1");
        done(r);
    }
    face_close(&f);
}

static void what_clients_write_in_our_name_is_taken_away(void **state)
{
    static const ask a = {SOCKET,
                          "8.8.4.4",
                          1,
                          NULL,
                          NULL,
                          true,
                          {{"x-iptrust-client-ip", "6.6.6.6"},
                           {"x_iptrust_client_ip", "6.6.6.6"},
                           {"X-IPTrust.Asn", "1"},
                           {"x-iptrust-anything", "1"},
                           {"x-iptrust", "1"},
                           {"x-forwarded-for", "6.6.6.6"}}};
    face f;
    (void)state;
    face_open(&f);
    reply *r = check(&f, &a);
    assert_non_null(r);
    assert_string_equal(header_of(r, "x-iptrust-client-ip"), "8.8.4.4");
    assert_false(is_removed(r, "x-iptrust-client-ip")); /* Envoy removes last: it would take ours */
    assert_true(is_removed(r, "x_iptrust_client_ip"));
    assert_true(is_removed(r, "X-IPTrust.Asn"));
    assert_true(is_removed(r, "x-iptrust-anything"));
    assert_true(is_removed(r, "x-iptrust-country"));
    assert_true(is_removed(r, "x-iptrust-asn"));
    assert_false(is_removed(r, "x-iptrust"));
    assert_false(is_removed(r, "x-forwarded-for"));
    done(r);
    face_close(&f);
}

static void modes_and_policies_are_obeyed(void **state)
{
    static const struct {
        const char *policy;
        const char *address;
        bool denied;
        const char *answered; /* policy */
    } rows[] = {
        {NULL, "10.0.12.1", false, "default"},     {"strict", "8.8.8.8", false, "strict"},
        {"strict", "10.0.12.1", true, "strict"},   {"watched", "10.0.12.1", false, "watched"},
        {"closed", "10.0.12.1", false, "default"}, {"", "10.0.12.1", false, "default"},
    };
    face f;
    (void)state;
    face_open(&f);
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        const ask a = {SOCKET, rows[i].address, 1, rows[i].policy, NULL, true, {{NULL}}};
        reply *r = check(&f, &a);
        assert_non_null(r);
        assert_string_equal(metadata_of(r, "policy"), rows[i].answered);
        assert_int_equal(r->http_response_case,
                         rows[i].denied ? ENVOY__SERVICE__AUTH__V3__CHECK_RESPONSE__HTTP_RESPONSE_DENIED_RESPONSE
                                        : ENVOY__SERVICE__AUTH__V3__CHECK_RESPONSE__HTTP_RESPONSE_OK_RESPONSE);
        assert_int_equal(r->status->code, rows[i].denied ? IPT_GRPC_PERMISSION_DENIED : IPT_GRPC_OK);
        if (rows[i].denied) {
            assert_int_equal(r->denied_response->status->code, 403);
            assert_string_equal(r->denied_response->headers[0]->header->key, "content-type");
            assert_string_equal(r->denied_response->headers[0]->header->value, "application/problem+json");
            assert_non_null(strstr(r->denied_response->body, "\"status\":403"));
        }
        done(r);
    }
    const ask unknown = {SOCKET, "10.0.12.1", 1, "none", NULL, true, {{NULL}}};
    assert_null(check(&f, &unknown));
    assert_int_equal(f.call.status.code, IPT_GRPC_NOT_FOUND);
    face_close(&f);
}

static void a_policy_that_may_not_be_chosen_denies_where_rules_are_enforced(void **state)
{
    static const char config[] = "lists:\n"
                                 "  lb: {prefixes: [10.0.12.0/24], internal: true}\n"
                                 "policies:\n"
                                 "  default: {trust: [lb], mode: enforce, deny: {confidence_below: low}}\n"
                                 "  closed: {trust: [lb], selectable_by: [rest]}\n";
    face f;
    (void)state;
    face_open_with(&f, config);
    for (unsigned asked = 0; asked < 2; asked++) {
        const ask a = {SOCKET, "8.8.8.8", 1, asked != 0 ? "closed" : NULL, NULL, true, {{NULL}}};
        reply *r = check(&f, &a);
        assert_non_null(r);
        assert_int_equal(r->http_response_case,
                         asked != 0 ? ENVOY__SERVICE__AUTH__V3__CHECK_RESPONSE__HTTP_RESPONSE_DENIED_RESPONSE
                                    : ENVOY__SERVICE__AUTH__V3__CHECK_RESPONSE__HTTP_RESPONSE_OK_RESPONSE);
        assert_int_equal(f.seat->decision.finding_count, asked);
        done(r);
    }
    face_close(&f);
}

static void only_the_map_form_merges_lines(void **state)
{
    face f;
    ask a = {SOCKET, "10.0.12.1", 1, NULL, NULL, false, {{"x-forwarded-for", "8.8.8.8"}}};
    (void)state;
    face_open(&f);
    for (unsigned in_map = 0; in_map < 2; in_map++) {
        a.in_map = in_map != 0;
        done(check(&f, &a));
        bool merged = (f.seat->decision.reasons >> IPT_REASON_HEADERS_MERGED & 1) != 0;
        assert_int_equal(merged, in_map == 0);
    }
    face_close(&f);
}

static void rewriting_says_the_client_or_nothing(void **state)
{
    face f;
    ask a = {SOCKET,
             "10.0.12.1",
             1,
             "rewriting",
             NULL,
             true,
             {{"x-forwarded-for", "6.6.6.6, 8.8.8.8"}, {"X_Real_IP", "6.6.6.6"}, {"forwarded", "for=6.6.6.6"}}};
    (void)state;
    face_open(&f);
    reply *r = check(&f, &a);
    assert_non_null(r);
    assert_string_equal(header_of(r, "x-forwarded-for"), "8.8.8.8");
    assert_string_equal(header_of(r, "x-real-ip"), "8.8.8.8");
    assert_true(is_removed(r, "forwarded"));
    assert_true(is_removed(r, "true-client-ip"));
    assert_true(is_removed(r, "X_Real_IP"));
    assert_false(is_removed(r, "x-forwarded-for"));
    done(r);
    a.headers[0][1] = "unknown";
    r = check(&f, &a);
    assert_non_null(r);
    assert_null(header_of(r, "x-forwarded-for"));
    assert_true(is_removed(r, "x-forwarded-for"));
    assert_true(is_removed(r, "x-real-ip"));
    done(r);
    face_close(&f);
}

static void a_long_chain_is_cut(void **state)
{
    static char value[3000];
    face f;
    const ask a = {SOCKET, "10.0.12.1", 1, NULL, NULL, true, {{"x-forwarded-for", value}}};
    (void)state;
    for (unsigned i = 0; i < 100; i++)
        strcat(value, i == 0 ? "10.0.12.253" : ",10.0.12.253");
    face_open(&f);
    reply *r = check(&f, &a);
    assert_non_null(r);
    const char *chain = header_of(r, "x-iptrust-chain");
    size_t n = strlen(chain);
    assert_true(n <= 1024 + strlen(";truncated") && n > 900);
    assert_string_equal(chain + n - strlen(";truncated"), ";truncated");
    done(r);
    face_close(&f);
}

/* A flood of junk before what a proxy appended; far over every cap. */
static void floods_change_nothing(void **state)
{
    enum { LINES = 5000 };
    face f;
    uint8_t *bytes = malloc(LINES * 16 + 512), *p = bytes;
    const ask a = {SOCKET, "10.0.12.1", 1, NULL, NULL, true, {{NULL}}};
    (void)state;
    assert_non_null(bytes);
    face_open(&f);
    size_t source = pack(&a, p), lines = LINES * 9;
    p += source;
    static const char xff[] = "\x0a\x1a\x0a\x0fx-forwarded-for\x1a\x07"
                              "8.8.8.8";
    size_t map = lines + sizeof(xff) - 1;
    /* attributes.request.http.header_map, each length in three bytes; messages merge with those before */
    const uint8_t numbers[] = {1, 4, 2, 13};
    for (unsigned i = 0; i < 4; i++) {
        size_t length = map + (3 - i) * 4;
        *p++ = (uint8_t)(numbers[i] << 3 | 2);
        *p++ = (uint8_t)(length | 0x80);
        *p++ = (uint8_t)(length >> 7 | 0x80);
        *p++ = (uint8_t)(length >> 14);
    }
    for (unsigned i = 0; i < LINES; i++) {
        memcpy(p, "\x0a\x07\x0a\x02zz\x12\x01y", 9);
        p += 9;
    }
    memcpy(p, xff, sizeof(xff) - 1);
    p += sizeof(xff) - 1;
    assert_true(face_run(&f, CHECK, (ipt_span){(const char *)bytes, (size_t)(p - bytes)}));
    reply *r = envoy__service__auth__v3__check_response__unpack(NULL, f.out.n, (const uint8_t *)f.out.p);
    assert_non_null(r);
    assert_string_equal(header_of(r, "x-iptrust-client-ip"), "8.8.8.8");
    done(r);
    face_close(&f);
    free(bytes);
}

/* Lines are kept while they are counted as long as they are few and of one form; the way must not show. */
static void any_number_of_lines_is_read_alike(void **state)
{
    static const size_t counts[] = {1, 2, 63, 64, 65, 66, 130, 500};
    static uint8_t bytes[64 << 10];
    face f;
    (void)state;
    face_open(&f);
    for (size_t i = 0; i < 3 * IPT_COUNT(counts); i++) {
        size_t n = counts[i / 3], form = i % 3; /* headers, header_map, both: then the map is what counts */
        char names[500][32];
        Envoy__Service__Auth__V3__CheckRequest whole = ENVOY__SERVICE__AUTH__V3__CHECK_REQUEST__INIT;
        Envoy__Service__Auth__V3__AttributeContext context = ENVOY__SERVICE__AUTH__V3__ATTRIBUTE_CONTEXT__INIT;
        Envoy__Service__Auth__V3__AttributeContext__Request r =
            ENVOY__SERVICE__AUTH__V3__ATTRIBUTE_CONTEXT__REQUEST__INIT;
        Envoy__Service__Auth__V3__AttributeContext__HttpRequest http =
            ENVOY__SERVICE__AUTH__V3__ATTRIBUTE_CONTEXT__HTTP_REQUEST__INIT;
        Envoy__Config__Core__V3__HeaderMap map = ENVOY__CONFIG__CORE__V3__HEADER_MAP__INIT;
        static Envoy__Service__Auth__V3__AttributeContext__HttpRequest__HeadersEntry merged[500], *merged_p[500];
        static Envoy__Config__Core__V3__HeaderValue lines[500], *lines_p[500];
        for (size_t k = 0; k < n; k++) {
            snprintf(names[k], sizeof(names[k]), "x-iptrust-%zu", k);
            envoy__service__auth__v3__attribute_context__http_request__headers_entry__init(&merged[k]);
            envoy__config__core__v3__header_value__init(&lines[k]);
            merged[k].key = form == 2 ? text("other") : names[k];
            lines[k].key = names[k];
            merged[k].value = lines[k].value = text("forged");
            merged_p[k] = &merged[k];
            lines_p[k] = &lines[k];
        }
        map.headers = lines_p;
        map.n_headers = n;
        http.headers = merged_p;
        http.n_headers = form == 1 ? 0 : n;
        http.header_map = form == 0 ? NULL : &map;
        r.http = &http;
        context.request = &r;
        whole.attributes = &context;
        size_t size = envoy__service__auth__v3__check_request__pack(&whole, bytes);
        assert_true(face_run(&f, CHECK, (ipt_span){(const char *)bytes, size}));
        reply *answer = envoy__service__auth__v3__check_response__unpack(NULL, f.out.n, (const uint8_t *)f.out.p);
        assert_non_null(answer);
        for (size_t k = 0; k < n; k++)
            assert_true(is_removed(answer, names[k]));
        assert_false(is_removed(answer, "other"));
        done(answer);
    }
    face_close(&f);
}

static void every_allocation_may_fail(void **state)
{
    static const ask a = {
        SOCKET, "10.0.12.1", 1, NULL, NULL, true, {{"x-forwarded-for", "8.8.8.8"}, {"x-iptrust-z", "1"}}};
    uint8_t bytes[1024];
    face f;
    bool answered = false;
    size_t n = pack(&a, bytes);
    const ipt_method *method = ipt_method_find(IPT_SPAN(CHECK));
    (void)state;
    face_open(&f);
    for (size_t i = 1; !answered; i++) {
        ipt_rpc_seat *seat = NULL;
        ipt_buf out = {0};
        failalloc_at(i);
        bool opened = ipt_rpc_seat_new(f.rpc, 0, &seat) == IPT_OK;
        ipt_rpc_call call = {.seat = seat};
        answered = opened && ipt_method_run(method, &call, (ipt_span){(const char *)bytes, n}, &out);
        bool happened = failalloc_happened();
        failalloc_at(0);
        assert_true(answered != happened);
        assert_true(!answered || out.n != 0);
        if (opened && !answered)
            assert_int_equal(call.status.code, IPT_GRPC_INTERNAL);
        ipt_buf_done(&out);
        ipt_rpc_seat_free(seat);
    }
    face_close(&f);
}

static size_t load(const char *path, uint8_t *out, size_t cap)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t n = fread(out, 1, cap, file);
    assert_int_equal(fclose(file), 0);
    assert_true(n < cap);
    return n;
}

/* Whole: an answer. Cut off anywhere: an error. A bit turned: an error or an answer, and never an empty one. */
static void check_capture(face *f, const char *path)
{
    uint8_t bytes[8192];
    size_t n = load(path, bytes, sizeof(bytes));
    assert_true(face_run(f, CHECK, (ipt_span){(const char *)bytes, n}));
    reply *r = envoy__service__auth__v3__check_response__unpack(NULL, f->out.n, (const uint8_t *)f->out.p);
    assert_non_null(r);
    assert_non_null(header_of(r, "x-iptrust-client-ip"));
    done(r);
    for (size_t cut = 1; cut < n; cut++)
        assert_false(face_run(f, CHECK, (ipt_span){(const char *)bytes, cut}));
    for (size_t bit = 0; bit < 8 * n; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        if (face_run(f, CHECK, (ipt_span){(const char *)bytes, n}))
            assert_true(f->out.n != 0);
        bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
}

static void what_envoy_sent_is_answered(void **state)
{
    static const char *const patterns[] = {EXTAUTHZ_GOLDEN "/check_request_*.bin",
                                           EXTAUTHZ_GOLDEN "/*/check_request_*.bin"};
    face f;
    size_t count = 0;
    (void)state;
    face_open(&f);
    for (size_t i = 0; i < IPT_COUNT(patterns); i++) {
        glob_t found;
        if (glob(patterns[i], 0, NULL, &found) == 0) {
            for (size_t k = 0; k < found.gl_pathc; k++, count++)
                check_capture(&f, found.gl_pathv[k]);
            globfree(&found);
        }
    }
    face_close(&f);
    if (count == 0)
        print_message("corpus absent, skipped\n");
    else
        print_message("corpus: %zu cases\n", count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(peers_and_headers_make_the_client),
        cmocka_unit_test(no_bytes_are_a_request_without_a_source),
        cmocka_unit_test(nul_cuts_nothing_off),
        cmocka_unit_test(an_entry_of_a_map_has_no_raw_value),
        cmocka_unit_test(what_clients_write_in_our_name_is_taken_away),
        cmocka_unit_test(modes_and_policies_are_obeyed),
        cmocka_unit_test(a_policy_that_may_not_be_chosen_denies_where_rules_are_enforced),
        cmocka_unit_test(only_the_map_form_merges_lines),
        cmocka_unit_test(rewriting_says_the_client_or_nothing),
        cmocka_unit_test(a_long_chain_is_cut),
        cmocka_unit_test(floods_change_nothing),
        cmocka_unit_test(any_number_of_lines_is_read_alike),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(what_envoy_sent_is_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
