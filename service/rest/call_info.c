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

void rest_call_version(rest_conn *conn)
{
    ipt_engine *engine = conn->loop->rest->engine;
    ipt_buf *out = &conn->request.work->out;
    const ipt_generation *generation = ipt_engine_acquire(engine);
    ipt_buf_addf(
        out,
        "{\"name\":\"iptrustd\",\"version\":\"%s\",\"revision\":{\"policies\":\"%s\",\"lists\":\"%s\",\"geo\":null}}",
        IPTRUST_VERSION, generation->view->policies_revision, generation->view->lists_revision);
    ipt_engine_release(engine, generation);
    rest_answer_json(conn);
}
