/* Appending to a buffer on the hot path, without format strings. Two ways: put_* ask for room each time; lay_* write
 * where the caller has reserved room for the most that it can come to. A decision is laid: `to` stays in a register,
 * while a buffer behind a pointer is read again after every byte written. */
#ifndef IPT_JSON_PUT_PRIV_H
#define IPT_JSON_PUT_PRIV_H

#include <assert.h>

#include "iptrust/codec/json.h"

enum {
    WORD_MAX = 64, /* names of codes, lists, policies and their revisions */
    QUOTED_MAX = WORD_MAX + 2,
    ADDRESS_MAX = IPT_ADDR_TEXT + 2,
    PREFIX_MAX = IPT_PREFIX_TEXT + 2,
    NUMBER_MAX = 20,
    TEXT_WIDEST = 5, /* bytes that one of a text becomes: \\xHH */
};

/* ---- laying ---- */

/* Where to lay at most n bytes; NULL without memory. */
static inline char *lay_begin(ipt_buf *out, size_t n)
{
    return ipt_buf_reserve(out, n) ? out->p + out->n : NULL;
}

static inline void lay_end(ipt_buf *out, const char *to)
{
    out->n = (size_t)(to - out->p);
}

/* Inlined always, so that the length of a literal is known where it is copied. */
__attribute__((always_inline)) static inline char *lay(char *to, ipt_span text)
{
    memcpy(to, text.p, text.n);
    return to + text.n;
}

static inline char *lay_words(char *to, const char *words)
{
    char *end = stpcpy(to, words);          /* its NUL takes the place of the quote that follows */
    assert((size_t)(end - to) <= WORD_MAX); /* ours, and counted on by who reserved the room */
    return end;
}

static inline char *lay_quoted(char *to, const char *words)
{
    *to++ = '"';
    to = lay_words(to, words);
    *to++ = '"';
    return to;
}

__attribute__((always_inline)) static inline char *lay_words_or_null(char *to, ipt_span key, const char *words)
{
    to = lay(to, key);
    return words == NULL ? lay(to, IPT_SPAN("null")) : lay_quoted(to, words);
}

static inline char *lay_bool(char *to, bool value)
{
    return value ? lay(to, IPT_SPAN("true")) : lay(to, IPT_SPAN("false"));
}

char *lay_many_digits(char *to, uint64_t number);

static inline char *lay_number(char *to, uint64_t number)
{
    if (number >= 10)
        return lay_many_digits(to, number);
    *to++ = (char)('0' + number); /* hops, lines and indexes */
    return to;
}

static inline char *lay_address(char *to, ipt_addr addr)
{
    *to++ = '"';
    to += ipt_addr_format(addr, to);
    *to++ = '"';
    return to;
}

static inline char *lay_prefix(char *to, ipt_prefix prefix)
{
    *to++ = '"';
    to += ipt_prefix_format(prefix, to);
    *to++ = '"';
    return to;
}

/* ipt_json_write_text with room for TEXT_WIDEST bytes each of the text's, and two. */
char *lay_text(char *to, ipt_span text);

static inline size_t text_room(ipt_span text)
{
    return text.n * TEXT_WIDEST + 2;
}

static inline ipt_span text_cut(ipt_span text, size_t max)
{
    return (ipt_span){text.p, text.n < max ? text.n : max};
}

/* ---- putting ---- */

static inline bool has_room(ipt_buf *out, size_t n)
{
    return n <= out->cap - out->n || ipt_buf_reserve(out, n);
}

static inline void put(ipt_buf *out, ipt_span text)
{
    if (text.n == 0 || !has_room(out, text.n))
        return;
    memcpy(out->p + out->n, text.p, text.n);
    out->n += text.n;
}

static inline void put_char(ipt_buf *out, char c)
{
    if (has_room(out, 1))
        out->p[out->n++] = c;
}

/* Text of ours that needs no escaping: names of codes, lists, revisions. */
static inline void put_words(ipt_buf *out, const char *words)
{
    put(out, ipt_span_from(words));
}

static inline void put_quoted(ipt_buf *out, const char *words)
{
    put_char(out, '"');
    put_words(out, words);
    put_char(out, '"');
}

/* A key with what stands around it, then words or null: IPT_SPAN(",\"rule\":"). */
static inline void put_words_or_null(ipt_buf *out, ipt_span key, const char *words)
{
    put(out, key);
    if (words == NULL)
        put(out, IPT_SPAN("null"));
    else
        put_quoted(out, words);
}

static inline void put_bool(ipt_buf *out, bool value)
{
    put(out, value ? IPT_SPAN("true") : IPT_SPAN("false"));
}

void put_number(ipt_buf *out, uint64_t number);
void put_address(ipt_buf *out, ipt_addr addr);           /* with quotes */
void put_prefix(ipt_buf *out, ipt_prefix prefix);        /* with quotes */
void put_hex(ipt_buf *out, ipt_span bytes);              /* with quotes, lower case */
const char *ipt_embedding_name(ipt_embedding embedding); /* "6to4"; NULL for none */

/* Parts of a decision. */
void ipt_json_write_chain(ipt_buf *out, const ipt_decision *decision);
void ipt_json_write_proxy(ipt_buf *out, const ipt_proxy *proxy);
/* told: two letters that the header told_by says; told_by NULL: none does. */
void ipt_json_write_geo(ipt_buf *out, const ipt_geo *geo, const ipt_geo_facts *facts, ipt_span told,
                        const char *told_by);

#endif
