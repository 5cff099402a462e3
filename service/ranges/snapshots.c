/* Snapshots compiled in, so that a daemon that has fetched nothing yet knows the usual networks: facts copied from what
 * the providers publish, each with its day and origin, by rising address, IPv4 first. */
#include "iptrust/ranges/provider.h"

/* Cloudflare, https://www.cloudflare.com/ips-v4 and /ips-v6, as published on 2026-05-06 (07:19 UTC); the IPv4 list has
 * not changed since 2021-04-08. */
static const ipt_prefix cloudflare[] = {
    {{0, 0xffff6715f400}, 118},    /* 103.21.244.0/22 */
    {{0, 0xffff6716c800}, 118},    /* 103.22.200.0/22 */
    {{0, 0xffff671f0400}, 118},    /* 103.31.4.0/22 */
    {{0, 0xffff68100000}, 109},    /* 104.16.0.0/13 */
    {{0, 0xffff68180000}, 110},    /* 104.24.0.0/14 */
    {{0, 0xffff6ca2c000}, 114},    /* 108.162.192.0/18 */
    {{0, 0xffff83004800}, 118},    /* 131.0.72.0/22 */
    {{0, 0xffff8d654000}, 114},    /* 141.101.64.0/18 */
    {{0, 0xffffa29e0000}, 111},    /* 162.158.0.0/15 */
    {{0, 0xffffac400000}, 109},    /* 172.64.0.0/13 */
    {{0, 0xffffadf53000}, 116},    /* 173.245.48.0/20 */
    {{0, 0xffffbc726000}, 116},    /* 188.114.96.0/20 */
    {{0, 0xffffbe5df000}, 116},    /* 190.93.240.0/20 */
    {{0, 0xffffc5eaf000}, 118},    /* 197.234.240.0/22 */
    {{0, 0xffffc6298000}, 113},    /* 198.41.128.0/17 */
    {{0x2400cb0000000000, 0}, 32}, /* 2400:cb00::/32 */
    {{0x2405810000000000, 0}, 32}, /* 2405:8100::/32 */
    {{0x2405b50000000000, 0}, 32}, /* 2405:b500::/32 */
    {{0x2606470000000000, 0}, 32}, /* 2606:4700::/32 */
    {{0x2803f80000000000, 0}, 32}, /* 2803:f800::/32 */
    {{0x2a0698c000000000, 0}, 29}, /* 2a06:98c0::/29 */
    {{0x2c0ff24800000000, 0}, 32}, /* 2c0f:f248::/32 */
};

/* AWS, https://ip-ranges.amazonaws.com/ip-ranges.json, service CLOUDFRONT_ORIGIN_FACING: createDate
 * 2026-08-22-15-17-05, syncToken 1787411825 (which is that time). */
