/* libcurl with everything turned off that a list does not need. Redirects are followed here, not by the library,
 * because each new address has to pass the same judgement as the first; gzip is undone in gunzip.c, because the library
 * takes a compressed body that was cut short for a whole one. */
#include "iptrust/fetch/http.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "fetch_priv.h"

struct ipt_http {
    CURL *curl;
    const atomic_bool *stop;
};

/* One request under way. */
typedef struct transfer {
    const ipt_http *http;
    const ipt_http_ask *ask;
    ipt_http_answer *answer;
    size_t header_bytes;
    bool too_large, headers_too_large, no_memory, enough;
    char
        fault[CURL_ERROR_SIZE]; /* libcurl's own words, such as what is wrong with a certificate; "" when it has none */
} transfer;

ipt_err ipt_http_new(const atomic_bool *stop, ipt_http **out)
{
    ipt_http *http = calloc(1, sizeof(*http));
    if (http == NULL)
        return IPT_ENOMEM;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        free(http);
        return IPT_ENOMEM;
    }
    http->stop = stop;
    http->curl = curl_easy_init();
    if (http->curl == NULL) {
        ipt_http_free(http);
        return IPT_ENOMEM;
    }
    *out = http;
    return IPT_OK;
}

void ipt_http_free(ipt_http *http)
{
    if (http == NULL)
        return;
    curl_easy_cleanup(http->curl);
    curl_global_cleanup();
    free(http);
}

void ipt_http_answer_done(ipt_http_answer *answer)
{
    ipt_buf_done(&answer->body);
    *answer = (ipt_http_answer){0};
}

/* ---- addresses ---- */

typedef struct place {
    char *scheme, *host, *port;
} place;

static void place_done(place *p)
{
    curl_free(p->scheme);
    curl_free(p->host);
    curl_free(p->port);
}

static bool place_of(const char *url, place *out)
{
    CURLU *parts = curl_url();
    *out = (place){0};
    bool ok = parts != NULL && curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
              curl_url_get(parts, CURLUPART_SCHEME, &out->scheme, 0) == CURLUE_OK &&
              curl_url_get(parts, CURLUPART_HOST, &out->host, 0) == CURLUE_OK &&
              curl_url_get(parts, CURLUPART_PORT, &out->port, CURLU_DEFAULT_PORT) == CURLUE_OK;
    char *user = NULL;
    if (ok && curl_url_get(parts, CURLUPART_USER, &user, 0) == CURLUE_OK) {
        curl_free(user);
        ok = false;
    }
    curl_url_cleanup(parts);
    return ok;
}

static bool is_this_machine(const place *p)
{
    return strcmp(p->host, "127.0.0.1") == 0 || strcmp(p->host, "[::1]") == 0;
}

/* https, or http that never leaves this machine. */
static bool may_ask(const place *p)
{
    return strcmp(p->scheme, "https") == 0 || (strcmp(p->scheme, "http") == 0 && is_this_machine(p));
}

bool ipt_http_same_host(const char *a, const char *b)
{
    place x = {0}, y = {0};
    bool same = place_of(a, &x) && place_of(b, &y) && strcmp(x.scheme, y.scheme) == 0 &&
                strcasecmp(x.host, y.host) == 0 && strcmp(x.port, y.port) == 0;
    place_done(&x);
    place_done(&y);
    return same;
}

/* ---- callbacks ---- */

static size_t body_max(const ipt_http_ask *ask)
{
    return ask->body_max == 0 ? (size_t)IPT_HTTP_BODY_MAX : ask->body_max;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *context)
{
    transfer *t = context;
    ipt_buf *body = &t->answer->body;
    size_t n = size * count;
    if (body->n + n > body_max(t->ask)) {
        t->too_large = true;
        return 0;
    }
    ipt_buf_add(body, (ipt_span){bytes, n});
    t->no_memory = body->failed;
    t->enough = !body->failed && t->ask->enough != NULL && t->ask->enough(ipt_buf_span(body));
    return body->failed || t->enough ? 0 : n;
}

