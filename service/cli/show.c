/* JSON answers as lines for people: the same whether the answer was computed here or by a daemon. */
#include "cli_priv.h"

#include <stdio.h>
#include <yajl/yajl_tree.h>

static void tree_cleanup(yajl_val *tree)
{
    yajl_tree_free(*tree);
}

#define TREE __attribute__((cleanup(tree_cleanup))) yajl_val

static yajl_val read_tree(ipt_span json)
{
    ipt_auto(ipt_buf) text = {0}; /* yajl's tree wants a NUL */
    char error[256] = "";

    ipt_buf_add(&text, json);
    ipt_buf_addc(&text, '\0');
    yajl_val tree = text.failed ? NULL : yajl_tree_parse(text.p, error, sizeof(error));
    if (tree == NULL)
        ipt_complain("the answer is not JSON; is that an iptrustd?");
    return tree;
}

static yajl_val get(yajl_val from, const char *key, yajl_type type)
{
    const char *path[] = {key, NULL};
    return from == NULL ? NULL : yajl_tree_get(from, path, type);
}

static const char *get_text(yajl_val from, const char *key, const char *otherwise)
{
    const char *text = YAJL_GET_STRING(get(from, key, yajl_t_string));
    return text == NULL ? otherwise : text;
}

static long long get_number(yajl_val from, const char *key, long long otherwise)
{
    yajl_val number = get(from, key, yajl_t_number);
    return YAJL_IS_INTEGER(number) ? YAJL_GET_INTEGER(number) : otherwise;
}

static size_t get_items(yajl_val from, const char *key, yajl_val **items)
{
    yajl_val array = get(from, key, yajl_t_array);
    if (array == NULL)
        return 0;
    *items = array->u.array.values;
    return array->u.array.len;
}

/* 8.8.8.8  high  walk_first_untrusted, unvouched_entries(1) */
bool ipt_show_decision(ipt_span json, bool colour)
{
    TREE tree = read_tree(json);
    if (tree == NULL)
        return false;

    yajl_val confidence = get(tree, "confidence", yajl_t_object), verdict = get(tree, "verdict", yajl_t_object);
    yajl_val *reasons = NULL;
    const char *level = get_text(confidence, "level", "?"), *rule = get_text(verdict, "rule", NULL);
    const char *code = strcmp(level, "high") == 0 || strcmp(level, "authenticated") == 0 ? "32"
                       : strcmp(level, "medium") == 0                                    ? "33"
                                                                                         : "31";
    printf("%s  ", get_text(tree, "client_ip", "-"));
    if (colour)
        printf("\x1b[%sm%s\x1b[0m  ", code, level);
    else
        printf("%s  ", level);
    size_t count = get_items(confidence, "reasons", &reasons);
    for (size_t i = 0; i < count; i++) {
        long long n = get_number(reasons[i], "count", -1);
        printf("%s%s", i == 0 ? "" : ", ", get_text(reasons[i], "code", "?"));
        if (n >= 0)
            printf("(%lld)", n);
    }
    if (rule != NULL)
        printf("  %s by %s", get_text(verdict, "action", "?"), rule);
    putchar('\n');
    return true;
}

/* UTF-8 as it is; control characters, which no database of ours passes on, are somebody else's words. */
static void print_text(const char *between, const char *text)
{
    fputs(between, stdout);
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        bool control = c < 0x20 || c == 0x7f || (c == 0xc2 && (unsigned char)text[1] < 0xa0);
        putchar(control ? '?' : c);
    }
}

/* The values of these keys that are known, on one line with a heading (NULL: it stands there); nothing when none is.
 */
static bool show_line(yajl_val geo, const char *heading, const char *const *keys, size_t count)
{
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        const char *text = get_text(geo, keys[i], NULL);
        if (text == NULL)
            continue;
        if (!any && heading != NULL)
            printf("    %-10s", heading);
        print_text(any ? ", " : "", text);
        any = true;
    }
    return any;
}

static bool show_flags(yajl_val geo)
{
    static const char *const keys[] = {"is_anonymous",    "is_anonymous_vpn",     "is_hosting_provider",
                                       "is_public_proxy", "is_residential_proxy", "is_tor_exit_node"};
    bool any = false;
    for (size_t i = 0; i < IPT_COUNT(keys); i++) {
        if (!YAJL_IS_TRUE(get(geo, keys[i], yajl_t_true)))
            continue;
        printf("%s%s", any ? ", " : "    anonymity ", keys[i]);
        any = true;
    }
    if (any)
        putchar('\n');
    return any;
}

/*     place     London, England, United Kingdom, GB, Europe
 *     network   AS3320, Deutsche Telekom AG
 *     told by   IP Geolocation by DB-IP, https://db-ip.com */
