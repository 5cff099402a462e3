/* One element of a Forwarded header (RFC 7239): its pairs by the grammar of section 4, its node by that of section 6.
 */
#include "iptrust/wire/forwarded.h"

#include "wire_priv.h"

#define NODE_TEXT 48 /* longer parts are neither an address nor a port */

/* qdtext or the second half of a quoted-pair is HTAB, SP, visible ASCII or obs-text (RFC 9110, 5.6.4). */
static bool is_quotable(char c)
{
    const unsigned char u = (unsigned char)c;
    return u == '\t' || (u >= 0x20 && u != 0x7f);
}

/* rest begins after the opening quote; false when no quote closes it or a control character stands in it. */
static bool take_quoted(ipt_span *rest, ipt_span *inside)
{
    for (size_t i = 0; i < rest->n; i++) {
        if (rest->p[i] == '"') {
            *inside = (ipt_span){rest->p, i};
            *rest = (ipt_span){rest->p + i + 1, rest->n - i - 1};
            return true;
        }
        if (rest->p[i] == '\\')
            i++;
        if (i == rest->n || !is_quotable(rest->p[i]))
            return false;
    }
    return false;
}

/* Empty when there is none: a token has at least one character. */
static ipt_span take_token(ipt_span *rest)
{
    size_t n = 0;
    while (n < rest->n && ipt_is_tchar(rest->p[n]))
        n++;
    const ipt_span token = {rest->p, n};
    *rest = (ipt_span){rest->p + n, rest->n - n};
    return token;
}

static bool take_char(ipt_span *rest, char c)
{
    if (rest->n == 0 || rest->p[0] != c)
        return false;
    *rest = (ipt_span){rest->p + 1, rest->n - 1};
    return true;
}

/* forwarded-pair = token "=" value; value = token / quoted-string: no white space anywhere in it. */
static bool take_pair(ipt_span *rest, ipt_forwarded_pair *pair)
{
    pair->name = take_token(rest);
    if (pair->name.n == 0 || !take_char(rest, '='))
        return false;
    pair->quoted = take_char(rest, '"');
    if (pair->quoted)
        return take_quoted(rest, &pair->value);
    pair->value = take_token(rest);
    return pair->value.n != 0;
}

bool ipt_forwarded_next(ipt_span *rest, ipt_forwarded_pair *out, bool *broken)
{
    ipt_span left = *rest;
    while (take_char(&left, ';'))
        continue;
    *broken = false;
    if (left.n == 0) {
        *rest = left;
        return false;
    }

    ipt_forwarded_pair pair;
    if (!take_pair(&left, &pair) || (left.n != 0 && left.p[0] != ';')) {
        *broken = true;
        return false;
    }
    *rest = left;
    *out = pair;
    return true;
}

typedef enum element_state { ELEMENT_BROKEN = 0, ELEMENT_REPEATS, ELEMENT_FINE } element_state;

typedef struct pair_list {
    size_t count;
    ipt_forwarded_pair items[IPT_FORWARDED_PAIRS];
} pair_list;

static size_t count_name(const pair_list *list, ipt_span name)
{
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++)
        count += ipt_span_equal_nocase(list->items[i].name, name);
    return count;
}

static const ipt_forwarded_pair *find_name(const pair_list *list, ipt_span name)
{
    for (size_t i = 0; i < list->count; i++)
        if (ipt_span_equal_nocase(list->items[i].name, name))
            return &list->items[i];
    return NULL;
}

/* Section 4: "Each parameter MUST NOT occur more than once per field-value", read as per element. What breaks the
 * grammar counts more than what stands twice. The list is filled in either of the last two states. */
static element_state read_pairs(ipt_span element, pair_list *list)
{
    element_state state = ELEMENT_FINE;
    ipt_span rest = element;
    ipt_forwarded_pair pair;
    bool broken;
    list->count = 0;
    while (ipt_forwarded_next(&rest, &pair, &broken)) {
        if (list->count == IPT_FORWARDED_PAIRS)
            return ELEMENT_BROKEN;
        if (find_name(list, pair.name) != NULL)
            state = ELEMENT_REPEATS;
        list->items[list->count++] = pair;
    }
    return broken ? ELEMENT_BROKEN : state;
}

/* A parameter's value without its quoted-pairs, one character at a time, so that its length needs no bound. */
typedef struct value_reader {
    const char *p, *end;
    bool quoted;
} value_reader;

static value_reader read_value(const ipt_forwarded_pair *pair)
{
    return (value_reader){pair->value.p, pair->value.p + pair->value.n, pair->quoted};
}

static bool next_char(value_reader *r, char *out)
{
    if (r->quoted && r->end - r->p > 1 && r->p[0] == '\\')
        r->p++;
    if (r->p == r->end)
        return false;
    *out = *r->p++;
    return true;
}

/* A nodename or a node-port. */
typedef struct node_part {
    char text[NODE_TEXT];
    size_t n;        /* of the whole part; text holds the first NODE_TEXT of it */
    bool obfuscated; /* "_" 1*(ALPHA / DIGIT / "." / "_" / "-") */
    bool stopped;    /* by `stop`, which was taken too */
} node_part;

