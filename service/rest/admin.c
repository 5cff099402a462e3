/* Management: what is in force, and reloading it. On a Unix socket the socket's mode decides who may; on TCP a token.
 */
#include "rest_priv.h"

#include <stdio.h>

#include "iptrust/engine/lists.h"
#include "iptrust/explain/export.h"

/* The file's contents without one final line end, as everywhere with secrets. */
bool rest_token_read(const char *path, ipt_buf *out)
{
    char token[1024];
    FILE *file = path == NULL ? NULL : fopen(path, "re");
    if (file == NULL)
        return false;
    size_t n = fread(token, 1, sizeof(token), file);
    (void)fclose(file);
    if (n != 0 && token[n - 1] == '\n')
        n--;
    if (n != 0 && token[n - 1] == '\r')
        n--;
    ipt_buf_add(out, (ipt_span){token, n});
    explicit_bzero(token, sizeof(token));
    return n != 0 && !out->failed;
}

void rest_token_forget(ipt_buf *token)
{
    if (token->p != NULL)
        explicit_bzero(token->p, token->n);
    ipt_buf_done(token);
}

static void swap_token(ipt_rest *rest, ipt_buf *token, ipt_buf fresh)
{
    (void)pthread_mutex_lock(&rest->token_lock);
    ipt_buf old = *token;
    *token = fresh;
    (void)pthread_mutex_unlock(&rest->token_lock);
    rest_token_forget(&old);
}

/* Rotation: a file that cannot be read must neither lock who knows the token out nor open the door. */
static void renew(ipt_rest *rest, ipt_buf *token, const char *path, const char *key, const char *file, ipt_diag *diag)
{
    ipt_buf fresh = {0};
    if (rest_token_read(path, &fresh)) {
        swap_token(rest, token, fresh);
        return;
    }
    rest_token_forget(&fresh);
    ipt_diag_add(diag, IPT_WARNING, (ipt_place){.file = file},
                 "%s cannot be read or is empty: the token read before stays", key);
}

void rest_token_renew(void *context, const ipt_config *config, ipt_diag *diag)
{
    ipt_rest *rest = context;
    /* A Unix socket has no token, and listeners change at the next start alone. */
    if (rest->token.n != 0 && config->admin.token_file != NULL)
        renew(rest, &rest->token, config->admin.token_file, "admin.token_file", config->file, diag);
    if (config->auth_token_file != NULL)
        renew(rest, &rest->auth_token, config->auth_token_file, "auth.token_file", config->file, diag);
    else
        swap_token(rest, &rest->auth_token, (ipt_buf){0});
}

bool rest_admin_may(rest_conn *conn)
{
    static const ipt_span scheme = {"Bearer ", 7};
    ipt_rest *rest = conn->loop->rest;
    ipt_span given = conn->request.facts.authorization;
    if (conn->is_unix)
        return true;
    if (given.n <= scheme.n || !ipt_span_equal_nocase((ipt_span){given.p, scheme.n}, scheme))
        return false;
    ipt_span secret = {given.p + scheme.n, given.n - scheme.n};
    (void)pthread_mutex_lock(&rest->token_lock);
    bool may = rest->token.n != 0 && ipt_span_equal_secret(secret, ipt_buf_span(&rest->token));
    (void)pthread_mutex_unlock(&rest->token_lock);
    return may;
}

void rest_call_lists(rest_conn *conn)
{
    ipt_engine *engine = conn->loop->rest->engine;
    const ipt_generation *generation = ipt_engine_acquire(engine);
    const ipt_export_state state = {.write = ipt_engine_list_write, .context = engine};
    ipt_export_lists(&conn->request.work->out, generation->view, &state);
    ipt_engine_release(engine, generation);
    rest_answer_json(conn);
}

void rest_call_list(rest_conn *conn)
{
    ipt_engine *engine = conn->loop->rest->engine;
    const char *wanted = MHD_lookup_connection_value(conn->request.mhd, MHD_GET_ARGUMENT_KIND, "format");
    ipt_export_format format = IPT_EXPORT_JSON;
    if (wanted != NULL && !ipt_export_format_find(ipt_span_from(wanted), &format)) {
        rest_refuse(conn, IPT_PROBLEM_BAD_REQUEST, "", "format is one of %s", ipt_export_format_names());
        return;
    }
    const ipt_export_state state = {.write = ipt_engine_list_write, .context = engine};
    const ipt_generation *generation = ipt_engine_acquire(engine);
    const ipt_view_list *list = ipt_view_find_list(generation->view, ipt_span_from(conn->request.tail));
    if (list == NULL)
        rest_refuse(conn, IPT_PROBLEM_NOT_FOUND, "", "there is no list of that name");
    else if (ipt_export_list(&conn->request.work->out, generation->view, list,
                             ipt_span_from(ipt_export_format_name(format)), &state))
        rest_answer(conn, MHD_HTTP_OK, ipt_export_content_type(format));
    else
        rest_refuse(conn, IPT_PROBLEM_INTERNAL, "", "the list could not be written");
    ipt_engine_release(engine, generation);
}

