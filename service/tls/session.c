/* Handshakes: which certificate is shown, whose is asked for, and whether the caller's is good enough. All of it in the
 * handshake, so that a caller who is refused never gets to send a request. */
#include "iptrust/tls/session.h"

#include <gnutls/abstract.h>
#include <gnutls/x509-ext.h>
#include <stdio.h>
#include <stdlib.h>

#include "tls_priv.h"

enum { NAMES_MAX = 64 }; /* of one certificate */

/* RFC 5280, 4.2.1.6, with IP addresses as text. */
typedef struct names {
    ipt_san list[NAMES_MAX];
    size_t count;
    char addresses[NAMES_MAX][IPT_ADDR_TEXT];
} names;

const char *ipt_tls_priorities(void)
{
    /* RFC 9325: 3.1.1 versions, 4.2 suites, 4.5 at least 2048 bits of RSA in callers' certificates. */
    return "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:-CIPHER-ALL:+AES-128-GCM:"
           "+AES-256-GCM:+CHACHA20-POLY1305:-MAC-ALL:+AEAD:%SERVER_PRECEDENCE:%PROFILE_MEDIUM";
}

static int no_certificate(gnutls_session_t session, const struct gnutls_cert_retr_st *info, gnutls_pcert_st **certs,
                          unsigned *count, gnutls_ocsp_data_st **ocsp, unsigned *ocsp_count, gnutls_privkey_t *key,
                          unsigned *flags)
{
    (void)session, (void)info, (void)certs, (void)count, (void)ocsp, (void)ocsp_count, (void)key, (void)flags;
    return -1;
}

void *ipt_tls_no_certificate(void)
{
    gnutls_certificate_retrieve_function3 *function = no_certificate;
    void *out;
    memcpy(&out, &function, sizeof(out));
    return out;
}

/* ---- the caller's certificate ---- */

static ipt_san_kind kind_of(unsigned type)
{
    switch (type) {
    case GNUTLS_SAN_DNSNAME:
        return IPT_SAN_DNS;
    case GNUTLS_SAN_URI:
        return IPT_SAN_URI;
    case GNUTLS_SAN_IPADDRESS:
        return IPT_SAN_IP;
    case GNUTLS_SAN_RFC822NAME:
        return IPT_SAN_EMAIL;
    default:
        return IPT_SAN_NONE;
    }
}

static void add_address(names *out, const gnutls_datum_t *bytes)
{
    if (bytes->size != 4 && bytes->size != 16)
        return;
    ipt_addr addr = bytes->size == 4 ? ipt_addr_from_bytes4(bytes->data) : ipt_addr_from_bytes16(bytes->data);
    size_t n = ipt_addr_format(addr, out->addresses[out->count]);
    out->list[out->count] = (ipt_san){IPT_SAN_IP, {out->addresses[out->count], n}};
    out->count++;
}

/* The names point into san. False: more than anybody needs. */
static bool list_names(gnutls_subject_alt_names_t san, names *out)
{
    unsigned type;
    gnutls_datum_t text;
    out->count = 0;
    for (unsigned i = 0; gnutls_subject_alt_names_get(san, i, &type, &text, NULL) >= 0; i++) {
        ipt_san_kind kind = kind_of(type);
        if (kind == IPT_SAN_NONE)
            continue;
        if (out->count == NAMES_MAX)
            return false;
        if (kind == IPT_SAN_IP)
            add_address(out, &text);
        else
            out->list[out->count++] = (ipt_san){kind, {(const char *)text.data, text.size}};
    }
    return true;
}

static bool keep_principal(const names *of, ipt_tls_caller *caller)
{
    ipt_span principal = ipt_san_principal(of->list, of->count);
    if (principal.n == 0)
        return true;
    char *copy = malloc(principal.n);
    if (copy == NULL)
        return false;
    memcpy(copy, principal.p, principal.n);
    caller->principal = (ipt_span){copy, principal.n};
    return true;
}

/* NULL: the caller may; else why not. */
static const char *judge_names(gnutls_subject_alt_names_t san, ipt_tls_caller *caller)
{
    names all;
    if (!list_names(san, &all))
        return "the certificate has too many names";
    if (!ipt_tls_files_allow(caller->files, all.list, all.count))
        return "no name of the certificate is in client_sans";
    return keep_principal(&all, caller) ? NULL : "no memory";
}

