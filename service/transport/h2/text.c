/* gRPC's own small syntaxes (gRPC over HTTP/2, Requests and Responses). */
#include "text.h"

bool h2_timeout_read(ipt_span text, int64_t *ns)
{
    enum { DIGITS_MAX = 8 };
    int64_t number = 0, unit;
    if (text.n < 2 || text.n > DIGITS_MAX + 1)
        return false;
    for (size_t i = 0; i < text.n - 1; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
        number = number * 10 + (text.p[i] - '0');
    }
    switch (text.p[text.n - 1]) {
    case 'n':
        unit = 1;
        break;
    case 'u':
        unit = 1000;
        break;
    case 'm':
        unit = 1000000;
        break;
    case 'S':
        unit = 1000000000;
        break;
    case 'M':
        unit = 60 * INT64_C(1000000000);
        break;
    case 'H':
        unit = 3600 * INT64_C(1000000000);
        break;
    default:
        return false;
    }
    *ns = number > INT64_MAX / 4 / unit ? INT64_MAX / 4 : number * unit; /* that no caller sees the end of */
    return true;
}

size_t h2_message_encode(char *out, size_t cap, const char *message)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t n = 0;
    for (; *message != '\0'; message++) {
        unsigned char c = (unsigned char)*message;
        bool plain = c >= 0x20 && c <= 0x7e && c != '%';
        if (cap - n < (plain ? 1U : 3U))
            break;
        if (plain) {
            out[n++] = (char)c;
            continue;
        }
        out[n++] = '%';
        out[n++] = hex[c >> 4];
        out[n++] = hex[c & 15];
    }
    return n;
}

size_t h2_binary_encode(char *out, size_t cap, const uint8_t *bytes, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t need = n / 3 * 4 + (n % 3 == 0 ? 0 : n % 3 + 1), at = 0;
    if (need > cap)
        return 0;
    for (size_t i = 0; i < n; i += 3) {
        uint32_t group =
            (uint32_t)bytes[i] << 16 | (i + 1 < n ? (uint32_t)bytes[i + 1] << 8 : 0) | (i + 2 < n ? bytes[i + 2] : 0);
        for (unsigned k = 0; k < 4 && at < need; k++)
            out[at++] = digits[group >> (18 - 6 * k) & 63];
    }
    return need;
}

bool h2_content_type_ok(ipt_span text)
{
    static const char grpc[] = "application/grpc";
    const size_t n = sizeof(grpc) - 1;
    if (text.n < n || !ipt_span_equal_nocase((ipt_span){text.p, n}, IPT_SPAN("application/grpc")))
        return false;
    ipt_span rest = {text.p + n, text.n - n};
    if (rest.n >= 6 && ipt_span_equal_nocase((ipt_span){rest.p, 6}, IPT_SPAN("+proto")))
        rest = (ipt_span){rest.p + 6, rest.n - 6};
    rest = ipt_span_trim(rest);
    return rest.n == 0 || rest.p[0] == ';';
}