/* Up to `stop`, or to the end; a stop of NUL cannot come: values hold no control characters. */
static void take_part(value_reader *r, char stop, node_part *part)
{
    char c;
    part->n = 0;
    part->stopped = false;
    part->obfuscated = true;
    while (next_char(r, &c)) {
        if (c == stop) {
            part->stopped = true;
            break;
        }
        if (part->n == 0 ? c != '_' : !ipt_is_obf_char(c))
            part->obfuscated = false;
        if (part->n < NODE_TEXT)
            part->text[part->n] = c;
        part->n++;
    }
    part->obfuscated = part->obfuscated && part->n >= 2;
}

static ipt_span part_text(const node_part *part)
{
    return part->n <= NODE_TEXT ? (ipt_span){part->text, part->n} : (ipt_span){part->text, 0};
}

/* node-port = 1*5DIGIT / obfport; ours are the ports that exist. An obfuscated one says nothing of the address. */
static bool take_port(value_reader *r, ipt_endpoint *node)
{
    node_part part;
    take_part(r, '\0', &part);
    if (part.obfuscated)
        return true;
    node->has_port = ipt_port_parse(part_text(&part), 1, &node->port);
    return node->has_port;
}

/* node = nodename [ ":" node-port ]. An IPv6 address comes in brackets: two readers who disagree on where the port
 * begins disagree on who the client is. */
static ipt_entry_kind judge_node(const ipt_forwarded_pair *pair, ipt_endpoint *out)
{
    value_reader r = read_value(pair);
    value_reader ahead = r;
    char c;
    const bool bracketed = next_char(&ahead, &c) && c == '[';
    if (bracketed)
        r = ahead;

    ipt_endpoint node = {0};
    ipt_entry_kind kind = IPT_ENTRY_MALFORMED;
    node_part name;
    take_part(&r, bracketed ? ']' : ':', &name);
    const ipt_span text = part_text(&name);
    if (!bracketed && (name.obfuscated || ipt_is_unknown(text)))
        kind = IPT_ENTRY_OBFUSCATED;
    else if (ipt_addr_parse(text, &node.addr, &node.mapped) && bracketed == (memchr(text.p, ':', text.n) != NULL))
        kind = IPT_ENTRY_ADDRESS;

    bool has_port = name.stopped;
    if (bracketed) {
        if (!name.stopped)
            return IPT_ENTRY_MALFORMED;
        has_port = next_char(&r, &c);
        if (has_port && c != ':')
            return IPT_ENTRY_MALFORMED;
    }
    if (has_port && !take_port(&r, &node))
        return IPT_ENTRY_MALFORMED;
    if (kind == IPT_ENTRY_ADDRESS)
        *out = node;
    return kind;
}

ipt_entry ipt_forwarded_parse(ipt_span element, bool *repeated)
{
    pair_list list;
    ipt_entry entry = {0};
    const ipt_span trimmed = ipt_span_trim(element);
    const element_state state = read_pairs(trimmed, &list);
    if (repeated != NULL)
        *repeated = state == ELEMENT_REPEATS;
    if (state != ELEMENT_FINE)
        return entry;

    const ipt_forwarded_pair *node = find_name(&list, IPT_SPAN("for"));
    if (trimmed.n == 0) {
        entry.kind = IPT_ENTRY_EMPTY;
    } else if (node == NULL) {
        entry.kind = IPT_ENTRY_OBFUSCATED;
    } else {
        entry.text = node->value;
        entry.text_quoted = node->quoted;
        entry.kind = judge_node(node, &entry.node);
    }
    return entry;
}

/* Reads all of the value whatever differs and where, so that the time tells its length alone, which its sender knows.
 */
static bool equals_secret(const ipt_forwarded_pair *pair, ipt_span secret)
{
    value_reader r = read_value(pair);
    unsigned char difference = 0;
    size_t n = 0;
    for (char c; next_char(&r, &c); n++)
        difference |= (unsigned char)(c ^ secret.p[n % secret.n]);
    return n == secret.n && difference == 0;
}

ipt_param_result ipt_forwarded_param_check(ipt_span element, ipt_span name, ipt_span secret)
{
    pair_list list;
    const element_state state = read_pairs(ipt_span_trim(element), &list);
    const size_t count = state == ELEMENT_BROKEN ? 0 : count_name(&list, name);
    if (count > 1)
        return IPT_PARAM_REPEATED;
    if (count == 0 || state == ELEMENT_REPEATS)
        return IPT_PARAM_ABSENT;
    /* Nothing is proven by a secret of no bytes. */
    return secret.n != 0 && equals_secret(find_name(&list, name), secret) ? IPT_PARAM_RIGHT : IPT_PARAM_WRONG;
}

size_t ipt_unescape(ipt_span text, char *out)
{
    const ipt_forwarded_pair pair = {.value = text, .quoted = true};
    value_reader r = read_value(&pair);
    size_t n = 0;
    while (next_char(&r, &out[n]))
        n++;
    return n;
}
