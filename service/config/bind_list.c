/* Lists: where the contents come from, whose they are, how long they hold. */
#include <stdlib.h>

#include "bind.h"
#include "iptrust/base/show.h"
#include "iptrust/ranges/feed.h"
#include "suggest.h"
#include "value.h"

/* ---- by name ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const ipt_list_index *)a)->name, ((const ipt_list_index *)b)->name);
}

static uint16_t find_list(const ipt_bind *b, const char *name)
{
    ipt_list_index wanted = {name, 0};
    const ipt_list_index *found = NULL;
    if (b->config->list_count != 0)
        found = bsearch(&wanted, b->index, b->config->list_count, sizeof(*b->index), by_name);
    return found == NULL ? IPT_LIST_NONE : found->index;
}

uint16_t ipt_bind_list_ref(ipt_bind *b, const ipt_node *node)
{
    if (node->bad)
        return IPT_LIST_NONE;
    uint16_t index = find_list(b, node->text.p);
    if (index != IPT_LIST_NONE) {
        b->list_used[index] = true;
        return index;
    }
    ipt_suggest suggest = {0};
    ipt_shown shown;
    for (size_t i = 0; i < b->config->list_count; i++)
        ipt_suggest_offer(&suggest, node->text, ipt_span_from(b->lists[i].name));
    if (suggest.word.n != 0)
        ipt_diag_add(b->diag, IPT_ERROR, node->place, "there is no list \"%s\", did you mean \"%s\"?",
                     ipt_show(node->text, &shown), suggest.word.p);
    else
        ipt_diag_add(b->diag, IPT_ERROR, node->place, "there is no list \"%s\"", ipt_show(node->text, &shown));
    return IPT_LIST_NONE;
}

static bool is_in(const uint16_t *lists, size_t count, uint16_t list)
{
    for (size_t i = 0; i < count; i++) {
        if (lists[i] == list)
            return true;
    }
    return false;
}

const uint16_t *ipt_bind_list_refs(ipt_bind *b, const ipt_node *mapping, const char *path, size_t *count)
{
    const ipt_node *node = ipt_bind_node(mapping, path);
    *count = 0;
    if (node == NULL || node->kind != IPT_NODE_SEQUENCE || node->count == 0)
        return NULL;
    uint16_t *lists = ipt_bind_alloc(b, node->count, sizeof(*lists));
    size_t n = 0;
    for (const ipt_node *item = node->first; lists != NULL && item != NULL; item = item->next) {
        uint16_t list = ipt_bind_list_ref(b, item);
        if (list == IPT_LIST_NONE)
            continue;
        if (is_in(lists, n, list))
            ipt_diag_add(b->diag, IPT_ERROR, item->place, "list \"%s\" is here twice", b->lists[list].name);
        else
            lists[n++] = list;
    }
    *count = n;
    return lists;
}

/* ---- source ---- */

/* The first of the keys that say where contents come from, and complaints about a second one. */
static bool bind_source(ipt_bind *b, ipt_list_spec *list, const ipt_node *node)
{
    static const struct {
        const char *path;
        ipt_list_source source;
    } rows[] = {{"lists.*.prefixes", IPT_SOURCE_BY_HAND},
                {"lists.*.file", IPT_SOURCE_FILE},
                {"lists.*.url", IPT_SOURCE_URL},
                {"lists.*.unix", IPT_SOURCE_UNIX}};
    const char *first = NULL;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        const ipt_node *value = ipt_node_get(node, rows[i].path + strlen("lists.*."));
        if (value == NULL || (rows[i].source == IPT_SOURCE_UNIX && !value->bad && !ipt_bind_bool(node, rows[i].path)))
            continue;
        if (first != NULL) {
            ipt_diag_add(b->diag, IPT_ERROR, value->key->place, "%s besides %s: a list has one source",
                         value->key->text.p, first);
            return false;
        }
        first = value->key->text.p;
        list->source = rows[i].source;
    }
    if (list->provider != IPT_PROVIDER_NONE && (list->source == IPT_SOURCE_URL || list->source == IPT_SOURCE_UNIX)) {
        const ipt_node *value = ipt_node_get(node, first);
        ipt_diag_add(b->diag, IPT_ERROR, value->key->place, "%s besides provider: expected prefixes or file", first);
        return false;
    }
    if (first == NULL && ipt_bind_has(node, "lists.*.provider"))
        list->source = IPT_SOURCE_PROVIDER;
    else if (first == NULL) {
        ipt_diag_add(b->diag, IPT_ERROR, list->place,
                     "list \"%s\" has no source: expected prefixes, file, url, unix: true or provider", list->name);
        return false;
    }
    return true;
}

