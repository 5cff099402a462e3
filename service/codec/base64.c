/* Base64 decoding, strict. */
#include "base64_priv.h"

enum { NO_DIGIT = 64 };

static uint32_t digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (uint32_t)(c - 'A');
    if (c >= 'a' && c <= 'z')
        return (uint32_t)(c - 'a') + 26;
    if (c >= '0' && c <= '9')
        return (uint32_t)(c - '0') + 52;
    if (c == '+')
        return 62;
    return c == '/' ? 63 : NO_DIGIT;
}

bool ipt_base64_decode(ipt_span text, char *out, size_t *n)
{
    if (text.n % 4 != 0)
        return false;
    size_t padding = 0;
    while (padding < 2 && padding < text.n && text.p[text.n - 1 - padding] == '=')
        padding++;

    size_t digits = text.n - padding, used = 0;
    uint32_t bits = 0;
    for (size_t i = 0; i < digits; i++) {
        uint32_t value = digit(text.p[i]);
        if (value == NO_DIGIT)
            return false;
        bits = bits << 6 | value;
        if (i % 4 != 0)
            out[used++] = (char)(bits >> (6 - 2 * (i % 4)) & 0xff);
    }
    /* The last digit before one `=` carries 2 unused bits, before two 4 (RFC 4648, 3.5). */
    if ((bits & ((1U << (2 * padding)) - 1)) != 0)
        return false;
    *n = used;
    return true;
}
