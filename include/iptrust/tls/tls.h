/* TLS of a listener, without a word of any TLS library: its files as one consistent whole that is replaced when they
 * change, and the names in callers' certificates. Transports take the PEM bytes from here and hand the names back. */
#ifndef IPTRUST_TLS_TLS_H
#define IPTRUST_TLS_TLS_H

#include "iptrust/config/config.h"

/* ---- names of certificates (RFC 5280, 4.2.1.6) ---- */

typedef enum ipt_san_kind { IPT_SAN_NONE = 0, IPT_SAN_DNS, IPT_SAN_URI, IPT_SAN_IP, IPT_SAN_EMAIL } ipt_san_kind;

typedef struct ipt_san {
    ipt_san_kind kind;
    ipt_span text; /* IP: the address as text. May hold any byte: whoever signed it wrote it */
} ipt_san;

/* What an entry of client_sans names: an address, a URI (a scheme and a colon), a mail address (an @), else DNS. NONE:
 * empty, or with an asterisk; names are matched whole and there are no wildcards. */
ipt_san ipt_san_read(ipt_span entry);
/* Kinds never mix. DNS without regard to case (RFC 4343), of a mail address its host (RFC 5280, 7.5); addresses as
 * values; URIs byte by byte. */
bool ipt_san_equal(ipt_san a, ipt_san b);
/* One of the certificate's names is one of `allowed`, entries as in client_sans. No entry allows nobody: a listener
 * without client_sans does not ask. */
bool ipt_san_is_allowed(const ipt_san *names, size_t count, const char *const *allowed, size_t allowed_count);
/* Who the certificate says its holder is: the first URI, else the first DNS name, mail address, IP address. Points into
 * names; .n 0: nobody. */
ipt_span ipt_san_principal(const ipt_san *names, size_t count);

/* ---- files ---- */

typedef enum ipt_tls_file { IPT_TLS_CERT = 0, IPT_TLS_KEY, IPT_TLS_CLIENT_CA } ipt_tls_file;
enum { IPT_TLS_FILES = 3, IPT_TLS_FILE_BYTES_MAX = 1 << 20 };

/* Why files cannot be used, in plain words with the path, and which of them is to blame. */
typedef struct ipt_tls_fault {
    ipt_tls_file file;
    char text[320];
} ipt_tls_fault;

/* One generation of the files, immutable: the key belongs to the first certificate, everything parses. */
typedef struct ipt_tls_pem {
    ipt_span cert, key, client_ca; /* PEM, each followed by a NUL; client_ca.n 0: callers need no certificate */
    uint64_t number;               /* 1, 2, 3 ... of these files */
    int64_t expires;               /* of the first certificate; seconds since 1970 */
} ipt_tls_pem;

typedef struct ipt_tls_files ipt_tls_files;

/* Reads and checks the files of spec, which must have tls_cert and tls_key. IPT_ECONFIG: fault says why. spec is not
 * kept. */
IPT_MUST_USE ipt_err ipt_tls_files_open(const ipt_listener_spec *spec, ipt_tls_fault *fault, ipt_tls_files **out);
/* Generations that are still held live on. */
void ipt_tls_files_close(ipt_tls_files *files);
IPT_DEFINE_CLEANUP(ipt_tls_files, ipt_tls_files_close)

/* The generation in force; any thread. Never NULL; let go of by ipt_tls_pem_release. */
const ipt_tls_pem *ipt_tls_files_acquire(ipt_tls_files *files);
void ipt_tls_pem_release(const ipt_tls_pem *pem); /* NULL is fine */

/* Whether a caller of these names, whose certificate was verified, may call: client_sans of spec has one of them or is
 * not stated. Any thread. */
bool ipt_tls_files_allow(const ipt_tls_files *files, const ipt_san *names, size_t count);

typedef enum ipt_tls_look {
    IPT_TLS_SAME = 0, /* nothing new, or something that has not settled yet */
    IPT_TLS_TAKEN,    /* a new generation is in force */
    IPT_TLS_REFUSED,  /* what is there now cannot be used, the old one stays; told once for the same contents */
} ipt_tls_look;

/* Looks at the files, through symbolic links; one thread at a time. What changed is taken when two looks in a row find
 * the same contents, so that a pair caught half-written or between two renames is neither taken nor complained about.
 * at_once: somebody says that they are complete. */
ipt_tls_look ipt_tls_files_look(ipt_tls_files *files, bool at_once, ipt_tls_fault *fault);

/* ---- a thread that looks every second ---- */

typedef struct ipt_tls_watch ipt_tls_watch;

/* Called by that thread when something was taken or refused; which counts `files` as they were given. */
typedef void ipt_tls_told(void *context, size_t which, ipt_tls_look look, const ipt_tls_fault *fault);

/* files are borrowed and outlive the watch. */
IPT_MUST_USE ipt_err ipt_tls_watch_start(ipt_tls_files *const *files, size_t count, ipt_tls_told *told, void *context,
                                         ipt_tls_watch **out);
void ipt_tls_watch_now(ipt_tls_watch *watch); /* any thread: a look at once (SIGHUP) */
void ipt_tls_watch_stop(ipt_tls_watch *watch);
IPT_DEFINE_CLEANUP(ipt_tls_watch, ipt_tls_watch_stop)

/* ---- the configuration ---- */

/* Reads the files of every listener with TLS and complains at the place that names the one to blame; a certificate that
 * has expired by `now` (seconds since 1970) is a warning. IPT_ECONFIG when there was an error. */
IPT_MUST_USE ipt_err ipt_tls_check(const ipt_config *config, int64_t now, ipt_diag *diag);

#endif