/* Keys that say something about one kind of list and would be silently void on another. */
static void check_fitting(ipt_bind *b, const ipt_list_spec *list, const ipt_node *node)
{
    const ipt_node *services = ipt_node_get(node, "services"), *fetched_at = ipt_node_get(node, "fetched_at");
    const ipt_node *exclusive = ipt_node_get(node, "exclusive"), *soft_age = ipt_node_get(node, "soft_age");
    bool by_hand = list->source == IPT_SOURCE_BY_HAND || list->source == IPT_SOURCE_FILE;
    bool feed = list->provider != IPT_PROVIDER_NONE;
    if (!feed && ipt_node_get(node, "provider") != NULL)
        return; /* its name was wrong: nothing follows from that */
    if (services != NULL && !(feed && ipt_provider_takes_services(list->provider)))
        ipt_diag_add(b->diag, IPT_ERROR, services->key->place, "services is for provider aws, azure or github");
    /* All of such a feed is anybody's machines, and a list of nothing is no list. */
    if (services == NULL && list->source == IPT_SOURCE_PROVIDER &&
        (list->provider == IPT_PROVIDER_AWS || list->provider == IPT_PROVIDER_AZURE))
        ipt_diag_add(b->diag, IPT_ERROR, ipt_node_get(node, "provider")->place,
                     "provider %s needs services: which of its lists is it?", ipt_provider_name(list->provider));
    if (fetched_at != NULL && !by_hand)
        ipt_diag_add(b->diag, IPT_ERROR, fetched_at->key->place,
                     "fetched_at is for contents given by prefixes or file");
    if (exclusive != NULL && !feed)
        ipt_diag_add(b->diag, IPT_WARNING, exclusive->key->place, "exclusive has no effect without provider");
    const ipt_node *age = soft_age == NULL ? ipt_node_get(node, "hard_age") : soft_age;
    if (age != NULL && fetched_at == NULL && (by_hand || list->source == IPT_SOURCE_UNIX))
        ipt_diag_add(b->diag, IPT_WARNING, age->key->place, "%s has no effect without fetched_at", age->key->text.p);
}

static int64_t age_of(const ipt_node *node, const char *path, int64_t fallback)
{
    return ipt_bind_node(node, path) == NULL ? fallback : ipt_bind_duration_ms(node, path) / 1000;
}

static void bind_ages(ipt_bind *b, ipt_list_spec *list, const ipt_node *node)
{
    bool ages = list->provider != IPT_PROVIDER_NONE || list->source == IPT_SOURCE_URL;
    int64_t soft = ages ? ipt_bind_duration_ms(NULL, "lists.*.soft_age") / 1000 : IPT_AGE_NONE;
    list->soft_age = age_of(node, "lists.*.soft_age", soft);
    list->hard_age = age_of(node, "lists.*.hard_age", IPT_AGE_NONE);
    list->refresh = ipt_bind_duration_ms(node, "lists.*.refresh") / 1000;
    list->fetched_at = IPT_TIME_NONE;
    const ipt_node *fetched_at = ipt_bind_node(node, "lists.*.fetched_at");
    if (fetched_at != NULL && !ipt_value_time(fetched_at->text, &list->fetched_at))
        list->fetched_at = IPT_TIME_NONE;

    const ipt_node *hard = ipt_bind_node(node, "lists.*.hard_age");
    if (hard != NULL && ipt_bind_node(node, "lists.*.soft_age") != NULL && list->hard_age < list->soft_age)
        ipt_diag_add(b->diag, IPT_ERROR, hard->place, "hard_age is shorter than soft_age");
}

