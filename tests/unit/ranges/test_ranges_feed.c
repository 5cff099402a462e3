/* Bodies of feeds: what each format gives, and what is refused with which words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "exact.h"
#include "failalloc.h"
#include "iptrust/ranges/feed.h"

/* What came of a body: "8.8.8.0/24 2600::/32 " or "reason: sentence". */
typedef struct outcome {
    char text[512];
    ipt_feed_version version;
} outcome;

static void write_set(ipt_prefix_set set, char *out)
{
    out[0] = '\0';
    for (size_t i = 0; i < set.count; i++) {
        ipt_prefix_format(set.items[i], out + strlen(out));
        strcat(out, " ");
    }
}

static outcome parse(const ipt_feed_part *parts, const char *const *texts, size_t count,
                     const ipt_feed_selection *selection)
{
    outcome o = {0};
    ipt_span bodies[4] = {{NULL, 0}};
    ipt_feed feed;
    ipt_update_text why;
    for (size_t i = 0; i < count; i++)
        bodies[i] = exact(texts[i]);
    switch (ipt_feed_parse(parts, bodies, count, selection, &feed, &why)) {
    case IPT_FEED_OK:
        write_set(feed.set, o.text);
        o.version = feed.version;
        ipt_feed_done(&feed);
        break;
    case IPT_FEED_REFUSED:
        snprintf(o.text, sizeof(o.text), "%s: %s", ipt_update_reason_name(why.reason), why.text);
        break;
    case IPT_FEED_NO_MEMORY:
        snprintf(o.text, sizeof(o.text), "no memory");
    }
    for (size_t i = 0; i < count; i++)
        free((void *)(uintptr_t)bodies[i].p);
    return o;
}

static outcome parse_one(ipt_feed_format format, ipt_ip family, const ipt_feed_selection *selection, const char *text)
{
    ipt_feed_part part = {.url = "the feed", .format = format, .family = family};
    return parse(&part, &text, 1, selection);
}

/* ---- text ---- */

static void text_is_a_prefix_a_line(void **state)
{
    static const struct {
        ipt_ip family;
        const char *text, *outcome;
    } rows[] = {
        {IPT_IP_ANY, "8.8.8.0/24\n2600::/32\n", "8.8.8.0/24 2600::/32 "},
        {IPT_IP_ANY, "9.9.9.9\t\r\n8.8.8.0/24", "8.8.8.0/24 9.9.9.9/32 "}, /* no final line feed */
        {IPT_IP_ANY, "8.8.8.8\n8.8.8.8/32\n", "8.8.8.8/32 "},
        {IPT_IP_ANY, "# a comment\n\n8.8.8.8 # another\n", "8.8.8.8/32 "},
        {IPT_IP_V4, "8.8.8.8\n", "8.8.8.8/32 "},
        {IPT_IP_V6, "2600::/32\n", "2600::/32 "},
        {IPT_IP_V4, "8.8.8.8\n2600::/32\n",
         "wrong_family: line 2: 2600::/32 is no IPv4 prefix, and only those belong here"},
        {IPT_IP_V6, "::ffff:8.8.8.8\n",
         "wrong_family: line 1: 8.8.8.8/32 is no IPv6 prefix, and only those belong here"},
        {IPT_IP_ANY, "", "empty: the body of the feed is empty"},
        {IPT_IP_ANY, " \r\n\t\n", "empty: the body of the feed is empty"},
        {IPT_IP_ANY, "# nothing\n", "empty: the feed lists no prefix"},
        {IPT_IP_ANY, "8.8.8.8\n8.8.8.8/8\n",
         "unparseable: line 2: 8.8.8.8/8 has host bits set, did you mean 8.0.0.0/8?"},
        {IPT_IP_ANY, "131.0.72.0/222400:cb00::/32\n",
         "unparseable: line 1: 131.0.72.0/222400:cb00::/32 has a bad length, "
         "expected /0 to /32"},
        {IPT_IP_ANY, "8.8.8.8\n046.39.58.58\n", "unparseable: line 2: \"046.39.58.58\" is no address or prefix"},
        {IPT_IP_ANY, "\n<html>\x01</html>\n",
         "unparseable: the body of the feed is a page for people, not a list: <html>?</html>?"},
    };
    static const ipt_feed_selection none = {0};
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++)
        assert_string_equal(parse_one(IPT_FEED_TEXT, rows[i].family, &none, rows[i].text).text, rows[i].outcome);
}

