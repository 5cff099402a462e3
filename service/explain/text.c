/* The decision as a picture for a terminal: the answer, the chain from our service outwards with a mark where the walk
 * stopped, what was ignored, why the level is what it is, and what to change. */
#include "explain_priv.h"

#include <stdio.h>

#define WIDTH_DEFAULT 100U
#define WIDTH_MIN     40U
#define NAME_MAX      47U /* columns of an address; longer text goes below */
#define HOP_COLUMNS   24U /* of a hop's line beside the address and where it was read */
#define IGNORED_MAX   8U  /* entries beyond the stop that are drawn one by one */

typedef struct glyphs {
    const char *service, *down, *branch, *stop, *lost, *lost_branch, *rule;
} glyphs;

static const glyphs ascii = {"o", "|", "+--", "X", ":", ": -", "-"};
static const glyphs unicode = {"\u25cf", "\u2502", "\u251c\u2500\u2500", "\u2716", "\u250a", "\u250a \u2500", "\u2500"};

typedef struct painter {
    ipt_buf *out;
    const ipt_decision *d;
    const glyphs *g;
    bool colour;
    size_t width;
} painter;

/* What was written on the side; without memory there, the picture is void as well. */
static ipt_span taken(const painter *p, const ipt_buf *text)
{
    p->out->failed |= text->failed;
    return text->failed ? (ipt_span){0} : ipt_buf_span(text);
}

/* ---- lines ---- */

#define BOLD   "1"
#define DIM    "2"
#define RED    "31"
#define GREEN  "32"
#define YELLOW "33"
#define CYAN   "36"

static void paint(const painter *p, const char *code, const char *text)
{
    if (p->colour && code != NULL)
        ipt_buf_addf(p->out, "\x1b[%sm%s\x1b[0m", code, text);
    else
        ipt_buf_adds(p->out, text);
}

static void paint_span(const painter *p, const char *code, ipt_span text)
{
    if (p->colour && code != NULL)
        ipt_buf_addf(p->out, "\x1b[%sm", code);
    ipt_buf_add(p->out, text);
    if (p->colour && code != NULL)
        ipt_buf_adds(p->out, "\x1b[0m");
}

static void spaces(const painter *p, size_t n)
{
    while (n-- > 0)
        ipt_buf_addc(p->out, ' ');
}

/* The bytes of text that fit into room columns: up to a space when there is one, else cut. */
static size_t fitting(ipt_span text, size_t room)
{
    const char *newline = memchr(text.p, '\n', text.n < room + 1 ? text.n : room + 1);
    if (newline != NULL)
        return (size_t)(newline - text.p);
    if (text.n <= room)
        return text.n;
    for (size_t i = room; i > 0; i--)
        if (text.p[i] == ' ')
            return i;
    while (room > 1 && ((unsigned char)text.p[room] & 0xc0) == 0x80) /* never within a character */
        room--;
    return room;
}

/* Wraps text; before stands at the head of every line after the first, which is taken to have used as many columns. */
static void wrap(const painter *p, const char *code, const char *before, size_t columns, ipt_span text)
{
    size_t room = p->width > columns + 20 ? p->width - columns : 20;

    while (text.n != 0) {
        size_t n = fitting(text, room);
        paint_span(p, code, (ipt_span){text.p, n});
        ipt_buf_addc(p->out, '\n');
        if (n < text.n && (text.p[n] == ' ' || text.p[n] == '\n'))
            n++;
        text = (ipt_span){text.p + n, text.n - n};
        if (text.n != 0)
            ipt_buf_adds(p->out, before);
    }
}

static void title(const painter *p, const char *text)
{
    ipt_buf_addc(p->out, '\n');
    paint(p, BOLD, text);
    ipt_buf_addc(p->out, '\n');
}

static const char *level_colour(ipt_level level)
{
    return level >= IPT_LEVEL_HIGH ? GREEN : level == IPT_LEVEL_MEDIUM ? YELLOW : RED;
}

/* ---- the chain ---- */

static const char *verdict_colour(ipt_verdict verdict)
{
    switch (verdict) {
    case IPT_VERDICT_TRUSTED:
        return CYAN;
    case IPT_VERDICT_CLIENT:
        return GREEN;
    case IPT_VERDICT_MALFORMED:
    case IPT_VERDICT_OBFUSCATED:
    case IPT_VERDICT_EMPTY:
        return YELLOW;
    case IPT_VERDICT_UNVOUCHED:
    case IPT_VERDICT_NOT_EXAMINED:
        return DIM;
    case IPT_VERDICT_OWN:
    case IPT_VERDICT_COUNTED:
        break;
    }
    return NULL;
}

