#include "exact.h"

#include <stdlib.h>

ipt_span exact_n(const void *bytes, size_t n)
{
    char *copy = malloc(n == 0 ? 1 : n);
    if (copy == NULL)
        abort();
    if (n != 0)
        memcpy(copy, bytes, n);
    return (ipt_span){copy, n};
}

ipt_span exact(const char *text)
{
    return exact_n(text, strlen(text));
}
