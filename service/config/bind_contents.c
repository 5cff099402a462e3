/* What stands in a list: prefixes by hand, lines of a file, or the snapshot that was compiled in. */
#include "bind.h"
#include "file.h"
#include "iptrust/ranges/feed.h"
#include "iptrust/ranges/text.h"
#include "iptrust/base/show.h"

enum { LIST_FILE_MAX = 64 << 20 };

static bool count_file(ipt_bind *b, ipt_span text, const char *file, size_t *count)
{
    ipt_ranges_text cursor = {.rest = text};
    ipt_prefix prefix;
    ipt_prefix_result reason;
    ipt_span found;
    size_t n = 0, errors = b->diag->errors;
    for (ipt_ranges_step step; (step = ipt_ranges_text_next(&cursor, &prefix, &reason, &found)) != IPT_RANGES_END;) {
        n++;
        if (step == IPT_RANGES_PREFIX)
            continue;
        char complaint[512];
        ipt_prefix_complain(found, reason, complaint, sizeof(complaint));
        ipt_diag_add(b->diag, IPT_ERROR, (ipt_place){file, cursor.line, cursor.column}, "%s", complaint);
    }
    *count = n;
    return b->diag->errors == errors;
}

static void take_lines(ipt_bind *b, ipt_list_spec *list, ipt_span text, const char *file, ipt_place place)
{
    size_t count;
    if (!count_file(b, text, file, &count))
        return;
    if (count == 0) {
        ipt_diag_add(b->diag, IPT_WARNING, place, "list \"%s\" is empty", list->name);
        return;
    }
    ipt_prefix *prefixes = ipt_bind_alloc(b, count, sizeof(*prefixes));
    ipt_ranges_text cursor = {.rest = text};
    ipt_span found;
    size_t n = 0;
    while (prefixes != NULL && n < count &&
           ipt_ranges_text_next(&cursor, &prefixes[n], NULL, &found) == IPT_RANGES_PREFIX)
        n++;
    list->prefixes = prefixes;
    list->prefix_count = n;
}

/* JSON and CSV are read as those that are fetched. What may be in a list of one's own is not judged: it may be empty,
 * too, as long as it is said. */
static void take_feed(ipt_bind *b, ipt_list_spec *list, ipt_span text, ipt_feed_format format, const ipt_node *name)
{
    const ipt_feed_part part = {.url = "the file", .format = format};
    const ipt_feed_selection selection = {.path = list->path, .column = list->column};
    ipt_feed feed = {0};
    ipt_update_text why = {0};
    ipt_shown shown;
    switch (ipt_feed_parse(&part, &text, 1, &selection, &feed, &why)) {
    case IPT_FEED_NO_MEMORY:
        b->no_memory = true;
        return;
    case IPT_FEED_REFUSED:
        if (why.reason == IPT_UPDATE_EMPTY)
            ipt_diag_add(b->diag, IPT_WARNING, name->place, "list \"%s\" is empty: %s", list->name, why.text);
        else
            ipt_diag_add(b->diag, IPT_ERROR, name->place, "file \"%s\": %s", ipt_show(name->text, &shown), why.text);
        return;
    case IPT_FEED_OK:
        break;
    }
    ipt_prefix *prefixes = ipt_bind_alloc(b, feed.set.count, sizeof(*prefixes));
    if (prefixes != NULL) {
        memcpy(prefixes, feed.set.items, feed.set.count * sizeof(*prefixes));
        list->prefixes = prefixes;
        list->prefix_count = feed.set.count;
    }
    ipt_feed_done(&feed);
}

static void take_body(ipt_bind *b, ipt_list_spec *list, ipt_span text, const ipt_node *name)
{
    if (list->format != NULL && strcmp(list->format, "json") == 0)
        take_feed(b, list, text, IPT_FEED_JSON, name);
    else if (list->format != NULL && strcmp(list->format, "csv") == 0)
        take_feed(b, list, text, IPT_FEED_CSV, name);
    else
        take_lines(b, list, text, list->file, name->place);
}

static void take_file(ipt_bind *b, ipt_list_spec *list, const ipt_node *node)
{
    const ipt_node *name = ipt_bind_node(node, "lists.*.file");
    ipt_auto(ipt_buf) text = {0};
    char complaint[256];
    ipt_shown shown;
    list->file = ipt_bind_path(b, node, "lists.*.file");
    if (list->file == NULL)
        return;
    ipt_file_result result = ipt_file_read(list->file, LIST_FILE_MAX, &text);
    if (result == IPT_FILE_NO_MEMORY) {
        b->no_memory = true;
    } else if (result != IPT_FILE_OK) {
        ipt_file_complain(result, LIST_FILE_MAX, complaint, sizeof(complaint));
        ipt_diag_add(b->diag, IPT_ERROR, name->place, "file \"%s\" %s", ipt_show(name->text, &shown), complaint);
    } else if (b->whole_files && !ipt_file_is_whole(ipt_buf_span(&text))) {
        ipt_diag_add(b->diag, IPT_ERROR, name->place, "file \"%s\" " IPT_FILE_CUT_SHORT, ipt_show(name->text, &shown));
    } else {
        take_body(b, list, ipt_buf_span(&text), name);
    }
}

static void take_snapshot(ipt_bind *b, ipt_list_spec *list, const ipt_node *node)
{
    const ipt_node *provider = ipt_bind_node(node, "lists.*.provider");
    if (provider == NULL)
        return;
    ipt_snapshot snapshot = ipt_provider_snapshot(list->provider, list->services, list->service_count);
    if (snapshot.count == 0) {
        list->failed = true;
        /* Good to know, and no reason to refuse a central document, which any warning of it would be. */
        if (provider->place.file == NULL || strcmp(provider->place.file, IPT_CONFIG_DOCUMENT) != 0)
            ipt_diag_add(b->diag, IPT_WARNING, provider->place,
                         "list \"%s\" is empty until it is fetched: no snapshot of it is built in", list->name);
        return;
    }
    list->bundled = true;
    list->prefixes = snapshot.prefixes;
    list->prefix_count = snapshot.count;
    list->fetched_at = snapshot.taken_at;
}

static void take_by_hand(ipt_bind *b, ipt_list_spec *list, const ipt_node *node)
{
    const ipt_node *prefixes = ipt_node_get(node, "prefixes");
    list->prefixes = ipt_bind_prefixes(b, node, "lists.*.prefixes", &list->prefix_count);
    if (prefixes->kind == IPT_NODE_SEQUENCE && prefixes->count == 0)
        ipt_diag_add(b->diag, IPT_WARNING, prefixes->place, "list \"%s\" is empty", list->name);
}

void ipt_bind_contents(ipt_bind *b, ipt_list_spec *list, const ipt_node *node)
{
    switch (list->source) {
    case IPT_SOURCE_BY_HAND:
        take_by_hand(b, list, node);
        return;
    case IPT_SOURCE_FILE:
        take_file(b, list, node);
        return;
    case IPT_SOURCE_URL:
        list->failed = true;
        return;
    case IPT_SOURCE_PROVIDER:
        take_snapshot(b, list, node);
        return;
    case IPT_SOURCE_UNIX:
        return;
    }
}