static size_t name_width(const painter *p)
{
    size_t widest = 14;
    for (size_t i = 0; i < p->d->chain_count; i++) {
        ipt_auto(ipt_buf) name = {0};
        ipt_explain_hop_name(&name, &p->d->chain[i]);
        size_t n = taken(p, &name).n;
        if (n > widest)
            widest = n < NAME_MAX ? n : NAME_MAX;
    }
    return widest;
}

/* Text under a hop, behind the line that leads further out. */
static void under(const painter *p, const char *line, const char *code, ipt_span text)
{
    char before[32];

    if (text.n == 0)
        return;
    (void)snprintf(before, sizeof(before), "  %s         ", line);
    ipt_buf_adds(p->out, before);
    wrap(p, code, before, 12, text);
}

static void draw_hop(const painter *p, size_t index, size_t widest, bool passed)
{
    const ipt_hop *hop = &p->d->chain[index];
    ipt_auto(ipt_buf) name = {0};
    ipt_auto(ipt_buf) origin = {0};
    ipt_auto(ipt_buf) rest = {0};
    const char *code = verdict_colour((ipt_verdict)hop->verdict);
    char number[24];

    ipt_explain_hop_name(&name, hop);
    bool cut = taken(p, &name).n > widest;
    (void)snprintf(number, sizeof(number), hop->verdict == IPT_VERDICT_NOT_EXAMINED ? "[..] " : "[%zu]%s ", index,
                   index < 10 ? " " : "");
    ipt_buf_addf(p->out, "  %s%s", passed ? p->g->branch : p->g->lost_branch, number);
    paint_span(p, code, (ipt_span){name.p, cut ? widest - 3 : name.n});
    ipt_buf_adds(p->out, cut ? "..." : "");
    spaces(p, 2 + (cut ? 0 : widest - name.n));
    paint(p, code, ipt_explain_hop_verdict(p->d, index));
    ipt_explain_hop_origin(&origin, p->d, hop);
    bool fits = HOP_COLUMNS + widest + origin.n <= p->width;
    if (fits) {
        spaces(p, 12 - strlen(ipt_explain_hop_verdict(p->d, index)));
        ipt_buf_add(p->out, taken(p, &origin));
    }
    ipt_buf_addc(p->out, '\n');

    const char *line = passed ? p->g->down : p->g->lost;
    if (!fits)
        under(p, line, NULL, taken(p, &origin));
    if (cut)
        under(p, line, code, taken(p, &name));
    if (p->d->has_client && index == p->d->client_hop && hop->verdict != IPT_VERDICT_CLIENT)
        under(p, line, level_colour(p->d->level), IPT_SPAN("the answer, for want of a better one"));
    ipt_explain_hop_detail(&rest, p->d, index);
    under(p, line, DIM, taken(p, &rest));
}

static void draw_stop(const painter *p)
{
    ipt_auto(ipt_buf) reason = {0};
    char before[32];

    ipt_buf_addf(p->out, "  %s\n  ", p->g->down);
    paint(p, RED, p->g->stop);
    ipt_buf_adds(p->out, "  ");
    ipt_buf_adds(&reason, "the walk stops here: ");
    ipt_explain_stop_reason(&reason, p->d);
    (void)snprintf(before, sizeof(before), "     ");
    wrap(p, BOLD, before, 5, taken(p, &reason));
}

static void draw_ignored_headers(const painter *p)
{
    ipt_explain_ignored cursor = {0};

    while (ipt_explain_ignored_next(p->d, &cursor)) {
        ipt_auto(ipt_buf) text = {0};
        char before[32];
        ipt_explain_escape(&text, cursor.name, IPT_TEXT_MAX);
        ipt_buf_adds(&text, ": ");
        ipt_explain_escape(&text, cursor.value, IPT_TEXT_MAX);
        (void)snprintf(before, sizeof(before), "  %s    ", p->g->lost);
        ipt_buf_addf(p->out, "  %s  ", p->g->lost);
        wrap(p, DIM, before, 5, taken(p, &text));
    }
}

