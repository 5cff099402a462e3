/* Values against the rows of the schema: what is wrong, what was expected, what was probably meant. */
#include "check.h"

#include <stdio.h>

#include "iptrust/ranges/text.h"
#include "suggest.h"
#include "value.h"
#include "iptrust/base/show.h"

enum { EXPECTED_MAX = 320 };

/* `- fd00::` is a mapping to YAML: a key that looks like the front of an address gives it away. */
static bool is_split_ipv6(const ipt_node *node)
{
    if (node->kind != IPT_NODE_MAPPING || node->count == 0)
        return false;
    ipt_span key = node->first->key->text;
    bool colon = false;
    for (size_t i = 0; i < key.n; i++) {
        char c = ipt_lower(key.p[i]);
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == ':'))
            return false;
        colon = colon || c == ':';
    }
    return colon;
}

void ipt_complain_expected(ipt_diag *diag, ipt_node *node, const char *expected)
{
    ipt_shown shown;
    node->bad = true;
    if (ipt_node_is_null(node))
        ipt_diag_add(diag, IPT_ERROR, node->place, "expected %s, found nothing", expected);
    else if (node->kind == IPT_NODE_SCALAR)
        ipt_diag_add(diag, IPT_ERROR, node->place, "expected %s, found \"%s\"", expected, ipt_show(node->text, &shown));
    else if (node->kind == IPT_NODE_SEQUENCE)
        ipt_diag_add(diag, IPT_ERROR, node->place, "expected %s, found %s sequence", expected,
                     node->count == 0 ? "an empty" : "a");
    else if (is_split_ipv6(node))
        ipt_diag_add(diag, IPT_ERROR, node->place,
                     "expected %s, found a mapping (IPv6 text wants quotes: \"fd00::/8\")", expected);
    else
        ipt_diag_add(diag, IPT_ERROR, node->place, "expected %s, found a mapping", expected);
}

bool ipt_check_scalar(ipt_diag *diag, ipt_node *node, const char *expected)
{
    if (node->kind == IPT_NODE_SCALAR && node->text.n != 0 && !ipt_node_is_null(node))
        return true;
    ipt_complain_expected(diag, node, expected);
    return false;
}

/* ---- one scalar ---- */

/* Splits "1 to 64"; false when the row has no such range. */
static bool range_of(const ipt_key *key, ipt_span *least, ipt_span *most)
{
    const char *to = key->range == NULL ? NULL : strstr(key->range, " to ");
    if (to == NULL)
        return false;
    *least = (ipt_span){key->range, (size_t)(to - key->range)};
    *most = ipt_span_from(to + 4);
    return true;
}

static bool integer_fits(const ipt_key *key, ipt_span text)
{
    uint64_t value, least, most;
    ipt_span a, b;
    if (!ipt_value_integer(text, &value))
        return false;
    return !range_of(key, &a, &b) ||
           (ipt_value_integer(a, &least) && ipt_value_integer(b, &most) && value >= least && value <= most);
}

static bool bytes_fit(const ipt_key *key, ipt_span text)
{
    uint64_t value, least, most;
    ipt_span a, b;
    if (!ipt_value_bytes(text, &value))
        return false;
    return !range_of(key, &a, &b) ||
           (ipt_value_bytes(a, &least) && ipt_value_bytes(b, &most) && value >= least && value <= most);
}

static bool duration_fits(const ipt_key *key, ipt_span text)
{
    int64_t value, least, most;
    ipt_span a, b;
    if (!ipt_value_duration(text, &value))
        return false;
    return !range_of(key, &a, &b) ||
           (ipt_value_duration(a, &least) && ipt_value_duration(b, &most) && value >= least && value <= most);
}

static bool fraction_fits(ipt_span text)
{
    double value;
    return ipt_value_fraction(text, &value) && value >= 0 && value <= 1;
}

static bool is_word_of(const char *range, ipt_span text)
{
    ipt_span words = ipt_span_from(range), word;
    while (ipt_words_next(&words, &word)) {
        if (ipt_span_equal(word, text))
            return true;
    }
    return false;
}

