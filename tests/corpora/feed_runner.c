/* The library's feeds as a program, for the checks in Python: `parse` reads bodies and prints what came out. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "iptrust/ranges/feed.h"

enum { SERVICES_MAX = 64, FILES_MAX = 4 };

typedef struct order {
    const char *what; /* a provider's name, or text, json, csv */
    unsigned alternative;
    ipt_feed_selection selection;
    const char *services[SERVICES_MAX];
    const char *files[FILES_MAX];
    size_t file_count;
} order;

static _Noreturn void fail(const char *what, const char *why)
{
    fprintf(stderr, "feed_runner: %s: %s\n", what, why);
    exit(2);
}

static ipt_span read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    size_t room = 1 << 16, n = 0, got;
    char *p = malloc(room);
    if (file == NULL || p == NULL)
        fail(path, strerror(errno));
    while ((got = fread(p + n, 1, room - n, file)) != 0) {
        n += got;
        if (n == room && (p = realloc(p, room *= 2)) == NULL)
            fail(path, "no memory");
    }
    fclose(file);
    return (ipt_span){p, n};
}

static order read_order(int argc, char **argv)
{
    order o = {0};
    for (int i = 2; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--service") == 0 && o.selection.service_count < SERVICES_MAX)
            o.services[o.selection.service_count++] = value;
        else if (strcmp(argv[i], "--path") == 0)
            o.selection.path = value;
        else if (strcmp(argv[i], "--column") == 0)
            o.selection.column = value;
        else if (strcmp(argv[i], "--alternative") == 0)
            o.alternative = (unsigned)strtoul(value, NULL, 10);
        else {
            if (o.what == NULL)
                o.what = argv[i];
            else if (o.file_count < FILES_MAX)
                o.files[o.file_count++] = argv[i];
            continue;
        }
        i++;
    }
    return o;
}

static ipt_feed_parts parts_of(const order *o, ipt_feed_part *own)
{
    static const char *const formats[] = {"text", "json", "csv"};
    ipt_provider provider = ipt_provider_find(ipt_span_from(o->what));
    if (provider != IPT_PROVIDER_NONE)
        return ipt_feed_parts_of(provider, o->alternative);
    for (size_t i = 0; i < IPT_COUNT(formats); i++) {
        if (strcmp(o->what, formats[i]) == 0) {
            *own = (ipt_feed_part){.format = (ipt_feed_format)i};
            return (ipt_feed_parts){own, 1};
        }
    }
    fail(o->what, "no provider and no format");
}

static void print_feed(const ipt_feed *feed)
{
    const ipt_feed_version *v = &feed->version;
    printf("version %s", v->text[0] == '\0' ? "-" : v->text);
    if (v->has_serial)
        printf(" serial=%llu", (unsigned long long)v->serial);
    if (v->has_time)
        printf(" time=%lld", (long long)v->time);
    printf("\n");
    for (size_t i = 0; i < feed->set.count; i++) {
        char text[IPT_PREFIX_TEXT];
        ipt_prefix_format(feed->set.items[i], text);
        printf("%s\n", text);
    }
}

static int parse(order *o)
{
    ipt_feed_part own;
    o->selection.services = o->services;
    ipt_feed_parts parts = parts_of(o, &own);
    ipt_span bodies[FILES_MAX];
    ipt_feed feed;
    ipt_update_text why;
    if (parts.count != o->file_count)
        fail(o->what, "needs another number of files");
    for (size_t i = 0; i < o->file_count; i++)
        bodies[i] = read_file(o->files[i]);
    ipt_feed_result result = ipt_feed_parse(parts.items, bodies, parts.count, &o->selection, &feed, &why);
    if (result == IPT_FEED_OK) {
        print_feed(&feed);
        ipt_feed_done(&feed);
    } else if (result == IPT_FEED_REFUSED) {
        printf("refused %s: %s\n", ipt_update_reason_name(why.reason), why.text);
    } else {
        printf("no memory\n");
    }
    for (size_t i = 0; i < o->file_count; i++)
        free((void *)(uintptr_t)bodies[i].p);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 3 || strcmp(argv[1], "parse") != 0)
        fail("usage", "feed_runner parse WHAT [--service S] [--path P] [--column C] [--alternative N] FILE...");
    order o = read_order(argc, argv);
    return parse(&o);
}