static void draw_chain(const painter *p)
{
    const ipt_decision *d = p->d;
    size_t stop = ipt_explain_stop(d), widest = name_width(p), shown = stop;
    ipt_explain_ignored any = {0};
    bool ignored_headers = ipt_explain_ignored_next(d, &any);

    title(p, "The way of the request, from our side outwards");
    ipt_buf_addf(p->out, "  %s  our service, policy %s\n", p->g->service, d->policy->spec->name);
    for (size_t i = 0; i < stop; i++) {
        ipt_buf_addf(p->out, "  %s\n", p->g->down);
        draw_hop(p, i, widest, true);
    }
    draw_stop(p);
    if (stop == d->chain_count && !ignored_headers)
        return;

    ipt_buf_addf(p->out, "  %s  ", p->g->lost);
    paint(p, NULL, "ignored, because anybody could have written it:\n");
    for (; shown < d->chain_count && shown < stop + IGNORED_MAX; shown++)
        draw_hop(p, shown, widest, false);
    size_t left = 0;
    for (size_t i = shown; i < d->chain_count; i++)
        left += d->chain[i].verdict == IPT_VERDICT_NOT_EXAMINED ? d->chain[i].count : 1;
    if (left != 0)
        ipt_buf_addf(p->out, "  %s  and %zu more\n", p->g->lost, left);
    draw_ignored_headers(p);
}

/* ---- why, and what to do ---- */

static void draw_reasons(const painter *p)
{
    const ipt_decision *d = p->d;
    char head[80];

    (void)snprintf(head, sizeof(head), "Why confidence %s: the lowest of these counts", ipt_level_name(d->level));
    title(p, head);
    for (unsigned i = 0; i < IPT_REASON_COUNT; i++) {
        ipt_auto(ipt_buf) subject = {0};
        ipt_level cap = IPT_LEVEL_NONE;
        if (!ipt_explain_has(d, (ipt_reason)i))
            continue;
        bool caps = ipt_reason_cap((ipt_reason)i, &cap);
        const char *word = caps ? ipt_level_name(cap) : i == IPT_REASON_PROOF_VERIFIED ? "lifts" : "-";
        ipt_buf_adds(p->out, "  ");
        paint(p, caps ? level_colour(cap) : NULL, word);
        spaces(p, 8 - strlen(word));
        paint(p, BOLD, ipt_reason_name((ipt_reason)i));
        ipt_explain_reason_subject(&subject, d, (ipt_reason)i);
        if (taken(p, &subject).n != 0) {
            ipt_buf_adds(p->out, " (");
            ipt_buf_add(p->out, taken(p, &subject));
            ipt_buf_addc(p->out, ')');
        }
        ipt_buf_adds(p->out, "\n          ");
        wrap(p, NULL, "          ", 10, ipt_span_from(ipt_reason_meaning((ipt_reason)i)));
    }
}

static void add_lower(ipt_buf *out, ipt_span text)
{
    for (size_t i = 0; i < text.n && i < IPT_TEXT_MAX; i++) {
        char lower = ipt_lower(text.p[i]);
        ipt_explain_escape(out, (ipt_span){&lower, 1}, 1);
    }
}

/* Findings of one code stand together: one line with all their headers, one sentence. */
static void draw_findings(const painter *p)
{
    const ipt_decision *d = p->d;

    if (d->finding_count == 0)
        return;
    title(p, "Noticed besides");
    for (size_t i = 0, next; i < d->finding_count; i = next) {
        ipt_finding_code code = d->findings[i].code;
        ipt_auto(ipt_buf) headers = {0};
        for (next = i; next < d->finding_count && d->findings[next].code == code; next++) {
            ipt_buf_adds(&headers, next == i ? "" : ", ");
            add_lower(&headers, d->findings[next].header);
        }
        ipt_buf_adds(p->out, "  ");
        paint(p, BOLD, ipt_finding_name(code));
        size_t used = 4 + strlen(ipt_finding_name(code));
        bool fits = used + headers.n <= p->width;
        ipt_buf_adds(p->out, headers.n == 0 ? "\n" : fits ? "  " : "\n          ");
        wrap(p, NULL, "          ", fits ? used : 10, taken(p, &headers));
        ipt_buf_adds(p->out, "          ");
        wrap(p, NULL, "          ", 10, ipt_span_from(ipt_finding_meaning(code)));
    }
}

