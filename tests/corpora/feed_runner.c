/* The library's feeds as a program, for the checks in Python: `parse` reads bodies and prints what came out, `replay`
 * takes one version of a list after another as its keeper would. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "iptrust/ranges/accept.h"

enum { SERVICES_MAX = 64, FILES_MAX = 4 };

typedef struct order {
    const char *what; /* a provider's name, or text, json, csv */
    unsigned alternative;
    bool judged; /* against the limits of the provider, at the time `now` and without active contents */
    int64_t now;
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
        else if (strcmp(argv[i], "--now") == 0) {
            o.judged = true;
            o.now = strtoll(value, NULL, 10);
        } else {
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

static ipt_accept_limits limits_of(ipt_provider provider, const ipt_feed_selection *selection)
{
    ipt_list_kind kind = ipt_provider_defaults_for(provider, selection->services, selection->service_count).kind;
    return ipt_accept_limits_for(provider, kind, false);
}

static void judge_and_print(const order *o, const ipt_feed *feed)
{
    ipt_accept_limits limits = limits_of(ipt_provider_find(ipt_span_from(o->what)), &o->selection);
    ipt_accept_question question = {.candidate = feed, .limits = &limits, .now = o->now};
    ipt_accept_answer answer = ipt_accept_judge(&question);
    if (o->judged && answer.outcome != IPT_ACCEPT_TAKE)
        printf("%s %s: %s\n", ipt_accept_outcome_name(answer.outcome), ipt_update_reason_name(answer.why.reason),
               answer.why.text);
    else
        print_feed(feed);
}

static int parse(const order *o)
{
    ipt_feed_part own;
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
        judge_and_print(o, &feed);
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

/* ---- replay ---- */

typedef struct keeper {
    ipt_feed active;
    bool has_active;
    ipt_accept_past past;
    ipt_accept_limits limits;
} keeper;

/* A held version is accepted at once, as its keeper would have done in the end. */
static void take(keeper *k, ipt_feed *feed, const ipt_accept_answer *answer, int64_t now)
{
    bool by_hand = answer->outcome == IPT_ACCEPT_HOLD || !k->has_active;
    ipt_feed_done(&k->active);
    k->active = *feed;
    k->has_active = true;
    if (by_hand)
        ipt_accept_past_restart(&k->past, now, answer->after);
    else
        ipt_accept_past_add(&k->past, now, answer->after);
}

static void judge_version(keeper *k, ipt_feed *feed, int64_t now)
{
    ipt_space week;
    bool has_week = ipt_accept_past_week_ago(&k->past, now, &week);
    ipt_accept_question question = {.candidate = feed,
                                    .active = k->has_active ? &k->active : NULL,
                                    .week = has_week ? &week : NULL,
                                    .limits = &k->limits,
                                    .now = now};
    ipt_accept_answer answer = ipt_accept_judge(&question);
    printf("%lld %s %s: %s\n", (long long)now, ipt_accept_outcome_name(answer.outcome),
           ipt_update_reason_name(answer.why.reason), answer.why.text);
    if (answer.outcome == IPT_ACCEPT_REFUSE || answer.outcome == IPT_ACCEPT_SAME)
        ipt_feed_done(feed);
    else
        take(k, feed, &answer, now);
}

/* Standard input: "at SECONDS" and after it a version's prefixes, one a line. */
static int replay(const order *o)
{
    char line[128];
    ipt_prefix *items = NULL;
    size_t count = 0, room = 0;
    int64_t now = 0;
    keeper k = {.limits = limits_of(ipt_provider_find(ipt_span_from(o->what)), &o->selection)};
    for (bool more = true; more;) {
        more = fgets(line, sizeof(line), stdin) != NULL;
        if (!more || strncmp(line, "at ", 3) == 0) {
            ipt_feed feed = {.set = {items, ipt_prefixes_sort(items, count)}};
            if (count != 0)
                judge_version(&k, &feed, now);
            items = NULL;
            count = room = 0;
            now = more ? strtoll(line + 3, NULL, 10) : 0;
            continue;
        }
        if (count == room && (items = realloc(items, (room = 2 * room + 64) * sizeof(*items))) == NULL)
            fail("replay", "no memory");
        ipt_span text = {line, strcspn(line, "\n")};
        if (ipt_prefix_parse(text, &items[count++]) != IPT_PREFIX_OK)
            fail("replay", line);
    }
    ipt_feed_done(&k.active);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 3)
        fail("usage",
             "feed_runner parse WHAT [--service S] [--path P] [--column C] [--alternative N] [--now T] FILE...\n"
             "feed_runner replay PROVIDER [--service S] <VERSIONS");
    order o = read_order(argc, argv);
    o.selection.services = o.services;
    return strcmp(argv[1], "replay") == 0 ? replay(&o) : parse(&o);
}
