/* Names of the reasons, and versions compared. */
#include "iptrust/ranges/update.h"

#include <stdarg.h>
#include <stdio.h>

const char *ipt_update_reason_name(ipt_update_reason reason)
{
    static const char *const names[IPT_UPDATE_REASONS] = {
        [IPT_UPDATE_FINE] = "fine",         [IPT_UPDATE_BODY] = "unparseable",
        [IPT_UPDATE_EMPTY] = "empty",       [IPT_UPDATE_FAMILY] = "wrong_family",
        [IPT_UPDATE_DISOWNED] = "disowned", [IPT_UPDATE_SPECIAL] = "special_purpose",
        [IPT_UPDATE_WIDE] = "too_wide",     [IPT_UPDATE_LARGE] = "too_large",
        [IPT_UPDATE_OLDER] = "older",       [IPT_UPDATE_AHEAD] = "ahead",
        [IPT_UPDATE_GONE] = "family_gone",  [IPT_UPDATE_LOST] = "lost",
        [IPT_UPDATE_GAINED] = "gained",
    };
    return (unsigned)reason < IPT_UPDATE_REASONS ? names[reason] : "unparseable";
}

bool ipt_update_say(ipt_update_text *out, ipt_update_reason reason, const char *format, ...)
{
    va_list args;
    out->reason = reason;
    va_start(args, format);
    if (vsnprintf(out->text, sizeof(out->text), format, args) < 0)
        out->text[0] = '\0';
    va_end(args);
    for (char *p = out->text; *p != '\0'; p++) {
        if (*p < 0x20 || *p > 0x7e)
            *p = '?';
    }
    return false;
}

ipt_version_order ipt_feed_version_compare(const ipt_feed_version *a, const ipt_feed_version *b)
{
    bool serials = a->has_serial && b->has_serial, times = a->has_time && b->has_time;
    if (!serials && !times)
        return IPT_VERSION_UNKNOWN;
    if ((serials && a->serial < b->serial) || (times && a->time < b->time))
        return IPT_VERSION_OLDER;
    if ((serials && a->serial > b->serial) || (times && a->time > b->time))
        return IPT_VERSION_NEWER;
    return IPT_VERSION_SAME;
}