static const char *judge_leaf(const gnutls_datum_t *der, ipt_tls_caller *caller)
{
    gnutls_x509_crt_t crt = NULL;
    gnutls_subject_alt_names_t san = NULL;
    gnutls_datum_t extension = {NULL, 0};
    const char *why = "the certificate cannot be read";
    if (gnutls_x509_crt_init(&crt) < 0 || gnutls_subject_alt_names_init(&san) < 0)
        why = "no memory";
    else if (gnutls_x509_crt_import(crt, der, GNUTLS_X509_FMT_DER) >= 0) {
        int code = gnutls_x509_crt_get_extension_by_oid2(crt, GNUTLS_X509EXT_OID_SAN, 0, &extension, NULL);
        if (code == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE ||
            (code >= 0 && gnutls_x509_ext_import_subject_alt_names(&extension, san, 0) >= 0))
            why = judge_names(san, caller);
    }
    gnutls_free(extension.data);
    if (san != NULL)
        gnutls_subject_alt_names_deinit(san);
    if (crt != NULL)
        gnutls_x509_crt_deinit(crt);
    return why;
}

static gnutls_alert_description_t alert_of(unsigned status)
{
    if ((status & (GNUTLS_CERT_SIGNER_NOT_FOUND | GNUTLS_CERT_SIGNER_NOT_CA)) != 0)
        return GNUTLS_A_UNKNOWN_CA;
    return (status & GNUTLS_CERT_EXPIRED) != 0 ? GNUTLS_A_CERTIFICATE_EXPIRED : GNUTLS_A_BAD_CERTIFICATE;
}

static void note_status(unsigned status, ipt_tls_caller *caller)
{
    gnutls_datum_t text = {NULL, 0};
    const char *shown = "not verified";
    if (gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &text, 0) >= 0)
        shown = (const char *)text.data;
    ipt_span trimmed = ipt_span_trim(ipt_span_from(shown));
    snprintf(caller->refusal, sizeof(caller->refusal), "%.*s", (int)trimmed.n, trimmed.p);
    gnutls_free(text.data);
}

/* True: verified. Else refusal says why and alert what the other side is told (RFC 8446, 6.2). */
static bool verify_caller(gnutls_session_t session, ipt_tls_caller *caller, gnutls_alert_description_t *alert)
{
    unsigned char purpose[] = GNUTLS_KP_TLS_WWW_CLIENT; /* RFC 5280, 4.2.1.12 */
    gnutls_typed_vdata_st data = {.type = GNUTLS_DT_KEY_PURPOSE_OID, .data = purpose};
    unsigned status = 0, count = 0;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &count);
    if (chain == NULL || count == 0) {
        snprintf(caller->refusal, sizeof(caller->refusal), "the caller sent no certificate");
        *alert = gnutls_protocol_get_version(session) == GNUTLS_TLS1_3 ? GNUTLS_A_CERTIFICATE_REQUIRED
                                                                       : GNUTLS_A_HANDSHAKE_FAILURE;
        return false;
    }
    int code = gnutls_certificate_verify_peers(session, &data, 1, &status);
    if (code < 0 || status != 0) {
        if (code < 0)
            snprintf(caller->refusal, sizeof(caller->refusal), "%s", gnutls_strerror(code));
        else
            note_status(status, caller);
        *alert = alert_of(status);
        return false;
    }
    const char *why = judge_leaf(&chain[0], caller);
    snprintf(caller->refusal, sizeof(caller->refusal), "%s", why == NULL ? "" : why);
    *alert = GNUTLS_A_ACCESS_DENIED;
    return why == NULL;
}

/* Called once the caller's certificate has arrived, or has not; anything but 0 ends the handshake. The library on top
 * closes without a word, so the alert goes out here. */
static int verify(gnutls_session_t session)
{
    ipt_tls_caller *caller = gnutls_session_get_ptr(session);
    gnutls_alert_description_t alert;
    caller->verified = verify_caller(session, caller, &alert);
    if (caller->verified)
        return 0;
    (void)gnutls_alert_send(session, GNUTLS_AL_FATAL, alert);
    return GNUTLS_E_CERTIFICATE_ERROR;
}

/* ---- begin and end ---- */

bool ipt_tls_session_begin(void *session, ipt_tls_files *files, ipt_tls_caller *caller)
{
    gnutls_session_t tls = session;
    *caller = (ipt_tls_caller){.files = files, .pem = ipt_tls_files_acquire(files)};
    /* libmicrohttpd keeps its connection there, for pre-shared keys alone, which are not offered. */
    gnutls_session_set_ptr(tls, caller);
    if (caller->pem->client_ca.n != 0) {
        /* REQUIRE would end the handshake of who has none before verify() can say so to both sides. */
        caller->required = true;
        gnutls_certificate_server_set_request(tls, GNUTLS_CERT_REQUEST);
        gnutls_session_set_verify_function(tls, verify);
    }
    return gnutls_credentials_set(tls, GNUTLS_CRD_CERTIFICATE, tls_pem_credentials(caller->pem)) >= 0;
}

void ipt_tls_caller_done(ipt_tls_caller *caller)
{
    ipt_tls_pem_release(caller->pem);
    free((void *)(uintptr_t)caller->principal.p);
    caller->pem = NULL;
    caller->principal = (ipt_span){NULL, 0};
}
