/* One pass over the headers notes where those stand that can matter, so that nothing later searches. */
#include "resolve_priv.h"

#define ATTRIBUTE "attribute:"

bool ipt_header_is_carried(ipt_span text)
{
    if (ipt_span_is_printable(text))
        return true;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '\0' || c == '\r' || c == '\n')
            return false;
    }
    return true;
}

static bool is_attribute(ipt_span text)
{
    return text.n > sizeof(ATTRIBUTE) - 1 && memcmp(text.p, ATTRIBUTE, sizeof(ATTRIBUTE) - 1) == 0;
}

ipt_name find_header_name(const work *w, ipt_span text)
{
    ipt_name name = ipt_names_find(w->view->names, text);
    /* The table holds words that are no header names: a header that borrows one is an unknown header. */
    if (name == IPT_NAME_PROXY_PROTOCOL ||
        (name >= IPT_NAME_FIXED && is_attribute(ipt_names_text(w->view->names, name))))
        return IPT_NAME_NONE;
    return name;
}

void index_headers(work *w)
{
    header_index *index = &w->headers;
    memset(index->present, 0, sizeof(index->present));
    index->has_alias = false;
    for (size_t i = 0; i < w->request->header_count; i++) {
        const ipt_header *header = &w->request->headers[i];
        ipt_name name = find_header_name(w, header->name);
        if (name == IPT_NAME_NONE) {
            index->has_alias = index->has_alias || ipt_names_is_alias(w->view->names, header->name);
            continue;
        }
        lines *l = &index->lines[name];
        if (!has_header(w, name)) {
            index->present[name / 64] |= UINT64_C(1) << name % 64;
            *l = (lines){.first = (uint32_t)i};
        }
        l->last = (uint32_t)i;
        l->count++;
        l->filled += !ipt_line_is_empty(header->value);
    }
}

bool next_line(const work *w, ipt_name name, uint32_t *at, ipt_span *value)
{
    ipt_span text = ipt_names_text(w->view->names, name);
    for (uint32_t i = *at; i <= w->headers.lines[name].last; i++) {
        const ipt_header *header = &w->request->headers[i];
        if (!ipt_span_equal_nocase(header->name, text))
            continue;
        *value = header->value;
        *at = i + 1;
        return true;
    }
    return false;
}

uint32_t count_values(const work *w, ipt_name name, ipt_span *value)
{
    if (has_header(w, name)) {
        const lines *l = &w->headers.lines[name];
        *value = w->request->headers[l->first].value;
        return l->count;
    }
    if (name < IPT_NAME_FIXED || w->request->attribute_count == 0)
        return 0;
    ipt_span text = ipt_names_text(w->view->names, name);
    if (!is_attribute(text))
        return 0;
    text.p += sizeof(ATTRIBUTE) - 1;
    text.n -= sizeof(ATTRIBUTE) - 1;
    uint32_t count = 0;
    for (size_t i = 0; i < w->request->attribute_count; i++)
        if (ipt_span_equal(w->request->attributes[i].name, text) && count++ == 0)
            *value = w->request->attributes[i].value;
    return count;
}

bool is_filled(const work *w, ipt_name name)
{
    ipt_span value;
    if (ipt_name_is_list(name))
        return has_header(w, name) && w->headers.lines[name].filled != 0;
    return count_values(w, name, &value) != 0;
}
