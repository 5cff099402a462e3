/* The first lines of the log: what is in force, where lists come from, and on a terminal what to try next. */
#include "daemon_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "iptrust/ranges/feed.h"

static ipt_span url_host(const char *url)
{
    const char *begin = strstr(url, "://");
    begin = begin == NULL ? url : begin + 3;
    return (ipt_span){begin, strcspn(begin, "/:?#")};
}

static ipt_span part_host(const ipt_feed_part *part)
{
    return url_host(part->url == NULL ? part->page : part->url);
}

/* The first host that a list is fetched from; .n 0: none. */
static ipt_span refresh_host(const ipt_list_spec *spec)
{
    if (spec->source == IPT_SOURCE_URL && spec->url != NULL)
        return url_host(spec->url);
    ipt_feed_parts parts = {NULL, 0};
    if (spec->source == IPT_SOURCE_PROVIDER)
        parts = ipt_feed_parts_of(spec->provider, 0);
    return parts.count == 0 ? (ipt_span){NULL, 0} : part_host(&parts.items[0]);
}

static void announce_list(ipt_log *log, const ipt_view_list *list)
{
    ipt_log_line line;
    ipt_span host = refresh_host(list->spec);
    ipt_log_begin(&line, log, list->spec->failed ? IPT_LOG_WARNING : IPT_LOG_INFO, "list");
    ipt_log_str(&line, "list", ipt_span_from(list->spec->name));
    ipt_log_num(&line, "prefixes", (int64_t)list->spec->prefix_count);
    ipt_log_str(&line, "contents",
                ipt_span_from(list->spec->bundled ? "built-in snapshot" : ipt_list_source_name(list->spec->source)));
    if (list->fetched_at[0] != '\0')
        ipt_log_str(&line, "date", ipt_span_from(list->fetched_at));
    if (host.n != 0)
        ipt_log_str(&line, "refresh_host", host);
    ipt_log_end(&line);
}

typedef struct hosts {
    char text[IPT_LOG_TEXT_MAX];
    size_t n;
} hosts;

/* Each host once. */
static void add_host(hosts *to, ipt_span host)
{
    for (const char *seen = to->text; seen != NULL && host.n != 0; seen = strstr(seen, ", ")) {
        seen += seen != to->text ? 2 : 0;
        if (strcspn(seen, ",") == host.n && memcmp(seen, host.p, host.n) == 0)
            return;
    }
    int more =
        snprintf(to->text + to->n, sizeof(to->text) - to->n, "%s%.*s", to->n == 0 ? "" : ", ", (int)host.n, host.p);
    if (more > 0 && (size_t)more < sizeof(to->text) - to->n)
        to->n += (size_t)more;
    to->text[to->n] = '\0';
}

/* Those that are tried when the first does not answer, too: nobody shall be surprised by a connection. */
static void gather_hosts(const ipt_view *view, hosts *to)
{
    for (size_t i = 0; i < view->list_count; i++) {
        const ipt_list_spec *spec = view->lists[i].spec;
        if (spec->source == IPT_SOURCE_URL && spec->url != NULL)
            add_host(to, url_host(spec->url));
        if (spec->source != IPT_SOURCE_PROVIDER)
            continue;
        ipt_feed_parts parts;
        for (unsigned choice = 0; (parts = ipt_feed_parts_of(spec->provider, choice)).count != 0; choice++) {
            for (size_t k = 0; k < parts.count; k++) {
                add_host(to, part_host(&parts.items[k]));
                if (parts.items[k].page != NULL) /* it leads there and nowhere else (ipt_feed_find_link) */
                    add_host(to, IPT_SPAN("download.microsoft.com"));
            }
        }
    }
}

static void gather_central(const ipt_config *config, hosts *to)
{
    const ipt_central_spec *central = config->central;
    if (central != NULL && central->url != NULL)
        add_host(to, url_host(central->url));
    for (size_t i = 0; central != NULL && i < central->endpoint_count; i++)
        add_host(to, url_host(central->endpoints[i]));
}

bool daemon_refreshes(void)
{
    const char *refresh = getenv("IPTRUST_REFRESH");
    return refresh == NULL || strcmp(refresh, "off") != 0;
}

void daemon_announce(ipt_log *log, const ipt_view *view, const char *config_path)
{
    hosts named = {.n = 0};
    bool off = !daemon_refreshes();
    ipt_log_line line;
    gather_hosts(view, &named);
    ipt_log_begin(&line, log, IPT_LOG_INFO, "iptrustd starting");
    ipt_log_str(&line, "version", ipt_span_from(IPTRUST_VERSION));
    ipt_log_str(&line, "config", ipt_span_from(config_path == NULL ? "embedded default" : config_path));
    ipt_log_str(&line, "policies", ipt_span_from(view->policies_revision));
    ipt_log_str(&line, "lists", ipt_span_from(view->lists_revision));
    hosts central = {.n = 0};
    gather_central(view->config, &central);
    if (central.n != 0)
        ipt_log_str(&line, "central_hosts", ipt_span_from(central.text));
    ipt_log_str(&line, "refresh_hosts", ipt_span_from(off ? "none (IPTRUST_REFRESH=off)" : named.text));
    ipt_log_end(&line);
    for (size_t i = 0; i < view->list_count; i++)
        announce_list(log, &view->lists[i]);
}

void daemon_hint(ipt_log *log, const char *http_address)
{
    char text[512];
    if (!ipt_log_is_text(log) || http_address == NULL)
        return;
    bool is_unix = strncmp(http_address, "unix:", 5) == 0;
    char where[220];
    if (is_unix)
        snprintf(where, sizeof(where), "--unix-socket %s http://localhost", http_address + 5);
    else
        snprintf(where, sizeof(where), "http://%s", http_address);
    snprintf(text, sizeof(text),
             "try: curl -s %s/v1/resolve -d '{\"peer\":\"127.0.0.1\",\"headers\":[[\"X-Forwarded-For\",\"8.8.8.8\"]]}'",
             where);
    ipt_log_note(log, IPT_LOG_INFO, text, NULL, NULL);
    if (!is_unix) {
        snprintf(text, sizeof(text), "or open %s/ in a browser; iptrust explain shows the same in a terminal", where);
        ipt_log_note(log, IPT_LOG_INFO, text, NULL, NULL);
    }
}

bool daemon_raise_descriptors(ipt_log *log, uint32_t connections)
{
    enum { OURS = 64, HARDLY_ANY = OURS + 16 };
    struct rlimit limit;
    rlim_t need = (rlim_t)connections + OURS;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= need)
        return true;
    limit.rlim_cur = limit.rlim_max < need ? limit.rlim_max : need;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur >= need)
        return true;
    ipt_log_line line;
    bool enough = limit.rlim_cur >= HARDLY_ANY;
    ipt_log_begin(&line, log, enough ? IPT_LOG_WARNING : IPT_LOG_ERROR,
                  enough ? "fewer descriptors than limits.connections needs" : "too few descriptors to serve anybody");
    ipt_log_num(&line, "descriptors", (int64_t)limit.rlim_cur);
    ipt_log_num(&line, "needed", (int64_t)need);
    ipt_log_end(&line);
    return enough;
}
