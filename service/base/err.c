/* The names of faults, for logs and tests. */
#include "iptrust/base/common.h"

const char *ipt_err_name(ipt_err err)
{
    switch (err) {
    case IPT_OK:
        return "IPT_OK";
    case IPT_ENOMEM:
        return "IPT_ENOMEM";
    case IPT_EIO:
        return "IPT_EIO";
    case IPT_ECONFIG:
        return "IPT_ECONFIG";
    case IPT_ELIMIT:
        return "IPT_ELIMIT";
    }
    return "IPT_UNKNOWN";
}
