/* A configuration, or a view of one, in one call. */
#include "setup.h"

ipt_config *setup_config(const char *yaml)
{
    ipt_diag diag;
    ipt_config *config = NULL;
    assert_int_equal(ipt_diag_init(&diag), IPT_OK);
    ipt_err err =
        ipt_config_parse(ipt_span_from(yaml), "c.yaml", &(ipt_config_options){.base_dir = "."}, &diag, &config);
    for (const ipt_diag_item *item = diag.first; err != IPT_OK && item != NULL; item = item->next)
        print_error("%u:%u: %s\n", item->place.line, item->place.column, item->text);
    ipt_diag_done(&diag);
    assert_int_equal(err, IPT_OK);
    return config;
}

ipt_view *setup_view(const char *yaml, int64_t now)
{
    ipt_view *view = NULL;
    assert_int_equal(ipt_view_build_take(setup_config(yaml), now, &view), IPT_OK);
    return view;
}

ipt_addr setup_addr(const char *text)
{
    ipt_addr addr;
    assert_true(ipt_addr_parse(ipt_span_from(text), &addr, NULL));
    return addr;
}

uint16_t setup_list(const ipt_view *view, const char *name)
{
    const ipt_view_list *list = ipt_view_find_list(view, ipt_span_from(name));
    assert_non_null(list);
    return (uint16_t)(list - view->lists);
}
