/* One pass that the compiler makes of wide registers; only texts with escapes, control characters or bytes above 0x7f
 * are looked at more closely. */
#include "text_priv.h"

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* The top bit of every byte of x that is zero, and no other bit. */
static uint64_t zero_bytes(uint64_t x)
{
    return ~(((x & EACH(0x7f)) + EACH(0x7f)) | x | EACH(0x7f));
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool has_control(ipt_span text)
{
    for (size_t i = 0; i < text.n; i++) {
        if ((unsigned char)text.p[i] < 0x20 && !is_space(text.p[i]))
            return true;
    }
    return false;
}

/* The code unit of the \uXXXX at `at`; false when it is no such escape. */
static bool code_unit(ipt_span text, size_t at, unsigned *unit)
{
    if (text.n - at < 6 || text.p[at] != '\\' || text.p[at + 1] != 'u')
        return false;
    unsigned value = 0;
    for (size_t i = at + 2; i < at + 6; i++) {
        char c = ipt_lower(text.p[i]);
        if (c >= '0' && c <= '9')
            value = value << 4 | (unsigned)(c - '0');
        else if (c >= 'a' && c <= 'f')
            value = value << 4 | (unsigned)(c - 'a' + 10);
        else
            return false;
    }
    *unit = value;
    return true;
}

/* Judges the escape at `at` and returns its length; for a surrogate pair that of both. */
static size_t look_at_escape(ipt_span text, size_t at, ipt_json_text *look)
{
    unsigned unit, low;
    if (!code_unit(text, at, &unit))
        return 2;
    if (unit < 0xd800 || unit > 0xdfff)
        return 6;
    if (unit < 0xdc00 && code_unit(text, at + 6, &low) && low >= 0xdc00 && low <= 0xdfff)
        return 12;
    if (!look->has_lone) {
        look->has_lone = true;
        look->lone_at = at;
    }
    return 6;
}

/* The next quote or backslash at or after i. */
static size_t next_mark(ipt_span text, size_t i)
{
    for (; i + 8 <= text.n; i += 8) {
        uint64_t x;
        memcpy(&x, text.p + i, sizeof(x));
        if ((zero_bytes(x ^ EACH('"')) | zero_bytes(x ^ EACH('\\'))) != 0)
            break;
    }
    while (i < text.n && text.p[i] != '"' && text.p[i] != '\\')
        i++;
    return i;
}

/* Follows strings through a text that has backslashes. */
static void look_at_strings(ipt_span text, ipt_json_text *look)
{
    bool inside = false, escaped = false;
    size_t begin = 0;
    for (size_t i = next_mark(text, 0); i < text.n; i = next_mark(text, i)) {
        if (text.p[i] == '\\') {
            escaped = true;
            i += look_at_escape(text, i, look);
            continue;
        }
        i++;
        if (inside && escaped && i - begin > look->escaped_length)
            look->escaped_length = i - begin;
        inside = !inside;
        escaped = false;
        begin = i;
    }
    look->is_closed = !inside;
}

ipt_json_text ipt_json_text_look(ipt_span text)
{
    unsigned char high = 0, low = 0, slash = 0, odd = 0; /* bytes, so that a register holds many */
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        high |= c;
        low |= c < 0x20;
        slash |= c == '\\';
        odd ^= c == '"';
    }

    ipt_json_text look = {.is_closed = odd == 0, .is_utf8 = true};
    if (high >= 0x80)
        look.is_utf8 = ipt_span_is_utf8(text);
    if (low != 0)
        look.has_control = has_control(text);
    if (slash != 0)
        look_at_strings(text, &look);

    while (text.n != 0 && is_space(text.p[0])) {
        text.p++;
        text.n--;
    }
    while (text.n != 0 && is_space(text.p[text.n - 1]))
        text.n--;
    look.is_object = text.n >= 2 && text.p[0] == '{' && text.p[text.n - 1] == '}';
    look.is_array = text.n >= 2 && text.p[0] == '[' && text.p[text.n - 1] == ']';
    return look;
}
