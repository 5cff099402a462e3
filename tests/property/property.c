/* The properties of decision.md, section 8, on seeded random requests over the configurations beside this file.
 *
 *   property DIRECTORY [REQUESTS [SEED]]
 *
 * Prints how often each property was really exercised and fails when one was exercised too seldom to mean anything. */
#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "naive.h"

#define NOW   INT64_C(1795348800) /* 2026-11-22T12:00:00Z */
#define YEARS INT64_C(315360000)

static const char *const worlds[] = {"edge", "stack", "proof", "bound"};
/* Of a thousand requests, how many must exercise a property. */
static const unsigned per_mille[PROPERTIES] = {
    [I1_UNTRUSTED_PEER] = 100,     [I2_PREPENDED_ENTRIES] = 60,
    [I3_LEVEL_FROM_REASONS] = 900, [I4_CLIENT_FROM_VOUCHED_POSITION] = 900,
    [I5_LINES_ARE_JOINED] = 150,   [I6_SPELLING] = 900,
    [I7_EMPTIED_LISTS] = 500,      [I7_AGED_LISTS] = 900,
    [I9_SAME_BYTES] = 900,         [I10_HEADER_ORDER] = 500,
    [DETAIL_AGREES] = 900,
};

static void die(const char *what, const char *which)
{
    (void)fprintf(stderr, "property: %s %s\n", what, which);
    exit(2);
}

