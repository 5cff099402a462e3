/* Walks a list as text. Every item lies inside the input at the line and column that the cursor states, reads as what
 * it was said to be, and a list printed from what was read reads back as the same prefixes. */
#include "iptrust/ranges/text.h"

#include <stdlib.h>

#include "iptrust/base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check_place(ipt_span all, ipt_span found, const ipt_ranges_text *cursor)
{
    must(found.n != 0 && found.p >= all.p && found.p + found.n <= all.p + all.n);
    uint32_t line = 1, column = 1;
    for (const char *p = all.p; p < found.p; p++) {
        column = *p == '\n' ? 1 : column + 1;
        line += *p == '\n';
    }
    must(line == cursor->line && column == cursor->column);
}

static void check_complaint(ipt_span found, ipt_prefix_result reason)
{
    char text[512];
    ipt_prefix_complain(found, reason, text, sizeof(text));
    bool good = reason == IPT_PREFIX_OK || reason == IPT_PREFIX_BARE;
    must((text[0] == '\0') == good);
    for (const char *p = text; *p != '\0'; p++)
        must(*p >= 0x20 && *p < 0x7f);
    char cut[8];
    ipt_prefix_complain(found, reason, cut, sizeof(cut));
    must(strlen(cut) < sizeof(cut));
}

/* What was read, printed one a line, reads back the same. */
static void check_round_trip(ipt_span printed, const ipt_prefix *prefixes, size_t count)
{
    ipt_ranges_text cursor = {.rest = printed};
    ipt_prefix prefix;
    ipt_span found;
    size_t n = 0;
    while (ipt_ranges_text_next(&cursor, &prefix, NULL, &found) == IPT_RANGES_PREFIX) {
        must(n < count && ipt_prefix_equal(prefix, prefixes[n]));
        n++;
    }
    must(n == count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { KEPT_MAX = 256 };
    ipt_prefix kept[KEPT_MAX], prefix;
    ipt_span all = {(const char *)data, size}, found;
    ipt_ranges_text cursor = {.rest = all};
    ipt_auto(ipt_buf) printed = {0};
    ipt_prefix_result reason = IPT_PREFIX_OK;
    size_t steps = 0, count = 0;
    for (ipt_ranges_step step; (step = ipt_ranges_text_next(&cursor, &prefix, &reason, &found)) != IPT_RANGES_END;) {
        must(++steps <= size);
        check_place(all, found, &cursor);
        check_complaint(found, reason);
        ipt_prefix again;
        must(ipt_prefix_parse(found, &again) == reason);
        bool good = reason == IPT_PREFIX_OK || reason == IPT_PREFIX_BARE;
        must(good == (step == IPT_RANGES_PREFIX));
        if (!good || count == KEPT_MAX)
            continue;
        must(ipt_prefix_equal(prefix, again));
        char text[IPT_PREFIX_TEXT];
        ipt_prefix_format(prefix, text);
        ipt_buf_addf(&printed, "%s\n", text);
        kept[count++] = prefix;
    }
    must(cursor.rest.n == 0);
    check_round_trip(ipt_buf_span(&printed), kept, count);
    return 0;
}
