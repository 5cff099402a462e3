/* What databases say of the client, in four lines. Their text is UTF-8 without control characters, so it is shown as it
 * is; where only ASCII can be shown it is escaped like everything else. */
#include "explain_priv.h"

static ipt_span text_of(const ipt_geo_facts *geo, ipt_geo_field field)
{
    return ipt_geo_has(geo, field) ? geo->values[field].text : (ipt_span){NULL, 0};
}

static void add(ipt_buf *out, const char *between, ipt_span text)
{
    if (text.n == 0)
        return;
    ipt_buf_adds(out, out->n == 0 ? "" : between);
    ipt_buf_add(out, text);
}

/* "London, England, United Kingdom (GB), Europe" */
static void add_place(ipt_buf *out, const ipt_geo_facts *geo)
{
    ipt_span code = text_of(geo, IPT_GEO_COUNTRY_CODE), name = text_of(geo, IPT_GEO_COUNTRY_NAME);
    ipt_span continent = text_of(geo, IPT_GEO_CONTINENT_NAME);
    add(out, ", ", text_of(geo, IPT_GEO_CITY));
    add(out, ", ", text_of(geo, IPT_GEO_REGION_NAME));
    add(out, ", ", name.n != 0 ? name : code);
    if (name.n != 0 && code.n != 0)
        ipt_buf_addf(out, " (%.2s)", code.p);
    add(out, ", ", continent.n != 0 ? continent : text_of(geo, IPT_GEO_CONTINENT_CODE));
}

/* "AS3320 Deutsche Telekom AG, business" */
static void add_network(ipt_buf *out, const ipt_geo_facts *geo)
{
    if (ipt_geo_has(geo, IPT_GEO_ASN))
        ipt_buf_addf(out, "AS%u", geo->values[IPT_GEO_ASN].uint);
    add(out, " ", text_of(geo, IPT_GEO_AS_NAME));
    add(out, ", ", text_of(geo, IPT_GEO_ISP));
    add(out, ", ", text_of(geo, IPT_GEO_USER_TYPE));
    add(out, ", ", text_of(geo, IPT_GEO_CONNECTION_TYPE));
}

static void add_anonymity(ipt_buf *out, const ipt_geo_facts *geo)
{
    static const struct {
        ipt_geo_field field;
        ipt_span yes;
    } rows[] = {
        {IPT_GEO_IS_ANONYMOUS, {"anonymous", 9}},        {IPT_GEO_IS_ANONYMOUS_VPN, {"VPN", 3}},
        {IPT_GEO_IS_PUBLIC_PROXY, {"public proxy", 12}}, {IPT_GEO_IS_RESIDENTIAL_PROXY, {"residential proxy", 17}},
        {IPT_GEO_IS_TOR_EXIT_NODE, {"Tor exit", 8}},     {IPT_GEO_IS_HOSTING_PROVIDER, {"hosting provider", 16}},
    };
    bool told = false;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        told = told || ipt_geo_has(geo, rows[i].field);
        if (ipt_geo_has(geo, rows[i].field) && geo->values[rows[i].field].flag)
            add(out, ", ", rows[i].yes);
    }
    if (told && out->n == 0)
        ipt_buf_adds(out, "no");
}

/* Each file that said something, with what its licence asks to be said. */
static void add_sources(ipt_buf *out, const ipt_decision *d)
{
    uint32_t files = 0;
    for (uint64_t left = d->geo.present; left != 0; left &= left - 1)
        files |= UINT32_C(1) << d->geo.values[__builtin_ctzll(left)].file;
    for (; files != 0; files &= files - 1) {
        ipt_geo_file file = ipt_geo_file_at(d->view->geo, (size_t)__builtin_ctz(files));
        add(out, "; ", ipt_span_from(file.name));
        if (file.attribution != NULL)
            ipt_buf_addf(out, " (%s)", file.attribution);
    }
}

const char *ipt_explain_geo_name(unsigned line)
{
    static const char *const names[IPT_EXPLAIN_GEO] = {"place", "network", "anonymity", "told by"};
    return names[line];
}

void ipt_explain_geo(ipt_buf *out, const ipt_decision *d, unsigned line)
{
    switch (line) {
    case 0:
        add_place(out, &d->geo);
        break;
    case 1:
        add_network(out, &d->geo);
        break;
    case 2:
        add_anonymity(out, &d->geo);
        break;
    default:
        add_sources(out, d);
    }
}

const char *ipt_explain_geo_silence(const ipt_decision *d)
{
    static const struct {
        const char *reason, *text;
    } rows[] = {
        {"not_loaded", "unknown: none of the databases is loaded (not_loaded)"},
        {"not_covered", "unknown: some databases hold IPv4 alone, the others say nothing (not_covered)"},
        {"no_record", "unknown: no database says anything of this address (no_record)"},
    };
    bool is_asked = d->has_client && !d->request->geo_unwanted;
    const char *reason = is_asked ? ipt_view_no_place(d->view, &d->geo) : NULL;
    for (size_t i = 0; i < IPT_COUNT(rows) && reason != NULL; i++) {
        if (strcmp(reason, rows[i].reason) == 0)
            return rows[i].text;
    }
    return NULL;
}