static void expected_words(const char *range, ipt_span found, char *out, size_t cap)
{
    ipt_suggest suggest = {0};
    ipt_span words = ipt_span_from(range), word;
    while (ipt_words_next(&words, &word))
        ipt_suggest_offer(&suggest, found, word);
    if (suggest.word.n != 0)
        snprintf(out, cap, "one of %s (did you mean %.*s?)", range, (int)suggest.word.n, suggest.word.p);
    else if (strchr(range, '|') == NULL)
        snprintf(out, cap, "%s", range);
    else
        snprintf(out, cap, "one of %s", range);
}

static bool is_printable(ipt_span text)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c < 0x20 || c == 0x7f)
            return false;
    }
    return text.n != 0;
}

static bool scalar_fits(const ipt_key *key, ipt_span text)
{
    bool flag;
    unsigned mode;
    int64_t seconds;
    ipt_listener_spec listen;
    switch (key->type) {
    case IPT_KEY_BOOL:
        return ipt_value_bool(text, &flag);
    case IPT_KEY_INTEGER:
        return integer_fits(key, text);
    case IPT_KEY_FRACTION:
        return fraction_fits(text);
    case IPT_KEY_DURATION:
        return duration_fits(key, text);
    case IPT_KEY_BYTES:
        return bytes_fit(key, text);
    case IPT_KEY_TIME:
        return ipt_value_time(text, &seconds);
    case IPT_KEY_LISTEN:
        return ipt_value_listen(text, &listen);
    case IPT_KEY_MODE:
        return ipt_value_mode(text, &mode);
    case IPT_KEY_ENUM:
        return is_word_of(key->range, text);
    case IPT_KEY_NAME:
    case IPT_KEY_NAMES:
        return ipt_value_is_name(text);
    case IPT_KEY_HEADER:
        return ipt_span_is_token(text);
    case IPT_KEY_STRINGS:
        return is_printable(text) &&
               (key->range == NULL || strchr(key->range, '|') == NULL || is_word_of(key->range, text));
    case IPT_KEY_STRING:
    case IPT_KEY_PATH:
        return is_printable(text);
    case IPT_KEY_MAP:
    case IPT_KEY_NAMED:
    case IPT_KEY_PREFIXES:
    case IPT_KEY_OTHER:
        break; /* no scalars */
    }
    return false;
}

static void expected_number(const ipt_key *key, const char *what, char *out, size_t cap)
{
    snprintf(out, cap, key->range == NULL ? "%s" : "%s from %s", what, key->range);
}

static void expected_listen(ipt_span text, char *out, size_t cap)
{
    uint16_t port;
    static const char *const names[] = {":", "*:", "localhost:"};
    for (size_t i = 0; i < IPT_COUNT(names); i++) {
        size_t n = strlen(names[i]);
        if (text.n <= n || memcmp(text.p, names[i], n) != 0 ||
            !ipt_port_parse((ipt_span){text.p + n, text.n - n}, 0, &port))
            continue;
        const char *host = i == 2 ? "127.0.0.1" : "0.0.0.0";
        snprintf(out, cap, "an address and a port, or unix:/path (did you mean %s:%u?)", host, port);
        return;
    }
    snprintf(out, cap, "an address and a port such as 127.0.0.1:8080 or [::1]:8080, or unix:/path");
}