/* ---- CSV ---- */

static void csv_is_one_column(void **state)
{
    static const struct {
        const char *column, *text, *outcome;
    } rows[] = {
        {NULL, "8.8.8.0/24,US,US-CA,Here,\n9.9.9.9,US,,,\r\n", "8.8.8.0/24 9.9.9.9/32 "},
        {"1", "8.8.8.0/24\n", "8.8.8.0/24 "},
        {"2", "US,8.8.8.0/24\nDE, 9.9.9.0/24 ,x", "8.8.8.0/24 9.9.9.0/24 "},
        {"2", "\"a, \"\"b\"\"\nc\",\"8.8.8.0/24\"\nDE,9.9.9.9\n", "8.8.8.0/24 9.9.9.9/32 "},
        {"p", "x,p\n1,8.8.8.0/24\n", "8.8.8.0/24 "},
        {"p", "# a comment, p\n\n \"x\",\"p\"\n1,8.8.8.0/24\n",
         "unparseable: line 3: not comma-separated values"}, /* a quote inside of a field */
        {"p", "\"x\",\"p\"\n\n#1,2\n1,8.8.8.0/24\n", "8.8.8.0/24 "},
        {"p", "p\n", "empty: the feed lists no prefix"},
        {"p", "# p\n", "empty: the feed has no line with names of columns"},
        {"p", "x,y\n", "unparseable: line 1: no column is named \"p\""},
        {"p", "p,p\n", "unparseable: line 1: two columns are named \"p\""},
        {"0", "8.8.8.8\n", "unparseable: columns are counted from 1"},
        {"2", "1,8.8.8.8\n1\n", "unparseable: line 2: there is no column 2"},
        {NULL, "8.8.8.8,US\n,US\n", "unparseable: line 2: expected an address or a prefix, found nothing"},
        {NULL, "prefix,country\n8.8.8.8,US\n", "unparseable: line 1: \"prefix\" is no address or prefix"},
        {NULL, "8.8.8.8,\"US\n", "unparseable: line 1: not comma-separated values"},
        {NULL, "\"8.8.8.8\"x,US\n", "unparseable: line 1: not comma-separated values"},
        {NULL, "\"8.8.8.8\"", "8.8.8.8/32 "},
        {NULL, "\"", "unparseable: line 1: not comma-separated values"},
        {"2", "\"a\nb\",8.8.8.8\nc,x\n", "unparseable: line 3: \"x\" is no address or prefix"}, /* lines, not records */
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_feed_selection selection = {.column = rows[i].column};
        assert_string_equal(parse_one(IPT_FEED_CSV, IPT_IP_ANY, &selection, rows[i].text).text, rows[i].outcome);
    }
}

/* ---- JSON with a path ---- */

