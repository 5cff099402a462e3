/* One address asked of one database. The file has been checked, so that what libmaxminddb says is believed; only texts
 * of a file with some that cannot be shown are looked at again. */
#include <arpa/inet.h>

#include "geo_priv.h"

static bool is_code(ipt_span text)
{
    return text.n == 2 && text.p[0] >= 'A' && text.p[0] <= 'Z' && text.p[1] >= 'A' && text.p[1] <= 'Z';
}

/* "AS15169", "as15169" or "15169". */
static bool asn_from_text(ipt_span text, uint32_t *out)
{
    if (text.n > 2 && ipt_lower(text.p[0]) == 'a' && ipt_lower(text.p[1]) == 's')
        text = (ipt_span){text.p + 2, text.n - 2};
    uint64_t number = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9' || i == 10)
            return false;
        number = number * 10 + (uint64_t)(text.p[i] - '0');
    }
    *out = (uint32_t)number;
    return text.n != 0 && number <= UINT32_MAX;
}

static bool take_uint(const MMDB_entry_data_s *data, uint32_t *out)
{
    switch (data->type) {
    case MMDB_DATA_TYPE_UINT16:
        *out = data->uint16;
        return true;
    case MMDB_DATA_TYPE_UINT32:
        *out = data->uint32;
        return true;
    case MMDB_DATA_TYPE_UINT64:
        *out = (uint32_t)data->uint64;
        return data->uint64 <= UINT32_MAX;
    default:
        return false;
    }
}

/* A float carries seven digits: five of them behind the point are a metre, and the rest is noise. */
static double rounded(float value)
{
    double scaled = (double)value * 1e5;
    return (double)(int64_t)(scaled + (scaled < 0 ? -0.5 : 0.5)) / 1e5;
}

static bool take_degrees(const MMDB_entry_data_s *data, double limit, double *out)
{
    bool is_float = data->type == MMDB_DATA_TYPE_FLOAT;
    if (!is_float && data->type != MMDB_DATA_TYPE_DOUBLE)
        return false;
    double value = is_float ? (double)data->float_value : data->double_value;
    if (!(value >= -limit && value <= limit)) /* what is no number is refused, too */
        return false;
    *out = is_float ? rounded(data->float_value) : value;
    return true;
}

static bool take_text(const MMDB_entry_data_s *data, bool is_clean, ipt_span *out)
{
    if (data->type != MMDB_DATA_TYPE_UTF8_STRING || data->data_size == 0)
        return false;
    ipt_span text = {data->utf8_string, data->data_size};
    if (!is_clean && !geo_text_is_clean(text))
        return false;
    *out = text;
    return true;
}

static bool take(const MMDB_entry_data_s *data, geo_kind kind, bool is_clean, ipt_geo_value *out)
{
    ipt_span text;
    switch (kind) {
    case GEO_KIND_TEXT:
        return take_text(data, is_clean, &out->text);
    case GEO_KIND_CODE:
        return take_text(data, is_clean, &out->text) && is_code(out->text);
    case GEO_KIND_NAME:
        return take_text(data, is_clean, &out->text) && !is_code(out->text);
    case GEO_KIND_UINT:
        return take_uint(data, &out->uint);
    case GEO_KIND_ASN:
        /* 0 is reserved, RFC 7607; some files write it for none */
        return (take_text(data, is_clean, &text) ? asn_from_text(text, &out->uint) : take_uint(data, &out->uint)) &&
               out->uint != 0;
    case GEO_KIND_LATITUDE:
        return take_degrees(data, 90, &out->number);
    case GEO_KIND_LONGITUDE:
        return take_degrees(data, 180, &out->number);
    case GEO_KIND_FLAG:
        out->flag = data->boolean;
        return data->type == MMDB_DATA_TYPE_BOOLEAN;
    }
    return false;
}

/* has_data false: the record has no such path, which is no error. */
static bool get(MMDB_entry_s *from, const char *const *path, MMDB_entry_data_s *out)
{
    return MMDB_aget_value(from, out, path) == MMDB_SUCCESS && out->has_data;
}

