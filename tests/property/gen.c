/* Random requests: addresses from inside and outside the lists of the configurations beside this file, well-formed and
 * broken evidence, often enough arranged as real chains are. */
#include "gen.h"

#include <assert.h>

uint64_t rng_next(rng *r)
{
    r->state ^= r->state >> 12;
    r->state ^= r->state << 25;
    r->state ^= r->state >> 27;
    return r->state * UINT64_C(0x2545f4914f6cdd1d);
}

uint32_t rng_below(rng *r, uint32_t n)
{
    return (uint32_t)((rng_next(r) >> 33) % n);
}

bool rng_one_in(rng *r, uint32_t n)
{
    return rng_below(r, n) == 0;
}

/* Inside some list of the configurations. */
static const char *const inside[] = {
    "10.0.12.1",   "10.0.12.2",   "10.0.12.200", "10.0.12.77",   "fd00:12::5", "10.9.0.7",       "192.168.3.3",
    "11.2.3.4",    "172.31.5.5",  "45.0.0.9",    "173.245.48.7", "172.68.1.2", "2a06:98c0:1::7", "130.176.4.4",
    "151.101.7.7", "147.243.1.1", "35.191.0.4",  "130.211.1.1",  "fd77::1",
};
/* In no list that anyone trusts; the last ones are in an egress. */
static const char *const outside[] = {
    "8.8.8.8",
    "1.1.1.1",
    "9.9.9.9",
    "7.7.7.7",
    "34.1.2.3",
    "2001:4860:4860::8888",
    "203.0.113.9",
    "0.0.0.0",
    "127.0.0.1",
    "240.1.2.3",
    "100.64.3.3",
    "224.0.0.1",
    "fe80::1",
    "ff02::1",
    "64:ff9b::808:808",
    "2002:808:808::1",
    "2002:a00:1::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2a00:64::808:808",
    "2a00:6464:0:8:8:808::",
    "64:ff9b:1:808:8:800::",
    "2a00:1450::5efe:808:808",
    "2a06:98c0:3600::103",
    "2a06:98c0:3600::103",
};
static const char *const bad_tokens[] = {
    "unknown", "_hidden", "garbage",    "",          "010.0.0.1", "8.8.8.8:0",       "[1.2.3.4]",
    "-",       "_",       "8.8.8.8/24", "fe80::1%e", "\"1.1.1.1", "8.8.8.8 9.9.9.9", "8.8.8.8\x01",
};
static const char *const bad_elements[] = {
    "for=unknown",       "for=_h",
    "for=\"unknown:1\"", "",
    "proto=https",       "for=1.1.1.1;for=2.2.2.2",
    "for=[::1]",         "for=\"1.1.1.1",
    "garbage",           "for=1.1.1.1:80",
    "host=\"a;b,c\"",    "for=\"a\\\"b\"",
};
static const char *const singles[] = {
    "X-Real-IP",        "CF-Connecting-IP", "CF-Connecting-IPv6", "X-Client-IP",
    "Fastly-Client-IP", "X-Azure-SocketIP", "True-Client-IP",
};
static const char *const bad_singles[] = {"", "garbage", "1.1.1.1, 2.2.2.2", "unknown", "8.8.8.8:0"};

typedef struct raw_header {
    const char *name, *value;
} raw_header;
static const raw_header raws[] = {
    {"X-Origin-Token", "s3cret-origin"},
    {"X-Origin-Token", "wrong"},
    {"X-Azure-FDID", "0f0f0f0f-1111-2222-3333-444444444444"},
    {"X-Azure-FDID", "0f0f0f0f-1111-2222-3333-444444444445"},
    {"X-Forwarded-Proto", "https"},
    {"X-Forwarded-Host", "example.org"},
    {"X_Forwarded_For", "6.6.6.6"},
    {"X.Real.IP", "6.6.6.6"},
    {"User-Agent", "property"},
    {"Via", "1.1 a"},
    {"CF-Worker", "example.net"},
    {"Host", "www.example.org"},
};
static const char *const connections[] = {"close", "X-Forwarded-For", "close, x-real-ip",
                                          "keep-alive, CF-Connecting-IPv6", "Forwarded"};