void rest_call_policies(rest_conn *conn)
{
    ipt_engine *engine = conn->loop->rest->engine;
    const ipt_generation *generation = ipt_engine_acquire(engine);
    ipt_engine_write_policies(&conn->request.work->out, generation->view);
    ipt_engine_release(engine, generation);
    rest_answer(conn, MHD_HTTP_OK, "application/json");
}

void rest_call_config(rest_conn *conn)
{
    ipt_engine *engine = conn->loop->rest->engine;
    const ipt_generation *generation = ipt_engine_acquire(engine);
    ipt_engine_write_config(&conn->request.work->out, generation->view->config);
    ipt_engine_release(engine, generation);
    rest_answer(conn, MHD_HTTP_OK, "application/json");
}

static void write_complaints(ipt_buf *out, const ipt_diag *diag)
{
    const char *between = "";
    for (const ipt_diag_item *item = diag->first; item != NULL; item = item->next) {
        ipt_buf_adds(out, between);
        between = ",";
        ipt_buf_adds(out, "{\"file\":");
        if (item->place.file == NULL)
            ipt_buf_adds(out, "null");
        else
            ipt_json_write_string(out, ipt_span_from(item->place.file));
        ipt_buf_addf(out, ",\"line\":%u,\"column\":%u,\"severity\":\"%s\",\"detail\":", item->place.line,
                     item->place.column, item->severity == IPT_ERROR ? "error" : "warning");
        ipt_json_write_string(out, ipt_span_from(item->text));
        ipt_buf_addc(out, '}');
    }
}

static void write_reloaded(ipt_buf *out, const ipt_reload_result *result)
{
    ipt_buf_adds(out, "{\"revision\":");
    rest_write_revision(out, result->policies_revision, result->lists_revision,
                        result->geo_revision[0] == '\0' ? NULL : result->geo_revision);
    ipt_buf_adds(out, ",\"warnings\":[");
    write_complaints(out, result->diag);
    ipt_buf_adds(out, "]}\n");
}

/* A problem with the complaints of the configuration as its errors. */
static void write_refused(ipt_buf *out, const ipt_reload_result *result)
{
    ipt_problem_code code = result->err == IPT_ECONFIG ? IPT_PROBLEM_BAD_CONFIG : IPT_PROBLEM_INTERNAL;
    ipt_buf_addf(out, "{\"type\":\"urn:iptrust:problem:%s\",\"title\":", ipt_problem_name(code));
    ipt_json_write_string(out, ipt_span_from(ipt_problem_title(code)));
    ipt_buf_addf(out, ",\"status\":%u,\"detail\":\"the configuration in force stays\",\"code\":\"%s\",\"errors\":[",
                 ipt_problem_status(code), ipt_problem_name(code));
    write_complaints(out, result->diag);
    ipt_buf_adds(out, "]}\n");
}

/* By the reloading thread, while the connection is suspended and nobody else touches it. */
static void reloaded(void *context, const ipt_reload_result *result)
{
    rest_conn *conn = context;
    rest_request *request = &conn->request;
    ipt_buf *out = &request->work->out;
    if (result->ok)
        write_reloaded(out, result);
    else
        write_refused(out, result);
    request->status =
        result->ok ? MHD_HTTP_OK
                   : ipt_problem_status(result->err == IPT_ECONFIG ? IPT_PROBLEM_BAD_CONFIG : IPT_PROBLEM_INTERNAL);
    request->content_type = result->ok ? "application/json" : "application/problem+json";
    request->result =
        result->ok ? 0 : (result->err == IPT_ECONFIG ? IPT_PROBLEM_BAD_CONFIG : IPT_PROBLEM_INTERNAL) + 1U;
    request->answered = true;
    MHD_resume_connection(request->mhd);
}

void rest_call_reload(rest_conn *conn)
{
    rest_request *request = &conn->request;
    /* Suspended before it is asked for: the other thread may be done before the call returns. */
    rest_conn_phase(conn, PHASE_WAITING);
    MHD_suspend_connection(request->mhd);
    if (ipt_engine_reload_wait(conn->loop->rest->engine, reloaded, conn))
        return;
    rest_refuse(conn, IPT_PROBLEM_BUSY, "", "a reload is under way");
    MHD_resume_connection(request->mhd);
}