static void a_path_says_where_the_prefixes_stand(void **state)
{
    static const struct {
        const char *path, *text, *outcome;
    } rows[] = {
        {NULL, "[\"8.8.8.8\",\"2600::/32\"]", "8.8.8.8/32 2600::/32 "},
        {"$", "[\"8.8.8.8\"]", "8.8.8.8/32 "},
        {"a", "{\"a\":[\"8.8.8.8\"],\"b\":[\"x\"]}", "8.8.8.8/32 "},
        {"$.a[*]", "{\"a\":[\"8.8.8.8\",\"9.9.9.9\"]}", "8.8.8.8/32 9.9.9.9/32 "},
        {"$['a'][1]", "{\"a\":[\"8.8.8.8\",\"9.9.9.9\"]}", "9.9.9.9/32 "},
        {"[1, 0]", "[\"8.8.8.8\",\"9.9.9.9\",\"1.1.1.1\"]", "8.8.8.8/32 9.9.9.9/32 "},
        {"p[*]['v4', \"v6\"]", "{\"p\":[{\"v4\":\"8.8.8.8\"},{\"v6\":\"2600::\"},{\"x\":1}]}",
         "8.8.8.8/32 2600::/128 "},
        {"*.*", "{\"a\":{\"b\":\"8.8.8.8\"},\"c\":[\"9.9.9.9\"]}", "8.8.8.8/32 9.9.9.9/32 "},
        {"a-b_1", "{\"a-b_1\":\"8.8.8.8\"}", "8.8.8.8/32 "},
        {"['a.b']", "{\"a.b\":\"8.8.8.8\"}", "8.8.8.8/32 "},
        {"a", "{\"\\u0061\":\"8.8.8.8\"}", "8.8.8.8/32 "},
        {"b", "{\"a\":\"8.8.8.8\"}", "empty: the feed lists no prefix"},
        {"a[7]", "{\"a\":[\"8.8.8.8\"]}", "empty: the feed lists no prefix"},
        {"a.b", "{\"a\":\"8.8.8.8\"}", "empty: the feed lists no prefix"},
        {"a", "{\"a\":7}", "unparseable: /a: must be a string or an array of strings"},
        {"a", "{\"a\":[[\"8.8.8.8\"]]}", "unparseable: /a/0: must be a string"},
        {"a[*].b", "{\"a\":[{\"b\":\"8.8.8.8\"},{\"b\":null}]}",
         "unparseable: /a/1/b: must be a string or an array of strings"},
        {"a", "{\"a\":[\"8.8.8.8\",\"8.8.8.8/33\"]}",
         "unparseable: /a/1: 8.8.8.8/33 has a bad length, expected /0 to /32"},
        {"a..b", "{}", "unparseable: the path \"a..b\" is none: expected a name or * at \".b\""},
        {NULL, "{\"a\":1", "unparseable: the feed: the text must be one JSON object or array and nothing else"},
        {NULL, "8.8.8.8\n", "unparseable: the feed: the text must be one JSON object or array and nothing else"},
        {NULL, "{\"a\":1,\"a\":2}", "unparseable: the feed at /a: the key stands twice in its object"},
        {NULL, "[\"\xff\"]", "unparseable: the feed: the text is not UTF-8"},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_feed_selection selection = {.path = rows[i].path};
        assert_string_equal(parse_one(IPT_FEED_JSON, IPT_IP_ANY, &selection, rows[i].text).text, rows[i].outcome);
    }
}

static void paths_are_told_from_what_is_none(void **state)
{
    static const struct {
        const char *path, *why; /* NULL: a path */
    } rows[] = {
        {"", NULL},
        {"$", NULL},
        {"a", NULL},
        {"$.a.b", NULL},
        {"$[*]", NULL},
        {"a[ 0 , 'b' ]", NULL},
        {"$a", "expected . or [ at \"a\""},
        {"a.", "expected a name or * at \"\""},
        {"a[", "expected *, a number or a quoted name at \"\""},
        {"a[]", "expected *, a number or a quoted name at \"]\""},
        {"a[0", "expected , or ] in brackets"},
        {"a['b]", "a quoted name does not end"},
        {"a['\\n']", "escapes in names are not taken"},
        {"a[-1]", "expected *, a number or a quoted name at \"-1]\""},
        {"a[?@.b]", "expected *, a number or a quoted name at \"?@.b]\""},
        {"a[0:1]", "expected , or ] in brackets"},
        {"a[9999999999]", "expected *, a number or a quoted name at \"9999999999]\""},
        {"a b", "expected . or [ at \" b\""},
        {"a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t.u.v.w.x.y.z.a.b.c.d.e.f.g", "more than 32 steps"},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        char why[160] = "";
        ipt_span path = exact(rows[i].path);
        assert_int_equal(ipt_feed_path_check(path, why, sizeof(why)), rows[i].why == NULL);
        assert_string_equal(why, rows[i].why == NULL ? "" : rows[i].why);
        free((void *)(uintptr_t)path.p);
    }
}

/* ---- publishers ---- */

#define AWS(rest) "{\"syncToken\":\"1787411825\",\"createDate\":\"2026-08-22-15-17-05\"," rest "}"
#define GOOGLE(rest) \
    "{\"syncToken\":\"1787299542583\",\"creationTime\":\"2026-08-21T01:05:42.583377\",\"prefixes\":[" rest "]}"
#define AZURE(rest)           "{\"changeNumber\":398,\"values\":[" rest "]}"
#define AZURE_TAG(name, rest) "{\"name\":\"" name "\",\"properties\":{\"addressPrefixes\":[" rest "]}}"

