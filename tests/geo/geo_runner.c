/* The geo module for drivers: `check` opens each file that standard input names and says how it stands, with look-ups
 * when it was taken; `ask FILE...` answers the addresses of standard input from the files as one set; `live FILE` looks
 * up random addresses and takes the file over whenever it is another, until standard input ends. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "iptrust/geo/geo.h"

enum { PROBES = 2000 };

static uint64_t random_state = 88172645463325252U;

static uint64_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static ipt_geo *open_set(const char *const *paths, size_t count)
{
    ipt_geo *geo;
    if (ipt_geo_open(paths, count, NULL, &geo) != IPT_OK) {
        fputs("geo_runner: no memory\n", stderr);
        exit(2);
    }
    return geo;
}

/* Reads every byte of every value, so that a sanitizer sees what lies outside. */
static uint64_t touch(const ipt_geo_facts *facts)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < IPT_GEO_FIELDS; i++) {
        if (!ipt_geo_has(facts, (ipt_geo_field)i) || ipt_geo_field_type((ipt_geo_field)i) != IPT_GEO_TEXT)
            continue;
        for (size_t k = 0; k < facts->values[i].text.n; k++)
            sum += (unsigned char)facts->values[i].text.p[k];
    }
    return sum;
}

static int check(void)
{
    char line[4096];
    while (fgets(line, sizeof(line), stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        const char *path = line;
        ipt_geo *geo = open_set(&path, 1);
        ipt_geo_file file = ipt_geo_file_at(geo, 0);
        ipt_geo_facts facts;
        uint64_t found = 0, sum = 0;
        for (unsigned i = 0; file.loaded && i < PROBES; i++) {
            ipt_addr addr = i % 2 == 0 ? ipt_addr_from_v4((uint32_t)next_random())
                                       : (ipt_addr){UINT64_C(1) << 61 | next_random() >> 4, next_random()};
            ipt_geo_lookup(geo, addr, IPT_GEO_ALL, &facts);
            found += facts.present != 0;
            sum += touch(&facts);
        }
        printf("%s\t%s\t%s\t%llu\t%llu\n", file.loaded ? "loaded" : "refused", ipt_geo_refusal_text(file.refusal), path,
               (unsigned long long)found, (unsigned long long)sum % 10);
        fflush(stdout);
        ipt_geo_unref(geo);
    }
    return 0;
}

static void print_value(const ipt_geo *geo, const ipt_geo_facts *facts, ipt_geo_field field)
{
    const ipt_geo_value *value = &facts->values[field];
    printf("%s\t%s\t", ipt_geo_field_name(field), ipt_geo_file_at(geo, value->file).name);
    switch (ipt_geo_field_type(field)) {
    case IPT_GEO_TEXT:
        printf("%.*s\n", (int)value->text.n, value->text.p);
        break;
    case IPT_GEO_UINT:
        printf("%u\n", value->uint);
        break;
    case IPT_GEO_NUMBER:
        printf("%.10g\n", value->number);
        break;
    case IPT_GEO_FLAG:
        puts(value->flag ? "true" : "false");
        break;
    }
}

static int ask(const char *const *paths, size_t count)
{
    char line[256];
    ipt_geo *geo = open_set(paths, count);
    while (fgets(line, sizeof(line), stdin) != NULL) {
        ipt_addr addr;
        ipt_geo_facts facts;
        if (!ipt_addr_parse((ipt_span){line, strcspn(line, "\n")}, &addr, NULL))
            return 2;
        ipt_geo_lookup(geo, addr, IPT_GEO_ALL, &facts);
        for (unsigned i = 0; i < IPT_GEO_FIELDS; i++) {
            if (ipt_geo_has(&facts, (ipt_geo_field)i))
                print_value(geo, &facts, (ipt_geo_field)i);
        }
        for (size_t i = 0; i < count; i++) {
            if (facts.not_covered >> i & 1)
                printf("not_covered\t%s\t\n", ipt_geo_file_at(geo, i).name);
        }
        puts("."); /* the end of an answer */
    }
    ipt_geo_unref(geo);
    return 0;
}

static bool input_has_ended(void)
{
    struct pollfd input = {.fd = 0, .events = POLLIN};
    char byte;
    return poll(&input, 1, 0) == 1 && read(0, &byte, 1) == 0;
}

static int live(const char *path)
{
    uint64_t lookups = 0, found = 0, taken = 0, refused = 0, sum = 0;
    ipt_geo *geo = open_set(&path, 1);
    while (!input_has_ended()) {
        for (unsigned i = 0; i < 200; i++) {
            ipt_geo_facts facts;
            ipt_geo_lookup(geo, ipt_addr_from_v4((uint32_t)next_random()), IPT_GEO_ALL, &facts);
            found += facts.present != 0;
            sum += touch(&facts);
        }
        lookups += 200;
        if (!ipt_geo_is_outdated(geo))
            continue;
        ipt_geo *fresh;
        if (ipt_geo_open(&path, 1, geo, &fresh) != IPT_OK)
            return 2;
        ipt_geo_unref(geo);
        geo = fresh;
        *(ipt_geo_file_at(geo, 0).refusal == IPT_GEO_TAKEN ? &taken : &refused) += 1;
    }
    bool loaded = ipt_geo_file_at(geo, 0).loaded;
    printf("%llu %llu %llu %llu %d %llu\n", (unsigned long long)lookups, (unsigned long long)found,
           (unsigned long long)taken, (unsigned long long)refused, loaded, (unsigned long long)sum % 10);
    ipt_geo_unref(geo);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "check") == 0)
        return check();
    if (argc > 2 && argc - 2 <= IPT_GEO_FILES_MAX && strcmp(argv[1], "ask") == 0)
        return ask((const char *const *)argv + 2, (size_t)(argc - 2));
    if (argc == 3 && strcmp(argv[1], "live") == 0)
        return live(argv[2]);
    fputs("usage: geo_runner check | ask FILE... | live FILE\n", stderr);
    return 2;
}