static void show_place(yajl_val tree)
{
    yajl_val geo = get(tree, "geo", yajl_t_object), *attributions = NULL;
    const char *reason = get_text(tree, "geo_reason", NULL);
    static const char *const place[] = {"city", "region_name", "country_name", "country_code", "continent_name"};
    static const char *const network[] = {"as_name", "isp", "user_type", "connection_type"};
    if (reason != NULL && strcmp(reason, "no_database") == 0)
        return; /* nobody asked for any */
    if (geo == NULL || reason != NULL) {
        printf("    geo       unknown%s%s\n", reason == NULL ? "" : ": ", reason == NULL ? "" : reason);
        return;
    }
    puts(show_line(geo, "place", place, IPT_COUNT(place)) ? "" : "    place     unknown");
    long long asn = get_number(geo, "asn", 0);
    if (asn != 0)
        printf("    %-10sAS%lld%s", "network", asn, get_text(geo, "as_name", NULL) == NULL ? "" : ", ");
    bool named = show_line(geo, asn != 0 ? NULL : "network", network, IPT_COUNT(network));
    puts(named || asn != 0 ? "" : "    network   unknown");
    (void)show_flags(geo);
    if (YAJL_IS_TRUE(get(geo, "embedded", yajl_t_true)))
        printf("    (of %s, which the address carries)\n", get_text(geo, "address", "?"));
    size_t count = get_items(tree, "attributions", &attributions);
    for (size_t i = 0; i < count; i++) {
        const char *text = YAJL_GET_STRING(attributions[i]);
        print_text(i == 0 ? "    told by   " : "              ", text == NULL ? "?" : text);
        putchar('\n');
    }
}

/* 172.68.1.2  global  cloudflare 172.64.0.0/13 */
bool ipt_show_address(ipt_span json)
{
    TREE tree = read_tree(json);
    yajl_val *lists = NULL;
    if (tree == NULL)
        return false;

    size_t count = get_items(tree, "lists", &lists);
    const char *embedded = get_text(tree, "embedded_ipv4", NULL);
    printf("%s  %s", get_text(tree, "address", "?"), get_text(tree, "class", "?"));
    if (embedded != NULL)
        printf("  carries %s", embedded);
    if (count == 0)
        printf("  in no list");
    for (size_t i = 0; i < count; i++)
        printf("%s%s %s", i == 0 ? "  " : ", ", get_text(lists[i], "list", get_text(lists[i], "name", "?")),
               get_text(lists[i], "prefix", ""));
    putchar('\n');
    show_place(tree);
    return true;
}

static void join(char *out, size_t cap, yajl_val from, const char *key)
{
    yajl_val *items = NULL;
    size_t count = get_items(from, key, &items), n = 0;

    (void)snprintf(out, cap, "%s", count == 0 ? "nobody" : "");
    for (size_t i = 0; i < count && n < cap; i++) {
        const char *text = YAJL_GET_STRING(items[i]);
        int added = snprintf(out + n, cap - n, "%s%s", i == 0 ? "" : ", ", text == NULL ? "?" : text);
        n += added < 0 ? 0 : (size_t)added;
    }
}

static void show_list(yajl_val list)
{
    yajl_val prefixes = get(list, "prefix_count", yajl_t_object);
    char source[80], time[40], trusted[200];
    const char *provider = get_text(list, "provider", NULL);

    (void)snprintf(source, sizeof(source), "%s%s%s", get_text(list, "source", "?"), provider == NULL ? "" : " ",
                   provider == NULL ? "" : provider);
    (void)snprintf(time, sizeof(time), "%.10s%s", get_text(list, "fetched_at", "-"),
                   YAJL_IS_TRUE(get(list, "bundled", yajl_t_true)) ? " built-in" : "");
    join(trusted, sizeof(trusted), list, "trusted_by");
    printf("%-16s %-8s %-20s %6lld %6lld  %-20s %-8s %s\n", get_text(list, "name", "?"), get_text(list, "kind", "?"),
           source, get_number(prefixes, "ipv4", 0), get_number(prefixes, "ipv6", 0), time,
           get_text(list, "freshness", "?"), trusted);
    yajl_val pending = get(list, "pending", yajl_t_object);
    if (pending != NULL)
        printf("  an update waits to be accepted (%s): %s\n", get_text(pending, "reason", "?"),
               get_text(pending, "digest", "?"));
}

bool ipt_show_lists(ipt_span json)
{
    TREE tree = read_tree(json);
    yajl_val *lists = NULL;
    if (tree == NULL)
        return false;

    size_t count = get_items(tree, "lists", &lists);
    printf("%-16s %-8s %-20s %6s %6s  %-20s %-8s %s\n", "NAME", "KIND", "SOURCE", "IPV4", "IPV6", "AS OF", "STATE",
           "TRUSTED BY");
    for (size_t i = 0; i < count; i++)
        show_list(lists[i]);
    return true;
}

void ipt_show_problem(ipt_span json, const char *where)
{
    TREE tree = read_tree(json);
    yajl_val *errors = NULL;
    if (tree == NULL)
        return;
    const char *pointer = get_items(tree, "errors", &errors) == 0 ? "" : get_text(errors[0], "pointer", "");
    const char *detail = get_text(tree, "detail", get_text(tree, "title", "no answer"));
    ipt_complain("%s%s (%s%s%s)", where, detail, get_text(tree, "code", "unknown"), pointer[0] == '\0' ? "" : " at ",
                 pointer);
}