static void bind_provider(ipt_bind *b, ipt_list_spec *list, const ipt_node *node)
{
    const ipt_node *provider = ipt_bind_node(node, "lists.*.provider");
    if (provider != NULL)
        list->provider = ipt_provider_find(provider->text);
    list->services = ipt_bind_strings(b, node, "lists.*.services", &list->service_count);
    list->kind = ipt_provider_defaults_for(list->provider, list->services, list->service_count).kind;
}

static void bind_egress(ipt_bind *b, ipt_list_spec *list, const ipt_node *node)
{
    const char *preset = ipt_provider_defaults_for(list->provider, list->services, list->service_count).egress;
    list->egress = ipt_bind_prefixes(b, node, "lists.*.egress", &list->egress_count);
    if (preset == NULL || ipt_bind_has(node, "lists.*.egress"))
        return;
    ipt_prefix *prefix = ipt_bind_alloc(b, 1, sizeof(*prefix));
    if (prefix == NULL || ipt_prefix_parse(ipt_span_from(preset), prefix) != IPT_PREFIX_OK)
        return;
    list->egress = prefix;
    list->egress_count = 1;
}

/* https, or http to this very machine: whoever sits between could write the list. A name before the host
 * ("http://127.0.0.1:80@example.org/") would hide where it leads, and a password there would be printed. */
bool ipt_bind_is_url(ipt_span url)
{
    static const char *const fronts[] = {"https://", "http://127.0.0.1", "http://[::1]"};
    const char *host = url.n > 8 ? strstr(url.p, "://") : NULL;
    if (host == NULL || host[3 + strcspn(host + 3, "/?#@")] == '@')
        return false;
    for (size_t i = 0; i < IPT_COUNT(fronts); i++) {
        size_t n = strlen(fronts[i]);
        if (url.n <= n || strncmp(url.p, fronts[i], n) != 0)
            continue;
        return i == 0 ? url.p[n] != '/' : strchr(":/", url.p[n]) != NULL;
    }
    return false;
}

/* Which part of JSON or CSV is the list. */
static void bind_format(ipt_bind *b, ipt_list_spec *list, const ipt_node *node)
{
    char why[256];
    const ipt_node *path = ipt_bind_node(node, "lists.*.path"), *column = ipt_bind_node(node, "lists.*.column");
    list->format = ipt_bind_string(b, node, "lists.*.format");
    list->path = ipt_bind_string(b, node, "lists.*.path");
    list->column = ipt_bind_string(b, node, "lists.*.column");
    if (path != NULL && !ipt_feed_path_check(path->text, why, sizeof(why)))
        ipt_diag_add(b->diag, IPT_ERROR, path->place, "%s", why);
    if (path != NULL && (list->format == NULL || strcmp(list->format, "json") != 0))
        ipt_diag_add(b->diag, IPT_WARNING, path->key->place, "path has no effect without format: json");
    if (column != NULL && (list->format == NULL || strcmp(list->format, "csv") != 0))
        ipt_diag_add(b->diag, IPT_WARNING, column->key->place, "column has no effect without format: csv");
}

