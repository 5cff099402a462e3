#include "failalloc.h"

#include <errno.h>

static size_t fail_at, seen;
static bool happened;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *p, size_t size);

void failalloc_at(size_t n)
{
    fail_at = n;
    seen = 0;
    happened = false;
}

bool failalloc_happened(void)
{
    return happened;
}

size_t failalloc_count(void)
{
    return seen;
}

static bool fails_now(void)
{
    seen++;
    if (fail_at == 0 || seen != fail_at)
        return false;
    happened = true;
    errno = ENOMEM;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return fails_now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails_now() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *p, size_t size)
{
    return fails_now() ? NULL : __real_realloc(p, size);
}
