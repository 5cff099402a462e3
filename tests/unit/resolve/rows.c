/* Rows: text to request, decision to text. */
#include "rows.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "exact.h"

enum { LINES_MAX = 512, TEXT_MAX = 8192 };

static char directory[] = "/tmp/iptrust-rows-XXXXXX";

static void write_file(const char *name, const char *text)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

int rows_setup(void **state)
{
    (void)state;
    memcpy(directory + sizeof(directory) - 7, "XXXXXX", 6);
    if (mkdtemp(directory) == NULL)
        return -1;
    write_file("secret", "s3cret\n");
    write_file("other", "0ther\n");
    return 0;
}

int rows_teardown(void **state)
{
    char path[128];
    (void)state;
    (void)snprintf(path, sizeof(path), "%s/secret", directory);
    (void)unlink(path);
    (void)snprintf(path, sizeof(path), "%s/other", directory);
    (void)unlink(path);
    return rmdir(directory);
}

ipt_view *rows_view(const char *yaml)
{
    ipt_diag diag;
    ipt_config *config = NULL;
    ipt_view *view = NULL;
    const ipt_config_options options = {.base_dir = directory};
    assert_int_equal(ipt_diag_init(&diag), IPT_OK);
    ipt_err err = ipt_config_parse(ipt_span_from(yaml), "row.yaml", &options, &diag, &config);
    for (const ipt_diag_item *item = diag.first; err != IPT_OK && item != NULL; item = item->next)
        print_error("%u:%u: %s\n", item->place.line, item->place.column, item->text);
    ipt_diag_done(&diag);
    assert_int_equal(err, IPT_OK);
    assert_int_equal(ipt_view_build_take(config, ROWS_NOW, &view), IPT_OK);
    return view;
}

/* ---- request ---- */

struct rows_request {
    ipt_request request;
    ipt_header headers[LINES_MAX], attributes[LINES_MAX];
    ipt_span bytes[4 * LINES_MAX]; /* every heap copy */
    size_t byte_count;
};

static ipt_span keep(rows_request *r, const char *p, size_t n)
{
    assert_true(r->byte_count < IPT_COUNT(r->bytes));
    return r->bytes[r->byte_count++] = exact_n(p, n);
}

static bool starts(const char *line, size_t n, const char *with)
{
    return n >= strlen(with) && memcmp(line, with, strlen(with)) == 0;
}

static ipt_header split(rows_request *r, const char *line, size_t n, const char *separator)
{
    const char *at = memmem(line, n, separator, 1);
    assert_non_null(at);
    size_t name = (size_t)(at - line), skip = name + strlen(separator);
    if (skip > n)
        skip = n; /* "Name:" with nothing after it */
    return (ipt_header){keep(r, line, name), keep(r, line + skip, n - skip)};
}

static void set_proxy(rows_request *r, const char *p, size_t n)
{
    r->request.has_proxy_protocol = true;
    r->request.proxy_protocol = keep(r, p, n);
}

static void set_proxy_hex(rows_request *r, const char *hex, size_t n)
{
    char bytes[512];
    size_t count = 0;
    for (size_t i = 0; i + 1 < n; i += 2, count++) {
        char pair[3] = {hex[i], hex[i + 1], '\0'};
        assert_true(count < sizeof(bytes));
        bytes[count] = (char)strtoul(pair, NULL, 16);
    }
    set_proxy(r, bytes, count);
}

static void set_fact(ipt_request *request, ipt_span fact)
{
    if (ipt_span_equal(fact, IPT_SPAN("unknown")))
        request->caller = IPT_CALLER_UNKNOWN;
    else if (ipt_span_equal(fact, IPT_SPAN("merged")))
        request->headers_merged = true;
    else if (ipt_span_equal(fact, IPT_SPAN("lax")))
        request->http_parser_lax = true;
    else if (ipt_span_equal(fact, IPT_SPAN("forged")))
        request->peer_header_forged = true;
    else if (ipt_span_equal(fact, IPT_SPAN("unselectable")))
        request->policy_not_selectable = true;
    else
        fail_msg("no such fact: %.*s", (int)fact.n, fact.p);
}