static void expected_of(const ipt_key *key, ipt_span found, char *out, size_t cap)
{
    switch (key->type) {
    case IPT_KEY_BOOL:
        snprintf(out, cap, "true or false");
        return;
    case IPT_KEY_INTEGER:
        expected_number(key, "a whole number", out, cap);
        return;
    case IPT_KEY_FRACTION:
        snprintf(out, cap, "a number from 0 to 1");
        return;
    case IPT_KEY_DURATION:
        expected_number(key, "a duration (250ms, 5s, 15m, 1h, 7d)", out, cap);
        return;
    case IPT_KEY_BYTES:
        expected_number(key, "bytes (512, 64KiB, 1MiB)", out, cap);
        return;
    case IPT_KEY_TIME:
        snprintf(out, cap, "a time such as 2026-11-22T10:00:00Z");
        return;
    case IPT_KEY_LISTEN:
        expected_listen(found, out, cap);
        return;
    case IPT_KEY_MODE:
        snprintf(out, cap, "permission bits such as \"0660\"");
        return;
    case IPT_KEY_ENUM:
        expected_words(key->range, found, out, cap);
        return;
    case IPT_KEY_NAME:
    case IPT_KEY_NAMES:
        snprintf(out, cap, "a name of a-z, 0-9, _ and -");
        return;
    case IPT_KEY_HEADER:
        snprintf(out, cap, "a header name");
        return;
    case IPT_KEY_STRINGS:
        if (key->range != NULL && strchr(key->range, '|') != NULL) {
            expected_words(key->range, found, out, cap);
            return;
        }
        snprintf(out, cap, "text");
        return;
    case IPT_KEY_PATH:
        snprintf(out, cap, "a path");
        return;
    case IPT_KEY_PREFIXES:
        snprintf(out, cap, "a prefix or an address");
        return;
    case IPT_KEY_STRING:
    case IPT_KEY_MAP:
    case IPT_KEY_NAMED:
    case IPT_KEY_OTHER:
        snprintf(out, cap, "text");
        return;
    }
}

bool ipt_check_text(const ipt_key *key, ipt_span text, char *expected, size_t cap)
{
    if (text.n != 0 && scalar_fits(key, text))
        return true;
    expected_of(key, text, expected, cap);
    return false;
}

static void check_scalar(const ipt_key *key, ipt_node *node, ipt_diag *diag)
{
    char expected[EXPECTED_MAX];
    ipt_span text = node->kind == IPT_NODE_SCALAR && !ipt_node_is_null(node) ? node->text : (ipt_span){0};
    if (!ipt_check_text(key, text, expected, sizeof(expected)))
        ipt_complain_expected(diag, node, expected);
}

/* ---- sequences ---- */

static void check_prefix(const ipt_key *key, ipt_node *node, ipt_diag *diag)
{
    if (node->kind != IPT_NODE_SCALAR || ipt_node_is_null(node)) {
        char expected[EXPECTED_MAX];
        expected_of(key, (ipt_span){0}, expected, sizeof(expected));
        ipt_complain_expected(diag, node, expected);
        return;
    }
    ipt_prefix prefix;
    ipt_prefix_result result = ipt_prefix_parse(node->text, &prefix);
    if (result == IPT_PREFIX_OK || result == IPT_PREFIX_BARE)
        return;
    char text[EXPECTED_MAX];
    ipt_prefix_complain(node->text, result, text, sizeof(text));
    ipt_diag_add(diag, IPT_ERROR, node->place, "%s", text);
    node->bad = true;
}

static void check_sequence(const ipt_key *key, ipt_node *node, ipt_diag *diag)
{
    if (node->kind != IPT_NODE_SEQUENCE) {
        ipt_complain_expected(diag, node,
                              key->type == IPT_KEY_PREFIXES ? "a sequence such as [10.0.0.0/8]"
                                                            : "a sequence such as [a, b]");
        return;
    }
    for (ipt_node *item = node->first; item != NULL; item = item->next) {
        if (key->type == IPT_KEY_PREFIXES)
            check_prefix(key, item, diag);
        else
            check_scalar(key, item, diag);
    }
}

void ipt_check_value(const ipt_key *key, ipt_node *node, ipt_diag *diag)
{
    switch (key->type) {
    case IPT_KEY_PREFIXES:
    case IPT_KEY_STRINGS:
    case IPT_KEY_NAMES:
        check_sequence(key, node, diag);
        return;
    case IPT_KEY_MAP:
    case IPT_KEY_NAMED:
    case IPT_KEY_OTHER:
        return; /* the walker's and the binder's */
    case IPT_KEY_BOOL:
    case IPT_KEY_INTEGER:
    case IPT_KEY_FRACTION:
    case IPT_KEY_DURATION:
    case IPT_KEY_BYTES:
    case IPT_KEY_TIME:
    case IPT_KEY_STRING:
    case IPT_KEY_PATH:
    case IPT_KEY_LISTEN:
    case IPT_KEY_MODE:
    case IPT_KEY_ENUM:
    case IPT_KEY_NAME:
    case IPT_KEY_HEADER:
        check_scalar(key, node, diag);
        return;
    }
}
