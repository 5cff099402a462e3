/* Writes down what is wrong with a text. */
#include "iptrust/json/flaw.h"

#include <stdarg.h>
#include <stdio.h>

bool ipt_json_flaw_set(ipt_json_flaw *flaw, ipt_json_flaw_kind kind, const char *pointer, const char *format, ...)
{
    flaw->kind = kind;
    size_t n = strnlen(pointer, sizeof(flaw->pointer) - 1);
    memmove(flaw->pointer, pointer, n);
    flaw->pointer[n] = '\0';

    va_list args;
    va_start(args, format);
    if (vsnprintf(flaw->detail, sizeof(flaw->detail), format, args) < 0)
        flaw->detail[0] = '\0';
    va_end(args);
    return false;
}