static void bind_fetching(ipt_bind *b, ipt_list_spec *list, const ipt_node *node)
{
    const ipt_node *url = ipt_bind_node(node, "lists.*.url");
    list->url = ipt_bind_string(b, node, "lists.*.url");
    if (url != NULL && !ipt_bind_is_url(url->text))
        ipt_diag_add(b->diag, IPT_ERROR, url->place, "expected an https URL, or http to 127.0.0.1 or [::1]");

    list->redirects = ipt_bind_bool(node, "lists.*.redirects");
    list->ca = ipt_bind_path(b, node, "lists.*.ca");
    list->max_addresses = ipt_bind_integer(node, "lists.*.max_addresses");
    const ipt_node *hold = ipt_bind_node(node, "lists.*.hold");
    list->hold_lost =
        ipt_bind_has(hold, "lists.*.hold.lost") ? (int32_t)ipt_bind_integer(hold, "lists.*.hold.lost") : -1;
    list->hold_gained =
        ipt_bind_has(hold, "lists.*.hold.gained") ? (int32_t)ipt_bind_integer(hold, "lists.*.hold.gained") : -1;

    list->accept_digest = ipt_bind_string(b, ipt_bind_node(node, "lists.*.accept"), "lists.*.accept.digest");
    const ipt_node *digest = ipt_bind_node(ipt_bind_node(node, "lists.*.accept"), "lists.*.accept.digest");
    if (digest != NULL && (digest->text.n != 71 || strncmp(digest->text.p, "sha256:", 7) != 0 ||
                           strspn(digest->text.p + 7, "0123456789abcdef") != 64))
        ipt_diag_add(b->diag, IPT_ERROR, digest->place, "expected sha256: and 64 hexadecimal digits");
}

static void bind_list(ipt_bind *b, ipt_list_spec *list, const ipt_node *node)
{
    list->internal = ipt_bind_bool(node, "lists.*.internal");
    list->exclusive = ipt_bind_bool(node, "lists.*.exclusive");
    list->trust_tenants = ipt_bind_bool(node, "lists.*.trust_tenants");
    list->broad_accepted = ipt_bind_node(node, "lists.*.broad") != NULL;
    bind_provider(b, list, node);
    bool has_source = bind_source(b, list, node);
    bind_ages(b, list, node);
    bind_egress(b, list, node);
    ipt_bind_vouches(b, list, node);
    ipt_bind_proof(b, list, node);
    bind_format(b, list, node);
    bind_fetching(b, list, node);
    if (!has_source)
        return;
    check_fitting(b, list, node);
    ipt_bind_contents(b, list, node);
}

static bool alloc_lists(ipt_bind *b, size_t count)
{
    b->lists = ipt_bind_alloc(b, count, sizeof(*b->lists));
    b->list_nodes = ipt_bind_alloc(b, count, sizeof(*b->list_nodes));
    b->list_used = ipt_bind_alloc(b, count, sizeof(*b->list_used));
    b->list_trusted = ipt_bind_alloc(b, count, sizeof(*b->list_trusted));
    b->index = ipt_bind_alloc(b, count, sizeof(*b->index));
    return !b->no_memory;
}

void ipt_bind_lists(ipt_bind *b)
{
    const ipt_node *node = ipt_bind_node(b->root, "lists");
    if (node == NULL || node->count == 0)
        return;
    if (node->count > IPT_CONFIG_LISTS_MAX) {
        ipt_diag_add(b->diag, IPT_ERROR, node->place, "%zu lists, expected at most %d", node->count,
                     IPT_CONFIG_LISTS_MAX);
        return;
    }
    if (!alloc_lists(b, node->count))
        return;
    size_t n = 0;
    for (const ipt_node *item = node->first; item != NULL && !b->no_memory; item = item->next) {
        if (item->bad)
            continue;
        ipt_list_spec *list = &b->lists[n];
        list->name = ipt_bind_text(b, item->key->text);
        list->place = item->key->place;
        if (list->name == NULL)
            return;
        b->list_nodes[n] = item;
        b->index[n] = (ipt_list_index){list->name, (uint16_t)n};
        n++;
        bind_list(b, list, item);
    }
    qsort(b->index, n, sizeof(*b->index), by_name);
    b->config->lists = b->lists;
    b->config->list_count = n;
}
