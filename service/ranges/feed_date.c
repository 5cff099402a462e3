/* Dates and numbers as feeds write them. */
#include "feed_priv.h"

#include <time.h>

bool ipt_feed_number(ipt_span text, uint64_t *out)
{
    uint64_t number = 0;
    if (text.n == 0 || text.n > 19)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
        number = number * 10 + (uint64_t)(text.p[i] - '0');
    }
    *out = number;
    return true;
}

/* timegm() makes the 31st of March of the 31st of February and of no use say that it was none. */
static bool seconds_of(const int fields[6], int64_t *out)
{
    struct tm tm = {.tm_year = fields[0] - 1900,
                    .tm_mon = fields[1] - 1,
                    .tm_mday = fields[2],
                    .tm_hour = fields[3],
                    .tm_min = fields[4],
                    .tm_sec = fields[5]};
    struct tm same = tm;
    if (fields[0] < 1970 || fields[5] > 59)
        return false;
    time_t seconds = timegm(&tm);
    if (tm.tm_mon != same.tm_mon || tm.tm_mday != same.tm_mday || tm.tm_hour != same.tm_hour ||
        tm.tm_min != same.tm_min)
        return false;
    *out = (int64_t)seconds;
    return true;
}

bool ipt_feed_date(ipt_span text, const char *shape, int64_t *seconds, ipt_span *rest)
{
    int fields[6] = {0};
    size_t field = 0, i = 0;
    for (; shape[i] != '\0'; i++) {
        if (i == text.n)
            return false;
        char c = text.p[i];
        if (shape[i] != 'd') {
            if (c != shape[i])
                return false;
            field++;
            continue;
        }
        if (c < '0' || c > '9' || field == IPT_COUNT(fields))
            return false;
        fields[field] = fields[field] * 10 + (c - '0');
    }
    if (!seconds_of(fields, seconds))
        return false;
    *rest = (ipt_span){text.p + i, text.n - i};
    return true;
}

static ipt_span take_fraction(ipt_span text, uint32_t *micros)
{
    size_t i = 1, scale = 100000;
    *micros = 0;
    if (text.n == 0 || text.p[0] != '.')
        return text;
    for (; i < text.n && text.p[i] >= '0' && text.p[i] <= '9'; i++) {
        *micros += (uint32_t)((size_t)(text.p[i] - '0') * scale);
        scale /= 10;
    }
    return i == 1 ? text : (ipt_span){text.p + i, text.n - i}; /* a point without digits stays, and is wrong */
}

bool ipt_feed_timestamp(ipt_span text, int64_t *seconds, uint32_t *micros)
{
    ipt_span rest;
    int64_t time, zone;
    uint32_t fraction;
    if (!ipt_feed_date(text, "dddd-dd-ddTdd:dd:dd", &time, &rest))
        return false;
    rest = take_fraction(rest, &fraction);
    if (rest.n == 6 && (rest.p[0] == '+' || rest.p[0] == '-') && rest.p[3] == ':') {
        uint64_t hours, minutes;
        if (!ipt_feed_number((ipt_span){rest.p + 1, 2}, &hours) ||
            !ipt_feed_number((ipt_span){rest.p + 4, 2}, &minutes))
            return false;
        zone = (int64_t)(hours * 3600 + minutes * 60);
        time += rest.p[0] == '+' ? -zone : zone;
    } else if (rest.n != 0 && !ipt_span_equal(rest, IPT_SPAN("Z"))) {
        return false;
    }
    *seconds = time;
    *micros = fraction;
    return true;
}
