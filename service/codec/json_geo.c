/* What databases say of an address, as an object: every field, null when nobody said, then where it comes from. */
#include "json_put_priv.h"

/* Degrees with at most six digits behind the point, whatever the locale. */
static void put_degrees(ipt_buf *out, double degrees)
{
    int64_t millionths = (int64_t)(degrees * 1e6 + (degrees < 0 ? -0.5 : 0.5));
    uint64_t left = (uint64_t)(millionths < 0 ? -millionths : millionths);
    char digits[6];
    size_t n = 0;
    if (millionths < 0)
        put_char(out, '-');
    put_number(out, left / 1000000);
    left %= 1000000;
    for (size_t i = IPT_COUNT(digits); i-- > 0; left /= 10) {
        digits[i] = (char)('0' + left % 10);
        if (n == 0 && left % 10 != 0)
            n = i + 1;
    }
    if (n != 0)
        put_char(out, '.');
    put(out, (ipt_span){digits, n});
}

static void put_value(ipt_buf *out, const ipt_geo_facts *facts, ipt_geo_field field)
{
    const ipt_geo_value *value = &facts->values[field];
    if (!ipt_geo_has(facts, field)) {
        put(out, IPT_SPAN("null"));
        return;
    }
    switch (ipt_geo_field_type(field)) {
    case IPT_GEO_TEXT:
        ipt_json_write_string(out, value->text);
        break;
    case IPT_GEO_UINT:
        put_number(out, value->uint);
        break;
    case IPT_GEO_NUMBER:
        put_degrees(out, value->number);
        break;
    case IPT_GEO_FLAG:
        put_bool(out, value->flag);
        break;
    }
}

static void put_sources(ipt_buf *out, const ipt_geo *geo, const ipt_geo_facts *facts, const char *told_by)
{
    const char *between = "\"";
    put(out, IPT_SPAN(",\"sources\":{"));
    for (uint64_t left = facts->present; left != 0; left &= left - 1) {
        ipt_geo_field field = (ipt_geo_field)__builtin_ctzll(left);
        put_words(out, between);
        between = ",\"";
        put_words(out, ipt_geo_field_name(field));
        put(out, IPT_SPAN("\":"));
        put_quoted(out, ipt_geo_file_at(geo, facts->values[field].file).name);
    }
    if (told_by != NULL) {
        put_words(out, between);
        put(out, IPT_SPAN("header_country_code\":"));
        put_quoted(out, told_by);
    }
    put_char(out, '}');
}

/* Files that hold IPv4 alone, when an IPv6 address was asked for. */
static void put_not_covered(ipt_buf *out, const ipt_geo *geo, const ipt_geo_facts *facts)
{
    put(out, IPT_SPAN(",\"not_covered\":["));
    for (uint32_t left = facts->not_covered; left != 0; left &= left - 1) {
        if (left != facts->not_covered)
            put_char(out, ',');
        put_quoted(out, ipt_geo_file_at(geo, (size_t)__builtin_ctz(left)).name);
    }
    put_char(out, ']');
}

void ipt_json_write_geo(ipt_buf *out, const ipt_geo *geo, const ipt_geo_facts *facts, ipt_span told,
                        const char *told_by)
{
    for (unsigned i = 0; i < IPT_GEO_FIELDS; i++) {
        put(out, i == 0 ? IPT_SPAN("{\"") : IPT_SPAN(",\""));
        put_words(out, ipt_geo_field_name((ipt_geo_field)i));
        put(out, IPT_SPAN("\":"));
        put_value(out, facts, (ipt_geo_field)i);
    }
    put(out, IPT_SPAN(",\"header_country_code\":"));
    if (told_by == NULL) {
        put(out, IPT_SPAN("null"));
    } else {
        const char upper[] = {(char)(told.p[0] & ~0x20), (char)(told.p[1] & ~0x20), '\0'};
        put_quoted(out, upper);
    }
    put(out, IPT_SPAN(",\"address\":"));
    put_address(out, facts->addr);
    put(out, IPT_SPAN(",\"embedded\":"));
    put_bool(out, facts->embedded);
    put_not_covered(out, geo, facts);
    put_sources(out, geo, facts, told_by);
    put_char(out, '}');
}
