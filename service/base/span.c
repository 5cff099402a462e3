/* Comparing and classifying borrowed bytes. ASCII only: the locale must never change what a header means. */
#include "iptrust/base/span.h"

/* Eight characters in lower case. No carry leaves a byte, and bytes above 0x7f stay as they are. */
static uint64_t lower8(const char *p)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t word;
    memcpy(&word, p, sizeof(word));
    uint64_t low7 = word & ones * 0x7f;
    uint64_t from_a = low7 + ones * (0x80 - 'A'), above_z = low7 + ones * (0x7f - 'Z');
    return word | ((from_a & ~above_z & ~word & ones * 0x80) >> 2);
}

/* Eight bytes a step, because header names are compared for every header of every request. */
bool ipt_span_equal_nocase(ipt_span a, ipt_span b)
{
    if (a.n != b.n)
        return false;
    size_t i = 0;
    for (; a.n - i >= sizeof(uint64_t); i += sizeof(uint64_t)) {
        if (lower8(a.p + i) != lower8(b.p + i))
            return false;
    }
    if (a.n > sizeof(uint64_t)) /* the rest with what was compared already */
        return lower8(a.p + a.n - sizeof(uint64_t)) == lower8(b.p + b.n - sizeof(uint64_t));
    for (; i < a.n; i++) {
        if (ipt_lower(a.p[i]) != ipt_lower(b.p[i]))
            return false;
    }
    return true;
}

bool ipt_span_equal_lower(ipt_span lower, ipt_span text)
{
    uint64_t head, tail;
    if (lower.n != text.n)
        return false;
    size_t i = 0;
    if (text.n >= sizeof(head)) { /* the last eight may be compared twice */
        for (; text.n - i > 2 * sizeof(head); i += sizeof(head)) {
            memcpy(&head, lower.p + i, sizeof(head));
            if (lower8(text.p + i) != head)
                return false;
        }
        memcpy(&head, lower.p + i, sizeof(head));
        memcpy(&tail, lower.p + text.n - sizeof(tail), sizeof(tail));
        return lower8(text.p + i) == head && lower8(text.p + text.n - sizeof(tail)) == tail;
    }
    for (; i < text.n; i++) {
        if (ipt_lower(text.p[i]) != lower.p[i])
            return false;
    }
    return true;
}

int ipt_span_compare_nocase(ipt_span a, ipt_span b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    for (size_t i = 0; i < n; i++) {
        unsigned char x = (unsigned char)ipt_lower(a.p[i]);
        unsigned char y = (unsigned char)ipt_lower(b.p[i]);
        if (x != y)
            return x < y ? -1 : 1;
    }
    return (a.n > b.n) - (a.n < b.n);
}

static bool is_ows(char c)
{
    return c == ' ' || c == '\t';
}

ipt_span ipt_span_trim(ipt_span s)
{
    const char *p = s.p, *end = p + s.n;
    while (p != end && is_ows(*p))
        p++;
    while (end != p && is_ows(end[-1]))
        end--;
    return (ipt_span){p, (size_t)(end - p)};
}

bool ipt_span_equal_secret(ipt_span a, ipt_span b)
{
    if (a.n != b.n)
        return false;
    /* volatile, or the compiler may leave the loop at the first difference. */
    volatile unsigned char differ = 0;
    for (size_t i = 0; i < a.n; i++)
        differ = (unsigned char)(differ | ((unsigned char)a.p[i] ^ (unsigned char)b.p[i]));
    return differ == 0;
}

/* Bytes of the well-formed sequence at p, 0 when there is none: the rows of RFC 3629, section 4. */
static size_t utf8_sequence(const unsigned char *p, size_t n)
{
    unsigned char first = p[0], low = 0x80, high = 0xbf;
    size_t length;
    if (first < 0x80)
        return 1;
    if (first < 0xc2 || first > 0xf4)
        return 0;
    if (first < 0xe0)
        length = 2;
    else if (first < 0xf0)
        length = 3;
    else
        length = 4;
    if (n < length)
        return 0;
    /* The second byte keeps out overlong forms, surrogates and what is above U+10FFFF. */
    if (first == 0xe0)
        low = 0xa0;
    else if (first == 0xed)
        high = 0x9f;
    else if (first == 0xf0)
        low = 0x90;
    else if (first == 0xf4)
        high = 0x8f;
    if (p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    }
    return length;
}

/* A byte that is not from space to tilde. A byte above tilde, or one below space, may blame its left neighbour, too:
 * good enough for whether there is one. */
static bool has_odd(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    return (((word + ones) | (word - ones * ' ') | word) & ones * 0x80) != 0;
}

bool ipt_span_is_printable(ipt_span s)
{
    uint64_t word;
    if (s.n < sizeof(word)) {
        memset(&word, ' ', sizeof(word));
        if (s.n != 0)
            memcpy(&word, s.p, s.n);
        return !has_odd(word);
    }
    for (size_t i = 0; s.n - i > sizeof(word); i += sizeof(word)) {
        memcpy(&word, s.p + i, sizeof(word));
        if (has_odd(word))
            return false;
    }
    memcpy(&word, s.p + s.n - sizeof(word), sizeof(word)); /* some of them once more */
    return !has_odd(word);
}

bool ipt_span_is_utf8(ipt_span s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    if (ipt_span_is_printable(s))
        return true;
    for (size_t i = 0; i < s.n;) {
        size_t length = utf8_sequence(p + i, s.n - i);
        if (length == 0)
            return false;
        i += length;
    }
    return true;
}

bool ipt_is_tchar(char c)
{
    static const bool tchar[256] = {
        ['!'] = 1, ['#'] = 1, ['$'] = 1, ['%'] = 1, ['&'] = 1, ['\''] = 1, ['*'] = 1, ['+'] = 1, ['-'] = 1, ['.'] = 1,
        ['^'] = 1, ['_'] = 1, ['`'] = 1, ['|'] = 1, ['~'] = 1, ['0'] = 1,  ['1'] = 1, ['2'] = 1, ['3'] = 1, ['4'] = 1,
        ['5'] = 1, ['6'] = 1, ['7'] = 1, ['8'] = 1, ['9'] = 1, ['A'] = 1,  ['B'] = 1, ['C'] = 1, ['D'] = 1, ['E'] = 1,
        ['F'] = 1, ['G'] = 1, ['H'] = 1, ['I'] = 1, ['J'] = 1, ['K'] = 1,  ['L'] = 1, ['M'] = 1, ['N'] = 1, ['O'] = 1,
        ['P'] = 1, ['Q'] = 1, ['R'] = 1, ['S'] = 1, ['T'] = 1, ['U'] = 1,  ['V'] = 1, ['W'] = 1, ['X'] = 1, ['Y'] = 1,
        ['Z'] = 1, ['a'] = 1, ['b'] = 1, ['c'] = 1, ['d'] = 1, ['e'] = 1,  ['f'] = 1, ['g'] = 1, ['h'] = 1, ['i'] = 1,
        ['j'] = 1, ['k'] = 1, ['l'] = 1, ['m'] = 1, ['n'] = 1, ['o'] = 1,  ['p'] = 1, ['q'] = 1, ['r'] = 1, ['s'] = 1,
        ['t'] = 1, ['u'] = 1, ['v'] = 1, ['w'] = 1, ['x'] = 1, ['y'] = 1,  ['z'] = 1,
    };
    return tchar[(unsigned char)c];
}

bool ipt_span_is_token(ipt_span s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!ipt_is_tchar(s.p[i]))
            return false;
    }
    return s.n != 0;
}
