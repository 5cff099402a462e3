/* Our side of the benchmark of decisions: walks a stream of requests with ipt_resolve(), builds tables and views, and
 * writes clients and prefixes for the comparison with tests/bench/go/walk. Prints one JSON object a run. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "iptrust/resolve/resolve.h"

enum { PASSES = 15 };

typedef struct item {
    ipt_span peer, xff;
} item;

typedef struct stream {
    char *text;
    item *items;
    size_t count;
} stream;

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* getrusage() would also count what the process that started us had before exec. */
static long peak_kb(void)
{
    char line[128];
    long kb = -1;
    FILE *f = fopen("/proc/self/status", "r");
    while (f != NULL && fgets(line, sizeof(line), f) != NULL)
        if (strncmp(line, "VmHWM:", 6) == 0)
            kb = strtol(line + 6, NULL, 10);
    if (f != NULL)
        fclose(f);
    return kb;
}

static char *read_file(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL || fseek(f, 0, SEEK_END) != 0) {
        if (f != NULL)
            fclose(f);
        return NULL;
    }
    long size = ftell(f);
    char *text = size < 0 ? NULL : malloc((size_t)size + 1);
    rewind(f);
    if (text != NULL && fread(text, 1, (size_t)size, f) != (size_t)size) {
        free(text);
        text = NULL;
    }
    fclose(f);
    *n = (size_t)size;
    return text;
}

/* The next line without its end; false when none is left. */
static bool next_line(ipt_span *rest, ipt_span *line)
{
    if (rest->n == 0)
        return false;
    const char *end = memchr(rest->p, '\n', rest->n);
    size_t n = end == NULL ? rest->n : (size_t)(end - rest->p);
    size_t step = end == NULL ? n : n + 1;
    *line = (ipt_span){rest->p, n};
    *rest = (ipt_span){rest->p + step, rest->n - step};
    return true;
}

static size_t count_lines(ipt_span text)
{
    size_t n = 0;
    for (ipt_span line; next_line(&text, &line);)
        n++;
    return n;
}

static bool stream_read(const char *path, stream *out)
{
    size_t n = 0;
    out->text = read_file(path, &n);
    if (out->text == NULL)
        return false;
    ipt_span rest = {out->text, n}, line;
    out->items = calloc(count_lines(rest) + 1, sizeof(*out->items));
    while (out->items != NULL && next_line(&rest, &line)) {
        const char *tab = memchr(line.p, '\t', line.n);
        if (tab == NULL)
            return false;
        size_t peer = (size_t)(tab - line.p);
        out->items[out->count++] = (item){{line.p, peer}, {tab + 1, line.n - peer - 1}};
    }
    return out->count > 0;
}

static void stream_done(stream *s)
{
    free(s->items);
    free(s->text);
}

static ipt_err config_load(const char *path, ipt_config **out)
{
    ipt_diag diag;
    ipt_err err = ipt_diag_init(&diag);
    if (err != IPT_OK)
        return err;
    err = ipt_config_load(strcmp(path, "-") == 0 ? NULL : path, NULL, &diag, out);
    for (const ipt_diag_item *i = diag.first; err != IPT_OK && i != NULL; i = i->next)
        fprintf(stderr, "%s:%u:%u: %s\n", i->place.file == NULL ? "-" : i->place.file, i->place.line, i->place.column,
                i->text);
    ipt_diag_done(&diag);
    return err;
}

static ipt_err view_load(const char *path, ipt_view **out)
{
    ipt_auto(ipt_config) *config = NULL;
    ipt_err err = config_load(path, &config);
    if (err == IPT_OK)
        err = ipt_view_build_take(config, time(NULL), out);
    if (err == IPT_OK)
        config = NULL;
    return err;
}

static bool decide(const ipt_view *view, const ipt_policy *policy, const item *i, ipt_detail detail, ipt_decision *out)
{
    ipt_header header = {IPT_SPAN("X-Forwarded-For"), i->xff};
    ipt_request request = {.peer = i->peer, .headers = &header, .header_count = 1, .caller = IPT_CALLER_TRUSTED};
    return ipt_resolve(view, policy, &request, detail, out, NULL) == IPT_REFUSAL_NONE && out->has_client;
}

