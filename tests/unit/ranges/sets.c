#include "sets.h"

#include <stdlib.h>

ipt_prefix_set set_of(const char *text)
{
    size_t room = strlen(text) / 2 + 1, count = 0;
    ipt_prefix *items = malloc(room * sizeof(*items));
    for (const char *p = text + strspn(text, " "); *p != '\0'; p += strspn(p, " ")) {
        ipt_span word = {p, strcspn(p, " ")};
        if (items == NULL || ipt_prefix_parse(word, &items[count++]) == IPT_PREFIX_INVALID)
            abort();
        p += word.n;
    }
    return (ipt_prefix_set){items, ipt_prefixes_sort(items, count)};
}
