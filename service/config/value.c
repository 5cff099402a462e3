/* Scalars as values. No strtol and no strtod: they take signs, blanks, hexadecimal and the locale's idea of a point. */
#include "value.h"

#include <sys/un.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Cuts the digits at the front off; false when there are none or too many. */
static bool take_digits(ipt_span *rest, size_t most, uint64_t *out)
{
    uint64_t value = 0;
    size_t n = 0;
    while (n < rest->n && is_digit(rest->p[n])) {
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, rest->p[n] - '0', &value))
            return false;
        n++;
    }
    if (n == 0 || n > most)
        return false;
    rest->p += n;
    rest->n -= n;
    *out = value;
    return true;
}

bool ipt_value_bool(ipt_span text, bool *out)
{
    static const struct {
        const char *word;
        bool value;
    } words[] = {{"true", true}, {"yes", true}, {"false", false}, {"no", false}};
    for (size_t i = 0; i < IPT_COUNT(words); i++) {
        if (ipt_span_equal(text, ipt_span_from(words[i].word))) {
            *out = words[i].value;
            return true;
        }
    }
    return false;
}

bool ipt_value_integer(ipt_span text, uint64_t *out)
{
    uint64_t value;
    bool padded = text.n > 1 && text.p[0] == '0'; /* octal to some YAML readers */
    if (padded || !take_digits(&text, 20, &value) || text.n != 0)
        return false;
    *out = value;
    return true;
}

bool ipt_value_fraction(ipt_span text, double *out)
{
    uint64_t whole, part = 0;
    double scale = 1;
    if (!take_digits(&text, 9, &whole))
        return false;
    if (text.n != 0) {
        if (text.p[0] != '.')
            return false;
        text.p++;
        text.n--;
        size_t digits = text.n;
        if (!take_digits(&text, 9, &part) || text.n != 0)
            return false;
        for (size_t i = 0; i < digits; i++)
            scale *= 10;
    }
    *out = (double)whole + (double)part / scale;
    return true;
}

typedef struct unit {
    const char *word;
    uint64_t factor;
} unit;

static bool take_unit(ipt_span text, const unit *units, size_t count, uint64_t number, uint64_t *out)
{
    for (size_t i = 0; i < count; i++) {
        if (!ipt_span_equal(text, ipt_span_from(units[i].word)))
            continue;
        uint64_t value;
        if (__builtin_mul_overflow(number, units[i].factor, &value) || value > INT64_MAX)
            return false;
        *out = value;
        return true;
    }
    return false;
}

bool ipt_value_duration(ipt_span text, int64_t *ms)
{
    static const unit units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    uint64_t number, value;
    if (!take_digits(&text, 12, &number) || !take_unit(text, units, IPT_COUNT(units), number, &value))
        return false;
    *ms = (int64_t)value;
    return true;
}

bool ipt_value_bytes(ipt_span text, uint64_t *out)
{
    static const unit units[] = {{"", 1}, {"KiB", 1U << 10}, {"MiB", 1U << 20}, {"GiB", 1U << 30}};
    uint64_t number;
    return take_digits(&text, 12, &number) && take_unit(text, units, IPT_COUNT(units), number, out);
}

/* ---- RFC 3339, 5.6 ---- */

static bool take_char(ipt_span *rest, const char *any)
{
    if (rest->n == 0 || rest->p[0] == '\0' || strchr(any, rest->p[0]) == NULL)
        return false;
    rest->p++;
    rest->n--;
    return true;
}

static bool take_field(ipt_span *rest, size_t digits, unsigned least, unsigned most, unsigned *out)
{
    uint64_t value;
    ipt_span field = {rest->p, digits};
    if (rest->n < digits || !take_digits(&field, digits, &value) || field.n != 0 || value < least || value > most)
        return false;
    rest->p += digits;
    rest->n -= digits;
    *out = (unsigned)value;
    return true;
}

static bool is_leap(unsigned year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static unsigned days_of(unsigned year, unsigned month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year) ? 1U : 0U);
}