static ipt_addr parse(const char *text)
{
    ipt_addr addr = {0, 0};
    bool ok = ipt_addr_parse(ipt_span_from(text), &addr, NULL);
    assert(ok);
    return addr;
}

static gen_entry address(rng *r, const char *const *from, size_t count)
{
    return (gen_entry){.has_addr = true,
                       .secret = !rng_one_in(r, 3),
                       .addr = parse(from[rng_below(r, (uint32_t)count)]),
                       .spelling = rng_one_in(r, 2) ? 0 : (uint32_t)rng_next(r)};
}

bool gen_inside(uint32_t i, ipt_addr *out)
{
    if (i >= IPT_COUNT(inside))
        return false;
    *out = parse(inside[i]);
    return true;
}

/* Mostly one that the policy trusts. */
static gen_entry near_address(rng *r, const gen_pool *pool)
{
    gen_entry entry = address(r, inside, IPT_COUNT(inside));
    if (pool->count > 0 && !rng_one_in(r, 6))
        entry.addr = pool->trusted[rng_below(r, pool->count)];
    return entry;
}

static gen_entry any_address(rng *r)
{
    return rng_one_in(r, 2) ? address(r, inside, IPT_COUNT(inside)) : address(r, outside, IPT_COUNT(outside));
}

static gen_entry bad(rng *r, gen_kind kind)
{
    if (kind == GEN_FORWARDED)
        return (gen_entry){.raw = bad_elements[rng_below(r, IPT_COUNT(bad_elements))]};
    return (gen_entry){.raw = bad_tokens[rng_below(r, IPT_COUNT(bad_tokens))]};
}

static gen_line *add_line(gen_request *out, rng *r, gen_kind kind, const char *name)
{
    gen_line *line = &out->lines[out->line_count++];
    assert(out->line_count <= GEN_LINES);
    line->kind = kind;
    line->name = name;
    line->name_case = rng_one_in(r, 4) ? (uint32_t)rng_next(r) : 0;
    line->count = 0;
    return line;
}

/* As proxies write it: strangers' words at the left, then a client, then trusted hops. */
static void add_list(gen_request *out, rng *r, const gen_pool *pool, gen_kind kind)
{
    const char *name = kind == GEN_XFF ? "X-Forwarded-For" : "Forwarded";
    uint32_t total = rng_one_in(r, 40) ? 60 + rng_below(r, 15) : rng_below(r, 6);
    bool long_chain = total > 8 && rng_one_in(r, 2);
    uint32_t trusted = long_chain ? total - rng_below(r, 4) : rng_below(r, total + 1);
    const gen_entry same = near_address(r, pool);
    gen_line *line = add_line(out, r, kind, name);

    for (uint32_t i = 0; i < total; i++) {
        bool near = i + trusted >= total;
        if (i > 0 && !long_chain && total < 8 && rng_one_in(r, 5))
            line = add_line(out, r, kind, name);
        gen_entry *entry = &line->entries[line->count++];
        if (rng_one_in(r, long_chain ? 400 : 9))
            *entry = bad(r, kind);
        else if (near)
            *entry = long_chain ? same : near_address(r, pool);
        else
            *entry = rng_one_in(r, 5) ? any_address(r) : address(r, outside, IPT_COUNT(outside));
    }
    if (line->count == 0) {
        line->count = 1;
        line->entries[0] = (gen_entry){.raw = ""};
    }
}

/* Half of the time the very address that the list header has near its right end, so that headers agree. */
static gen_entry single_value(const gen_request *out, rng *r)
{
    if (rng_one_in(r, 6))
        return (gen_entry){.raw = bad_singles[rng_below(r, IPT_COUNT(bad_singles))]};
    for (uint32_t i = out->line_count; i > 0 && !rng_one_in(r, 3); i--) {
        const gen_line *line = &out->lines[i - 1];
        if ((line->kind != GEN_XFF && line->kind != GEN_FORWARDED) || line->count == 0)
            continue;
        gen_entry entry = line->entries[line->count - 1 - rng_below(r, line->count < 3 ? line->count : 3)];
        if (entry.has_addr) {
            entry.spelling = (uint32_t)rng_next(r);
            return entry;
        }
    }
    return any_address(r);
}

