/* Answers framed cases from standard input, one line each: what every face must answer, by the library alone. Drivers
 * in Python (tests/golden, tests/corpora) talk to it, so that no test needs a process for each case.
 *
 * A case: "config_len dir_len now_seconds caller request_len facts\n", then the bytes of the configuration, of the
 * directory that relative paths mean, and of the request. caller is 0 (unknown) or 1 (trusted); facts are the letters
 * of what a face would know (see set_facts), or "-". The answer is the decision, {"problem":{...}},
 * {"config_error":[...]} or, when the library contradicts itself, {"broken":"..."}. */
#include <stdio.h>
#include <stdlib.h>

#include "iptrust/codec/json.h"
#include "iptrust/config/config.h"
#include "iptrust/resolve/resolve.h"
#include "iptrust/view/view.h"

#define PART_MAX (8U << 20)

typedef struct blob {
    char *p;
    size_t n;
} blob;

/* The view of the last case: neighbours mostly share their configuration. */
typedef struct cache {
    blob config, dir;
    long long now;
    ipt_view *view;
    ipt_buf refusal; /* the config_error line in place of a view */
} cache;

typedef struct frame {
    blob config, dir, request;
    long long now;
    unsigned caller;
    char facts[8];
} frame;

static void die(const char *what)
{
    (void)fprintf(stderr, "case_runner: %s\n", what);
    exit(3);
}

/* An exact heap copy, so that AddressSanitizer sees one byte too far. */
static blob read_part(size_t length)
{
    if (length > PART_MAX)
        die("a part is too long");
    blob part = {malloc(length == 0 ? 1 : length), length};
    if (part.p == NULL)
        die("no memory");
    if (fread(part.p, 1, length, stdin) != length)
        die("input ended inside a case");
    return part;
}

static bool read_frame(frame *out)
{
    char line[160];
    if (fgets(line, sizeof(line), stdin) == NULL)
        return false;
    size_t config = 0;
    size_t dir = 0;
    size_t request = 0;
    out->facts[0] = '\0';
    if (sscanf(line, "%zu %zu %lld %u %zu %7s", &config, &dir, &out->now, &out->caller, &request, out->facts) < 5)
        die("bad header line");
    out->config = read_part(config);
    out->dir = read_part(dir);
    out->request = read_part(request);
    return true;
}

static ipt_span span_of(blob b)
{
    return (ipt_span){b.p, b.n};
}

static void write_diag(ipt_buf *out, const ipt_diag *diag)
{
    ipt_buf_adds(out, "{\"config_error\":[");
    bool first = true;
    for (const ipt_diag_item *item = diag->first; item != NULL; item = item->next) {
        if (item->severity != IPT_ERROR)
            continue;
        ipt_buf text = {0};
        ipt_buf_addf(&text, "%u:%u: %s", item->place.line, item->place.column, item->text);
        if (!first)
            ipt_buf_addc(out, ',');
        ipt_json_write_string(out, ipt_buf_span(&text));
        ipt_buf_done(&text);
        first = false;
    }
    ipt_buf_adds(out, "]}");
}

/* The databases that a configuration names, and what its rules want of them, as every program does it. */
static ipt_err open_geo(const ipt_config *config, ipt_diag *diag, ipt_geo **out)
{
    ipt_err err = IPT_OK;
    if (config->geo_file_count != 0)
        err = ipt_geo_open(config->geo_files, config->geo_file_count, NULL, out);
    if (err == IPT_OK)
        ipt_view_check_geo(config, *out, diag);
    return err == IPT_OK && diag->errors != 0 ? IPT_ECONFIG : err;
}

static ipt_err open_view(ipt_span text, const char *dir, long long now, ipt_diag *diag, ipt_view **out)
{
    const ipt_config_options options = {.base_dir = dir};
    ipt_config *config = NULL;
    ipt_auto(ipt_geo) *geo = NULL;
    ipt_err err = ipt_config_parse(text, "case", &options, diag, &config);
    if (err != IPT_OK)
        return err;
    err = open_geo(config, diag, &geo);
    if (err == IPT_OK)
        err = ipt_view_build_take(config, now, out);
    if (err != IPT_OK)
        ipt_config_free(config);
    else
        ipt_view_set_geo(*out, geo);
    return err;
}

static void cache_fill(cache *held, frame *f)
{
    ipt_view_free(held->view);
    held->view = NULL;
    ipt_buf_reset(&held->refusal);
    free(held->config.p);
    free(held->dir.p);
    held->config = f->config;
    held->dir = f->dir;
    held->now = f->now;
    f->config = f->dir = (blob){NULL, 0};

    ipt_diag diag;
    if (ipt_diag_init(&diag) != IPT_OK)
        die("no memory");
    char dir[4096];
    if (held->dir.n >= sizeof(dir))
        die("directory name too long");
    memcpy(dir, held->dir.p, held->dir.n);
    dir[held->dir.n] = '\0';
    ipt_err err = open_view(span_of(held->config), dir, held->now, &diag, &held->view);
    if (err == IPT_ECONFIG)
        write_diag(&held->refusal, &diag);
    else if (err != IPT_OK)
        ipt_buf_addf(&held->refusal, "{\"broken\":\"view: %s\"}", ipt_err_name(err));
    ipt_diag_done(&diag);
}

