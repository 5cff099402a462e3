/* A file of any bytes is opened, asked and let go. Property: whatever is taken can be asked any address without a read
 * outside of it (the sanitizer watches, and a file that ends where its last page does has nothing mapped behind it),
 * what is told keeps its promises, and a second opening of the same bytes judges the same. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "iptrust/geo/geo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void look(const ipt_geo *geo, ipt_addr addr)
{
    ipt_geo_facts facts;
    volatile unsigned char seen = 0;
    ipt_geo_lookup(geo, addr, IPT_GEO_ALL, &facts);
    must((facts.present & ~ipt_geo_fields(geo)) == 0);
    for (unsigned i = 0; i < IPT_GEO_FIELDS; i++) {
        const ipt_geo_value *value = &facts.values[i];
        if (!ipt_geo_has(&facts, (ipt_geo_field)i))
            continue;
        must(value->file == 0);
        if (ipt_geo_field_type((ipt_geo_field)i) != IPT_GEO_TEXT)
            continue;
        must(value->text.n != 0 && value->text.n <= IPT_GEO_TEXT_MAX && ipt_span_is_utf8(value->text));
        for (size_t k = 0; k < value->text.n; k++) {
            seen = (unsigned char)value->text.p[k];
            must(seen >= 0x20 && seen != 0x7f);
        }
    }
    if (ipt_geo_has(&facts, IPT_GEO_COUNTRY_CODE))
        must(facts.values[IPT_GEO_COUNTRY_CODE].text.n == 2);
}

/* Addresses that differ in their first bits reach every part of a small tree. */
static void look_around(const ipt_geo *geo)
{
    for (uint64_t i = 0; i < 256; i++) {
        look(geo, ipt_addr_from_v4((uint32_t)(i << 24 | i << 8 | 1)));
        look(geo, (ipt_addr){i << 56 | i, i << 56});
    }
    look(geo, (ipt_addr){0, 0});
    look(geo, (ipt_addr){UINT64_MAX, UINT64_MAX});
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[32];
    const char *paths[] = {path};
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    must(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    ipt_geo *geo = NULL, *again = NULL;
    must(ipt_geo_open(paths, 1, NULL, &geo) == IPT_OK && ipt_geo_open(paths, 1, NULL, &again) == IPT_OK);
    ipt_geo_file a = ipt_geo_file_at(geo, 0), b = ipt_geo_file_at(again, 0);
    must(a.loaded == b.loaded && a.refusal == b.refusal && a.loaded == (a.refusal == IPT_GEO_TAKEN));
    must(!a.loaded || a.bytes == size);
    look_around(geo);
    ipt_geo_unref(geo);
    ipt_geo_unref(again);
    close(fd);
    return 0;
}
