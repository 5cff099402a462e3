#include "failalloc.h"

#include <errno.h>
#include <stdatomic.h>

/* Threads of a test count together. */
static _Atomic size_t fail_at, seen;
static _Atomic bool happened;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *p, size_t size);

void failalloc_at(size_t n)
{
    atomic_store(&fail_at, 0); /* nothing fails while the rest is set */
    atomic_store(&seen, 0);
    atomic_store(&happened, false);
    atomic_store(&fail_at, n);
}

bool failalloc_happened(void)
{
    return atomic_load(&happened);
}

size_t failalloc_count(void)
{
    return atomic_load(&seen);
}

static bool fails_now(void)
{
    size_t number = atomic_fetch_add(&seen, 1) + 1, at = atomic_load(&fail_at);
    if (at == 0 || number != at)
        return false;
    atomic_store(&happened, true);
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