/* Folds a client into a checksum that go/walk computes in the same way. */
static uint64_t sum(uint64_t hash, ipt_addr addr)
{
    hash = (hash ^ addr.hi) * UINT64_C(0x9e3779b97f4a7c15);
    hash = (hash ^ addr.lo) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

/* One pass over the stream; its checksum is 0 when a request had no client. */
static uint64_t walk(const ipt_view *view, const ipt_policy *policy, const stream *s, ipt_detail detail, double *ns)
{
    static ipt_decision decision; /* as a caller keeps one for a thread */
    uint64_t hash = 0;
    double start = now_ms();
    for (size_t i = 0; i < s->count; i++) {
        if (!decide(view, policy, &s->items[i], detail, &decision))
            return 0;
        hash = sum(hash, decision.client);
    }
    *ns = (now_ms() - start) * 1e6 / (double)s->count;
    return hash;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Prints the median of the passes; the first pass warms the caches and is not counted. */
static bool measure(const ipt_view *view, const ipt_policy *policy, const stream *s)
{
    static const ipt_detail details[] = {IPT_DETAIL_CLIENT, IPT_DETAIL_FULL};
    double median[IPT_COUNT(details)];
    uint64_t hash[IPT_COUNT(details)];
    for (size_t d = 0; d < IPT_COUNT(details); d++) {
        double times[PASSES + 1];
        for (size_t pass = 0; pass <= PASSES; pass++)
            hash[d] = walk(view, policy, s, details[d], &times[pass]);
        qsort(times + 1, PASSES, sizeof(times[0]), by_value);
        median[d] = times[1 + PASSES / 2];
    }
    if (hash[0] == 0 || hash[0] != hash[1])
        return false;
    printf("{\"client_ns\":%.2f,\"full_ns\":%.2f,\"checksum\":\"%016llx\",\"requests\":%zu}\n", median[0], median[1],
           (unsigned long long)hash[0], s->count);
    return true;
}

static bool write_clients(const ipt_view *view, const ipt_policy *policy, const stream *s, const char *path)
{
    static ipt_decision decision;
    FILE *f = fopen(path, "w");
    bool ok = f != NULL;
    for (size_t i = 0; ok && i < s->count; i++) {
        ok = decide(view, policy, &s->items[i], IPT_DETAIL_FULL, &decision) &&
             fprintf(f, "%016llx%016llx\n", (unsigned long long)decision.client.hi,
                     (unsigned long long)decision.client.lo) > 0;
    }
    return f != NULL && fclose(f) == 0 && ok;
}

/* walk CONFIG STREAM | fixed CONFIG STREAM | clients CONFIG STREAM FILE */
static bool run_stream(int argc, char **argv)
{
    ipt_auto(ipt_view) *view = NULL;
    stream s = {0};
    bool ok = view_load(argv[2], &view) == IPT_OK && stream_read(argv[3], &s);
    const ipt_policy *policy = ok ? ipt_view_find_policy(view, IPT_SPAN("default")) : NULL;
    ok = policy != NULL;
    if (ok && strcmp(argv[1], "fixed") == 0)
        for (size_t i = 1; i < s.count; i++)
            s.items[i] = s.items[0];
    if (ok)
        ok = argc == 5 ? write_clients(view, policy, &s, argv[4]) : measure(view, policy, &s);
    stream_done(&s);
    return ok;
}

/* build CONFIG: from the text of the files to a view that answers. */
static bool run_build(const char *path)
{
    ipt_auto(ipt_config) *config = NULL;
    ipt_auto(ipt_view) *view = NULL;
    double start = now_ms();
    if (config_load(path, &config) != IPT_OK)
        return false;
    double loaded = now_ms();
    if (ipt_view_build_take(config, time(NULL), &view) != IPT_OK)
        return false;
    config = NULL;
    double built = now_ms();
    printf("{\"load_ms\":%.1f,\"view_ms\":%.1f,\"table_kb\":%zu,\"peak_kb\":%ld}\n", loaded - start, built - loaded,
           ipt_lpm_bytes(view->lpm) / 1024, peak_kb());
    return true;
}

/* table PREFIXES: the table alone, from entries in memory. */
static bool run_table(const char *path)
{
    size_t n = 0, count = 0;
    char *text = read_file(path, &n);
    ipt_span rest = {text, text == NULL ? 0 : n}, line;
    ipt_lpm_entry *entries = calloc(count_lines(rest) + 1, sizeof(*entries));
    while (entries != NULL && next_line(&rest, &line))
        if (ipt_prefix_parse(line, &entries[count].prefix) == IPT_PREFIX_OK)
            count++;
    free(text);
    ipt_auto(ipt_lpm) *lpm = NULL;
    double start = now_ms();
    bool ok = entries != NULL && ipt_lpm_build(entries, count, &lpm) == IPT_OK;
    double built = now_ms();
    free(entries);
    if (ok)
        printf("{\"prefixes\":%zu,\"build_ms\":%.1f,\"table_kb\":%zu,\"peak_kb\":%ld}\n", count, built - start,
               ipt_lpm_bytes(lpm) / 1024, peak_kb());
    return ok;
}

/* prefixes CONFIG [LIST]: what the lists hold, one prefix a line. */
static bool run_prefixes(const char *path, const char *list)
{
    ipt_auto(ipt_config) *config = NULL;
    if (config_load(path, &config) != IPT_OK)
        return false;
    for (size_t l = 0; l < config->list_count; l++) {
        const ipt_list_spec *spec = &config->lists[l];
        for (size_t i = 0; i < spec->prefix_count && (list == NULL || strcmp(list, spec->name) == 0); i++) {
            char prefix[IPT_PREFIX_TEXT];
            ipt_prefix_format(spec->prefixes[i], prefix);
            puts(prefix);
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    const char *what = argc > 2 ? argv[1] : "";
    bool ok = false;
    if (argc == 4 && (strcmp(what, "walk") == 0 || strcmp(what, "fixed") == 0))
        ok = run_stream(argc, argv);
    else if (argc == 5 && strcmp(what, "clients") == 0)
        ok = run_stream(argc, argv);
    else if (argc == 3 && strcmp(what, "build") == 0)
        ok = run_build(argv[2]);
    else if (argc == 3 && strcmp(what, "table") == 0)
        ok = run_table(argv[2]);
    else if (argc <= 4 && strcmp(what, "prefixes") == 0)
        ok = run_prefixes(argv[2], argc == 4 ? argv[3] : NULL);
    else
        fputs("usage: bench_decide walk|fixed CONFIG STREAM | clients CONFIG STREAM FILE | build CONFIG | table FILE |"
              " prefixes CONFIG [LIST]   (CONFIG -: the embedded default)\n",
              stderr);
    if (!ok && errno != 0)
        perror(what);
    return ok ? 0 : 1;
}
