/* Optimal string alignment: the usual typing mistakes cost one each. */
#include "suggest.h"

enum { LETTERS_MAX = 64 };

static size_t least(size_t a, size_t b, size_t c)
{
    size_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

size_t ipt_edit_distance(ipt_span a, ipt_span b)
{
    size_t rows[3][LETTERS_MAX + 1];
    if (a.n > LETTERS_MAX || b.n > LETTERS_MAX)
        return SIZE_MAX;
    size_t *before = rows[0], *above = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b.n; j++)
        above[j] = j;
    for (size_t i = 1; i <= a.n; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            char x = ipt_lower(a.p[i - 1]), y = ipt_lower(b.p[j - 1]);
            row[j] = least(above[j] + 1, row[j - 1] + 1, above[j - 1] + (x != y));
            bool swapped = i > 1 && j > 1 && x == ipt_lower(b.p[j - 2]) && y == ipt_lower(a.p[i - 2]);
            if (swapped && before[j - 2] + 1 < row[j])
                row[j] = before[j - 2] + 1;
        }
        size_t *spare = before;
        before = above;
        above = row;
        row = spare;
    }
    return above[b.n];
}

static bool is_front(ipt_span found, ipt_span word)
{
    enum { LETTERS_MIN = 3 };
    return found.n >= LETTERS_MIN && word.n > found.n && ipt_span_equal_nocase(found, (ipt_span){word.p, found.n});
}

void ipt_suggest_offer(ipt_suggest *s, ipt_span found, ipt_span word)
{
    size_t near = found.n / 3 < 1 ? 1 : found.n / 3;
    size_t distance = ipt_edit_distance(found, word);
    if (is_front(found, word))
        distance = near; /* warn for warning: as near as the worst misspelling */
    if (distance > near || distance >= word.n || (s->word.n != 0 && distance >= s->distance))
        return;
    s->word = word;
    s->distance = distance;
}