static void add_single(gen_request *out, rng *r, gen_kind kind, const char *name)
{
    gen_entry value = single_value(out, r);
    gen_line *line = add_line(out, r, kind, name);
    line->count = 1;
    line->entries[0] = value;
}

static void add_others(gen_request *out, rng *r)
{
    for (uint32_t n = rng_below(r, 4); n > 0; n--) {
        raw_header raw = raws[rng_below(r, IPT_COUNT(raws))];
        gen_line *line = add_line(out, r, GEN_RAW, raw.name);
        line->count = 1;
        line->entries[0] = (gen_entry){.raw = raw.value};
    }
    if (rng_one_in(r, 12)) {
        gen_line *line = add_line(out, r, GEN_RAW, "Connection");
        line->count = 1;
        line->entries[0] = (gen_entry){.raw = connections[rng_below(r, IPT_COUNT(connections))]};
    }
}

static void pick_peer(gen_request *out, rng *r, const gen_pool *pool)
{
    uint32_t dice = rng_below(r, 40);
    out->peer_kind = dice == 0 ? GEN_PEER_RAW : dice < 3 ? GEN_PEER_UNIX : GEN_PEER_ADDR;
    out->peer = dice < 36 ? near_address(r, pool) : any_address(r);
    out->peer.raw = "nonsense";
}

static void pick_proxy(gen_request *out, rng *r)
{
    out->proxy = GEN_PROXY_NONE;
    if (!rng_one_in(r, 5))
        return;
    uint32_t dice = rng_below(r, 20);
    out->proxy = dice == 0  ? GEN_PROXY_BAD
                 : dice < 3 ? GEN_PROXY_LOCAL
                 : dice < 5 ? GEN_PROXY_UNKNOWN
                            : GEN_PROXY_SOURCE;
    out->proxy_source = any_address(r).addr;
    out->proxy_v1 = rng_one_in(r, 2);
}

void gen_random(rng *r, const gen_pool *pool, gen_request *out)
{
    out->line_count = 0;
    pick_peer(out, r, pool);
    pick_proxy(out, r);
    if (!rng_one_in(r, 4))
        add_list(out, r, pool, GEN_XFF);
    if (rng_one_in(r, 2))
        add_list(out, r, pool, GEN_FORWARDED);
    for (uint32_t n = rng_below(r, 3); n > 0; n--)
        add_single(out, r, GEN_SINGLE, singles[rng_below(r, IPT_COUNT(singles))]);
    if (rng_one_in(r, 6))
        add_single(out, r, GEN_VIEWER, "CloudFront-Viewer-Address");
    if (rng_one_in(r, 6))
        add_single(out, r, GEN_ATTRIBUTE, "arg_realip");
    add_others(out, r);
    gen_shuffle(r, out);
    out->principal = rng_one_in(r, 2) ? "spiffe://example/edge" : rng_one_in(r, 2) ? "spiffe://example/other" : NULL;
    out->caller = rng_one_in(r, 8) ? IPT_CALLER_UNKNOWN : IPT_CALLER_TRUSTED;
    out->headers_merged = rng_one_in(r, 20);
    out->http_parser_lax = rng_one_in(r, 20);
}

/* ---- the same request said otherwise ---- */

void gen_respell(rng *r, gen_request *form)
{
    form->peer.spelling = (uint32_t)rng_next(r);
    for (uint32_t i = 0; i < form->line_count; i++) {
        form->lines[i].name_case = (uint32_t)rng_next(r);
        for (uint32_t k = 0; k < form->lines[i].count; k++)
            form->lines[i].entries[k].spelling = (uint32_t)rng_next(r);
    }
}

static bool is_list(const gen_line *line)
{
    return line->kind == GEN_XFF || line->kind == GEN_FORWARDED;
}

