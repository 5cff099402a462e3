/* Times the address parser and the longest-prefix table; not a test. */
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "iptrust/net/lpm.h"

enum { LOOKUPS = 1 << 18, ROUNDS = 25, REQUEST = 4 /* addresses of a request, prefetched together */ };

static uint64_t seed = UINT64_C(0x9e3779b97f4a7c15);

static uint64_t draw(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed * UINT64_C(0x2545f4914f6cdd1d);
}

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* The quietest of several rounds: everything else is somebody else's work. */
static double quietest(const double rounds[ROUNDS])
{
    double best = rounds[0];
    for (int r = 1; r < ROUNDS; r++)
        best = rounds[r] < best ? rounds[r] : best;
    return best;
}

static ipt_addr random_v6(void)
{
    return (ipt_addr){UINT64_C(0x2000000000000000) | draw() >> 3, draw()};
}

static void fill(ipt_lpm_entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool v4 = i % 4 != 3;
        ipt_addr addr = v4 ? ipt_addr_from_v4((uint32_t)draw()) : random_v6();
        unsigned len = v4 ? 112 + (unsigned)(draw() % 9) : 32 + (unsigned)(draw() % 17);
        entries[i] = (ipt_lpm_entry){ipt_prefix_of(addr, len), (uint16_t)(draw() % 16)};
    }
}

/* Half inside some prefix, half anywhere in its family. */
static void pick(const ipt_lpm_entry *entries, size_t count, int family, ipt_addr *out)
{
    for (size_t i = 0; i < LOOKUPS; i++) {
        const ipt_lpm_entry *e = &entries[draw() % count];
        while (family != 0 && ipt_prefix_is_v4(e->prefix) != (family == 4))
            e = &entries[draw() % count];
        bool v4 = ipt_prefix_is_v4(e->prefix);
        ipt_addr any = v4 ? ipt_addr_from_v4((uint32_t)draw()) : random_v6();
        if (draw() & 1) {
            ipt_addr base = ipt_prefix_of(any, e->prefix.len).addr; /* keep the host bits of any, take the prefix */
            any.hi = (any.hi ^ base.hi) | e->prefix.addr.hi;
            any.lo = (any.lo ^ base.lo) | e->prefix.addr.lo;
        }
        out[i] = any;
    }
}

static uint64_t sink;

static uint64_t find_free(const ipt_lpm *lpm, const ipt_addr *addrs)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < LOOKUPS; i++)
        sum += ipt_lpm_find(lpm, addrs[i])->count;
    return sum;
}

/* Each look-up waits for the one before. */
static uint64_t find_chained(const ipt_lpm *lpm, const ipt_addr *addrs)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < LOOKUPS; i++) {
        ipt_addr addr = addrs[i];
        addr.lo ^= sum >> 63;
        addr.hi ^= sum >> 63;
        sum += ipt_lpm_find(lpm, addr)->count;
    }
    return sum;
}

/* The addresses of a request are asked for together, then walked one after the other. */
static uint64_t find_prefetched(const ipt_lpm *lpm, const ipt_addr *addrs)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < LOOKUPS; i += REQUEST) {
        for (size_t k = 0; k < REQUEST; k++) {
            ipt_addr addr = addrs[i + k];
            addr.lo ^= sum >> 63;
            addr.hi ^= sum >> 63;
            ipt_lpm_prefetch(lpm, addr);
        }
        for (size_t k = 0; k < REQUEST; k++) {
            ipt_addr addr = addrs[i + k];
            addr.lo ^= sum >> 63;
            addr.hi ^= sum >> 63;
            sum += ipt_lpm_find(lpm, addr)->count;
        }
    }
    return sum;
}

static double time_find(const ipt_lpm *lpm, const ipt_addr *addrs, uint64_t (*find)(const ipt_lpm *, const ipt_addr *))
{
    double rounds[ROUNDS];
    for (int r = 0; r < ROUNDS; r++) {
        double start = now();
        sink += find(lpm, addrs);
        rounds[r] = (now() - start) / LOOKUPS;
    }
    return quietest(rounds);
}

static void bench_table(size_t count)
{
    ipt_lpm_entry *entries = malloc(count * sizeof(*entries));
    ipt_addr *addrs = malloc(LOOKUPS * sizeof(*addrs));
    ipt_lpm *lpm;
    if (entries == NULL || addrs == NULL)
        abort();
    fill(entries, count);
    double start = now();
    if (ipt_lpm_build(entries, count, &lpm) != IPT_OK)
        abort();
    printf("%8zu prefixes: build %.1f ms, %zu KiB\n", count, (now() - start) / 1e6, ipt_lpm_bytes(lpm) / 1024);
    for (int family = 0; family <= 6; family = family == 0 ? 4 : family + 2) {
        pick(entries, count, family, addrs);
        double loose = time_find(lpm, addrs, find_free), chained = time_find(lpm, addrs, find_chained);
        double warm = time_find(lpm, addrs, find_prefetched);
        printf("   %-5s free %.1f ns, chained %.1f ns, prefetched by %d %.1f ns\n",
               family == 0   ? "both"
               : family == 4 ? "IPv4"
                             : "IPv6",
               loose, chained, REQUEST, warm);
    }
    ipt_lpm_free(lpm);
    free(addrs);
    free(entries);
}

static void bench_parse(bool v4)
{
    enum { TEXTS = 4096 };
    static char text[TEXTS][IPT_ADDR_TEXT];
    static size_t n[TEXTS];
    for (size_t i = 0; i < TEXTS; i++)
        n[i] = ipt_addr_format(v4 ? ipt_addr_from_v4((uint32_t)draw()) : random_v6(), text[i]);
    double parse[ROUNDS], format[ROUNDS];
    for (int r = 0; r < ROUNDS; r++) {
        double start = now();
        ipt_addr addr = {0, 0};
        for (int k = 0; k < 16; k++) {
            for (size_t i = 0; i < TEXTS; i++) {
                if (!ipt_addr_parse((ipt_span){text[i], n[i]}, &addr, NULL))
                    abort();
                sink += addr.lo;
            }
        }
        parse[r] = (now() - start) / 16 / TEXTS;
        start = now();
        for (size_t i = 0; i < 16 * TEXTS; i++) {
            char out[IPT_ADDR_TEXT];
            addr.lo += UINT64_C(0x01010103);
            if (v4)
                addr.lo &= UINT64_C(0xffffffffffff);
            sink += ipt_addr_format(addr, out) + (unsigned char)out[3] + (uint64_t)ipt_addr_class(addr);
        }
        format[r] = (now() - start) / 16 / TEXTS;
    }
    printf("%s: parse %.1f ns, format and class %.1f ns\n", v4 ? "IPv4" : "IPv6", quietest(parse), quietest(format));
}

int main(int argc, char **argv)
{
    static const size_t sizes[] = {200, 11000, 1000000};
    bench_parse(true);
    bench_parse(false);
    for (size_t i = 0; i < IPT_COUNT(sizes); i++) {
        if (argc < 2 || strtoul(argv[1], NULL, 10) == sizes[i])
            bench_table(sizes[i]);
    }
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    printf("peak resident set %ld KiB (checksum %" PRIu64 ")\n", usage.ru_maxrss, sink);
    return 0;
}
