/* Where the client is: what the view's databases say, and whether a provider in front of us says the same. */
#include "resolve_priv.h"

void place_client(work *w)
{
    ipt_decision *d = w->out;
    d->has_geo = false;
    d->told_header = IPT_NAME_NONE;
    w->geo_asked = false;
    if (w->view->geo == NULL || !d->has_client)
        return;
    bool shown = w->detail == IPT_DETAIL_FULL && !w->request->geo_unwanted;
    uint64_t wanted = shown ? IPT_GEO_ALL : w->policy->geo_rules;
    if (wanted == 0)
        return;
    ipt_view_place(w->view, d->client, wanted, &d->geo);
    d->has_geo = shown && ipt_geo_fields(w->view->geo) != 0;
    w->geo_asked = true;
}

static bool is_vouched_context(const ipt_context *context, ipt_name name)
{
    for (size_t i = 0; i < context->vouched_count; i++) {
        if (context->vouched[i] == name)
            return true;
    }
    return false;
}

/* One line with the code of a country. XX is unknown and T1 the Tor network, neither of them a country. */
static bool read_country(work *w, ipt_name name, ipt_span *out)
{
    ipt_span text;
    if (!is_vouched_context(&w->out->context, name) || count_values(w, name, &text) != 1)
        return false;
    text = ipt_span_trim(text);
    if (text.n != 2 || ipt_span_equal_nocase(text, IPT_SPAN("xx")))
        return false;
    for (size_t i = 0; i < 2; i++) {
        char c = ipt_lower(text.p[i]);
        if (c < 'a' || c > 'z')
            return false;
    }
    *out = text;
    return true;
}

static const ipt_name countries[] = {IPT_NAME_CF_IPCOUNTRY, IPT_NAME_CLOUDFRONT_VIEWER_COUNTRY};

void read_countries(work *w)
{
    ipt_decision *d = w->out;
    for (size_t i = 0; i < IPT_COUNT(countries) && d->has_geo && d->told_header == IPT_NAME_NONE; i++) {
        if (read_country(w, countries[i], &d->told_country))
            d->told_header = countries[i];
    }
}

void find_geo_conflicts(work *w, void (*add)(work *w, ipt_finding_code code, ipt_name name))
{
    const ipt_decision *d = w->out;
    if (!d->has_geo || !ipt_geo_has(&d->geo, IPT_GEO_COUNTRY_CODE))
        return;
    for (size_t i = 0; i < IPT_COUNT(countries); i++) {
        ipt_span told;
        if (read_country(w, countries[i], &told) &&
            !ipt_span_equal_nocase(told, d->geo.values[IPT_GEO_COUNTRY_CODE].text))
            add(w, IPT_FINDING_GEO_CONFLICT, countries[i]);
    }
}
