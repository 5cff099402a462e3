/* Publishers' own JSON. What a publisher has always written is required, what it may add is passed over. */
#include "feed_priv.h"

#include <stdarg.h>
#include <stdio.h>

enum { NAME_MAX_SHOWN = 80 };

bool ipt_feed_json_fail(const ipt_feed_json *json, uint32_t at, const char *format, ...)
{
    char detail[160], pointer[IPT_TAPE_POINTER];
    va_list args;
    va_start(args, format);
    if (vsnprintf(detail, sizeof(detail), format, args) < 0)
        detail[0] = '\0';
    va_end(args);
    ipt_tape_pointer(&json->tape, at, pointer);
    return ipt_update_say(json->to->why, IPT_UPDATE_BODY, "%s: %s", pointer[0] == '\0' ? "the body" : pointer, detail);
}

/* ---- values ---- */

static uint32_t kind_of(const ipt_feed_json *json, uint32_t at)
{
    return json->tape.items[at].kind;
}

/* The value of a member, or 0. */
static uint32_t find(const ipt_feed_json *json, uint32_t object, const char *name)
{
    const ipt_tape_item *items = json->tape.items;
    ipt_span wanted = ipt_span_from(name);
    if (items[object].kind != IPT_TAPE_OBJECT)
        return 0;
    for (uint32_t key = object + 1; key < items[object].end; key = items[key + 1].end) {
        if (ipt_span_equal(ipt_tape_text(&json->tape, key), wanted))
            return key + 1;
    }
    return 0;
}

/* A member of that kind must be there. what: "an array". */
static bool expect(const ipt_feed_json *json, uint32_t object, const char *name, ipt_tape_kind kind, const char *what,
                   uint32_t *out)
{
    if (kind_of(json, object) != IPT_TAPE_OBJECT)
        return ipt_feed_json_fail(json, object, "must be an object");
    uint32_t at = find(json, object, name);
    if (at == 0)
        return ipt_feed_json_fail(json, object, "has no member \"%s\"", name);
    if (kind_of(json, at) != kind)
        return ipt_feed_json_fail(json, at, "must be %s", what);
    *out = at;
    return true;
}

static bool expect_array(const ipt_feed_json *json, uint32_t object, const char *name, uint32_t *out)
{
    return expect(json, object, name, IPT_TAPE_ARRAY, "an array", out);
}

static bool expect_string(const ipt_feed_json *json, uint32_t object, const char *name, ipt_span *out)
{
    uint32_t at = 0;
    if (!expect(json, object, name, IPT_TAPE_STRING, "a string", &at))
        return false;
    *out = ipt_tape_text(&json->tape, at);
    return true;
}

static bool parse_at(const ipt_feed_json *json, uint32_t at, ipt_ip family, ipt_prefix *out)
{
    char pointer[IPT_TAPE_POINTER];
    ipt_span text = ipt_tape_text(&json->tape, at);
    ipt_prefix prefix;
    if (kind_of(json, at) != IPT_TAPE_STRING)
        return ipt_feed_json_fail(json, at, "must be a string");
    /* The pointer costs a walk over the tape, so it is made for complaints alone. */
    ipt_prefix_result result = ipt_prefix_parse(text, &prefix);
    bool good = result == IPT_PREFIX_OK || result == IPT_PREFIX_BARE;
    if (good && (family == IPT_IP_ANY || ipt_prefix_is_v4(prefix) == (family == IPT_IP_V4))) {
        *out = prefix;
        return true;
    }
    ipt_tape_pointer(&json->tape, at, pointer);
    return ipt_collect_parse(json->to, text, family, pointer, out);
}

bool ipt_feed_json_take(const ipt_feed_json *json, uint32_t at, ipt_ip family)
{
    ipt_prefix prefix;
    return parse_at(json, at, family, &prefix) && ipt_collect(json->to, prefix);
}

static bool take_elements(const ipt_feed_json *json, uint32_t array, ipt_ip family)
{
    const ipt_tape_item *items = json->tape.items;
    for (uint32_t at = array + 1; at < items[array].end; at = items[at].end) {
        if (!ipt_feed_json_take(json, at, family))
            return false;
    }
    return true;
}

