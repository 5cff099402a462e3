/* Lists for people and for other programs: one list as text, JSON or the configuration of a proxy, and all lists as
 * JSON. One spelling for `iptrust lists` and for GET /v1/lists of the admin listener. */
#ifndef IPTRUST_EXPLAIN_EXPORT_H
#define IPTRUST_EXPLAIN_EXPORT_H

#include "iptrust/base/buf.h"
#include "iptrust/view/view.h"

/* Zero is the one that carries everything. */
typedef enum ipt_export_format {
    IPT_EXPORT_JSON = 0, /* everything known of the list and its prefixes */
    IPT_EXPORT_TEXT,     /* one prefix a line; what `file:` of a list reads */
    IPT_EXPORT_NGINX,    /* set_real_ip_from, to be included in http, server or location */
    IPT_EXPORT_APACHE,   /* RemoteIPInternalProxy for an internal list, else RemoteIPTrustedProxy */
    IPT_EXPORT_HAPROXY,  /* a pattern file: acl NAME src -f FILE */
    IPT_EXPORT_ENVOY,    /* YAML of the XFF original-IP detection extension, for an HTTP connection manager */
    IPT_EXPORT_FORMATS,
} ipt_export_format;

const char *ipt_export_format_name(ipt_export_format format); /* "nginx" */
const char *ipt_export_format_names(void);                    /* "json, text, nginx, ...", for messages */
const char *ipt_export_content_type(ipt_export_format format);
IPT_MUST_USE bool ipt_export_format_find(ipt_span name, ipt_export_format *out);

/* Who knows more of a list than its view: writes `"last_result":...,"pending":...`. whole: with the difference of what
 * is pending. NULL in the calls below: both are null. */
typedef struct ipt_export_state {
    void (*write)(void *context, ipt_buf *out, const char *list, bool whole);
    void *context;
} ipt_export_state;

/* list is one of view's. Egress prefixes are never hops, so the formats for other programs leave them out. False, and
 * nothing written, when the format is unknown; an empty format is json. */
IPT_MUST_USE bool ipt_export_list(ipt_buf *out, const ipt_view *view, const ipt_view_list *list, ipt_span format,
                                  const ipt_export_state *state);

/* {"lists":[...]}: what the JSON of each list says, without its prefixes, in the order of their names. */
void ipt_export_lists(ipt_buf *out, const ipt_view *view, const ipt_export_state *state);

#endif