static const ipt_prefix cloudfront_origin_facing[] = {
    {{0, 0xffff031d3900}, 122},    /* 3.29.57.0/26 */
    {{0, 0xffff03ac0000}, 114},    /* 3.172.0.0/18 */
    {{0, 0xffff03ac4000}, 114},    /* 3.172.64.0/18 */
    {{0, 0xffff0d7cc700}, 120},    /* 13.124.199.0/24 */
    {{0, 0xffff0f9e0000}, 112},    /* 15.158.0.0/16 */
    {{0, 0xffff12440000}, 112},    /* 18.68.0.0/16 */
    {{0, 0xffff186e8000}, 113},    /* 24.110.128.0/17 */
    {{0, 0xffff342e0000}, 114},    /* 52.46.0.0/18 */
    {{0, 0xffff34528000}, 119},    /* 52.82.128.0/23 */
    {{0, 0xffff34528600}, 119},    /* 52.82.134.0/23 */
    {{0, 0xffff36b68000}, 116},    /* 54.182.128.0/20 */
    {{0, 0xffff36b69000}, 117},    /* 54.182.144.0/21 */
    {{0, 0xffff36b69a00}, 119},    /* 54.182.154.0/23 */
    {{0, 0xffff36b69c00}, 118},    /* 54.182.156.0/22 */
    {{0, 0xffff36b6a000}, 117},    /* 54.182.160.0/21 */
    {{0, 0xffff36b6ac00}, 118},    /* 54.182.172.0/22 */
    {{0, 0xffff36b6b000}, 117},    /* 54.182.176.0/21 */
    {{0, 0xffff36b6b800}, 118},    /* 54.182.184.0/22 */
    {{0, 0xffff36b6bc00}, 119},    /* 54.182.188.0/23 */
    {{0, 0xffff36b6e000}, 117},    /* 54.182.224.0/21 */
    {{0, 0xffff36b6f000}, 117},    /* 54.182.240.0/21 */
    {{0, 0xffff36b6f800}, 118},    /* 54.182.248.0/22 */
    {{0, 0xffff36ef8600}, 119},    /* 54.239.134.0/23 */
    {{0, 0xffff36efaa00}, 119},    /* 54.239.170.0/23 */
    {{0, 0xffff36efcc00}, 118},    /* 54.239.204.0/22 */
    {{0, 0xffff36efd000}, 117},    /* 54.239.208.0/21 */
    {{0, 0xffff40fc4000}, 114},    /* 64.252.64.0/18 */
    {{0, 0xffff40fc8000}, 114},    /* 64.252.128.0/18 */
    {{0, 0xffff46840000}, 114},    /* 70.132.0.0/18 */
    {{0, 0xffff82b00000}, 114},    /* 130.176.0.0/18 */
    {{0, 0xffff82b04000}, 117},    /* 130.176.64.0/21 */
    {{0, 0xffff82b04800}, 118},    /* 130.176.72.0/22 */
    {{0, 0xffff82b04c00}, 120},    /* 130.176.76.0/24 */
    {{0, 0xffff82b04e00}, 119},    /* 130.176.78.0/23 */
    {{0, 0xffff82b05000}, 118},    /* 130.176.80.0/22 */
    {{0, 0xffff82b05600}, 119},    /* 130.176.86.0/23 */
    {{0, 0xffff82b05800}, 117},    /* 130.176.88.0/21 */
    {{0, 0xffff82b06000}, 115},    /* 130.176.96.0/19 */
    {{0, 0xffff82b08000}, 117},    /* 130.176.128.0/21 */
    {{0, 0xffff82b08800}, 119},    /* 130.176.136.0/23 */
    {{0, 0xffff82b08c00}, 118},    /* 130.176.140.0/22 */
    {{0, 0xffff82b09000}, 116},    /* 130.176.144.0/20 */
    {{0, 0xffff82b0a000}, 115},    /* 130.176.160.0/19 */
    {{0, 0xffff82b0c000}, 115},    /* 130.176.192.0/19 */
    {{0, 0xffffccf6a600}, 120},    /* 204.246.166.0/24 */
    {{0, 0xffffcdfbda00}, 120},    /* 205.251.218.0/24 */
    {{0x2600900010000000, 0}, 36}, /* 2600:9000:1000::/36 */
    {{0x2600900052000000, 0}, 40}, /* 2600:9000:5200::/40 */
    {{0x2600900060000000, 0}, 36}, /* 2600:9000:6000::/36 */
};

typedef struct snapshot_row {
    ipt_provider provider;
    const char *service; /* the one service asked for; NULL: the provider has none */
    ipt_snapshot snapshot;
} snapshot_row;

static const snapshot_row snapshots[] = {
    {IPT_PROVIDER_CLOUDFLARE, NULL, {cloudflare, IPT_COUNT(cloudflare), 1778051940, NULL}},
    {IPT_PROVIDER_AWS,
     "CLOUDFRONT_ORIGIN_FACING",
     {cloudfront_origin_facing, IPT_COUNT(cloudfront_origin_facing), 1787411825, "1787411825"}},
};

ipt_snapshot ipt_provider_snapshot(ipt_provider provider, const char *const *services, size_t count)
{
    for (size_t i = 0; i < IPT_COUNT(snapshots); i++) {
        const snapshot_row *row = &snapshots[i];
        if (row->provider != provider || (row->service == NULL) != (count == 0))
            continue;
        /* A snapshot of one service must not stand in for a list of two. */
        if (row->service == NULL || (count == 1 && strcmp(row->service, services[0]) == 0))
            return row->snapshot;
    }
    return (ipt_snapshot){0};
}
