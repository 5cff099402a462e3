/* Answers computed here, from a configuration and without a daemon. Whoever runs this program chose the configuration,
 * so that the caller class is `trusted` and every policy may be named. */
#include "cli_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "iptrust/config/diag_print.h"

static void complain_of_config(const char *path, ipt_err err, const ipt_diag *diag)
{
    ipt_auto(ipt_buf) text = {0};

    if (diag->errors == 0) {
        ipt_complain("cannot read the configuration %s: %s", path == NULL ? "" : path,
                     err == IPT_ENOMEM ? "no memory" : strerror(errno));
        return;
    }
    for (const ipt_diag_item *item = diag->first; item != NULL; item = item->next) {
        if (item->severity != IPT_ERROR)
            continue;
        if (item->place.file != NULL && item->place.line != 0)
            ipt_buf_addf(&text, "%s:%u:%u: ", item->place.file, item->place.line, item->place.column);
        else if (item->place.file != NULL)
            ipt_buf_addf(&text, "%s: ", item->place.file);
        ipt_buf_addf(&text, "error: %s\n", item->text);
    }
    (void)fwrite(text.p, 1, text.n, stderr);
}

ipt_err ipt_local_view(ipt_config **config_take, ipt_diag *diag, ipt_view **out)
{
    const ipt_config *config = *config_take;
    ipt_auto(ipt_geo) *geo = NULL;
    ipt_err err = IPT_OK;
    if (config->geo_file_count != 0)
        err = ipt_geo_open(config->geo_files, config->geo_file_count, NULL, &geo);
    if (err == IPT_OK)
        ipt_view_check_geo(config, geo, diag);
    if (err == IPT_OK && diag->errors != 0)
        err = IPT_ECONFIG;
    if (err == IPT_OK)
        err = ipt_view_build_take(*config_take, (int64_t)time(NULL), out);
    if (err != IPT_OK)
        return err;
    *config_take = NULL; /* the view has it */
    ipt_view_set_geo(*out, geo);
    return IPT_OK;
}

static void complain_of_geo(const ipt_geo *geo)
{
    for (size_t i = 0; i < ipt_geo_count(geo); i++) {
        ipt_geo_file file = ipt_geo_file_at(geo, i);
        if (!file.loaded)
            ipt_complain("warning: geo file %s %s", file.path, ipt_geo_refusal_text(file.refusal));
    }
}

ipt_exit ipt_local_open(const char *config, ipt_local *out)
{
    const ipt_config_options options = {0};
    ipt_auto(ipt_config) *loaded = NULL;
    ipt_diag diag = {0};

    ipt_err err = ipt_diag_init(&diag);
    if (err == IPT_OK)
        err = ipt_config_load(config, &options, &diag, &loaded);
    if (err == IPT_OK)
        err = ipt_local_view(&loaded, &diag, &out->view);
    if (err != IPT_OK)
        complain_of_config(config, err, &diag);
    else
        complain_of_geo(out->view->geo);
    ipt_diag_done(&diag);
    return err == IPT_OK ? IPT_EXIT_ANSWERED : IPT_EXIT_USAGE;
}

void ipt_local_close(ipt_local *local)
{
    ipt_view_free(local->view);
    local->view = NULL;
}

static const ipt_policy *find_policy(const ipt_view *view, ipt_span name, ipt_problem *problem)
{
    ipt_span wanted = name.p == NULL ? IPT_SPAN("default") : name;
    const ipt_policy *policy = ipt_view_find_policy(view, wanted);
    ipt_auto(ipt_buf) known = {0};

    if (policy != NULL)
        return policy;
    for (size_t i = 0; i < view->policy_count; i++)
        ipt_buf_addf(&known, "%s%s", i == 0 ? "" : ", ", view->policies[i].spec->name);
    ipt_problem_set(problem, IPT_PROBLEM_UNKNOWN_POLICY, "/policy",
                    "the configuration has no policy of that name; it has: %.*s", (int)known.n,
                    known.n == 0 ? "none" : known.p);
    return NULL;
}

static void write_answer(ipt_buf *out, const ipt_decision *decision, const ipt_call *call, ipt_form form,
                         ipt_explain_style style)
{
    switch (form) {
    case IPT_FORM_JSON:
        ipt_json_write_decision(out, decision, call);
        ipt_buf_addc(out, '\n');
        break;
    case IPT_FORM_TEXT:
        ipt_explain_text(out, decision, style);
        break;
    case IPT_FORM_HTML:
        ipt_explain_html(out, decision);
        break;
    }
}

static bool answer(const ipt_view *view, ipt_span request, ipt_arena *arena, ipt_decision *decision, ipt_form form,
                   ipt_explain_style style, ipt_buf *out)
{
    ipt_problem problem = {0};
    ipt_proxy_result why = IPT_PROXY_OK;
    ipt_call call = {0};

    bool ok = ipt_json_read_request(request, "", arena, &call, &problem);
    const ipt_policy *policy = ok ? find_policy(view, call.policy, &problem) : NULL;
    if (policy != NULL) {
        call.request.caller = IPT_CALLER_TRUSTED;
        if (ipt_resolve(view, policy, &call.request, IPT_DETAIL_FULL, decision, &why) == IPT_REFUSAL_NONE) {
            write_answer(out, decision, &call, form, style);
            return true;
        }
        ipt_problem_set(&problem, IPT_PROBLEM_BAD_PROXY_PROTOCOL, "/proxy_protocol", "%s", ipt_proxy_result_text(why));
    }
    ipt_problem_write_json(out, &problem, ok ? call.request_id : (ipt_span){0});
    return false;
}

bool ipt_local_answer(const ipt_local *local, ipt_span request, ipt_form form, ipt_explain_style style, ipt_buf *out)
{
    ipt_auto(ipt_arena) *arena = NULL;
    ipt_decision *decision = calloc(1, sizeof(*decision));
    bool ok = false;

    if (decision != NULL && ipt_arena_new(65536, 0, &arena) == IPT_OK)
        ok = answer(local->view, request, arena, decision, form, style, out);
    else
        out->failed = true;
    free(decision);
    return ok && !out->failed;
}
