/* Writes a small database for the system tests: geo_make country6|asn4 FILE PREFIX VALUE... */
#include <maxminddb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "maker.h"

int main(int argc, char **argv)
{
    static maker m;
    bool asn = argc > 1 && strcmp(argv[1], "asn4") == 0;
    if (argc < 5 || argc % 2 == 0 || (!asn && strcmp(argv[1], "country6") != 0)) {
        fputs("usage: geo_make country6|asn4 FILE PREFIX VALUE...\n", stderr);
        return 2;
    }
    maker_init(&m, asn ? 4 : 6, 28, asn ? "Test-ASN" : "Test-Country");
    for (int i = 3; i + 1 < argc; i += 2) {
        uint32_t at = maker_map(&m, 1);
        (void)maker_text(&m, asn ? "autonomous_system_number" : "country_code");
        if (asn)
            (void)maker_uint(&m, MMDB_DATA_TYPE_UINT32, strtoul(argv[i + 1], NULL, 10));
        else
            (void)maker_text(&m, argv[i + 1]);
        maker_add(&m, argv[i], at);
    }
    maker_write(&m, argv[2]);
    return 0;
}