static size_t take_header(char *bytes, size_t size, size_t count, void *context)
{
    (void)bytes;
    transfer *t = context;
    t->header_bytes += size * count;
    t->headers_too_large = t->header_bytes > IPT_HTTP_HEADER_MAX;
    return t->headers_too_large ? 0 : size * count;
}

static int look_around(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    (void)a, (void)b, (void)c, (void)d;
    const transfer *t = context;
    return atomic_load_explicit(t->http->stop, memory_order_relaxed) ? 1 : 0;
}

/* ---- one request ---- */

static bool add_line(struct curl_slist **lines, const char *name, const char *value)
{
    char line[4096]; /* a token may be long */
    int n = snprintf(line, sizeof(line), "%s: %s", name, value);
    struct curl_slist *longer = n > 0 && (size_t)n < sizeof(line) ? curl_slist_append(*lines, line) : NULL;
    if (longer != NULL)
        *lines = longer;
    return longer != NULL;
}

static bool add_lines(const ipt_http_ask *ask, struct curl_slist **lines)
{
    char wait[32];
    bool ok = add_line(lines, "Accept-Encoding", ask->enough == NULL ? "gzip" : "identity");
    if (ask->wait_s != 0 && ask->post.p == NULL) {
        (void)snprintf(wait, sizeof(wait), "wait=%u", ask->wait_s);
        ok = ok && add_line(lines, "Prefer", wait);
    }
    if (ask->post.p != NULL)
        ok = ok && add_line(lines, "Content-Type", "application/json");
    if (ask->authorization != NULL)
        ok = ok && add_line(lines, "Authorization", ask->authorization);
    if (ask->header != NULL) {
        struct curl_slist *longer = ok ? curl_slist_append(*lines, ask->header) : NULL;
        ok = longer != NULL;
        *lines = ok ? longer : *lines;
    }
    if (ask->etag != NULL && ask->etag[0] != '\0')
        ok = ok && add_line(lines, "If-None-Match", ask->etag);
    if (ask->last_modified != NULL && ask->last_modified[0] != '\0')
        ok = ok && add_line(lines, "If-Modified-Since", ask->last_modified);
    return ok;
}

static bool is_conditional(const ipt_http_ask *ask)
{
    return (ask->etag != NULL && ask->etag[0] != '\0') || (ask->last_modified != NULL && ask->last_modified[0] != '\0');
}

static long timeout_of(const ipt_http_ask *ask)
{
    unsigned wait_s = ask->wait_s > IPT_HTTP_WAIT_MAX_S ? IPT_HTTP_WAIT_MAX_S : ask->wait_s;
    return (long)(ask->timeout_ms == 0 ? IPT_HTTP_TIMEOUT_MS : ask->timeout_ms) + (long)wait_s * 1000;
}

