/* Reads one Forwarded element and asks that it means the same with every value quoted and every character escaped. */
#include "iptrust/wire/forwarded.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void lies_inside(ipt_span inner, ipt_span outer)
{
    must(inner.n == 0 || (inner.p >= outer.p && inner.p + inner.n <= outer.p + outer.n));
}

typedef struct text {
    char *p;
    size_t n;
} text;

static void put(text *t, const char *p, size_t n)
{
    if (n != 0)
        memcpy(t->p + t->n, p, n);
    t->n += n;
}

static ipt_span plain_value(const ipt_forwarded_pair *pair, char *room)
{
    if (!pair->quoted)
        return pair->value;
    const size_t n = ipt_unescape(pair->value, room);
    must(n <= pair->value.n);
    return (ipt_span){room, n};
}

/* name="\v\a\l\u\e"; one more empty pair between each two. */
static void put_escaped(text *t, const ipt_forwarded_pair *pair, ipt_span plain)
{
    put(t, pair->name.p, pair->name.n);
    put(t, "=\"", 2);
    for (size_t i = 0; i < plain.n; i++) {
        put(t, "\\", 1);
        put(t, plain.p + i, 1);
    }
    put(t, "\";;", 3);
}

static void same_meaning(const ipt_entry *a, const ipt_entry *b)
{
    must(a->kind == b->kind);
    if (a->kind != IPT_ENTRY_ADDRESS)
        return;
    must(ipt_addr_equal(a->node.addr, b->node.addr) && a->node.mapped == b->node.mapped);
    must(a->node.has_port == b->node.has_port && (!a->node.has_port || a->node.port == b->node.port));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const ipt_span element = ipt_span_trim((ipt_span){(const char *)data, size});
    bool repeated = false;
    const ipt_entry entry = ipt_forwarded_parse((ipt_span){(const char *)data, size}, &repeated);
    lies_inside(entry.text, element);
    must((entry.kind == IPT_ENTRY_EMPTY) == (element.n == 0));
    must(!repeated || entry.kind == IPT_ENTRY_MALFORMED);

    char *room = malloc(size + 1);
    text again = {malloc(4 * size + 8), 0};
    must(room != NULL && again.p != NULL);
    ipt_span rest = element;
    ipt_forwarded_pair pair;
    bool broken = false;
    size_t pairs = 0, left = rest.n;
    while (ipt_forwarded_next(&rest, &pair, &broken)) {
        must(rest.n < left);
        left = rest.n;
        pairs++;
        lies_inside(pair.name, element);
        lies_inside(pair.value, element);
        const ipt_span plain = plain_value(&pair, room);
        put_escaped(&again, &pair, plain);
        const ipt_param_result result = ipt_forwarded_param_check(element, pair.name, plain);
        must(result != IPT_PARAM_RIGHT || plain.n != 0);
        if (!repeated && entry.kind != IPT_ENTRY_MALFORMED)
            must(result == (plain.n != 0 ? IPT_PARAM_RIGHT : IPT_PARAM_WRONG));
        room[plain.n] = 'x';
        if (plain.p == room)
            must(ipt_forwarded_param_check(element, pair.name, (ipt_span){room, plain.n + 1}) != IPT_PARAM_RIGHT ||
                 repeated);
    }
    must(!broken || entry.kind == IPT_ENTRY_MALFORMED);
    if (!broken && pairs != 0) {
        bool repeated_again = false;
        const ipt_entry escaped = ipt_forwarded_parse((ipt_span){again.p, again.n}, &repeated_again);
        must(repeated == repeated_again);
        same_meaning(&entry, &escaped);
    }
    free(room);
    free(again.p);
    return 0;
}
