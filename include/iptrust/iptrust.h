/* All of libiptrust in one include: the decision, what it is made from, and its spellings as JSON, text and HTML. Begin
 * with docs/LIBRARY.md. Each header may also be included alone, in C; C++ programs include this one. */
#ifndef IPTRUST_IPTRUST_H
#define IPTRUST_IPTRUST_H

/* Foreign headers first: in C++ they bring their own linkage. */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#include "iptrust/base/arena.h"
#include "iptrust/base/buf.h"
#include "iptrust/base/common.h"
#include "iptrust/base/diag.h"
#include "iptrust/base/show.h"
#include "iptrust/base/span.h"

#include "iptrust/net/addr.h"
#include "iptrust/net/lpm.h"
#include "iptrust/net/prefix.h"

#include "iptrust/geo/facts.h"
#include "iptrust/geo/geo.h"

#include "iptrust/wire/entry.h"
#include "iptrust/wire/forwarded.h"
#include "iptrust/wire/list_line.h"
#include "iptrust/wire/names.h"
#include "iptrust/wire/proxy.h"

#include "iptrust/ranges/accept.h"
#include "iptrust/ranges/feed.h"
#include "iptrust/ranges/prefix_set.h"
#include "iptrust/ranges/provider.h"
#include "iptrust/ranges/record.h"
#include "iptrust/ranges/text.h"
#include "iptrust/ranges/update.h"

#include "iptrust/config/config.h"
#include "iptrust/config/diag_print.h"
#include "iptrust/config/schema.h"

#include "iptrust/view/view.h"

#include "iptrust/resolve/decision.h"
#include "iptrust/resolve/request.h"
#include "iptrust/resolve/resolve.h"

#include "iptrust/codec/json.h"
#include "iptrust/codec/problem.h"

#include "iptrust/explain/explain.h"
#include "iptrust/explain/export.h"

#ifdef __cplusplus
}
#endif

#endif