static bool take_array(const ipt_feed_json *json, uint32_t object, const char *name, ipt_ip family)
{
    uint32_t array = 0;
    return expect_array(json, object, name, &array) && take_elements(json, array, family);
}

/* ---- versions ---- */

static void set_version_text(const ipt_feed_json *json, ipt_span text)
{
    ipt_feed_version *version = &json->to->version;
    size_t n = text.n < sizeof(version->text) ? text.n : sizeof(version->text) - 1;
    for (size_t i = 0; i < n; i++)
        version->text[i] = text.p[i] > 0x20 && text.p[i] < 0x7f ? text.p[i] : '?';
    version->text[n] = '\0';
}

static bool take_serial(const ipt_feed_json *json, uint32_t object, const char *name)
{
    ipt_feed_version *version = &json->to->version;
    uint32_t at = find(json, object, name);
    if (at == 0)
        return ipt_feed_json_fail(json, object, "has no member \"%s\"", name);
    ipt_span text = ipt_tape_text(&json->tape, at);
    bool is_text = kind_of(json, at) == IPT_TAPE_STRING || kind_of(json, at) == IPT_TAPE_NUMBER;
    if (!is_text || !ipt_feed_number(text, &version->serial))
        return ipt_feed_json_fail(json, at, "must be a number of 1 to 19 digits");
    version->has_serial = true;
    set_version_text(json, text);
    return true;
}

static bool bad_date(const ipt_feed_json *json, uint32_t object, const char *name, ipt_span text)
{
    int n = (int)(text.n < NAME_MAX_SHOWN ? text.n : NAME_MAX_SHOWN);
    return ipt_feed_json_fail(json, find(json, object, name), "\"%.*s\" is no date", n, text.p);
}

/* A date that says by itself which of two is newer (RFC 3339; without a zone it is taken for UTC). */
static bool take_timestamp(const ipt_feed_json *json, uint32_t object, const char *name)
{
    ipt_feed_version *version = &json->to->version;
    ipt_span text = {0};
    uint32_t micros;
    if (!expect_string(json, object, name, &text))
        return false;
    if (!ipt_feed_timestamp(text, &version->time, &micros) || version->time < 0)
        return bad_date(json, object, name, text);
    version->serial = (uint64_t)version->time * 1000000 + micros;
    version->has_serial = version->has_time = true;
    set_version_text(json, text);
    return true;
}

/* Google's syncToken counts milliseconds since 1970. creationTime says the same in Pacific time, without saying so, and
 * so is no time for us; that it is a date is all that can be asked of it. */
static bool take_google_version(const ipt_feed_json *json)
{
    ipt_feed_version *version = &json->to->version;
    ipt_span text = {0};
    int64_t local;
    uint32_t micros;
    if (!take_serial(json, 0, "syncToken") || !expect_string(json, 0, "creationTime", &text))
        return false;
    if (!ipt_feed_timestamp(text, &local, &micros))
        return bad_date(json, 0, "creationTime", text);
    version->time = (int64_t)(version->serial / 1000);
    version->has_time = true;
    return true;
}

/* 2026-08-22-15-17-05 */
static bool take_create_date(const ipt_feed_json *json)
{
    ipt_feed_version *version = &json->to->version;
    ipt_span text = {0}, rest;
    if (!expect_string(json, 0, "createDate", &text))
        return false;
    if (!ipt_feed_date(text, "dddd-dd-dd-dd-dd-dd", &version->time, &rest) || rest.n != 0)
        return bad_date(json, 0, "createDate", text);
    version->has_time = true;
    /* The token is the same moment in seconds; one that lies ahead would make every later one seem old. */
    if (version->serial > (uint64_t)INT64_MAX || (int64_t)version->serial > version->time)
        version->time = version->serial > (uint64_t)INT64_MAX ? INT64_MAX : (int64_t)version->serial;
    return true;
}

/* ---- services ---- */

/* Marks the service as seen; false when the list does not want it. */
static bool is_wanted(const ipt_feed_json *json, ipt_span service, bool *seen)
{
    const ipt_feed_selection *selection = json->to->selection;
    for (size_t i = 0; i < selection->service_count; i++) {
        if (ipt_span_equal(service, ipt_span_from(selection->services[i]))) {
            seen[i] = true;
            return true;
        }
    }
    return false;
}