static void read_line(rows_request *r, const char *line, size_t n)
{
    if (starts(line, n, "PROXY ")) {
        char text[128];
        int length = snprintf(text, sizeof(text), "%.*s\r\n", (int)n, line);
        set_proxy(r, text, (size_t)length);
    } else if (starts(line, n, "proxy: ")) {
        set_proxy_hex(r, line + 7, n - 7);
    } else if (starts(line, n, "attr: ")) {
        r->attributes[r->request.attribute_count++] = split(r, line + 6, n - 6, "=");
    } else if (starts(line, n, "principal: ")) {
        r->request.principal = keep(r, line + 11, n - 11);
    } else if (starts(line, n, "fact: ")) {
        set_fact(&r->request, (ipt_span){line + 6, n - 6});
    } else {
        /* A name may hold a colon of its own ("attribute:x"): what ends it is colon and space, or the end. */
        const char *at = memmem(line, n, ": ", 2);
        size_t name = at != NULL ? (size_t)(at - line) : n - 1;
        assert_true(r->request.header_count < LINES_MAX);
        size_t skip = at != NULL ? name + 2 : n;
        r->headers[r->request.header_count++] =
            (ipt_header){keep(r, line, name), skip == n ? (ipt_span){NULL, 0} : keep(r, line + skip, n - skip)};
    }
}

rows_request *rows_request_new(const char *peer, const char *text)
{
    rows_request *r = calloc(1, sizeof(*r));
    assert_non_null(r);
    r->request.caller = IPT_CALLER_TRUSTED;
    if (peer != NULL)
        r->request.peer = keep(r, peer, strlen(peer));
    for (const char *line = text; *line != '\0';) {
        size_t n = strcspn(line, "\n");
        read_line(r, line, n);
        line += n + (line[n] == '\n');
    }
    r->request.headers = r->headers;
    r->request.attributes = r->attributes;
    return r;
}

ipt_request *rows_request_get(rows_request *r)
{
    return &r->request;
}

void rows_request_free(rows_request *r)
{
    for (size_t i = 0; i < r->byte_count; i++)
        free((void *)(uintptr_t)r->bytes[i].p);
    free(r);
}

/* ---- answer ---- */

typedef struct text {
    char *p;
    size_t n, size;
} text;

IPT_PRINTF(2, 3) static void add(text *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(t->p + t->n, t->size - t->n, format, args);
    va_end(args);
    assert_true(n >= 0 && (size_t)n < t->size - t->n);
    t->n += (size_t)n;
}

static void add_addr(text *t, ipt_addr addr)
{
    char name[IPT_ADDR_TEXT];
    (void)ipt_addr_format(addr, name);
    add(t, "%s", name);
}

static void add_prefix(text *t, bool has, ipt_prefix prefix)
{
    char name[IPT_PREFIX_TEXT] = "-";
    if (has)
        (void)ipt_prefix_format(prefix, name);
    add(t, "%s", name);
}

static void add_lower(text *t, ipt_span s)
{
    for (size_t i = 0; i < s.n; i++)
        add(t, "%c", ipt_lower(s.p[i]));
}

static void add_client(text *t, const ipt_decision *d)
{
    if (!d->has_client)
        add(t, "-");
    else
        add_addr(t, d->client);
    if (d->has_client && d->has_client_port)
        add(t, ":%u", d->client_port);
    if (!d->complete)
        add(t, "~");
}

