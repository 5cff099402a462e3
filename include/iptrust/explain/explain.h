/* A decision as a picture that people like to look at: the chain from the service outwards, the verdict, list and
 * prefix at each hop, what was ignored and why, and what to write into the configuration when a balancer is missing. */
#ifndef IPTRUST_EXPLAIN_EXPLAIN_H
#define IPTRUST_EXPLAIN_EXPLAIN_H

#include "iptrust/base/buf.h"
#include "iptrust/resolve/resolve.h"

typedef struct ipt_explain_style {
    bool colour;    /* ANSI escapes; text alone */
    bool unicode;   /* box drawing; else ASCII */
    unsigned width; /* columns; 0: 100 */
} ipt_explain_style;

/* All request text is escaped to printable ASCII: nothing a client wrote can reach a terminal or a page as code. */
void ipt_explain_text(ipt_buf *out, const ipt_decision *decision, ipt_explain_style style);
/* A whole HTML page without scripts or outside resources; fits a Content-Security-Policy of default-src 'none' with one
 * inline style allowed by its hash, which ipt_explain_csp() states. */
void ipt_explain_html(ipt_buf *out, const ipt_decision *decision);
const char *ipt_explain_csp(void);

#endif