static bool begin_services(const ipt_feed_json *json, const char *what, bool **seen)
{
    size_t count = json->to->selection->service_count;
    if (count == 0)
        return ipt_update_say(json->to->why, IPT_UPDATE_EMPTY, "%s lists every customer's machines: name services",
                              what);
    *seen = ipt_arena_calloc(json->tape.arena, count, sizeof(**seen));
    if (*seen == NULL)
        json->to->no_memory = true;
    return *seen != NULL;
}

/* A service that is asked for and not there is a slip of the pen or a feed cut short; both must be told. */
static bool check_services(const ipt_feed_json *json, const bool *seen)
{
    const ipt_feed_selection *selection = json->to->selection;
    for (size_t i = 0; i < selection->service_count; i++) {
        if (!seen[i])
            return ipt_update_say(json->to->why, IPT_UPDATE_EMPTY, "the feed lists nothing for service \"%.80s\"",
                                  selection->services[i]);
    }
    return true;
}

/* ---- publishers ---- */

static bool read_cloudflare(const ipt_feed_json *json)
{
    uint32_t success = find(json, 0, "success"), result = 0;
    ipt_span etag = {0};
    if (success == 0 || kind_of(json, success) != IPT_TAPE_TRUE)
        return ipt_feed_json_fail(json, success, "the answer is no success");
    if (!expect(json, 0, "result", IPT_TAPE_OBJECT, "an object", &result) ||
        !expect_string(json, result, "etag", &etag) || !take_array(json, result, "ipv4_cidrs", IPT_IP_V4) ||
        !take_array(json, result, "ipv6_cidrs", IPT_IP_V6))
        return false;
    set_version_text(json, etag);
    return true;
}

static bool read_aws_entries(const ipt_feed_json *json, const char *name, const char *key, ipt_ip family, bool *seen)
{
    const ipt_tape_item *items = json->tape.items;
    uint32_t array = 0, text = 0;
    if (!expect_array(json, 0, name, &array))
        return false;
    for (uint32_t entry = array + 1; entry < items[array].end; entry = items[entry].end) {
        ipt_span service = {0};
        ipt_prefix prefix;
        if (!expect(json, entry, key, IPT_TAPE_STRING, "a string", &text) ||
            !expect_string(json, entry, "service", &service) || !parse_at(json, text, family, &prefix))
            return false;
        if (is_wanted(json, service, seen) && !ipt_collect(json->to, prefix))
            return false;
    }
    return true;
}

static bool read_aws(const ipt_feed_json *json)
{
    bool *seen = NULL;
    return begin_services(json, "aws", &seen) && take_serial(json, 0, "syncToken") && take_create_date(json) &&
           read_aws_entries(json, "prefixes", "ip_prefix", IPT_IP_V4, seen) &&
           read_aws_entries(json, "ipv6_prefixes", "ipv6_prefix", IPT_IP_V6, seen) && check_services(json, seen);
}

static bool read_fastly(const ipt_feed_json *json)
{
    return take_array(json, 0, "addresses", IPT_IP_V4) && take_array(json, 0, "ipv6_addresses", IPT_IP_V6);
}

static bool read_google(const ipt_feed_json *json)
{
    const ipt_tape_item *items = json->tape.items;
    uint32_t array = 0;
    if (!take_google_version(json) || !expect_array(json, 0, "prefixes", &array))
        return false;
    for (uint32_t entry = array + 1; entry < items[array].end; entry = items[entry].end) {
        uint32_t v4 = find(json, entry, "ipv4Prefix"), v6 = find(json, entry, "ipv6Prefix");
        if ((v4 == 0) == (v6 == 0))
            return ipt_feed_json_fail(json, entry, "must have ipv4Prefix or ipv6Prefix");
        if (!ipt_feed_json_take(json, v4 != 0 ? v4 : v6, v4 != 0 ? IPT_IP_V4 : IPT_IP_V6))
            return false;
    }
    return true;
}