/* Days since 1970-01-01 of a date from 1970 on. */
static int64_t days_since_epoch(unsigned year, unsigned month, unsigned day)
{
    unsigned before = year - 1;
    int64_t days = (int64_t)before * 365 + before / 4 - before / 100 + before / 400 - 719162;
    for (unsigned m = 1; m < month; m++)
        days += days_of(year, m);
    return days + day - 1;
}

static bool take_offset(ipt_span *rest, int64_t *seconds)
{
    unsigned hours, minutes;
    if (take_char(rest, "Zz")) {
        *seconds = 0;
        return true;
    }
    bool west = rest->n != 0 && rest->p[0] == '-';
    if (!take_char(rest, "+-") || !take_field(rest, 2, 0, 23, &hours) || !take_char(rest, ":") ||
        !take_field(rest, 2, 0, 59, &minutes))
        return false;
    int64_t east = (int64_t)hours * 3600 + (int64_t)minutes * 60;
    *seconds = west ? -east : east;
    return true;
}

bool ipt_value_time(ipt_span text, int64_t *seconds)
{
    unsigned year, month, day, hour, minute, second;
    uint64_t fraction;
    int64_t offset;
    if (!take_field(&text, 4, 1970, 9999, &year) || !take_char(&text, "-") || !take_field(&text, 2, 1, 12, &month) ||
        !take_char(&text, "-") || !take_field(&text, 2, 1, days_of(year, month), &day) || !take_char(&text, "Tt ") ||
        !take_field(&text, 2, 0, 23, &hour) || !take_char(&text, ":") || !take_field(&text, 2, 0, 59, &minute) ||
        !take_char(&text, ":") || !take_field(&text, 2, 0, 59, &second))
        return false;
    if (take_char(&text, ".") && !take_digits(&text, 9, &fraction))
        return false;
    if (!take_offset(&text, &offset) || text.n != 0)
        return false;
    *seconds = days_since_epoch(year, month, day) * 86400 + hour * 3600L + minute * 60L + second - offset;
    return true;
}

/* ---- the rest ---- */

bool ipt_value_mode(ipt_span text, unsigned *out)
{
    unsigned mode = 0;
    if (text.n != 4 || text.p[0] != '0')
        return false;
    for (size_t i = 1; i < 4; i++) {
        if (text.p[i] < '0' || text.p[i] > '7')
            return false;
        mode = mode * 8 + (unsigned)(text.p[i] - '0');
    }
    *out = mode;
    return true;
}

static bool listen_unix(ipt_span path, ipt_listener_spec *out)
{
    if (path.n < 2 || path.p[0] != '/' || path.n >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
        return false;
    out->kind = IPT_LISTEN_UNIX;
    out->path = path.p;
    return true;
}

bool ipt_value_listen(ipt_span text, ipt_listener_spec *out)
{
    const ipt_span scheme = IPT_SPAN("unix:");
    if (text.n > scheme.n && memcmp(text.p, scheme.p, scheme.n) == 0)
        return listen_unix((ipt_span){text.p + scheme.n, text.n - scheme.n}, out);

    const char *colon = text.n == 0 ? NULL : memrchr(text.p, ':', text.n);
    if (colon == NULL)
        return false;
    ipt_span host = {text.p, (size_t)(colon - text.p)};
    ipt_span digits = {colon + 1, text.n - host.n - 1};
    bool brackets = host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']';
    if (brackets)
        host = (ipt_span){host.p + 1, host.n - 2};
    ipt_addr addr;
    uint16_t port;
    bool is_v6_text = memchr(host.p, ':', host.n) != NULL;
    if (is_v6_text != brackets || !ipt_addr_parse(host, &addr, NULL) || !ipt_port_parse(digits, 0, &port))
        return false;
    out->kind = IPT_LISTEN_TCP;
    out->host = addr;
    out->port = port;
    return true;
}

bool ipt_value_is_name(ipt_span text)
{
    if (text.n == 0 || text.n > IPT_NAME_LENGTH_MAX || text.p[0] == '_' || text.p[0] == '-')
        return false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (!((c >= 'a' && c <= 'z') || is_digit(c) || c == '_' || c == '-'))
            return false;
    }
    return true;
}
