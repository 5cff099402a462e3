/* The files of TLS as part of checking a configuration, before anything listens. */
#include "iptrust/tls/tls.h"

static ipt_place place_of(const ipt_listener_spec *spec, ipt_tls_file file)
{
    switch (file) {
    case IPT_TLS_CERT:
        return spec->tls_cert_place;
    case IPT_TLS_KEY:
        return spec->tls_key_place;
    case IPT_TLS_CLIENT_CA:
        break;
    }
    return spec->tls_client_ca_place;
}

static ipt_err check(const ipt_listener_spec *spec, int64_t now, ipt_diag *diag)
{
    ipt_auto(ipt_tls_files) *files = NULL;
    ipt_tls_fault fault;
    if (spec->kind == IPT_LISTEN_OFF || spec->tls_cert == NULL || spec->tls_key == NULL)
        return IPT_OK;
    ipt_err err = ipt_tls_files_open(spec, &fault, &files);
    if (err == IPT_ECONFIG)
        ipt_diag_add(diag, IPT_ERROR, place_of(spec, fault.file), "%s", fault.text);
    if (err != IPT_OK)
        return err;
    const ipt_tls_pem *pem = ipt_tls_files_acquire(files);
    if (pem->expires <= now)
        ipt_diag_add(diag, IPT_WARNING, spec->tls_cert_place, "the certificate in %s has expired", spec->tls_cert);
    ipt_tls_pem_release(pem);
    return IPT_OK;
}

ipt_err ipt_tls_check(const ipt_config *config, int64_t now, ipt_diag *diag)
{
    const ipt_listener_spec *const all[] = {&config->http, &config->grpc, &config->health, &config->admin};
    ipt_err worst = IPT_OK;
    for (size_t i = 0; i < IPT_COUNT(all); i++) {
        ipt_err err = check(all[i], now, diag);
        if (err != IPT_OK && worst != IPT_ENOMEM)
            worst = err;
    }
    return worst;
}
