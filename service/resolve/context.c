/* Headers that describe the request and never identify anyone: reported as sent (decision.md section 4, Context). */
#include "resolve_priv.h"

static ipt_span first_value(const work *w, ipt_name name)
{
    ipt_span value = {NULL, 0};
    (void)count_values(w, name, &value);
    return value;
}

static void read_values(const work *w, ipt_context *context)
{
    context->proto = first_value(w, IPT_NAME_X_FORWARDED_PROTO);
    context->host = first_value(w, IPT_NAME_X_FORWARDED_HOST);
    context->port = first_value(w, IPT_NAME_X_FORWARDED_PORT);
    context->prefix = first_value(w, IPT_NAME_X_FORWARDED_PREFIX);
    if (has_header(w, IPT_NAME_VIA)) {
        uint32_t count = w->headers.lines[IPT_NAME_VIA].count;
        context->via_count = count > UINT16_MAX ? UINT16_MAX : (uint16_t)count;
    }
}

void read_context(work *w)
{
    ipt_context *context = &w->out->context;
    const ipt_span none = {NULL, 0};
    context->proto = context->host = context->port = context->prefix = none;
    context->via_count = 0;
    context->vouched_count = 0;
    if ((w->headers.present[0] & names_up_to(IPT_NAME_LAST_CONTEXT) & ~names_up_to(IPT_NAME_LAST_ADDRESS)) != 0)
        read_values(w, context);
    if (w->http_hop == NO_HOP)
        return;
    const ipt_view_list *list = &w->view->lists[w->out->chain[w->http_hop].list];
    for (size_t i = 0; i < list->vouch_count && context->vouched_count < IPT_VIEW_VOUCHES_MAX; i++)
        if (ipt_name_is_context(list->vouches[i].header))
            context->vouched[context->vouched_count++] = list->vouches[i].header;
}
