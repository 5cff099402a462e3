/* Our side of the benchmark of geo data: random addresses asked of two files, by us and by libmaxminddb's own bare
 * look-up of the same paths, in turns. bench_geo CITY ASN [ROUNDS]; one JSON object a round, nanoseconds an address. */
#include <arpa/inet.h>
#include <maxminddb.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "iptrust/geo/geo.h"

enum { ADDRESSES = 400000, TURN = 500 };

/* What a decision asks for: all that these two files hold. */
#define FIELDS IPT_GEO_ALL

/* clang-format off */
static const char *const city_paths[][5] = {
    {"continent", "code", NULL}, {"continent", "names", "en", NULL},
    {"country", "iso_code", NULL}, {"country", "names", "en", NULL}, {"country", "is_in_european_union", NULL},
    {"subdivisions", "0", "names", "en", NULL}, {"city", "names", "en", NULL},
    {"location", "latitude", NULL}, {"location", "longitude", NULL},
};
/* clang-format on */
static const char *const asn_paths[][5] = {{"autonomous_system_number", NULL},
                                           {"autonomous_system_organization", NULL}};

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static uint64_t ask_bare(const MMDB_s *mmdb, uint32_t v4, const char *const paths[][5], size_t count)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(v4)};
    int error = 0;
    uint64_t found = 0;
    MMDB_lookup_result_s result = MMDB_lookup_sockaddr(mmdb, (const struct sockaddr *)&address, &error);
    for (size_t i = 0; error == MMDB_SUCCESS && result.found_entry && i < count; i++) {
        MMDB_entry_data_s data;
        found += MMDB_aget_value(&result.entry, &data, paths[i]) == MMDB_SUCCESS && data.has_data;
    }
    return found;
}

int main(int argc, char **argv)
{
    MMDB_s city, asn;
    ipt_geo *geo = NULL;
    if (argc < 3 || MMDB_open(argv[1], MMDB_MODE_MMAP, &city) != MMDB_SUCCESS ||
        MMDB_open(argv[2], MMDB_MODE_MMAP, &asn) != MMDB_SUCCESS ||
        ipt_geo_open((const char *const *)argv + 1, 2, NULL, &geo) != IPT_OK || !ipt_geo_file_at(geo, 0).loaded ||
        !ipt_geo_file_at(geo, 1).loaded) {
        fputs("usage: bench_geo CITY ASN [ROUNDS]\n", stderr);
        return 2;
    }
    uint32_t *addresses = malloc(ADDRESSES * sizeof(*addresses));
    uint64_t random = 88172645463325252U;
    for (size_t i = 0; addresses != NULL && i < ADDRESSES; i++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        addresses[i] = (uint32_t)(random >> 16);
    }
    int rounds = argc > 3 ? (int)strtol(argv[3], NULL, 10) : 5;
    for (int round = -1; addresses != NULL && round < rounds; round++) { /* the first one warms up */
        uint64_t bare = 0, ours = 0;
        double bare_ns = 0, ours_ns = 0;
        /* In short turns, each its own addresses, so that a noisy machine disturbs both alike. */
        for (size_t at = 0; at + 2 * TURN <= ADDRESSES; at += 2 * TURN) {
            double a = now_ns();
            for (size_t i = 0; i < TURN; i++)
                bare += ask_bare(&city, addresses[at + i], city_paths, IPT_COUNT(city_paths)) +
                        ask_bare(&asn, addresses[at + i], asn_paths, IPT_COUNT(asn_paths));
            double b = now_ns();
            for (size_t i = TURN; i < 2 * TURN; i++) {
                ipt_geo_facts facts;
                ipt_geo_lookup(geo, ipt_addr_from_v4(addresses[at + i]), FIELDS, &facts);
                ours += (unsigned)__builtin_popcountll(facts.present);
            }
            bare_ns += b - a;
            ours_ns += now_ns() - b;
        }
        if (round >= 0)
            printf("{\"bare_ns\":%.1f,\"ours_ns\":%.1f,\"ratio\":%.3f,\"bare_found\":%llu,\"ours_found\":%llu}\n",
                   bare_ns * 2 / ADDRESSES, ours_ns * 2 / ADDRESSES, ours_ns / bare_ns, (unsigned long long)bare,
                   (unsigned long long)ours);
    }
    free(addresses);
    ipt_geo_unref(geo);
    MMDB_close(&city);
    MMDB_close(&asn);
    return 0;
}
