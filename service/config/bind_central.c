/* Where lists and policies come from when they come from elsewhere, and whether ours are handed on. Keys are texts
 * here: what they mean is judged by who uses them (ipt_engine_check_central). */
#include "bind.h"
#include "iptrust/base/show.h"

static void bind_url(ipt_bind *b, const ipt_node *node, ipt_central_spec *out)
{
    const ipt_node *url = ipt_bind_node(node, "central.url"), *ca = ipt_bind_node(node, "central.ca");
    out->url = ipt_bind_string(b, node, "central.url");
    out->ca = ipt_bind_path(b, node, "central.ca");
    if (url != NULL && !ipt_bind_is_url(url->text))
        ipt_diag_add(b->diag, IPT_ERROR, url->place, "expected an https URL, or http to 127.0.0.1 or [::1]");
    if (ca != NULL && url == NULL)
        ipt_diag_add(b->diag, IPT_WARNING, ca->key->place, "ca is for url and has no effect here");
}

static void bind_login(ipt_bind *b, const ipt_node *node, ipt_central_spec *out)
{
    const ipt_node *user = ipt_bind_node(node, "central.etcd.user");
    const ipt_node *file = ipt_bind_node(node, "central.etcd.password_file");
    out->user = ipt_bind_string(b, node, "central.etcd.user");
    const char *path = ipt_bind_path(b, node, "central.etcd.password_file");
    if ((user == NULL) != (file == NULL))
        ipt_diag_add(b->diag, IPT_ERROR, node->place, "user and password_file go together");
    if (path != NULL)
        ipt_bind_secret(b, path, file, &out->password);
}

static void bind_etcd(ipt_bind *b, const ipt_node *node, ipt_central_spec *out)
{
    const ipt_node *endpoints = ipt_bind_node(node, "central.etcd.endpoints");
    out->etcd = true;
    out->endpoints = ipt_bind_strings(b, node, "central.etcd.endpoints", &out->endpoint_count);
    out->key = ipt_bind_string(b, node, "central.etcd.key");
    out->ca = ipt_bind_path(b, node, "central.etcd.ca");
    if (out->endpoint_count == 0)
        ipt_diag_add(b->diag, IPT_ERROR, node->place, "etcd needs endpoints");
    if (!ipt_bind_has(node, "central.etcd.key"))
        ipt_diag_add(b->diag, IPT_ERROR, node->place, "etcd needs key");
    for (const ipt_node *item = endpoints == NULL ? NULL : endpoints->first; item != NULL; item = item->next)
        if (!item->bad && !ipt_bind_is_url(item->text))
            ipt_diag_add(b->diag, IPT_ERROR, item->place, "expected an https URL, or http to 127.0.0.1 or [::1]");
    bind_login(b, node, out);
}

static void bind_trust(ipt_bind *b, const ipt_node *node, ipt_central_spec *out)
{
    const ipt_node *keys = ipt_bind_node(node, "central.public_keys");
    out->public_keys = ipt_bind_strings(b, node, "central.public_keys", &out->public_key_count);
    out->is_unsigned = ipt_bind_bool(node, "central.unsigned");
    out->allow_dangerous = ipt_bind_bool(node, "central.allow_dangerous");
    out->min_serial = ipt_bind_integer(node, "central.min_serial");
    out->place = keys == NULL ? node->place : keys->place;
    if (out->public_key_count == 0 && !out->is_unsigned && !ipt_bind_has(node, "central.public_keys"))
        ipt_diag_add(b->diag, IPT_ERROR, node->place,
                     "central needs public_keys, or unsigned: true to take what nobody has signed");
    else if (out->public_key_count == 0 && !out->is_unsigned && keys != NULL)
        ipt_diag_add(b->diag, IPT_ERROR, keys->place, "public_keys is empty: nothing could be taken");
    if (out->is_unsigned)
        ipt_diag_add(b->diag, IPT_WARNING, ipt_node_get(node, "unsigned")->place,
                     "unsigned: whoever can write the document decides whom we trust");
}

void ipt_bind_central(ipt_bind *b)
{
    const ipt_node *node = ipt_bind_node(b->root, "central");
    const ipt_node *serve = ipt_bind_node(b->root, "serve_central");
    if (node != NULL) {
        ipt_central_spec *out = ipt_bind_alloc(b, 1, sizeof(*out));
        const ipt_node *etcd = ipt_bind_node(node, "central.etcd"), *url = ipt_node_get(node, "url");
        if (out == NULL)
            return;
        b->config->central = out;
        out->interval_ms = ipt_bind_duration_ms(node, "central.interval");
        if (url != NULL && ipt_node_get(node, "etcd") != NULL)
            ipt_diag_add(b->diag, IPT_ERROR, url->key->place, "url besides etcd: there is one central place");
        else if (url == NULL && ipt_node_get(node, "etcd") == NULL)
            ipt_diag_add(b->diag, IPT_ERROR, node->place, "central needs url or etcd");
        bind_url(b, node, out);
        if (etcd != NULL)
            bind_etcd(b, etcd, out);
        bind_trust(b, node, out);
    }
    if (serve == NULL)
        return;
    const ipt_node *file = ipt_bind_node(serve, "serve_central.signing_key_file");
    b->config->signing_key_file = ipt_bind_path(b, serve, "serve_central.signing_key_file");
    b->config->signing_key_place = file == NULL ? serve->place : file->place;
    if (!ipt_bind_has(serve, "serve_central.signing_key_file"))
        ipt_diag_add(b->diag, IPT_ERROR, serve->place, "serve_central needs signing_key_file");
}