static void each_publisher_is_read_in_its_own_form(void **state)
{
    static const struct {
        ipt_feed_format format;
        const char *text, *outcome;
    } rows[] = {
        {IPT_FEED_CLOUDFLARE,
         "{\"result\":{\"ipv4_cidrs\":[\"8.8.8.0/24\"],\"ipv6_cidrs\":[\"2600::/32\"],\"jdcloud_cidrs\":[\"x\"],"
         "\"etag\":\"e\"},\"success\":true}",
         "8.8.8.0/24 2600::/32 "},
        {IPT_FEED_CLOUDFLARE, "{\"result\":null,\"success\":false}", "unparseable: /success: the answer is no success"},
        {IPT_FEED_CLOUDFLARE, "{\"result\":{}}", "unparseable: the body: the answer is no success"},
        {IPT_FEED_CLOUDFLARE, "{\"result\":{\"etag\":\"e\"},\"success\":true}",
         "unparseable: /result: has no member \"ipv4_cidrs\""},
        {IPT_FEED_CLOUDFLARE,
         "{\"result\":{\"ipv4_cidrs\":[\"2600::/32\"],\"ipv6_cidrs\":[],\"etag\":\"e\"},\"success\":true}",
         "wrong_family: /result/ipv4_cidrs/0: 2600::/32 is no IPv4 prefix, and only those belong here"},
        {IPT_FEED_AWS,
         AWS("\"prefixes\":[{\"ip_prefix\":\"8.8.8.0/24\",\"service\":\"S\",\"region\":\"r\"},"
             "{\"ip_prefix\":\"9.9.9.0/24\",\"service\":\"OTHER\"}],"
             "\"ipv6_prefixes\":[{\"ipv6_prefix\":\"2600::/32\",\"service\":\"S\"}],\"new\":{}"),
         "8.8.8.0/24 2600::/32 "},
        {IPT_FEED_AWS, AWS("\"prefixes\":[{\"ip_prefix\":\"8.8.8.0/24\",\"service\":\"OTHER\"}],\"ipv6_prefixes\":[]"),
         "empty: the feed lists nothing for service \"S\""},
        {IPT_FEED_AWS,
         AWS("\"prefixes\":[{\"ip_prefix\":\"8.8.8.0/"
             "24\",\"service\":\"S\"},{\"ip_prefix\":\"x\",\"service\":\"OTHER\"}],"
             "\"ipv6_prefixes\":[]"), /* also what is left aside must parse */
         "unparseable: /prefixes/1/ip_prefix: \"x\" is no address or prefix"},
        {IPT_FEED_AWS, AWS("\"prefixes\":[{\"ip_prefix\":\"8.8.8.0/24\"}],\"ipv6_prefixes\":[]"),
         "unparseable: /prefixes/0: has no member \"service\""},
        {IPT_FEED_AWS, AWS("\"prefixes\":[{\"ip_prefix\":\"8.8.8.0/24\",\"service\":\"S\"}]"),
         "unparseable: the body: has no member \"ipv6_prefixes\""},
        {IPT_FEED_AWS, "{\"syncToken\":\"x\"}", "unparseable: /syncToken: must be a number of 1 to 19 digits"},
        {IPT_FEED_AWS, "{\"syncToken\":\"1\",\"createDate\":\"2017-07-20-22-42-233\"}",
         "unparseable: /createDate: \"2017-07-20-22-42-233\" is no date"},
        {IPT_FEED_AWS, "{\"syncToken\":\"1\",\"createDate\":\"2017-02-30-22-42-23\"}",
         "unparseable: /createDate: \"2017-02-30-22-42-23\" is no date"},
        {IPT_FEED_FASTLY, "{\"addresses\":[\"8.8.8.0/24\"],\"ipv6_addresses\":[\"2600::/32\"]}",
         "8.8.8.0/24 2600::/32 "},
        {IPT_FEED_FASTLY, "{\"addresses\":[\"8.8.8.0/24\"]}",
         "unparseable: the body: has no member \"ipv6_addresses\""},
        {IPT_FEED_GOOGLE, GOOGLE("{\"ipv4Prefix\":\"8.8.8.0/24\",\"scope\":\"x\"},{\"ipv6Prefix\":\"2600::/32\"}"),
         "8.8.8.0/24 2600::/32 "},
        {IPT_FEED_GOOGLE, GOOGLE("{\"ipv4Prefix\":\"8.8.8.0/24\",\"ipv6Prefix\":\"2600::/32\"}"),
         "unparseable: /prefixes/0: must have ipv4Prefix or ipv6Prefix"},
        {IPT_FEED_GOOGLE, GOOGLE("{}"), "unparseable: /prefixes/0: must have ipv4Prefix or ipv6Prefix"},
        {IPT_FEED_GOOGLE, GOOGLE("7"), "unparseable: /prefixes/0: must have ipv4Prefix or ipv6Prefix"},
        {IPT_FEED_GOOGLE_LB, GOOGLE("{\"ipv4Prefix\":\"35.184.0.0/13\"},{\"ipv4Prefix\":\"130.211.0.0/16\"}"),
         "35.191.0.0/16 130.211.0.0/22 "},
        {IPT_FEED_GOOGLE_LB, GOOGLE("{\"ipv4Prefix\":\"35.184.0.0/13\"}"),
         "disowned: Google no longer lists 130.211.0.0/22 as its own"},
        {IPT_FEED_GOOGLE_LB_NOT, GOOGLE("{\"ipv4Prefix\":\"34.0.0.0/13\"}"), ""},
        {IPT_FEED_GOOGLE_LB_NOT, GOOGLE("{\"ipv4Prefix\":\"35.191.7.0/24\"}"),
         "disowned: Google lists 35.191.0.0/16, or a part of it, as its customers'"},
        {IPT_FEED_AZURE, AZURE(AZURE_TAG("Other", "\"9.9.9.9\"") "," AZURE_TAG("S", "\"8.8.8.0/24\",\"2600::/48\"")),
         "8.8.8.0/24 2600::/48 "},
        {IPT_FEED_AZURE, AZURE(AZURE_TAG("Other", "\"9.9.9.9\"")), "empty: the feed lists nothing for service \"S\""},
        {IPT_FEED_AZURE, AZURE(AZURE_TAG("Other", "\"x\"") "," AZURE_TAG("S", "\"8.8.8.0/24\"")),
         "unparseable: /values/0/properties/addressPrefixes/0: \"x\" is no address or prefix"},
        {IPT_FEED_AZURE, "{\"changeNumber\":-1,\"values\":[]}",
         "unparseable: /changeNumber: must be a number of 1 to 19 digits"},
        {IPT_FEED_ADDRESSES, "[\"8.8.8.8\",\"2600::1\"]", "8.8.8.8/32 2600::1/128 "},
        {IPT_FEED_ADDRESSES, "{\"Message\":\"no\"}", "unparseable: the body: must be an array"},
        {IPT_FEED_IMPERVA, "{\"ipRanges\":[\"8.8.8.0/24\"],\"ipv6Ranges\":[\"2600::/32\"],\"res\":0}",
         "8.8.8.0/24 2600::/32 "},
        {IPT_FEED_IMPERVA, "{\"ipRanges\":[\"8.8.8.0/24\"],\"ipv6Ranges\":[],\"res\":1}",
         "unparseable: /res: the answer is no success"},
        {IPT_FEED_CDN77,
         "{\"updated_at\":\"2026-07-27T14:00:04.173594+00:00\",\"prefixes\":[{\"prefix\":\"8.8.8.0/26\"}]}",
         "8.8.8.0/26 "},
        {IPT_FEED_CDN77, "{\"updated_at\":\"yesterday\",\"prefixes\":[]}",
         "unparseable: /updated_at: \"yesterday\" is no date"},
        {IPT_FEED_ORACLE,
         "{\"last_updated_timestamp\":\"2026-07-27T06:55:33.696145\",\"regions\":[{\"region\":\"a\",\"cidrs\":[{"
         "\"cidr\":"
         "\"8.8.8.0/24\"}]},{\"cidrs\":[{\"cidr\":\"9.9.9.0/24\"}]}]}",
         "8.8.8.0/24 9.9.9.0/24 "},
        {IPT_FEED_ORACLE, "{\"last_updated_timestamp\":\"2026-07-27T06:55:33\",\"regions\":[{}]}",
         "unparseable: /regions/0: has no member \"cidrs\""},
        {IPT_FEED_GITHUB, "{\"S\":[\"8.8.8.0/24\",\"2600::/32\"],\"hooks\":[\"9.9.9.9\"],\"ssh_keys\":[\"x\"]}",
         "8.8.8.0/24 2600::/32 "},
        {IPT_FEED_GITHUB, "{\"hooks\":[\"9.9.9.9\"]}", "empty: the feed lists nothing for service \"S\""},
    };
    static const char *const services[] = {"S"};
    static const ipt_feed_selection selection = {.services = services, .service_count = 1};
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++)
        assert_string_equal(parse_one(rows[i].format, IPT_IP_ANY, &selection, rows[i].text).text, rows[i].outcome);
}

