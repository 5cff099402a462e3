/* Reads a body in the format that the first byte picks. What comes out is sorted, without doubles and of the family
 * that the part has; printed as text it reads back as the same; what is refused has a reason and a sentence. Acceptance
 * then judges it without stumbling: taken contents hold no special space and are within the limits, and the sizes add
 * up. */
#include "iptrust/ranges/accept.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NOW = 1800000000 };

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check_text(const ipt_update_text *why)
{
    must(why->reason > IPT_UPDATE_FINE && why->reason < IPT_UPDATE_REASONS && why->text[0] != '\0');
    for (const char *p = why->text; *p != '\0'; p++)
        must(*p >= 0x20 && *p < 0x7f);
}

static void check_set(ipt_prefix_set set, ipt_ip family)
{
    must(set.count != 0);
    for (size_t i = 0; i < set.count; i++) {
        must(i == 0 || ipt_prefix_order(set.items[i - 1], set.items[i]) < 0);
        must(ipt_prefix_equal(set.items[i], ipt_prefix_of(set.items[i].addr, set.items[i].len)));
        must(family == IPT_IP_ANY || ipt_prefix_is_v4(set.items[i]) == (family == IPT_IP_V4));
        must(ipt_prefix_set_covers(set, set.items[i]));
    }
}

static void check_as_text(ipt_prefix_set set)
{
    ipt_auto(ipt_buf) text = {0};
    ipt_update_text why;
    ipt_feed again;
    ipt_feed_part part = {.format = IPT_FEED_TEXT};
    ipt_feed_selection selection = {0};
    for (size_t i = 0; i < set.count; i++) {
        char prefix[IPT_PREFIX_TEXT];
        ipt_prefix_format(set.items[i], prefix);
        ipt_buf_addf(&text, "%s\n", prefix);
    }
    ipt_span body = ipt_buf_span(&text);
    must(ipt_feed_parse(&part, &body, 1, &selection, &again, &why) == IPT_FEED_OK);
    must(ipt_prefix_set_equal(set, again.set));
    ipt_feed_done(&again);
}

static void check_judgement(const ipt_feed *feed)
{
    ipt_accept_limits limits = ipt_accept_limits_for(IPT_PROVIDER_FASTLY, IPT_KIND_PROXY, false);
    ipt_feed first = {.set = {feed->set.items, (feed->set.count + 1) / 2}}, rest = *feed;
    ipt_accept_question question = {.candidate = &rest, .active = &first, .limits = &limits, .now = NOW};
    ipt_accept_answer answer = ipt_accept_judge(&question);
    must(answer.lost.v4 == 0 && answer.lost.v6 == 0); /* the candidate holds all of it */
    must(answer.after.v4 == answer.before.v4 + answer.gained.v4);
    must(answer.after.v6 == UINT64_MAX || answer.after.v6 == answer.before.v6 + answer.gained.v6);
    if (answer.outcome == IPT_ACCEPT_REFUSE || answer.outcome == IPT_ACCEPT_HOLD)
        check_text(&answer.why);
    else
        must(answer.after.v4 <= limits.max_v4 && answer.after.v6 <= limits.max_v6);
    for (size_t i = 0; i < feed->set.count && answer.outcome == IPT_ACCEPT_TAKE; i++)
        must(ipt_addr_class(feed->set.items[i].addr) == IPT_CLASS_GLOBAL);
    question.accepted = &answer.digest;
    ipt_accept_outcome outcome = ipt_accept_judge(&question).outcome;
    must(outcome == (answer.outcome == IPT_ACCEPT_HOLD ? IPT_ACCEPT_TAKE : answer.outcome));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const services[] = {"A", "CLOUDFRONT", "hooks"};
    static const char *const paths[] = {NULL, "$", "a", "a[*].p", "$['a',\"b\"][*]", "[0]", "*.*"};
    static const char *const columns[] = {NULL, "1", "2", "p"};
    if (size < 2)
        return 0;
    ipt_feed_part part = {.format = data[0] % (IPT_FEED_GITHUB + 1), .family = data[1] % 3};
    ipt_feed_selection selection = {.services = services,
                                    .service_count = data[1] / 3 % 4,
                                    .path = paths[data[1] / 12 % IPT_COUNT(paths)],
                                    .column = columns[data[1] / 12 % IPT_COUNT(columns)]};
    char *bytes = malloc(size - 2 == 0 ? 1 : size - 2);
    must(bytes != NULL);
    memcpy(bytes, data + 2, size - 2);
    ipt_span body = {bytes, size - 2};
    ipt_feed feed;
    ipt_update_text why;
    ipt_feed_result result = ipt_feed_parse(&part, &body, 1, &selection, &feed, &why);
    must(result != IPT_FEED_NO_MEMORY);
    bool says_family = part.format == IPT_FEED_TEXT || part.format == IPT_FEED_CSV || part.format == IPT_FEED_JSON ||
                       part.format == IPT_FEED_ADDRESSES;
    if (result == IPT_FEED_OK && feed.set.count != 0) {
        check_set(feed.set, says_family ? part.family : IPT_IP_ANY);
        check_as_text(feed.set);
        check_judgement(&feed);
    } else if (result == IPT_FEED_OK) {
        must(part.format == IPT_FEED_GOOGLE_LB_NOT); /* takes nothing by itself */
    } else {
        check_text(&why);
    }
    if (result == IPT_FEED_OK)
        ipt_feed_done(&feed);
    free(bytes);
    return 0;
}