static void note(const geo_database *database, const geo_leaf *leaf, const MMDB_entry_data_s *data, uint8_t file,
                 ipt_geo_facts *out)
{
    ipt_geo_value *value = &out->values[leaf->field];
    if ((out->present >> leaf->field & 1) != 0 || !take(data, (geo_kind)leaf->kind, database->is_clean, value))
        return;
    value->file = file;
    out->present |= UINT64_C(1) << leaf->field;
}

/* The only leaf of a group that is still asked for, by its path from the record. */
static void ask_leaf(const geo_database *database, MMDB_entry_s *record, const geo_step *step, const geo_leaf *leaf,
                     uint8_t file, ipt_geo_facts *out)
{
    const char *path[IPT_COUNT(step->path)];
    MMDB_entry_data_s data;
    size_t n = 0;
    while (step->path[n] != NULL) {
        path[n] = step->path[n];
        n++;
    }
    for (size_t i = 0; i < IPT_COUNT(leaf->path) && leaf->path[i] != NULL; i++)
        path[n++] = leaf->path[i];
    path[n] = NULL;
    if (get(record, path, &data))
        note(database, leaf, &data, file, out);
}

/* NULL when several leaves are asked for. */
static const geo_leaf *only_leaf(const geo_step *step, uint64_t asked)
{
    const geo_leaf *only = NULL;
    for (unsigned i = 0; i < step->leaf_count; i++) {
        if ((asked >> step->leaves[i]->field & 1) == 0)
            continue;
        if (only != NULL)
            return NULL;
        only = step->leaves[i];
    }
    return only;
}

static void ask_step(const geo_database *database, MMDB_entry_s *record, const geo_step *step, uint64_t wanted,
                     uint8_t file, ipt_geo_facts *out)
{
    MMDB_entry_data_s data;
    const geo_leaf *only = only_leaf(step, wanted & ~out->present);
    if (only != NULL) {
        ask_leaf(database, record, step, only, file, out);
        return;
    }
    if (!get(record, step->path, &data))
        return;
    /* The rest of the path starts where the group lies, so that the record is searched once for all of them. */
    MMDB_entry_s group = {.mmdb = &database->mmdb, .offset = data.offset};
    bool is_map = data.type == MMDB_DATA_TYPE_MAP;
    for (unsigned i = 0; i < step->leaf_count; i++) {
        const geo_leaf *leaf = step->leaves[i];
        MMDB_entry_data_s below;
        if ((wanted & ~out->present & UINT64_C(1) << leaf->field) == 0)
            continue;
        if (leaf->path[0] == NULL)
            note(database, leaf, &data, file, out);
        else if (is_map && get(&group, leaf->path, &below))
            note(database, leaf, &below, file, out);
    }
}

static MMDB_lookup_result_s find(const geo_database *database, ipt_addr addr, int *error)
{
    if (ipt_addr_is_v4(addr)) {
        struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(ipt_addr_v4(addr))};
        return MMDB_lookup_sockaddr(&database->mmdb, (const struct sockaddr *)&v4, error);
    }
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    for (unsigned i = 0; i < 8; i++) {
        v6.sin6_addr.s6_addr[i] = (uint8_t)(addr.hi >> (56 - 8 * i));
        v6.sin6_addr.s6_addr[8 + i] = (uint8_t)(addr.lo >> (56 - 8 * i));
    }
    return MMDB_lookup_sockaddr(&database->mmdb, (const struct sockaddr *)&v6, error);
}

bool geo_database_ask(const geo_database *database, ipt_addr addr, uint64_t wanted, uint8_t file, ipt_geo_facts *out)
{
    int error = MMDB_SUCCESS;
    MMDB_lookup_result_s result = find(database, addr, &error);
    if (error != MMDB_SUCCESS)
        return false;
    if (!result.found_entry)
        return true;
    for (size_t i = 0; i < database->step_count; i++) {
        const geo_step *step = &database->steps[i];
        if ((step->fields & wanted & ~out->present) != 0)
            ask_step(database, &result.entry, step, wanted, file, out);
    }
    return true;
}