static bool set_up(transfer *t, const ipt_http_ask *ask, const char *url, const place *p, struct curl_slist *lines)
{
    CURL *curl = t->http->curl;
    bool http = strcmp(p->scheme, "http") == 0;
    bool ok = true;
    curl_easy_reset(curl);
#define SET(option, value) (ok = ok && curl_easy_setopt(curl, (option), (value)) == CURLE_OK)
    SET(CURLOPT_URL, url);
    SET(CURLOPT_PROTOCOLS_STR, http ? "http" : "https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_HTTPHEADER, lines);
    SET(CURLOPT_USERAGENT, "iptrustd/" IPTRUST_VERSION);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_QUICK_EXIT, 1L); /* a name server that does not answer must not hold up our end */
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_TIMEOUT_MS, timeout_of(ask));
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)IPT_HTTP_CONNECT_MS);
    if (ask->wait_s != 0) {
        SET(CURLOPT_TCP_KEEPALIVE, 1L); /* silence is no fault, a peer that has gone is */
        SET(CURLOPT_TCP_KEEPIDLE, (long)IPT_HTTP_RATE_S);
        SET(CURLOPT_TCP_KEEPINTVL, (long)IPT_HTTP_RATE_S);
    } else {
        SET(CURLOPT_LOW_SPEED_LIMIT, (long)IPT_HTTP_RATE_MIN);
        SET(CURLOPT_LOW_SPEED_TIME, (long)IPT_HTTP_RATE_S);
    }
    if (ask->post.p != NULL) {
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)ask->post.n);
        SET(CURLOPT_POSTFIELDS, ask->post.p);
        SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    }
    SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)body_max(ask));
    SET(CURLOPT_WRITEFUNCTION, take_body);
    SET(CURLOPT_WRITEDATA, t);
    SET(CURLOPT_HEADERFUNCTION, take_header);
    SET(CURLOPT_HEADERDATA, t);
    SET(CURLOPT_ERRORBUFFER, t->fault);
    SET(CURLOPT_NOPROGRESS, 0L);
    SET(CURLOPT_XFERINFOFUNCTION, look_around);
    SET(CURLOPT_XFERINFODATA, t);
    if (is_this_machine(p))
        SET(CURLOPT_PROXY, "");
    if (ask->ca_file != NULL) {
        SET(CURLOPT_CAINFO, ask->ca_file);
        SET(CURLOPT_CAPATH, NULL);
    }
#undef SET
    return ok;
}

IPT_PRINTF(2, 3) static void say(ipt_http_answer *answer, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(answer->why, sizeof(answer->why), format, args);
    va_end(args);
    answer->outcome = IPT_HTTP_FAILED;
}

