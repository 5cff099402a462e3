/* Which parts a provider's list has, and one answer out of their bodies. */
#include "iptrust/ranges/feed.h"

#include <stdio.h>
#include <stdlib.h>

#include "feed_priv.h"
#include "iptrust/ranges/text.h"

/* ---- collecting ---- */

bool ipt_collect(ipt_collector *to, ipt_prefix prefix)
{
    if (to->count == to->room) {
        size_t room = to->room == 0 ? 64 : 2 * to->room;
        ipt_prefix *items = realloc(to->items, room * sizeof(*items));
        if (items == NULL) {
            to->no_memory = true;
            return false;
        }
        to->items = items;
        to->room = room;
    }
    to->items[to->count++] = prefix;
    return true;
}

bool ipt_collect_parse(ipt_collector *to, ipt_span text, ipt_ip family, const char *place, ipt_prefix *out)
{
    ipt_prefix prefix;
    ipt_prefix_result result = ipt_prefix_parse(text, &prefix);
    if (result != IPT_PREFIX_OK && result != IPT_PREFIX_BARE) {
        char complaint[160];
        ipt_prefix_complain(text, result, complaint, sizeof(complaint));
        return ipt_update_say(to->why, IPT_UPDATE_BODY, "%s: %s", place, complaint);
    }
    if (family != IPT_IP_ANY && ipt_prefix_is_v4(prefix) != (family == IPT_IP_V4)) {
        char shown[IPT_PREFIX_TEXT];
        ipt_prefix_format(prefix, shown);
        return ipt_update_say(to->why, IPT_UPDATE_FAMILY, "%s: %s is no %s prefix, and only those belong here", place,
                              shown, ipt_ip_name(family));
    }
    *out = prefix;
    return true;
}

bool ipt_collect_text(ipt_collector *to, ipt_span text, ipt_ip family, const char *place)
{
    ipt_prefix prefix;
    return ipt_collect_parse(to, text, family, place, &prefix) && ipt_collect(to, prefix);
}

bool ipt_feed_read_text(ipt_collector *to, ipt_span body, ipt_ip family)
{
    ipt_ranges_text cursor = {.rest = body};
    ipt_prefix prefix;
    ipt_span found;
    ipt_ranges_step step;
    while ((step = ipt_ranges_text_next(&cursor, &prefix, NULL, &found)) != IPT_RANGES_END) {
        char place[32];
        snprintf(place, sizeof(place), "line %u", cursor.line);
        if (!ipt_collect_text(to, found, family, place))
            return false;
    }
    return true;
}

/* ---- providers ---- */

static const ipt_feed_part cloudflare_api[] = {
    {"https://api.cloudflare.com/client/v4/ips", NULL, IPT_FEED_CLOUDFLARE, IPT_IP_ANY},
};
static const ipt_feed_part cloudflare_text[] = {
    {"https://www.cloudflare.com/ips-v4", NULL, IPT_FEED_TEXT, IPT_IP_V4},
    {"https://www.cloudflare.com/ips-v6", NULL, IPT_FEED_TEXT, IPT_IP_V6},
};
static const ipt_feed_part aws[] = {
    {"https://ip-ranges.amazonaws.com/ip-ranges.json", NULL, IPT_FEED_AWS, IPT_IP_ANY},
};
static const ipt_feed_part fastly[] = {
    {"https://api.fastly.com/public-ip-list", NULL, IPT_FEED_FASTLY, IPT_IP_ANY},
};
/* Google documents its balancers' ranges in prose alone; these two files can at least take them back. */
static const ipt_feed_part google_lb[] = {
    {"https://www.gstatic.com/ipranges/goog.json", NULL, IPT_FEED_GOOGLE_LB, IPT_IP_ANY},
    {"https://www.gstatic.com/ipranges/cloud.json", NULL, IPT_FEED_GOOGLE_LB_NOT, IPT_IP_ANY},
};
static const ipt_feed_part google[] = {
    {"https://www.gstatic.com/ipranges/cloud.json", NULL, IPT_FEED_GOOGLE, IPT_IP_ANY},
};
static const ipt_feed_part azure[] = {
    {NULL, "https://www.microsoft.com/en-us/download/details.aspx?id=56519", IPT_FEED_AZURE, IPT_IP_ANY},
};
static const ipt_feed_part bunny[] = {
    {"https://api.bunny.net/system/edgeserverlist", NULL, IPT_FEED_ADDRESSES, IPT_IP_V4},
    {"https://api.bunny.net/system/edgeserverlist/ipv6", NULL, IPT_FEED_ADDRESSES, IPT_IP_V6},
};
static const ipt_feed_part imperva[] = {
    {"https://my.incapsula.com/api/integration/v1/ips?resp_format=json", NULL, IPT_FEED_IMPERVA, IPT_IP_ANY},
};
static const ipt_feed_part cdn77[] = {
    {"https://prefixlists.tools.cdn77.com/public_lmax_prefixes.json", NULL, IPT_FEED_CDN77, IPT_IP_ANY},
};
static const ipt_feed_part oracle[] = {
    {"https://docs.oracle.com/iaas/tools/public_ip_ranges.json", NULL, IPT_FEED_ORACLE, IPT_IP_ANY},
};
static const ipt_feed_part digitalocean[] = {
    {"https://www.digitalocean.com/geo/google.csv", NULL, IPT_FEED_CSV, IPT_IP_ANY},
};
static const ipt_feed_part github[] = {
    {"https://api.github.com/meta", NULL, IPT_FEED_GITHUB, IPT_IP_ANY},
};

