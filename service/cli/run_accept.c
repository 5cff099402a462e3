/* iptrust lists accept NAME: shows what is held of a list and takes it, at a daemon or as lines for a configuration. */
#include <stdio.h>
#include <stdlib.h>
#include <yajl/yajl_tree.h>

#include "cli_priv.h"

static const char admin_socket[] = "unix:/run/iptrustd/admin.sock";

static const char *text_at(yajl_val tree, const char *outer, const char *inner)
{
    const char *path[] = {outer, inner, NULL};
    yajl_val value = yajl_tree_get(tree, path, yajl_t_string);
    return value == NULL ? NULL : YAJL_GET_STRING(value);
}

/* On standard error, because with --print standard output is for a file. */
static void show_difference(yajl_val tree, const char *name)
{
    const char *path[] = {"pending", "difference", NULL};
    const char *detail = text_at(tree, "pending", "detail");
    yajl_val lines = yajl_tree_get(tree, path, yajl_t_array);
    fprintf(stderr, "%s: %s\n", name, detail == NULL ? "an update is held" : detail);
    for (size_t i = 0; lines != NULL && i < lines->u.array.len; i++) {
        const char *line = YAJL_GET_STRING(lines->u.array.values[i]);
        fprintf(stderr, "  %s\n", line == NULL ? "" : line);
    }
}

static ipt_exit post(ipt_remote *remote, const ipt_options *options, const char *name, const char *digest)
{
    ipt_auto(ipt_buf) body = {0};
    ipt_auto(ipt_buf) out = {0};
    char path[IPT_NAME_LENGTH_MAX + 32];
    long status = 0;
    ipt_buf_adds(&body, "{\"digest\":");
    ipt_json_write_string(&body, ipt_span_from(digest));
    ipt_buf_adds(&body, options->rollback ? ",\"rollback\":true}" : "}");
    (void)snprintf(path, sizeof(path), "/v1/lists/%s/accept", name);
    ipt_span text = ipt_buf_span(&body);
    if (body.failed || !ipt_remote_call(remote, path, &text, NULL, &out, &status))
        return IPT_EXIT_UNANSWERED;
    if (status != 200) {
        ipt_show_problem(ipt_buf_span(&out), "");
        return IPT_EXIT_UNANSWERED;
    }
    printf("%s: accepted %s\n", name, digest);
    return IPT_EXIT_ANSWERED;
}

static ipt_exit accept_pending(ipt_remote *remote, const ipt_options *options, const char *name, yajl_val tree)
{
    const char *digest = text_at(tree, "pending", "digest");
    if (digest == NULL) {
        ipt_complain("nothing of list `%s` waits to be accepted", name);
        return IPT_EXIT_UNANSWERED;
    }
    show_difference(tree, name);
    if (!options->print)
        return post(remote, options, name, digest);
    printf("lists:\n  %s:\n    accept: {digest: \"%s\"}\n", name, digest);
    return IPT_EXIT_ANSWERED;
}

ipt_exit ipt_run_accept(const ipt_options *options, const char *name)
{
    ipt_auto(ipt_remote) *remote = NULL;
    ipt_auto(ipt_buf) out = {0};
    char path[IPT_NAME_LENGTH_MAX + 16], why[200] = "";
    long status = 0;
    if (options->config != NULL) {
        ipt_complain("accept asks a daemon: name its admin listener with --server, not a configuration");
        return IPT_EXIT_USAGE;
    }
    if (!ipt_remote_open(options->server == NULL ? admin_socket : options->server, options->token_file, &remote))
        return IPT_EXIT_USAGE;
    (void)snprintf(path, sizeof(path), "/v1/lists/%s", name);
    if (!ipt_remote_call(remote, path, NULL, NULL, &out, &status))
        return IPT_EXIT_UNANSWERED;
    if (status != 200) {
        ipt_show_problem(ipt_buf_span(&out), "");
        return IPT_EXIT_UNANSWERED;
    }
    ipt_buf_addc(&out, '\0');
    yajl_val tree = out.failed ? NULL : yajl_tree_parse(out.p, why, sizeof(why));
    if (tree == NULL) {
        ipt_complain("the answer is no JSON");
        return IPT_EXIT_UNANSWERED;
    }
    ipt_exit result = accept_pending(remote, options, name, tree);
    yajl_tree_free(tree);
    return result;
}
