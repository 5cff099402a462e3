/* Calls that decide nothing: one address looked up, the version. */
#include "rest_priv.h"

void rest_call_lookup(rest_conn *conn)
{
    ipt_engine *engine = conn->loop->rest->engine;
    ipt_addr addr;
    if (!ipt_addr_parse(ipt_span_from(conn->request.tail), &addr, NULL)) {
        rest_refuse(conn, IPT_PROBLEM_BAD_REQUEST, "", "the path does not end in an address");
        return;
    }
    const ipt_generation *generation = ipt_engine_acquire(engine);
    ipt_json_write_address(&conn->request.work->out, generation->view, addr);
    ipt_engine_release(engine, generation);
    rest_answer_json(conn);
}

void rest_write_revision(ipt_buf *out, const char *policies, const char *lists, const char *geo)
{
    const char *quote = geo == NULL ? "" : "\"";
    ipt_buf_addf(out, "{\"policies\":\"%s\",\"lists\":\"%s\",\"geo\":%s%s%s}", policies, lists, quote,
                 geo == NULL ? "null" : geo, quote);
}

static void write_databases(ipt_buf *out, const ipt_geo *geo)
{
    ipt_buf_adds(out, ",\"geo\":[");
    for (size_t i = 0; i < ipt_geo_count(geo); i++) {
        ipt_geo_file file = ipt_geo_file_at(geo, i);
        char built[IPT_CLOCK_TEXT];
        ipt_buf_addf(out, "%s{\"name\":\"%s\",\"loaded\":%s,\"state\":\"%s\"", i == 0 ? "" : ",", file.name,
                     file.loaded ? "true" : "false", ipt_geo_refusal_text(file.refusal));
        if (file.loaded) {
            ipt_clock_format(file.built, built);
            ipt_buf_addf(out, ",\"type\":\"%s\",\"built\":\"%s\",\"attribution\":", file.type, built);
            if (file.attribution == NULL)
                ipt_buf_adds(out, "null");
            else
                ipt_json_write_string(out, ipt_span_from(file.attribution));
        }
        ipt_buf_addc(out, '}');
    }
    ipt_buf_addc(out, ']');
}

void rest_call_version(rest_conn *conn)
{
    ipt_engine *engine = conn->loop->rest->engine;
    ipt_buf *out = &conn->request.work->out;
    const ipt_generation *generation = ipt_engine_acquire(engine);
    ipt_buf_addf(out, "{\"name\":\"iptrustd\",\"version\":\"%s\",\"revision\":", IPTRUST_VERSION);
    rest_write_revision(out, generation->view->policies_revision, generation->view->lists_revision,
                        ipt_geo_revision(generation->view->geo));
    write_databases(out, generation->view->geo);
    ipt_central_state central = ipt_engine_central(engine);
    ipt_buf_adds(out, ",\"central\":");
    rest_write_central(out, &central, false);
    ipt_buf_addc(out, '}');
    ipt_engine_release(engine, generation);
    rest_answer_json(conn);
}