#define PARTS(array)              \
    {                             \
        (array), IPT_COUNT(array) \
    }
static const struct {
    ipt_provider provider;
    ipt_feed_parts parts;
} rows[] = {
    {IPT_PROVIDER_CLOUDFLARE, PARTS(cloudflare_api)},
    {IPT_PROVIDER_CLOUDFLARE, PARTS(cloudflare_text)},
    {IPT_PROVIDER_AWS, PARTS(aws)},
    {IPT_PROVIDER_FASTLY, PARTS(fastly)},
    {IPT_PROVIDER_GOOGLE_LB, PARTS(google_lb)},
    {IPT_PROVIDER_GOOGLE, PARTS(google)},
    {IPT_PROVIDER_AZURE, PARTS(azure)},
    {IPT_PROVIDER_BUNNY, PARTS(bunny)},
    {IPT_PROVIDER_IMPERVA, PARTS(imperva)},
    {IPT_PROVIDER_CDN77, PARTS(cdn77)},
    {IPT_PROVIDER_ORACLE, PARTS(oracle)},
    {IPT_PROVIDER_DIGITALOCEAN, PARTS(digitalocean)},
    {IPT_PROVIDER_GITHUB, PARTS(github)},
};

ipt_feed_parts ipt_feed_parts_of(ipt_provider provider, unsigned alternative)
{
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        if (rows[i].provider == provider && alternative-- == 0)
            return rows[i].parts;
    }
    return (ipt_feed_parts){0};
}

/* ---- a link in a page ---- */

static bool is_path_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '/' || c == '-' ||
           c == '_' || c == '.';
}

/* The eight digits of .../ServiceTags_Public_20260506.json, or 0. */
static uint64_t dated(ipt_span link)
{
    static const char front[] = "/ServiceTags_Public_", back[] = ".json";
    enum { FRONT = sizeof(front) - 1, BACK = sizeof(back) - 1, DATE = 8 };
    uint64_t date;
    if (link.n < FRONT + DATE + BACK)
        return 0;
    const char *tail = link.p + link.n - (FRONT + DATE + BACK);
    if (memcmp(tail, front, FRONT) != 0 || memcmp(tail + FRONT + DATE, back, BACK) != 0)
        return 0;
    return ipt_feed_number((ipt_span){tail + FRONT, DATE}, &date) ? date : 0;
}

bool ipt_feed_find_link(ipt_span page, ipt_span *url)
{
    static const char front[] = "https://download.microsoft.com/download/";
    enum { FRONT = sizeof(front) - 1 };
    uint64_t newest = 0;
    for (const char *p = page.p, *end = page.p + page.n; p != NULL;) {
        p = (size_t)(end - p) < FRONT ? NULL : memmem(p, (size_t)(end - p), front, FRONT);
        if (p == NULL)
            break;
        size_t n = FRONT;
        while (p + n < end && is_path_char(p[n]))
            n++;
        uint64_t date = dated((ipt_span){p, n});
        if (date > newest) {
            newest = date;
            *url = (ipt_span){p, n};
        }
        p += n;
    }
    return newest != 0;
}

