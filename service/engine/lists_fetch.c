/* From a list's description to prefixes: all parts of the feed, with conditions where there is something to compare
 * with, and alternatives where the publisher has them. */
#include <stdio.h>

#include "engine_priv.h"

/* The one publisher whose file changes its name is held to the host that its page has always named. */
static const char page_host[] = "https://download.microsoft.com/";

static ipt_feed_selection selection_of(const ipt_list_spec *spec)
{
    return (ipt_feed_selection){
        .services = spec->services, .service_count = spec->service_count, .path = spec->path, .column = spec->column};
}

static ipt_feed_format format_of(const ipt_list_spec *spec)
{
    if (spec->format != NULL && strcmp(spec->format, "json") == 0)
        return IPT_FEED_JSON;
    return spec->format != NULL && strcmp(spec->format, "csv") == 0 ? IPT_FEED_CSV : IPT_FEED_TEXT;
}

void list_describe(const ipt_list_spec *spec, ipt_buf *out)
{
    ipt_feed_selection selection = selection_of(spec);
    ipt_feed_describe(out, spec->provider, spec->url, format_of(spec), &selection);
}

typedef struct fetching {
    ipt_http *http;
    list_job *job;
    list_answer *out;
    ipt_feed_part parts[LIST_PARTS_MAX];
    list_part came[LIST_PARTS_MAX]; /* where each part is, and what it came with */
    ipt_http_answer answers[LIST_PARTS_MAX];
    uint32_t count;
} fetching;

IPT_PRINTF(2, 3) static bool say(list_answer *out, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(out->why, sizeof(out->why), format, args);
    va_end(args);
    return false;
}

static bool get(fetching *f, const char *url, const list_part *condition, ipt_http_answer *answer)
{
    const ipt_http_ask ask = {.url = url,
                              .ca_file = f->job->spec->ca,
                              .etag = condition == NULL ? NULL : condition->etag,
                              .last_modified = condition == NULL ? NULL : condition->last_modified,
                              .redirects = f->job->spec->redirects};
    ipt_http_get(f->http, &ask, answer);
    if (answer->outcome == IPT_HTTP_BODY || answer->outcome == IPT_HTTP_UNCHANGED)
        return true;
    f->out->outcome = answer->outcome == IPT_HTTP_STOPPED ? LIST_FETCH_STOPPED : LIST_FETCH_FAILED;
    f->out->retry_after = answer->retry_after;
    return say(f->out, "%s: %s", url, answer->why);
}

/* Where the body is: named, or linked from a page. */
static bool find_url(fetching *f, uint32_t i)
{
    list_part *part = &f->came[i];
    ipt_span url = ipt_span_from(f->parts[i].url);
    ipt_http_answer page = {0};
    bool ok = true;
    if (url.n == 0) {
        ok = get(f, f->parts[i].page, NULL, &page);
        if (ok && (!ipt_feed_find_link(ipt_buf_span(&page.body), &url) || url.n < sizeof(page_host) ||
                   memcmp(url.p, page_host, sizeof(page_host) - 1) != 0))
            ok = say(f->out, "%s: the page has no link to the list", f->parts[i].page);
    }
    if (ok && (size_t)snprintf(part->url, sizeof(part->url), "%.*s", (int)url.n, url.p) >= sizeof(part->url))
        ok = say(f->out, "the URL is too long");
    ipt_http_answer_done(&page);
    return ok;
}

static const list_part *condition_of(const fetching *f, uint32_t i)
{
    const list_job *job = f->job;
    if (!job->conditional || job->part_count != f->count || strcmp(job->parts[i].url, f->came[i].url) != 0)
        return NULL;
    return &job->parts[i];
}

static bool get_part(fetching *f, uint32_t i, bool conditional)
{
    ipt_http_answer_done(&f->answers[i]);
    if (!get(f, f->came[i].url, conditional ? condition_of(f, i) : NULL, &f->answers[i]))
        return false;
    memcpy(f->came[i].etag, f->answers[i].etag, sizeof(f->came[i].etag));
    memcpy(f->came[i].last_modified, f->answers[i].last_modified, sizeof(f->came[i].last_modified));
    return true;
}

/* All parts, or all unchanged: a list of which one part is new and another one old was never published. */
static bool get_parts(fetching *f)
{
    uint32_t unchanged = 0;
    for (uint32_t i = 0; i < f->count; i++) {
        if (!find_url(f, i) || !get_part(f, i, true))
            return false;
        unchanged += f->answers[i].outcome == IPT_HTTP_UNCHANGED;
    }
    if (unchanged == f->count) {
        f->out->outcome = LIST_FETCH_UNCHANGED;
        return true;
    }
    for (uint32_t i = 0; i < f->count; i++)
        if (f->answers[i].outcome == IPT_HTTP_UNCHANGED && !get_part(f, i, false))
            return false;
    f->out->outcome = LIST_FETCH_PARSED;
    return true;
}

static void parse(fetching *f)
{
    ipt_feed_selection selection = selection_of(f->job->spec);
    ipt_span bodies[LIST_PARTS_MAX];
    ipt_update_text why = {0};
    for (uint32_t i = 0; i < f->count; i++)
        bodies[i] = ipt_buf_span(&f->answers[i].body);
    switch (ipt_feed_parse(f->parts, bodies, f->count, &selection, &f->out->feed, &why)) {
    case IPT_FEED_OK:
        memcpy(f->job->parts, f->came, sizeof(f->came));
        f->job->part_count = f->count;
        return;
    case IPT_FEED_REFUSED:
        f->out->outcome = LIST_FETCH_REFUSED;
        (void)say(f->out, "%s", why.text);
        return;
    case IPT_FEED_NO_MEMORY:
        f->out->outcome = LIST_FETCH_FAILED;
        (void)say(f->out, "no memory");
        return;
    }
}

static void fetch_parts(ipt_http *http, list_job *job, const ipt_feed_part *parts, size_t count, list_answer *out)
{
    fetching f = {.http = http, .job = job, .out = out, .count = (uint32_t)count};
    memcpy(f.parts, parts, count * sizeof(*parts));
    *out = (list_answer){0};
    if (get_parts(&f) && out->outcome == LIST_FETCH_PARSED)
        parse(&f);
    for (uint32_t i = 0; i < f.count; i++)
        ipt_http_answer_done(&f.answers[i]);
}

void list_fetch(ipt_http *http, list_job *job, list_answer *out)
{
    const ipt_list_spec *spec = job->spec;
    if (spec->source == IPT_SOURCE_URL) {
        const ipt_feed_part part = {.url = spec->url, .format = format_of(spec)};
        fetch_parts(http, job, &part, 1, out);
        return;
    }
    *out = (list_answer){0};
    (void)say(out, "this provider has no feed");
    for (unsigned alternative = 0;; alternative++) {
        ipt_feed_parts parts = ipt_feed_parts_of(spec->provider, alternative);
        if (parts.count == 0 || parts.count > LIST_PARTS_MAX)
            return;
        fetch_parts(http, job, parts.items, parts.count, out);
        if (out->outcome != LIST_FETCH_FAILED && out->outcome != LIST_FETCH_REFUSED)
            return;
    }
}
