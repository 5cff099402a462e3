/* What an administrator does to a fetched list: ask its feed now, take contents that are held. */
#include <stdio.h>

#include "iptrust/engine/lists.h"
#include "iptrust/json/tape.h"
#include "rest_priv.h"

typedef struct accept_body {
    ipt_span digest;
    bool rollback;
} accept_body;

/* {"digest":"sha256:...","rollback":true}; a problem has been said when false. */
static bool read_body(rest_conn *conn, accept_body *out)
{
    ipt_arena *arena = conn->loop->arena;
    ipt_json_flaw flaw;
    ipt_tape tape;
    uint32_t twin = 0;
    ipt_arena_reset(arena);
    if (!ipt_tape_build(conn->request.body, &(ipt_tape_options){.pointer_prefix = ""}, arena, &tape, &flaw)) {
        rest_refuse(conn, IPT_PROBLEM_BAD_JSON, "", "expected {\"digest\":\"sha256:...\"}");
        return false;
    }
    if (!ipt_tape_find_twin(&tape, 0, ipt_span_compare_nocase, &twin) || twin != 0) {
        rest_refuse(conn, IPT_PROBLEM_DUPLICATE_KEY, "", "a key is there twice");
        return false;
    }
    *out = (accept_body){0};
    for (uint32_t at = 1, n = tape.items[0].n; n != 0; n--, at = tape.items[at + 1].end) {
        ipt_span key = ipt_tape_text(&tape, at);
        unsigned kind = tape.items[at + 1].kind;
        if (ipt_span_equal(key, IPT_SPAN("digest")) && kind == IPT_TAPE_STRING)
            out->digest = ipt_tape_text(&tape, at + 1);
        else if (ipt_span_equal(key, IPT_SPAN("rollback")) && (kind == IPT_TAPE_TRUE || kind == IPT_TAPE_FALSE))
            out->rollback = kind == IPT_TAPE_TRUE;
        else {
            rest_refuse(conn, IPT_PROBLEM_UNKNOWN_KEY, "", "expected digest, a string, and rollback, true or false");
            return false;
        }
    }
    if (out->digest.n == 0)
        rest_refuse(conn, IPT_PROBLEM_BAD_REQUEST, "/digest", "the digest of what is to be taken is missing");
    return out->digest.n != 0;
}

static void answer(rest_conn *conn, const char *name, const char *done, unsigned status)
{
    ipt_buf_addf(&conn->request.work->out, "{\"list\":\"%s\",\"%s\":true}\n", name, done);
    rest_answer(conn, status, "application/json");
}

static void refuse(rest_conn *conn, ipt_list_call result, const char *why)
{
    switch (result) {
    case IPT_LIST_CALL_NONE:
        rest_refuse(conn, IPT_PROBLEM_NOT_FOUND, "", "there is no fetched list of that name");
        return;
    case IPT_LIST_CALL_OFF:
        rest_refuse(conn, IPT_PROBLEM_BUSY, "", "refreshing is switched off (IPTRUST_REFRESH=off)");
        return;
    case IPT_LIST_CALL_MISSING:
        rest_refuse(conn, IPT_PROBLEM_NOT_FOUND, "", "nothing of this list waits to be accepted");
        return;
    case IPT_LIST_CALL_OTHER:
        rest_refuse(conn, IPT_PROBLEM_BAD_REQUEST, "/digest", "what waits has another digest: look at it again");
        return;
    case IPT_LIST_CALL_REFUSED:
        rest_refuse(conn, IPT_PROBLEM_BAD_REQUEST, "", "%s", why);
        return;
    case IPT_LIST_CALL_DONE:
        return;
    }
}

void rest_call_list_action(rest_conn *conn)
{
    ipt_engine *engine = conn->loop->rest->engine;
    char name[IPT_NAME_LENGTH_MAX + 1], why[256] = "";
    const char *tail = conn->request.tail, *action = strchr(tail, '/');
    accept_body body;
    size_t n = action == NULL ? 0 : (size_t)(action - tail);
    if (n == 0 || n > IPT_NAME_LENGTH_MAX || strspn(tail, "abcdefghijklmnopqrstuvwxyz0123456789_-") < n) {
        rest_refuse(conn, IPT_PROBLEM_NOT_FOUND, "", "there is nothing at this address");
        return;
    }
    (void)snprintf(name, sizeof(name), "%.*s", (int)n, tail);
    if (strcmp(action, "/refresh") == 0) {
        ipt_list_call result = ipt_engine_list_refresh(engine, name);
        if (result == IPT_LIST_CALL_DONE)
            answer(conn, name, "asked", MHD_HTTP_ACCEPTED);
        else
            refuse(conn, result, why);
    } else if (strcmp(action, "/accept") == 0) {
        if (!read_body(conn, &body))
            return;
        ipt_list_call result = ipt_engine_list_accept(engine, name, body.digest, body.rollback, why);
        if (result == IPT_LIST_CALL_DONE)
            answer(conn, name, "accepted", MHD_HTTP_OK);
        else
            refuse(conn, result, why);
    } else
        rest_refuse(conn, IPT_PROBLEM_NOT_FOUND, "", "there is nothing at this address");
}