static bool read_azure(const ipt_feed_json *json)
{
    const ipt_tape_item *items = json->tape.items;
    uint32_t values = 0, properties = 0, prefixes = 0;
    bool *seen = NULL;
    if (!begin_services(json, "azure", &seen) || !take_serial(json, 0, "changeNumber") ||
        !expect_array(json, 0, "values", &values))
        return false;
    for (uint32_t tag = values + 1; tag < items[values].end; tag = items[tag].end) {
        ipt_span name = {0};
        if (!expect_string(json, tag, "name", &name) ||
            !expect(json, tag, "properties", IPT_TAPE_OBJECT, "an object", &properties) ||
            !expect_array(json, properties, "addressPrefixes", &prefixes))
            return false;
        bool wanted = is_wanted(json, name, seen);
        for (uint32_t at = prefixes + 1; at < items[prefixes].end; at = items[at].end) {
            ipt_prefix prefix;
            if (!parse_at(json, at, IPT_IP_ANY, &prefix) || (wanted && !ipt_collect(json->to, prefix)))
                return false;
        }
    }
    return check_services(json, seen);
}

static bool read_imperva(const ipt_feed_json *json)
{
    uint32_t res = find(json, 0, "res");
    if (res == 0 || kind_of(json, res) != IPT_TAPE_NUMBER ||
        !ipt_span_equal(ipt_tape_text(&json->tape, res), IPT_SPAN("0")))
        return ipt_feed_json_fail(json, res, "the answer is no success");
    return take_array(json, 0, "ipRanges", IPT_IP_V4) && take_array(json, 0, "ipv6Ranges", IPT_IP_V6);
}

/* An array of objects that have the prefix under a name. */
static bool take_objects(const ipt_feed_json *json, uint32_t object, const char *array_name, const char *name)
{
    const ipt_tape_item *items = json->tape.items;
    uint32_t array = 0, text = 0;
    if (!expect_array(json, object, array_name, &array))
        return false;
    for (uint32_t entry = array + 1; entry < items[array].end; entry = items[entry].end) {
        if (!expect(json, entry, name, IPT_TAPE_STRING, "a string", &text) ||
            !ipt_feed_json_take(json, text, IPT_IP_ANY))
            return false;
    }
    return true;
}

static bool read_cdn77(const ipt_feed_json *json)
{
    return take_timestamp(json, 0, "updated_at") && take_objects(json, 0, "prefixes", "prefix");
}

static bool read_oracle(const ipt_feed_json *json)
{
    const ipt_tape_item *items = json->tape.items;
    uint32_t regions = 0;
    if (!take_timestamp(json, 0, "last_updated_timestamp") || !expect_array(json, 0, "regions", &regions))
        return false;
    for (uint32_t region = regions + 1; region < items[regions].end; region = items[region].end) {
        if (!take_objects(json, region, "cidrs", "cidr"))
            return false;
    }
    return true;
}

static bool read_github(const ipt_feed_json *json)
{
    /* The lists of addresses among keys, fingerprints and domains. */
    static const char *const lists[] = {"hooks",      "web",     "api",       "git",     "github_enterprise_importer",
                                        "packages",   "pages",   "importer",  "actions", "actions_macos",
                                        "codespaces", "copilot", "dependabot"};
    const ipt_feed_selection *selection = json->to->selection;
    for (size_t i = 0; i < selection->service_count; i++) {
        const char *name = selection->services[i];
        if (find(json, 0, name) == 0)
            return ipt_update_say(json->to->why, IPT_UPDATE_EMPTY, "the feed lists nothing for service \"%.80s\"",
                                  name);
        if (!take_array(json, 0, name, IPT_IP_ANY))
            return false;
    }
    for (size_t i = 0; i < IPT_COUNT(lists) && selection->service_count == 0; i++) {
        if (find(json, 0, lists[i]) != 0 && !take_array(json, 0, lists[i], IPT_IP_ANY))
            return false;
    }
    return true;
}

static bool read_addresses(const ipt_feed_json *json, ipt_ip family)
{
    if (kind_of(json, 0) != IPT_TAPE_ARRAY)
        return ipt_feed_json_fail(json, 0, "must be an array");
    return take_elements(json, 0, family);
}

/* ---- Google's balancers ---- */