static ipt_buf read_file(const char *directory, const char *name)
{
    char path[4096];
    char chunk[4096];
    ipt_buf out = {0};
    (void)snprintf(path, sizeof(path), "%s/%s.yaml", directory, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        die("cannot read", path);
    for (size_t n = fread(chunk, 1, sizeof(chunk), file); n > 0; n = fread(chunk, 1, sizeof(chunk), file))
        ipt_buf_add(&out, (ipt_span){chunk, n});
    (void)fclose(file);
    return out;
}

static ipt_view *build(ipt_span yaml, const char *directory, const char *name)
{
    const ipt_config_options options = {.base_dir = directory};
    ipt_diag diag;
    ipt_config *config = NULL;
    ipt_view *view = NULL;
    if (ipt_diag_init(&diag) != IPT_OK)
        die("no memory for", name);
    ipt_err err = ipt_config_parse(yaml, name, &options, &diag, &config);
    for (const ipt_diag_item *item = diag.first; err != IPT_OK && item != NULL; item = item->next)
        (void)fprintf(stderr, "%s:%u:%u: %s\n", name, item->place.line, item->place.column, item->text);
    if (err != IPT_OK || ipt_view_build_take(config, NOW, &view) != IPT_OK)
        die("no view of", name);
    ipt_diag_done(&diag);
    return view;
}

/* The configuration with one list's prefixes taken out: each list stands on a line of its own. */
static ipt_view *build_emptied(ipt_span yaml, const char *directory, const char *name, const char *list)
{
    char key[80];
    ipt_buf text = {0};
    (void)snprintf(key, sizeof(key), "\n  %s:", list);
    const char *line = memmem(yaml.p, yaml.n, key, strlen(key));
    const char *end = line == NULL ? NULL : memchr(line + 1, '\n', (size_t)(yaml.p + yaml.n - line) - 1);
    const char *from = end == NULL ? NULL : memmem(line, (size_t)(end - line), "prefixes: [", 11);
    if (from == NULL)
        return NULL;
    const char *to = memchr(from, ']', (size_t)(end - from));
    ipt_buf_add(&text, (ipt_span){yaml.p, (size_t)(from + 11 - yaml.p)});
    ipt_buf_add(&text, (ipt_span){to, (size_t)(yaml.p + yaml.n - to)});
    ipt_view *view = build(ipt_buf_span(&text), directory, name);
    ipt_buf_done(&text);
    return view;
}

static void fill_pools(world *w)
{
    ipt_addr addr = {0, 0};
    for (size_t p = 0; p < w->base->policy_count; p++)
        for (uint32_t i = 0; gen_inside(i, &addr); i++)
            if (naive_trusted(w->base, &w->base->policies[p], addr, IPT_LIST_NONE))
                w->pools[p].trusted[w->pools[p].count++] = addr;
}

static void world_build(world *w, const char *directory, const char *name)
{
    ipt_buf yaml = read_file(directory, name);
    w->name = name;
    w->base = build(ipt_buf_span(&yaml), directory, name);
    if (ipt_view_refresh(w->base, NOW + YEARS, &w->aged) != IPT_OK || w->base->list_count > WORLD_LISTS ||
        w->base->policy_count > WORLD_POLICIES)
        die("no aged view of", name);
    fill_pools(w);
    size_t emptied = 0;
    for (size_t i = 0; i < w->base->list_count; i++) {
        const ipt_view_list *list = &w->base->lists[i];
        w->emptied[i] = list->empty ? NULL : build_emptied(ipt_buf_span(&yaml), directory, name, list->spec->name);
        emptied += w->emptied[i] != NULL ? 1U : 0U;
    }
    if (emptied < 3)
        die("lists cannot be emptied in", name);
    ipt_buf_done(&yaml);
}

static void world_done(world *w)
{
    for (size_t i = 0; i < WORLD_LISTS; i++)
        ipt_view_free(w->emptied[i]);
    ipt_view_free(w->aged);
    ipt_view_free(w->base);
}

static bool report(const tally *t)
{
    bool good = true;
    (void)printf("property: %llu requests, %llu refused\n", (unsigned long long)t->requests,
                 (unsigned long long)t->refused);
    for (unsigned reason = 0; reason < IPT_REASON_ORIGINS; reason++) {
        (void)printf("  origin %-28s %9llu\n", ipt_reason_name((ipt_reason)reason),
                     (unsigned long long)t->origins[reason]);
        if (t->origins[reason] == 0 && t->requests >= 100000) {
            (void)printf("FAILED the origin %s never came up\n", ipt_reason_name((ipt_reason)reason));
            good = false;
        }
    }
    for (unsigned p = 0; p < PROPERTIES; p++) {
        bool enough = t->exercised[p] * 1000 >= t->requests * per_mille[p];
        (void)printf("  %-38s %9llu exercised %9llu failed%s\n", property_name((property)p),
                     (unsigned long long)t->exercised[p], (unsigned long long)t->failed[p],
                     enough ? "" : "  (exercised too seldom)");
        good = good && enough && t->failed[p] == 0;
    }
    return good;
}

int main(int argc, char **argv)
{
    static const char usage[] = "DIRECTORY [REQUESTS [SEED]]";
    if (argc < 2)
        die("usage: property", usage);
    uint64_t requests = argc > 2 ? strtoull(argv[2], NULL, 10) : 200000;
    uint64_t seed = argc > 3 ? strtoull(argv[3], NULL, 10) : 20261122;
    world built[IPT_COUNT(worlds)] = {0};
    bench *b = calloc(1, sizeof(*b));
    tally t = {0};
    if (b == NULL || requests == 0)
        die("no memory or no requests", "");
    for (size_t i = 0; i < IPT_COUNT(worlds); i++)
        world_build(&built[i], argv[1], worlds[i]);
    for (uint64_t i = 0; i < requests; i++) {
        /* Each request has a seed of its own, so that one can be looked at alone. */
        b->rng.state = (seed + i) * UINT64_C(0x9e3779b97f4a7c15) | 1;
        (void)rng_next(&b->rng);
        b->number = seed + i;
        b->world = &built[i % IPT_COUNT(worlds)];
        check_request(b, &t);
    }
    bool good = report(&t);
    ipt_buf_done(&b->json);
    ipt_buf_done(&b->other_json);
    free(b);
    for (size_t i = 0; i < IPT_COUNT(worlds); i++)
        world_done(&built[i]);
    return good ? 0 : 1;
}