/* ---- the whole ---- */

/* Most wrong bodies are pages for people, and "line 1: ... is no prefix" would hide that. */
static bool check_page(ipt_collector *to, ipt_span body)
{
    while (body.n != 0 && (ipt_span_trim((ipt_span){body.p, 1}).n == 0 || body.p[0] == '\n' || body.p[0] == '\r')) {
        body.p++;
        body.n--;
    }
    if (body.n == 0)
        return ipt_update_say(to->why, IPT_UPDATE_EMPTY, "the body of %s is empty", to->name);
    if (body.p[0] == '<')
        return ipt_update_say(to->why, IPT_UPDATE_BODY, "the body of %s is a page for people, not a list: %.*s",
                              to->name, (int)(body.n < 60 ? body.n : 60), body.p);
    return true;
}

static bool read_part(ipt_collector *to, const ipt_feed_part *part, ipt_span body)
{
    if (!check_page(to, body))
        return false;
    if (part->format == IPT_FEED_TEXT)
        return ipt_feed_read_text(to, body, part->family);
    if (part->format == IPT_FEED_CSV)
        return ipt_feed_read_csv(to, body, part->family);
    return ipt_feed_read_json(to, body, part);
}

static bool read_parts(ipt_collector *to, const ipt_feed_part *parts, const ipt_span *bodies, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t before = to->count;
        to->name = parts[i].url == NULL ? (parts[i].page == NULL ? "the list" : parts[i].page) : parts[i].url;
        if (!read_part(to, &parts[i], bodies[i]))
            return false;
        if (to->count == before && parts[i].format != IPT_FEED_GOOGLE_LB_NOT)
            return ipt_update_say(to->why, IPT_UPDATE_EMPTY, "%s lists no prefix", to->name);
    }
    return true;
}

ipt_feed_result ipt_feed_parse(const ipt_feed_part *parts, const ipt_span *bodies, size_t count,
                               const ipt_feed_selection *selection, ipt_feed *out, ipt_update_text *why)
{
    ipt_collector to = {.selection = selection, .why = why};
    if (!read_parts(&to, parts, bodies, count)) {
        free(to.items);
        return to.no_memory ? IPT_FEED_NO_MEMORY : IPT_FEED_REFUSED;
    }
    out->set = (ipt_prefix_set){to.items, ipt_prefixes_sort(to.items, to.count)};
    out->version = to.version;
    return IPT_FEED_OK;
}

void ipt_feed_done(ipt_feed *feed)
{
    ipt_prefix_set_done(&feed->set);
    *feed = (ipt_feed){0};
}

/* ---- what it depends on ---- */

static void describe_text(ipt_buf *out, const char *key, const char *text)
{
    if (text == NULL)
        return;
    ipt_buf_addf(out, "%s%s=\"", out->n == 0 ? "" : " ", key);
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '"' || *p == '\\')
            ipt_buf_addc(out, '\\');
        ipt_buf_addc(out, *p);
    }
    ipt_buf_addc(out, '"');
}

void ipt_feed_describe(ipt_buf *out, ipt_provider provider, const char *url, ipt_feed_format format,
                       const ipt_feed_selection *selection)
{
    static const char *const formats[] = {"text", "json", "csv"};
    if (provider != IPT_PROVIDER_NONE) {
        describe_text(out, "provider", ipt_provider_name(provider));
        for (size_t i = 0; i < selection->service_count; i++)
            describe_text(out, "service", selection->services[i]);
        return;
    }
    describe_text(out, "url", url);
    describe_text(out, "format", (size_t)format < IPT_COUNT(formats) ? formats[format] : "text");
    if (format == IPT_FEED_JSON)
        describe_text(out, "path", selection->path);
    if (format == IPT_FEED_CSV)
        describe_text(out, "column", selection->column);
}