static void add_answer(text *t, const ipt_decision *d)
{
    add_client(t, d);
    add(t, " %s ", ipt_level_name(d->level));
    bool first = true;
    for (int r = 0; r < IPT_REASON_COUNT; r++) {
        if ((d->reasons >> r & 1) == 0)
            continue;
        add(t, "%s%s", first ? "" : ",", ipt_reason_name((ipt_reason)r));
        if (r == IPT_REASON_UNVOUCHED_ENTRIES)
            add(t, "(%" PRIu32 ")", d->unvouched_count);
        first = false;
    }
    for (size_t i = 0; i < d->finding_count; i++) {
        add(t, "%s%s:", i == 0 ? " | " : " ", ipt_finding_name(d->findings[i].code));
        add_lower(t, d->findings[i].header);
    }
}

static void add_hop(text *t, const ipt_decision *d, const ipt_hop *hop)
{
    if (hop->verdict == IPT_VERDICT_NOT_EXAMINED) {
        add(t, "not_examined(%" PRIu32 ")", hop->count);
        return;
    }
    if (hop->has_addr)
        add_addr(t, hop->addr);
    if (hop->has_port)
        add(t, ":%u", hop->port);
    if (hop->has_text)
        add(t, "'%.*s'", (int)hop->text.n, hop->text.n == 0 ? "" : hop->text.p);
    add(t, "=");
    if (hop->list == IPT_LIST_NONE)
        add(t, "%s", ipt_verdict_name((ipt_verdict)hop->verdict));
    else
        add(t, "%s", d->view->lists[hop->list].spec->name);
    if (hop->list != IPT_LIST_NONE && hop->has_addr)
        add(t, "/%u", ipt_prefix_bits(ipt_prefix_of(hop->addr, hop->prefix_len)));
    if (hop->origin == IPT_ORIGIN_PROXY_PROTOCOL)
        add(t, " proxy");
    if (hop->origin == IPT_ORIGIN_HEADER) {
        ipt_span name = ipt_names_text(d->view->names, hop->header);
        add(t, " %.*s.%" PRIu32 ".%" PRIu32, (int)name.n, name.p, hop->line, hop->index);
    }
}

static void add_keys(text *t, const ipt_decision *d)
{
    add_prefix(t, d->has_keys, d->rate_limit);
    add(t, " ");
    add_prefix(t, d->has_keys, d->network);
    add(t, " ");
    add_prefix(t, d->has_peer_key, d->peer_key);
    if (!d->has_client)
        return;
    add(t, " %s", ipt_class_name(d->client_class));
    if (d->embedding != IPT_EMBEDS_NONE) {
        add(t, " embeds ");
        add_addr(t, d->embedded);
    }
    for (size_t i = 0; i < d->client_list_count; i++)
        add(t, "%s%s", i == 0 ? " in " : ",", d->view->lists[d->client_lists[i]].spec->name);
}

static void add_context(text *t, const ipt_decision *d)
{
    const ipt_context *c = &d->context;
    const struct {
        const char *name;
        ipt_span value;
    } parts[] = {{"proto", c->proto}, {"host", c->host}, {"port", c->port}, {"prefix", c->prefix}};
    for (size_t i = 0; i < IPT_COUNT(parts); i++)
        if (parts[i].value.p != NULL)
            add(t, "%s=%.*s ", parts[i].name, (int)parts[i].value.n, parts[i].value.p);
    add(t, "via=%u vouched=", c->via_count);
    for (size_t i = 0; i < c->vouched_count; i++) {
        ipt_span name = ipt_names_text(d->view->names, c->vouched[i]);
        add(t, "%s%.*s", i == 0 ? "" : ",", (int)name.n, name.p);
    }
}

void rows_format(const ipt_decision *d, row_shape shape, char *out, size_t size)
{
    text t = {.p = out, .size = size};
    out[0] = '\0';
    switch (shape) {
    case ROW_ANSWER:
        add_answer(&t, d);
        break;
    case ROW_CHAIN:
        for (size_t i = 0; i < d->chain_count; i++) {
            add(&t, "%s", i == 0 ? "" : " > ");
            add_hop(&t, d, &d->chain[i]);
        }
        break;
    case ROW_KEYS:
        add_keys(&t, d);
        break;
    case ROW_RULING:
        add(&t, "%s", d->ruling.action == IPT_ACTION_DENY ? "deny" : "allow");
        if (ipt_ruling_name(d->ruling) != NULL)
            add(&t, " %s", ipt_ruling_name(d->ruling));
        break;
    case ROW_CONTEXT:
        add_context(&t, d);
        break;
    }
}

