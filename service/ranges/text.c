/* A cursor over a list as text: a line, a prefix. */
#include "iptrust/ranges/text.h"

static ipt_span take_line(ipt_span *rest)
{
    const char *end = rest->n == 0 ? NULL : memchr(rest->p, '\n', rest->n);
    size_t n = end == NULL ? rest->n : (size_t)(end - rest->p);
    ipt_span line = {rest->p, n};
    size_t step = end == NULL ? n : n + 1;
    rest->p = step == 0 ? rest->p : rest->p + step;
    rest->n -= step;
    if (line.n != 0 && line.p[line.n - 1] == '\r')
        line.n--;
    return line;
}

static ipt_span without_comment(ipt_span line)
{
    const char *hash = line.n == 0 ? NULL : memchr(line.p, '#', line.n);
    if (hash != NULL)
        line.n = (size_t)(hash - line.p);
    return ipt_span_trim(line);
}

ipt_ranges_step ipt_ranges_text_next(ipt_ranges_text *cursor, ipt_prefix *out, ipt_prefix_result *reason,
                                     ipt_span *found)
{
    while (cursor->rest.n != 0) {
        const char *start = cursor->rest.p;
        ipt_span item = without_comment(take_line(&cursor->rest));
        cursor->line++;
        if (item.n == 0)
            continue;

        cursor->column = (uint32_t)(item.p - start) + 1;
        *found = item;
        ipt_prefix prefix;
        ipt_prefix_result result = ipt_prefix_parse(item, &prefix);
        if (reason != NULL)
            *reason = result;
        if (result != IPT_PREFIX_OK && result != IPT_PREFIX_BARE)
            return IPT_RANGES_BAD;
        *out = prefix;
        return IPT_RANGES_PREFIX;
    }
    return IPT_RANGES_END;
}
