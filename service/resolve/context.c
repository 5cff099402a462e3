/* Headers that describe the request and never identify anyone: reported as sent (decision.md section 4, Context). */
#include "resolve_priv.h"

static ipt_span first_value(const work *w, ipt_name name)
{
    ipt_span value = {NULL, 0};
    (void)count_values(w, name, &value);
    return value;
}

void read_context(work *w)
{
    ipt_context *context = &w->out->context;
    *context = (ipt_context){
        .proto = first_value(w, IPT_NAME_X_FORWARDED_PROTO),
        .host = first_value(w, IPT_NAME_X_FORWARDED_HOST),
        .port = first_value(w, IPT_NAME_X_FORWARDED_PORT),
        .prefix = first_value(w, IPT_NAME_X_FORWARDED_PREFIX),
    };
    if (has_header(w, IPT_NAME_VIA)) {
        uint32_t count = w->headers.lines[IPT_NAME_VIA].count;
        context->via_count = count > UINT16_MAX ? UINT16_MAX : (uint16_t)count;
    }
    if (w->http_hop == NO_HOP)
        return;
    const ipt_view_list *list = &w->view->lists[w->out->chain[w->http_hop].list];
    for (size_t i = 0; i < list->vouch_count && context->vouched_count < IPT_VIEW_VOUCHES_MAX; i++)
        if (ipt_name_is_context(list->vouches[i].header))
            context->vouched[context->vouched_count++] = list->vouches[i].header;
}
