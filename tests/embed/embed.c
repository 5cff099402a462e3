/* A program that uses libiptrust as anybody would: a configuration from memory, one view, several threads that ask it,
 * the answers printed. docs/LIBRARY.md walks through it; .ci/install-check builds it against an installed library.
 *
 * embed [rounds]: each thread resolves every request that many times, 1 unless told. The output does not depend on it.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <iptrust/iptrust.h>

#define THREADS 4

static const char yaml[] = "lists:\n"
                           "  lb:   {prefixes: [10.0.12.0/24, \"fd00:12::/64\"], internal: true}\n"
                           "  edge: {prefixes: [198.18.0.0/24]}\n"
                           "policies:\n"
                           "  default: {trust: [lb, edge], read: [x-forwarded-for]}\n";

/* What a server knows of each request. */
static const struct {
    const char *peer, *forwarded_for;
} samples[] = {
    {"10.0.12.1:443", "127.0.0.1, 8.8.8.8, 198.18.0.7"},
    {"1.1.1.1:51234", "127.0.0.1"},
    {"[fd00:12::9]:443", "8.8.8.8, not an address"},
};

/* One request in the library's words. It borrows everything, so it is made where the server keeps the text. */
typedef struct example {
    ipt_header headers[2];
    ipt_request request;
} example;

typedef struct worker {
    pthread_t thread;
    const ipt_view *view; /* shared and never written */
    const example *examples;
    unsigned long rounds;
    unsigned long disagreements; /* answers unlike the first of their request */
    ipt_decision decision;       /* some 10 kB: one a thread, used again, not one a request */
} worker;

static void ask(size_t sample, example *out)
{
    out->headers[0] = (ipt_header){IPT_SPAN("Host"), IPT_SPAN("shop.example")};
    out->headers[1] = (ipt_header){IPT_SPAN("X-Forwarded-For"), ipt_span_from(samples[sample].forwarded_for)};
    out->request = (ipt_request){
        .peer = ipt_span_from(samples[sample].peer),
        .headers = out->headers,
        .header_count = IPT_COUNT(out->headers),
        .caller = IPT_CALLER_TRUSTED, /* this program is its own caller: what it says of the peer it saw itself */
    };
}

static void *resolve_all(void *argument)
{
    worker *w = argument;
    const ipt_policy *policy = ipt_view_find_policy(w->view, IPT_SPAN("default"));
    ipt_addr first[IPT_COUNT(samples)] = {{0, 0}};
    for (unsigned long round = 0; round < w->rounds; round++) {
        for (size_t i = 0; i < IPT_COUNT(samples); i++) {
            if (ipt_resolve(w->view, policy, &w->examples[i].request, IPT_DETAIL_FULL, &w->decision, NULL) !=
                IPT_REFUSAL_NONE)
                w->disagreements++;
            else if (round == 0)
                first[i] = w->decision.client;
            else if (!ipt_addr_equal(first[i], w->decision.client))
                w->disagreements++;
        }
    }
    return NULL;
}

/* Returns the answers that differed, or -1 when a thread could not start. */
static long resolve_in_threads(const ipt_view *view, const example *examples, unsigned long rounds)
{
    worker *workers = calloc(THREADS, sizeof(*workers));
    if (workers == NULL)
        return -1;
    size_t started = 0;
    for (; started < THREADS; started++) {
        workers[started].view = view;
        workers[started].examples = examples;
        workers[started].rounds = rounds;
        if (pthread_create(&workers[started].thread, NULL, resolve_all, &workers[started]) != 0)
            break;
    }
    long disagreements = started == THREADS ? 0 : -1;
    for (size_t i = 0; i < started; i++) {
        pthread_join(workers[i].thread, NULL);
        if (disagreements >= 0)
            disagreements += (long)workers[i].disagreements;
    }
    free(workers);
    return disagreements;
}

static void print_decision(const ipt_decision *decision)
{
    char client[IPT_ADDR_TEXT] = "none";
    if (decision->has_client)
        ipt_addr_format(decision->client, client);
    printf("%.*s: client %s, confidence %s", (int)decision->request->peer.n, decision->request->peer.p, client,
           ipt_level_name(decision->level));
    for (unsigned reason = 0; reason < IPT_REASON_COUNT; reason++) {
        if (decision->reasons >> reason & 1)
            printf(", %s", ipt_reason_name((ipt_reason)reason));
    }
    printf("; chain:");
    for (size_t i = 0; i < decision->chain_count; i++)
        printf(" %s", ipt_verdict_name((ipt_verdict)decision->chain[i].verdict));
    printf("\n");
}

static int print_all(const ipt_view *view, const example *examples)
{
    ipt_decision *decision = malloc(sizeof(*decision));
    if (decision == NULL)
        return 1;
    const ipt_policy *policy = ipt_view_find_policy(view, IPT_SPAN("default"));
    int status = 0;
    for (size_t i = 0; i < IPT_COUNT(samples); i++) {
        if (ipt_resolve(view, policy, &examples[i].request, IPT_DETAIL_FULL, decision, NULL) == IPT_REFUSAL_NONE)
            print_decision(decision);
        else
            status = 1;
    }
    free(decision);
    return status;
}

/* NULL when the configuration is wrong; its errors are then on standard error, with line and column. */
static ipt_view *make_view(void)
{
    ipt_diag diag;
    if (ipt_diag_init(&diag) != IPT_OK)
        return NULL;
    ipt_config *config = NULL;
    ipt_view *view = NULL;
    ipt_err err = ipt_config_parse(ipt_span_from(yaml), "embed.yaml", &(ipt_config_options){0}, &diag, &config);
    if (err == IPT_OK)
        err = ipt_view_build_take(config, (int64_t)time(NULL), &view);
    if (err != IPT_OK) {
        ipt_buf text = {0};
        ipt_diag_print(&diag, &text);
        fprintf(stderr, "%s\n%.*s", ipt_err_name(err), (int)text.n, text.n == 0 ? "" : text.p);
        ipt_buf_done(&text);
        if (view == NULL)
            ipt_config_free(config); /* the view took it only when it was built */
    }
    ipt_diag_done(&diag);
    return view;
}

int main(int argc, char **argv)
{
    unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
    ipt_view *view = make_view();
    if (view == NULL)
        return 1;
    example examples[IPT_COUNT(samples)];
    for (size_t i = 0; i < IPT_COUNT(samples); i++)
        ask(i, &examples[i]);
    int status = print_all(view, examples);
    long disagreements = resolve_in_threads(view, examples, rounds);
    printf("%d threads, %ld answers differ\n", THREADS, disagreements);
    ipt_view_free(view);
    return status != 0 || disagreements != 0;
}
