/* What can only be judged once everything is bound: listeners that collide, lists that nobody uses, ranges so wide that
 * they hold strangers. */
#include "bind.h"

static void add(ipt_bind *b, ipt_severity severity, const ipt_node *node, const char *text)
{
    ipt_diag_add(b->diag, severity, node == NULL ? (ipt_place){0} : node->place, "%s", text);
}

/* ---- listeners ---- */

static bool is_same_place(const ipt_listener_spec *a, const ipt_listener_spec *b)
{
    if (a->kind != b->kind || a->kind == IPT_LISTEN_OFF)
        return false;
    if (a->kind == IPT_LISTEN_UNIX)
        return strcmp(a->path, b->path) == 0;
    return a->port != 0 && a->port == b->port && ipt_addr_equal(a->host, b->host);
}

static void check_collisions(ipt_bind *b)
{
    const ipt_config *c = b->config;
    const struct {
        const char *name;
        const ipt_listener_spec *spec;
    } rows[] = {{"http", &c->http}, {"grpc", &c->grpc}, {"health", &c->health}, {"admin", &c->admin}};
    for (size_t i = 1; i < IPT_COUNT(rows); i++) {
        for (size_t j = 0; j < i; j++) {
            if (!is_same_place(rows[i].spec, rows[j].spec))
                continue;
            const ipt_node *node = ipt_node_get(ipt_node_get(b->root, rows[i].name), "listen");
            ipt_diag_add(b->diag, IPT_ERROR, node == NULL ? b->root->place : node->place,
                         "%s and %s listen on the same address %s", rows[j].name, rows[i].name, rows[i].spec->text);
        }
    }
}

static void check_admin(ipt_bind *b)
{
    const ipt_listener_spec *admin = &b->config->admin;
    const ipt_node *node = ipt_node_get(b->root, "admin");
    const ipt_node *listen = ipt_node_get(node, "listen"), *token = ipt_node_get(node, "token_file");
    if (admin->kind == IPT_LISTEN_UNIX && token != NULL)
        ipt_diag_add(b->diag, IPT_WARNING, token->key->place, "token_file has no effect on a Unix socket");
    if (admin->kind != IPT_LISTEN_TCP)
        return;
    if (admin->token_file != NULL)
        ipt_bind_secret(b, admin->token_file, token, NULL);
    else if (token == NULL)
        add(b, IPT_ERROR, listen, "admin on TCP needs token_file");
    if (ipt_addr_class(admin->host) != IPT_CLASS_LOOPBACK && admin->tls_cert == NULL)
        add(b, IPT_WARNING, listen, "admin is reachable from other machines, and its token travels unencrypted");
}

static void check_auth(ipt_bind *b)
{
    const ipt_config *c = b->config;
    const ipt_node *token = ipt_node_get(ipt_node_get(b->root, "auth"), "token_file");
    if (token == NULL || c->auth_token_file == NULL)
        return;
    ipt_bind_secret(b, c->auth_token_file, token, NULL);
    if (c->http.kind == IPT_LISTEN_UNIX)
        ipt_diag_add(b->diag, IPT_WARNING, token->key->place, "token_file has no effect on a Unix socket");
}

/* ---- ranges ---- */

static bool is_everything(ipt_prefix prefix)
{
    return ipt_prefix_bits(prefix) == 0;
}

/* Where prefix number n of a list was written: its own node when it was by hand, else the key that brought it. */
static ipt_place place_of(const ipt_list_spec *list, const ipt_node *node, size_t n)
{
    const ipt_node *source = ipt_node_get(node, ipt_list_source_name(list->source));
    if (source == NULL)
        return list->place;
    if (list->source != IPT_SOURCE_BY_HAND || source->kind != IPT_NODE_SEQUENCE)
        return source->place;
    for (const ipt_node *item = source->first; item != NULL; item = item->next) {
        if (!item->bad && n-- == 0)
            return item->place;
    }
    return source->place;
}

