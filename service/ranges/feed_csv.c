/* One column of comma-separated values (RFC 4180), as far as prefixes need it: fields are never unescaped, because no
 * prefix and no column's name has a quote in it. */
#include "feed_priv.h"

#include <stdio.h>

typedef struct csv {
    ipt_span rest;
    size_t line;     /* of the record last begun, from 1 */
    size_t newlines; /* inside of it */
} csv;

typedef enum field_end { FIELD_BAD = 0, FIELD_MORE, FIELD_LAST } field_end;

static void step(csv *from, size_t n)
{
    from->rest.p += n;
    from->rest.n -= n;
}

/* What may follow a field: a comma, a line end, the end. */
static field_end take_separator(csv *from)
{
    if (from->rest.n == 0)
        return FIELD_LAST;
    if (from->rest.p[0] == ',') {
        step(from, 1);
        return FIELD_MORE;
    }
    if (from->rest.n >= 2 && from->rest.p[0] == '\r' && from->rest.p[1] == '\n')
        step(from, 1);
    if (from->rest.p[0] != '\n')
        return FIELD_BAD;
    step(from, 1);
    return FIELD_LAST;
}

static field_end take_quoted(csv *from, ipt_span *field)
{
    size_t n = 1;
    while (n < from->rest.n) {
        char c = from->rest.p[n];
        if (c == '"' && (n + 1 == from->rest.n || from->rest.p[n + 1] != '"'))
            break;
        from->newlines += c == '\n';
        n += c == '"' ? 2 : 1;
    }
    if (n >= from->rest.n)
        return FIELD_BAD; /* no quote ends it */
    *field = (ipt_span){from->rest.p + 1, n - 1};
    step(from, n + 1);
    return take_separator(from);
}

static field_end take_field(csv *from, ipt_span *field)
{
    size_t n = 0;
    if (from->rest.n != 0 && from->rest.p[0] == '"')
        return take_quoted(from, field);
    while (n < from->rest.n && from->rest.p[n] != ',' && from->rest.p[n] != '\n') {
        if (from->rest.p[n] == '"')
            return FIELD_BAD;
        n++;
    }
    size_t kept = n != 0 && n < from->rest.n && from->rest.p[n] == '\n' && from->rest.p[n - 1] == '\r' ? n - 1 : n;
    *field = ipt_span_trim((ipt_span){from->rest.p, kept});
    step(from, kept);
    return take_separator(from);
}

/* Passes over comments and empty lines. False at the end. */
static bool next_record(csv *from)
{
    from->line += 1 + from->newlines;
    from->newlines = 0;
    while (from->rest.n != 0) {
        const char *end = memchr(from->rest.p, '\n', from->rest.n);
        size_t n = end == NULL ? from->rest.n : (size_t)(end - from->rest.p) + 1;
        ipt_span text = {from->rest.p, end == NULL ? n : n - 1};
        if (text.n != 0 && text.p[text.n - 1] == '\r')
            text.n--;
        text = ipt_span_trim(text);
        if (text.n != 0 && text.p[0] != '#')
            return true;
        step(from, n);
        from->line++;
    }
    return false;
}

static bool bad_record(const ipt_collector *to, const csv *from)
{
    return ipt_update_say(to->why, IPT_UPDATE_BODY, "line %zu: not comma-separated values", from->line);
}

/* Reads one record to its end; *field is that of the wanted column, counted from 1. */
static bool take_record(const ipt_collector *to, csv *from, size_t column, ipt_span *field)
{
    ipt_span any;
    for (size_t number = 1;; number++) {
        field_end end = take_field(from, number == column ? field : &any);
        if (end == FIELD_BAD)
            return bad_record(to, from);
        if (end == FIELD_MORE)
            continue;
        if (number >= column)
            return true;
        return ipt_update_say(to->why, IPT_UPDATE_BODY, "line %zu: there is no column %zu", from->line, column);
    }
}

/* The column of that name in the first record, which is consumed. */
static bool find_column(const ipt_collector *to, csv *from, const char *name, size_t *column)
{
    size_t found = 0;
    if (!next_record(from))
        return ipt_update_say(to->why, IPT_UPDATE_EMPTY, "%s has no line with names of columns", to->name);
    field_end end = FIELD_MORE;
    for (size_t number = 1; end == FIELD_MORE; number++) {
        ipt_span field;
        end = take_field(from, &field);
        if (end == FIELD_BAD)
            return bad_record(to, from);
        if (!ipt_span_equal(field, ipt_span_from(name)))
            continue;
        if (found != 0)
            return ipt_update_say(to->why, IPT_UPDATE_BODY, "line %zu: two columns are named \"%s\"", from->line, name);
        found = number;
    }
    if (found == 0)
        return ipt_update_say(to->why, IPT_UPDATE_BODY, "line %zu: no column is named \"%s\"", from->line, name);
    *column = found;
    return true;
}

bool ipt_feed_read_csv(ipt_collector *to, ipt_span body, ipt_ip family)
{
    csv from = {.rest = body};
    size_t column = 1;
    uint64_t number;
    const char *name = to->selection->column;
    if (name != NULL && ipt_feed_number(ipt_span_from(name), &number))
        column = (size_t)number;
    else if (name != NULL && !find_column(to, &from, name, &column))
        return false;
    if (column == 0)
        return ipt_update_say(to->why, IPT_UPDATE_BODY, "columns are counted from 1");
    while (next_record(&from)) {
        ipt_span field = {0};
        char place[40];
        if (!take_record(to, &from, column, &field))
            return false;
        snprintf(place, sizeof(place), "line %zu", from.line);
        if (!ipt_collect_text(to, field, family, place))
            return false;
    }
    return true;
}