/* ---- rows ---- */

static bool same_client(const ipt_decision *a, const ipt_decision *b)
{
    return a->has_client == b->has_client && (!a->has_client || ipt_addr_equal(a->client, b->client)) &&
           a->has_client_port == b->has_client_port && (!a->has_client_port || a->client_port == b->client_port) &&
           a->complete == b->complete && a->level == b->level && a->reasons == b->reasons &&
           a->unvouched_count == b->unvouched_count && a->source == b->source && a->source_header == b->source_header &&
           a->client_trusted == b->client_trusted && a->ruling.action == b->ruling.action &&
           a->ruling.rule == b->ruling.rule && a->ruling.unknown == b->ruling.unknown;
}

static void decide(const ipt_view *view, const row *r, row_shape shape, char *out, size_t size)
{
    static const unsigned char fillings[] = {0xa5, 0x00}; /* a value that is read before it is set would show */
    const ipt_policy *policy = ipt_view_find_policy(view, IPT_SPAN("default"));
    rows_request *request = rows_request_new(r->peer, r->request);
    ipt_decision *d = malloc(sizeof(*d)), *brief = malloc(sizeof(*brief));
    char again[TEXT_MAX];
    assert_non_null(policy);
    assert_true(d != NULL && brief != NULL);
    for (size_t i = 0; i < IPT_COUNT(fillings); i++) {
        memset(d, fillings[i], sizeof(*d));
        memset(brief, fillings[1 - i], sizeof(*brief));
        ipt_proxy_result why = IPT_PROXY_OK;
        ipt_refusal refusal = ipt_resolve(view, policy, &request->request, IPT_DETAIL_FULL, d, &why);
        assert_int_equal(ipt_resolve(view, policy, &request->request, IPT_DETAIL_CLIENT, brief, NULL), refusal);
        if (refusal != IPT_REFUSAL_NONE) {
            assert_int_not_equal(why, IPT_PROXY_OK);
            (void)snprintf(out, size, "refused");
            break;
        }
        if (!same_client(d, brief))
            fail_msg("IPT_DETAIL_CLIENT differs from IPT_DETAIL_FULL: peer %s, %s", r->peer, r->request);
        assert_int_equal(brief->chain_count + brief->finding_count + brief->client_list_count, 0);
        assert_false(brief->has_keys || brief->has_peer_key);
        assert_int_equal(__builtin_popcountll(d->reasons & ((UINT64_C(1) << IPT_REASON_ORIGINS) - 1)), 1);
        assert_int_equal(ipt_level_from_reasons(d->reasons), d->level);
        rows_format(d, shape, i == 0 ? out : again, i == 0 ? size : sizeof(again));
        if (i != 0)
            assert_string_equal(out, again);
    }
    free(d);
    free(brief);
    rows_request_free(request);
}

void rows_check(const char *yaml, row_shape shape, const row *rows, size_t count)
{
    ipt_view *view = rows_view(yaml);
    size_t wrong = 0;
    for (size_t i = 0; i < count; i++) {
        char got[TEXT_MAX];
        decide(view, &rows[i], shape, got, sizeof(got));
        if (strcmp(got, rows[i].expected) == 0)
            continue;
        wrong++;
        print_error("row %zu, peer %s\n%s\n  expected %s\n  got      %s\n", i,
                    rows[i].peer == NULL ? "-" : rows[i].peer, rows[i].request, rows[i].expected, got);
    }
    ipt_view_free(view); /* here: a failed assertion does not come back */
    assert_int_equal(wrong, 0);
}