/* One warning a list names the first of its kind: a list of a thousand wide ranges is one mistake. */
static void warn_ranges(ipt_bind *b, const ipt_list_spec *list, const ipt_node *node, bool test(ipt_prefix),
                        const char *what)
{
    size_t first = 0, count = 0;
    for (size_t i = 0; i < list->prefix_count; i++) {
        if (!test(list->prefixes[i]))
            continue;
        first = count == 0 ? i : first;
        count++;
    }
    if (count == 0)
        return;
    char text[IPT_PREFIX_TEXT];
    ipt_prefix_format(list->prefixes[first], text);
    ipt_place place = place_of(list, node, first);
    if (count == 1)
        ipt_diag_add(b->diag, IPT_WARNING, place, "%s %s", text, what);
    else
        ipt_diag_add(b->diag, IPT_WARNING, place, "%s (and %zu more) %s", text, count - 1, what);
}

static bool is_broad_but_not_everything(ipt_prefix prefix)
{
    return ipt_prefix_is_broad(prefix) && !is_everything(prefix);
}

static void warn_lists(ipt_bind *b)
{
    for (size_t i = 0; i < b->config->list_count; i++) {
        const ipt_list_spec *list = &b->lists[i];
        warn_ranges(b, list, b->list_nodes[i], is_everything, "holds every address");
        if (b->list_trusted[i] && !list->broad_accepted && !list->bundled)
            warn_ranges(b, list, b->list_nodes[i], is_broad_but_not_everything,
                        "is broad for a trusted list: name your proxies, or say broad: accepted");
        if (!b->list_used[i])
            ipt_diag_add(b->diag, IPT_WARNING, list->place, "list \"%s\" is named nowhere", list->name);
    }
}

static void warn_callers(ipt_bind *b)
{
    const ipt_node *callers = ipt_bind_node(b->root, "callers");
    for (const ipt_node *item = callers == NULL ? NULL : callers->first; item != NULL; item = item->next) {
        ipt_prefix prefix;
        if (item->bad || ipt_prefix_parse(item->text, &prefix) == IPT_PREFIX_INVALID || !ipt_prefix_is_broad(prefix))
            continue;
        ipt_diag_add(b->diag, IPT_WARNING, item->place, "%s is broad for callers: whoever calls from there is believed",
                     item->text.p);
    }
}

/* ---- names ---- */

static ipt_err add_names(const ipt_bind *b, ipt_names *names)
{
    ipt_name name;
    ipt_err err = IPT_OK;
    for (size_t i = 0; i < b->config->list_count && err == IPT_OK; i++) {
        const ipt_list_spec *list = &b->lists[i];
        for (size_t j = 0; j < list->vouch_count && err == IPT_OK; j++)
            err = ipt_names_add(names, list->vouches[j].header, &name);
        if (list->proof.kind == IPT_PROOF_HEADER && list->proof.name.n != 0 && err == IPT_OK)
            err = ipt_names_add(names, list->proof.name, &name);
    }
    for (size_t i = 0; i < b->config->policy_count && err == IPT_OK; i++) {
        const ipt_policy_spec *policy = &b->policies[i];
        for (size_t j = 0; j < policy->read_count && err == IPT_OK; j++)
            err = ipt_names_add(names, policy->read[j].name, &name);
    }
    return err;
}

/* A view numbers every header name that the configuration mentions, and has room for so many. */
static void check_names(ipt_bind *b)
{
    ipt_auto(ipt_names) *names = NULL;
    ipt_err err = ipt_names_new(&names);
    if (err == IPT_OK)
        err = add_names(b, names);
    if (err == IPT_ELIMIT)
        ipt_diag_add(b->diag, IPT_ERROR, b->root->place, "more than %d different header names",
                     IPT_NAMES_MAX - IPT_NAME_FIXED);
    else if (err != IPT_OK)
        b->no_memory = true;
}

void ipt_warn_all(ipt_bind *b)
{
    const ipt_node *policies = ipt_node_get(b->root, "policies");
    check_collisions(b);
    check_admin(b);
    check_auth(b);
    check_names(b);
    warn_callers(b);
    warn_lists(b);
    if (ipt_config_find_policy(b->config, IPT_SPAN("default")) == NULL && b->config->central == NULL)
        add(b, IPT_WARNING, policies == NULL ? b->root : policies->key,
            "there is no policy \"default\": a request that names none is refused");
}
