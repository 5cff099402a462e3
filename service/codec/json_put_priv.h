/* Appending to a buffer on the hot path: literals whose length the compiler knows, one comparison each, no format
 * strings. */
#ifndef IPT_JSON_PUT_PRIV_H
#define IPT_JSON_PUT_PRIV_H

#include "iptrust/codec/json.h"

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
void put_address(ipt_buf *out, ipt_addr addr);    /* with quotes */
void put_prefix(ipt_buf *out, ipt_prefix prefix); /* with quotes */
void put_hex(ipt_buf *out, ipt_span bytes);       /* with quotes, lower case */
/* The names of the lists that hold an address; egress members are theirs, too. */
void put_lists(ipt_buf *out, const ipt_view *view, const uint16_t *lists, size_t count);
void put_header_name(ipt_buf *out, const ipt_view *view, ipt_name name); /* with quotes */
const char *ipt_embedding_name(ipt_embedding embedding);                 /* "6to4"; NULL for none */

/* Parts of a decision. */
void ipt_json_write_chain(ipt_buf *out, const ipt_decision *decision);
void ipt_json_write_proxy(ipt_buf *out, const ipt_proxy *proxy);

#endif
