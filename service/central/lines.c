/* Lines "name: value", numbers and base64, each in one spelling alone. */
#include <nettle/base64.h>

#include "central_priv.h"

bool central_line(ipt_span *rest, const char *name, ipt_span *value)
{
    size_t n = strlen(name);
    const char *end = rest->n == 0 ? NULL : memchr(rest->p, '\n', rest->n);
    size_t line = end == NULL ? 0 : (size_t)(end - rest->p);
    if (end == NULL || line <= n + 2 || memcmp(rest->p, name, n) != 0 || memcmp(rest->p + n, ": ", 2) != 0)
        return false;
    *value = (ipt_span){rest->p + n + 2, line - n - 2};
    *rest = (ipt_span){end + 1, rest->n - line - 1};
    return true;
}

bool central_number(ipt_span text, uint64_t *out)
{
    uint64_t number = 0;
    if (text.n == 0 || (text.n > 1 && text.p[0] == '0'))
        return false;
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] < '0' || text.p[i] > '9' || __builtin_mul_overflow(number, UINT64_C(10), &number) ||
            __builtin_add_overflow(number, (uint64_t)(text.p[i] - '0'), &number))
            return false;
    *out = number;
    return true;
}

void central_base64_write(ipt_buf *out, ipt_span bytes)
{
    size_t n = BASE64_ENCODE_RAW_LENGTH(bytes.n);
    if (!ipt_buf_reserve(out, n))
        return;
    base64_encode_raw(out->p + out->n, bytes.n, (const uint8_t *)bytes.p);
    out->n += n;
}

static bool is_digit(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
}

/* The library passes over white space and looks at no unused bits; what it takes is therefore judged before, and the
 * last four digits are written again. */
bool central_base64_read(ipt_span text, uint8_t *bytes, size_t *n)
{
    size_t padding = 0, done = 0;
    struct base64_decode_ctx ctx;
    char last[4];
    if (text.n % 4 != 0)
        return false;
    while (padding < 2 && padding < text.n && text.p[text.n - 1 - padding] == '=')
        padding++;
    for (size_t i = 0; i + padding < text.n; i++)
        if (!is_digit(text.p[i]))
            return false;
    base64_decode_init(&ctx);
    if (text.n != 0 &&
        (base64_decode_update(&ctx, &done, bytes, text.n, text.p) != 1 || base64_decode_final(&ctx) != 1))
        return false;
    if (padding != 0) {
        base64_encode_raw(last, 3 - padding, bytes + done - (3 - padding));
        if (memcmp(last, text.p + text.n - 4, 4) != 0)
            return false;
    }
    *n = done;
    return true;
}

bool central_base64_exact(ipt_span text, uint8_t *out, size_t n)
{
    uint8_t bytes[96];
    size_t done;
    if (text.n != BASE64_ENCODE_RAW_LENGTH(n) || text.n / 4 * 3 > sizeof(bytes) ||
        !central_base64_read(text, bytes, &done) || done != n)
        return false;
    memcpy(out, bytes, n);
    return true;
}