bool gen_line_balanced(const gen_line *line)
{
    for (uint32_t k = 0; line->kind == GEN_FORWARDED && k < line->count; k++) {
        const char *raw = line->entries[k].has_addr ? NULL : line->entries[k].raw;
        size_t quotes = 0;
        for (; raw != NULL && *raw != '\0'; raw++)
            quotes += *raw == '"' ? 1U : 0U;
        if (quotes % 2 != 0)
            return false;
    }
    return true;
}

static bool is_blank(const gen_line *line)
{
    for (uint32_t k = 0; k < line->count; k++)
        if (line->entries[k].has_addr || line->entries[k].raw[0] != '\0')
            return false;
    return true;
}

/* Lines of empty entries alone are left whole: two empty lines are an absent header, one line `,` is not (section 4).
 */
bool gen_split(rng *r, gen_request *form)
{
    uint32_t start = rng_below(r, GEN_LINES);
    if (form->line_count == GEN_LINES)
        return false;
    for (uint32_t n = 0; n < form->line_count; n++) {
        uint32_t at = (start + n) % form->line_count;
        gen_line *line = &form->lines[at];
        if (!is_list(line) || line->count < 2 || is_blank(line) || !gen_line_balanced(line))
            continue;
        memmove(line + 1, line, (form->line_count - at) * sizeof(*line));
        form->line_count++;
        uint32_t cut = 1 + rng_below(r, line->count - 1);
        gen_line *right = line + 1;
        memmove(right->entries, right->entries + cut, (right->count - cut) * sizeof(gen_entry));
        right->count -= cut;
        line->count = cut;
        return true;
    }
    return false;
}

bool gen_join(gen_request *form)
{
    for (uint32_t i = 0; i + 1 < form->line_count; i++) {
        gen_line *a = &form->lines[i];
        gen_line *b = a + 1;
        if (!is_list(a) || a->kind != b->kind || a->count + b->count > GEN_ENTRIES || (is_blank(a) && is_blank(b)) ||
            !gen_line_balanced(a) || !gen_line_balanced(b))
            continue;
        memcpy(a->entries + a->count, b->entries, b->count * sizeof(gen_entry));
        a->count += b->count;
        memmove(b, b + 1, (form->line_count - i - 2) * sizeof(*b));
        form->line_count--;
        return true;
    }
    return false;
}

bool gen_same_name(const gen_line *a, const gen_line *b)
{
    return a->kind == b->kind && ipt_span_equal_nocase(ipt_span_from(a->name), ipt_span_from(b->name));
}

void gen_shuffle(rng *r, gen_request *form)
{
    /* Neighbours of different names change places: every order that keeps the lines of one name can be reached. */
    for (uint32_t n = 4 * form->line_count; form->line_count > 1 && n > 0; n--) {
        gen_line *line = &form->lines[rng_below(r, form->line_count - 1)];
        if (gen_same_name(line, line + 1))
            continue;
        gen_line swap = line[0];
        line[0] = line[1];
        line[1] = swap;
    }
}

/* As many as fit, often enough to pass the 64 that are examined. */
bool gen_prepend(rng *r, gen_request *form, gen_kind header)
{
    uint32_t at = 0;
    while (at < form->line_count && form->lines[at].kind != header)
        at++;
    if (at == form->line_count)
        return false;
    gen_line *line = &form->lines[at];
    bool fresh = form->line_count < GEN_LINES && (rng_one_in(r, 2) || !gen_line_balanced(line));
    if (!fresh && !gen_line_balanced(line))
        return false;
    if (fresh) {
        memmove(line + 1, line, (form->line_count - at) * sizeof(*line));
        form->line_count++;
        line->count = 0;
    }
    uint32_t room = GEN_ENTRIES - line->count;
    if (room == 0)
        return false;
    uint32_t more = rng_one_in(r, 4) ? room : 1 + rng_below(r, room < 4 ? room : 4);
    memmove(line->entries + more, line->entries, line->count * sizeof(gen_entry));
    line->count += more;
    for (uint32_t i = 0; i < more; i++)
        line->entries[i] = rng_one_in(r, 4) ? bad(r, header) : any_address(r);
    return true;
}

void gen_strip(gen_request *form)
{
    form->line_count = 0;
    form->proxy = GEN_PROXY_NONE;
    form->principal = NULL;
    form->headers_merged = false;
}