static void cache_use(cache *held, frame *f)
{
    bool same = (held->view != NULL || held->refusal.n > 0) && held->now == f->now &&
                ipt_span_equal(span_of(held->config), span_of(f->config)) &&
                ipt_span_equal(span_of(held->dir), span_of(f->dir));
    if (!same)
        cache_fill(held, f);
}

static void set_facts(ipt_request *request, const frame *f)
{
    request->caller = f->caller != 0 ? IPT_CALLER_TRUSTED : IPT_CALLER_UNKNOWN;
    for (const char *fact = f->facts; *fact != '\0'; fact++) {
        request->headers_merged = request->headers_merged || *fact == 'm';
        request->http_parser_lax = request->http_parser_lax || *fact == 'l';
        request->peer_header_forged = request->peer_header_forged || *fact == 'f';
        request->policy_not_selectable = request->policy_not_selectable || *fact == 's';
    }
}

static void write_problem(ipt_buf *out, const ipt_problem *problem)
{
    ipt_buf_adds(out, "{\"problem\":");
    ipt_problem_write_json(out, problem, (ipt_span){NULL, 0});
    ipt_buf_addc(out, '}');
}

/* The short answer must be the long one's client, level and reasons (resolve.h), for every case that any driver asks.
 */
static bool details_agree(const ipt_decision *full, const ipt_decision *brief)
{
    return full->has_client == brief->has_client &&
           (!full->has_client || ipt_addr_equal(full->client, brief->client)) &&
           full->has_client_port == brief->has_client_port &&
           (!full->has_client_port || full->client_port == brief->client_port) && full->complete == brief->complete &&
           full->level == brief->level && full->reasons == brief->reasons &&
           full->unvouched_count == brief->unvouched_count;
}

typedef struct scratch {
    ipt_arena *arena;
    ipt_decision full, brief;
} scratch;

static void answer(ipt_buf *out, const ipt_view *view, const frame *f, scratch *s)
{
    ipt_decision *full = &s->full;
    ipt_decision *brief = &s->brief;
    ipt_call call;
    ipt_problem problem;
    if (!ipt_json_read_request(span_of(f->request), "", s->arena, &call, &problem)) {
        write_problem(out, &problem);
        return;
    }
    set_facts(&call.request, f);
    const ipt_policy *policy = ipt_view_find_policy(view, call.policy.p == NULL ? IPT_SPAN("default") : call.policy);
    if (policy == NULL) {
        ipt_problem_set(&problem, IPT_PROBLEM_UNKNOWN_POLICY, "/policy", "no policy of that name");
        write_problem(out, &problem);
        return;
    }
    ipt_proxy_result why = IPT_PROXY_OK;
    ipt_refusal refusal = ipt_resolve(view, policy, &call.request, IPT_DETAIL_FULL, full, &why);
    if (ipt_resolve(view, policy, &call.request, IPT_DETAIL_CLIENT, brief, NULL) != refusal) {
        ipt_buf_adds(out,
                     "{\"broken\":\"IPT_DETAIL_CLIENT is refused where IPT_DETAIL_FULL is not, or the other way\"}");
    } else if (refusal == IPT_REFUSAL_PROXY_PROTOCOL) {
        ipt_problem_set(&problem, IPT_PROBLEM_BAD_PROXY_PROTOCOL, "/proxy_protocol", "%s", ipt_proxy_result_text(why));
        write_problem(out, &problem);
    } else if (!details_agree(full, brief)) {
        ipt_buf_adds(out, "{\"broken\":\"IPT_DETAIL_CLIENT and IPT_DETAIL_FULL differ in client, level or reasons\"}");
    } else {
        ipt_json_write_decision(out, full, &call);
    }
}

int main(void)
{
    cache held = {0};
    frame f = {0};
    ipt_buf out = {0};
    scratch *s = calloc(1, sizeof(*s));
    if (s == NULL || ipt_arena_new(64U << 10, 0, &s->arena) != IPT_OK)
        die("no memory");
    while (read_frame(&f)) {
        cache_use(&held, &f);
        ipt_buf_reset(&out);
        ipt_arena_reset(s->arena);
        if (held.view != NULL)
            answer(&out, held.view, &f, s);
        else
            ipt_buf_add(&out, ipt_buf_span(&held.refusal));
        if (out.failed)
            die("no memory");
        (void)fwrite(out.p, 1, out.n, stdout);
        (void)fputc('\n', stdout);
        (void)fflush(stdout);
        free(f.config.p);
        free(f.dir.p);
        free(f.request.p);
    }
    ipt_arena_free(s->arena);
    free(s);
    ipt_buf_done(&out);
    ipt_buf_done(&held.refusal);
    ipt_view_free(held.view);
    free(held.config.p);
    free(held.dir.p);
    return 0;
}