static void tenants_feeds_need_services(void **state)
{
    static const struct {
        ipt_feed_format format;
        const char *text, *outcome;
    } rows[] = {
        {IPT_FEED_AWS, AWS("\"prefixes\":[],\"ipv6_prefixes\":[]"),
         "empty: aws lists every customer's machines: name services"},
        {IPT_FEED_AZURE, AZURE(""), "empty: azure lists every customer's machines: name services"},
        {IPT_FEED_GITHUB,
         "{\"hooks\":[\"8.8.8.8\"],\"actions\":[\"9.9.9.9\"],\"ssh_keys\":[\"x\"],\"S\":[\"1.1.1.1\"]}",
         "8.8.8.8/32 9.9.9.9/32 "},
    };
    static const ipt_feed_selection none = {0};
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++)
        assert_string_equal(parse_one(rows[i].format, IPT_IP_ANY, &none, rows[i].text).text, rows[i].outcome);
}

static void a_body_tells_its_version(void **state)
{
    static const struct {
        ipt_feed_format format;
        const char *text;
        ipt_feed_version version;
    } rows[] = {
        {IPT_FEED_AWS,
         AWS("\"prefixes\":[{\"ip_prefix\":\"8.8.8.0/24\",\"service\":\"S\"}],\"ipv6_prefixes\":[]"),
         {"1787411825", true, true, 1787411825, 1787411825}},
        {IPT_FEED_AWS, /* a token ahead of the date is what is ahead */
         "{\"syncToken\":\"9787411825\",\"createDate\":\"2026-08-22-15-17-05\",\"prefixes\":[{\"ip_prefix\":\"8.8.8.0/"
         "24\","
         "\"service\":\"S\"}],\"ipv6_prefixes\":[]}",
         {"9787411825", true, true, 9787411825, 9787411825}},
        {IPT_FEED_GOOGLE,
         GOOGLE("{\"ipv4Prefix\":\"8.8.8.0/24\"}"),
         {"1787299542583", true, true, 1787299542583, 1787299542}}, /* creationTime is in Pacific time */
        {IPT_FEED_AZURE, AZURE(AZURE_TAG("S", "\"8.8.8.0/24\"")), {"398", true, false, 398, 0}},
        {IPT_FEED_CDN77,
         "{\"updated_at\":\"2026-07-27T14:00:04.17+02:00\",\"prefixes\":[{\"prefix\":\"8.8.8.8\"}]}",
         {"2026-07-27T14:00:04.17+02:00", true, true, 1785153604170000, 1785153604}},
        {IPT_FEED_ORACLE,
         "{\"last_updated_timestamp\":\"2026-07-27T06:55:33.696145\",\"regions\":[{\"cidrs\":[{\"cidr\":\"8.8.8.8\"}]}]"
         "}",
         {"2026-07-27T06:55:33.696145", true, true, 1785135333696145, 1785135333}},
        {IPT_FEED_CLOUDFLARE,
         "{\"result\":{\"ipv4_cidrs\":[\"8.8.8.8\"],\"ipv6_cidrs\":[],\"etag\":\"an etag\"},\"success\":true}",
         {"an?etag", false, false, 0, 0}},
        {IPT_FEED_FASTLY, "{\"addresses\":[\"8.8.8.0/24\"],\"ipv6_addresses\":[]}", {"", false, false, 0, 0}},
    };
    static const char *const services[] = {"S"};
    static const ipt_feed_selection selection = {.services = services, .service_count = 1};
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        outcome o = parse_one(rows[i].format, IPT_IP_ANY, &selection, rows[i].text);
        assert_string_equal(o.version.text, rows[i].version.text);
        assert_int_equal(o.version.has_serial, rows[i].version.has_serial);
        assert_int_equal(o.version.has_time, rows[i].version.has_time);
        assert_int_equal(o.version.serial, rows[i].version.serial);
        assert_int_equal(o.version.time, rows[i].version.time);
    }
}

