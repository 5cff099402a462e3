/* Tells when one of some files has been written to its end, renamed into place, or swapped by Kubernetes' `..data`
 * link. A storm of events is one call. By inotify, on a thread of its own. */
#ifndef IPTRUST_FETCH_WATCH_H
#define IPTRUST_FETCH_WATCH_H

#include "iptrust/base/common.h"

enum {
    IPT_WATCH_QUIET_MS = 100,     /* told when nothing has happened for so long ... */
    IPT_WATCH_PATIENCE_MS = 1000, /* ... or so long after the first event */
    IPT_WATCH_RETRY_MS = 2000,    /* a directory that is gone is looked for so often */
    IPT_WATCH_PATHS_MAX = 4200,
};

typedef struct ipt_watch ipt_watch;
typedef void ipt_watch_changed(void *context); /* by the watching thread */

IPT_MUST_USE ipt_err ipt_watch_new(ipt_watch_changed *changed, void *context, ipt_watch **out);
/* Joins the thread: afterwards nobody is told any more. */
void ipt_watch_free(ipt_watch *watch);
IPT_DEFINE_CLEANUP(ipt_watch, ipt_watch_free)

/* From now on these, files or directories; of a directory every name counts that ends in .yaml or .yml. Copied. Links
 * are followed as they lead now, so call it again after each change. */
IPT_MUST_USE ipt_err ipt_watch_set(ipt_watch *watch, const char *const *paths, size_t count);

#endif