static const ipt_prefix balancers[] = {
    {{0, UINT64_C(0xffff23bf0000)}, 112}, /* 35.191.0.0/16 */
    {{0, UINT64_C(0xffff82d30000)}, 118}, /* 130.211.0.0/22 */
};

/* The file is read into a set of its own, against which the two ranges are held. */
static bool check_balancers(ipt_feed_json *json, bool must_hold)
{
    ipt_collector *to = json->to, own = *to;
    own.items = NULL;
    own.count = own.room = 0;
    json->to = &own;
    bool good = read_google(json);
    ipt_prefix_set set = {own.items, ipt_prefixes_sort(own.items, own.count)};
    for (size_t i = 0; i < IPT_COUNT(balancers) && good; i++) {
        char text[IPT_PREFIX_TEXT];
        ipt_prefix_format(balancers[i], text);
        if (must_hold && !ipt_prefix_set_covers(set, balancers[i]))
            good = ipt_update_say(to->why, IPT_UPDATE_DISOWNED, "Google no longer lists %s as its own", text);
        else if (!must_hold && ipt_prefix_set_overlaps(set, balancers[i]))
            good = ipt_update_say(to->why, IPT_UPDATE_DISOWNED, "Google lists %s, or a part of it, as its customers'",
                                  text);
        else if (must_hold)
            good = ipt_collect(to, balancers[i]);
    }
    if (must_hold)
        to->version = own.version;
    to->no_memory = to->no_memory || own.no_memory;
    ipt_prefix_set_done(&set);
    json->to = to;
    return good;
}

/* ---- the whole ---- */

static bool read_format(ipt_feed_json *json, const ipt_feed_part *part)
{
    switch (part->format) {
    case IPT_FEED_CLOUDFLARE:
        return read_cloudflare(json);
    case IPT_FEED_AWS:
        return read_aws(json);
    case IPT_FEED_FASTLY:
        return read_fastly(json);
    case IPT_FEED_GOOGLE:
        return read_google(json);
    case IPT_FEED_GOOGLE_LB:
    case IPT_FEED_GOOGLE_LB_NOT:
        return check_balancers(json, part->format == IPT_FEED_GOOGLE_LB);
    case IPT_FEED_AZURE:
        return read_azure(json);
    case IPT_FEED_ADDRESSES:
        return read_addresses(json, part->family);
    case IPT_FEED_IMPERVA:
        return read_imperva(json);
    case IPT_FEED_CDN77:
        return read_cdn77(json);
    case IPT_FEED_ORACLE:
        return read_oracle(json);
    case IPT_FEED_GITHUB:
        return read_github(json);
    case IPT_FEED_JSON:
    case IPT_FEED_TEXT:
    case IPT_FEED_CSV:
        break;
    }
    return ipt_feed_read_path(json, part->family);
}

/* Text says what is wrong; whether memory was short in the machine or only in our bound is told by asking again. */
static bool read_tape(ipt_feed_json *json, ipt_span body, ipt_arena *arena)
{
    ipt_json_flaw flaw;
    ipt_tape_options options = {.pointer_prefix = "", .takes_array = true};
    if (ipt_tape_build(body, &options, arena, &json->tape, &flaw))
        return true;
    if (flaw.kind == IPT_JSON_NO_MEMORY)
        return ipt_update_say(json->to->why, IPT_UPDATE_BODY,
                              "%s has more values than a list of its size needs, or memory is short", json->to->name);
    return ipt_update_say(json->to->why, IPT_UPDATE_BODY, "%s%s%s: %s", json->to->name,
                          flaw.pointer[0] == '\0' ? "" : " at ", flaw.pointer, flaw.detail);
}

bool ipt_feed_read_json(ipt_collector *to, ipt_span body, const ipt_feed_part *part)
{
    enum { BLOCK = 16384, SPARE = 1 << 20, PER_BYTE = 10 }; /* the tape may grow twice */
    ipt_auto(ipt_arena) *arena = NULL;
    if (ipt_arena_new(BLOCK, SPARE + PER_BYTE * body.n, &arena) != IPT_OK) {
        to->no_memory = true;
        return false;
    }
    ipt_feed_json json = {.to = to};
    return read_tape(&json, body, arena) && read_format(&json, part);
}
