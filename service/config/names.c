/* The words of the configuration's enums. */
#include "iptrust/config/config.h"

const char *ipt_list_source_name(ipt_list_source source)
{
    switch (source) {
    case IPT_SOURCE_BY_HAND:
        return "prefixes";
    case IPT_SOURCE_FILE:
        return "file";
    case IPT_SOURCE_URL:
        return "url";
    case IPT_SOURCE_PROVIDER:
        return "provider";
    case IPT_SOURCE_UNIX:
        return "unix";
    }
    return "prefixes";
}

const char *ipt_mode_name(ipt_mode mode)
{
    switch (mode) {
    case IPT_MODE_ANNOTATE:
        return "annotate";
    case IPT_MODE_ENFORCE:
        return "enforce";
    case IPT_MODE_SHADOW:
        return "shadow";
    }
    return "annotate";
}

const char *ipt_level_name(ipt_level level)
{
    switch (level) {
    case IPT_LEVEL_NONE:
        return "none";
    case IPT_LEVEL_LOW:
        return "low";
    case IPT_LEVEL_MEDIUM:
        return "medium";
    case IPT_LEVEL_HIGH:
        return "high";
    case IPT_LEVEL_AUTHENTICATED:
        return "authenticated";
    }
    return "none";
}

unsigned ipt_level_score(ipt_level level)
{
    switch (level) {
    case IPT_LEVEL_NONE:
        return 0;
    case IPT_LEVEL_LOW:
        return 25;
    case IPT_LEVEL_MEDIUM:
        return 55;
    case IPT_LEVEL_HIGH:
        return 80;
    case IPT_LEVEL_AUTHENTICATED:
        return 95;
    }
    return 0;
}