static void draw_keys(const painter *p)
{
    title(p, "Keys");
    for (unsigned i = 0; i < IPT_EXPLAIN_KEYS; i++) {
        ipt_auto(ipt_buf) value = {0};
        ipt_explain_keys(&value, p->d, i);
        ipt_span text = taken(p, &value);
        ipt_buf_addf(p->out, "  %-12s", ipt_explain_key_name(i));
        ipt_buf_add(p->out, text.n == 0 ? IPT_SPAN("none") : text);
        ipt_buf_adds(p->out, text.n == 0 && i == 0 ? ": the client is not known well enough\n" : "\n");
    }
}

static void draw_place(const painter *p, unsigned line)
{
    ipt_auto(ipt_buf) value = {0};
    ipt_auto(ipt_buf) shown = {0};
    ipt_explain_geo(&value, p->d, line);
    ipt_span text = taken(p, &value);
    if (text.n != 0 && p->g != &unicode) {
        ipt_explain_escape(&shown, text, SIZE_MAX);
        text = taken(p, &shown);
    }
    ipt_buf_addf(p->out, "  %-12s", ipt_explain_geo_name(line));
    wrap(p, NULL, "              ", 14, text.n == 0 ? IPT_SPAN("unknown") : text);
}

static void draw_geo(const painter *p)
{
    const char *silence = ipt_explain_geo_silence(p->d);
    if (!p->d->has_geo && silence == NULL)
        return;
    title(p, p->d->has_geo && p->d->geo.embedded ? "Where the client is, by the IPv4 address that it carries"
                                                 : "Where the client is");
    if (silence != NULL) {
        ipt_buf_adds(p->out, "  ");
        wrap(p, NULL, "  ", 2, ipt_span_from(silence));
    }
    for (unsigned i = 0; i < IPT_EXPLAIN_GEO && silence == NULL; i++)
        draw_place(p, i);
}

static void draw_ruling(const painter *p)
{
    static const char *const modes[] = {
        [IPT_MODE_ANNOTATE] = "annotate: nobody is denied",
        [IPT_MODE_ENFORCE] = "enforce",
        [IPT_MODE_SHADOW] = "shadow: nobody is denied",
    };
    const char *rule = ipt_ruling_name(p->d->ruling);

    if (p->d->policy->spec->mode == IPT_MODE_ANNOTATE && rule == NULL)
        return;
    ipt_buf_adds(p->out, "\nVerdict ");
    paint(p, p->d->ruling.action == IPT_ACTION_DENY ? RED : GREEN,
          p->d->ruling.action == IPT_ACTION_DENY ? "deny" : "allow");
    ipt_buf_addf(p->out, " (mode %s)%s%s\n", modes[p->d->policy->spec->mode], rule == NULL ? "" : ", rule ",
                 rule == NULL ? "" : rule);
}

static void draw_advice(const painter *p)
{
    ipt_auto(ipt_advices) advices = {0};

    ipt_advices_make(&advices, p->d);
    if (advices.count == 0)
        return;
    title(p, "What to change");
    for (size_t i = 0; i < advices.count; i++) {
        ipt_span yaml = taken(p, &advices.items[i].yaml);
        ipt_buf_adds(p->out, i == 0 ? "  - " : "\n  - ");
        wrap(p, NULL, "    ", 4, taken(p, &advices.items[i].words));
        ipt_buf_adds(p->out, yaml.n == 0 ? "" : "\n");
        while (yaml.n != 0) { /* never wrapped: it is there to be copied */
            const char *end = memchr(yaml.p, '\n', yaml.n);
            size_t n = end == NULL ? yaml.n : (size_t)(end - yaml.p);
            ipt_buf_adds(p->out, "      ");
            paint_span(p, CYAN, (ipt_span){yaml.p, n});
            ipt_buf_addc(p->out, '\n');
            n += n < yaml.n;
            yaml = (ipt_span){yaml.p + n, yaml.n - n};
        }
    }
}

void ipt_explain_text(ipt_buf *out, const ipt_decision *decision, ipt_explain_style style)
{
    ipt_auto(ipt_buf) headline = {0};
    size_t width = style.width == 0 ? WIDTH_DEFAULT : style.width < WIDTH_MIN ? WIDTH_MIN : style.width;
    painter p = {out, decision, style.unicode ? &unicode : &ascii, style.colour, width};

    ipt_explain_headline(&headline, decision);
    wrap(&p, level_colour(decision->level), "  ", 2, taken(&p, &headline));
    draw_chain(&p);
    draw_reasons(&p);
    draw_findings(&p);
    draw_geo(&p);
    draw_keys(&p);
    draw_ruling(&p);
    draw_advice(&p);
}