/* Only printable ASCII is kept, because it goes out again in a later request. */
static void keep_header(CURL *curl, const char *name, char *out, size_t cap)
{
    struct curl_header *header = NULL;
    out[0] = '\0';
    if (curl_easy_header(curl, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
        return;
    size_t n = strlen(header->value);
    bool printable = n < cap;
    for (size_t i = 0; i < n && printable; i++)
        printable = header->value[i] >= 0x20 && header->value[i] < 0x7f;
    if (printable)
        memcpy(out, header->value, n + 1);
}

static void fail_transfer(transfer *t, CURLcode code)
{
    ipt_http_answer *answer = t->answer;
    if (code == CURLE_ABORTED_BY_CALLBACK)
        answer->outcome = IPT_HTTP_STOPPED;
    else if (t->too_large || code == CURLE_FILESIZE_EXCEEDED)
        say(answer, "the body has more than %zu bytes", body_max(t->ask));
    else if (t->headers_too_large)
        say(answer, "the headers have more than %d bytes", IPT_HTTP_HEADER_MAX);
    else if (t->no_memory || code == CURLE_OUT_OF_MEMORY)
        say(answer, "no memory");
    else if (code == CURLE_PARTIAL_FILE)
        say(answer, "the body was cut short");
    else if (code == CURLE_OPERATION_TIMEDOUT && answer->body.n != 0)
        say(answer, "the body came too slowly");
    else
        say(answer, "%s", t->fault[0] != '\0' ? t->fault : curl_easy_strerror(code));
}

static void decode_body(transfer *t)
{
    ipt_http_answer *answer = t->answer;
    struct curl_header *encoding = NULL;
    if (curl_easy_header(t->http->curl, "Content-Encoding", 0, CURLH_HEADER, -1, &encoding) != CURLHE_OK ||
        strcasecmp(encoding->value, "identity") == 0)
        return;
    if (strcasecmp(encoding->value, "gzip") != 0 || encoding->amount != 1) {
        say(answer, "the body is encoded in a way that was not asked for");
        return;
    }
    ipt_buf plain = {0};
    switch (fetch_gunzip(ipt_buf_span(&answer->body), body_max(t->ask), &plain)) {
    case FETCH_GUNZIP_OK:
        ipt_buf_done(&answer->body);
        answer->body = plain;
        return;
    case FETCH_GUNZIP_TOO_LARGE:
        say(answer, "the body has more than %zu bytes", body_max(t->ask));
        break;
    case FETCH_GUNZIP_NO_MEMORY:
        say(answer, "no memory");
        break;
    case FETCH_GUNZIP_BROKEN:
        say(answer, "the compressed body is broken or was cut short");
        break;
    }
    ipt_buf_done(&plain);
}

static void judge_status(transfer *t, const ipt_http_ask *ask)
{
    ipt_http_answer *answer = t->answer;
    CURL *curl = t->http->curl;
    long status = 0;
    curl_off_t retry = 0;
    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &retry);
    answer->status = status > 0 ? (unsigned)status : 0;
    answer->retry_after = retry > 0 ? (int64_t)retry : 0;
    char applied[64];
    keep_header(curl, "Preference-Applied", applied, sizeof(applied));
    answer->waits = strncmp(applied, "wait", 4) == 0;
    keep_header(curl, "ETag", answer->etag, sizeof(answer->etag));
    keep_header(curl, "Last-Modified", answer->last_modified, sizeof(answer->last_modified));
    if (status == 200) {
        answer->outcome = IPT_HTTP_BODY;
        decode_body(t);
    } else if (status == 304 && is_conditional(ask))
        answer->outcome = IPT_HTTP_UNCHANGED;
    else
        say(answer, "the server answered with status %ld", status);
}

static void ask_once(const ipt_http *http, const ipt_http_ask *ask, const char *url, ipt_http_answer *answer)
{
    transfer t = {.http = http, .ask = ask, .answer = answer};
    struct curl_slist *lines = NULL;
    place p = {0};
    ipt_buf_reset(&answer->body);
    if (!place_of(url, &p) || !may_ask(&p))
        say(answer, "expected an https URL, or http to 127.0.0.1 or [::1]");
    else if (!add_lines(ask, &lines) || !set_up(&t, ask, url, &p, lines))
        say(answer, "the request could not be made");
    else {
        CURLcode code = curl_easy_perform(http->curl);
        if (code == CURLE_OK || t.enough ||
            (code == CURLE_OPERATION_TIMEDOUT && ask->enough != NULL && answer->body.n != 0))
            judge_status(&t, ask);
        else
            fail_transfer(&t, code);
    }
    /* The handle keeps no pointer to what ends here. */
    (void)curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, NULL);
    (void)curl_easy_setopt(http->curl, CURLOPT_ERRORBUFFER, NULL);
    curl_slist_free_all(lines);
    place_done(&p);
}

static bool is_redirect(const ipt_http_answer *answer)
{
    return answer->outcome == IPT_HTTP_FAILED &&
           (answer->status == 301 || answer->status == 302 || answer->status == 303 || answer->status == 307 ||
            answer->status == 308);
}

void ipt_http_get(ipt_http *http, const ipt_http_ask *ask, ipt_http_answer *out)
{
    char url[2048];
    *out = (ipt_http_answer){0};
    int n = snprintf(url, sizeof(url), "%s", ask->url);
    if (n < 0 || (size_t)n >= sizeof(url)) {
        say(out, "the URL is too long");
        return;
    }
    for (unsigned hops = 0;; hops++) {
        ask_once(http, ask, url, out);
        if (!is_redirect(out))
            return;
        const char *next = NULL;
        (void)curl_easy_getinfo(http->curl, CURLINFO_REDIRECT_URL, &next);
        if (!ask->redirects) {
            say(out, "the server redirects (status %u), and `redirects` is not set", out->status);
            return;
        }
        if (next == NULL || hops == IPT_HTTP_HOPS_MAX) {
            say(out, next == NULL ? "the server redirects to nowhere" : "the server redirects too often");
            return;
        }
        if (!ipt_http_same_host(ask->url, next)) {
            say(out, "the server redirects to another host");
            return;
        }
        n = snprintf(url, sizeof(url), "%s", next);
        if (n < 0 || (size_t)n >= sizeof(url)) {
            say(out, "the server redirects to a URL that is too long");
            return;
        }
    }
}