/* ---- several parts ---- */

static void several_parts_make_one_list_or_none(void **state)
{
    static const struct {
        const char *v4, *v6, *outcome;
    } rows[] = {
        {"8.8.8.0/24\n", "2600::/32\n", "8.8.8.0/24 2600::/32 "},
        {"8.8.8.0/24\n", "", "empty: the body of https://www.cloudflare.com/ips-v6 is empty"},
        {"8.8.8.0/24\n", "#\n", "empty: https://www.cloudflare.com/ips-v6 lists no prefix"},
        {"8.8.8.0/24\n", "8.8.8.0/24\n",
         "wrong_family: line 1: 8.8.8.0/24 is no IPv6 prefix, and only those belong here"},
    };
    static const ipt_feed_selection none = {0};
    ipt_feed_parts parts = ipt_feed_parts_of(IPT_PROVIDER_CLOUDFLARE, 1);
    (void)state;
    assert_int_equal(parts.count, 2);
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        const char *texts[] = {rows[i].v4, rows[i].v6};
        assert_string_equal(parse(parts.items, texts, 2, &none).text, rows[i].outcome);
    }
}

static void every_provider_has_parts_by_https(void **state)
{
    (void)state;
    assert_int_equal(ipt_feed_parts_of(IPT_PROVIDER_NONE, 0).count, 0);
    for (int p = IPT_PROVIDER_NONE + 1; p < IPT_PROVIDER_COUNT; p++) {
        ipt_feed_parts parts = ipt_feed_parts_of((ipt_provider)p, 0);
        assert_true(parts.count >= 1 && parts.count <= 4); /* IPT_RECORD_PARTS_MAX */
        for (size_t i = 0; i < parts.count; i++) {
            const char *url = parts.items[i].url == NULL ? parts.items[i].page : parts.items[i].url;
            assert_int_equal(strncmp(url, "https://", 8), 0);
        }
        assert_int_equal(ipt_feed_parts_of((ipt_provider)p, p == IPT_PROVIDER_CLOUDFLARE ? 2 : 1).count, 0);
    }
}

