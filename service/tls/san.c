/* Names of certificates: what an entry of the allow-list means, whether two are the same, which one is the principal.
 */
#include "iptrust/tls/tls.h"

static bool is_alpha(char c)
{
    return ipt_lower(c) >= 'a' && ipt_lower(c) <= 'z';
}

/* RFC 3986, 3.1. */
static bool has_scheme(ipt_span text)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == ':')
            return i != 0;
        if (!is_alpha(c) && (i == 0 || !((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.')))
            return false;
    }
    return false;
}

static bool has(ipt_span text, char c)
{
    return text.n != 0 && memchr(text.p, c, text.n) != NULL;
}

ipt_san ipt_san_read(ipt_span entry)
{
    ipt_addr ignored;
    if (entry.n == 0 || has(entry, '*'))
        return (ipt_san){.kind = IPT_SAN_NONE};
    if (ipt_addr_parse(entry, &ignored, NULL))
        return (ipt_san){IPT_SAN_IP, entry};
    if (has_scheme(entry))
        return (ipt_san){IPT_SAN_URI, entry};
    return (ipt_san){has(entry, '@') ? IPT_SAN_EMAIL : IPT_SAN_DNS, entry};
}

static bool equal_address(ipt_span a, ipt_span b)
{
    ipt_addr left, right;
    return ipt_addr_parse(a, &left, NULL) && ipt_addr_parse(b, &right, NULL) && ipt_addr_equal(left, right);
}

/* The local part is the recipient's business, the host is a DNS name. The last @ parts them: a quoted local part may
 * hold one (RFC 5321, 4.1.2). */
static bool equal_mail(ipt_span a, ipt_span b)
{
    const char *at = a.n == 0 ? NULL : memrchr(a.p, '@', a.n);
    if (at == NULL || a.n != b.n)
        return false;
    size_t local = (size_t)(at - a.p) + 1;
    return ipt_span_equal((ipt_span){a.p, local}, (ipt_span){b.p, local}) &&
           ipt_span_equal_nocase((ipt_span){a.p + local, a.n - local}, (ipt_span){b.p + local, b.n - local});
}

bool ipt_san_equal(ipt_san a, ipt_san b)
{
    if (a.kind != b.kind)
        return false;
    switch (a.kind) {
    case IPT_SAN_DNS:
        return a.text.n != 0 && ipt_span_equal_nocase(a.text, b.text);
    case IPT_SAN_URI:
        return a.text.n != 0 && ipt_span_equal(a.text, b.text);
    case IPT_SAN_IP:
        return equal_address(a.text, b.text);
    case IPT_SAN_EMAIL:
        return equal_mail(a.text, b.text);
    case IPT_SAN_NONE:
        break;
    }
    return false;
}

bool ipt_san_is_allowed(const ipt_san *names, size_t count, const char *const *allowed, size_t allowed_count)
{
    for (size_t i = 0; i < allowed_count; i++) {
        ipt_san wanted = ipt_san_read(ipt_span_from(allowed[i]));
        for (size_t j = 0; j < count; j++) {
            if (ipt_san_equal(names[j], wanted))
                return true;
        }
    }
    return false;
}

ipt_span ipt_san_principal(const ipt_san *names, size_t count)
{
    static const ipt_san_kind order[] = {IPT_SAN_URI, IPT_SAN_DNS, IPT_SAN_EMAIL, IPT_SAN_IP};
    for (size_t i = 0; i < IPT_COUNT(order); i++) {
        for (size_t j = 0; j < count; j++) {
            if (names[j].kind == order[i] && names[j].text.n != 0)
                return names[j].text;
        }
    }
    return (ipt_span){NULL, 0};
}
