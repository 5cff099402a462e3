/* A key of etcd as the central document, by its JSON gateway: a range says what it is, a watch says that it has
 * changed. A member that fails makes way for the next; one that has lost its leader says so, because we ask it to. */
#include <stdio.h>
#include <stdlib.h>

#include "engine_priv.h"
#include "iptrust/central/etcd.h"

enum {
    CALL_MS = 3000,
    ANSWER_MAX = 2 << 20, /* a document in base64 */
    URL_MAX = 512,
};

typedef struct asking {
    ipt_engine *engine;
    ipt_http *http;
    central_job *job;
    central_turn *out;
    const char *endpoint;
} asking;

static bool fail(asking *a, const char *why)
{
    a->out->failed = true;
    (void)snprintf(a->out->why, sizeof(a->out->why), "%.100s: %.200s", a->endpoint, why);
    return false;
}

/* POST to a path of the gateway; the body is in answer. */
static bool call(asking *a, const char *path, ipt_span body, bool watch, ipt_http_answer *answer)
{
    char url[URL_MAX];
    size_t n = strlen(a->endpoint);
    while (n != 0 && a->endpoint[n - 1] == '/')
        n--;
    if ((size_t)snprintf(url, sizeof(url), "%.*s%s", (int)n, a->endpoint, path) >= sizeof(url))
        return fail(a, "the URL is too long");
    const ipt_http_ask ask = {.url = url,
                              .ca_file = a->job->spec->ca,
                              .post = body,
                              .timeout_ms = CALL_MS,
                              .body_max = ANSWER_MAX,
                              .wait_s = watch ? CENTRAL_WAIT_S : 0,
                              .enough = watch ? ipt_etcd_watch_speaks : NULL,
                              .header = watch ? "Grpc-Metadata-hasleader: true" : NULL,
                              .authorization = a->job->token.n == 0 ? NULL : a->job->token.p};
    ipt_http_get(a->http, &ask, answer);
    if (answer->outcome == IPT_HTTP_BODY)
        return true;
    a->out->stopped = answer->outcome == IPT_HTTP_STOPPED;
    return a->out->stopped ? false : fail(a, answer->why);
}

static bool log_in(asking *a)
{
    const ipt_central_spec *spec = a->job->spec;
    ipt_auto(ipt_buf) body = {0};
    ipt_auto(ipt_arena) *arena = NULL;
    ipt_http_answer answer = {0};
    ipt_span token;
    if (spec->user == NULL || a->job->token.n != 0)
        return true;
    ipt_etcd_write_login(&body, ipt_span_from(spec->user), spec->password);
    if (body.failed || ipt_arena_new(4096, 0, &arena) != IPT_OK)
        return fail(a, "no memory");
    bool ok = call(a, "/v3/auth/authenticate", ipt_buf_span(&body), false, &answer);
    if (ok && !ipt_etcd_read_token(ipt_buf_span(&answer.body), arena, &token))
        ok = fail(a, "the login brought no token");
    if (ok) {
        ipt_buf_add(&a->job->token, token);
        ipt_buf_addc(&a->job->token, '\0');
        ok = !a->job->token.failed || fail(a, "no memory");
    }
    explicit_bzero(body.p, body.n);
    ipt_http_answer_done(&answer);
    return ok;
}

static bool read_key(asking *a, uint64_t *revision, bool *again)
{
    ipt_auto(ipt_buf) body = {0};
    ipt_auto(ipt_arena) *arena = NULL;
    ipt_http_answer answer = {0};
    ipt_span value = {NULL, 0};
    ipt_etcd_write_range(&body, ipt_span_from(a->job->spec->key));
    if (body.failed || ipt_arena_new(64 << 10, 0, &arena) != IPT_OK)
        return fail(a, "no memory");
    bool ok = call(a, "/v3/kv/range", ipt_buf_span(&body), false, &answer);
    if (ok) {
        switch (ipt_etcd_read_range(ipt_buf_span(&answer.body), arena, revision, &value)) {
        case IPT_ETCD_VALUE:
            *again = central_offer(a->engine, a->job, value) == IPT_CENTRAL_FAILED;
            break;
        case IPT_ETCD_ABSENT:
            central_told(a->engine, IPT_CENTRAL_REFUSED, "there is no such key");
            break;
        case IPT_ETCD_BROKEN:
            ok = fail(a, "the answer is not that of etcd's gateway");
            break;
        case IPT_ETCD_NO_MEMORY:
            ok = fail(a, "no memory");
            break;
        }
    }
    ipt_http_answer_done(&answer);
    return ok;
}

static bool watch_key(asking *a, uint64_t revision)
{
    ipt_auto(ipt_buf) body = {0};
    ipt_http_answer answer = {0};
    ipt_etcd_write_watch(&body, ipt_span_from(a->job->spec->key), revision);
    if (body.failed)
        return fail(a, "no memory");
    bool ok = call(a, "/v3/watch", ipt_buf_span(&body), true, &answer);
    ipt_http_answer_done(&answer);
    return ok;
}

void central_turn_etcd(ipt_engine *engine, ipt_http *http, central_job *job, central_turn *out)
{
    const ipt_central_spec *spec = job->spec;
    asking a = {.engine = engine, .http = http, .job = job, .out = out};
    a.endpoint = spec->endpoints[job->endpoint % spec->endpoint_count];
    uint64_t revision, begun;
    bool again = false;
    if (log_in(&a) && read_key(&a, &revision, &again)) {
        job->failures = 0;
        begun = ipt_clock_ms();
        if (again)
            out->wait_ms = spec->interval_ms;
        if (again || watch_key(&a, revision)) {
            /* Something has happened, or nothing for long: the next turn reads. A watch that always ends must not spin.
             */
            if (!again && ipt_clock_ms() - begun < CENTRAL_SPIN_MS)
                out->wait_ms = CENTRAL_SPIN_MS;
            return;
        }
    }
    if (out->stopped)
        return;
    ipt_buf_done(&job->token); /* it may be that which was wrong */
    job->endpoint++;
    job->failures++;
    if (job->failures < spec->endpoint_count) { /* not yet a failure: there are others */
        out->failed = false;
        out->wait_ms = 0;
    } else
        job->failures = 0;
}