static void the_newest_dated_link_of_a_page_is_found(void **state)
{
#define LINK(date) "https://download.microsoft.com/download/7/1/d/71d8-13da/ServiceTags_Public_" date ".json"
    static const struct {
        const char *page, *url;
    } rows[] = {
        {"<a href=\"" LINK("20260506") "\">", LINK("20260506")},
        {LINK("20260506") " " LINK("20260513") " " LINK("20260429"), LINK("20260513")},
        {"\"url\":\"" LINK("20260506") "\\u0026", LINK("20260506")},
        {LINK("2026050"), NULL},
        {LINK("202605x6"), NULL},
        {LINK("20260506") "x", NULL},
        {"http" LINK("20260506"), LINK("20260506")}, /* the link stands in it */
        {"https://download.microsoft.com.example.org/download/ServiceTags_Public_20260506.json", NULL},
        {"https://download.microsoft.com/download/ServiceTags_Public_20260506.json?x=/../", /* a query is no part of it
                                                                                             */
         "https://download.microsoft.com/download/ServiceTags_Public_20260506.json"},
        {"https://download.microsoft.com/download/", NULL},
        {"", NULL},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_span page = exact(rows[i].page), url;
        assert_int_equal(ipt_feed_find_link(page, &url), rows[i].url != NULL);
        if (rows[i].url != NULL)
            assert_true(ipt_span_equal(url, ipt_span_from(rows[i].url)));
        free((void *)(uintptr_t)page.p);
    }
}

