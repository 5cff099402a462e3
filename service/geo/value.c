/* One value of a data section, with its bounds checked. libmaxminddb serves; this reader only decides what it may be
 * shown, because its own bounds are known to be weak. */
#include "geo_priv.h"

/* size bytes, big-endian, at most 8. */
static uint64_t big_endian(const uint8_t *p, uint32_t n)
{
    uint64_t value = 0;
    for (uint32_t i = 0; i < n; i++)
        value = value << 8 | p[i];
    return value;
}

/* The size field behind the control byte and the type byte. */
static bool read_size(const geo_section *section, uint32_t *at, uint8_t control, uint32_t *size)
{
    static const uint32_t base[] = {29, 285, 65821};
    *size = control & 31U;
    if (*size < 29)
        return true;
    uint32_t bytes = *size - 28;
    if (section->n - *at < bytes)
        return false;
    *size = base[bytes - 1] + (uint32_t)big_endian(section->p + *at, bytes);
    *at += bytes;
    return true;
}

static bool read_pointer(const geo_section *section, uint32_t at, uint8_t control, geo_value *out)
{
    static const uint32_t base[] = {0, 2048, 526336, 0};
    uint32_t class = control >> 3 & 3, bytes = class + 1;
    if (section->n - at < bytes)
        return false;
    uint32_t low = (uint32_t)big_endian(section->p + at, bytes);
    uint32_t high = class == 3 ? 0 : (control & 7U) << 8 * bytes;
    *out = (geo_value){.type = MMDB_DATA_TYPE_POINTER, .size = high + low + base[class], .at = at, .next = at + bytes};
    return out->size < section->n;
}

static bool size_fits_type(uint8_t type, uint32_t size)
{
    switch (type) {
    case MMDB_DATA_TYPE_DOUBLE:
        return size == 8;
    case MMDB_DATA_TYPE_FLOAT:
        return size == 4;
    case MMDB_DATA_TYPE_UINT16:
        return size <= 2;
    case MMDB_DATA_TYPE_UINT32:
    case MMDB_DATA_TYPE_INT32:
        return size <= 4;
    case MMDB_DATA_TYPE_UINT64:
        return size <= 8;
    case MMDB_DATA_TYPE_UINT128:
        return size <= 16;
    case MMDB_DATA_TYPE_BOOLEAN:
        return size <= 1;
    case MMDB_DATA_TYPE_UTF8_STRING:
    case MMDB_DATA_TYPE_BYTES:
    case MMDB_DATA_TYPE_MAP:
    case MMDB_DATA_TYPE_ARRAY:
        return true;
    default: /* the data cache container and the end marker are no values */
        return false;
    }
}

bool geo_value_read(const geo_section *section, uint32_t at, geo_value *out)
{
    if (at >= section->n)
        return false;
    uint8_t control = section->p[at++], type = control >> 5;
    if (type == MMDB_DATA_TYPE_POINTER)
        return read_pointer(section, at, control, out);
    if (type == MMDB_DATA_TYPE_EXTENDED) {
        if (at >= section->n || section->p[at] == 0 || section->p[at] > MMDB_DATA_TYPE_FLOAT - 7)
            return false;
        type = (uint8_t)(7 + section->p[at++]);
    }
    uint32_t size;
    if (!read_size(section, &at, control, &size) || !size_fits_type(type, size))
        return false;
    *out = (geo_value){.type = type, .size = size, .at = at, .next = at};
    if (type == MMDB_DATA_TYPE_BOOLEAN)
        return true;
    /* An item takes a byte at least and a pair two: more of them than bytes are left cannot be. */
    uint32_t least = type == MMDB_DATA_TYPE_MAP ? 2 : 1;
    if (size > (section->n - at) / least)
        return false;
    if (type != MMDB_DATA_TYPE_MAP && type != MMDB_DATA_TYPE_ARRAY)
        out->next = at + size;
    return true;
}

bool geo_value_follow(const geo_section *section, uint32_t at, geo_value *out)
{
    if (!geo_value_read(section, at, out))
        return false;
    if (out->type != MMDB_DATA_TYPE_POINTER)
        return true;
    return geo_value_read(section, out->size, out) && out->type != MMDB_DATA_TYPE_POINTER;
}

bool geo_value_skip(const geo_section *section, uint32_t at, uint32_t *next)
{
    uint64_t left =
        1; /* values still to pass: those of a map or array come next, so that nothing has to be remembered */
    while (left > 0) {
        geo_value value;
        if (!geo_value_read(section, at, &value))
            return false;
        left--;
        if (value.type == MMDB_DATA_TYPE_MAP)
            left += UINT64_C(2) * value.size;
        else if (value.type == MMDB_DATA_TYPE_ARRAY)
            left += value.size;
        at = value.next;
    }
    *next = at;
    return true;
}

uint64_t geo_value_uint(const geo_section *section, const geo_value *value)
{
    return big_endian(section->p + value->at, value->size);
}

bool geo_text_is_clean(ipt_span text)
{
    if (text.n == 0 || text.n > IPT_GEO_TEXT_MAX)
        return false;
    bool ascii = true;
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c < 0x20 || c == 0x7f)
            return false;
        ascii = ascii && c < 0x80;
        /* U+0080 to U+009F are control characters, too. */
        if (c == 0xc2 && i + 1 < text.n && (unsigned char)text.p[i + 1] < 0xa0)
            return false;
    }
    return ascii || ipt_span_is_utf8(text);
}