static void a_description_changes_with_what_the_contents_depend_on(void **state)
{
    static const char *const services[] = {"A", "B \"x\""};
    static const struct {
        ipt_provider provider;
        const char *url;
        ipt_feed_format format;
        ipt_feed_selection selection;
        const char *text;
    } rows[] = {
        {IPT_PROVIDER_CLOUDFLARE, NULL, IPT_FEED_TEXT, {0}, "provider=\"cloudflare\""},
        {IPT_PROVIDER_CLOUDFLARE, NULL, IPT_FEED_CLOUDFLARE, {0}, "provider=\"cloudflare\""},
        {IPT_PROVIDER_AWS,
         NULL,
         IPT_FEED_AWS,
         {.services = services, .service_count = 2},
         "provider=\"aws\" service=\"A\" service=\"B \\\"x\\\"\""},
        {IPT_PROVIDER_NONE, "https://a/", IPT_FEED_TEXT, {.column = "7"}, "url=\"https://a/\" format=\"text\""},
        {IPT_PROVIDER_NONE,
         "https://a/",
         IPT_FEED_JSON,
         {.path = "a"},
         "url=\"https://a/\" format=\"json\" path=\"a\""},
        {IPT_PROVIDER_NONE,
         "https://a/",
         IPT_FEED_CSV,
         {.column = "7"},
         "url=\"https://a/\" format=\"csv\" column=\"7\""},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_auto(ipt_buf) out = {0};
        ipt_feed_describe(&out, rows[i].provider, rows[i].url, rows[i].format, &rows[i].selection);
        assert_true(ipt_span_equal(ipt_buf_span(&out), ipt_span_from(rows[i].text)));
    }
}

/* ---- memory ---- */

static void short_memory_is_never_half_a_list(void **state)
{
    static const char *const services[] = {"S"};
    static const ipt_feed_selection selection = {.services = services, .service_count = 1, .path = "S"};
    static const struct {
        ipt_feed_format format;
        const char *text;
    } rows[] = {
        {IPT_FEED_TEXT, "8.8.8.8\n9.9.9.9\n"},
        {IPT_FEED_JSON, "{\"S\":[\"8.8.8.8\",\"9.9.9.9\"]}"},
        {IPT_FEED_AWS,
         AWS("\"prefixes\":[{\"ip_prefix\":\"8.8.8.8/32\",\"service\":\"S\"},{\"ip_prefix\":\"9.9.9.9/32\","
             "\"service\":\"S\"}],\"ipv6_prefixes\":[]")},
        {IPT_FEED_GOOGLE_LB, GOOGLE("{\"ipv4Prefix\":\"35.184.0.0/13\"},{\"ipv4Prefix\":\"130.211.0.0/16\"}")},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_feed_part part = {.url = "the feed", .format = rows[i].format};
        ipt_span body = exact(rows[i].text);
        for (size_t n = 1;; n++) {
            ipt_feed feed;
            ipt_update_text why;
            failalloc_at(n);
            ipt_feed_result result = ipt_feed_parse(&part, &body, 1, &selection, &feed, &why);
            bool done = !failalloc_happened();
            failalloc_at(0);
            assert_int_equal(result == IPT_FEED_OK, done);
            if (done) {
                assert_int_equal(feed.set.count, 2);
                ipt_feed_done(&feed);
                break;
            }
            assert_true(n < 100);
        }
        free((void *)(uintptr_t)body.p);
    }
}

static void a_body_that_is_too_dense_is_refused(void **state)
{
    enum { COUNT = 3 << 20 };
    static const ipt_feed_selection none = {0};
    ipt_feed_part part = {.url = "the feed", .format = IPT_FEED_JSON};
    char *text = malloc(2 * COUNT + 1);
    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < COUNT; i++)
        memcpy(text + 2 * i, i == 0 ? "[0" : ",0", 2);
    text[2 * COUNT] = ']';
    ipt_span body = {text, 2 * COUNT + 1};
    ipt_feed feed;
    ipt_update_text why;
    assert_int_equal(ipt_feed_parse(&part, &body, 1, &none, &feed, &why), IPT_FEED_REFUSED);
    assert_string_equal(why.text, "the feed has more values than a list of its size needs, or memory is short");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_a_prefix_a_line),
        cmocka_unit_test(csv_is_one_column),
        cmocka_unit_test(a_path_says_where_the_prefixes_stand),
        cmocka_unit_test(paths_are_told_from_what_is_none),
        cmocka_unit_test(each_publisher_is_read_in_its_own_form),
        cmocka_unit_test(tenants_feeds_need_services),
        cmocka_unit_test(a_body_tells_its_version),
        cmocka_unit_test(several_parts_make_one_list_or_none),
        cmocka_unit_test(every_provider_has_parts_by_https),
        cmocka_unit_test(the_newest_dated_link_of_a_page_is_found),
        cmocka_unit_test(a_description_changes_with_what_the_contents_depend_on),
        cmocka_unit_test(short_memory_is_never_half_a_list),
        cmocka_unit_test(a_body_that_is_too_dense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
